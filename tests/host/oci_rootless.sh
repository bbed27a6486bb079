# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/rootless.sh"

# warren-oci as an ordinary user to whom a cgroup with controllers was delegated: a directory, a service, or the user's
# own systemd.

limited() {
    edit_config "$B" '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000}}'
}

# assert_limited CGROUP
assert_limited() {
    local dir
    dir=$(cgroup_mount)$1
    assert_eq "$(<"$dir/memory.max") $(<"$dir/pids.max") $(<"$dir/cpu.max")" "67108864 50 50000 100000" "limits"
}

test_limits_hold_in_a_delegated_directory() {
    need_controller cpu memory pids
    start_user limits
    delegate_cgroup
    limited
    program "$B" /bin/sleep 86399
    assert_exit 0 as_user run --detach --bundle "$B" "$C"
    assert_match "$(user_cgroup_of "$C")" "/$(basename "$DELEGATED")/$C\$"
    assert_limited "$(user_cgroup_of "$C")"
    assert_exit 0 as_user update --pids-limit 60 "$C"
    assert_eq "$(cat "$DELEGATED/$C/pids.max")" 60
    assert_exit 0 as_user delete --force "$C"
    assert_user_life
    remove_delegated
}

test_life_without_delegation() {
    start_user plain
    assert_user_life
}

# user_manager: the user's own systemd, or none here.
user_manager() {
    need_pid1 systemd
    systemctl start "user@$USER_ID.service" 2>"$TEST_DIR/manager" || skip "no systemd of the user: $(head -n 1 "$TEST_DIR/manager")"
    trap 'systemctl stop "user@$USER_ID.service" "user-runtime-dir@$USER_ID.service"' EXIT
    [ -S "/run/user/$USER_ID/bus" ] || [ -S "/run/user/$USER_ID/systemd/private" ] || skip "the user's systemd has no bus"
}

test_scope_of_the_users_own_systemd() {
    local cgroup
    need_controller memory pids
    start_user scope
    user_manager
    limited
    # shellcheck disable=SC2016  # jq's variable
    edit_config "$B" '.linux.cgroupsPath = "user.slice:test:" + $name | del(.linux.resources.cpu)' --arg name "$C"
    program "$B" /bin/sleep 86399
    assert_exit 0 as_user_of_manager run --detach --bundle "$B" "$C"
    cgroup=$(user_cgroup_of "$C")
    assert_match "$cgroup" "/user-$USER_ID.slice/user@$USER_ID.service/user.slice/test-$C.scope\$"
    assert_eq "$(<"$(cgroup_mount)$cgroup/memory.max") $(<"$(cgroup_mount)$cgroup/pids.max")" "67108864 50"
    assert_exit 0 as_user_of_manager exec "$C" true
    assert_exit 0 as_user_of_manager delete --force "$C"
    [ ! -d "$(cgroup_mount)$cgroup" ] || fail "$cgroup is left"
}

# as_user_of_manager ARG...: in a scope of the user's systemd, as podman puts itself: from outside of what belongs to the
# user the kernel lets nobody but root start a process in it.
as_user_of_manager() {
    user_command env XDG_RUNTIME_DIR="/run/user/$USER_ID" systemd-run --user --scope --quiet "$WARREN_OCI" --root "$TEST_DIR/user/oci" --systemd-cgroup "$@"
}
