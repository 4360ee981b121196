# recommender_sql.awk
#	Turns recommender_tables.sql, recommender_functions.sql and recommender_events.sql
#	into C.
#
#	awk -f recommender_sql.awk -v make=header FILE.sql ...
#	awk -f recommender_sql.awk -v make=statements FILE.sql
#
# The header has lists of tables, columns and other objects for layout.c, an enum
# of the tables, and for each column its number, named as PostgreSQL names those of
# its catalogs: Anum_rec_item_users, of Natts_rec_item.  The statements are strings
# with their end, to stand in an array.

BEGIN {
	oid["boolean"] = "BOOLOID"
	oid["integer"] = "INT4OID"
	oid["integer[]"] = "INT4ARRAYOID"
	oid["bigint"] = "INT8OID"
	oid["real[]"] = "FLOAT4ARRAYOID"
	oid["double precision"] = "FLOAT8OID"
	oid["double precision[]"] = "FLOAT8ARRAYOID"
	oid["text"] = "TEXTOID"
	oid["name"] = "NAMEOID"
	oid["name[]"] = "NAMEARRAYOID"
	oid["jsonb"] = "JSONBOID"
	oid["regclass"] = "REGCLASSOID"
	oid["timestamptz"] = "TIMESTAMPTZOID"
	oid[":item_type"] = "ANYELEMENTOID"
	oid[":item_type[]"] = "ANYARRAYOID"
}

function fail(message)
{
	print FILENAME ":" FNR ": " message > "/dev/stderr"
	failed = 1
	exit 1
}

# takes a line of CREATE TABLE: "name type constraints,"
function take_column(line,    name, type)
{
	sub(/^[ \t]+/, "", line)
	sub(/,$/, "", line)
	if (line !~ /^[a-z]/)
		return
	name = line
	sub(/ .*/, "", name)
	type = substr(line, length(name) + 2)
	layout = type
	sub(/ (:item_collation|COLLATE|NOT NULL|PRIMARY KEY|UNIQUE|DEFAULT|CHECK).*/, "", type)
	if (!(type in oid))
		fail("no OID is known of type \"" type "\"")
	if (table == "definition" && name == "layout" && sub(/.* DEFAULT /, "", layout))
		version = layout
	column[++ncolumns] = name
	column_table[ncolumns] = table
	column_type[ncolumns] = oid[type]
	natts[table]++
	column_number[ncolumns] = natts[table]
}

function object_name(line)
{
	sub(/^.*:"schema"\./, "", line)
	sub(/[^a-z_].*/, "", line)
	return line
}

function put_line(line)
{
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	printf "%s\t\"%s\\n\"", (open ? "\n" : ""), line
	open = 1
}

function end_statement()
{
	if (open)
		print ",\n"
	open = 0
}

/^--/ { next }

make == "statements" {
	if ($0 == "")
		end_statement()
	else
		put_line($0)
	next
}

/^CREATE TABLE / {
	table = object_name($0)
	tables[++ntables] = table
	next
}

/^\)/ { table = "" }

table != "" { take_column($0) }

/^CREATE (OR REPLACE )?(VIEW|TYPE|FUNCTION) / {
	kind[++nobjects] = $2 == "OR" ? $4 : $2
	object[nobjects] = object_name($0)
}

END {
	if (failed)
		exit 1
	if (make == "statements") {
		end_statement()
		exit
	}
	if (version == "")
		fail("table \"definition\" has no column \"layout\" with a default")
	print "/* made of recommender_tables.sql, recommender_functions.sql and recommender_events.sql by recommender_sql.awk */"
	print "#ifndef REC_RECOMMENDER_TABLES_H\n#define REC_RECOMMENDER_TABLES_H\n"
	print "#define REC_LAYOUT_VERSION " version "\n"
	print "typedef enum RecTable\n{"
	for (i = 1; i <= ntables; i++)
		print "\tREC_TABLE_" toupper(tables[i]) ","
	print "\tREC_NTABLES\n} RecTable;\n"
	for (i = 1; i <= ncolumns; i++) {
		print "#define Anum_rec_" column_table[i] "_" column[i] " " column_number[i]
		if (column_number[i] == natts[column_table[i]])
			print "#define Natts_rec_" column_table[i] " " natts[column_table[i]] "\n"
	}
	printf "#define REC_LAYOUT_TABLES(X)"
	for (i = 1; i <= ntables; i++)
		printf " \\\n\tX(%s)", tables[i]
	printf "\n\n#define REC_LAYOUT_COLUMNS(X)"
	for (i = 1; i <= ncolumns; i++)
		printf " \\\n\tX(REC_TABLE_%s, %s, %s)", toupper(column_table[i]), column[i], column_type[i]
	printf "\n\n#define REC_LAYOUT_OBJECTS(X)"
	for (i = 1; i <= nobjects; i++)
		printf " \\\n\tX(%s, %s)", kind[i], object[i]
	print "\n\n#endif"
}
