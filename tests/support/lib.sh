# shellcheck shell=bash
# What every test file under tests/native and tests/host sources. A test file is a list of functions
# named test_*; each is run by tests/support/run-cases in a process of its own with `set -euo pipefail`:
# it passes when it returns 0, is skipped by `skip REASON` and fails by anything else. After each test
# the host must be as before it (mounts, cgroups, links, processes, /run): what is left is a failure.
#
# Given to a test:
#   warren ARG...     the program under test, with WARREN_ROOT and WARREN_RUN of its own; `create` and
#                     `run` get WARREN_CREATE_OPTS added, which names what this host's kernel lacks
#   $WARREN           the program's path, for where a function will not do (timeout, script, xargs)
#   $TEST_DIR         an empty directory, removed afterwards; a test that needs a second pair of roots
#                     uses its root/ and run/, whose guests are destroyed when the test fails
#   $OUT $ERR         what the command of the last assert_exit printed
# A file may set TEST_SECONDS, the time limit of each of its tests (default 900): it ends what hangs and measures nothing.

SUPPORT_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$SUPPORT_DIR/snapshot.sh"
. "$SUPPORT_DIR/images.sh"

fail() {
    echo "FAILED: $*" >&2
    echo "  at $(caller 1 2>/dev/null || caller 0)" >&2
    exit 1
}

skip() {
    echo "$*"
    exit 77
}

warren() {
    local before=() word takes_value=
    while [ $# -gt 0 ]; do
        word=$1
        shift
        before+=("$word")
        if [ -n "$takes_value" ]; then
            takes_value=
            continue
        fi
        case $word in
            --root | --run | --log-level) takes_value=1 ;;
            -*) ;;
            create | run)
                # shellcheck disable=SC2086  # a list of words
                "$WARREN" "${before[@]}" ${WARREN_CREATE_OPTS-} "$@"
                return
                ;;
            *) break ;;
        esac
    done
    "$WARREN" "${before[@]}" "$@"
}

assert_eq() {
    [ "$1" = "$2" ] || fail "${3:-value}: expected '$2', got '$1'"
}

assert_ne() {
    [ "$1" != "$2" ] || fail "${3:-value}: expected anything but '$2'"
}

assert_contains() {
    [[ $1 == *"$2"* ]] || fail "${3:-text}: expected '$2' in '$1'"
}

assert_not_contains() {
    [[ $1 != *"$2"* ]] || fail "${3:-text}: expected no '$2' in '$1'"
}

assert_match() {
    [[ $1 =~ $2 ]] || fail "${3:-text}: expected a match of /$2/, got '$1'"
}

# assert_between VALUE LOW HIGH [WHAT]: integers.
assert_between() {
    if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
        fail "${4:-value}: expected $2..$3, got $1"
    fi
}

# assert_exit CODE COMMAND...: runs it, keeps what it printed in OUT and ERR, and compares the status.
assert_exit() {
    local expected=$1 status=0
    shift
    "$@" >"$TEST_DIR/.out" 2>"$TEST_DIR/.err" || status=$?
    OUT=$(<"$TEST_DIR/.out")
    ERR=$(<"$TEST_DIR/.err")
    [ "$status" = "$expected" ] ||
        fail "'$*' exited $status, expected $expected; stdout: '${OUT:0:2000}' stderr: '${ERR:0:2000}'"
}

# assert_refused CODE TEXT COMMAND...: it exits CODE and says TEXT, in one line on stderr, and nothing else.
assert_refused() {
    local code=$1 text=$2
    shift 2
    assert_exit "$code" "$@"
    assert_contains "$ERR" "$text" "stderr of '$*'"
    assert_eq "$(grep -c '' <<<"$ERR")" 1 "lines on stderr of '$*' ('$ERR')"
    assert_eq "$OUT" "" "stdout of '$*'"
}

# wait_until COMMAND...: polls until the command succeeds. How long that takes is no test's matter: a machine may be busy.
wait_until() {
    local deadline=$((SECONDS + 90))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || fail "still not so in time: $*"
        sleep 0.1
    done
}

# has_no_namespaces PID: it has given them up on its way out.
has_no_namespaces() {
    ! readlink "/proc/$1/ns/mnt"
}

# start_guest NAME OPTION... [-- COMMAND...]
start_guest() {
    local name=$1
    shift
    assert_exit 0 warren create "$name" --image busybox "$@"
    assert_exit 0 warren start --wait "$name"
}

# cgroup_of NAME: the directory of the guest's cgroup.
cgroup_of() {
    printf '%s%s\n' "$(cgroup_mount)" "$(warren inspect "$1" | jq -r .cgroup)"
}

# value_of FILE KEY: from a file of "KEY VALUE" lines, by what the shell can do itself: where guests are measured a new
# process would take its time from them.
value_of() {
    local key value
    while read -r key value; do
        [ "$key" != "$2" ] || printf '%s\n' "$value"
    done <"$1"
}

# unique NAME: a guest name no other test uses.
unique() {
    printf '%s-%s\n' "$1" "$(printf '%s' "${TEST_NAME-}$$" | cksum | cut -d' ' -f1)"
}

need_command() {
    command -v "$1" >/dev/null || skip "$1 is not installed"
}

# need_controller NAME...: of cgroup v2; skips where the host keeps it in v1 or has none.
need_controller() {
    local name
    for name in "$@"; do
        grep -qw -- "$name" "$(cgroup_mount)/cgroup.controllers" ||
            skip "no cgroup v2 controller $name on this host"
    done
}

# need_pid1 NAME: what runs as the host's init.
need_pid1() {
    [ "$(cat /proc/1/comm)" = "$1" ] || skip "PID 1 is not $1"
}
