# test/t/010_readme.pl
#	Is the README true?
#
# Every ```sql block of README.md is run, in order, in one fresh database: one
# test each.  A ```text block that comes right after it, with nothing but empty
# lines between, is what psql answers, to the letter but for spaces at the ends
# of lines; "ERROR:" at the start of it says that the block shall fail.  A block
# below a comment <!-- not run: why --> is counted and skipped.
#
# Then the reference is compared with the extension: signatures, columns,
# options and their defaults, findings.
#
# When an answer is another one, a README with all answers as they are now is
# left beside the logs: KEEP=directory make check ONLY=tap TESTS=010_readme
use strict;
use warnings;

use IPC::Run qw(run);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @lines = split /\n/, slurp_file('README.md');
my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');

# The fenced blocks: language, first and last line between the fences (from
# 0), why it is not run, and whether only empty lines part it from the one before.
sub blocks
{
	my ($at, $fresh, $why, @blocks) = (undef, 0);

	for my $n (0 .. $#lines)
	{
		my $line = $lines[$n];

		if (defined $at && $line =~ /^```$/)
		{
			$at->{to} = $n - 1;
			push @blocks, $at;
			($at, $fresh, $why) = (undef, 1, undef);
		}
		elsif (!defined $at && $line =~ /^```(\w+)$/)
		{
			$at = { language => $1, from => $n + 1, why => $why, follows => $fresh };
		}
		elsif (!defined $at && $line =~ /^<!-- not run: (.*) -->$/)
		{
			($why, $fresh) = ($1, 0);
		}
		elsif (!defined $at && $line ne '')
		{
			($why, $fresh) = (undef, 0);
		}
	}
	die "a block that begins in line $at->{from} does not end" if defined $at;
	return @blocks;
}

sub text
{
	my $block = shift;
	return join '', map { "$_\n" } @lines[ $block->{from} .. $block->{to} ];
}

# Runs SQL as a reader would, and gives all that psql says.
sub answer
{
	my $sql = shift;
	my $output = '';
	my $done = run [
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-P', 'pager=off',
		'-d', $node->connstr('shop') ], '<', \$sql, '>&', \$output;

	$output =~ s/[ \t]+$//mg;
	$output =~ s/\A\n+|\n+\z//g;
	return ($done, "$output\n");
}

my @blocks = blocks();
my %replaced;
my $nrun = 0;

for my $i (0 .. $#blocks)
{
	my $block = $blocks[$i];
	my $next = $blocks[ $i + 1 ];
	my $name = "the SQL in line $block->{from}";

	next if $block->{language} ne 'sql';
  SKIP:
	{
		skip "$name is not run: $block->{why}", 1 if defined $block->{why};
		my ($done, $output) = answer(text($block));
		my $shown = $next && $next->{language} eq 'text' && $next->{follows};
		my $expected = $shown ? text($next) : undef;

		$nrun++;
		if (!defined $expected)
		{
			ok($done, "$name runs") or diag($output);
			next;
		}
		$expected =~ s/[ \t]+$//mg;
		if (!is($output, $expected, "$name answers what is shown"))
		{
			$replaced{ $next->{from} } = [ $next->{to}, $output ];
		}
		elsif ($done != ($expected !~ /^ERROR:/m))
		{
			fail("$name fails when an error is shown, and only then");
		}
	}
}
cmp_ok($nrun, '>', 30, 'the README has SQL to run');

# links within the README lead somewhere
my %anchor;
for (grep { /^#+ / } @lines)
{
	my $heading = lc s/^#+ //r;

	$heading =~ s/[^\w\- ]//g;
	$heading =~ tr/ /-/;
	$anchor{$heading} = 1;
}
my %link = map { $_ => 1 } map { /\]\(#([^)]*)\)/g } @lines;
ok($anchor{$_}, "there is a heading for the link #$_") for sort keys %link;

# --------------------------------------------------------------------------
# The reference
# --------------------------------------------------------------------------

my $readme = join "\n", @lines;

sub rows { return split /\n/, $node->safe_psql('shop', shift) }

# as the README writes what the catalog says
sub plain
{
	my $signature = shift;

	$signature =~ s/(, )?\bOUT [^,)]*//g;
	$signature =~ s/\bIN //g;
	$signature =~ s/"//g;
	$signature =~ s/ DEFAULT / = /g;
	$signature =~ s/::[a-z0-9 ]+(\[\])?//g;
	$signature =~ s/\binteger\b/int/g;
	$signature =~ s/\bdouble precision\b/float8/g;
	return $signature;
}

sub is_told
{
	my ($what, $kind) = @_;

	ok(index($readme, $what) >= 0, "the README tells of the $kind $what");
}

# a recommender whose ids are of types that nothing else is of
$node->safe_psql('shop', q{
	CREATE TABLE reference (user_id money, item_id xid8);
	CREATE INDEX ON reference (user_id);
	SELECT recommender.create_recommender('reference', 'reference');
});
for (rows(q{
	SELECT 'recs.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
	FROM pg_proc p WHERE p.pronamespace = 'reference'::regnamespace ORDER BY 1}))
{
	my $signature = plain($_);

	$signature =~ s/\bmoney\b/U/g;
	$signature =~ s/\bxid8\b/I/g;
	is_told("`$signature`", 'function');
}
# all others, but those that only a view, an aggregate or a recommender's own functions call
for (rows(q{
	SELECT 'recommender.' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
	FROM pg_proc p
	WHERE p.pronamespace = 'recommender'::regnamespace AND p.proname !~ '_list$'
	AND NOT EXISTS (SELECT FROM pg_aggregate a
					WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn))
	AND NOT EXISTS (SELECT FROM pg_proc r
					WHERE r.pronamespace = 'reference'::regnamespace AND r.proname = p.proname)
	ORDER BY 1}))
{
	is_told('`' . plain($_) . '`', 'function');
}

# columns of the views and row types, and of what a reader may look at
for (rows(q{
	SELECT c.relname || ' | ' || string_agg('`' || a.attname || '`', ', ' ORDER BY a.attnum) || ' |'
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace IN ('recommender'::regnamespace, 'reference'::regnamespace)
	AND c.relkind IN ('v', 'c', 'r') AND c.relname NOT IN ('recommendation', 'reference')
	GROUP BY c.oid ORDER BY c.relname}))
{
	my ($name, $columns) = split / /, $_, 2;

	ok(index($readme, $columns) >= 0, "the README tells of the columns of $name");
}
is_told($_, 'column') for rows(q{
	SELECT '| `' || a.attname || '` | ' FROM pg_attribute a
	WHERE a.attrelid = 'reference.recommendation'::regclass ORDER BY a.attnum});

# options: name and default, as in the table's first and fourth column
is_told($_, 'option') for rows(q{
	SELECT '| `' || o.key || '` | ' FROM recommender.recommenders r, jsonb_each(r.options) o
	WHERE r.name = 'reference' ORDER BY 1});
for (rows(q{
	SELECT o.key || ' ' || o.value FROM recommender.recommenders r, jsonb_each(r.options) o
	WHERE r.name = 'reference' ORDER BY 1}))
{
	my ($name, $value) = split / /, $_, 2;

	like($readme, qr/^\| `$name` \|[^|]*\|[^|]*\| `\Q$value\E`/m, "option $name has the default $value");
}

# findings, as they are written in the source
my %codes;
my $check = slurp_file('src/check.c');
$codes{$2} = $1 while $check =~ /add_finding\(findings, "(\w+)", "(\w+)"/g;
cmp_ok(scalar keys %codes, '>', 10, 'check.c has findings');
like($readme, qr/^\| `$_` \| $codes{$_} \|/m, "finding $_, $codes{$_}") for sort keys %codes;

$node->stop;

if (%replaced)
{
	my $file = "$ENV{TESTDIR}/README.md";

	for my $from (sort { $b <=> $a } keys %replaced)
	{
		my ($to, $output) = @{ $replaced{$from} };
		splice @lines, $from, $to - $from + 1, split(/\n/, $output);
	}
	unlink $file;
	append_to_file($file, join '', map { "$_\n" } @lines);
	diag("a README with all answers as they are now: $file");
}

done_testing();
