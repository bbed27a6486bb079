# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# The look at the host must see what a guest is made of, or no test would notice one left behind.

test_snapshot_sees_a_running_guest() {
    local name seen
    need_image busybox
    name=$(unique seen)
    warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    snapshot_host "$TEST_DIR/seen"
    seen=$(<"$TEST_DIR/seen")
    assert_match "$seen" "cgroup [^ ]*/warren-[0-9a-f]+[^ ]*/$name" "the guest's cgroup"
    assert_match "$seen" "process [0-9]+ [^ ]*sleep 86399" "the guest's process"
    assert_contains "$seen" "file $WARREN_ROOT/guests/$name" "the guest's record"
    warren destroy --force "$name"
}
