# Hostile filters and an altered relation of items: names and values never become
# SQL text, operators of other schemas are not used, and anything invalid ends in
# an error, not in a crash.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('filters', conf => "restart_after_crash = on\n");
make_shop($node);
$node->safe_psql('shop', q{
	CREATE ROLE mallory LOGIN;
	GRANT CREATE ON DATABASE shop TO mallory});

my $session;

sub connect_again
{
	$session->quit if $session;
	$session = RecommenderTest::Session->new($node);
	# an error ends a statement, not the transaction
	$session->run('\set ON_ERROR_ROLLBACK on');
	return;
}

# The errors of statements, in a new session after a crash.
sub attempt
{
	my $error = $session->attempt(@_);

	connect_again() if $error eq 'crash';
	return $error;
}

# ---------------------------------------------------------------------------
# names and values
# ---------------------------------------------------------------------------

# Columns whose names are more than names, and values that are more than values.
my @names = ('a"b', "a'b", 'a; DROP TABLE loot; --', 'true) OR (true', '$1', 'i.id', '%s%n', 'a\\b', 'OPERATOR(pg_catalog.=)', "new\nline", 'Ünïcode');
my $quoted = join ', ', map { my $name = s/"/""/gr; qq("$name" text DEFAULT 'x') } @names;

$node->safe_psql('shop', qq{
	SET client_min_messages = warning;
	CREATE TABLE loot (x int);
	CREATE TABLE goods (id text PRIMARY KEY, n int DEFAULT 1, label text DEFAULT 'x', tags text[] DEFAULT '{x}', $quoted);
	INSERT INTO goods SELECT DISTINCT product FROM orders UNION SELECT page FROM visits;
	SELECT recommender.set_items('recs', 'goods');
	SELECT recommender.refresh('recs')});
my $all = $node->safe_psql('shop', 'SELECT count(*) FROM recs.popular_items(1000)');
connect_again();
# how many items pass
sub passing
{
	my $filter = shift;

	$filter =~ s/'/''/g;
	return $session->query("SELECT count(*) FROM recs.popular_items(1000, '$filter')");
}

sub json
{
	my $string = shift;

	$string =~ s/(["\\])/\\$1/g;
	$string =~ s/\n/\\n/g;
	return qq("$string");
}

cmp_ok($all, '>', 20, 'there is something to filter');
for my $name (@names)
{
	my $key = json($name);

	is(passing(qq({$key: "x", "not": {$key: ["y", null]}, "or": [{$key: {"prefix": "x"}}, {$key: {"gt": "z"}}]})), $all, "column $name");
	is(passing(qq({$key: "y"})), 0, "column $name, another value");
	is(passing(qq({"label": $key})), 0, "value $name");
	is(passing(qq({"label": [$key, "x"]})), $all, "value $name in a list");
	is(passing(qq({"label": {"prefix": $key}})), 0, "prefix $name");
	is(passing(qq({"tags": [$key]})) . passing(qq({"tags": {"contains": ["x", $key]}})), '00', "element $name");
	passing(qq({"n": $key}));
	like($session->{error}, qr/ERROR:  22P02: invalid input syntax for type integer/, "$name is no integer");
	passing(qq({"label": {$key: 1}}));
	like($session->{error}, qr/ERROR:  22023: filters have no operator/, "$name is no operator");
	$session->query("SELECT count(*) FROM recs.recommend(1, options => '{\"max_per\": {" . $key =~ s/'/''/gr . ": 3}}')");
	is($session->{error}, '', "at most so many by $name");
}
passing('{' . json($_) . ': 1}') for ('no such', 'goods.n', 'n = 1 OR n', 'n"', '"n"', 'N', 'ctid', 'xmin', '*', 'x' x 100, 'n' . 'x' x 63);
is($session->query('SELECT count(*) FROM loot'), '0', 'and nothing is gone');

# nobody's operators, functions or types are taken for PostgreSQL's
$node->safe_psql('shop', q{
	SET ROLE mallory;
	CREATE SCHEMA lair;
	GRANT USAGE ON SCHEMA lair TO PUBLIC;
	CREATE FUNCTION lair.no(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'code of mallory'; RETURN true; END $$;
	CREATE FUNCTION lair.no_text(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'code of mallory'; RETURN true; END $$;
	CREATE FUNCTION lair.no_int(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'code of mallory'; RETURN true; END $$;
	CREATE FUNCTION lair.no_array(anyarray, anyarray) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'code of mallory'; RETURN true; END $$;
	CREATE OPERATOR lair.= (FUNCTION = lair.no_text, LEFTARG = text, RIGHTARG = text);
	CREATE OPERATOR lair.= (FUNCTION = lair.no_int, LEFTARG = int, RIGHTARG = int);
	CREATE OPERATOR lair.< (FUNCTION = lair.no_int, LEFTARG = int, RIGHTARG = int);
	CREATE OPERATOR lair.~~ (FUNCTION = lair.no_text, LEFTARG = text, RIGHTARG = text);
	CREATE OPERATOR lair.&& (FUNCTION = lair.no_array, LEFTARG = anyarray, RIGHTARG = anyarray);
	CREATE OPERATOR lair.@> (FUNCTION = lair.no_array, LEFTARG = anyarray, RIGHTARG = anyarray);
	CREATE TABLE lair.goods (id text)});
$session->run('SET search_path = lair, pg_catalog, public');
is(passing('{"n": {"eq": 2}, "label": "y"}') . passing('{"n": {"lt": 1}}') . passing('{"n": [2, 3]}') . passing('{"label": {"prefix": "y"}}') .
	passing('{"tags": "y"}') . passing('{"tags": ["y", "z"]}') . passing('{"label": ["y"]}'), '0000000', 'operators of another schema change nothing');
is($session->{error}, '', 'and do not run');
$session->run(q{SET search_path = ''});
is(passing('{"n": {"lt": 2}, "label": ["x"], "tags": "x"}'), $all, 'with no search_path at all');
$session->run('RESET search_path');

# depth and length
for my $depth (10, 100, 1000, 5000, 20000)
{
	isnt(attempt(qq(SELECT count(*) FROM recs.popular_items(5, (repeat('{"not": ', $depth) || '{"n": 1}' || repeat('}', $depth))::jsonb))),
		'crash', "$depth filters, one in the other");
	isnt(attempt(qq(SELECT count(*) FROM recs.popular_items(5, ('{"n": ' || repeat('{"not": ', $depth) || '1' || repeat('}', $depth) || '}')::jsonb))),
		'crash', "$depth times not");
	isnt(attempt(qq(SELECT count(*) FROM recs.popular_items(5, (repeat('{"or": [', $depth) || '{"n": 1}' || repeat(']}', $depth))::jsonb))),
		'crash', "$depth lists, one in the other");
}
is($session->query(q{SELECT count(*) FROM recs.popular_items(1000, jsonb_build_object('n', (SELECT jsonb_agg(x) FROM generate_series(1, 200000) x)))}), $all, 'a long list');
is($session->query(q{SELECT count(*) FROM recs.popular_items(1000, jsonb_build_object('label', repeat('x', 10000000)))}), '0', 'a long value');
is($session->query(q{SELECT count(*) FROM recs.popular_items(1000, jsonb_build_object('or', (SELECT jsonb_agg(jsonb_build_object('n', x)) FROM generate_series(1, 2000) x)))}), $all, 'many filters');

# A view of items may ask for recommendations itself, with other filters than
# the plans that are kept have room for.
$node->safe_psql('shop', q{
	CREATE FUNCTION busy(id text) RETURNS boolean LANGUAGE plpgsql AS $$
	DECLARE ignored bigint;
	BEGIN
		IF current_setting('busy.depth', true) = '1' THEN
			RETURN true;
		END IF;
		PERFORM set_config('busy.depth', '1', true);
		FOR n IN 1 .. 200 LOOP
			SELECT count(*) INTO ignored FROM recs.popular_items(2, (repeat('{"and": [', n) || '{"n": 1}' || repeat(']}', n))::jsonb);
		END LOOP;
		PERFORM set_config('busy.depth', '', true);
		RETURN true;
	END $$;
	CREATE VIEW busy_goods AS SELECT * FROM goods WHERE busy(id);
	SET client_min_messages = warning;
	SELECT recommender.set_items('recs', 'busy_goods')});
connect_again();
is($session->query(q{SELECT count(*) FROM recs.popular_items(3, '{"n": 1}')}) . $session->{error}, '3', 'a view that asks for recommendations');
is($session->query(q{SELECT count(*) FROM recs.popular_items(1000, '{"n": 1}')}) . $session->{error}, $all, 'and for a list of all');

# ---------------------------------------------------------------------------
# the relation of items is not what it was
# ---------------------------------------------------------------------------

my @calls = map { "SELECT count(*) FROM recs.$_" } q(popular_items(1000, '{"n": 1}')), q(recommend(1, 1000, '{"n": 1}')),
  q(recommend(1, 5, options => '{"max_per": {"n": 2}}')), q(recommend_all(2, '{"n": [1]}')), q(trending_items(5, '{"n": 1}')),
  q(similar_items('P1', 1000, '{"n": {"lt": 5}}'));

$node->safe_psql('shop', 'SET client_min_messages = warning; DROP VIEW busy_goods; CREATE TABLE kept AS TABLE goods');
for my $change ('DROP TABLE goods', 'ALTER TABLE goods ALTER id TYPE int USING 1', 'ALTER TABLE goods RENAME n TO m',
	'ALTER TABLE goods ALTER n TYPE text', 'ALTER TABLE goods ALTER n TYPE text[] USING ARRAY[n::text]', 'ALTER TABLE goods DROP n',
	'ALTER TABLE goods ALTER id TYPE bytea USING id::bytea', 'ALTER TABLE goods RENAME TO wares', 'TRUNCATE goods',
	'ALTER TABLE goods RENAME id TO ident', 'UPDATE goods SET id = NULL', 'INSERT INTO goods SELECT * FROM goods')
{
	# in the session itself, and in another one
	for my $other (0, 1)
	{
		my $who = $other ? ', by another session' : '';

		$node->safe_psql('shop', q{SET client_min_messages = warning; DROP TABLE IF EXISTS goods, wares;
			CREATE TABLE goods AS TABLE kept; SELECT recommender.set_items('recs', 'goods')});
		connect_again();
		$session->query(join ';', @calls, $other ? () : ('BEGIN', $change));
		is($session->{error}, '', "$change$who: before");
		$node->safe_psql('shop', $change) if $other;
		isnt(attempt(@calls, $other ? () : 'ROLLBACK'), 'crash', "$change$who: after");
	}
}

# ---------------------------------------------------------------------------
# indexes are used
# ---------------------------------------------------------------------------

$node->safe_psql('shop', q{
	SET client_min_messages = warning;
	DROP TABLE IF EXISTS goods, wares;
	CREATE TABLE wares (id text PRIMARY KEY, number int, price numeric, label text, code varchar(40) COLLATE "C", tags text[], details jsonb,
		launched date, in_stock boolean, filler text);
	INSERT INTO wares SELECT 'W' || n, n % 2000, n % 2000, md5(n::text), md5(n::text), ARRAY['t' || n % 2000, 'all'], jsonb_build_object('k', n % 2000),
		date '2000-01-01' + n % 2000, n % 10 > 0, repeat('x', 200) FROM generate_series(1, 20000) n;
	CREATE INDEX by_number ON wares (number);
	CREATE INDEX by_price ON wares (price);
	CREATE INDEX by_label ON wares (label text_pattern_ops);
	CREATE INDEX by_code ON wares (code);
	CREATE INDEX by_tags ON wares USING gin (tags);
	CREATE INDEX by_details ON wares USING gin (details);
	CREATE INDEX by_launched ON wares (launched);
	ANALYZE wares;
	CREATE TABLE deeds (who int, what text);
	INSERT INTO deeds SELECT n % 300, 'W' || (n * 17 + n / 300) % 5000 FROM generate_series(1, 20000) n;
	CREATE INDEX ON deeds (who);
	SELECT recommender.create_recommender('wide', 'deeds', 'who', 'what');
	SELECT recommender.set_items('wide', 'wares', available_column => 'in_stock');
	SELECT recommender.refresh('wide')});
connect_again();
$session->query("LOAD 'auto_explain'");
SKIP:
{
	skip 'no auto_explain', 1 if $session->{error};
	$session->run('SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log; SET jit = off');
	for my $case (
		[ 'by_number', '{"number": 17}' ], [ 'by_number', '{"number": [17, 18, 1999]}' ], [ 'by_number', '{"number": {"gt": 1997}}' ],
		[ 'by_price', '{"price": {"gte": 1998, "lt": 5000}}' ], [ 'by_launched', '{"launched": {"lt": "2000-01-03"}}' ],
		[ 'by_label', '{"label": {"prefix": "ab"}}' ], [ 'by_code', '{"code": {"prefix": "ab"}}' ],
		[ 'by_tags', '{"tags": "t17"}' ], [ 'by_tags', '{"tags": ["t17", "t18"]}' ], [ 'by_tags', '{"tags": {"contains": ["t17", "all"]}}' ],
		[ 'by_details', '{"details": {"contains": {"k": 17}}}' ], [ 'by_number', '{"or": [{"number": 17}, {"tags": "t19"}]}' ])
	{
		my ($index, $filter) = @$case;

		for my $call ("popular_items(5, '$filter')", "recommend(7, 5, '$filter')")
		{
			my $count = $session->run("SELECT count(*) FROM wide.$call");

			is($count, 5, "$call gives five");
			like($session->{error}, qr/(Index|Bitmap) .*\b$index\b/, "$call goes by $index");
			unlike($session->{error}, qr/Seq Scan on wares/, "$call does not read all");
		}
	}
	# what passes often is looked up by its id, and nothing else is read
	$session->run(q{SELECT count(*) FROM wide.recommend(7, 5, '{"tags": "all"}')});
	like($session->{error}, qr/Index Scan using wares_pkey/, 'items are looked up by their ids');
	unlike($session->{error}, qr/Seq Scan on wares|by_tags/, 'and the others are not looked at');
}

$session->quit;
$node->stop;
done_testing();
