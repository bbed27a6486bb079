# long_functions.pl MAX FILE...: C++ functions whose body has more than MAX lines, as "file:line: ...".
# Comments and literals are blanked first; a brace opens a function when the text before it, up to the
# last ; { or }, has a parameter list and does not name a type or a namespace.
use strict;
use warnings;

my $max = shift @ARGV;
for my $file (@ARGV) {
    open(my $in, '<', $file) or die "$file: $!\n";
    my $text = do { local $/; <$in> };
    $text =~ s{(R"([^\s()\\]{0,16})\(.*?\)\2"|/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')}
              {my $gone = $1; $gone =~ s/[^\n]/ /g; $gone}gse;
    $text =~ s{^[ \t]*#(?:[^\n]*\\\n)*[^\n]*}{my $gone = $&; $gone =~ s/[^\n]//g; $gone}gme;

    my ($line, $depth, $head, $function) = (1, 0, '', undef);
    for my $char (split /([{};\n])/, $text) {
        $line++ if $char eq "\n";
        if ($char eq '{') {
            if (!$function && $head =~ /\)/ && $head !~ /\b(?:namespace|class|struct|union|enum)\b[^()]*$|=\s*$/) {
                my ($name) = $head =~ /([~\w:]+)\s*\(/;
                $function = {line => $line, depth => $depth, name => $name // 'lambda'};
            }
            $depth++;
            $head = '';
        } elsif ($char eq '}') {
            $depth--;
            if ($function && $depth == $function->{depth}) {
                my $lines = $line - $function->{line} - 1;
                print "$file:$function->{line}: function $function->{name} has $lines lines ($max are allowed)\n" if $lines > $max;
                undef $function;
            }
            $head = '';
        } elsif ($char eq ';') {
            $head = '';
        } else {
            $head .= $char;
        }
    }
}
