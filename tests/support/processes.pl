# processes.pl CGROUP MARK: lists the processes that are in a cgroup whose path has the component CGROUP, or
# were started with TEST_MARK=MARK in their environment; each as "process PID COMMAND LINE". Only looks:
# nothing here or in its callers signals by such a list. Zombies are left out: their parents reap them.
use strict;
use warnings;

my ($cgroup, $mark) = @ARGV;
die "processes.pl: needs a cgroup's name and a mark\n" unless length($cgroup // '') && length($mark // '');

sub content_of {
    my $path = shift;
    open(my $in, '<', $path) or return '';
    local $/;
    my $content = <$in>;
    return $content // '';
}

sub is_of_test {
    my $dir = shift;
    my $cgroups = content_of("$dir/cgroup");
    return 1 if $cgroups =~ m{/\Q$cgroup\E[^/\n]*(?:/|$)}m;
    my %given = map { $_ => 1 } split /\0/, content_of("$dir/environ");
    return exists $given{"TEST_MARK=$mark"};
}

for my $dir (glob '/proc/[0-9]*') {
    my ($pid) = $dir =~ /(\d+)$/;
    my $stat = content_of("$dir/stat");
    next if $pid == $$ || $stat eq '' || $stat =~ /\) Z /;
    next unless is_of_test($dir);
    my $line = content_of("$dir/cmdline");
    $line =~ tr/\0\n/  /;
    print "process $pid $line\n";
}
