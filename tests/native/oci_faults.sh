# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# warren-oci killed at every step of create, start and delete: the next command cleans up, or goes on.

# die_at STEP COMMAND...: 0 when it was killed there, 1 when it got to its end before.
die_at() {
    local status=0
    WARREN_FAULT=$1 "${@:2}" >"$TEST_DIR/out" 2>"$TEST_DIR/err" </dev/null || status=$?
    case $status in
        137) return 0 ;;
        0) return 1 ;;
        *) fail "at fault $1 '${*:2}' exited $status: $(cat "$TEST_DIR/err")" ;;
    esac
}

need_fault_points() {
    local status=0
    WARREN_FAULT=1 oci create --bundle "$B" "$C" >/dev/null 2>&1 || status=$?
    oci delete --force "$C"
    [ "$status" = 137 ] || skip "this build of warren-oci has no fault points"
}

test_create_killed_at_every_step_is_undone() {
    local step=1
    new_bundle dies
    need_fault_points
    while die_at "$step" oci create --bundle "$B" --pid-file "$TEST_DIR/pid" "$C"; do
        oci list >/dev/null
        case $(status_of "$C") in
            created) assert_exit 0 oci delete --force "$C" ;;
            '') ;;
            *) fail "after a create that died at step $step: $(oci state "$C")" ;;
        esac
        no_container_is_left "a create that died at step $step"
        step=$((step + 1))
    done
    [ "$step" -gt 8 ] || fail "only $step steps"
    oci delete --force "$C"
}

ran() {
    [[ $(status_of "$1") == @(running|stopped) ]]
}

test_start_killed_at_every_step_leaves_a_whole_container() {
    local step=1
    new_bundle dies
    need_fault_points
    program "$B" /bin/sleep 86399
    while :; do
        assert_exit 0 oci create --bundle "$B" "$C"
        die_at "$step" oci start "$C" || break
        wait_until ran "$C"
        assert_exit 0 oci delete --force "$C"
        no_container_is_left "a start that died at step $step"
        step=$((step + 1))
    done
    oci delete --force "$C"
    [ "$step" -gt 2 ] || fail "only $step steps"
}

test_delete_killed_at_every_step_goes_on() {
    local step=1
    new_bundle dies
    need_fault_points
    while :; do
        assert_exit 0 oci create --bundle "$B" "$C"
        die_at "$step" oci delete --force "$C" || break
        assert_exit 0 oci delete --force "$C"
        no_container_is_left "a delete that died at step $step"
        step=$((step + 1))
    done
    [ "$step" -gt 3 ] || fail "only $step steps"
    no_container_is_left "a delete"
}
