# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/rootless.sh"

# warren-oci as an ordinary user who has subordinate ids; tests/host/oci_rootless.sh has what needs controllers.

test_ids_come_by_newuidmap() {
    start_user ids
    assert_user_life
}

test_ids_that_are_not_the_users_are_refused() {
    start_user greedy
    edit_config "$B" '.linux.uidMappings[1].hostID = 300000'
    assert_refused 1 newuidmap as_user create --bundle "$B" "$C"
    assert_eq "$(find "$TEST_DIR/user/oci" -mindepth 1)" "" "what is left of it"
}

test_delegated_cgroup_is_used() {
    start_user delegated
    delegate_cgroup
    program "$B" /bin/sleep 86399
    assert_exit 0 as_user run --detach --bundle "$B" "$C"
    assert_match "$(user_cgroup_of "$C")" "/$(basename "$DELEGATED")/$C\$"
    assert_exit 0 as_user pause "$C"
    user_status_is "$C" paused || fail "not paused"
    assert_exit 0 as_user resume "$C"
    assert_exit 0 as_user exec --detach "$C" sleep 86398
    assert_eq "$(as_user ps --format json "$C" | jq length)" 2 "processes"
    assert_exit 0 as_user delete --force "$C"
    assert_eq "$(find "$DELEGATED" -mindepth 1 -type d)" "$DELEGATED/session" "cgroups that are left"
    assert_user_life
    remove_delegated
}
