# floors.pl TABLE FILE...: includes that reach up or sideways, as "file:line: ...".
use strict;
use warnings;

my %floor_of;
open(my $table, '<', shift @ARGV) or die "floors table: $!\n";
while (<$table>) {
    next if /^\s*(?:#|$)/;
    my ($floor, $folder) = split;
    $floor_of{$folder} = $floor;
}

sub folder_of {
    my $path = shift;
    while ($path =~ s{/[^/]*$}{}) {
        return $path if exists $floor_of{$path};
    }
    return undef;
}

while (<>) {
    next unless /^\s*#\s*include\s*"([^"]+)"/;
    my ($target, $mine, $place) = ($1, folder_of($ARGV), "$ARGV:$.");
    my $theirs = folder_of($target);
    if (!defined $mine) {
        print "$place: this folder has no floor in tests/lint/floors.txt\n";
    } elsif ($target =~ m{^\.\.?/|/\.\./} || !defined $theirs || !-e $target) {
        print "$place: \"$target\" is no path from the root to a file of a folder in floors.txt\n";
    } elsif ($mine ne $theirs && $floor_of{$theirs} == $floor_of{$mine}) {
        print "$place: $mine includes its sibling $theirs; they meet a floor up, as values and descriptors\n";
    } elsif ($floor_of{$theirs} > $floor_of{$mine}) {
        print "$place: $mine (floor $floor_of{$mine}) includes $theirs (floor $floor_of{$theirs}) above it\n";
    }
} continue {
    close ARGV if eof;
}
