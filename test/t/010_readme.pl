# test/t/010_readme.pl
#	Checks the README and the pages in doc/.
#
# Every ```sql block of README.md is run, in order, in one fresh database: one
# test each.  A ```text block that comes right after it, with nothing but empty
# lines between, is what psql answers, to the letter but for spaces at the ends
# of lines; "ERROR:" at the start of it says that the block shall fail.  A block
# below a comment <!-- not run: why --> is counted and skipped.  Then the same is
# done with each page of doc/, in a copy of the database as the README leaves
# it: examples there go on from those of the README, and from no other page's.
#
# Links between all of them must lead somewhere.  And doc/reference.md is
# compared with the extension: functions with their arguments, columns, options
# and their defaults, findings, errors.
#
# When an answer is another one, the pages with all answers as they are now are
# left beside the logs: KEEP=directory make check ONLY=tap TESTS=010_readme
use strict;
use warnings;

use IPC::Run qw(run);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @pages = ('README.md', sort glob 'doc/*.md');
my %lines = map { $_ => [ split /\n/, slurp_file($_) ] } @pages;
my $node = PostgreSQL::Test::Cluster->new('readme');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');

# The fenced blocks of a page: language, first and last line between the fences
# (from 0), why it is not run, and whether only empty lines part it from the one
# before.
sub blocks
{
	my $page = shift;
	my ($at, $fresh, $why, @blocks) = (undef, 0);

	for my $n (0 .. $#{ $lines{$page} })
	{
		my $line = $lines{$page}[$n];

		if (defined $at && $line =~ /^```$/)
		{
			$at->{to} = $n - 1;
			push @blocks, $at;
			($at, $fresh, $why) = (undef, 1, undef);
		}
		elsif (!defined $at && $line =~ /^```(\w+)$/)
		{
			$at = { page => $page, language => $1, from => $n + 1, why => $why, follows => $fresh };
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
	die "a block of $page that begins in line $at->{from} does not end" if defined $at;
	return @blocks;
}

sub text
{
	my $block = shift;
	return join '', map { "$_\n" } @{ $lines{ $block->{page} } }[ $block->{from} .. $block->{to} ];
}

# Runs SQL as a reader would; returns whether it succeeded and the output of psql.
sub answer
{
	my ($database, $sql) = @_;
	my $output = '';
	my $done = run [
		'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-P', 'pager=off',
		'-d', $node->connstr($database) ], '<', \$sql, '>&', \$output;

	$output =~ s/[ \t]+$//mg;
	$output =~ s/\A\n+|\n+\z//g;
	return ($done, "$output\n");
}

# Leaves a page with other answers beside the logs.
sub keep_page
{
	my ($page, $replaced) = @_;
	my $file = "$ENV{TESTDIR}/" . ($page =~ s{.*/}{}r);
	my @new = @{ $lines{$page} };

	for my $from (sort { $b <=> $a } keys %$replaced)
	{
		my ($to, $output) = @{ $replaced->{$from} };
		splice @new, $from, $to - $from + 1, split(/\n/, $output);
	}
	unlink $file;
	append_to_file($file, join '', map { "$_\n" } @new);
	diag("$page with all answers as they are now: $file");
}

# Runs the blocks of a page; returns their number.
sub run_page
{
	my ($page, $database) = @_;
	my @blocks = blocks($page);
	my %replaced;
	my $nrun = 0;

	for my $i (0 .. $#blocks)
	{
		my $block = $blocks[$i];
		my $next = $blocks[ $i + 1 ];
		my $name = "the SQL in line $block->{from} of $page";

		next if $block->{language} ne 'sql';
	  SKIP:
		{
			skip "$name is not run: $block->{why}", 1 if defined $block->{why};
			my ($done, $output) = answer($database, text($block));
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
	keep_page($page, \%replaced) if %replaced;
	return $nrun;
}

cmp_ok(scalar @{ $lines{'README.md'} }, '<=', 350, 'the README is short');
cmp_ok(run_page('README.md', 'shop'), '>', 10, 'the README has SQL to run');
my $nrun = 0;
for my $page (grep { $_ ne 'README.md' } @pages)
{
	$node->safe_psql('postgres', 'CREATE DATABASE page TEMPLATE shop');
	$nrun += run_page($page, 'page');
	$node->safe_psql('postgres', 'DROP DATABASE page');
}
cmp_ok($nrun, '>', 50, 'the pages in doc/ have SQL to run');

# --------------------------------------------------------------------------
# Links
# --------------------------------------------------------------------------

# The anchors of a page's headings.
sub anchors
{
	my ($fenced, %anchor) = (0);

	for (@_)
	{
		$fenced = !$fenced if /^```/;
		next if $fenced || !/^#+ (.*)/;
		my $heading = lc $1;

		$heading =~ s/[^\w\- ]//g;
		$heading =~ tr/ /-/;
		$anchor{$heading}++;
	}
	return \%anchor;
}

my %anchors = map { $_ => anchors(@{ $lines{$_} }) } @pages;
for my $page (@pages)
{
	my $folder = $page =~ m{^(.*/)} ? $1 : '';
	my %link = map { $_ => 1 } map { /\]\(([^)]*)\)/g } @{ $lines{$page} };

	is(join(' ', grep { $anchors{$page}{$_} > 1 } keys %{ $anchors{$page} }), '', "each heading of $page is there once");
	for my $link (sort keys %link)
	{
		my ($file, $anchor) = split /#/, $link, 2;

		$file = $file eq '' ? $page : "$folder$file" =~ s{^doc/\.\./}{}r;
		ok(-e $file && (!defined $anchor || $anchors{$file}{$anchor}), "the link $link of $page leads somewhere");
	}
}
for my $page (grep { $_ ne 'README.md' } @pages)
{
	ok((grep { /\]\(\Q$page\E\)/ } @{ $lines{'README.md'} }), "the README leads to $page");
}

# --------------------------------------------------------------------------
# The reference
# --------------------------------------------------------------------------

my $reference = join "\n", @{ $lines{'doc/reference.md'} };

sub rows { return split /\n/, $node->safe_psql('shop', shift) }

# a type or default of the catalog as the reference writes it
sub plain
{
	my $text = shift;

	$text =~ s/::[a-z0-9 ]+(\[\])?//g;
	$text =~ s/\binteger\b/int/g;
	$text =~ s/\bdouble precision\b/float8/g;
	$text =~ s/\bmoney\b/U/g;
	$text =~ s/\bxid8\b/I/g;
	$text =~ s/\breference\./recs./g;
	return $text;
}

sub is_told
{
	my ($what, $kind) = @_;

	ok(index($reference, $what) >= 0, "the reference tells of the $kind $what");
}

# a recommender whose ids are of types that nothing else is of
$node->safe_psql('shop', q{
	CREATE TABLE reference (user_id money, item_id xid8);
	CREATE INDEX ON reference (user_id);
	SELECT recommender.create_recommender('reference', 'reference');
	SELECT recommender.create_events_view('reference');
});
# Public functions: those of a recommender, and those of the schema recommender.
# The reference has each with the names of its arguments, in their order, and
# what it returns; and in the same section a table with type and default of each
# argument.  A function with several forms is described by the longest.
my %section;
for (split /^(?=##)/m, $reference)
{
	push @{ $section{$1} }, $_ while /`((?:recs|recommender)\.\w+)\(/g;
}
my %arguments;
my %result;
for (rows(q{
	SELECT CASE n.nspname WHEN 'reference' THEN 'recs' ELSE n.nspname END || '.' || p.proname,
		   a.name, pg_catalog.format_type(a.type, NULL),
		   coalesce(pg_get_function_arg_default(p.oid, a.nr::int), ''),
		   p.prokind = 'p', p.proretset, coalesce(pg_get_function_result(p.oid), '')
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	CROSS JOIN LATERAL unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs]) WITH ORDINALITY AS a (type, name, nr)
	WHERE p.pronamespace IN ('reference'::regnamespace, 'recommender'::regnamespace)
	ORDER BY 1, p.pronargs, p.oid, a.nr}))
{
	my ($function, $name, $type, $default, $procedure, $set, $returns) = split /\|/, $_, -1;

	$arguments{$function} //= [];
	$arguments{$function} = [] if grep { $_->[0] eq $name } @{ $arguments{$function} };
	push @{ $arguments{$function} }, [ $name, plain($type), plain($default) ];
	$returns =~ s/^SETOF //;
	$returns = plain($returns);
	$result{$function} = $procedure eq 't' ? 'is a procedure' : $set eq 'f' ? "`$returns`" : $returns eq 'record' ? 'rows of (' : "rows of `$returns`";
}
cmp_ok(scalar keys %arguments, '>', 40, 'there are public functions');
for my $function (sort keys %arguments)
{
	my $synopsis = "`$function(" . join(', ', map { $_->[0] } @{ $arguments{$function} }) . ')`';
	my ($section) = grep { index(s/\s+/ /gr, $synopsis) >= 0 } @{ $section{$function} // [] };

	ok(defined $section, "the reference has $synopsis") or next;
	ok(index($section =~ s/\s+/ /gr, $result{$function}) >= 0, "and that it returns $result{$function}");
	for (@{ $arguments{$function} })
	{
		my ($name, $type, $default) = @$_;
		my $row = "| `$name` | $type | " . ($default eq '' ? '' : "`$default`") . ' |';

		ok($section =~ s/\| +\|/|  |/gr =~ /^\Q$row\E/m, "and of $function: $row");
	}
}
for (sort keys %section)
{
	ok($arguments{$_}, "$_ of the reference is there");
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

	ok(index($reference, $columns) >= 0, "the reference tells of the columns of $name");
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

	like($reference, qr/^\| `$name` \|[^|]*\|[^|]*\| `\Q$value\E`/m, "option $name has the default $value");
}

# findings, as they are written in the source
my %codes;
my $check = join '', map { slurp_file($_) } glob 'src/admin/*.c';
$codes{$2} = $1 while $check =~ /rec_findings_add\(findings, "(\w+)", "(\w+)"/g;
cmp_ok(scalar keys %codes, '>', 10, 'src/admin has findings');
like($reference, qr/^\| `$_` \| $codes{$_} \|/m, "finding $_, $codes{$_}") for sort keys %codes;

# the table of symptoms has each finding, and no other
my %symptom;
for (@{ $lines{'doc/operations.md'} })
{
	$symptom{$_} = 1 for /^\| [^|]+ \| (`[^|]+`) \|/ ? $1 =~ /`(\w+)`/g : ();
	last if /^## What to monitor/;
}
is(join(' ', sort keys %symptom), join(' ', sort keys %codes), 'the symptoms lead to all findings');

# Errors: each message of the table is in the source, with "..." for what differs.
# Exempt are messages of the server, and those that are put together in pieces.
my @exempt = (
	'column "..." of relation "...", the time, must be of type timestamp with time zone, timestamp or date, not ...',
	'column "..." of relation "...", the weight, must be of a numeric type, not ...',
	'context must be a JSON object', 'filter must be a JSON object',
	'invalid input syntax for type ... (with the context: filter on column "...": "...")',
	'permission denied for table ...', 'permission denied for schema ...', 'permission denied for function ...',
	'query would be affected by row-level security policy for table "..."',
	'cannot drop ... because other objects depend on it', 'could not serialize access due to concurrent update');
my @messages;
for (glob 'src/*.c src/*/*.c src/*/*.h')
{
	my $source = slurp_file($_) =~ s/"\s*\n\s*"//gr;

	while ($source =~ /"((?:[^"\\]|\\.)*)"/g)
	{
		my @literals = split /%(?:\.\*)?l*[a-z]/, $1 =~ s/\\"/"/gr, -1;
		my $pattern = join '.+', map { quotemeta } @literals;

		push @messages, qr/^$pattern$/ if "@literals" =~ /\w.{9}/;
	}
}
my ($errors) = $reference =~ /^## Errors, and what to do\n(.*)/ms;
my $nmessages = 0;
while ($errors =~ /^\| (.+?) \| [0-9A-Z; ]+(?: and its like)? \|/mg)
{
	for my $message (map { s/, and its like$//r } split /; /, $1)
	{
		next if $message =~ /^(?:message|---)/ || grep { $_ eq $message } @exempt;
		$nmessages++;
		ok((grep { $message =~ $_ } @messages), "the error: $message");
	}
}
cmp_ok($nmessages, '>', 40, 'the reference has errors');

$node->stop;

done_testing();
