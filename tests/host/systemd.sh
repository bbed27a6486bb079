# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# A host whose first process is systemd: guests live in a scope that it made and handed over, and it keeps
# its hands off what is in there.

cgroup_path() {
    warren inspect "$1" | jq -r .cgroup
}

# property UNIT NAME
property() {
    systemctl show --value --property "$2" "$1"
}

is_inactive() {
    [ "$(property "$1" ActiveState)" = inactive ]
}

# start_guest NAME OPTION...: SCOPE is the unit it is in, GROUP the directory of its cgroup.
start_guest() {
    local name=$1 path
    shift
    assert_exit 0 warren create "$name" --image busybox "$@" -- /bin/sleep 86399
    assert_exit 0 warren start "$name"
    path=$(cgroup_path "$name")
    assert_match "$path" "^/warren\.slice/warren[-0-9a-f]*\.scope/$name\$" "its cgroup"
    GROUP=$(cgroup_mount)$path
    path=${path%/*}
    SCOPE=${path##*/}
}

limits_now() {
    (cd "$GROUP" && head memory.max cpu.max pids.max cpu.weight cgroup.controllers ../cgroup.subtree_control)
}

test_guests_live_in_a_delegated_scope() {
    local name
    need_pid1 systemd
    need_image busybox
    name=$(unique scope)
    start_guest "$name" --memory 64M
    assert_eq "$(property "$SCOPE" ActiveState)" active
    assert_eq "$(property "$SCOPE" Delegate)" yes
    assert_eq "$(property "$SCOPE" Slice)" warren.slice
    assert_eq "$(cgroup_mount)$(property "$SCOPE" ControlGroup)" "${GROUP%/*}" "the scope's cgroup"
    assert_eq "$(<"${GROUP%/*}/cgroup.procs")" "" "processes in the scope itself"
    assert_eq "$(<"$GROUP/memory.max")" $((64 << 20))
    assert_exit 0 warren destroy --force "$name"
}

test_limits_survive_a_reload_of_systemd() {
    local name before
    need_pid1 systemd
    need_image busybox
    name=$(unique reload)
    start_guest "$name" --memory 64M --cpus 0.5 --pids 30 --cpu-weight 250
    before=$(limits_now)
    assert_contains "$before" 67108864
    systemctl daemon-reload
    assert_eq "$(limits_now)" \
        "$before" "limits after daemon-reload"
    systemctl daemon-reexec
    # It answers again when it is done.
    wait_until systemctl show --property Version
    assert_eq "$(limits_now)" \
        "$before" "limits after daemon-reexec"
    # A unit that comes and goes beside it makes systemd write controllers anew.
    systemd-run --quiet --wait --slice=warren.slice -p MemoryMax=100M -p CPUWeight=50 true
    assert_eq "$(limits_now)" \
        "$before" "limits after another unit of the slice"
    assert_exit 137 warren exec "$name" tail -c 200m /dev/zero
    assert_exit 0 warren set "$name" --memory 32M
    assert_eq "$(<"$GROUP/memory.max")" $((32 << 20))
    assert_exit 0 warren destroy --force "$name"
}

test_scope_ends_with_its_last_guest() {
    local first second
    need_pid1 systemd
    need_image busybox
    first=$(unique first) second=$(unique second)
    start_guest "$first"
    start_guest "$second"
    assert_exit 0 warren destroy --force "$first"
    assert_eq "$(property "$SCOPE" ActiveState)" active "the scope of the second guest"
    assert_exit 0 warren destroy --force "$second"
    wait_until is_inactive "$SCOPE"
    [ ! -e "${GROUP%/*}" ] || fail "${GROUP%/*} is still there"
    # And it comes again.
    start_guest "$first"
    assert_eq "$(property "$SCOPE" ActiveState)" active "the scope the second time"
    assert_exit 0 warren destroy --force "$first"
    wait_until is_inactive "$SCOPE"
    assert_eq "$(systemctl --failed --no-legend --plain | grep warren || :)" "" "failed units"
}

# What starts a guest may be a service: the guest is not of that service, and stays when it ends.
test_guest_outlives_the_service_that_started_it() {
    local name
    need_pid1 systemd
    need_image busybox
    name=$(unique service)
    assert_exit 0 warren create "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 systemd-run --quiet --wait --collect -p KillMode=control-group \
        --setenv=WARREN_ROOT="$WARREN_ROOT" --setenv=WARREN_RUN="$WARREN_RUN" "$WARREN" start "$name"
    assert_eq "$(warren inspect "$name" | jq -r .status)" running
    assert_match "$(cgroup_path "$name")" '^/warren\.slice/'
    assert_exit 0 warren destroy --force "$name"
}

test_debian_12_boots_and_stops() {
    local name state
    need_pid1 systemd
    need_image debian:12
    name=$(unique debian)
    assert_exit 0 warren create "$name" --image debian:12 --memory 512M --pids 500
    assert_exit 0 warren start --wait --time 120 "$name"
    state=$("$WARREN" exec "$name" systemctl is-system-running 2>/dev/null) || :
    [ "$state" = running ] || fail "it is $state: $("$WARREN" exec "$name" systemctl --failed --no-legend --plain 2>&1)"
    assert_exit 0 warren exec "$name" systemd-run --wait --pipe --quiet -p MemoryMax=32M sh -c 'cat /proc/self/cgroup; cat "/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.max"'
    assert_match "$OUT" $'^0::/system.slice/run-.*\n33554432$'
    assert_exit 0 warren stop --time 60 "$name"
    assert_eq "$(warren inspect "$name" | jq -r '.status + " " + .last_run.reason')" "stopped stopped" "how it ended"
    assert_exit 0 warren destroy "$name"
}
