# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Machines on a pure cgroup v2 host: those with systemd where systemd is the host's own init, the others
# where it is not. Debian 12 with systemd is in systemd.sh. A boot takes half a minute to a minute here:
# these run with WARREN_TEST_ALL_IMAGES=1 only.

# costly_image IMAGE: what need_image does, but only when it is asked for.
costly_image() {
    [ -n "${WARREN_TEST_ALL_IMAGES-}" ] || skip "$1 boots here with WARREN_TEST_ALL_IMAGES=1 only"
    need_image "$1"
}

# boot NAME IMAGE
boot() {
    assert_exit 0 warren create "$1" --image "$2" --memory 512M --pids 500
    assert_exit 0 warren start --wait --time 180 "$1"
}

# stop_cleanly NAME: by its own init, not by the kill that follows.
stop_cleanly() {
    local began=$EPOCHREALTIME
    assert_exit 0 warren stop --time 150 "$1"
    assert_eq "$(warren inspect "$1" | jq -r '.status + " " + .last_run.reason')" "stopped stopped" "how it ended"
    awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN {printf "stopped in %.1f s\n", b - a}'
    assert_exit 0 warren destroy "$1"
}

systemd_machine() {
    local name state
    name=$(unique machine)
    boot "$name" "$1"
    state=$("$WARREN" exec "$name" systemctl is-system-running 2>/dev/null) || :
    [ "$state" = running ] || fail "it is $state: $("$WARREN" exec "$name" systemctl --failed --no-legend --plain 2>&1)"
    assert_exit 0 warren exec "$name" systemd-run --wait --pipe --quiet -p MemoryMax=32M cat /proc/self/cgroup
    assert_match "$OUT" '^0::/system.slice/run-' "where systemd-run runs it"
    stop_cleanly "$name"
}

# other_machine IMAGE COMM: COMM is what the init calls itself.
other_machine() {
    local name
    name=$(unique machine)
    boot "$name" "$1"
    assert_exit 0 warren exec "$name" cat /proc/1/comm
    assert_match "$OUT" "$2" "its init"
    assert_eq "$(<"$(cgroup_mount)$(warren inspect "$name" | jq -r .cgroup)/memory.max")" $((512 << 20)) "its memory limit"
    stop_cleanly "$name"
}

test_debian_13_boots_and_stops() {
    need_pid1 systemd
    costly_image debian:13
    systemd_machine debian:13
}

test_ubuntu_24_04_boots_and_stops() {
    need_pid1 systemd
    costly_image ubuntu:24.04
    systemd_machine ubuntu:24.04
}

test_debian_12_with_sysvinit() {
    [ ! -d /run/systemd/system ] || skip "this runs on the host without systemd"
    costly_image debian:12+sysvinit
    other_machine debian:12-sysvinit '^init$'
}

test_debian_12_with_openrc() {
    [ ! -d /run/systemd/system ] || skip "this runs on the host without systemd"
    costly_image debian:12+openrc
    other_machine debian:12-openrc 'init'
}

test_debian_12_with_runit() {
    [ ! -d /run/systemd/system ] || skip "this runs on the host without systemd"
    costly_image debian:12+runit
    other_machine debian:12-runit '^runit'
}
