# Memory of a long session: calls release their memory, within a query, within a
# transaction and after it.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('memory');
make_shop($node);
my $session = RecommenderTest::Session->new($node);
$session->run(
	q{
SELECT recommender.refresh('recs');
-- of this session, now
CREATE FUNCTION memory() RETURNS bigint LANGUAGE plpgsql VOLATILE AS
$$ BEGIN RETURN (SELECT sum(total_bytes) FROM pg_backend_memory_contexts); END $$;
-- at two moments of a query
CREATE FUNCTION memory_at(i bigint, a bigint, b bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS
$$ BEGIN RETURN CASE WHEN i IN (a, b) THEN memory() END; END $$;
});

$session->run(
	q{
CREATE TABLE goods AS SELECT 'P' || n AS id, 'g' || n % 4 AS kind, n AS price, 'a thing of sort ' || n % 5 AS title, n % 6 > 0 AS in_stock
FROM generate_series(0, 30) n;
ALTER TABLE goods ADD PRIMARY KEY (id);
SELECT recommender.create_recommender('whole', 'orders', 'customer', 'product', time_column => 'ordered_at', context_columns => '{amount}');
SELECT recommender.set_items('whole', 'goods', feature_columns => '{kind,price}', text_columns => '{title}', available_column => 'in_stock');
SELECT recommender.refresh('whole');
-- the model does not know these
INSERT INTO goods SELECT 'P' || n, 'g' || n % 4, n, 'a thing of sort ' || n % 5, true FROM generate_series(31, 34) n;
});

use constant KB => 1024;

# Runs something often; after a first part of it, memory grows no more.
sub check_growth
{
	my ($name, $first, $then, $limit) = @_;

	$limit //= 64 * KB;
	$session->run($first);
	my $before = $session->run('SELECT memory()');
	$session->run($then);
	my $growth = $session->run('SELECT memory()') - $before;
	cmp_ok($growth, '<', $limit, "$name: memory of the session");
	return;
}

# the same within a query, whose memory is gone when it ends
sub check_query
{
	my ($name, $call, $n) = @_;
	my $early = $n / 10;

	my ($growth, $count) = split /\|/, $session->run(
		"SELECT max(m) - min(m), count(answer) FROM (SELECT $call AS answer, memory_at(i, $early, $n) AS m
			FROM generate_series(1, $n) i OFFSET 0) s");
	is($count, $n, "$name: $n calls in a query");
	cmp_ok($growth, '<', 64 * KB, "$name: memory of the query");
	return;
}

my %calls = (
	'score'           => q{recs.score((i % 50)::integer, 'P' || i % 33)},
	'recommend'       => q{(SELECT count(*) FROM recs.recommend((i % 50)::integer))},
	'similar_items'   => q{(SELECT count(*) FROM recs.similar_items('P' || i % 33))},
	'recommend_basket' => q{(SELECT count(*) FROM recs.recommend_basket(ARRAY['P' || i % 33, 'P' || i % 7], options => '{"history": 5}'))},
	'rank_items'      => q{(SELECT count(*) FROM recs.rank_items((i % 50)::integer, ARRAY['P1', 'P2']))},
	'trending_items'  => q{(SELECT count(*) FROM recs.trending_items())},
	# with content, context, filters, sentences, and items that came later
	'whole: score'      => q{whole.score((i % 50)::integer, 'P' || i % 35, context => '{"amount": 2}')},
	'whole: recommend'  => q{(SELECT count(*) FROM whole.recommend((i % 50)::integer, filter => '{"price": {"lte": 20}}',
		context => '{"amount": 2}', options => '{"language": "ko"}'))},
	'whole: similar_items' => q{(SELECT count(*) FROM whole.similar_items('P' || i % 35, filter => '{"kind": ["g1", "g2"]}'))},
	'whole: rank_items' => q{(SELECT count(*) FROM whole.rank_items((i % 50)::integer, ARRAY['P1', 'P33', 'nothing'], context => '{"amount": 2}'))},
	'whole: explain'    => q{(SELECT count(*) FROM whole.explain((i % 50)::integer, 'P' || i % 35, context => '{"amount": 2}'))});
my %times = (score => 20000, recommend => 5000, similar_items => 5000);

for my $name (sort keys %calls)
{
	my $n = $times{$name} // 1000;

	check_query($name, $calls{$name}, $n);
	# calls of one transaction, then of a transaction each
	my $loop = "DO \$\$ DECLARE i bigint; BEGIN FOR i IN 1 .. %d LOOP PERFORM $calls{$name}; %s END LOOP; END \$\$";
	check_growth("$name in one transaction", sprintf($loop, $n / 40, ''), sprintf($loop, $n / 5, ''));
	check_growth("$name in transactions", sprintf($loop, $n / 40, 'COMMIT;'), sprintf($loop, $n / 10, 'COMMIT;'));
}

# refreshing, also one that fails
$session->run(q{CREATE VIEW failing AS SELECT customer, product, 1 / (id - 500) AS amount FROM orders;
	SET client_min_messages = error;
	SELECT recommender.create_recommender('failing', 'failing', 'customer', 'product', weight_column => 'amount')});
my $refresh = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP
	PERFORM recommender.refresh('recs'); COMMIT;
	BEGIN PERFORM recommender.refresh('failing'); EXCEPTION WHEN division_by_zero THEN NULL; END; COMMIT;
	END LOOP; END $$};
check_growth('refresh', sprintf($refresh, 5), sprintf($refresh, 50));
check_growth('refresh in one transaction', sprintf($refresh =~ s/COMMIT;//gr, 5), sprintf($refresh =~ s/COMMIT;//gr, 30));

# the definition is read again and again
my $options = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP
	PERFORM recommender.set_options('recs', jsonb_build_object('history', 1 + i %% 100)); COMMIT;
	PERFORM count(*) FROM recs.recommend(i %% 50); PERFORM recs.score(1, 'P1'); COMMIT;
	END LOOP; END $$};
check_growth('set_options', sprintf($options, 50), sprintf($options, 300));

# errors
my $errors = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP
	BEGIN PERFORM count(*) FROM recs.recommend(1, -1); EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN PERFORM count(*) FROM recs.recommend(1, options => '{"no": 1}'); EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN PERFORM count(*) FROM failing.recommend(1); EXCEPTION WHEN OTHERS THEN NULL; END;
	BEGIN PERFORM recommender.item_similarities('SELECT 1, 2, 1 / (n - 500) FROM generate_series(1, 600) n');
	EXCEPTION WHEN OTHERS THEN NULL; END; COMMIT;
	END LOOP; END $$};
check_growth('errors', sprintf($errors, 20), sprintf($errors, 300));

# similarity without a recommender
my $agg = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP
	PERFORM recommender.item_similarity_agg(customer, product) FROM orders;
	PERFORM count(*) FROM recommender.item_similarities('SELECT customer, product FROM orders'); COMMIT;
	END LOOP; END $$};
check_growth('item_similarity_agg and item_similarities', sprintf($agg, 5), sprintf($agg, 100));
check_query('item_similarity_agg',
	'(SELECT recommender.item_similarity_agg(customer, product) FROM orders WHERE customer > i % 5)', 500);

# measuring, comparing and tuning, with each model; what was measured is kept in tables
my $measure = q{DO $$ DECLARE model text; BEGIN FOR i IN 1 .. %d LOOP
	FOREACH model IN ARRAY '{neighbors,ridge,als}'::text[] LOOP
		PERFORM count(*) FROM recommender.evaluate('recs', cuts => 2, resamples => 10, options => jsonb_build_object('model', model, 'als_factors', 4),
			segments => 'SELECT customer, (customer %% 3)::text FROM orders', segment_columns => '{kind}',
			metrics => '{ndcg,serendipity,novelty,intra_list_diversity,coverage,gini}');
		PERFORM recommender.compare_options('recs', '{}', jsonb_build_object('model', model, 'als_factors', 4), resamples => 10);
	END LOOP;
	PERFORM count(*) FROM recommender.tune('recs', trials => 4, resamples => 10, sample => 10, seed => i);
	PERFORM count(*) FROM recommender.evaluate_query('SELECT customer, product FROM orders WHERE id %% 5 > 0',
		'SELECT customer, product FROM orders WHERE id %% 5 = 0', resamples => 10);
	BEGIN PERFORM count(*) FROM recommender.evaluate('recs', segments => 'SELECT 1, (1 / 0)::text');
	EXCEPTION WHEN division_by_zero THEN NULL; END; COMMIT;
	END LOOP; END $$};
check_growth('evaluate, compare_options and tune', sprintf($measure, 3), sprintf($measure, 12));

# recommenders come and go
my $create = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP
	PERFORM recommender.create_recommender('coming', 'orders', 'customer', 'product'); COMMIT;
	PERFORM recommender.refresh('coming'); COMMIT;
	PERFORM count(*) FROM coming.recommend(i); COMMIT;
	PERFORM recommender.drop_recommender('coming'); COMMIT;
	END LOOP; END $$};
# (the server's own caches of catalogs may grow a little)
$session->run(q{CREATE OR REPLACE FUNCTION memory() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$ BEGIN RETURN
	(SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name ~ 'recommender|Plan'); END $$});
check_growth('create and drop', sprintf($create, 5), sprintf($create, 30), 256 * KB);

$session->quit;
$node->stop;
done_testing();
