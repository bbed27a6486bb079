# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# What must fail inside a guest fails, and what must work works.

PAYLOAD=$(cd "$(dirname "${BASH_SOURCE[0]}")/../payload" && pwd)

# sleeper NAME OPTION...: a command guest that runs.
sleeper() {
    assert_exit 0 warren run -d --name "$1" --image busybox "${@:2}" -- /bin/sleep 86399
}

build_refused() {
    mkdir -p "$TEST_DIR/bin"
    chmod 755 "$TEST_DIR" "$TEST_DIR/bin"
    gcc -O1 -static -o "$TEST_DIR/bin/refused" "$PAYLOAD/refused.c"
}

# answers_of OPTION...: "name errno" lines of what a guest with these options was allowed.
answers_of() {
    assert_exit 0 warren run --rm --image busybox --mount "$TEST_DIR/bin:/opt:ro" "$@" -- /opt/refused
    # ENOENT: this kernel has no such thing at all, or it is hidden.
    grep -vE ' (EPERM|EACCES|EROFS|ENOENT|ENOSYS|EAFNOSUPPORT)$' <<<"$OUT" || :
}

test_what_must_fail_fails() {
    local name answers
    need_image busybox
    build_refused
    assert_eq "$(answers_of | tr '\n' ' ')" "packet_socket 0 " "allowed"
    assert_eq "$(answers_of --userns host | tr '\n' ' ')" "" "allowed with the host's users"
    # Without the filter the kernel, the capabilities, the devices and the masks still stand.
    answers=$(answers_of --seccomp unconfined | grep -vE '^(packet_socket|vsock|bpf|perf_event_open|open_by_handle_at|acct|init_module|kexec_load) ' || :)
    assert_eq "$answers" "" "allowed without seccomp"
    name=$(unique machine)
    assert_exit 0 warren create "$name" --image busybox --mount "$TEST_DIR/bin:/opt:ro"
    warren start --wait "$name"
    assert_exit 0 warren exec "$name" /opt/refused
    assert_eq "$(grep -E ' 0$' <<<"$OUT")" "packet_socket 0" "allowed to a machine"
    assert_match "$OUT" "unknown ENOSYS" "a system call nobody knows"
    assert_match "$OUT" "bpf EPERM"
    warren destroy --force "$name"
}

test_guests_do_not_see_the_host_or_each_other() {
    local one two pid
    need_image busybox
    one=$(unique one) two=$(unique two)
    sleeper "$one"
    sleeper "$two"
    pid=$(warren inspect "$one" | jq .pid)
    assert_exit 0 warren exec "$one" sh -c 'ls -d /proc/[0-9]* | wc -l'
    assert_between "$OUT" 1 4 "processes a guest sees"
    assert_eq "$(warren exec "$one" cat /proc/1/cmdline 2>/dev/null | tr '\0' ' ')" "/bin/sleep 86399 "
    assert_exit 0 warren exec "$one" sh -c 'echo secret >/root/secret; chmod 644 /root/secret'
    assert_exit 1 warren exec "$two" cat /root/secret
    assert_exit 0 warren exec "$one" cat /proc/net/dev
    assert_eq "$(grep -cE '^ *[a-z0-9]+:' <<<"$OUT")" 1 "links of a guest"
    assert_exit 0 warren exec "$one" cat /proc/self/cgroup
    assert_match "$OUT" '0::/' "its own cgroup is the root"
    assert_not_contains "$OUT" warren-
    assert_exit 0 warren exec "$one" sh -c 'ls /sys/fs/cgroup | grep -c ^warren- || true'
    assert_eq "$OUT" 0
    # Of the host's mounts nothing, not even names.
    assert_exit 0 warren exec "$one" cat /proc/self/mountinfo
    assert_not_contains "$OUT" "$WARREN_ROOT"
    for kind in mnt pid uts ipc net cgroup user time; do
        [ "$(readlink "/proc/$pid/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ] || fail "the $kind namespace is the host's"
    done
    warren destroy --force "$one" "$two"
}

test_id_ranges_are_disjoint_and_nothing_is_chowned() {
    local one two first second
    need_image busybox
    one=$(unique one) two=$(unique two)
    sleeper "$one"
    sleeper "$two"
    first=$(warren inspect "$one" | jq .id_base)
    second=$(warren inspect "$two" | jq .id_base)
    assert_ne "$first" "$second" "id ranges"
    assert_eq "$((first % 65536 + second % 65536))" 0 "id ranges are aligned"
    assert_eq "$(awk '/^Uid:/ {print $2}' "/proc/$(warren inspect "$one" | jq .pid)/status")" "$first" "host uid of a guest's root"
    assert_eq "$(warren exec "$one" cat /proc/self/uid_map 2>/dev/null | tr -s ' ')" " 0 $first 65536"
    warren exec "$one" sh -c 'echo x >/root/file; chown 1000:1000 /root/file; echo y >/root/by-root'
    assert_eq "$(stat -c %u:%g "$WARREN_ROOT/guests/$one/upper/root/file")" 1000:1000 "owner on disk"
    assert_eq "$(stat -c %u:%g "$WARREN_ROOT/guests/$one/upper/root/by-root")" 0:0 "owner on disk"
    assert_eq "$(stat -c %u "$WARREN_ROOT/images/busybox/root/bin/busybox")" 0 "owner of the image's files"
    # The ids stay the guest's over a restart.
    warren restart --time 0 "$one"
    assert_eq "$(warren inspect "$one" | jq .id_base)" "$first"
    assert_eq "$(warren exec "$one" stat -c %u /root/file 2>/dev/null)" 1000
    warren destroy --force "$one" "$two"
}

test_masks_hold_after_umount() {
    local name path
    need_image busybox
    name=$(unique mask)
    assert_exit 0 warren create "$name" --image busybox
    warren start --wait "$name"
    for path in /proc/interrupts /proc/acpi /sys/firmware /proc/sys/kernel/core_pattern; do
        # Whether the mask goes away or not: what is behind it stays out of reach.
        assert_exit 0 warren exec "$name" sh -c "umount -l $path 2>/dev/null; umount -l $path 2>/dev/null
            umount -l /proc 2>/dev/null; { cat $path /proc/interrupts; ls /sys/firmware/*; echo x >/proc/sys/kernel/core_pattern; } 2>/dev/null; true"
        assert_not_contains "$OUT" CPU0 "the host's interrupts"
        assert_not_contains "$OUT" acpi/tables
    done
    warren destroy --force "$name"
}

test_no_host_descriptor_inside() {
    local options name
    need_image busybox
    exec 7</etc/hostname 8</proc
    for options in "" "--userns host"; do
        # shellcheck disable=SC2086  # words
        assert_exit 0 warren run --rm --image busybox $options -- sh -c 'ls /proc/self/fd'
        assert_eq "$(tr '\n' ' ' <<<"$OUT")" "0 1 2 3 " "descriptors of a command, 3 being of ls itself"
        # shellcheck disable=SC2086
        assert_exit 0 warren run --rm --image busybox $options -- sh -c 'ls -l /proc/1/fd /proc/1/cwd /proc/1/root'
        assert_not_contains "$OUT" /etc/hostname
        name=$(unique fd)
        # shellcheck disable=SC2086
        sleeper "$name" $options
        assert_exit 0 warren exec "$name" sh -c 'ls /proc/self/fd'
        assert_eq "$(tr '\n' ' ' <<<"$OUT")" "0 1 2 3 " "descriptors of exec"
        # What a detached command prints goes into the guest's log; that is all it holds of the host.
        assert_exit 0 warren exec -d "$name" sh -c 'exec sleep 86397'
        assert_exit 0 warren exec "$name" sh -c 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != sleep ] || ls -l $p/fd; done'
        assert_eq "$(sed -n 's/.*-> //p' <<<"$OUT" | sort -u | tr '\n' ' ')" "/dev/null $WARREN_ROOT/guests/$name/log " "open in the guest"
        warren destroy --force "$name"
    done
    exec 7<&- 8<&-
}

# CVE-2024-21626: a working directory that leads out by a descriptor the runtime forgot.
test_no_way_out_by_the_working_directory() {
    local number name options
    need_image busybox
    exec 7</
    for options in "" "--userns host"; do
        name=$(unique cwd)
        # shellcheck disable=SC2086  # words
        sleeper "$name" $options
        # A link in the guest that the runtime would follow for it.
        for number in 3 5 7 8 10 12 20; do
            "$WARREN" exec -w "/proc/self/fd/$number" "$name" cat ../../../../../../etc/machine-id ../etc/hostname etc/hostname \
                >"$TEST_DIR/out" 2>/dev/null && fail "-w /proc/self/fd/$number let a command out: $(cat "$TEST_DIR/out")"
            # shellcheck disable=SC2086
            "$WARREN" run --rm --image busybox $options -w "/proc/self/fd/$number" -- cat ../../../../../etc/machine-id \
                >"$TEST_DIR/out" 2>/dev/null && fail "-w /proc/self/fd/$number let a guest out: $(cat "$TEST_DIR/out")"
        done
        assert_exit 0 warren exec "$name" ln -s /proc/self/fd/7 /leave
        "$WARREN" exec -w /leave "$name" ls etc/apt >"$TEST_DIR/out" 2>/dev/null && fail "a link let a command out: $(cat "$TEST_DIR/out")"
        warren destroy --force "$name"
    done
    exec 7<&-
}

# CVE-2019-5736: see tests/payload/overwrite.c.
test_the_program_cannot_be_overwritten_from_inside() {
    local loader options program=$TEST_DIR/program name case
    need_image busybox
    [ "$(uname -m)" = x86_64 ] || skip "the attack is written for x86_64"
    # The attack is on a copy.
    cp "$WARREN" "$program"
    loader=$(readelf -l "$WARREN" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
    cp -a "$WARREN_ROOT/images/busybox/root" "$TEST_DIR/image"
    gcc -O1 -ffreestanding -nostdlib -static -fno-stack-protector -fno-pie -no-pie -o "$TEST_DIR/image/overwrite" "$PAYLOAD/overwrite.c"
    if [ -n "$loader" ]; then
        mkdir -p "$TEST_DIR/image$(dirname "$loader")"
        cp "$TEST_DIR/image/overwrite" "$TEST_DIR/image$loader"
    fi
    printf '#!/proc/self/exe\n' >"$TEST_DIR/image/bin/x"
    chmod 755 "$TEST_DIR/image/bin/x"
    ln -s /proc/self/exe "$TEST_DIR/image/bin/y"
    assert_exit 0 warren image import "$TEST_DIR/image" --as hostile
    for options in "" "--userns host"; do
        name=$(unique victim)
        # shellcheck disable=SC2086  # words
        assert_exit 0 "$program" run -d --name "$name" --image hostile $options -- /bin/sleep 86399
        for case in /bin/x /bin/y /proc/self/exe; do
            # As a guest's command, which is the first process and takes its children with it.
            # shellcheck disable=SC2086
            "$program" run --rm --image hostile $options -- "$case" >"$TEST_DIR/out" 2>&1 </dev/null || :
            # And joined, where what it leaves behind lives on.
            timeout 30 "$program" exec "$name" "$case" >>"$TEST_DIR/out" 2>&1 </dev/null || :
            assert_not_contains "$(cat "$TEST_DIR/out")" overwritten
        done
        wait_until sh -c "! '$program' top '$name' | grep -q overwrite"
        "$program" destroy --force "$name" >/dev/null
        cmp "$program" "$WARREN" || fail "the program was overwritten $options"
    done
    warren image rm hostile
}

test_set_user_id_programs_work() {
    local name
    need_image busybox
    name=$(unique suid)
    mkdir "$TEST_DIR/bin"
    printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%%d %%d\\n", (int)getuid(), (int)geteuid()); return 0; }\n' |
        gcc -x c -static -o "$TEST_DIR/bin/ids" -
    sleeper "$name" --mount "$TEST_DIR/bin:/opt:ro"
    assert_exit 0 warren exec "$name" sh -c 'cp /opt/ids /tmp/ids && chmod 4755 /tmp/ids'
    assert_exit 0 warren exec -u 1000:1000 "$name" /tmp/ids
    assert_eq "$OUT" "1000 0" "real and effective user"
    warren destroy --force "$name"
    sleeper "$name" --mount "$TEST_DIR/bin:/opt:ro" --no-new-privileges
    assert_exit 0 warren exec "$name" sh -c 'cp /opt/ids /tmp/ids && chmod 4755 /tmp/ids'
    assert_exit 0 warren exec -u 1000:1000 "$name" /tmp/ids
    assert_eq "$OUT" "1000 1000" "real and effective user without new privileges"
    warren destroy --force "$name"
}

test_others_on_the_host_cannot_reach_a_disk() {
    local name
    need_image busybox
    name=$(unique closed)
    sleeper "$name"
    assert_exit 0 warren exec "$name" sh -c 'echo x >/root/file; chmod 777 /root /root/file'
    assert_exit 1 setpriv --reuid 65534 --regid 65534 --clear-groups cat "$WARREN_ROOT/guests/$name/upper/root/file"
    assert_contains "$ERR" "Permission denied"
    warren destroy --force "$name"
}

test_nested_namespaces_and_mounts_of_a_machine() {
    local name
    need_image busybox
    name=$(unique nested)
    assert_exit 0 warren create "$name" --image busybox
    warren start --wait "$name"
    assert_exit 0 warren exec "$name" unshare -Urm sh -c 'id -u; mount -t tmpfs tmpfs /mnt && echo mounted'
    assert_eq "$OUT" $'0\nmounted'
    assert_exit 0 warren exec "$name" sh -c 'mount -t tmpfs tmpfs /mnt && touch /mnt/x && umount /mnt && echo finished'
    assert_eq "$OUT" finished
    warren destroy --force "$name"
}

test_devices() {
    local wanted
    need_image busybox
    assert_exit 0 warren run --rm --image busybox -- sh -c 'head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; echo x >/dev/null'
    assert_eq "$OUT" $'4\n4'
    assert_exit 1 warren run --rm --image busybox -- sh -c 'echo x >/dev/full'
    assert_exit 0 warren run --rm --image busybox -- sh -c 'cd /dev; for n in *; do if [ -b $n ] || [ -c $n ]; then echo $n; fi; done'
    for wanted in null zero full random urandom tty; do
        assert_match "$OUT" "(^|"$'\n'")$wanted("$'\n'"|\$)" "devices"
    done
    assert_not_contains "$OUT" mem
    assert_not_contains "$OUT" vd
    assert_exit 1 warren run --rm --image busybox -- cat /dev/mem
}

test_a_device_that_is_asked_for() {
    local device
    need_image busybox
    for device in /dev/loop-control /dev/fuse /dev/kmsg /dev/hpet; do
        [ ! -c "$device" ] || break
    done
    [ -c "$device" ] || skip "no character device to give"
    assert_exit 0 warren run --rm --image busybox --device "$device:r" --userns host -- test -c "$device"
    assert_exit 1 warren run --rm --image busybox -- test -e "$device"
}

test_read_only_root() {
    need_image busybox
    assert_exit 1 warren run --rm --image busybox --read-only -- touch /file
    assert_contains "$ERR" "Read-only file system"
    assert_exit 0 warren run --rm --image busybox --read-only -- touch /dev/shm/file
    assert_exit 1 warren run --rm --image busybox --read-only -- mount -o remount,rw /
}

test_capabilities() {
    need_image busybox
    assert_exit 0 warren run --rm --image busybox -- grep CapBnd /proc/self/status
    assert_not_contains "$OUT" 000001ffffffffff
    assert_exit 1 warren run --rm --image busybox --cap-drop chown -- sh -c 'touch /tmp/x && chown 1:1 /tmp/x'
    assert_exit 0 warren run --rm --image busybox -- sh -c 'touch /tmp/x && chown 1:1 /tmp/x'
    assert_exit 0 warren run --rm --image busybox --cap-drop all -- grep CapEff /proc/self/status
    assert_match "$OUT" 0000000000000000
    assert_exit 1 warren run --rm --image busybox -- mount -t tmpfs tmpfs /mnt
    # Chosen for the test, so that its answer does not depend on the filter's rules for the default set.
    assert_exit 0 warren run --rm --image busybox --cap-add sys_admin --seccomp unconfined -- mount -t tmpfs tmpfs /mnt
}

test_seccomp_profile_of_ones_own() {
    need_image busybox
    printf '%s' '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":99}]}' \
        >"$TEST_DIR/profile.json"
    assert_exit 1 warren run --rm --image busybox --seccomp "$TEST_DIR/profile.json" -- mkdir /tmp/x
    assert_contains "$ERR" "Cannot assign requested address"
    assert_exit 0 warren run --rm --image busybox -- grep Seccomp: /proc/self/status
    assert_match "$OUT" 2
    assert_exit 0 warren run --rm --image busybox --seccomp unconfined -- grep Seccomp: /proc/self/status
    assert_match "$OUT" 0
    echo '{' >"$TEST_DIR/broken.json"
    assert_refused 125 broken.json warren run --rm --image busybox --seccomp "$TEST_DIR/broken.json" -- true
}

# A hostile root: links where warren mounts and writes.
test_links_in_the_root_lead_nowhere() {
    local link
    need_image busybox
    mkdir "$TEST_DIR/outside"
    for link in proc sys dev dev/pts etc/hostname run tmp; do
        rm -rf "$TEST_DIR/tree"
        cp -a "$WARREN_ROOT/images/busybox/root" "$TEST_DIR/tree"
        rm -rf "${TEST_DIR:?}/tree/$link"
        ln -s "$TEST_DIR/outside" "$TEST_DIR/tree/$link"
        assert_exit 0 warren image import "$TEST_DIR/tree" --as hostile
        "$WARREN" run --rm --image hostile -- /bin/true >/dev/null 2>"$TEST_DIR/err" || :
        assert_eq "$(find "$TEST_DIR/outside" -mindepth 1)" "" "what a root with $link as a link made outside"
        warren image rm hostile
    done
}
