# Schemas that imitate a recommender, and recommenders with changed tables: views
# run no code of other roles, and anything invalid ends in an error, not in a
# crash.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('hostile', conf => "restart_after_crash = on\n");
make_shop($node);
$node->safe_psql('shop', q{
	CREATE ROLE mallory LOGIN;
	CREATE ROLE victim LOGIN;
	GRANT CREATE ON DATABASE shop TO mallory;
	GRANT SELECT ON orders TO mallory, victim});
my $superuser = $node->safe_psql('shop', 'SELECT user');

# what anybody may do without a thought
my @looks = (
	'SELECT count(*) FROM recommender.recommenders',
	'SELECT count(*) FROM recommender.refresh_runs',
	'SELECT count(*) FROM recommender.evaluations',
	'SELECT count(*) FROM recommender.refresh_progress',
	q{SELECT recommender.refresh('no such recommender')},
	'CALL recommender.refresh_all()');

# and what asks for it
my $one = 'NULL::fake.recommendation';
my @asks = (
	q{SELECT count(*) FROM recommender.check_recommender('fake')},
	"SELECT count(*) FROM recommender_internal.recommend($one, 1, 10, NULL, NULL::text[], '{\"month\": 6}', NULL)",
	"SELECT count(*) FROM recommender_internal.recommend_basket($one, ARRAY['P1', 'P2'], 10, NULL, NULL::text[], '{\"month\": 6}', NULL)",
	"SELECT count(*) FROM recommender_internal.similar_items($one, 'P1'::text, 10, NULL, NULL::text[], NULL)",
	"SELECT count(*) FROM recommender_internal.popular_items($one, 10, NULL, NULL::text[], NULL)",
	"SELECT count(*) FROM recommender_internal.trending_items($one, 10, NULL, NULL::text[], NULL)",
	"SELECT recommender_internal.score($one, 1, 'P1'::text, '{\"month\": 6}', NULL)",
	"SELECT count(*) FROM recommender_internal.recommend_all(NULL::fake.user_recommendation, 10, NULL, NULL::text[], '{\"month\": 6}', NULL)",
	q{SELECT recommender.set_options('fake', '{"history": 3}')},
	q{SELECT recommender.add_interactions('fake', 'orders', 'customer', 'product')},
	q{SELECT recommender.refresh('fake')},
	q{SELECT recommender.drop_recommender('fake')});

my $session;

sub connect_as
{
	my ($user) = @_;

	$session->quit if $session;
	$session = RecommenderTest::Session->new($node, user => $user);
	# an error ends a statement, not the transaction
	$session->run('\set ON_ERROR_ROLLBACK on');
	return;
}

# ---------------------------------------------------------------------------
# a schema of mallory's
# ---------------------------------------------------------------------------

# tables of a recommender which the schema below does not make itself
$node->safe_psql('shop', q{SET client_min_messages = error;
	SELECT recommender.create_recommender('pattern', 'orders', 'customer', 'product')});
my $others = $node->safe_psql('shop', q{
	SELECT format('CREATE TABLE fake.%I (%s);', c.relname,
		string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum))
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'pattern'::regnamespace AND c.relkind = 'r' AND c.relname NOT IN
		('definition', 'source', 'item_source', 'item', 'neighbor', 'context_lift', 'factorization', 'factor', 'refresh_run', 'evaluation', 'trial')
	GROUP BY c.oid});
$node->safe_psql('shop', q{SELECT recommender.drop_recommender('pattern')});

my $tables = q{
CREATE SCHEMA fake;
CREATE TABLE fake.definition (singleton boolean PRIMARY KEY DEFAULT true, options jsonb NOT NULL DEFAULT '{"model": "als"}',
	generation bigint NOT NULL DEFAULT 1, items bigint NOT NULL DEFAULT 2, item_steps integer[] NOT NULL DEFAULT '{}', layout integer NOT NULL DEFAULT 1, as_of timestamptz,
	newest_created timestamptz, newest_item bigint, refreshed_at timestamptz);
INSERT INTO fake.definition DEFAULT VALUES;
CREATE TABLE fake.source (position integer PRIMARY KEY, relation regclass UNIQUE, user_column name, item_column name,
	time_column name, event_column name, weight_column name, event text, event_weights jsonb, context_columns name[] DEFAULT '{}');
INSERT INTO fake.source VALUES (1, 'orders', 'customer', 'product', 'ordered_at', 'kind', 'amount', NULL, '{"view": 1}');
CREATE TABLE fake.item_source (singleton boolean PRIMARY KEY DEFAULT true, relation regclass, item_column name, feature_columns name[] DEFAULT '{}',
	text_columns name[] DEFAULT '{}', available_column name, created_column name, group_column name, options jsonb DEFAULT '{}');
CREATE TABLE fake.item (generation bigint, item_no integer, item_id text, users bigint, weight float8, popularity float8, trend float8, popular boolean, trending boolean);
CREATE INDEX ON fake.item (generation, item_no);
CREATE INDEX ON fake.item (generation, item_id);
CREATE INDEX ON fake.item (generation, popularity DESC, item_no);
CREATE INDEX ON fake.item (generation, trend DESC, item_no);
INSERT INTO fake.item VALUES (1, 0, 'P1', 1, 1, 1, 1, true, true), (1, 1, 'P2', 1, 1, 1, 1, true, true);
CREATE TABLE fake.neighbor (generation bigint, kind text, item_no integer, item_id text, neighbors integer[], scores real[], supports integer[], nearest text[]);
CREATE INDEX ON fake.neighbor (generation, item_id);
INSERT INTO fake.neighbor VALUES (1, 'behaviour', 0, 'P1', '{1}', '{1}', '{1}', '{P2}'), (1, 'behaviour', 1, 'P2', '{0}', '{1}', '{1}', '{P1}');
CREATE TABLE fake.context_lift (generation bigint, column_name name, value text, item_nos integer[], lifts real[]);
CREATE INDEX ON fake.context_lift (column_name, value, generation);
INSERT INTO fake.context_lift VALUES (1, 'month', 'june', '{0,1}', '{1,-1}');
CREATE TABLE fake.factorization (generation bigint, items integer, factors integer, unobserved float8, regularization float8, exponent float8, scale float8, gramian float8[]);
CREATE INDEX ON fake.factorization (generation);
INSERT INTO fake.factorization VALUES (1, 2, 2, 0.1, 0.01, 1, 1, '{2,1}');
CREATE TABLE fake.factor (generation bigint, item_no integer, factors real[]);
CREATE INDEX ON fake.factor (generation, item_no);
INSERT INTO fake.factor VALUES (1, 0, '{1,-1,0.5,2}');
CREATE TABLE fake.refresh_run (generation bigint, mode text, started_at timestamptz, finished_at timestamptz,
	interactions bigint, users bigint, items bigint, neighbors bigint, null_keys bigint, without_weight bigint,
	read_ms float8, build_ms float8, write_ms float8, memory_bytes bigint, model_bytes bigint, options jsonb);
INSERT INTO fake.refresh_run VALUES (1, 'full', now(), now(), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '{}');
CREATE TABLE fake.evaluation (run bigint, evaluated_at timestamptz, settings jsonb, options jsonb, strategy text,
	segment text, metric text, k integer, value float8, ci_low float8, ci_high float8, users bigint);
INSERT INTO fake.evaluation VALUES (1, now(), '{}', '{}', 'a', 'a', 'a', 1, 1, 1, 1, 1);
CREATE TYPE fake.recommendation AS (rank integer, item_id text, score double precision, strategy text, reasons jsonb);
CREATE TYPE fake.user_recommendation AS (user_id integer, rank integer, item_id text, score double precision, strategy text);
CREATE VIEW fake.neighbors AS SELECT 1 AS item_id;
CREATE TABLE fake.trial (settings jsonb, sample integer, options jsonb, value float8, users bigint, train_ms float8, tried_at timestamptz);
CREATE FUNCTION fake.trap() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF current_user <> 'mallory' THEN
		RAISE WARNING 'code of mallory runs as %', current_user;
	END IF;
	RETURN true;
END $$;
GRANT USAGE ON SCHEMA fake TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA fake TO PUBLIC;
} . $others . q{
GRANT SELECT ON ALL TABLES IN SCHEMA fake TO PUBLIC;
};

# Nobody runs mallory's code by looking.
sub check_trap
{
	my ($name, $change) = @_;

	$node->safe_psql('shop', "SET ROLE mallory; $tables $change; GRANT SELECT ON ALL TABLES IN SCHEMA fake TO PUBLIC");
	for my $user ($superuser, 'victim')
	{
		connect_as($user);
		my $error = $session->attempt(@looks);
		unlike($error, qr/crash|code of mallory/, "$name: nothing of it runs when $user looks");
	}
	$node->safe_psql('shop', 'SET client_min_messages = error; DROP SCHEMA fake CASCADE');
	return;
}

for my $table (qw(definition source item_source item neighbor context_lift factorization factor refresh_run evaluation))
{
	check_trap("a view for table $table",
		"ALTER TABLE fake.$table RENAME TO real;
		CREATE VIEW fake.$table AS SELECT * FROM fake.real WHERE fake.trap()");
	check_trap("a policy on table $table",
		"CREATE POLICY trap ON fake.$table USING (fake.trap()); ALTER TABLE fake.$table ENABLE ROW LEVEL SECURITY");
}
check_trap("an index on table $_",
	"CREATE FUNCTION fake.trap_now(integer) RETURNS boolean IMMUTABLE LANGUAGE sql RETURN fake.trap();
	ALTER FUNCTION fake.trap IMMUTABLE; CREATE INDEX ON fake.$_ (generation) WHERE fake.trap_now(1)")
  for qw(definition item neighbor context_lift factorization factor refresh_run);
check_trap('a cast',
	q{CREATE TYPE fake.tricky AS (x integer);
	CREATE FUNCTION fake.cast_it(fake.tricky) RETURNS oid LANGUAGE sql AS $$ SELECT 1::oid WHERE fake.trap() $$;
	CREATE CAST (fake.tricky AS oid) WITH FUNCTION fake.cast_it(fake.tricky);
	ALTER TABLE fake.source ALTER relation TYPE fake.tricky USING ROW(1)::fake.tricky});
check_trap('an implicit cast',
	q{CREATE TYPE fake.tricky AS (x integer);
	CREATE FUNCTION fake.cast_it(fake.tricky) RETURNS timestamptz LANGUAGE sql AS $$ SELECT now() WHERE fake.trap() $$;
	CREATE CAST (fake.tricky AS timestamptz) WITH FUNCTION fake.cast_it(fake.tricky) AS IMPLICIT;
	ALTER TABLE fake.definition ALTER refreshed_at TYPE fake.tricky USING ROW(1)::fake.tricky});
# a table that turns into a view while somebody who has looked at it waits
for my $table (qw(definition source item_source refresh_run))
{
	my $owner = RecommenderTest::Session->new($node, user => 'mallory');
	my $watcher = RecommenderTest::Session->new($node);

	for my $user ($superuser, 'victim')
	{
		connect_as($user);
		$owner->run("$tables BEGIN; LOCK TABLE fake.$table");
		# the overviews do not wait, a check does
		$session->query(join ';', @looks);
		unlike($session->{error}, qr/code of mallory/, "table $table is locked: nothing runs when $user looks");
		$session->send("SELECT count(*) FROM recommender.check_recommender('fake')");
		$watcher->wait_until_blocked($session);
		$owner->run("ALTER TABLE fake.$table RENAME TO real;
			CREATE VIEW fake.$table AS SELECT * FROM fake.real WHERE fake.trap();
			GRANT SELECT ON fake.$table TO PUBLIC; COMMIT");
		$session->wait;
		unlike($session->{error}, qr/code of mallory/,
			"a view for table $table in the last moment: nothing of it runs when $user looks");
		$node->safe_psql('shop', 'SET client_min_messages = error; DROP SCHEMA fake CASCADE');
	}
	$_->quit for $owner, $watcher;
}

# (max_age compares refreshed_at)
push @looks, q{CALL recommender.refresh_all('1 day')};

# ---------------------------------------------------------------------------
# tables that are not what they were
# ---------------------------------------------------------------------------

# A change to the tables, made by their owner in a session that has read them
# before, is survived.
sub check_change
{
	my ($name, $change) = @_;

	$session->query("BEGIN; $change");
	die "$change: $session->{error}" if $session->{error} =~ /ERROR/;
	my $error = $session->attempt(@looks, @asks, 'ROLLBACK');
	isnt($error, 'crash', $name);
	connect_as('mallory') if $error eq 'crash';
	return;
}

$node->safe_psql('shop', "SET ROLE mallory; $tables");
connect_as('mallory');
my $columns = $session->run(q{SELECT attrelid::regclass, attname, typbyval AND typname <> 'bool'
	FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_type t ON t.oid = atttypid
	WHERE c.relnamespace = 'fake'::regnamespace AND c.relkind IN ('r', 'c') AND attnum > 0 ORDER BY attrelid, attnum});
$session->run('DROP FUNCTION fake.trap');
$session->query('BEGIN; ' . join(';', @asks) . '; ROLLBACK');
is($session->{error} =~ /(ERROR:  .*)/ ? $1 : '', '', 'unchanged, all works');

for my $line (split /\n/, $columns)
{
	my ($table, $column, $by_value) = split /\|/, $line;
	my $kind = $table =~ /recommendation/ ? 'TYPE' : 'TABLE';
	my $part = $kind eq 'TYPE' ? 'ATTRIBUTE' : 'COLUMN';

	# a number where a pointer is expected, or the other way round
	my ($type, $value) = $by_value eq 't' ? ('text', "'4711'") : ('bigint', '4711');

	$session->query(join ';', 'BEGIN', @asks, 'ROLLBACK');
	check_change("$table.$column of type $type",
		$kind eq 'TYPE' ? "ALTER TYPE $table ALTER ATTRIBUTE $column TYPE $type" :
		  "ALTER TABLE $table ALTER $column DROP DEFAULT, ALTER $column TYPE $type USING $value");
	check_change("$table.$column dropped", "ALTER $kind $table DROP $part $column");
	check_change("$table.$column null", "ALTER TABLE $table ALTER $column DROP NOT NULL; UPDATE $table SET $column = NULL")
	  if $kind eq 'TABLE' && $column ne 'singleton' && $column ne 'position';
}
for my $table (qw(definition source item_source item neighbor context_lift factorization factor refresh_run evaluation))
{
	$session->query(join ';', 'BEGIN', @asks, 'ROLLBACK');
	check_change("table $table is empty", "DELETE FROM fake.$table");
	check_change("table $table is gone", "DROP TABLE fake.$table");
	check_change("table $table is a view", "ALTER TABLE fake.$table RENAME TO real; CREATE VIEW fake.$table AS SELECT * FROM fake.real");
	check_change("table $table is partitioned",
		"ALTER TABLE fake.$table RENAME TO real; CREATE TABLE fake.$table (LIKE fake.real) PARTITION BY LIST (" .
		($table eq 'source' ? 'position' : $table eq 'item_source' ? 'singleton' : $table eq 'evaluation' ? 'run' : 'generation') .
		"); ALTER TABLE fake.$table ATTACH PARTITION fake.real DEFAULT");
	check_change("table $table has twice the rows",
		"DO \$\$ DECLARE c text; BEGIN
			FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'fake.$table'::regclass LOOP
				EXECUTE format('ALTER TABLE fake.$table DROP CONSTRAINT %I', c);
			END LOOP; END \$\$;
		INSERT INTO fake.$table SELECT * FROM fake.$table");
}

# values that nobody wrote who meant well
my @values = (
	[ 'definition', 'generation', '-1', '0', '2', '9223372036854775807' ],
	[ 'definition', 'items',      '-1', '9223372036854775807' ],
	[ 'definition', 'as_of', "'infinity'", "'-infinity'" ],
	[ 'definition', 'options', "'[]'", "'1'", "'null'", q('{"no": 1}'), q('{"neighbors": 1e9}'), q('{"blend": 7}') ],
	[ 'source', 'relation', '0', '4711', "'pg_class'", "'fake.recommendation'", "'orders_pkey'" ],
	[ 'source', 'user_column', "''", q('"'), "'kind'" ],
	[ 'source', 'context_columns', "'{NULL}'", q('{""}'), "'{nosuch}'", "'{kind,kind}'", q('{{kind},{customer}}'), "'[5:5]={month}'" ],
	[ 'source', 'event_weights', "'[]'", "'1'", q('{"view": "x"}') ],
	[ 'item', 'item_no', '-1', '5', '2147483647', '-2147483648' ],
	[ 'item', 'popularity', "'NaN'", "'infinity'", '-1', '1e308' ],
	[ 'item', 'trend', "'NaN'", "'-infinity'", '1e308' ],
	[ 'item', 'generation', '-1', '7' ],
	[ 'neighbor', 'item_no', '-1', '2147483647' ],
	[ 'neighbor', 'item_id', "''", "'P9'" ],
	[ 'neighbor', 'kind', "''", "'content'" ],
	[ 'neighbor', 'neighbors', "'{}'", "'{NULL}'", "'{{1}}'", "'{-1}'", "'{2147483647}'", "'{-2147483648}'", "'{0,0,0,0}'", "'[5:5]={1}'",
		'(SELECT array_agg(n) FROM generate_series(1, 20000) n)' ],
	[ 'neighbor', 'scores', "'{}'", "'{NULL}'", "'{{1}}'", "'{NaN}'", "'{Infinity}'", "'{-1}'", "'{3e38}'", "'{1,1}'", "'[7:7]={1}'" ],
	[ 'neighbor', 'supports', "'{}'", "'{NULL}'", "'{-1}'" ],
	[ 'neighbor', 'nearest', "'{}'", "'{NULL}'", "'{{P1}}'", "'[5:5]={P1}'", "'{P9}'", "'{P1,P2,P1,P2}'" ],
	[ 'context_lift', 'column_name', "''", "'weekday'" ],
	[ 'context_lift', 'value', "''", "'nosuch'" ],
	[ 'context_lift', 'item_nos', "'{}'", "'{NULL,1}'", "'{{1,2}}'", "'{-1,1}'", "'{0,2147483647}'", "'{-2147483648,1}'", "'{0,0}'", "'{0,1,2}'", "'[5:6]={0,1}'",
		'(SELECT array_agg(n) FROM generate_series(1, 20000) n)' ],
	[ 'context_lift', 'lifts', "'{}'", "'{NULL,1}'", "'{{1,2}}'", "'{NaN,1}'", "'{Infinity,1}'", "'{3e38,3e38}'", "'{1}'", "'[7:8]={1,1}'" ],
	[ 'factorization', 'generation', '-1', '2' ],
	[ 'factorization', 'items', '-1', '0', '1', '3', '2147483647' ],
	[ 'factorization', 'factors', '0', '-1', '1', '3', '4', '1001', '2147483647' ],
	[ 'factorization', 'unobserved', "'NaN'", '-1', '1e300' ],
	[ 'factorization', 'regularization', "'NaN'", '0', '-1', "'infinity'" ],
	[ 'factorization', 'exponent', "'NaN'", '1e308', '-1' ],
	[ 'factorization', 'scale', "'NaN'", "'infinity'", '-1', '0', '1e308' ],
	[ 'factorization', 'gramian', "'{}'", "'{NULL,1}'", "'{{1,2}}'", "'{NaN,1}'", "'{-1,1}'", "'{Infinity,1}'", "'{1e308,1e-320}'", "'{1}'", "'[5:6]={1,2}'" ],
	[ 'factor', 'item_no', '-1', '1', '2147483647', '-2147483648' ],
	[ 'factor', 'factors', "'{}'", "'{NULL,1,1,1}'", "'{{1,2},{3,4}}'", "'{NaN,1,1,1}'", "'{1,1,Infinity,1}'", "'{3e38,3e38,3e38,-3e38}'", "'{1,2}'", "'{1,2,3}'",
		"'{1,2,3,4,5,6}'", "'[7:10]={1,1,1,1}'", '(SELECT array_agg(n) FROM generate_series(1, 20000) n)' ],
	[ 'refresh_run', 'generation', '9223372036854775807', '-1' ],
	[ 'refresh_run', 'options', "'[]'", "'null'" ]);

for my $row (@values)
{
	my ($table, $column, @list) = @$row;

	check_change("$table.$column is $_", "UPDATE fake.$table SET $column = $_") for @list;
}

# ---------------------------------------------------------------------------
# the tables of content
# ---------------------------------------------------------------------------

# P3 is an item that the model does not know, and P4 is to be like it
$session->query('ROLLBACK');
$session->run(q{
CREATE TABLE fake.goods (id text PRIMARY KEY, category text, title text, picture real[], price int, ready boolean DEFAULT true, created timestamptz DEFAULT now());
INSERT INTO fake.goods VALUES ('P1', 'tea', 'green tea', '{1,0}', 3), ('P2', 'tea', 'black tea', '{0,1}', 5), ('P3', 'tea', 'green tea unheard', '{1,1}', 4), ('P4', 'tea', 'unheard', '{0.5,1}', 9);
INSERT INTO fake.item_source VALUES (true, 'fake.goods', 'id', '{category,picture,price}', '{title}', 'ready', 'created', NULL, '{}');
CREATE INDEX ON fake.content_column (generation, position);
CREATE INDEX ON fake.feature (generation, column_name, value);
CREATE INDEX ON fake.feature (generation, feature_no);
CREATE INDEX ON fake.item_feature (generation, item_id);
CREATE INDEX ON fake.item_feature (generation, item_no);
CREATE INDEX ON fake.embedding_cell (generation, cell_no);
INSERT INTO fake.content_column VALUES (1, 1, 'category', 'category', 1, '', '{}', 0, 2, 2, 1, 0), (1, 2, 'picture', 'embedding', 1, '', '{}', 2, 2, 2, 0, 0),
	(1, 3, 'price', 'number', 1, '', '{4,5}', 0, 2, 2, 2, 0), (1, 4, 'title', 'text', 1, 'pg_catalog.simple', '{}', 0, 2, 2, 3, 1);
INSERT INTO fake.feature VALUES (1, 0, 'category', 'tea', 2, 1.2, '{0,1}', '{0.5,0.5}'), (1, 1, 'price', '[,4)', 1, 1.4, '{0}', '{0.5}'), (1, 2, 'price', '[5,)', 1, 1.4, '{1}', '{0.5}'),
	(1, 3, 'title', 'black', 1, 1.4, '{1}', '{0.4}'), (1, 4, 'title', 'green', 1, 1.4, '{0}', '{0.4}'), (1, 5, 'title', 'tea', 2, 1, '{}', '{}');
INSERT INTO fake.item_feature VALUES (1, 0, 'P1', '{0,1,4,5}', '{0.5,0.5,0.4,0.3}', '{0.5,0}'), (1, 1, 'P2', '{0,2,3,5}', '{0.5,0.5,0.4,0.3}', '{0,0.5}');
INSERT INTO fake.embedding_cell VALUES (1, 0, '{1,0}', '{0}'), (1, 1, '{0,1}', '{1}');
INSERT INTO fake.neighbor VALUES (1, 'content', 0, 'P1', '{1}', '{0.3}', '{0}'), (1, 'content', 1, 'P2', '{0}', '{0.3}', '{0}');
CREATE TYPE fake.explanation AS (position integer, component text, because_item text, because_value text, similarity float8, weight float8, decay float8, contribution float8, sentence text);
});
my @kept = @asks;
@asks = (
	"SELECT count(*) FROM recommender_internal.explain(NULL::fake.explanation, 1, 'P4'::text, NULL, NULL)",
	"SELECT count(*) FROM recommender_internal.explain(NULL::fake.explanation, 1, 'P2'::text, NULL, '{\"language\": \"ko\"}')",
	"SELECT count(*) FROM recommender_internal.recommend($one, 1, 10, NULL, NULL::text[], NULL, NULL)",
	"SELECT count(*) FROM recommender_internal.recommend_basket($one, ARRAY['P1', 'P3'], 10, NULL, NULL::text[], NULL, '{\"diversity\": 0.5}')",
	"SELECT count(*) FROM recommender_internal.similar_items($one, 'P3'::text, 10, NULL, NULL::text[], NULL)",
	"SELECT recommender_internal.score($one, 1, 'P3'::text, NULL, '{\"new_items\": 1}')",
	"SELECT count(*) FROM recommender_internal.rank_items($one, 1, ARRAY['P1', 'P3', 'P4', 'P5'], NULL, NULL)",
	"SELECT count(*) FROM recommender_internal.recommend_all(NULL::fake.user_recommendation, 10, NULL, NULL::text[], NULL, NULL)",
	q{SELECT count(*) FROM recommender.check_recommender('fake')},
	q{SELECT recommender.set_items('fake', 'fake.goods', text_columns => '{title}')},
	q{SELECT recommender.remove_items('fake')});
$session->query('BEGIN; ' . join(';', @asks) . '; ROLLBACK');
is($session->{error} =~ /(ERROR:  .*)/ ? $1 : '', '', 'unchanged, all works with content');
is($session->run("SELECT string_agg(item_id, ' ' ORDER BY rank) FROM recommender_internal.similar_items($one, 'P3'::text, 10, NULL, NULL::text[], NULL) WHERE score > 0"),
	'P4 P1 P2', 'it serves what the model does not know');
is($session->run("SELECT reasons #>> '{0,value}' FROM recommender_internal.similar_items($one, 'P3'::text, 10, NULL, NULL::text[], NULL) WHERE item_id = 'P2'"),
	'category tea', 'and says what is shared');

for my $line (grep { /^fake\.(item_source|content_column|feature|item_feature|embedding_cell)\|/ } split /\n/, $columns)
{
	my ($table, $column, $by_value) = split /\|/, $line;
	my ($type, $value) = $by_value eq 't' ? ('text', "'4711'") : ('bigint', '4711');

	$session->query(join ';', 'BEGIN', @asks, 'ROLLBACK');
	check_change("with content: $table.$column of type $type",
		"ALTER TABLE $table ALTER $column DROP DEFAULT, ALTER $column TYPE $type USING $value");
	check_change("with content: $table.$column dropped", "ALTER TABLE $table DROP COLUMN $column");
	check_change("with content: $table.$column null", "UPDATE $table SET $column = NULL") if $column ne 'singleton';
}
for my $table (qw(item_source content_column feature item_feature embedding_cell))
{
	$session->query(join ';', 'BEGIN', @asks, 'ROLLBACK');
	check_change("with content: table $table is empty", "DELETE FROM fake.$table");
	check_change("with content: table $table is gone", "DROP TABLE fake.$table");
	check_change("with content: table $table is a view", "ALTER TABLE fake.$table RENAME TO real; CREATE VIEW fake.$table AS SELECT * FROM fake.real");
	check_change("with content: table $table has twice the rows", "INSERT INTO fake.$table SELECT * FROM fake.$table") if $table ne 'item_source';
}

my $long = '(SELECT array_agg(n) FROM generate_series(1, 20000) n)';
for my $row (
	[ 'item_source', 'relation', '0', '4711', "'pg_class'", "'orders'", "'fake.recommendation'" ],
	[ 'item_source', 'item_column', "''", "'nosuch'", "'price'" ],
	[ 'item_source', 'feature_columns', "'{NULL}'", "'{{category},{price}}'", "'{nosuch}'", "'{ready,created}'", "'{}'" ],
	[ 'item_source', 'available_column', "'nosuch'", "'price'", "'title'" ],
	[ 'item_source', 'created_column', "'nosuch'", "'price'", "'title'" ],
	[ 'item_source', 'options', "'[]'", q('{"weights": {"no": 1}}'), q('{"config": "nosuch"}'), q('{"buckets": {"price": [2, 1]}}') ],
	[ 'definition', 'newest_created', "'infinity'", "'-infinity'" ],
	[ 'definition', 'newest_item', '9223372036854775807', '-9223372036854775808' ],
	[ 'definition', 'items', '0', '1', '2147483647', '2147483648' ],
	[ 'content_column', 'column_name', "''", "'nosuch'", "'id'", "'title'" ],
	[ 'content_column', 'kind', "''", "'nosuch'", "'text'", "'number'", "'embedding'", "'json'", "'lexemes'", "'array'" ],
	[ 'content_column', 'weight', "'NaN'", "'infinity'", '0', '-1', '1e308', '1e-308' ],
	[ 'content_column', 'config', "'nosuch'", "'a.b.c.d'" ],
	[ 'content_column', 'bounds', "'{NULL}'", "'{{1,2}}'", "'{2,1}'", "'{NaN}'", "'{NaN,NaN}'", "'{-Infinity,Infinity}'", "'[5:6]={1,2}'" ],
	[ 'content_column', 'dimensions', '-1', '1', '3', '2147483647' ],
	[ 'content_column', 'all_items', '-1', '0', '9223372036854775807' ],
	[ 'content_column', 'position', '0', '-2147483648' ],
	[ 'feature', 'feature_no', '-1', '0', '2147483647' ],
	[ 'feature', 'value', "''", "'tea'", "repeat('x', 100000)" ],
	[ 'feature', 'items', '-1', '0', '2147483647' ],
	[ 'feature', 'idf', "'NaN'", "'infinity'", '-1', '0', '1e308', '1e-308' ],
	[ 'feature', 'item_nos', "'{NULL}'", "'{{0,1}}'", "'{-1}'", "'{2}'", "'{2147483647}'", "'{0,0,0}'", "'[5:5]={1}'", $long ],
	[ 'feature', 'weights', "'{NULL}'", "'{{1,1}}'", "'{NaN}'", "'{Infinity,1}'", "'{3e38}'", "'{1,1,1}'", "'{-1}'", $long ],
	[ 'item_feature', 'item_no', '-1', '2', '2147483647' ],
	[ 'item_feature', 'item_id', "''", "'P9'" ],
	[ 'item_feature', 'feature_nos', "'{NULL,1,2,3}'", "'{{0,1},{2,3}}'", "'{3,2,1,0}'", "'{1,1,1,1}'", "'{-1,0,1,2}'", "'{0,1,2,2147483647}'", "'{}'", $long ],
	[ 'item_feature', 'weights', "'{NULL,1,1,1}'", "'{NaN,1,1,1}'", "'{1,1,1,Infinity}'", "'{3e38,3e38,3e38,3e38}'", "'{-1,-1,-1,-1}'", "'{1}'", $long ],
	[ 'item_feature', 'embedding', "'{}'", "'{NULL,1}'", "'{{1,1}}'", "'{NaN,1}'", "'{Infinity,1}'", "'{3e38,3e38}'", "'{1}'", "'{1,1,1}'", "'[5:6]={1,1}'" ],
	[ 'embedding_cell', 'centroid', "'{}'", "'{NULL,1}'", "'{{1,1}}'", "'{NaN,1}'", "'{Infinity,-Infinity}'", "'{3e38,3e38}'", "'{1}'", "'{1,1,1}'" ],
	[ 'embedding_cell', 'item_nos', "'{}'", "'{NULL}'", "'{{0,1}}'", "'{-1}'", "'{2}'", "'{2147483647}'", $long ],
	[ 'neighbor', 'neighbors', "'{NULL}'", "'{-1}'", "'{2}'", "'{3}'", "'{2147483647}'" ])
{
	my ($table, $column, @list) = @$row;

	check_change("with content: $table.$column is " . substr($_, 0, 60), "UPDATE fake.$table SET $column = $_") for @list;
}
# and items that say what cannot be
for my $change ("picture = '{NaN,1}'", "picture = '{1}'", "picture = '{}'", "picture = '{NULL,1}'", "picture = '{3e38,3e38}'", "category = repeat('x', 1000000)", "title = repeat('long word ', 100000)", "price = 2147483647", "created = 'infinity'")
{
	check_change("an item with $change", "UPDATE fake.goods SET $change");
}
@asks = @kept;
$session->run('DELETE FROM fake.item_source');

# the columns of a session's own tables, changed by another session
$node->safe_psql('shop', "SET ROLE mallory; ALTER TABLE fake.item ALTER item_id TYPE bigint USING 4711;
	ALTER TABLE fake.neighbor ALTER item_id TYPE bigint USING 4711");
check_change('item_id, changed by another session', '');

$session->quit;
$node->stop;
done_testing();
