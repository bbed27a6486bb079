# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/oci_image.sh"

# containerd, by ctr, with warren-oci below its runc shim. Each test starts a containerd of its own.

start_containerd() {
    need_command containerd
    need_command ctr
    mkdir -p "$TEST_DIR/containerd"
    runtime_program >/dev/null
    cat >"$TEST_DIR/containerd/config.toml" <<TOML
version = 2
root = "$TEST_DIR/containerd/root"
state = "$TEST_DIR/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$TEST_DIR/containerd/socket"
[ttrpc]
  address = "$TEST_DIR/containerd/ttrpc"
TOML
    containerd --config "$TEST_DIR/containerd/config.toml" >"$TEST_DIR/containerd/log" 2>&1 &
    CONTAINERD=$!
    trap stop_daemon EXIT
    wait_until ctr_here version
    ctr_here image import "$(busybox_archive)" >/dev/null
}

ctr_here() {
    ctr --address "$TEST_DIR/containerd/socket" "$@"
}

# run OPTION... ID COMMAND...: of the busybox image, by the runtime under test.
run() {
    local options=()
    # Its default is a weight, for which there may be no controller.
    grep -qw cpu "$(cgroup_mount)/cgroup.controllers" || options=(--cpu-shares 0)
    ctr_here run "${options[@]}" --runc-binary "$TEST_DIR/warren-oci" --runc-root "$TEST_DIR/containerd/runc" "$@"
}

# stop_daemon: also when the test has failed.
stop_daemon() {
    local id
    for id in $(ctr_here task ls -q 2>/dev/null); do
        ctr_here task kill --signal KILL --all "$id" 2>/dev/null || :
    done
    for id in $(ctr_here container ls -q 2>/dev/null); do
        ctr_here task delete --force "$id" >/dev/null 2>&1 || :
        ctr_here container delete "$id" >/dev/null 2>&1 || :
    done
    kill "$CONTAINERD" 2>/dev/null || :
    wait "$CONTAINERD" 2>/dev/null || :
    unmount_store
}

unmount_store() {
    local point
    while read -r point; do
        umount "$point" || :
    done < <(awk -v dir="$TEST_DIR/containerd/" 'index($5, dir) == 1 {print $5}' /proc/self/mountinfo | sort -r)
    # The default namespace's cgroup is containerd's.
    rmdir "$(cgroup_mount)/default" 2>/dev/null || :
}

IMAGE=localhost/busybox:latest

finish() {
    assert_eq "$(ctr_here task ls -q)" "" tasks
    assert_eq "$(find "$TEST_DIR/containerd/runc" "$WARREN_RUN/oci" -name state.json 2>/dev/null)" "" "containers the runtime still knows"
    stop_daemon
    trap - EXIT
}

test_run() {
    start_containerd
    assert_exit 0 run --rm "$IMAGE" one echo hello
    assert_eq "$OUT" hello
    assert_exit 3 run --rm "$IMAGE" one sh -c 'exit 3'
    assert_exit 127 run --rm "$IMAGE" missing /no/such/program
    assert_contains "$ERR" "/no/such/program"
    assert_exit 0 run --rm --env A=b --cwd /tmp "$IMAGE" one sh -c 'echo $A; pwd; id -u'
    assert_eq "$OUT" $'b\n/tmp\n0'
    assert_exit 0 run --rm --privileged "$IMAGE" one sh -c 'mount -t tmpfs tmpfs /tmp && echo mounted'
    assert_eq "$OUT" mounted
    assert_exit 1 run --rm --read-only "$IMAGE" one touch /file
    assert_exit 0 run --rm --seccomp "$IMAGE" one grep Seccomp: /proc/self/status
    assert_match "$OUT" 2
    finish
}

test_terminal() {
    start_containerd
    assert_contains "$(in_terminal ctr --address "$TEST_DIR/containerd/socket" run --cpu-shares 0 --runc-binary "$TEST_DIR/warren-oci" --runc-root "$TEST_DIR/containerd/runc" --rm --tty "$IMAGE" one \
        sh -c 'test -t 0 && echo it is a terminal')" "it is a terminal"
    finish
}

test_life_of_a_task() {
    local command=(sh -c 'trap "exit 7" TERM; while :; do sleep 0.1; done')
    start_containerd
    run --detach "$IMAGE" one "${command[@]}"
    assert_match "$(ctr_here task ls)" "one +[0-9]+ +RUNNING"
    assert_exit 0 ctr_here task exec --exec-id first one echo inside
    assert_eq "$OUT" inside
    assert_exit 5 ctr_here task exec --exec-id second one sh -c 'exit 5'
    assert_contains "$(in_terminal ctr --address "$TEST_DIR/containerd/socket" task exec --tty --exec-id third one sh -c 'test -t 0 && echo it is a terminal')" "it is a terminal"
    ctr_here task exec --fifo-dir "$TEST_DIR/fifos" --detach --exec-id fourth one sleep 86397
    assert_match "$(ctr_here task ps one)" "[0-9]+"
    ctr_here task pause one
    assert_match "$(ctr_here task ls)" "one +[0-9]+ +PAUSED"
    ctr_here task resume one
    assert_match "$(ctr_here task ls)" "one +[0-9]+ +RUNNING"
    assert_exit 0 ctr_here task metrics one
    assert_match "$OUT" "one +[0-9]{4}-"
    if grep -qw memory "$(cgroup_mount)/cgroup.controllers"; then
        assert_match "$OUT" "memory.usage +[1-9]"
    fi
    ctr_here task kill --signal KILL --exec-id fourth one
    ctr_here task kill --signal TERM one
    wait_until sh -c "ctr --address '$TEST_DIR/containerd/socket' task ls | grep -q STOPPED"
    assert_exit 0 ctr_here task delete one
    assert_contains "$ERR" "exit code 7"
    ctr_here container delete one
    finish
}
