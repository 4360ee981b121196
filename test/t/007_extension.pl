# Installing the extension without superuser rights, and recommenders when it is
# dropped.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('extension');
$node->safe_psql('postgres', q{
	CREATE ROLE tenant LOGIN;
	CREATE ROLE guest LOGIN;
	CREATE ROLE visitor LOGIN;
	CREATE DATABASE tenancy;
	GRANT CREATE ON DATABASE tenancy TO tenant});
my ($tenant, $guest, $super) =
  map { RecommenderTest::Session->new($node, dbname => 'tenancy', user => $_) } 'tenant', 'guest',
  $node->safe_psql('postgres', 'SELECT user');

# the code and text of a statement's error, or its output
sub outcome
{
	my ($session, $sql) = @_;
	my $output = $session->query($sql);

	return $session->{error} =~ /^ERROR:  (\w+: .*)/m ? $1 : $output;
}

# ---------------------------------------------------------------------------
# without a superuser
# ---------------------------------------------------------------------------

like(outcome($guest, 'CREATE EXTENSION recommender'), qr/^42501: permission denied/,
	'who may not create in the database installs nothing');
is(outcome($tenant, 'CREATE EXTENSION recommender'), '', 'who may create in the database installs the extension');
like(outcome($tenant, q{ALTER EXTENSION recommender UPDATE}), qr/^$/, 'and may update it');
$tenant->run(q{
	CREATE SCHEMA data;
	CREATE TABLE data.orders (user_id bigint, item_id integer, at timestamptz);
	INSERT INTO data.orders SELECT n % 20, n * n % 17, '2026-01-01'::timestamptz + n * interval '1 hour' FROM generate_series(1, 300) n;
	CREATE INDEX ON data.orders (user_id, at)});
is(outcome($tenant, q{SELECT recommender.create_recommender('recs', 'data.orders', time_column => 'at')}), 'recs',
	'such a user creates a recommender');
is(outcome($tenant, q{SELECT generation, interactions FROM recommender.refresh('recs')}), '1|300', 'refreshes it');
is(outcome($tenant, 'SELECT count(*) FROM recs.recommend(3, options => $${"exclude_seen": false}$$)'), '9', 'and asks it');
is(outcome($tenant, 'CALL recommender.refresh_all()'), '', 'refresh_all works, too');
is(outcome($tenant, q{SELECT recommender.set_options('recs', '{"neighbors": 7}')->>'neighbors'}), '7', 'so does set_options');
is(outcome($tenant, q{SELECT name, owner, sources, generation FROM recommender.recommenders}),
	'recs|tenant|{data.orders}|2', 'and the overview');

# the others
is(outcome($guest, 'SELECT count(*) FROM recommender.recommenders'), '0', 'a stranger sees no recommender');
for my $sql (
	'SELECT * FROM recs.recommend(3)',
	q{SELECT recommender.refresh('recs')},
	q{SELECT recommender.set_options('recs', '{"neighbors": 8}')},
	q{SELECT recommender.drop_recommender('recs')},
	q{SELECT recommender.add_interactions('recs', 'data.orders')})
{
	like(outcome($guest, $sql), qr/^42501: (must be owner|permission denied)/, "a stranger may not: $sql");
}
$tenant->run(q{GRANT USAGE ON SCHEMA recs, data TO guest; GRANT SELECT ON ALL TABLES IN SCHEMA recs, data TO guest});
is(outcome($guest, 'SELECT count(*) FROM recs.recommend(3, 5, options => $${"exclude_seen": false}$$)'), '5', 'who was granted it may ask');
like(outcome($guest, q{SELECT recommender.refresh('recs')}), qr/^42501: must be owner of recommender recs/,
	'and may still not refresh');
is(outcome($guest, 'CALL recommender.refresh_all()'), '', 'refresh_all passes over what one may not refresh');
is(outcome($super, q{SELECT generation FROM recommender.refresh('recs')}), '3', 'a superuser may');
is($super->run(q{SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'recs' AND c.relowner <> 'tenant'::regrole}), '0', 'and changes no owner');

# what a session knows of a recommender is no permission
is(outcome($super, 'SELECT count(*) FROM recs.recommend(3, 1)'), '1', 'a superuser asks');
$super->run('SET ROLE visitor');
like(outcome($super, 'SELECT count(*) FROM recs.recommend(3, 1)'), qr/^42501: permission denied/,
	'and may not any more when that role is another');
$super->run('RESET ROLE');

# ---------------------------------------------------------------------------
# the extension goes
# ---------------------------------------------------------------------------

my $answer = $tenant->run('SELECT array_agg(r::text ORDER BY n, rank) FROM generate_series(0, 20) n, recs.recommend(n) r');

like(outcome($tenant, 'DROP EXTENSION recommender'), qr/^2BP01: cannot drop extension recommender because other objects depend on it/,
	'the extension stays while a recommender needs it');
like($tenant->{error}, qr/function recs\.recommend\(.*depends on function recommender_internal\.recommend\(/,
	'which is said');
is($super->run(q{SELECT count(*) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'recommender'
		WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
		AND pg_identify_object(d.classid, d.objid, d.objsubid)::text ~ 'recs'}), '0',
	'nothing of a recommender is a member of the extension');

$tenant->run('BEGIN');
is(outcome($tenant, 'DROP EXTENSION recommender CASCADE'), '', 'CASCADE drops the functions');
is($tenant->run('SELECT count(*) FROM recs.item'), '9', 'and no data');
is($tenant->run('SELECT count(*) > 0 FROM recs.neighbors'), 't', 'nor views');
$tenant->run('ROLLBACK');
is($tenant->run('SELECT array_agg(r::text ORDER BY n, rank) FROM generate_series(0, 20) n, recs.recommend(n) r'),
	$answer, 'rolled back, all is as before');

# dropped with CASCADE and installed again: a recommender without its functions
$tenant->run('SET client_min_messages = error');
$tenant->run('DROP EXTENSION recommender CASCADE');
is(outcome($tenant, 'CREATE EXTENSION recommender'), '', 'the extension comes back');
is(outcome($tenant, q{SELECT name, generation FROM recommender.recommenders}), 'recs|3', 'the recommender is known again');
is(outcome($tenant, q{SELECT generation FROM recommender.refresh('recs')}), '4', 'and can be refreshed');
is(outcome($tenant, q{SELECT recommender.drop_recommender('recs')}), 't', 'and dropped, though its functions are gone');
is($tenant->run(q{SELECT count(*) FROM pg_namespace WHERE nspname = 'recs'}), '0', 'wholly');
is(outcome($tenant, q{SELECT recommender.create_recommender('recs', 'data.orders', time_column => 'at')}), 'recs', 'and created again');
$tenant->run(q{SELECT recommender.set_options('recs', '{"neighbors": 7}'), recommender.refresh('recs')});
is($tenant->run('SELECT array_agg(r::text ORDER BY n, rank) FROM generate_series(0, 20) n, recs.recommend(n) r'),
	$answer, 'to the same answers');

is(outcome($tenant, q{SELECT recommender.drop_recommender('recs')}), 't', 'drop_recommender');
is(outcome($tenant, 'DROP EXTENSION recommender'), '', 'without recommenders the extension goes');
is($super->run(q{SELECT count(*) FROM pg_proc WHERE probin LIKE '%recommender%'}), '0', 'and leaves nothing');
is($super->run(q{SELECT count(*) FROM pg_namespace WHERE nspname = 'recommender_internal'}), '0', 'nor the schema that it made');
$tenant->run('CREATE SCHEMA recommender_internal');
like(outcome($tenant, 'CREATE EXTENSION recommender'), qr/^42P06: schema "recommender_internal" already exists/, 'it takes no schema of others');
$tenant->run('DROP SCHEMA recommender_internal');
like(outcome($tenant, 'CREATE EXTENSION recommender SCHEMA data'), qr/^0A000: extension "recommender" must be installed in schema "recommender"/,
	'it has its own schema');

$_->quit for $tenant, $guest, $super;
$node->stop;
done_testing();
