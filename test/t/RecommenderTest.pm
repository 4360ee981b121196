# RecommenderTest.pm
#	Functions shared by these tests: servers, a small shop, sessions that can
#	wait for a lock, and digests of a recommender's answers.
#
# Nothing here depends on time.  To stop a refresh at a certain point, read from
# the view gated_orders, whose row 200 waits for the holder of the advisory lock
# GATE, or lock one of the recommender's tables.

package RecommenderTest;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(start_server make_shop answers GATE);

use constant GATE => 4711;

# Starts a server with the extension in database shop; options are lines of
# postgresql.conf and what init() takes.
sub start_server
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf} // '';
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%options);
	$node->append_conf('postgresql.conf', "autovacuum = off\n$conf");
	$node->start;
	$node->safe_psql('postgres', 'CREATE DATABASE shop');
	$node->safe_psql('shop', 'CREATE EXTENSION recommender');
	return $node;
}

# Makes 40 customers' orders and visits of 30 products, the same on every
# server, and the recommender recs over them.
sub make_shop
{
	my ($node, $interactions) = @_;

	$interactions //= 'orders';
	$node->safe_psql(
		'shop', q{
CREATE TABLE orders (id bigint PRIMARY KEY, customer integer, product text,
	kind text, amount numeric, ordered_at timestamptz);
INSERT INTO orders
SELECT n, n % 40 + 1,
	-- later on, many look at a few things
	CASE WHEN n > 400 AND n % 4 = 0 THEN 'P' || n % 3
		ELSE 'P' || (n % 40 * 7 + n / 40 * (n % 5 + 1) + n % 3) % 30 END,
	(ARRAY['view', 'cart', 'purchase', 'view', 'return'])[n % 5 + 1], n % 3 + 1,
	timestamptz '2026-01-01 00:00:00+00' + n * interval '100 minutes'
FROM generate_series(0, 599) n;
CREATE INDEX ON orders (customer, ordered_at);

CREATE TABLE visits (visitor smallint, page varchar(20), at timestamp);
INSERT INTO visits
SELECT n % 45 + 1, 'P' || n * n % 31, timestamp '2026-02-01' + n * interval '3 hours'
FROM generate_series(1, 200) n;
CREATE INDEX ON visits (visitor, at);

CREATE FUNCTION gate(n bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF n = 200 THEN
		PERFORM pg_catalog.pg_advisory_lock_shared(} . GATE . q{);
		PERFORM pg_catalog.pg_advisory_unlock_shared(} . GATE . q{);
	END IF;
	RETURN true;
END $$;
CREATE VIEW gated_orders AS SELECT * FROM orders WHERE gate(id);
} . qq{
SET client_min_messages = warning;
SELECT recommender.create_recommender('recs', '$interactions', user_column => 'customer',
	item_column => 'product', time_column => 'ordered_at', event_column => 'kind',
	weight_column => 'amount',
	event_weights => '{"view": 1, "cart": 3, "purchase": 5, "return": -2}',
	options => '{"half_life": "60 days", "blend": {"trend": 0.1}}');
SELECT recommender.add_interactions('recs', 'visits', user_column => 'visitor',
	item_column => 'page', time_column => 'at', event => 'visit',
	event_weights => '{"visit": 0.5}');
});
	return;
}

# Return the answer of each function of a recommender of a shop, one line each.
sub answers
{
	my ($node, $recs, $dbname) = @_;

	$recs   //= 'recs';
	$dbname //= 'shop';
	return $node->safe_psql($dbname, answers_query($recs));
}

sub answers_query
{
	my ($recs) = @_;
	my $product = q{'P' || n};
	my $three = q{ARRAY['P' || n, 'P' || n + 3, 'P' || n + 7]};
	my %rows = (
		'recommend' => "generate_series(1, 50) n, $recs.recommend(n, 12) r",
		'recommend with options' =>
		  qq{generate_series(1, 50) n, $recs.recommend(n, 5, exclude => $three,
			options => '{"exclude_seen": false, "blend": {"trend": 1}, "history": 3}') r},
		'recommend with context' =>
		  qq{generate_series(1, 50) n, $recs.recommend(n, 5, context => '{"month": 2, "weekday": "sat", "hour": 9}') r},
		'context_lifts' =>
		  "(SELECT 1) s(n), LATERAL (SELECT row_number() OVER (ORDER BY v.column_name, v.value, v.item_id) AS rank, v FROM $recs.context_lifts v) r",
		'recommend_session' => "generate_series(0, 22) n, $recs.recommend_session($three) r",
		'recommend_basket'  => "generate_series(0, 22) n, $recs.recommend_basket($three) r",
		'similar_items'     => "generate_series(0, 32) n, $recs.similar_items($product, 40) r",
		'popular_items'     => "generate_series(1, 1) n, $recs.popular_items(40) r",
		'trending_items'    => "generate_series(1, 1) n, $recs.trending_items(40) r",
		'rank_items'        => "generate_series(1, 22) n, $recs.rank_items(n, $three) r",
		'score'             =>
		  "generate_series(1, 22) n, LATERAL (SELECT i AS rank, $recs.score(n, 'P' || i) FROM generate_series(0, 31) i) r",
		'recommend_all'     =>
		  "(SELECT row_number() OVER () AS n, a FROM $recs.recommend_all(7) a) s, LATERAL (SELECT s.n AS rank, s.a) r",
		'neighbors'         =>
		  "(SELECT 1) s(n), LATERAL (SELECT row_number() OVER (ORDER BY v.item_id, v.rank) AS rank, v FROM $recs.neighbors v) r",
		'item_similarity_agg' =>
		  "(SELECT 1) s(n), unnest((SELECT recommender.item_similarity_agg(customer, product, amount::float8)
			FROM public.orders)) WITH ORDINALITY AS r(a, b, c, d, rank)",
		'item_similarities' =>
		  "(SELECT 1) s(n), LATERAL recommender.item_similarities('SELECT customer, product FROM public.orders')
			WITH ORDINALITY AS r(a, b, c, d, rank)",
		'recommenders' => "(SELECT 1) s(n), LATERAL (SELECT 1 AS rank, v FROM recommender.recommenders v WHERE name = '$recs') r",
		'refresh_runs' => "(SELECT 1) s(n), LATERAL (SELECT v.generation AS rank, v.recommender, v.generation, v.interactions,
			v.users, v.items, v.neighbors, v.options FROM recommender.refresh_runs v WHERE recommender = '$recs') r",
	);

	return join "\nUNION ALL\n", map {
		"(SELECT '$_: ' || count(*) || ' ' || coalesce(md5(string_agg(r::text, ';' ORDER BY n, rank)), '') FROM $rows{$_})"
	} sort keys %rows;
}

# ---------------------------------------------------------------------------
# Sessions: psql in the background
# ---------------------------------------------------------------------------

package RecommenderTest::Session;

use IPC::Run;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);

# Opens a session; options are user and dbname.
sub new
{
	my ($class, $node, %options) = @_;
	my $dbname = $options{dbname} // 'shop';
	my $self   = bless { node => $node, stdin => '', stdout => '', stderr => '', count => 0 }, $class;
	my $user   = $options{user} ? " user=$options{user}" : '';

	$self->{timeout} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	$self->{run} = IPC::Run::start(
		[   $node->installed_command('psql'), '-XAtq', '-v', 'VERBOSITY=verbose',
			'-d', $node->connstr($dbname) . $user ],
		'<', \$self->{stdin}, '>', \$self->{stdout}, '2>', \$self->{stderr},
		$self->{timeout});
	$self->{pid} = $self->query('SELECT pg_backend_pid()');
	die "no session: $self->{error}" if $self->{error};
	return $self;
}

# Sends SQL and does not wait for its end.
sub send
{
	my ($self, $sql) = @_;

	$self->{count}++;
	$self->{stdin} .= "$sql\n;\n\\echo end $self->{count}\n\\warn end $self->{count}\n";
	$self->{run}->pump_nb;
	return;
}

# Waits for the end of what was sent; gives what it wrote.  Its errors, with
# their codes, are then in {error}.
sub wait
{
	my ($self) = @_;
	my $end = qr/^end $self->{count}\n/m;

	$self->{timeout}->start;
	$self->{run}->pump until $self->{stdout} =~ $end && $self->{stderr} =~ $end;
	my ($output, $error) = ($self->{stdout}, $self->{stderr});
	$self->{stdout} = $self->{stderr} = '';
	s/$end// for $output, $error;
	chomp $output;
	$error =~ s/^LOCATION:.*\n//mg;
	$self->{error} = $error;
	return $output;
}

# Runs SQL; an error is in {error}.
sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->wait;
}

# Runs statements; gives their errors, or "crash" if the session was lost, and
# then not before the server is back.
sub attempt
{
	my ($self, @statements) = @_;
	my $node    = $self->{node};
	my $log     = -s $node->logfile;
	my $crashed = !eval { $self->query(join ';', @statements); 1 };

	return $self->{error}
	  unless $crashed || $self->{error} =~ /server closed the connection|terminating connection/;
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
	$node->poll_query_until('shop', 'SELECT true');
	return 'crash';
}

# Runs SQL that must not fail.
sub run
{
	my ($self, $sql) = @_;
	my $output = $self->query($sql);

	die "$sql: $self->{error}" if $self->{error} =~ /ERROR|FATAL/;
	return $output;
}

# Waits until a query gives t.
sub wait_until
{
	my ($self, $sql) = @_;
	my $end = time + $PostgreSQL::Test::Utils::timeout_default;
	my $output;

	while (($output = $self->run($sql)) ne 't')
	{
		die "timed out, last answer $output: $sql" if time > $end;
		sleep 0.02;
	}
	return;
}

# Waits until another session waits for a lock, or for the given event.
sub wait_until_blocked
{
	my ($self, $other, $event) = @_;
	my $which = $event ? "wait_event = '$event'" : "wait_event_type = 'Lock'";

	$self->wait_until(
		"SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $other->{pid} AND $which");
	return;
}

# Ends the session, also one whose server has died.
sub quit
{
	my ($self) = @_;

	$self->{stdin} .= "\\q\n";
	eval { $self->{run}->finish };
	return;
}

1;
