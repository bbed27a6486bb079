# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# For words about a failure, where the standard outputs are the container's.
exec 5>&2

# checkpoint and restore, where criu can work with the kernel: a counter that goes on where it was.

need_criu() {
    need_command criu
    # Asked once a file.
    [ -f "$TEST_STATE/criu-says" ] || (criu check && echo yes) >"$TEST_STATE/criu-says" 2>&1 || :
    [ "$(tail -n 1 "$TEST_STATE/criu-says")" = yes ] || skip "criu check: $(head -n 1 "$TEST_STATE/criu-says")"
}

# counter NAME: the bundle $B of the container $C, whose program counts in memory and writes it to /count.
counter() {
    C=$(unique "$1")
    B=$TEST_DIR/$C
    IMAGE=$TEST_DIR/image
    make_bundle "$B"
    program "$B" /bin/sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count.new; mv /count.new /count; sleep 0.1; done'
    edit_config "$B" '.linux.cgroupsPath = "/warren-criu/" + $name
        | .mounts += [{destination: "/data", type: "bind", source: $dir, options: ["rbind", "ro"]}]' --arg name "$C" --arg dir "$TEST_DIR/data"
    mkdir "$TEST_DIR/data"
    echo data >"$TEST_DIR/data/file"
    # What it has open must be its own to be saved: the null device, or a pipe.
    oci run --detach --bundle "$B" "$C" </dev/null >/dev/null 2>&1
    wait_until counted_past 3
}

counted() {
    cat "$B/rootfs/count"
}

counted_past() {
    [ "$(counted)" -gt "$1" ]
}

# goes_on ID AT: it counts, and has not begun anew.
goes_on() {
    wait_until is_status "$1" running
    [ "$(counted)" -ge "$2" ] || fail "$1 has begun anew: $(counted) after $2"
    wait_until counted_past $(($(counted) + 2))
}

# cgroup_of: where the container $C is, seen from the host.
cgroup_of() {
    cat "/proc/$(oci state "$C" | jq .pid)/cgroup"
}

finish() {
    assert_exit 0 oci delete --force "$C"
    assert_eq "$(ls -A "$WARREN_RUN/oci")" "" "containers the runtime still knows"
    rmdir "$(cgroup_mount)/warren-criu" 2>/dev/null || :
}

# restore OPTION... ID
restore() {
    or_log oci --log "$TEST_DIR/log" restore --detach "$@" </dev/null >/dev/null 2>&1
}

# or_log COMMAND...: with criu's own words when it fails.
or_log() {
    "$@" && return
    [ ! -f "$TEST_DIR/log" ] || cat "$TEST_DIR/log" >&5
    find "$IMAGE" -name '*.log' -exec grep -aE 'Error|Warn' {} + | tail -n 40 >&5
    fail "$*" 2>&5
}

test_container_is_saved_and_goes_on() {
    local at
    need_criu
    counter saved
    or_log oci checkpoint --image-path "$IMAGE" "$C"
    assert_exit 1 oci state "$C"
    assert_eq "$(ls -A "$WARREN_RUN/oci")" "" "what is left of a container that is saved"
    at=$(counted)
    sleep 1
    assert_eq "$(counted)" "$at" "what a container that is saved has counted"
    restore --bundle "$B" --image-path "$IMAGE" "$C"
    goes_on "$C" "$at"
    finish
}

test_saved_container_may_be_left_running() {
    local at pid
    need_criu
    counter left
    pid=$(oci state "$C" | jq .pid)
    or_log oci checkpoint --leave-running --image-path "$IMAGE" "$C"
    at=$(counted)
    assert_eq "$(oci state "$C" | jq .pid)" "$pid"
    goes_on "$C" "$at"
    assert_exit 0 oci delete --force "$C"
    # Back to when it was saved, under another name and in another cgroup.
    C=$C-again
    edit_config "$B" '.linux.cgroupsPath = "/warren-criu/" + $name' --arg name "$C"
    restore --bundle "$B" --image-path "$IMAGE" "$C"
    wait_until is_status "$C" running
    assert_match "$(cgroup_of)" "/warren-criu/$C\$"
    assert_exit 0 oci exec "$C" cat /proc/1/cgroup
    assert_eq "$OUT" 0::/
    finish
}

test_restored_container_is_a_container_like_others() {
    local at
    need_criu
    counter like
    or_log oci checkpoint --image-path "$IMAGE" "$C"
    restore --bundle "$B" --image-path "$IMAGE" --pid-file "$TEST_DIR/pid" "$C"
    assert_eq "$(oci state "$C" | jq .pid)" "$(<"$TEST_DIR/pid")"
    assert_match "$(cgroup_of)" "/warren-criu/$C\$"
    assert_exit 0 oci exec "$C" sh -c 'hostname; cat /data/file; grep -cx 1 /sys/fs/cgroup/cgroup.procs; grep Seccomp: /proc/1/status'
    assert_eq "$(tr '\n\t' '  ' <<<"$OUT")" "bundle data 1 Seccomp: 2 "
    assert_exit 1 oci exec "$C" touch /data/file
    assert_exit 0 oci ps --format json "$C"
    assert_eq "$(jq '.[0]' <<<"$OUT")" "$(<"$TEST_DIR/pid")"
    assert_exit 0 oci pause "$C"
    at=$(counted)
    sleep 1
    assert_eq "$(counted)" "$at" "what a paused container has counted"
    assert_exit 0 oci resume "$C"
    goes_on "$C" "$at"
    # And once more.
    at=$(counted)
    rm -r "$IMAGE"
    or_log oci checkpoint --image-path "$IMAGE" "$C"
    restore --bundle "$B" --image-path "$IMAGE" "$C"
    goes_on "$C" "$at"
    assert_exit 0 oci kill "$C" KILL
    wait_until is_status "$C" stopped
    assert_exit 0 oci delete "$C"
    finish_deleted
}

finish_deleted() {
    assert_eq "$(ls -A "$WARREN_RUN/oci")" "" "containers the runtime still knows"
    rmdir "$(cgroup_mount)/warren-criu" 2>/dev/null || :
}

test_memory_is_saved_ahead() {
    local at
    need_criu
    counter ahead
    or_log oci checkpoint --pre-dump --image-path "$IMAGE/first" "$C"
    goes_on "$C" 1
    or_log oci checkpoint --image-path "$IMAGE/last" --parent-path ../first "$C"
    at=$(counted)
    restore --bundle "$B" --image-path "$IMAGE/last" "$C"
    goes_on "$C" "$at"
    finish
}

test_failed_restore_leaves_nothing() {
    need_criu
    counter broken
    or_log oci checkpoint --image-path "$IMAGE" "$C"
    rm "$IMAGE"/pages-*.img
    assert_refused 1 "criu restore" oci restore --detach --bundle "$B" --image-path "$IMAGE" "$C"
    assert_eq "$(ls -A "$WARREN_RUN/oci")" "" "containers the runtime still knows"
    assert_eq "$(find "$(cgroup_mount)/warren-criu" -mindepth 1 -type d)" "" "cgroups"
    rmdir "$(cgroup_mount)/warren-criu" 2>/dev/null || :
}

test_failed_checkpoint_lets_it_run() {
    need_criu
    counter stays
    touch "$TEST_DIR/file"
    assert_exit 1 oci checkpoint --image-path "$TEST_DIR/file" "$C"
    goes_on "$C" 1
    finish
}

test_refused_where_criu_cannot_work() {
    local at
    ! criu check >/dev/null 2>&1 || skip "criu can work here"
    counter refused
    at=$(counted)
    assert_refused 1 "checkpoint and restore need" oci checkpoint --image-path "$IMAGE" "$C"
    goes_on "$C" "$at"
    assert_refused 1 "checkpoint and restore need" oci restore --bundle "$B" --image-path "$IMAGE" "$C-again"
    finish
}
