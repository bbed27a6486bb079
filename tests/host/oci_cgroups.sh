# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# Where warren-oci puts a container on a host with cgroup v2's controllers, and what holds it there: a directory of
# ours, or a scope of systemd's.

# limited: what docker and podman send, values for unset among them.
limited() {
    edit_config "$B" '.linux.resources = {
        memory: {limit: 67108864, swap: 67108864, reservation: 0, disableOOMKiller: false},
        cpu: {shares: 512, quota: 50000, period: 100000, realtimeRuntime: 0}, pids: {limit: 50}, blockIO: {}}'
}

# of_container FILE: of its cgroup.
of_container() {
    local pid
    pid=$(oci state "$C" | jq .pid)
    cat "$(cgroup_mount)$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$1"
}

assert_limited() {
    assert_eq "$(of_container memory.max)" 67108864
    assert_eq "$(of_container memory.swap.max)" 0
    assert_eq "$(of_container cpu.max)" "50000 100000"
    assert_eq "$(of_container cpu.weight)" 20
    assert_eq "$(of_container pids.max)" 50
}

# change_live RUNTIME_OPTION...
change_live() {
    echo '{"memory": {"limit": 134217728, "swap": 134217728}, "pids": {"limit": -1}, "cpu": {"quota": 25000}}' >"$TEST_DIR/more.json"
    assert_exit 0 oci "$@" update --resources "$TEST_DIR/more.json" "$C"
    assert_eq "$(of_container memory.max)" 134217728
    assert_eq "$(of_container memory.swap.max)" 0
    assert_eq "$(of_container cpu.max)" "25000 100000"
    assert_eq "$(of_container pids.max)" max
}

test_limits_hold_in_a_directory_of_ours() {
    need_controller cpu memory pids
    new_bundle dir
    limited
    edit_config "$B" ".linux.cgroupsPath = \"/made/on/the/way/$C\""
    sleeping "$B" "$C"
    assert_limited
    change_live
    assert_exit 0 oci events --stats "$C"
    assert_eq "$(jq .data.memory.usage.limit <<<"$OUT")" 134217728
    assert_eq "$(jq .data.pids.current <<<"$OUT")" 1
    assert_exit 0 oci pause "$C"
    assert_contains "$(of_container cgroup.events)" "frozen 1"
    assert_exit 0 oci resume "$C"
    assert_exit 0 oci delete --force "$C"
    assert_eq "$(find "$(cgroup_mount)" -path '*/made*')" "" "what is left of the way to it"
}

test_limits_hold_in_a_scope() {
    local unit
    need_pid1 systemd
    need_controller cpu memory pids
    new_bundle scope
    limited
    edit_config "$B" ".linux.cgroupsPath = \"machine.slice:libpod:$C\""
    unit=libpod-$C.scope
    program "$B" /bin/sleep 86399
    assert_exit 0 oci --systemd-cgroup create --bundle "$B" "$C"
    assert_exit 0 oci --systemd-cgroup start "$C"
    assert_limited
    assert_eq "$(systemctl show --value -p ActiveState "$unit")" active
    assert_eq "$(systemctl show --value -p Slice "$unit")" machine.slice
    assert_eq "$(systemctl show --value -p MemoryMax "$unit")" 67108864
    change_live --systemd-cgroup
    assert_eq "$(systemctl show --value -p MemoryMax "$unit")" 134217728
    assert_eq "$(systemctl show --value -p TasksMax "$unit")" infinity
    systemctl daemon-reload
    assert_eq "$(of_container memory.max)" 134217728
    assert_exit 0 oci --systemd-cgroup exec "$C" cat /proc/self/cgroup
    assert_eq "$OUT" 0::/
    assert_exit 0 oci --systemd-cgroup delete --force "$C"
    assert_eq "$(systemctl show --value -p LoadState "$unit")" not-found
}

test_a_name_can_be_had_again_at_once() {
    need_pid1 systemd
    new_bundle again
    edit_config "$B" ".linux.cgroupsPath = \"machine.slice:libpod:$C\""
    program "$B" /bin/true
    for _ in 1 2 3 4 5; do
        assert_exit 0 oci --systemd-cgroup run --bundle "$B" "$C"
    done
    assert_eq "$(systemctl list-units --all --no-legend 'libpod-*')" "" "scopes left"
}

test_scope_of_others_is_left_alone() {
    local unit other
    need_pid1 systemd
    new_bundle others
    edit_config "$B" ".linux.cgroupsPath = \"machine.slice:libpod:$C\""
    unit=libpod-$C.scope
    systemd-run --quiet --scope --slice=machine.slice --unit="$unit" sleep 86397 &
    other=$!
    wait_until systemctl is-active --quiet "$unit"
    assert_refused 1 "$unit" oci --systemd-cgroup create --bundle "$B" "$C"
    assert_eq "$(systemctl show --value -p ActiveState "$unit")" active
    kill -0 "$other" || fail "the process of others was killed"
    assert_eq "$(oci list -q)" "" "containers left"
    systemctl stop "$unit"
    wait "$other" || :
}

test_memory_beyond_the_limit_kills() {
    need_controller memory
    new_bundle hog
    # shellcheck disable=SC2016  # for the container's shell
    program "$B" /bin/sh -c 'x=0123456789; while :; do x=$x$x; done'
    edit_config "$B" '.linux.resources = {memory: {limit: 16777216, swap: 16777216}}'
    assert_exit 137 oci run --bundle "$B" "$C"
}

test_a_limit_without_its_controller_is_refused_in_words() {
    new_bundle none
    edit_config "$B" '.linux.resources = {unified: {"nosuch.max": "5"}}'
    assert_refused 1 "nosuch.max needs the nosuch controller" oci run --bundle "$B" "$C"
    edit_config "$B" '.linux.resources = {memory: {limit: 67108864, swappiness: 60}}'
    assert_refused 1 "/linux/resources/memory/swappiness" oci run --bundle "$B" "$C"
    assert_eq "$(find "$(cgroup_mount)" -name "$C")" "" "cgroups left"
}
