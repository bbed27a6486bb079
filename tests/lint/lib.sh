# shellcheck shell=bash
# Shared by the lints. Each lint is called as: LINT [TREE] (TREE: the project's root by default),
# prints one line per finding, "file:line: what and why", and exits 1 when there was any, 77 when its
# tool is not installed. A lint runs with the tree as its current directory.
set -euo pipefail

LINT_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$LINT_DIR/../..}"

# tree_files GLOB...: the tree's files whose name matches, without what git ignores.
tree_files() {
    local patterns=() glob
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files -co --exclude-standard -- "$@" | while read -r file; do
            [ ! -f "$file" ] || printf '%s\n' "$file"
        done | sort -u
        return
    fi
    for glob in "$@"; do
        patterns+=(-o -name "$glob")
    done
    find . \( -path ./.git -o -path './build*' \) -prune -o -type f \( "${patterns[@]:1}" \) -printf '%P\n' | sort -u
}

# shell_files: every shell script, by its name or its first line.
shell_files() {
    # shellcheck disable=SC2016  # perl's
    tree_files '*' | xargs -r -d '\n' perl -e '
        for my $file (@ARGV) {
            open(my $in, "<", $file) or next;
            read($in, my $head, 64);
            print "$file\n" if $file =~ /\.sh$/ || $head =~ m{^#!.*/(ba)?sh};
        }'
}

# need_tool NAME: exits as skipped when the program is not there.
need_tool() {
    command -v "$1" >/dev/null || { echo "$1 is not installed"; exit 77; }
}

# finish FINDINGS: prints them and exits as the contract says.
finish() {
    [ -z "$1" ] || { printf '%s\n' "$1"; exit 1; }
    exit 0
}
