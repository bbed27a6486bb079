# snapshot.pl ROOT RUN MARK: what of the host a test may not change, one line per thing, sorted: mounts, network
# links, guests' cgroups, processes in them or started with TEST_MARK=MARK in their environment, and the
# files of RUN, of the default run directory, and of ROOT's guests and images.
# With TEST_BOX set, in a tests/support/v2box: all cgroups and all processes of the box.
# Only looks: nothing here or in its callers signals a process found by searching. One program and no
# helpers, because it runs twice per test, also where making a process is slow.
use strict;
use warnings;

# snapshot.pl --cgroup-parent RUN: just the name of the cgroup that the guests of RUN are below.
if (@ARGV == 2 && $ARGV[0] eq '--cgroup-parent') {
    print cgroup_parent($ARGV[1]), "\n";
    exit 0;
}
my ($root, $run, $mark) = @ARGV;
my $boxed = $ENV{TEST_BOX};
die "snapshot.pl: needs a root, a run directory and a mark\n" if grep { !length($_ // '') } $root, $run, $mark;

sub content_of {
    my $path = shift;
    open(my $in, '<', $path) or return '';
    local $/;
    my $content = <$in>;
    return $content // '';
}

sub entries_of {
    my $dir = shift;
    opendir(my $handle, $dir) or return ();
    return grep { $_ ne '.' && $_ ne '..' } readdir $handle;
}

# tree DIR MIN MAX: the paths at these depths below DIR; links are not followed.
sub tree {
    my ($dir, $min, $max) = @_;
    return () if $max < 1;
    return map {
        my $path = "$dir/$_";
        (($min <= 1 ? $path : ()), -d $path && !-l $path ? tree($path, $min - 1, $max - 1) : ());
    } entries_of($dir);
}

# The name of the cgroup above the guests of RUN: it carries the FNV-1a hash of the directory's path.
# tests/native/harness.sh holds this against a running guest.
sub cgroup_parent {
    use integer;
    no warnings 'portable';    # 64-bit numbers are meant
    my $hash = 0xcbf29ce484222325;
    $hash = ($hash ^ ord($_)) * 0x100000001b3 for split //, shift;
    no integer;
    return sprintf 'warren-%016x', $hash;
}

sub mounts {
    my @lines = split /\n/, content_of('/proc/self/mountinfo');
    for (@lines) {
        s/^\d+ \d+ //;    # ids and peer groups may differ; what is mounted where may not
        s/ (?:shared|master|propagate_from):\d+//g;
        s/^/mount /;
    }
    return @lines;
}

sub cgroups {
    my $parent = shift;
    my ($top) = grep { -e "$_/cgroup.procs" } map { (split / /)[1] } grep { (split / /)[2] eq 'cgroup2' } split /\n/, content_of('/proc/mounts');
    return () unless defined $top;
    return map { "cgroup $_" } grep { -d } tree($top, 1, 8) if $boxed;
    # The empty parent may stay.
    return map { "cgroup $_" } grep { m{/\Q$parent\E[^/]*/} && -d } tree($top, 1, 8);
}

sub is_of_test {
    my ($dir, $parent) = @_;
    # Of what is outside of the box, the path leads up.
    return content_of("$dir/cgroup") =~ m{^0::/(?!\.\.)}m if $boxed;
    return 1 if content_of("$dir/cgroup") =~ m{/\Q$parent\E[^/\n]*(?:/|$)}m;
    my %given = map { $_ => 1 } split /\0/, content_of("$dir/environ");
    return exists $given{"TEST_MARK=$mark"};
}

# This program and those that wait for it.
sub own_processes {
    my %own = (1 => 1);
    for (my $pid = $$; $pid > 1; ($pid) = content_of("/proc/$pid/stat") =~ /\) \S (\d+)/) {
        $own{$pid} = 1;
    }
    return %own;
}

sub processes {
    my $parent = shift;
    my %own = own_processes();
    my @lines;
    for my $pid (grep { /^\d+$/ } entries_of('/proc')) {
        my $stat = content_of("/proc/$pid/stat");
        # Zombies are their parents' to reap.
        next if $own{$pid} || $stat eq '' || $stat =~ /\) Z / || !is_of_test("/proc/$pid", $parent);
        my $line = content_of("/proc/$pid/cmdline");
        $line =~ tr/\0\n/  /;
        push @lines, "process $pid $line";
    }
    return @lines;
}

my $parent = cgroup_parent($run);
my @run_directories = grep { -d } qw(/run/warren /run/warren-oci);
# The image store's own lock files stay; an import under way (.tmp-*) does not.
my @images = grep { !m{/\.(?!tmp-)[^/]*$} } tree("$root/images", 1, 1);
my @files = (tree($run, 2, 8), tree("$root/guests", 1, 1), @images, @run_directories,
    map { tree($_, 1, 2) } @run_directories);
# Not of /sys, which shows the network namespace that it was mounted in.
my @links = map { /^ *([^ :]+):/ ? $1 : () } split /\n/, content_of('/proc/self/net/dev');
my @things = (mounts(), cgroups($parent), processes($parent), (map { "link $_" } @links), (map { "file $_" } @files));
print "$_\n" for sort @things;
