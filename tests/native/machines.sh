# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Distributions as machines: they boot to the end, do what machines do, and stop by themselves.
# Debian 12 is built where it is not cached; the others run when they are cached (WARREN_TEST_CACHE) or
# WARREN_TEST_ALL_IMAGES is set, for each takes a minute or two to build.

# boot IMAGE NAME
boot() {
    assert_exit 0 warren create "$2" --image "$1"
    assert_exit 0 warren start --wait --time 60 "$2"
}

# stop_cleanly NAME: by the init itself, not by the kill that follows.
stop_cleanly() {
    local started=$SECONDS
    assert_exit 0 warren stop --time 30 "$1"
    assert_eq "$(warren inspect "$1" | jq -r '.status + " " + .last_run.reason')" "stopped stopped" "how $1 ended"
    echo "$1 stopped in $((SECONDS - started)) s"
}

# A degraded system must be explained unit by unit.
assert_running() {
    local state
    state=$("$WARREN" exec "$1" systemctl is-system-running 2>/dev/null) || :
    [ "$state" = running ] ||
        fail "$1 is $state: $("$WARREN" exec "$1" systemctl --failed --no-legend --plain 2>&1 |
            while read -r unit _; do "$WARREN" exec "$1" systemctl status --no-pager "$unit"; done)"
}

systemd_machine() {
    local name
    name=$(unique "${1//[:.]/-}")
    boot "$1" "$name"
    assert_running "$name"
    stop_cleanly "$name"
    # Once more from the disk that it wrote to.
    assert_exit 0 warren start --wait --time 60 "$name"
    assert_running "$name"
    stop_cleanly "$name"
    warren destroy "$name"
}

plain_machine() {
    local name
    name=$(unique plain)
    boot "$1" "$name"
    assert_exit 0 warren exec "$name" cat /proc/1/comm
    assert_match "$OUT" "$2" "its init"
    assert_exit 0 warren exec "$name" sh -c 'echo still here'
    assert_eq "$OUT" "still here"
    stop_cleanly "$name"
    warren destroy "$name"
}

# wanted_image IMAGE: what need_image does, for images that not every run builds.
wanted_image() {
    [ -n "${WARREN_TEST_ALL_IMAGES-}" ] || [ -f "$(cached_image "$1")" ] ||
        skip "$1 is not cached; WARREN_TEST_ALL_IMAGES=1 builds it"
    need_image "$1"
}

test_debian_12_boots_and_stops() {
    need_image debian:12
    systemd_machine debian:12
}

test_debian_12_does_what_machines_do() {
    local name
    need_image debian:12
    name=$(unique work)
    boot debian:12 "$name"
    assert_exit 0 warren exec "$name" adduser --disabled-password --gecos "" alice
    assert_exit 0 warren exec "$name" su - alice -c 'id -un; pwd'
    assert_eq "$OUT" $'alice\n/home/alice'
    # By the set-user-ID bit, down and up again.
    assert_exit 0 warren exec "$name" sh -c 'echo alice:secret | chpasswd'
    assert_exit 0 warren exec -u alice -i "$name" su alice -c 'id -un' < <(echo secret)
    assert_eq "$OUT" alice
    assert_exit 0 warren exec "$name" ping -c 1 -W 5 localhost
    assert_exit 0 warren exec "$name" systemd-run --wait --pipe --quiet sh -c 'cat /proc/self/cgroup'
    assert_contains "$OUT" system.slice/run-
    assert_exit 0 warren exec "$name" unshare -Urm sh -c 'mount -t tmpfs tmpfs /mnt && echo nested && id -u'
    assert_eq "$OUT" $'nested\n0'
    assert_exit 0 warren exec "$name" sh -c 'mount -t tmpfs tmpfs /mnt && echo x >/mnt/file && umount /mnt'
    assert_exit 0 warren exec "$name" sh -c 'hostnamectl set-hostname renamed; hostname'
    assert_contains "$OUT" renamed
    assert_exit 0 warren exec "$name" journalctl -b --no-pager -n 1
    assert_eq "$(warren exec "$name" findmnt -n -o FSTYPE / 2>/dev/null)" overlay
    stop_cleanly "$name"
    warren destroy "$name"
}

# make_package DIR: a .deb with a service and a set-user-ID program's worth of maintainer work.
make_package() {
    mkdir -p "$1/DEBIAN" "$1/usr/share/greeting"
    printf '%s\n' "Package: greeting" "Version: 1.0" "Architecture: all" "Maintainer: nobody <nobody@example.org>" \
        "Description: a greeting" >"$1/DEBIAN/control"
    printf '%s\n' "#!/bin/sh" "set -e" "useradd --system greeter" "chown greeter /usr/share/greeting/text" >"$1/DEBIAN/postinst"
    chmod 755 "$1/DEBIAN/postinst"
    echo hello >"$1/usr/share/greeting/text"
    dpkg-deb --root-owner-group --build "$1" "$1.deb"
}

test_debian_12_installs_a_package() {
    local name
    need_image debian:12
    name=$(unique apt)
    make_package "$TEST_DIR/greeting"
    boot debian:12 "$name"
    assert_exit 0 warren exec -i "$name" sh -c 'cat >/root/greeting.deb' <"$TEST_DIR/greeting.deb"
    assert_exit 0 warren exec -e DEBIAN_FRONTEND=noninteractive "$name" apt-get install -y /root/greeting.deb
    assert_exit 0 warren exec "$name" sh -c 'cat /usr/share/greeting/text; stat -c %U /usr/share/greeting/text'
    assert_eq "$OUT" $'hello\ngreeter'
    assert_exit 0 warren exec "$name" apt-get remove -y greeting
    assert_exit 1 warren exec "$name" test -e /usr/share/greeting/text
    stop_cleanly "$name"
    warren destroy "$name"
}

test_debian_12_prints_its_boot_into_the_log() {
    local name
    need_image debian:12
    name=$(unique log)
    boot debian:12 "$name"
    stop_cleanly "$name"
    assert_exit 0 warren logs "$name"
    assert_match "$OUT" "(Welcome to|Reached target)" "what systemd printed"
    warren destroy "$name"
}

# All that runs inside is gone when the machine is, and the ids on its disk are the guest's own.
test_debian_12_owns_its_disk() {
    local name
    need_image debian:12
    name=$(unique disk)
    boot debian:12 "$name"
    warren exec "$name" sh -c 'echo x >/root/by-root; install -o nobody /dev/null /root/by-nobody'
    assert_eq "$(stat -c %u "$WARREN_ROOT/guests/$name/upper/root/by-root")" 0 "owner on disk"
    assert_eq "$(stat -c %u "$WARREN_ROOT/guests/$name/upper/root/by-nobody")" 65534 "owner on disk"
    stop_cleanly "$name"
    warren destroy "$name"
}

test_debian_12_with_sysvinit() {
    need_image debian:12+sysvinit
    plain_machine debian:12-sysvinit '^init$'
}

test_debian_12_with_openrc() {
    wanted_image debian:12+openrc
    plain_machine debian:12-openrc 'init'
}

test_debian_12_with_runit() {
    wanted_image debian:12+runit
    plain_machine debian:12-runit '^(runit|init)$'
}

test_debian_13_boots_and_stops() {
    wanted_image debian:13
    systemd_machine debian:13
}

test_ubuntu_24_04_boots_and_stops() {
    wanted_image ubuntu:24.04
    systemd_machine ubuntu:24.04
}
