# shellcheck shell=bash
# What of the host a test may not change. Two snapshots are compared by assert_host_unchanged, which
# names what was left behind and what is gone.

# The mount point of the cgroup v2 tree.
cgroup_mount() {
    awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts
}

# The name of the cgroup above the guests of this WARREN_RUN: it carries the directory's FNV-1a hash.
# tests/native/harness.sh holds this against a running guest.
cgroup_parent_name() {
    local hash=$((0xcbf29ce484222325)) i
    for ((i = 0; i < ${#WARREN_RUN}; i++)); do
        hash=$(((hash ^ $(printf '%d' "'${WARREN_RUN:i:1}")) * 0x100000001b3))
    done
    printf 'warren-%016x\n' "$hash"
}

# Guests' cgroups; the empty parent itself may stay.
snapshot_cgroups() {
    find "$(cgroup_mount)" -type d -path "*$(cgroup_parent_name)*/*" -printf 'cgroup %p\n' 2>/dev/null
}

# Processes in guests, and whatever a test of this file started, by the mark it inherits.
snapshot_processes() {
    perl "$SUPPORT_DIR/processes.pl" "$(cgroup_parent_name)" "$TEST_MARK_NAME"
}

snapshot_host() {
    # Mount ids and peer groups may differ; what is mounted where may not.
    awk '{$1 = $2 = ""; print "mount" $0}' /proc/self/mountinfo | sed -E 's/ (shared|master|propagate_from):[0-9]+//g'
    snapshot_cgroups
    snapshot_processes
    ip -o link show 2>/dev/null | awk -F': ' '{print "link " $2}'
    find /run -mindepth 1 -maxdepth 3 -path '/run/warren*' -printf 'file %p\n' 2>/dev/null
    find "$WARREN_RUN" -mindepth 2 -printf 'file %p\n' 2>/dev/null
    find "$WARREN_ROOT/guests" "$WARREN_ROOT/images" -mindepth 1 -maxdepth 1 -printf 'file %p\n' 2>/dev/null
}

# host_state FILE: a sorted snapshot.
host_state() {
    { snapshot_host || :; } | sort >"$1"
}

# host_difference BEFORE AFTER: what was left and what is gone; nothing when they are equal. Images that
# need_image brought are there for the next test.
host_difference() {
    comm -13 "$1" "$2" | grep -vxFf "$TEST_STATE/shared-images" | sed 's/^/left behind: /' || :
    comm -23 "$1" "$2" | sed 's/^/gone: /'
}

# assert_host_unchanged BEFORE: fails the test, after giving dying processes five seconds.
assert_host_unchanged() {
    local after difference try
    after=$(mktemp "$TEST_DIR/.host.XXXXXX")
    for ((try = 0; try < 50; try++)); do
        host_state "$after"
        difference=$(host_difference "$1" "$after")
        [ -n "$difference" ] || return 0
        sleep 0.1
    done
    fail "the host is not as before:"$'\n'"$difference"
}
