# The memory of a refresh stays within maintenance_work_mem and is about
# memory_bytes, according to the kernel's statistics of the process.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecommenderTest;

# little memory beside that of a refresh
my $node = start_server('budget', conf => <<'CONF');
shared_buffers = 2MB
jit = off
maintenance_work_mem = 1GB
max_parallel_maintenance_workers = 0
CONF

$node->safe_psql(
	'shop', q{
CREATE UNLOGGED TABLE rows AS
SELECT a::bigint * 1000 + b AS n, ((a::bigint * 1000 + b) * 7919 % 80000)::integer AS u,
	   abs(hashint8(a * 1000 + b)::bigint) % 20000 AS i
FROM   generate_series(1, 2000) a, generate_series(1, 1000) b;
CREATE VIEW once AS SELECT u, (n % 19997)::integer AS i FROM rows;
CREATE VIEW weighted AS SELECT u, i, (1 + i % 7) / 7.0::float8 AS w FROM rows;
CREATE VIEW timed AS SELECT u, i, timestamptz '2026-01-01' + u % 1000 * interval '1 hour' AS t FROM rows;
CREATE VIEW precise AS SELECT u, i, (1 + i % 50) / 7.0::float8 AS w, timestamptz '2026-01-01' - n * interval '7.654321 seconds' AS t FROM rows;
CREATE VIEW texts AS SELECT 'user ' || u AS u, 'item ' || i AS i FROM rows;
CREATE VIEW small AS SELECT u, i FROM rows LIMIT 1000;
SET client_min_messages = warning;
SELECT recommender.create_recommender(r, r::regclass, 'u', 'i',
	options => '{"truncate": "source", "neighbors": 20, "min_support": 1, "measure": "cosine", "weighting": "none"}')
FROM   unnest(ARRAY['once', 'texts', 'small']) r;
SELECT recommender.create_recommender('weighted', 'weighted', 'u', 'i', weight_column => 'w',
	options => '{"truncate": "source", "neighbors": 20}');
-- few interactions, and many items that are described: by values, words and numbers, and by embeddings, in cells
CREATE UNLOGGED TABLE goods AS
SELECT n AS id, 'c' || n % 700 AS category, ARRAY['t' || n % 900, 't' || n % 1100, 's' || n % 40] AS tags, n * 7919 % 10007 AS price,
	   'w' || n * 31 % 5000 || ' w' || n * 37 % 5003 || ' w' || n * 41 % 4999 || ' rare' || n AS title,
	   CASE WHEN n % 4 = 0 THEN ARRAY(SELECT (hashint8(n * 1000 + d) % 1000)::real FROM generate_series(1, 64) d) END AS picture
FROM   generate_series(0, 39999) n;
CREATE VIEW few AS SELECT u, i FROM rows LIMIT 2000;
CREATE VIEW few2 AS SELECT u, i FROM few;
SELECT recommender.create_recommender(r, r::regclass, 'u', 'i', options => '{"neighbors": 20}') FROM unnest(ARRAY['few', 'few2']) r;
SELECT recommender.set_items('few', 'goods', feature_columns => '{category,tags,price}', text_columns => '{title}', options => '{"config": "simple"}');
SELECT recommender.set_items('few2', 'goods', feature_columns => '{picture}', options => '{"embedding_exact_items": 100}');
-- by the defaults: lists per target, and a context of the time
SELECT recommender.create_recommender(r, r::regclass, 'u', 'i', weight_column => w, time_column => 't', options => '{"neighbors": 20}')
FROM   (VALUES ('timed', NULL), ('precise', 'w')) AS v (r, w)});

# The most memory that a session had since it was last asked, in kB; undef
# where the kernel does not tell.
sub peak
{
	my ($pid) = @_;
	my ($peak) = (-r "/proc/$pid/status" ? slurp_file("/proc/$pid/status") : '') =~ /^VmHWM:\s+(\d+) kB/m;

	open my $refs, '>', "/proc/$pid/clear_refs" or return undef;
	print $refs '5';
	close $refs or return undef;
	return $peak;
}

for my $name ('once', 'weighted', 'timed', 'precise', 'texts', 'few', 'few2')
{
	my $least = $name =~ /few/ ? 40_000 * 20 * 8 : 2_000_000 * 8;
	my $session = RecommenderTest::Session->new($node);

	# with all that any refresh takes
	$session->run("SELECT recommender.refresh('small')");
	peak($session->{pid});
	my $before = peak($session->{pid});
	my $claimed = $session->run("SELECT memory_bytes / 1024 FROM recommender.refresh('$name')");
	my $after = peak($session->{pid});

	cmp_ok($claimed, '>', $least / 1024, "$name: what it is of has its memory");
  SKIP:
	{
		skip 'the kernel does not tell of peaks', $name =~ /once|weighted|timed|precise/ ? 3 : 2 unless defined $before && defined $after;
		cmp_ok($claimed, '<', 1.2 * ($after - $before), "$name: memory_bytes is not too much");
		cmp_ok($claimed, '>', 0.8 * ($after - $before), "$name: memory_bytes is not too little");
		# 2 million interactions, 20 neighbours of 20,000 items
		cmp_ok($after - $before, '<', (20 * 2_000_000 + 16 * 20 * 20_000) / 1024,
			"$name: 20 bytes an interaction, and the result")
		  if $name =~ /once|weighted|timed|precise/;
	}
	my $too_little = int(0.95 * $claimed);
	$session->run("SET maintenance_work_mem = '$too_little kB'");
	$session->query("SELECT recommender.refresh('$name')");
	like($session->{error}, qr/^ERROR:  53400: the data do not fit into maintenance_work_mem\n/,
		"$name: less is an error");
	$session->run("SET maintenance_work_mem = '" . ($claimed + 1) . " kB'");
	is($session->run("SELECT memory_bytes / 1024 FROM recommender.refresh('$name')"),
		$claimed, "$name: as much is enough");
	$session->quit;
}

# what workers and the matrix that they share take is within the budget, too
my $session = RecommenderTest::Session->new($node);
my $rows = q{SELECT md5(string_agg(n::text, ',' ORDER BY n.item_id))
	FROM (SELECT item_id, neighbors, scores, supports FROM weighted.neighbor) n};
my $serial = $session->run("SELECT memory_bytes FROM recommender.refresh('weighted')");
my $answer = $session->run($rows);
$session->run('SET max_parallel_maintenance_workers = 2');
cmp_ok($session->run("SELECT memory_bytes FROM recommender.refresh('weighted')"),
	'>', $serial, 'two workers need more memory');
is($session->run($rows), $answer, 'and give the same rows');
$session->run("SET maintenance_work_mem = '" . int($serial / 1024 + 1) . " kB'");
is($session->run("SELECT memory_bytes FROM recommender.refresh('weighted')"),
	$serial, 'without memory for workers there are none');
is($session->run($rows), $answer, 'and the same rows');
$session->quit;

$node->stop;
done_testing();
