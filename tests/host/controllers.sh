# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Limits of controllers that not every kernel has: CPU sets, huge pages, swap.

PAYLOAD=$(cd "$(dirname "${BASH_SOURCE[0]}")/../payload" && pwd)

# cpus_of NAME: the CPUs that a new process in the guest may use.
cpus_of() {
    warren exec "$1" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
}

test_cpuset_binds_at_start_and_live() {
    local name cgroup all used
    need_controller cpu cpuset
    need_image busybox
    [ "$(nproc)" -ge 2 ] || skip "one CPU only"
    all=$(cpus_of_host)
    name=$(unique set)
    start_guest "$name" --cpuset 0 -- /bin/sleep 86399
    cgroup=$(cgroup_of "$name")
    assert_eq "$(<"$cgroup/cpuset.cpus")" 0
    assert_eq "$(cpus_of "$name")" 0 "CPUs of --cpuset 0"
    # Two that want a CPU each share the one.
    warren exec -d "$name" sh -c 'while :; do :; done' >/dev/null
    warren exec -d "$name" sh -c 'while :; do :; done' >/dev/null
    used=$(used_permille "$cgroup" 5)
    echo "two busy processes with --cpuset 0: $used/1000 of a CPU"
    assert_between "$used" 500 1050 "what they use of --cpuset 0"
    assert_exit 0 warren set "$name" --cpuset 1
    assert_eq "$OUT" "cpuset: in effect"
    assert_eq "$(cpus_of "$name")" 1 "CPUs after set --cpuset 1"
    assert_exit 0 warren set "$name" --cpuset none
    assert_eq "$(cpus_of "$name")" "$all" "CPUs after set --cpuset none"
    used=$(used_permille "$cgroup" 5)
    echo "without: $used/1000"
    [ "$used" -gt 1100 ] || fail "without a set they use $used/1000 of a CPU"
    assert_exit 0 warren destroy --force "$name"
}

cpus_of_host() {
    cat "$(cgroup_mount)/cpuset.cpus.effective"
}

# used_permille CGROUP SECONDS
used_permille() {
    local before after began ended
    before=$(sed -n 's/^usage_usec //p' "$1/cpu.stat")
    began=$EPOCHREALTIME
    sleep "$2"
    after=$(sed -n 's/^usage_usec //p' "$1/cpu.stat")
    ended=$EPOCHREALTIME
    awk -v used=$((after - before)) -v a="$began" -v b="$ended" 'BEGIN {printf "%d\n", used / (b - a) / 1000}'
}

# huge_pages NAME N: how many of N it gets.
huge_pages() {
    warren exec "$1" /hugepages "$2"
}

test_huge_pages_are_limited_at_start_and_live() {
    local name cgroup before
    need_controller hugetlb
    need_command gcc
    need_image busybox
    before=$(<"/proc/sys/vm/nr_hugepages")
    echo $((before + 24)) >/proc/sys/vm/nr_hugepages
    [ "$(</proc/sys/vm/nr_hugepages)" -ge $((before + 24)) ] || skip "24 huge pages cannot be had"
    name=$(unique huge)
    gcc -O1 -static -o "$TEST_DIR/hugepages" "$PAYLOAD/hugepages.c"
    start_guest "$name" --hugepages 2M:4 --mount "$TEST_DIR/hugepages:/hugepages:ro" -- /bin/sleep 86399
    cgroup=$(cgroup_of "$name")
    assert_eq "$(<"$cgroup/hugetlb.2MB.max")" $((4 * 2 << 20))
    assert_eq "$(huge_pages "$name" 20)" 4 "pages of --hugepages 2M:4"
    assert_exit 0 warren set "$name" --hugepages 2M:8
    assert_eq "$OUT" "hugepages: in effect"
    assert_eq "$(huge_pages "$name" 20)" 8 "pages after set --hugepages 2M:8"
    assert_exit 0 warren set "$name" --hugepages 2M:none
    assert_eq "$(huge_pages "$name" 20)" 20 "pages without a limit"
    assert_exit 0 warren destroy --force "$name"
    echo "$before" >/proc/sys/vm/nr_hugepages
}

test_swap_is_limited_at_start_and_live() {
    local name cgroup
    need_controller memory
    [ -e /proc/swaps ] || skip "this kernel has no swap"
    need_image busybox
    # On the host's disk: TEST_DIR is there.
    dd if=/dev/zero of="$TEST_DIR/swap" bs=1M count=160 2>/dev/null
    chmod 600 "$TEST_DIR/swap"
    mkswap "$TEST_DIR/swap" >/dev/null
    swapon "$TEST_DIR/swap" 2>/dev/null || skip "no swap can be had on $(stat -f -c %T "$TEST_DIR")"
    trap 'swapoff "$TEST_DIR/swap"' EXIT
    name=$(unique swap)
    start_guest "$name" --memory 32M --swap 16M -- /bin/sleep 86399
    cgroup=$(cgroup_of "$name")
    assert_eq "$(<"$cgroup/memory.swap.max")" $((16 << 20))
    # 32 and 16 are less than 96: it is killed, and never had more swap than it may. How much it had at its end is the
    # kernel's matter: where the disk is slower than the process, it kills before the swap is full.
    run_and_sample_swap "$name" "$cgroup" 'exec tail -c 96m /dev/zero >/dev/null'
    echo "--memory 32M --swap 16M: exit $STATUS, at most $MOST bytes of swap seen"
    assert_eq "$STATUS" 137 "what wants 96M"
    assert_between "$MOST" 0 $((16 << 20)) "most swap"
    assert_exit 0 warren set "$name" --swap 128M
    assert_eq "$OUT" "swap: in effect"
    wait_until holds_what_it_read "$name" "$cgroup"
    echo "set --swap 128M: $(<"$cgroup/memory.swap.current") bytes of swap"
    assert_between "$(<"$cgroup/memory.swap.current")" $((16 << 20)) $((128 << 20)) "swap of what has 64M"
    assert_exit 0 warren set "$name" --swap none
    assert_eq "$(<"$cgroup/memory.swap.max")" max
    assert_exit 0 warren destroy --force "$name"
    swapoff "$TEST_DIR/swap"
    trap - EXIT
}

# holds_what_it_read NAME CGROUP: 64 MiB in memory and in swap, of a process that waits for a reader which never comes;
# started anew when it was killed for the disk's slowness.
holds_what_it_read() {
    [ $(($(value_of "$2/memory.stat" anon) + $(<"$2/memory.swap.current"))) -lt $((64 << 20)) ] || return 0
    warren --json top "$1" | jq -e 'any(.[]; .command == "tail -c 64m")' >/dev/null ||
        warren exec -d "$1" sh -c 'head -c 64m /dev/zero | tail -c 64m | sleep 86398'
    return 1
}

# run_and_sample_swap NAME CGROUP COMMAND: leaves its status in STATUS and the most swap seen in MOST.
run_and_sample_swap() {
    local runner now
    warren exec "$1" sh -c "$3" >/dev/null 2>&1 &
    runner=$!
    MOST=0 STATUS=0
    while kill -0 "$runner" 2>/dev/null; do
        now=$(<"$2/memory.swap.current")
        [ "$now" -le "$MOST" ] || MOST=$now
        sleep 0.02
    done
    wait "$runner" || STATUS=$?
}
