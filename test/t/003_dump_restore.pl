# Dump and restore: a restored recommender returns equal answers without a refresh
# and has the same owner.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('dump');
make_shop($node);

# an owner of the recommender who is not the tables', an application which may
# only ask, and ids and names that need quotes
$node->safe_psql(
	'shop', q{
CREATE ROLE keeper LOGIN;
CREATE ROLE app LOGIN;
GRANT CREATE ON DATABASE shop TO keeper;
GRANT SELECT ON orders, visits TO keeper, app;
CREATE TABLE "My Events" ("User" uuid, "It em" text COLLATE "C", "When" date);
INSERT INTO "My Events"
SELECT md5((n % 20)::text)::uuid, chr(65 + n * n % 26) || 'é''"', date '2026-01-01' + n
FROM generate_series(1, 200) n;
CREATE MATERIALIZED VIEW totals AS
SELECT customer, product, sum(amount) AS amount FROM orders GROUP BY customer, product;
GRANT SELECT ON "My Events", totals TO keeper, app;
});
my $keeper = RecommenderTest::Session->new($node, user => 'keeper');
$keeper->run(
	q{
SET client_min_messages = warning;
SELECT recommender.create_recommender('My "Recs"', '"My Events"', 'User', 'It em', 'When',
	options => '{"min_support": 1, "seen_events": ["buy", "it''s"]}');
SELECT recommender.refresh('My "Recs"');
SELECT recommender.create_recommender('over_totals', 'totals', 'customer', 'product', weight_column => 'amount');
SELECT recommender.refresh('over_totals');
GRANT USAGE ON SCHEMA "My ""Recs""", over_totals TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA "My ""Recs""", over_totals TO app;
});
$keeper->quit;
$node->safe_psql('shop', "SELECT recommender.refresh('recs')") for 1 .. 2;

# what the other recommenders say, as the application
my $ask = q{
SET ROLE app;
SELECT 1, u, r.* FROM (SELECT DISTINCT "User" AS u FROM "My Events") s, "My ""Recs""".recommend(u, 30) r ORDER BY u, rank;
SELECT 2, r.* FROM "My ""Recs""".similar_items('Aé''"', 30) r ORDER BY rank;
SELECT 3, r.* FROM generate_series(1, 20) n, over_totals.recommend(n) r ORDER BY n, rank;
};
# who owns and may do what, and how many rows there are
my $rights = q{
SELECT n.nspname, n.nspowner::regrole, n.nspacl FROM pg_namespace n
WHERE n.nspname IN ('recs', 'My "Recs"', 'over_totals') ORDER BY 1;
SELECT c.oid::regclass, c.relowner::regrole, c.relacl, c.reloptions, obj_description(c.oid, 'pg_class'),
	CASE WHEN c.relkind = 'r' THEN
		(xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), true, true, '')))[1]::text
	END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('recs', 'My "Recs"', 'over_totals') AND c.relkind IN ('r', 'v', 'i') ORDER BY c.oid::regclass::text;
SELECT p.oid::regprocedure, p.proowner::regrole, p.proacl, p.provolatile, p.proparallel, obj_description(p.oid, 'pg_proc')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('recs', 'My "Recs"', 'over_totals') ORDER BY p.oid::regprocedure::text;
SELECT s.position, s.relation, s.user_column, s.item_column, s.event_weights
FROM recs.source s ORDER BY 1;
};

my %before = &state('shop');

sub state
{
	my ($dbname, $server) = @_;

	$server //= $node;
	return (
		answers => answers($server, 'recs', $dbname),
		others  => $server->safe_psql($dbname, $ask),
		rights  => $server->safe_psql($dbname, $rights));
}

# all is there, without a refresh; then a refresh works
sub check_restored
{
	my ($name, $dbname, $server) = @_;
	$server //= $node;
	my %after = &state($dbname, $server);

	is($after{answers}, $before{answers}, "$name: same answers");
	is($after{others},  $before{others},  "$name: same answers to the application");
	is($after{rights},  $before{rights},  "$name: same owners, grants, comments, rows and sources");
	check_refresh($name, $dbname, $server);
	return;
}

sub check_refresh
{
	my ($name, $dbname, $server) = @_;
	my $model = sub {
		$server->safe_psql($dbname,
			'SELECT md5(string_agg(v::text, $$;$$ ORDER BY v.item_id, v.rank)) FROM recs.neighbors v');
	};
	my $old = $model->();

	is($server->safe_psql($dbname, "SELECT generation FROM recommender.refresh('recs')"),
		'3', "$name: a refresh works");
	is($model->(), $old, "$name: and gives the same model");
	my $keeper = RecommenderTest::Session->new($server, dbname => $dbname, user => 'keeper');
	is($keeper->query(q{SELECT generation FROM recommender.refresh('My "Recs"')}),
		'2', "$name: also for the owner");
	is($keeper->{error}, '', "$name: without complaint");
	$keeper->quit;
	return;
}

# Restores as the server's owner, whose search_path would find other things
# first; the restored database has such things.
sub restore
{
	my ($dbname, @command) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $dbname TEMPLATE template0");
	$node->safe_psql($dbname, q{
		CREATE SCHEMA hostile;
		CREATE TABLE hostile.definition (x integer);
		CREATE TABLE hostile.orders (x integer);
		CREATE FUNCTION hostile.recommend(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1 / 0';
		CREATE FUNCTION hostile.unnest(integer[], real[], integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1 / 0'});
	$node->safe_psql('postgres',
		"ALTER ROLE CURRENT_USER IN DATABASE $dbname SET search_path = hostile, recs, pg_catalog");
	$node->command_ok([@command], "restored into $dbname");
	$node->safe_psql('postgres', "ALTER ROLE CURRENT_USER IN DATABASE $dbname RESET search_path");
	return;
}

my $dir = $node->basedir;

# as text
$node->command_ok([ 'pg_dump', '-f', "$dir/plain.sql", 'shop' ], 'dump as text');
unlike(slurp_file("$dir/plain.sql"), qr/CREATE (FUNCTION|TYPE|VIEW) recommender\./,
	'the extension is dumped as such');
restore('plain', 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/plain.sql", 'plain');
check_restored('plain', 'plain');

# in an archive, in parallel
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/shop.dump", 'shop' ], 'dump as an archive');
restore('archive', 'pg_restore', '-j2', '--exit-on-error', '-d', 'archive', "$dir/shop.dump");
check_restored('archive', 'archive');

# a recommender alone goes where extension and tables are
my @recommenders = ('recs', '"My ""Recs"""', 'over_totals');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/recs.dump", map({ "--schema=$_" } @recommenders), 'shop' ],
	'dump the recommenders alone');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/rest.dump", map({ "--exclude-schema=$_" } @recommenders), 'shop' ],
	'dump all but the recommenders');
restore('alone', 'pg_restore', '--exit-on-error', '-d', 'alone', "$dir/rest.dump");
is($node->safe_psql('alone', 'SELECT count(*) FROM recommender.recommenders'), '0', 'alone: no recommender yet');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'alone', "$dir/recs.dump" ],
	'the recommenders alone are restored');
check_restored('alone', 'alone');

# the whole server, and the server's next version: here, the same one
my $new = PostgreSQL::Test::Cluster->new('upgraded');
$new->init;
$node->safe_psql('postgres', "DROP DATABASE $_") for qw(plain archive alone);
$node->stop;
chdir $dir or die;	# where pg_upgrade leaves files
my $bindir = $new->config_data('--bindir');
command_ok(
	[   'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir,
		'-b', $bindir, '-B', $bindir, '-s', $new->host,
		'-p', $node->port, '-P', $new->port ],
	'pg_upgrade');
$new->start;
check_restored('pg_upgrade', 'shop', $new);
$new->stop;

done_testing();
