# forbidden.pl TABLE FILE...: what forbidden.txt forbids, as "file:line: name: why".
use strict;
use warnings;

my @rules;
open(my $table, '<', shift @ARGV) or die "table of patterns: $!\n";
while (<$table>) {
    next if /^\s*(?:#|$)/;
    chomp;
    my ($name, $where, $except, $pattern, $why) = map { s/^\s+|\s+$//gr =~ s/\\\|/|/gr } split /\s\|\s/, $_, 5;
    push @rules, {name => $name, where => qr/$where/, except => $except eq '-' ? undef : qr/$except/,
                  pattern => $pattern eq 'CALLS_WITHOUT_CLOEXEC' ? undef : qr/$pattern/m, why => $why};
}

# What makes a descriptor, and the word its arguments must hold.
my %cloexec_word = (
    open => 'O_CLOEXEC', openat => 'O_CLOEXEC', pipe2 => 'O_CLOEXEC', dup3 => 'O_CLOEXEC', fopen => '"[rwa][b+]*e',
    socket => 'SOCK_CLOEXEC', socketpair => 'SOCK_CLOEXEC', accept4 => 'SOCK_CLOEXEC', epoll_create1 => 'EPOLL_CLOEXEC',
    eventfd => 'EFD_CLOEXEC', signalfd => 'SFD_CLOEXEC', timerfd_create => 'TFD_CLOEXEC', inotify_init1 => 'IN_CLOEXEC',
    memfd_create => 'MFD_CLOEXEC', fsopen => 'FSOPEN_CLOEXEC', fsmount => 'FSMOUNT_CLOEXEC', fspick => 'FSPICK_CLOEXEC',
    open_tree => 'OPEN_TREE_CLOEXEC', map({ $_ => 'nothing' } qw(pipe dup accept creat epoll_create inotify_init)),
);
my $makers = join '|', sort { length $b <=> length $a } keys %cloexec_word;

sub blank { my $gone = shift; $gone =~ s/[^\n]/ /g; return $gone; }

# Comments blanked; literals too, but for those fopen is given.
sub code_of {
    my $text = shift;
    $text =~ s{(/\*.*?\*/|//[^\n]*)|(R"([^\s()\\]{0,16})\(.*?\)\3"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')}
              {my ($comment, $literal) = ($1, $2);
               defined $comment ? blank($comment) : $literal =~ /^"[rwabe+]{1,5}"$/ ? $literal : blank($literal)}gse;
    return $text;
}

sub line_of { my ($text, $at) = @_; return 1 + (substr($text, 0, $at) =~ tr/\n//); }

sub places_without_cloexec {
    my $code = shift;
    my @places;
    while ($code =~ /(?:(?<![\w>])::|\bstd::|(?<![\w.>:]))($makers)\s*(\((?:[^()]++|(?2))*\))(?!\s*(?:const|noexcept|\{))/g) {
        my ($maker, $arguments, $at) = ($1, $2, $-[1]);
        # A method of the same name: fewer arguments than the system call takes.
        next if $maker =~ /^(?:open|openat|accept|accept4|socket)$/ && $arguments !~ /,/;
        # A declaration: the word before is a type.
        next if substr($code, 0, $at) =~ /(?:\b(?!return\b|else\b|co_return\b)[\w>]+|[&*])\s+(?:::)?$/ && $arguments !~ /CLOEXEC/;
        push @places, $at unless $arguments =~ /$cloexec_word{$maker}/;
    }
    return @places;
}

for my $file (@ARGV) {
    open(my $in, '<', $file) or die "$file: $!\n";
    my $text = do { local $/; <$in> } // '';
    next if $text =~ /\0/;
    my @lines = split /\n/, $text;
    my $code;
    for my $rule (@rules) {
        next if $file !~ $rule->{where} || ($rule->{except} && $file =~ $rule->{except});
        my $subject = $rule->{name} =~ /^text-/ ? $text : ($code //= code_of($text));
        my @places;
        if ($rule->{pattern}) {
            while ($subject =~ /$rule->{pattern}/g) {
                my ($at, $matched) = ($-[0], $&);
                push @places, $at + length(($matched =~ /^(\s*)/)[0]);
            }
        } else {
            @places = places_without_cloexec($subject);
        }
        for my $line (map { line_of($subject, $_) } @places) {
            next if $lines[$line - 1] =~ m{(?://|\#) lint: allow \Q$rule->{name}\E: \S};
            print "$file:$line: $rule->{name}: $rule->{why}\n";
        }
    }
}
