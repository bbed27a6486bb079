# shellcheck shell=bash
# The host before and after a test: assert_host_unchanged names what was left behind and what is gone.

# The mount point of the cgroup v2 tree. Mount points that something else lies over are listed, too.
cgroup_mount() {
    local point
    while read -r point; do
        if [ -e "$point/cgroup.procs" ]; then
            printf '%s\n' "$point"
            return
        fi
    done < <(awk '$3 == "cgroup2" {print $2}' /proc/mounts)
}

# snapshot_host FILE: see snapshot.pl.
snapshot_host() {
    perl "$SUPPORT_DIR/snapshot.pl" "$WARREN_ROOT" "$WARREN_RUN" "$TEST_MARK_NAME" >"$1"
}

# host_difference BEFORE AFTER: what was left and what is gone; nothing when they are equal. Images that
# need_image brought are there for the next test.
host_difference() {
    if ! cmp -s "$1" "$2"; then
        LC_ALL=C comm -13 "$1" "$2" | grep -vxFf "$TEST_STATE/shared-images" | sed 's/^/left behind: /' || :
        LC_ALL=C comm -23 "$1" "$2" | sed 's/^/gone: /'
    fi
}

# assert_host_unchanged BEFORE: fails the test, after giving dying processes TEST_SETTLE_SECONDS (30).
assert_host_unchanged() {
    local after=$TEST_STATE/after difference try
    for ((try = 0; try < 10 * ${TEST_SETTLE_SECONDS:-30}; try++)); do
        snapshot_host "$after"
        difference=$(host_difference "$1" "$after")
        [ -n "$difference" ] || return 0
        sleep 0.1
    done
    fail "the host is not as before:"$'\n'"$difference"
}
