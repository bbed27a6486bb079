# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for another shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# Many containers: whatever their configs say, and one after the other a thousand times.

CONFORMANCE=$(cd "$SUPPORT_DIR/../conformance" && pwd)

# The runtime sees the host's tree read-only but for this test's directories: a config may name any path of it.
on_a_read_only_host() {
    unshare --mount --uts --ipc --propagation private bash -c '
        set -eu
        for dir in "$TEST_DIR" "$WARREN_RUN"; do mount --bind "$dir" "$dir"; done
        mount -o remount,bind,ro /
        exec "$@"' on_a_read_only_host "$@"
}

# mutate RUNTIME COUNT SEED
mutate() {
    make_bundle "$TEST_DIR/bundle"
    mkdir -p "$WARREN_RUN/oci"
    ASAN_OPTIONS=log_path=$WARREN_RUN/oci.sanitizer:exitcode=99 UBSAN_OPTIONS=log_path=$WARREN_RUN/oci.sanitizer:print_stacktrace=1 \
        on_a_read_only_host python3 "$CONFORMANCE/mutations.py" "$1" "$TEST_DIR/bundle" "$WARREN_RUN/oci" "$2" "$3" || fail "see above"
    rm -f "$WARREN_RUN"/oci.*
}

test_a_thousand_random_mutations() {
    mutate "${WARREN_OCI_RELEASE:-$WARREN_OCI}" "${WARREN_MUTATIONS:-1000}" "${WARREN_MUTATION_SEED:-1}"
}

# Slower, under sanitizers.
test_random_mutations_under_sanitizers() {
    mutate "$WARREN_OCI" "${WARREN_MUTATIONS:-150}" "${WARREN_MUTATION_SEED:-2}"
}

# processes_in_box: how many there are, counted without starting one.
processes_in_box() {
    local file pids=()
    shopt -s globstar
    for file in "$(cgroup_mount)"/**/cgroup.procs; do
        mapfile -t -O ${#pids[@]} pids <"$file"
    done
    echo ${#pids[@]}
}

# look: into NOW what the kernel holds for this box, exactly.
look() {
    local tree
    tree=$(cgroup_mount)
    NOW="mounts $(grep -c '' /proc/self/mountinfo)"
    NOW+=", cgroups $(find "$tree" -type d | wc -l)"
    NOW+=", dying cgroups $(sed -n 's/nr_dying_descendants //p' "$tree/cgroup.stat")"
    NOW+=", unix sockets $(grep -c '' /proc/self/net/unix)"
    NOW+=", links $(grep -c : /proc/self/net/dev)"
    NOW+=", processes $(processes_in_box)"
    NOW+=", runtime files $(find "$WARREN_RUN/oci" -mindepth 1 | wc -l)"
    NOW+=", bundle files $(find "$TEST_DIR/bundle" | wc -l)"
    NOW+=", shm $(find /dev/shm /run -xdev -maxdepth 1 -name '*warren*' ! -name warren ! -name warren-oci | wc -l)"
}

looks_as_before() {
    look
    [ "$NOW" = "$BEFORE" ]
}

one_container() {
    "$RUNTIME" --root "$WARREN_RUN/oci" create --bundle "$TEST_DIR/bundle" --pid-file "$TEST_DIR/bundle/pid" "$1" &&
        "$RUNTIME" --root "$WARREN_RUN/oci" start "$1" &&
        "$RUNTIME" --root "$WARREN_RUN/oci" delete --force "$1"
}

# roughly: of the whole machine, for the reader.
roughly() {
    awk '/^(MemAvailable|Slab|SUnreclaim|Percpu):/ {printf "%s %d MiB ", $1, $2 / 1024}' /proc/meminfo
    awk '{print "open files: " $1}' /proc/sys/fs/file-nr
}

test_a_thousand_in_a_row_leave_nothing() {
    local number
    # What is timed and counted is the build that is installed.
    RUNTIME=${WARREN_OCI_RELEASE:-$WARREN_OCI}
    make_bundle "$TEST_DIR/bundle"
    mkdir -p "$WARREN_RUN/oci"
    # The first ones make what stays: caches, and the parent of all cgroups.
    for number in 1 2 3; do
        one_container "warm$number"
    done
    wait_until grep -qx 'nr_dying_descendants 0' "$(cgroup_mount)/cgroup.stat"
    look
    BEFORE=$NOW
    echo "before: $(roughly)"
    for ((number = 0; number < 1000; number++)); do
        one_container "row$number" </dev/null >"$TEST_DIR/.out" 2>&1 || fail "container $number: $(cat "$TEST_DIR/.out")"
        [ ! -s "$TEST_DIR/.out" ] || fail "container $number printed: $(cat "$TEST_DIR/.out")"
    done
    # Cgroups die by and by.
    for ((number = 0; number < 600; number++)); do
        ! looks_as_before || break
        sleep 0.1
    done
    echo "after: $(roughly)"
    assert_eq "$NOW" "$BEFORE" "what the kernel holds"
}
