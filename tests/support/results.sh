# shellcheck shell=bash
# How every lane tells of its tests; sourced. $results is the file that tests/run counts.

# record pass|fail|skip LABEL SECONDS REASON: one line of $results, with a tab between its parts, and one for who watches.
record() {
    # shellcheck disable=SC2154  # the script's
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4//$'\n'/ }" >>"$results"
    printf '%-4s %s (%s s)%s\n' "$1" "$2" "$3" "${4:+: $4}"
}
