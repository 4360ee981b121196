# Concurrent sessions: a call during refreshes returns the answer of one
# generation, never an error, an empty answer or a mixture; and changes by one
# session take effect in the next call of any other.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

my $node = start_server('concurrency');
make_shop($node, 'gated_orders');
my ($one, $two, $watcher) = map { RecommenderTest::Session->new($node) } 1 .. 3;

# ---------------------------------------------------------------------------
# asking while refreshes run
# ---------------------------------------------------------------------------

# two models whose answers differ; odd generations are of the first measure
my @measure = ('llr', 'cosine');

sub refresh_sql
{
	my ($generation) = @_;

	return qq{
		SELECT FROM recommender.set_options('recs', '{"measure": "$measure[$generation % 2]"}');
		SELECT generation FROM recommender.refresh('recs');};
}

$node->safe_psql(
	'shop', q{
-- what a user is told in all, by one snapshot
CREATE FUNCTION told(u integer) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(r::text, ';' ORDER BY f, rank) FROM (
		SELECT 1 AS f, r.rank, r FROM recs.recommend(u) r
		UNION ALL SELECT 2, r.rank, r FROM recs.similar_items('P' || u % 30, 40) r
		UNION ALL SELECT 3, r.rank, r FROM recs.recommend_basket(ARRAY['P' || u % 30, 'P5']) r
		UNION ALL SELECT 4, r.rank, r FROM recs.popular_items() r
		UNION ALL SELECT 5, r.rank, r FROM recs.rank_items(u, ARRAY['P1', 'P2', 'P3']) r
		UNION ALL SELECT 6, i, ROW(i, NULL, recs.score(u, 'P' || i), NULL, NULL)::recs.recommendation FROM generate_series(1, 3) i
		UNION ALL SELECT 7, 1, ROW(1, NULL, NULL, md5(string_agg(a::text, ';')), NULL)::recs.recommendation
			FROM recs.recommend_all(3) a) s(f, rank, r) $$;
CREATE TABLE expected (odd integer, u integer, told text NOT NULL, PRIMARY KEY (odd, u));
CREATE TABLE wrong (generation bigint, u integer, told text);
CREATE SEQUENCE asked;

-- asks, a transaction each, as long as someone else holds the advisory lock 1
CREATE PROCEDURE ask() LANGUAGE plpgsql AS $$
DECLARE who integer := 0;
BEGIN
	WHILE NOT pg_try_advisory_lock_shared(1) LOOP
		COMMIT;
		who := who % 40 + 1;
		INSERT INTO wrong
		SELECT s.generation, who, s.told
		FROM (SELECT d.generation, told(who) AS told FROM recs.definition d) s
		LEFT JOIN expected e ON e.odd = s.generation % 2 AND e.u = who
		WHERE s.told IS DISTINCT FROM e.told;
		PERFORM nextval('asked');
	END LOOP;
	PERFORM pg_advisory_unlock_shared(1);
END $$;
});
$node->safe_psql('shop', refresh_sql($_)
	. "INSERT INTO expected SELECT $_ % 2, u, told(u) FROM generate_series(1, 40) u") for 1 .. 2;
is($one->run('SELECT count(*) FROM expected a JOIN expected b USING (u) WHERE a.odd = 0 AND b.odd = 1 AND a.told <> b.told'),
	'40', 'the models differ in the answers to all users');
$watcher->run('SELECT pg_advisory_lock(1)');
my @askers = map { RecommenderTest::Session->new($node) } 1 .. 2;
$askers[1]->run("SET default_transaction_isolation = 'repeatable read'");
$_->send('CALL ask()') for @askers;
my $last = 12;
for my $generation (3 .. $last)
{
	# each generation is asked for, more than once
	my $asked = $watcher->run('SELECT last_value FROM asked');
	$watcher->wait_until("SELECT last_value > $asked + 5 FROM asked");
	is($one->run('BEGIN;' . refresh_sql($generation) . 'COMMIT'), $generation, "refresh $generation while others ask");
	$one->run('VACUUM (TRUNCATE false) recs.item, recs.neighbor, recs.definition') if $generation % 3 == 0;
}
my $asked = $watcher->run('SELECT last_value FROM asked');
$watcher->wait_until("SELECT last_value > $asked + 5 FROM asked");
$watcher->run('SELECT pg_advisory_unlock(1)');
$_->wait for @askers;
is($_->{error}, '', 'never an error') for @askers;
is($one->run('SELECT count(*) FROM wrong'), '0', 'never another answer than that of the generation');
$_->quit for @askers;

# ---------------------------------------------------------------------------
# refreshes at once
# ---------------------------------------------------------------------------

$one->run(q{SET client_min_messages = warning;
	SELECT recommender.create_recommender('other', 'orders', 'customer', 'product')});

$one->run('BEGIN');
$one->run("SELECT generation FROM recommender.refresh('recs')");
$two->send("SELECT generation FROM recommender.refresh('recs')");
$watcher->wait_until_blocked($two);
is($watcher->run("SELECT generation FROM recommender.refresh('other')"), '1',
	'a refresh of another recommender does not wait');
is($watcher->run('SELECT count(*) FROM recs.recommend(1)'), '10', 'nor does who asks');
$one->run('COMMIT');
is($two->wait, $last + 2, 'the second of two refreshes waits and then gives the next generation');
$last += 2;

$one->run('BEGIN');
$one->run("SELECT generation FROM recommender.refresh('recs')");
$two->send("SELECT generation FROM recommender.refresh('recs')");
$watcher->wait_until_blocked($two);
$one->run('ROLLBACK');
is($two->wait, $last + 1, 'the same generation, if the first was rolled back');
$last += 1;

# what the first has changed counts for the second
$one->run('BEGIN');
$one->run(q{SELECT recommender.set_options('recs', '{"neighbors": 3}'), recommender.refresh('recs')});
$two->send("SELECT neighbors <= 3 * items FROM recommender.refresh('recs')");
$watcher->wait_until_blocked($two);
$one->run('COMMIT');
is($two->wait, 't', 'the second goes by the options that the first has set');
$last += 2;
is($one->run(q{SELECT options->>'neighbors' FROM recs.refresh_run ORDER BY generation DESC LIMIT 1}), '3', 'and says so');

# by a snapshot that is too old nothing can be built
$two->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$one->run("SELECT recommender.refresh('recs')");
$last++;
$two->query("SELECT recommender.refresh('recs')");
like($two->{error}, qr/^ERROR:  40001: could not serialize access/,
	'REPEATABLE READ: a refresh after another is a serialization failure');
$two->run('ROLLBACK');
is($two->run("SELECT generation FROM recommender.refresh('recs')"), ++$last, 'which may be tried again');

# nor in a transaction that may only read
$two->query("BEGIN READ ONLY; SELECT recommender.refresh('recs')");
like($two->{error}, qr/^ERROR:  25006: cannot execute refresh\(\) in a read-only transaction/, 'READ ONLY: no refresh');
$two->run('ROLLBACK');

# options that are set in an open transaction, and a refresh meanwhile
$one->run('BEGIN');
$one->run(q{SELECT recommender.set_options('recs', '{"neighbors": 4}')});
$two->send("SELECT generation FROM recommender.refresh('recs')");
$watcher->wait_until_blocked($two);
$one->query("SELECT generation FROM recommender.refresh('recs')");
is($one->{error}, '', 'set_options and refresh in one transaction: no deadlock with a refresh');
$one->run('COMMIT');
$two->wait;
is($two->{error}, '', 'no deadlock for the other either');

# dropped while another waits to refresh it
$one->run('BEGIN');
$one->run("SELECT recommender.drop_recommender('other')");
$two->send("SELECT generation FROM recommender.refresh('other')");
$watcher->wait_until_blocked($two);
$one->run('COMMIT');
$two->wait;
like($two->{error}, qr/^ERROR:  (42704|42P01): .*(?:does not exist|no longer exists)/,
	'a recommender that is dropped while a refresh waits');

# ---------------------------------------------------------------------------
# the next call knows
# ---------------------------------------------------------------------------

# what an open session is told, and its error
sub call
{
	my ($sql) = @_;
	my $output = $two->query($sql);

	return $two->{error} =~ /^ERROR:  (\w+: .*)/ ? $1 : $output;
}

# An open session that has called before, and one that never has, agree.
sub check_call
{
	my ($name, $sql, $expected) = @_;

	$sql //= 'SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)';
	my $new = RecommenderTest::Session->new($node);
	my $fresh = $new->query($sql);
	$fresh = $1 if $new->{error} =~ /^ERROR:  (\w+: .*)/;
	$new->quit;
	my $known = call($sql);
	is($known, $fresh, "$name: the next call of an open session knows");
	is($known, $expected, "$name: and is right") if defined $expected;
	return $known;
}

$one->run(q{SELECT recommender.set_options('recs', '{"measure": "cosine", "neighbors": null}'), recommender.refresh('recs')});
my $before = check_call('at first');
$one->run(q{SELECT recommender.set_options('recs', '{"seen_events": ["view", "cart"]}')});
my $after = check_call('set_options');
isnt($after, $before, 'set_options changes the answer');
$one->run('BEGIN');
$one->run(q{SELECT recommender.set_options('recs', '{"seen_events": null}')});
is($one->run('SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)'), $before,
	'set_options in an open transaction: it knows itself');
check_call('set_options in an open transaction', undef, $after);
$one->run('ROLLBACK');
is($one->run('SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)'), $after,
	'set_options that was rolled back: it knows');
$one->run('BEGIN; SAVEPOINT s');
$one->run(q{SELECT recommender.set_options('recs', '{"seen_events": null}')});
$one->run('SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)');
$one->run('ROLLBACK TO s');
is($one->run('SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)'), $after,
	'set_options that was rolled back to a savepoint: it knows');
$one->run('COMMIT');
check_call('set_options that was rolled back', undef, $after);
$one->run(q{SELECT recommender.set_options('recs', '{"seen_events": null}')});
check_call('set_options back', undef, $before);

# a session that reads the definition for the first time while it changes
my $late = RecommenderTest::Session->new($node);
$one->run('BEGIN; LOCK TABLE recs.definition');
$one->run(q{SELECT recommender.set_options('recs', '{"seen_events": ["view", "cart"]}')});
$late->send('SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)');
$watcher->wait_until_blocked($late);
$one->run('COMMIT');
$late->wait;
is($late->query('SELECT array_agg(item_id ORDER BY rank) FROM recs.recommend(7, 100)'), $after,
	'set_options while another session reads the definition: its next call knows');
$late->quit;
$one->run(q{SELECT recommender.set_options('recs', '{"seen_events": null}')});

$one->run(q{CREATE TABLE till (who integer, what text);
	INSERT INTO till VALUES (7, 'P11'), (7, 'P12');
	SET client_min_messages = warning;
	SELECT recommender.add_interactions('recs', 'till', 'who', 'what')});
$after = check_call('add_interactions');
isnt($after, $before, 'add_interactions changes the answer');
$one->run('ALTER TABLE till RENAME TO cash_register');
check_call('ALTER TABLE RENAME', undef, $after);
$one->run('CREATE SCHEMA attic; ALTER TABLE cash_register SET SCHEMA attic');
check_call('ALTER TABLE SET SCHEMA', undef, $after);
$one->run('ALTER TABLE attic.cash_register ADD COLUMN added integer, ALTER who TYPE bigint');
check_call('ALTER TABLE ALTER TYPE');
$one->run('ALTER TABLE attic.cash_register ALTER who TYPE integer');
check_call('ALTER TABLE ALTER TYPE back', undef, $after);
$one->run('ALTER TABLE attic.cash_register RENAME who TO whoever');
check_call('ALTER TABLE RENAME COLUMN', undef,
	'42703: column "who" of relation "cash_register" does not exist');
$one->run(q{SELECT recommender.add_interactions('recs', 'attic.cash_register', 'whoever', 'what')});
check_call('add_interactions that repairs it', undef, $after);
$one->run('TRUNCATE attic.cash_register');
check_call('TRUNCATE', undef, $before);
$one->run(q{INSERT INTO attic.cash_register VALUES (7, 'P11'), (7, 'P12')});
check_call('INSERT', undef, $after);
$one->run('ALTER SCHEMA recs RENAME TO newname');
check_call('ALTER SCHEMA RENAME',
	'SELECT array_agg(item_id ORDER BY rank) FROM newname.recommend(7, 100)', $after);
$one->run('ALTER SCHEMA newname RENAME TO recs');
check_call('ALTER SCHEMA RENAME back', undef, $after);
$one->run('DROP TABLE attic.cash_register');
like(check_call('DROP TABLE of a source'), qr/^42P01: a source of recommender "recs" no longer exists/,
	'DROP TABLE of a source is an error');
like(call(q{SELECT recommender.refresh('recs')}),
	qr/^42P01: a source of recommender "recs" no longer exists/, 'for a refresh, too');
is(call('SELECT count(*) FROM recs.similar_items($$P1$$)'), '10', 'what needs no history goes on');
is($one->run(q{SELECT count(*) > 0 FROM recommender.check_recommender('recs') WHERE severity = 'error'}), 't',
	'check_recommender tells of it');
$one->run(q{SELECT recommender.remove_interactions('recs', s.relation) FROM recs.source s
	WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = s.relation)});
check_call('remove_interactions', undef, $before);
$one->run('VACUUM FULL recs.item, recs.neighbor, recs.definition; REINDEX SCHEMA recs');
check_call('VACUUM FULL and REINDEX', undef, $before);
$one->run('DROP TABLE visits');
$one->run('CREATE TABLE visits (visitor smallint, page varchar(20), at timestamp)');
like(check_call('another table of that name'), qr/^42P01: a source of recommender "recs" no longer exists/,
	'another table of that name is another table');
$one->run('BEGIN');
$one->run(q{SELECT recommender.drop_recommender('recs')});
$one->run(q{SELECT recommender.create_recommender('recs', 'orders', 'customer', 'product'), recommender.refresh('recs')});
$one->run('COMMIT');
is(check_call('dropped and created again') =~ /P/, 1, 'it answers again');
$one->run('BEGIN');
$one->run(q{SELECT recommender.drop_recommender('recs')});
$one->run(q{CREATE VIEW numbers AS SELECT customer, substr(product, 2)::bigint AS product FROM orders;
	SELECT recommender.create_recommender('recs', 'numbers', 'customer', 'product'), recommender.refresh('recs')});
$one->run('COMMIT');
is(check_call('dropped and created again, with other types', 'SELECT pg_typeof(item_id), count(*) FROM recs.recommend(7) GROUP BY 1'),
	'bigint|10', 'it answers again, in that type');
$one->run(q{SELECT recommender.drop_recommender('recs')});
like(check_call('dropped'), qr/^3F000: schema "recs" does not exist/, 'dropped is dropped');

# two sessions that make the same recommender
$one->run('BEGIN');
$one->run(q{SELECT recommender.create_recommender('recs', 'orders', 'customer', 'product')});
$two->send(q{SELECT recommender.create_recommender('recs', 'orders', 'customer', 'product')});
$watcher->wait_until_blocked($two);
$one->run('COMMIT');
$two->wait;
like($two->{error}, qr/^ERROR:  (23505|42P06): /, 'of two that make the same recommender, one does');

$_->quit for $one, $two, $watcher;
$node->stop;
done_testing();
