# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Where guests are in a pure cgroup v2 tree, what they may do there, what is left of them, and what is
# said where this kernel (6.1, without cpuset and hugetlb) cannot do what is asked.

cgroup_path() {
    warren inspect "$1" | jq -r .cgroup
}

test_guests_live_below_a_parent_of_their_own() {
    local name other path group parent
    need_controller cpu memory io pids
    [ ! -d /run/systemd/system ] || skip "systemd is the first process"
    need_image busybox
    name=$(unique layout) other=$(unique other)
    assert_exit 0 warren create "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren create "$other" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren start "$name" "$other"
    path=$(cgroup_path "$name")
    assert_match "$path" "^/warren[-0-9a-f]*/$name\$" "its cgroup"
    assert_eq "$(cgroup_path "$other")" "${path%/*}/$other"
    group=$(cgroup_mount)$path
    parent=${group%/*}
    # All controllers down to the guests, and no process on the way.
    assert_eq "$(<"$parent/cgroup.subtree_control")" "$(<"$(cgroup_mount)/cgroup.controllers")" "controllers of the guests"
    assert_eq "$(<"$parent/cgroup.procs")" "" "processes in the parent"
    assert_eq "$(<"$group/cgroup.procs")" "$(warren inspect "$name" | jq .pid)" "processes in the guest's cgroup"
    assert_exit 0 warren destroy --force "$name" "$other"
    [ ! -e "$group" ] || fail "$group is still there"
}

test_two_run_directories_have_two_parents() {
    local name path
    need_image busybox
    name=$(unique apart)
    assert_exit 0 warren create "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren start "$name"
    path=$(cgroup_path "$name")
    mkdir "$TEST_DIR/run"
    "$WARREN" --root "$TEST_DIR/root" --run "$TEST_DIR/run" image import "$WARREN_ROOT/images/busybox/root" --as busybox >/dev/null
    assert_exit 0 warren --root "$TEST_DIR/root" --run "$TEST_DIR/run" create "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren --root "$TEST_DIR/root" --run "$TEST_DIR/run" start "$name"
    assert_ne "$("$WARREN" --root "$TEST_DIR/root" --run "$TEST_DIR/run" inspect "$name" | jq -r .cgroup)" "$path"
    assert_exit 0 warren --root "$TEST_DIR/root" --run "$TEST_DIR/run" destroy --force "$name"
    assert_eq "$(warren inspect "$name" | jq -r .status)" running "the guest of the same name"
    assert_exit 0 warren destroy --force "$name"
}

# The subtree is the guest's, the limits are the host's.
test_machine_rules_its_subtree_and_not_its_limits() {
    local name group
    need_controller memory pids
    need_image busybox
    name=$(unique delegated)
    assert_exit 0 warren create "$name" --image busybox --memory 64M --pids 50
    assert_exit 0 warren start --wait "$name"
    group=$(cgroup_mount)$(cgroup_path "$name")
    assert_exit 0 warren exec "$name" sh -c '
        set -e
        cd /sys/fs/cgroup
        test "$(cat /proc/1/cgroup)" = 0::/
        mkdir init sub
        for pid in $(cat cgroup.procs); do echo "$pid" >init/cgroup.procs; done
        echo "+memory +pids" >cgroup.subtree_control
        echo 16M >sub/memory.max
        echo $$ >sub/cgroup.procs
        cat /proc/self/cgroup'
    assert_eq "$OUT" "0::/sub"
    assert_eq "$(<"$group/sub/memory.max")" $((16 << 20)) "the limit that the guest made"
    # Joining still works: the root of its tree may no longer hold processes.
    assert_exit 0 warren exec "$name" cat /proc/self/cgroup
    for file in memory.max pids.max cpu.max memory.low cgroup.freeze; do
        assert_exit 1 warren exec "$name" sh -c "echo max >/sys/fs/cgroup/$file"
        assert_contains "$ERR" "Permission denied" "writing $file"
    done
    assert_exit 1 warren exec "$name" sh -c 'chmod 666 /sys/fs/cgroup/memory.max'
    # As a mount of its own the tree ends where the guest does, too.
    assert_exit 0 warren exec "$name" sh -c 'mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && ls -d /tmp/cg/sub && ! ls /tmp/cg/.. | grep -q warren && umount /tmp/cg'
    assert_eq "$(<"$group/memory.max") $(<"$group/pids.max")" "$((64 << 20)) 50" "its limits"
    # A cgroup inside may ask for more than the guest has, and not get it.
    assert_exit 137 warren exec "$name" sh -c 'echo max >/sys/fs/cgroup/sub/memory.max; echo $$ >/sys/fs/cgroup/sub/cgroup.procs; exec tail -c 200m /dev/zero'
    assert_exit 0 warren destroy --force "$name"
    [ ! -e "$group" ] || fail "$group is still there"
}

test_command_guest_sees_its_cgroup_read_only() {
    local name
    need_image busybox
    name=$(unique sealed)
    assert_exit 0 warren create "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren start "$name"
    assert_exit 1 warren exec "$name" mkdir /sys/fs/cgroup/sub
    assert_contains "$ERR" "Read-only file system"
    assert_exit 0 warren destroy --force "$name"
}

# Whatever way this kernel takes an overlay's id-mapped layers, the host's table of mounts does not show it.
test_host_mount_table_stays_while_guests_run() {
    local name before
    need_image busybox
    name=$(unique mounts)
    before=$(cut -d' ' -f3- /proc/self/mountinfo)
    assert_exit 0 warren create "$name" --image busybox --memory 64M
    assert_exit 0 warren start --wait "$name"
    assert_eq "$(cut -d' ' -f3- /proc/self/mountinfo)" "$before" "the mount table while the guest runs"
    assert_exit 0 warren exec "$name" sh -c 'grep " / " /proc/mounts; echo x >/file; ls -ln /file'
    assert_match "$OUT" '^[a-z]+ / overlay rw'
    assert_match "$OUT" ' 0 +0 +2 '
    # On the disk stand the guest's own ids.
    assert_eq "$(stat -c %u:%g "$WARREN_ROOT/guests/$name/upper/root/file" 2>/dev/null ||
        find "$WARREN_ROOT/guests/$name" -name file -exec stat -c %u:%g {} +)" 0:0 "owner on the disk"
    assert_ne "$(awk '{print $2}' "/proc/$(warren inspect "$name" | jq .pid)/uid_map")" 0 "where its root is"
    assert_exit 0 warren destroy --force "$name"
    assert_eq "$(cut -d' ' -f3- /proc/self/mountinfo)" "$before" "the mount table"
}

# refused OPTION VALUE CONTROLLER: by create, by set, and nothing is left or changed.
refused() {
    local name
    name=$(unique "no-$3")
    assert_refused 1 "$1 needs the $3 controller" warren create "$name" --image busybox "$1" "$2" -- /bin/sleep 86399
    assert_refused 2 "no guest named $name" warren inspect "$name"
    assert_exit 0 warren create "$name" --image busybox --pids 30 -- /bin/sleep 86399
    assert_exit 0 warren start "$name"
    warren inspect "$name" >"$TEST_DIR/before"
    assert_refused 1 "$1 needs the $3 controller" warren set "$name" "$1" "$2"
    # All or nothing: what came with it is not done either.
    assert_refused 1 "$1 needs the $3 controller" warren set "$name" --pids 40 "$1" "$2"
    assert_eq "$(warren inspect "$name")" "$(<"$TEST_DIR/before")" "the guest"
    assert_eq "$(<"$(cgroup_mount)$(cgroup_path "$name")/pids.max")" 30
    assert_exit 0 warren destroy --force "$name"
}

lacks_controller() {
    ! grep -qw -- "$1" "$(cgroup_mount)/cgroup.controllers" || skip "this kernel has the controller $1"
}

test_cpuset_is_refused_in_words_where_it_is_missing() {
    lacks_controller cpuset
    need_image busybox
    refused --cpuset 0 cpuset
}

test_hugetlb_is_refused_in_words_where_it_is_missing() {
    lacks_controller hugetlb
    need_image busybox
    refused --hugepages 2M:4 hugetlb
}

# finding NAME: doctor's status of it; its remedy must not be empty where it is not fine.
finding() {
    sed -nE "s/^  (ok|info|warn|cannot) +$1: .*/\\1/p" <<<"$OUT" | head -n 1
}

test_doctor_knows_this_host() {
    local name bad
    assert_exit 0 "$WARREN" doctor
    for name in cpu memory io pids; do
        assert_eq "$(finding "$name controller")" ok "doctor on the $name controller"
    done
    for name in "cpuset controller" "hugetlb controller" "time namespaces"; do
        assert_eq "$(finding "$name")" warn "doctor on $name"
    done
    assert_contains "$OUT" "v2 at $(cgroup_mount)"
    assert_match "$OUT" "ok +disk: .* on ext4: id-mapped overlays work"
    assert_match "$OUT" "ok +project quota: there"
    assert_contains "$OUT" "--time host"
    assert_match "$OUT" 'guests can run on this host: [0-9]+ ok, [0-9]+ warnings, 0 cannot$'
    # Each thing that is not well has its remedy on the next line.
    bad=$(awk '/^  (warn|cannot) / {line = $0; getline; if ($1 != "->") print line}' <<<"$OUT")
    assert_eq "$bad" "" "findings without a remedy"
    assert_exit 0 "$WARREN" --json doctor
    jq -e . <<<"$OUT" >/dev/null || fail "doctor --json is no JSON"
}

# What this kernel lacks is said, not left out in silence.
test_guest_without_time_host_is_refused_by_name() {
    local name
    [ ! -e /proc/self/ns/time ] || skip "this kernel has time namespaces"
    need_image busybox
    name=$(unique clock)
    "$WARREN" create "$name" --image busybox -- /bin/sleep 86399 >/dev/null 2>"$TEST_DIR/create" ||
        { assert_contains "$(<"$TEST_DIR/create")" "time" && return; }
    assert_exit 1 "$WARREN" start "$name"
    assert_contains "$ERR" "--time host"
    assert_exit 0 warren destroy "$name"
}

test_nothing_is_left_after_destroy() {
    local before name names=()
    need_image busybox
    before=$(find "$(cgroup_mount)" -type d | sort)
    for name in a b c; do
        names+=("$(unique "$name")")
        assert_exit 0 warren create "${names[-1]}" --image busybox --memory 64M --cpus 0.5 --pids 50
    done
    assert_exit 0 warren start --wait "${names[@]}"
    # What a guest makes in its subtree goes with it, with the processes in it.
    assert_exit 0 warren exec "${names[0]}" sh -c 'mkdir -p /sys/fs/cgroup/x/y/z && (echo 0 >/sys/fs/cgroup/x/y/z/cgroup.procs; sleep 86399 </dev/null >/dev/null 2>&1 &)'
    assert_exit 0 warren destroy --force --all
    assert_eq "$(find "$(cgroup_mount)" -type d | grep -v '/warren-[0-9a-f]*$' | sort)" \
        "$(grep -v '/warren-[0-9a-f]*$' <<<"$before")" "cgroups"
}
