# Damaged tables of a model: values, parts of arrays, rows, columns, indexes and
# tables are changed at random by a seed, and every function is called.  It returns
# finite numbers or raises an error that names the damage; there is no crash, no
# endless loop and no internal error.
#
# DAMAGE_SEED is the first seed, DAMAGE_SECONDS the duration.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use RecommenderTest;

my $seed    = $ENV{DAMAGE_SEED}    // 1;
my $seconds = $ENV{DAMAGE_SECONDS} // 20;
my $node = start_server('damaged', conf => "restart_after_crash = on\n");
make_shop($node);
$node->safe_psql('shop', q{
SET client_min_messages = warning;
CREATE TABLE goods AS
SELECT 'P' || n AS id, 'c' || n % 7 AS category, n * 7919 % 101 AS price, 'word' || n % 9 || ' tea w' || n % 31 AS title,
	n % 11 <> 0 AS ready, ARRAY['t' || n % 5, 't' || n % 3] AS tags, ARRAY[(n % 13)::real, (n % 7)::real - 3, (n % 5)::real] AS picture,
	'g' || n % 6 AS brand, timestamptz '2025-06-01' + n * interval '2 days' AS created
FROM generate_series(0, 59) n;
CREATE UNIQUE INDEX ON goods (id);
CREATE INDEX ON goods (created, id);
SELECT recommender.set_items('recs', 'goods', feature_columns => '{category,price,tags,picture}', text_columns => '{title}',
	available_column => 'ready', created_column => 'created', group_column => 'brand', options => '{"config": "simple"}');
SELECT recommender.set_options('recs', '{"model": "als", "als_factors": 4}');
SELECT recommender.refresh('recs');
-- what came after it
INSERT INTO goods SELECT 'P' || n, 'c' || n % 7, n, 'word' || n % 9 || ' new' || n, true, '{t1}', '{1,2,3}', 'g1', '2026-01-01'
FROM generate_series(90, 99) n;
});

# ---------------------------------------------------------------------------
# damage
# ---------------------------------------------------------------------------

$node->safe_psql('shop', q{
CREATE SCHEMA damage;

CREATE FUNCTION damage.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT choices[1 + floor(random() * cardinality(choices))::int] $$;

-- an array with another element
CREATE FUNCTION damage.replace(list anyarray, n int, element anyelement) RETURNS anyarray LANGUAGE plpgsql AS $$
BEGIN
	IF cardinality(list) > 0 AND array_ndims(list) = 1 THEN
		list[1 + n % cardinality(list)] := element;
	END IF;
	RETURN list;
END $$;

-- an expression for another value of a column
CREATE FUNCTION damage.value(kind text, col text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	at int := floor(random() * 1000);
	id text := quote_literal('P' || at % 70);
	whole text := damage.pick('-1', '0', '1', '59', '60', '2147483647', '-2147483648', 'NULL');
	number text := damage.pick('''NaN''', '''Infinity''', '''-Infinity''', '-1', '0', '2', '3e38', '1e-40', '-0.5', 'NULL');
	element text := CASE kind WHEN 'integer[]' THEN whole WHEN 'text[]' THEN id ELSE number END;
BEGIN
	IF kind LIKE '%[]' AND kind <> 'name[]' AND random() < 0.9 THEN
		RETURN damage.pick('''{}''', '''{NULL}''', '''{{1,2}}''', '''[5:6]={1,2}''', col || ' || ' || col, col || '[2:]', 'NULL',
			format('array_append(%s, %s::%s)', col, element, left(kind, -2)),
			format('damage.replace(%s, %s, %s::%s)', col, at, element, left(kind, -2)),
			format('damage.replace(%s, %s, %s::%s)', col, at, element, left(kind, -2)),
			format('(SELECT array_agg(e ORDER BY e DESC) FROM unnest(%s) e)', col),
			format('(SELECT array_agg(%s::%s) FROM generate_series(1, 5000))', element, left(kind, -2)));
	END IF;
	RETURN CASE kind
		WHEN 'integer' THEN damage.pick(whole, whole, col || ' + 1', col || ' - 1', '-' || col, col || ' % 3')
		WHEN 'bigint' THEN damage.pick(whole, col || ' + 1', '9223372036854775807', '-9223372036854775808', '2147483648', '4294967297')
		WHEN 'double precision' THEN damage.pick(number, number, '1e308', '1e-308', '5e-324', '-' || col, col || ' * 1e-200')
		WHEN 'boolean' THEN damage.pick('true', 'false', 'NULL')
		WHEN 'text' THEN damage.pick('''''', id, id, 'repeat(''x'', 100000)', '''tea''', '''category''', '''number''', '''embedding''', '''text''',
				'''content''', '''behaviour''', '''[,''', '''[1,2)''', col || ' || ''x''', 'NULL')
		WHEN 'name' THEN damage.pick('''''', '''category''', '''price''', '''title''', '''picture''', '''month''', '''ready''', '''"''', '''nosuch''', 'NULL')
		WHEN 'name[]' THEN damage.pick('''{}''', '''{NULL}''', '''{{category},{price}}''', '''{nosuch}''', '''{picture}''', '''{month,hour}''', '''[5:5]={category}''', '''{kind,kind}''')
		WHEN 'timestamp with time zone' THEN damage.pick('''infinity''', '''-infinity''', '''4714-11-24 BC''', '''294276-12-31''', '''2025-01-01''', 'NULL')
		WHEN 'jsonb' THEN damage.pick('''[]''', '''1''', '''null''', '''{}''', '''{"neighbors": -1}''', '''{"blend": {"trend": 1e308}}''', '''{"history": 1}''',
				'''{"model": "ridge"}''', '''{"measure": "pearson"}''', '''{"max_per": {"nosuch": 1}}''', '''{"new_items": 1000}''', '''{"view": 1e300}''', 'NULL')
		WHEN 'regclass' THEN damage.pick('0', '4711', '''pg_class''', '''goods''', '''orders''')
		ELSE 'NULL' END;
END $$;

-- a command that does some damage to a recommender
CREATE FUNCTION damage.command() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	rel text; col text; kind text; size text; row_filter text;
	place int := floor(random() * 100000);
	what float8 := random();
	value text;
BEGIN
	SELECT a.attrelid::regclass, quote_ident(attname), format_type(atttypid, atttypmod) INTO rel, col, kind
	FROM (SELECT a.*, row_number() OVER (ORDER BY relname, attnum) AS n, count(*) OVER () AS count
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		  WHERE relnamespace = 'recs'::regnamespace AND relkind = 'r') a
	WHERE n = 1 + place % count;
	row_filter := damage.pick('true', 'true', 'md5(ctid::text) < ''4''', 'md5(ctid::text) < ''08''', 'md5(ctid::text) < ''c''');
	value := damage.value(kind, col);
	RETURN CASE
		WHEN what < 0.05 THEN format('DELETE FROM %s WHERE %s', rel, row_filter)
		WHEN what < 0.10 THEN format('DO $x$ DECLARE c text; BEGIN FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = %L::regclass LOOP
				EXECUTE format(''ALTER TABLE %s DROP CONSTRAINT %%I'', c); END LOOP; END $x$; INSERT INTO %s SELECT * FROM %s WHERE %s', rel, rel, rel, rel, row_filter)
		WHEN what < 0.16 THEN damage.pick(
			format('ALTER TABLE %s ADD extra int DEFAULT 3; ALTER TABLE %s ADD extra2 text DEFAULT ''x''', rel, rel),
			format('ALTER TABLE %s RENAME %s TO x; ALTER TABLE %s ADD %s %s; UPDATE %s SET %s = x; ALTER TABLE %s DROP x CASCADE', rel, col, rel, col, kind, rel, col, rel),
			format('CREATE TABLE recs.child () INHERITS (%s)', rel),
			format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', rel),
			format('CREATE STATISTICS recs.extra ON (%s::text) FROM %s', col, rel),
			format('CREATE RULE extra AS ON INSERT TO %s DO INSTEAD NOTHING', rel),
			format('CREATE FUNCTION recs.extra() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END'';
				CREATE TRIGGER extra BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION recs.extra()', rel),
			format('CREATE INDEX ON %s ((%s IS NULL))', rel, col),
			format('ALTER TABLE %s ADD CHECK (%s IS NULL) NOT VALID', rel, col),
			format('ALTER TABLE %s SET UNLOGGED', rel),
			format('ALTER TABLE %s DROP %s CASCADE', rel, col),
			format('DROP TABLE %s CASCADE', rel))
		WHEN what < 0.18 THEN 'DO $x$ DECLARE i regclass; BEGIN FOR i IN SELECT indexrelid FROM pg_index x JOIN pg_class c ON c.oid = indexrelid
				WHERE relnamespace = ''recs''::regnamespace AND NOT indisunique ORDER BY relname LOOP IF random() < 0.3 THEN EXECUTE ''DROP INDEX '' || i; END IF; END LOOP; END $x$'
		ELSE CASE value WHEN 'NULL' THEN format('ALTER TABLE %s ALTER %s DROP NOT NULL; ', rel, col) ELSE '' END ||
			format('UPDATE %s SET %s = %s WHERE %s', rel, col, value, row_filter) END;
END $$;
});

# ---------------------------------------------------------------------------
# questions
# ---------------------------------------------------------------------------

my @answers = (
	'recs.recommend(2, 12)',
	q{recs.recommend(3, 90, context => '{"month": 1, "hour": 3}', options => '{"exclude_seen": false, "max_per": {}}')},
	'recs.recommend(999, 5)',
	q{recs.recommend(1, filter => '{"category": "c1"}')},
	q{recs.recommend_session('{P99,P1,P2}')},
	q{recs.recommend_basket('{P3,P98}', options => '{"diversity": 0.5}')},
	q{recs.similar_items('P1', 20)},
	q{recs.similar_items('P97', 20)},
	'recs.popular_items(30)',
	'recs.trending_items(30)',
	q{recs.rank_items(1, '{P1,P99,P2,nosuch,P90}')},
	q{generate_series(0, 99) n, recs.score(1, 'P' || n)},
	q{recs.explain(1, 'P5')},
	q{recs.explain(2, 'P98', options => '{"language": "ko"}')},
	'recs.recommend_all(3)',
	q{recs.recommend_all(3, '{"category": "c1"}', context => '{"month": 1}')});
my @questions = (
	'recs.neighbors', 'recs.context_lifts', 'recommender.recommenders', 'recommender.refresh_runs', 'recommender.evaluations',
	q{recommender.check_recommender('recs')},
	q{recommender.set_options('recs', '{"history": 3}')},
	q{recommender.compare_options('recs', '{}', '{"kappa": 3}', sample => 5, resamples => 1)},
	q{recommender.tune('recs', trials => 2, refinements => 1, sample => 3, resamples => 1)},
	q{recommender.refresh('recs')},
	'recs.recommend(2, 12)');

sub literals { return join ', ', map { '$ask$' . $_ . '$ask$' } @_ }

# Damages a recommender by a seed, asks all, and takes it back; gives what went
# wrong, a line each, after the commands that did the damage.
$node->safe_psql('shop', q{
CREATE FUNCTION damage.try(seed int) RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	answers text[] := ARRAY[} . literals(@answers) . q{];
	questions text[] := ARRAY[} . literals(@questions) . q{];
	done text[] := '{}';
	wrong text[] := '{}';
	command text; ask text; answer text; state text; message text;
BEGIN
	PERFORM setseed(seed % 1000000 / 1000000.0);
	FOR i IN 1 .. 1 + floor(random() * 2.5)::int LOOP
		command := damage.command();
		BEGIN
			EXECUTE command;
			done := done || command;
		EXCEPTION WHEN OTHERS THEN
			NULL;	-- what cannot be done is no damage
		END;
	END LOOP;
	FOREACH ask IN ARRAY answers || questions LOOP
		BEGIN
			EXECUTE 'SELECT string_agg(t::text, '';'') FROM ' || ask || ' t' INTO answer;
			IF answer ~ 'NaN|Infinity' AND ask = ANY (answers) THEN
				wrong := wrong || format('%s gives %s', ask, substring(answer, '.{0,200}(?:NaN|Infinity).{0,20}'));
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
			IF state = 'XX000' THEN
				wrong := wrong || format('%s fails: %s', ask, message);
			END IF;
		END;
	END LOOP;
	IF cardinality(wrong) > 0 THEN
		RETURN QUERY SELECT unnest(done || wrong);
	END IF;
END $$;
});

# ---------------------------------------------------------------------------
# one seed after the other
# ---------------------------------------------------------------------------

my $session = RecommenderTest::Session->new($node);
$session->run(q{SET client_min_messages = error; SET statement_timeout = '60 s'});

is($session->query('BEGIN; SELECT damage.try(n) FROM (SELECT -1) s (n) WHERE false; ROLLBACK'), '', 'the tables are there to be damaged');
is($session->run("SELECT count(*) > 0 FROM $_ t"), 't', "unharmed, it answers: $_") for @answers;

my $end = time + $seconds;
my $tried = 0;
while ($tried < 30 || time < $end && $tried < 2000)
{
	my $log = -s $node->logfile;
	my $wrong;

	if (!eval { $wrong = $session->query("BEGIN; SELECT damage.try($seed); ROLLBACK"); 1 } ||
		$session->{error} =~ /server closed the connection|terminating connection/)
	{
		fail("seed $seed: no crash");
		last if !$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
		$node->poll_query_until('shop', 'SELECT true');
		$session = RecommenderTest::Session->new($node);
		$session->run(q{SET client_min_messages = error; SET statement_timeout = '60 s'});
	}
	elsif ($wrong ne '' || $session->{error} ne '')
	{
		fail("seed $seed");
		diag("$wrong\n$session->{error}");
		$session->query('ROLLBACK');
	}
	$seed++;
	$tried++;
}
note("$tried seeds, the next is $seed");
cmp_ok($tried, '>=', 30, 'many kinds of damage');
is($session->run("SELECT count(*) > 0 FROM $_ t"), 't', "after all, it answers: $_") for @answers;

$session->quit;
$node->stop;
done_testing();
