# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for jq
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

# occupied PATH: a cgroup with a process of somebody else's, $OTHER.
occupied() {
    mkdir "$(cgroup_mount)$1"
    sleep 86397 &
    OTHER=$!
    echo "$OTHER" >"$(cgroup_mount)$1/cgroup.procs"
}

vacate() {
    kill "$OTHER"
    wait "$OTHER" || :
    rmdir "$(cgroup_mount)$1"
}

# assert_left_alone PATH AFTER
assert_left_alone() {
    kill -0 "$OTHER" 2>/dev/null || fail "$2: the process of others was killed"
    assert_eq "$(cat "$(cgroup_mount)$1/cgroup.procs")" "$OTHER" "who is in $1 after $2"
}

test_cgroup_of_others_is_left_alone() {
    local step=1 path status=0
    new_bundle others
    need_fault_points
    path=/$C-theirs
    edit_config "$B" '.linux.cgroupsPath = $path' --arg path "$path"
    occupied "$path"
    assert_refused 1 "cgroup $path: it holds processes already (1)" oci create --bundle "$B" "$C"
    assert_left_alone "$path" "a create"
    assert_refused 1 "cgroup $path: it holds processes already (1)" oci run --bundle "$B" "$C"
    assert_left_alone "$path" "a run"
    # Killed before it found out: neither does the next command end them.
    while :; do
        status=0
        WARREN_FAULT=$step oci create --bundle "$B" "$C" >/dev/null 2>&1 </dev/null || status=$?
        [ "$status" = 137 ] || break
        # As if it were still at work: it holds the lock.
        [ ! -e "$WARREN_RUN/oci/$C/state.json" ] || flock -o "$WARREN_RUN/oci/$C" "$WARREN_OCI" --root "$WARREN_RUN/oci" kill --all "$C" KILL
        assert_left_alone "$path" "kill --all beside a create at step $step"
        assert_exit 0 oci delete --force "$C"
        assert_left_alone "$path" "a create that died at step $step"
        step=$((step + 1))
    done
    [ "$step" -gt 3 ] || fail "only $step steps"
    assert_left_alone "$path" "all of them"
    assert_eq "$(find "$WARREN_RUN/oci" -mindepth 1)" "" "containers left"
    vacate "$path"
}

test_cgroup_of_another_container_is_left_alone() {
    local first
    new_bundle first
    first=$C
    sleeping "$B" "$first"
    new_bundle second
    edit_config "$B" '.linux.cgroupsPath = $path' --arg path "/$first"
    assert_refused 1 "cgroup /$first: it holds processes already (1)" oci create --bundle "$B" "$C"
    assert_eq "$(status_of "$first")" running
    assert_exit 0 oci exec "$first" true
    assert_exit 0 oci delete --force "$first"
    no_container_is_left "all of them"
}

test_cgroup_of_an_earlier_boot_is_not_its_own() {
    local path
    new_bundle rebooted
    path=/$C-again
    edit_config "$B" '.linux.cgroupsPath = $path' --arg path "$path"
    sleeping "$B" "$C"
    # As a root on disk would be found after a reboot, with somebody else where it was.
    assert_exit 0 oci kill "$C" KILL
    wait_until is_status "$C" stopped
    jq '.boot_id = "00000000-0000-0000-0000-000000000000"' "$WARREN_RUN/oci/$C/state.json" >"$TEST_DIR/state.json"
    cp "$TEST_DIR/state.json" "$WARREN_RUN/oci/$C/state.json"
    rmdir "$(cgroup_mount)$path"
    occupied "$path"
    assert_exit 0 oci kill --all "$C" KILL
    assert_left_alone "$path" "kill --all"
    assert_exit 0 oci list
    assert_exit 0 oci delete --force "$C"
    assert_left_alone "$path" "delete --force"
    vacate "$path"
}
