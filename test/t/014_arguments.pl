# Huge arguments: a client can send arrays, jsonb and text of any size, so each
# function must end soon: with an answer, with an error of its own, or by the
# statement timeout.  With EXTENDED in the environment, each argument also gets the
# values of the others.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use RecommenderTest;

use constant TIMEOUT => 0.2;	# statement_timeout, seconds
use constant SLACK   => 2;	# what reading a value and a busy machine may add

# a call that cannot be cancelled is given up
$PostgreSQL::Test::Utils::timeout_default = 10;

my $node = start_server('arguments');
make_shop($node);
$node->safe_psql(
	'shop', q{
CREATE TABLE products AS SELECT DISTINCT product AS id, 'Title of ' || product AS title, 'c' || length(product) AS category,
	jsonb_build_object('brand', 'b' || length(product)) AS attributes, ARRAY['x', 'y'] AS tags, 1.5 AS price FROM orders;
ALTER TABLE products ADD PRIMARY KEY (id);
SET client_min_messages = warning;
SELECT recommender.add_interactions('recs', 'orders', user_column => 'customer', item_column => 'product',
	time_column => 'ordered_at', event_column => 'kind', weight_column => 'amount', context_columns => '{kind}');
SELECT recommender.set_items('recs', 'products', feature_columns => '{category,attributes,tags,price}', text_columns => '{title}');
SELECT recommender.refresh('recs');
-- what is given, by the type of the argument, and by its name where only some know it
CREATE TABLE list AS
SELECT string_agg(n::text, ',') AS numbers, string_agg('1', ',') AS ones, string_agg('c' || n, ',') AS words,
	string_agg('"c' || n || '"', ',') AS strings, string_agg('"m' || n || '":' || n, ',') AS members
FROM   generate_series(1, 1000000) n;
CREATE TABLE huge AS
SELECT 'array' AS type, '' AS argument, 'a million numbers' AS name, '{' || numbers || '}' AS value FROM list
UNION ALL SELECT 'array', '', 'a million times 1', '{' || ones || '}' FROM list
UNION ALL SELECT 'text[]', '', 'a million words', '{' || words || '}' FROM list
UNION ALL SELECT 'text', '', 'ten million letters', repeat('x', 10000000)
UNION ALL SELECT 'text', '', 'a long query', 'SELECT 1 AS user_id, 2 AS item_id WHERE ' || repeat('true AND ', 300000) || 'true'
UNION ALL SELECT 'jsonb', '', 'a million members', '{' || members || '}' FROM list
UNION ALL SELECT 'jsonb', 'all', 'a million elements', '[' || numbers || ']' FROM list
UNION ALL SELECT 'jsonb', 'all', 'nested arrays', repeat('[', 5000) || repeat(']', 5000)
UNION ALL
SELECT 'jsonb', argument, format('a million values of %s', member), format('{"%s": [%s]}', member, strings)
FROM   list, (VALUES ('context', 'kind'), ('all', 'month'), ('filter', 'category'), ('all', 'any'), ('all', 'all'), ('all', 'not'),
	('options', 'seen_events'), ('all', 'max_per'), ('all', 'context_time'), ('event_weights', 'view')) s (argument, member)
UNION ALL
SELECT 'jsonb', CASE WHEN operator IN ('overlaps', 'in') THEN 'filter' ELSE 'all' END,
	format('a million values of %s %s', member, operator), format('{"%s": {"%s": [%s]}}', member, operator, strings)
FROM   list, unnest('{category,attributes,tags,price}'::text[]) member,
	unnest('{in,not,contains,overlaps,has,any,gte,lte,like}'::text[]) operator
UNION ALL
SELECT 'jsonb', argument, format('a million members of %s', member), format('{"%s": {%s}}', member, members)
FROM   list, (VALUES ('all', 'category'), ('filter', 'attributes'), ('options', 'max_per'), ('all', 'blend'), ('options', 'event_weights'), ('all', 'not'))
	s (argument, member);
-- ready to be used: reading text takes a second
CREATE TABLE ready (type text, name text, json jsonb , words text[] , numbers integer[] );
ALTER TABLE ready ALTER json SET STORAGE EXTERNAL, ALTER words SET STORAGE EXTERNAL, ALTER numbers SET STORAGE EXTERNAL;
INSERT INTO ready SELECT type, name, CASE WHEN type = 'jsonb' THEN value::jsonb END, CASE WHEN type = 'text[]' THEN value::text[] END,
	CASE WHEN type = 'array' THEN value::int[] END FROM huge;
});

# what arguments are when they are not the huge one, by name
my %value = (
	recommender => q{'recs'}, interactions => q{'orders'}, items => q{'products'}, query => q{'SELECT customer, product FROM orders'},
	options => q{'{}'}, options_a => q{'{}'}, options_b => q{'{}'}, user_id => '1', item_id => q{'P1'},
	recommended => q{'{1,2}'::int[]}, relevant => q{'{1,2}'::int[]}, expected => q{'{1,2}'::int[]},
	split => q{'time'}, test => q{'SELECT customer, product FROM orders'}, train => q{'SELECT customer, product FROM orders'}, purpose => q{'access'});
my %value_by_type = (
	'integer' => '1', 'bigint' => '1', 'double precision' => '0.5', 'real' => '0.5', 'numeric' => '0.5', 'text' => q{'x'}, 'boolean' => 'true',
	'interval' => q{interval '1 day'}, 'timestamp with time zone' => q{timestamptz '2026-03-01 00:00+00'}, 'jsonb' => q{'{}'}, 'bytea' => q{'\x00'},
	'integer[]' => q{'{1,2}'}, 'bigint[]' => q{'{1,2}'}, 'double precision[]' => q{'{1,2}'}, 'text[]' => q{'{a,b}'}, 'name[]' => q{'{id}'},
	'regclass' => q{'orders'}, 'anyarray' => q{'{1,2}'::int[]}, 'anycompatiblearray' => q{'{1,2}'::int[]}, 'anyelement' => '1', 'anycompatible' => '1',
	'recommender.cluster[]' => q{'{}'}, 'recommender.word_score[]' => q{'{}'}, 'tsvector' => q{'x'});
my %value_of = ('recs.items' => q{'{P1,P2}'});

# functions that a user calls, with the names, types and defaults of their arguments
my @arguments = map { [ split /\|/ ] } split /\n/, $node->safe_psql(
	'shop', q{
SELECT p.oid, n.nspname, p.proname, p.pronargs - p.pronargdefaults, a.no, p.proargnames[a.no], format_type(a.type, NULL)
FROM   pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
       unnest(p.proargtypes) WITH ORDINALITY a (type, no)
WHERE  n.nspname IN ('recommender', 'recs') AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
  AND  p.proargnames IS NOT NULL AND p.proargnames[1] <> 'model'
ORDER  BY n.nspname, p.proname, p.oid, a.no});
my %function;
push @{ $function{ $_->[0] } }, $_ for @arguments;

my $session = RecommenderTest::Session->new($node);
my @huge = map { [ split /\|/ ] } split /\n/, $session->run('SELECT type, argument, name FROM huge ORDER BY ctid');

# Calls a function with one huge argument and the others as usual.
sub check_call
{
	my ($arguments, $huge, $kind, $name) = @_;
	my (undef, $schema, $function, $required) = @{ $arguments->[0] };
	my $type = $huge->[6] =~ /^any.*array$/ ? 'integer[]' : $huge->[6];
	my ($table, $value) = $kind eq 'jsonb' ? ('ready', 'json')
	  : $type eq 'text[]' ? ('ready', $kind eq $type ? 'words' : 'numbers::text[]')
	  : $type eq 'integer[]' ? ('ready', 'numbers') : ('huge', "value::$type");
	my @given;

	for my $argument (@$arguments)
	{
		my ($no, $argument_name) = @$argument[ 4, 5 ];

		if ($no == $huge->[4])
		{
			push @given, "$argument_name => (SELECT $value FROM $table WHERE type = '$kind' AND name = '$name')";
		}
		elsif ($no <= $required)
		{
			my $usual = $value_of{"$schema.$argument_name"} // $value{$argument_name} // $value_by_type{ $argument->[6] };

			die "no value for argument $argument_name $argument->[6] of $schema.$function" unless defined $usual;
			push @given, "$argument_name => $usual";
		}
	}
	my $call = sprintf 'SELECT count(*) FROM %s.%s(%s)', $schema, $function, join ', ', @given;
	my $start = time;
	my $error = eval { $session->query("SET statement_timeout = '" . TIMEOUT . "s'; BEGIN; $call; ROLLBACK; SET statement_timeout = 0"); $session->{error} };
	my $took = time - $start;

	# no answer, or the server is gone
	if (!defined $error || $error =~ /server closed the connection/)
	{
		$error = 'no answer';
		$node->stop('immediate');
		$node->start;
		$session = RecommenderTest::Session->new($node);
	}
	my $ok = $took < TIMEOUT + SLACK && $error !~ /^no answer|^ERROR:  XX/ && length $error < 20_000;
	ok($ok, "$schema.$function, $huge->[5]: $name")
	  or diag(sprintf '%.1f s, %s', $took, substr $error, 0, 300);
	return;
}

for my $arguments (map { $function{$_} } sort { $a <=> $b } keys %function)
{
	for my $huge (@$arguments)
	{
		my $type = $huge->[6];
		my @kinds = $type eq 'jsonb' ? 'jsonb'
		  : $type =~ /^(text|name|regclass)\[\]$/ ? 'text[]'
		  : $type =~ /\[\]$|^any.*array$/ ? 'array'
		  : $type =~ /^(text|character varying|name)$/ ? 'text' : ();

		for my $kind (@kinds)
		{
			check_call($arguments, $huge, $kind, $_->[2])
			  for grep { $_->[0] eq $kind && ($ENV{EXTENDED} || $_->[1] eq '' || $_->[1] eq $huge->[5]) } @huge;
		}
	}
}

$session->quit;
$node->stop;
done_testing();
