# shellcheck shell=bash
# An ordinary user, "nobody", with subordinate ids and a cgroup of its own. Sourced after lib.sh and bundles.sh.

USER_ID=65534

# start_user NAME: the bundle $B of the container $C, owned by the user; its root is the user, the other ids come from
# the user's subordinate ones.
start_user() {
    need_command setpriv
    need_command newuidmap
    need_command newgidmap
    C=$(unique "$1")
    B=$TEST_DIR/$C
    mkdir -p "$TEST_DIR/user" "$B"
    make_root "$B/rootfs"
    chmod 755 "$TEST_DIR" "$(dirname "$TEST_DIR")"
    chmod 700 "$TEST_DIR/user"
    echo "$(id -nu "$USER_ID"):200000:65536" >"$TEST_DIR/subids"
    chmod 644 "$TEST_DIR/subids"
    if [ ! -f /etc/subuid ] || [ ! -f /etc/subgid ]; then
        skip "this host has no /etc/subuid"
    fi
    chown -R "$USER_ID:$USER_ID" "$TEST_DIR/user" "$B"
    (cd "$B" && as_user spec --rootless)
    # shellcheck disable=SC2016  # jq's variable
    edit_config "$B" '.process.terminal = false | .root.readonly = false | .linux.cgroupsPath = $name
        | .linux.uidMappings = [{containerID: 0, hostID: 65534, size: 1}, {containerID: 1, hostID: 200000, size: 65535}]
        | .linux.gidMappings = .linux.uidMappings' --arg name "$C"
}

# as_user ARG...: the runtime as the user, in the user's cgroup where delegate_cgroup has made one. The subordinate ids
# are this command's only.
as_user() {
    user_command "$WARREN_OCI" --root "$TEST_DIR/user/oci" "$@"
}

user_command() {
    # shellcheck disable=SC2016  # the inner shell's
    unshare --mount --propagation private sh -c '
        mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid || exit 125
        [ -z "$2" ] || echo $$ >"$2/session/cgroup.procs" || exit 125
        user=$3; shift 3; exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"' \
        sh "$TEST_DIR/subids" "${DELEGATED-}" "$USER_ID" env XDG_RUNTIME_DIR="$TEST_DIR/user" HOME="$TEST_DIR/user" "$@"
}

# delegate_cgroup: $DELEGATED is the user's, with all controllers there are; remove_delegated takes it away.
delegate_cgroup() {
    local controller
    DELEGATED=$(cgroup_mount)/$(unique delegated)
    mkdir "$DELEGATED"
    for controller in $(<"$DELEGATED/cgroup.controllers"); do
        echo "+$controller" >"$DELEGATED/cgroup.subtree_control"
    done
    mkdir "$DELEGATED/session"
    chown "$USER_ID" "$DELEGATED" "$DELEGATED"/session "$DELEGATED"{,/session}/cgroup.{procs,threads,subtree_control}
    trap remove_delegated EXIT
}

remove_delegated() {
    find "$DELEGATED" -depth -type d -exec rmdir {} + 2>/dev/null || :
}

# user_cgroup_of ID: the cgroup of the user's container, seen from the host.
user_cgroup_of() {
    sed -n 's/^0:://p' "/proc/$(as_user state "$1" | jq .pid)/cgroup"
}

# user_status_is ID STATUS
user_status_is() {
    [ "$(as_user state "$1" | jq -r .status)" = "$2" ]
}

# assert_user_life: create, start, exec and delete of $C, whose ids are the mapped ones.
assert_user_life() {
    local pid
    program "$B" /bin/sleep 86399
    chown "$USER_ID" "$B/config.json"
    assert_exit 0 as_user create --bundle "$B" "$C"
    assert_exit 0 as_user start "$C"
    user_status_is "$C" running || fail "not running"
    pid=$(as_user state "$C" | jq .pid)
    assert_eq "$(tr -s ' ' <"/proc/$pid/uid_map" | paste -sd,)" " 0 65534 1, 1 200000 65535" "ids of users"
    assert_eq "$(tr -s ' ' <"/proc/$pid/gid_map" | paste -sd,)" " 0 65534 1, 1 200000 65535" "ids of groups"
    assert_exit 0 as_user exec --user 1000:1000 "$C" sh -c 'id -u; id -g; echo x >/dev/null; touch /tmp/of-1000'
    assert_eq "$OUT" $'1000\n1000'
    assert_eq "$(stat -c '%u %g' "$B/rootfs/tmp/of-1000")" "200999 200999" "whose its file is on the host"
    assert_exit 0 as_user exec "$C" id -u
    assert_eq "$OUT" 0
    assert_exit 1 as_user delete "$C"
    assert_exit 0 as_user kill "$C" KILL
    wait_until user_status_is "$C" stopped
    assert_exit 0 as_user delete "$C"
    assert_eq "$(find "$TEST_DIR/user/oci" -mindepth 1)" "" "what is left of it"
}
