# Serving on a hot standby: each function returns the answers of the primary, also
# in a session opened before a refresh; functions that write raise an error.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $primary = start_server('primary', allows_streaming => 1);
make_shop($primary);
$primary->safe_psql('shop', "SELECT recommender.refresh('recs')");
$primary->safe_psql('shop', 'CREATE EXTENSION amcheck');

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
my $session = RecommenderTest::Session->new($standby);

# Runs SQL on the primary; then the standby has it, too.
sub change
{
	my ($sql) = @_;

	$primary->safe_psql('shop', "SET client_min_messages = warning; $sql");
	$primary->wait_for_catchup($standby);
	return;
}

# one session on the standby has known the recommender all the while, the
# other is new
sub check_answers
{
	my ($name) = @_;
	my $expected = answers($primary);

	is(answers($standby), $expected, "$name: the standby answers as the primary does");
	is($session->query(RecommenderTest::answers_query('recs')),
		$expected, "$name: so it does in a session that was open before");
	is($session->{error}, '', "$name: without a word of complaint");
	return;
}

change('SELECT 1');
check_answers('at first');

# what a standby cannot do
for my $statement (
	"SELECT recommender.refresh('recs')",
	'CALL recommender.refresh_all()',
	"SELECT recommender.set_options('recs', '{\"history\": 5}')",
	"SELECT recommender.add_interactions('recs', 'orders', 'customer', 'product')",
	"SELECT recommender.create_recommender('more', 'orders', 'customer', 'product')",
	"SELECT recommender.drop_recommender('recs')")
{
	$session->query($statement);
	like($session->{error},
		qr/^(WARNING|ERROR):  25006: (recommender "recs" was not refreshed: )?cannot execute .* (in a read-only transaction|during recovery)/,
		"on a standby, no $statement");
}
is($session->run("SELECT count(*) FROM recommender.check_recommender('recs') WHERE severity = 'error'"),
	'0', 'but check_recommender() works there');

# what the primary does, the standby does too
change(q{INSERT INTO orders SELECT 1000 + n, n % 45 + 1, 'P' || n % 40, 'cart', 2, '2026-03-01'
	FROM generate_series(1, 100) n});
check_answers('interactions that are new');
change(q{SELECT recommender.refresh('recs')});
is($session->run('SELECT DISTINCT generation FROM recs.item'), '2', 'the new generation is there');
check_answers('a new generation');
is( $session->run(q{
		SELECT count(bt_index_check(c.oid, true)) > 3
		FROM pg_class c WHERE c.relnamespace = 'recs'::regnamespace AND c.relkind = 'i'}),
	't', 'and its indexes are sound');

my $before = answers($primary);
change(q{SELECT recommender.set_options('recs', '{"reasons": 1, "blend": {"popularity": 2}, "seen_events": ["cart"]}')});
isnt(answers($primary), $before, 'options matter');
check_answers('options');
$before = answers($primary);
change(q{CREATE TABLE till (who integer, what text);
	INSERT INTO till SELECT n % 50, 'P' || n % 23 FROM generate_series(1, 70) n;
	SELECT recommender.add_interactions('recs', 'till', 'who', 'what')});
isnt(answers($primary), $before, 'another source matters');
check_answers('another source');
change('ALTER TABLE till RENAME TO cash_register; ALTER TABLE visits SET SCHEMA recommender');
check_answers('sources with other names');
change('ALTER SCHEMA recs RENAME TO other; ALTER SCHEMA other RENAME TO recs');
check_answers('a recommender with another name');
change(q{SELECT recommender.drop_recommender('recs');
	SELECT recommender.create_recommender('recs', 'orders', user_column => 'customer', item_column => 'product',
		time_column => 'ordered_at');
	SELECT recommender.refresh('recs')});
check_answers('another recommender of the same name');
# a table that is not there on a standby
change('ALTER TABLE recs.neighbor SET UNLOGGED');
$session->query('SELECT * FROM recs.recommend(1)');
like($session->{error}, qr/^ERROR:  0A000: cannot access temporary or unlogged relations during recovery/,
	'an unlogged table');
change('ALTER TABLE recs.neighbor SET LOGGED');
check_answers('a table that is logged again');
change(q{SELECT recommender.drop_recommender('recs')});
$session->query('SELECT * FROM recs.recommend(1)');
like($session->{error}, qr/^ERROR:  3F000: schema "recs" does not exist/, 'no recommender any more');

# a standby that becomes a primary
$primary->safe_psql('shop', q{SET client_min_messages = warning;
	SELECT recommender.create_recommender('recs', 'orders', user_column => 'customer', item_column => 'product')});
$primary->wait_for_catchup($standby);
$primary->stop;
$session->query('SELECT * FROM recs.recommend(1)');
like($session->{error}, qr/^ERROR:  55000: recommender "recs" has not been refreshed yet/,
	'not refreshed yet');
$standby->promote;
is($session->run("SELECT generation FROM recommender.refresh('recs')"), '1', 'a promoted standby refreshes');
is($session->run('SELECT count(*) FROM recs.recommend(1)'), '10', 'and serves');

$session->quit;
$standby->stop;
done_testing();
