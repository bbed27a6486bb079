# shellcheck shell=bash
# OCI bundles for tests of the runtime in $WARREN_OCI; sourced after lib.sh. Their containers are kept below
# $WARREN_RUN/oci, and their root is busybox.

BUNDLE_CONFIG=$(cd "$(dirname "${BASH_SOURCE[0]}")/../conformance" && pwd)/config.json

# oci ARG...: the runtime under test.
oci() {
    "$WARREN_OCI" --root "$WARREN_RUN/oci" "$@"
}

# make_root DIR: a root of busybox and of links to it.
make_root() {
    local name
    mkdir -p "$1"/{bin,sbin,etc,tmp,root,usr/bin,usr/sbin,proc,sys,dev,var,run}
    chmod 1777 "$1/tmp"
    cp "$(command -v busybox)" "$1/bin/busybox"
    for name in cat chmod chown cut echo false grep head hostname id ip kill ln ls mkdir mount nc ps pwd readlink rm sed sh sleep stat test touch tr true umount uname; do
        ln -s /bin/busybox "$1/bin/$name"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}

# make_bundle DIR [JQ_ARG...]: DIR with config.json, what engines usually write, changed by the filter.
make_bundle() {
    mkdir -p "$1"
    make_root "$1/rootfs"
    jq --arg cgroup "/$(basename "$1")" '.linux.cgroupsPath = $cgroup' "$BUNDLE_CONFIG" >"$1/config.json"
    [ $# -lt 2 ] || edit_config "$@"
}

# new_bundle NAME [JQ_ARG...]: the bundle $B of the container $C.
new_bundle() {
    C=$(unique "$1")
    B=$TEST_DIR/$C
    make_bundle "$B" "${@:2}"
}

# no_container_is_left AFTER
no_container_is_left() {
    local left
    left=$(find "$WARREN_RUN/oci" -mindepth 1 2>/dev/null || :)
    assert_eq "$left" "" "containers after $1"
    left=$(find "$(cgroup_mount)" -maxdepth 2 -type d -name "$C*")
    assert_eq "$left" "" "cgroups after $1"
}

# edit_config DIR JQ_ARG...
edit_config() {
    jq "${@:2}" <"$1/config.json" >"$1/config.json.new"
    mv "$1/config.json.new" "$1/config.json"
}

# program BUNDLE WORD...: what the container runs; words of one line.
program() {
    # jq takes words that begin with a dash for its own options.
    # shellcheck disable=SC2016  # jq's variable
    edit_config "$1" '.process.args = $words' --argjson words "$(printf '%s\n' "${@:2}" | jq -R . | jq -s .)"
}

# status_of ID
status_of() {
    oci state "$1" 2>/dev/null | jq -r .status
}

# is_status ID STATUS
is_status() {
    [ "$(status_of "$1")" = "$2" ]
}

# sleeping BUNDLE ID: a container of it that runs.
sleeping() {
    program "$1" /bin/sleep 86399
    assert_exit 0 oci create --bundle "$1" "$2"
    assert_exit 0 oci start "$2"
}

# assert_runs_or_refuses BUNDLE ID: exit 0 with nothing on stderr, or status 1 with one line; nothing is left either way.
# What it printed is in OUT and ERR, the status in STATUS.
assert_runs_or_refuses() {
    STATUS=0
    timeout 60 "$WARREN_OCI" --root "$WARREN_RUN/oci" run --bundle "$1" "$2" >"$TEST_DIR/.out" 2>"$TEST_DIR/.err" </dev/null || STATUS=$?
    # shellcheck disable=SC2034  # for the test
    OUT=$(<"$TEST_DIR/.out")
    ERR=$(<"$TEST_DIR/.err")
    [ "$STATUS" = 0 ] || [ "$STATUS" = 1 ] || fail "exit $STATUS: $ERR"
    if [ "$STATUS" = 1 ]; then
        assert_eq "$(grep -c '' <<<"$ERR")" 1 "lines on stderr ('$ERR')"
        assert_ne "$ERR" "" "stderr"
    fi
}
