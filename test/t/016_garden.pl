# What if arguments are whatever they like?  Each function is called with
# arguments drawn from the extremes of their types, by a seed.  It answers or
# reports an error of its own: nothing crashes, hangs, fails by an internal
# error, or fills the log with what it was given.
#
# CALLS is the number of calls, GARDEN_SEED the first seed.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use RecommenderTest;

use constant TIMEOUT => 1;		# statement_timeout, seconds
use constant SLACK   => 4;		# what a busy machine may add
use constant LONGEST => 5000;	# bytes of an error

my $calls = $ENV{CALLS}       || 3000;
my $seed  = $ENV{GARDEN_SEED} || 1;

# a call that does not end is given up
$PostgreSQL::Test::Utils::timeout_default = 20;

my $node = start_server('garden', conf => "restart_after_crash = on\n");
make_shop($node);
$node->safe_psql('shop', q{
CREATE TABLE goods AS
SELECT 'P' || n AS id, 'c' || n % 7 AS category, n * 7919 % 101 AS price, 'word' || n % 9 || ' tea w' || n % 31 AS title,
	n % 11 <> 0 AS ready, ARRAY['t' || n % 5, 't' || n % 3] AS tags, jsonb_build_object('brand', n % 3) AS attributes
FROM generate_series(0, 39) n;
CREATE UNIQUE INDEX ON goods (id);
SET client_min_messages = warning;
SELECT recommender.add_interactions('recs', 'orders', user_column => 'customer', item_column => 'product', time_column => 'ordered_at',
	event_column => 'kind', weight_column => 'amount', event_weights => '{"view": 1, "purchase": 5, "return": -2}', context_columns => '{kind}');
SELECT recommender.set_items('recs', 'goods', feature_columns => '{category,price,tags,attributes}', text_columns => '{title}',
	available_column => 'ready');
SELECT recommender.refresh('recs');
});
my $answers = answers($node);

# ---------------------------------------------------------------------------
# values
# ---------------------------------------------------------------------------

my @integers = ('0', '1', '-1', '2', '3', '10', '100', '32768', '2147483647', '-2147483648');
my @floats = (@integers[ 0 .. 6 ], '0.5', '0.05', '0.95', '1e-300', '1e300', q{'-0'}, q{'NaN'}, q{'Infinity'}, q{'-Infinity'});
my @texts = (q{''}, q{'recs'}, q{'x'}, q{'P1'}, q{'view'}, q{'purchase'}, q{'random'}, q{'time'}, q{'ndcg'}, q{'ndcg@5'}, q{'full'},
	q{'en'}, q{'ko'}, q{'%s%n'}, q{E'\\x01\\n'}, q{'"; SELECT 1'}, q{repeat('가', 300)}, q{'SELECT customer, product FROM orders'},
	q{'SELECT customer, product, amount, ordered_at FROM orders'}, q{'SELECT'}, q{'DELETE FROM orders'}, q{'SELECT 1'},
	q{'SELECT customer, kind FROM orders'}, q{'UTC'}, q{'2026-01-01'}, q{'{}'});
my @names = ('id', 'customer', 'product', 'kind', 'amount', 'ordered_at', 'category', 'title', 'ready', 'price', 'tags', 'ctid', 'no', '');
my @members = ('category', 'price', 'tags', 'attributes', 'kind', 'month', 'hour', 'any', 'not', 'in', 'lte', 'has', 'contains', 'view',
	'blend', 'behaviour', 'content', 'model', 'measure', 'neighbors', 'kappa', 'half_life', 'history', 'max_per', 'seen_events', 'language',
	'diversity', 'weights', 'buckets', 'config', 'epsilon', 'arms', 'salt', '');
my @scalars = ('null', 'true', '0', '1', '-1', '1e400', '1e-400', '99999999999', '0.5', '""', '"c1"', '"als"', '"ridge"', '"cosine"', '"1 day"',
	'"NaN"', '"infinity"', '"korean"', '[]', '{}');

sub any { return $_[ int rand @_ ]; }

sub quote
{
	my ($text) = @_;

	$text =~ s/'/''/g;
	return "'$text'";
}

# some value of jsonb, as text
sub json
{
	my ($depth) = @_;
	my $n = int rand 4;

	return any(@scalars) if $depth == 0 || rand() < 0.3;
	return '[' . join(', ', map { json($depth - 1) } 1 .. $n) . ']' if rand() < 0.3;
	return '{' . join(', ', map { '"' . any(@members) . '": ' . json($depth - 1) } 1 .. $n) . '}';
}

# an array of elements that are given as SQL, of a type
sub array
{
	my ($type, @elements) = @_;
	my $n = int rand 5;

	return any("'{}'::${type}[]", "'{NULL}'::${type}[]", "'{{NULL,NULL},{NULL,NULL}}'::${type}[]", "'[5:6]={NULL,NULL}'::${type}[]")
	  if rand() < 0.2;
	return 'ARRAY[' . join(', ', map { any(@elements, 'NULL') } 1 .. $n) . "]::${type}[]";
}

my %draw = (
	'boolean' => sub { any('true', 'false') },
	'smallint' => sub { any(0, 1, -1, 32767) },
	'integer' => sub { any(@integers) },
	'bigint' => sub { any(@integers, '9223372036854775807', '(-9223372036854775808)') },
	'real' => sub { any(@floats[ 0 .. 9 ]) },
	'double precision' => sub { any(@floats) },
	'numeric' => sub { any(@floats) },
	'text' => sub { any(@texts) },
	'name' => sub { quote(any(@names)) },
	'bytea' => sub { "'\\x" . join('', map { sprintf '%02x', rand 256 } 1 .. rand 40) . "'" },
	'jsonb' => sub { quote(json(3)) },
	'interval' => sub { quote(any('0', '1 day', '-1 day', '1 hour', '178000000 years', '-178000000 years', '1 mon -1 day')) },
	'timestamp with time zone' => sub { quote(any('infinity', '-infinity', '2026-02-01 00:00+00', '4714-11-24 00:00+00 BC', '294276-12-31 00:00+00')) },
	'timestamp without time zone' => sub { quote(any('infinity', '-infinity', '2026-02-01', '294276-12-31')) },
	'date' => sub { quote(any('infinity', '2026-02-01', '5874897-12-31')) },
	'regclass' => sub { any(q{'orders'}, q{'goods'}, q{'visits'}, q{'pg_class'}, q{'recs.item'}, '0', '4294967295', q{'orders_pkey'}) },
	'regrole' => sub { any('current_user', '0', '4294967295') . '::regrole' },
	'"any"' => sub { any('1', q{'P1'::text}, '1.5', 'NULL::text', 'ROW(1, 2)', 'NULL::recs.recommendation', q{'{P1}'::text[]}) },
	'anyelement' => sub { any('1', q{'P1'::text}, 'NULL::recs.recommendation', 'ROW(1, 2)', 'NULL::recs.user_recommendation', 'NULL::goods') },
	'anycompatible' => sub { any('1', q{'P1'::text}, 'NULL::int') },
	'anyarray' => sub { array('integer', @integers) },
	'anycompatiblearray' => sub { any(array('integer', @integers), array('text', @texts)) });
$draw{$_} = $draw{text} for 'character varying';
$draw{name} = sub { quote(any(@names)) };
$draw{"$_->[0]\[]"} = do { my ($type, $elements) = @$_; sub { array($type, @$elements) } }
  for [ 'integer', \@integers ], [ 'bigint', \@integers ], [ 'smallint', [ 0, 1 ] ], [ 'double precision', \@floats ], [ 'real', [ @floats[ 0 .. 9 ] ] ],
	[ 'numeric', \@floats ], [ 'text', \@texts ], [ 'character varying', \@texts ], [ 'name', [ map { quote($_) } @names ] ],
	[ 'boolean', [ 'true', 'false' ] ], [ 'regclass', [ q{'orders'} ] ], [ 'timestamp with time zone', [ q{'infinity'}, q{'2026-02-01 00:00+00'} ] ],
	[ 'interval', [ q{'1 day'} ] ], [ 'jsonb', [ q{'{}'} ] ];

# ---------------------------------------------------------------------------
# calls
# ---------------------------------------------------------------------------

# all functions but those that cannot be called by name in a query
my @functions = map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql(
	'shop', q{
SELECT n.nspname || '.' || p.proname, p.prokind, p.pronargs - p.pronargdefaults,
	(SELECT coalesce(string_agg(format_type(a.type, NULL), ';' ORDER BY a.no), '') FROM unnest(p.proargtypes) WITH ORDINALITY a (type, no))
FROM   pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE  n.nspname IN ('recommender', 'recommender_internal', 'recs') AND p.prorettype <> 'trigger'::regtype
  AND  NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
ORDER  BY 1, p.oid});
my %heavy = map { ("recommender.$_" => 1) } qw(tune evaluate evaluate_query compare_options);

# types of the extension's own are drawn as nulls and as text that is no value
sub argument
{
	my ($type) = @_;

	return 'NULL' if rand() < 0.1;
	return "NULL::$type" unless $draw{$type};
	my $value = $draw{$type}->();
	return $type =~ /^any|^"any"/ || $value =~ /::/ ? $value : "($value)::$type";
}

sub call
{
	my ($name, $kind, $required, $types) = @{ any(@functions) };

	while ($heavy{$name} && rand() < 0.9)
	{
		($name, $kind, $required, $types) = @{ any(@functions) };
	}
	my @types = split /;/, $types;
	my $n = $required + int rand(@types - $required + 1);
	my $list = join ', ', map { argument($_) } @types[ 0 .. $n - 1 ];

	return "CALL $name($list)" if $kind eq 'p';
	return "SELECT $name($list) OVER () FROM generate_series(1, 3)" if $kind eq 'w';
	return "SELECT $name($list) FROM generate_series(1, 3)" if $kind eq 'a';
	return "SELECT count(*) FROM $name($list)";
}

my $session = RecommenderTest::Session->new($node);
my (%codes, @failed);

for my $i (1 .. $calls)
{
	srand $seed + $i;
	my $call = call();
	my $start = time;
	my $error = eval { $session->query("SET statement_timeout = '" . TIMEOUT . "s'; BEGIN; $call; ROLLBACK; SET statement_timeout = 0"); $session->{error} };
	my $took = time - $start;

	if (!defined $error || $error =~ /server closed the connection|terminating connection/)
	{
		$error = 'no answer';
		$node->stop('immediate');
		$node->start;
		$session = RecommenderTest::Session->new($node);
	}
	$codes{ $error =~ /^ERROR:  (\w{5})/m ? $1 : $error eq '' ? 'answered' : 'notice' }++;
	push @failed, sprintf "seed %d, %.1f s: %s\n%s", $seed + $i, $took, $call, substr $error, 0, 300
	  if $error =~ /^no answer|^ERROR:  XX/m || length $error > LONGEST || $took > TIMEOUT + SLACK;
}
note("$_: $codes{$_}") for sort keys %codes;
is(scalar @failed, 0, "$calls calls with arguments of all kinds from seed $seed");
diag(join "\n", @failed[ 0 .. ($#failed > 19 ? 19 : $#failed) ]) if @failed;
cmp_ok($codes{answered} // 0, '>', $calls / 10, 'many are answered');
is(answers($node), $answers, 'and nothing is changed by them');

$session->quit;
$node->stop;
done_testing();
