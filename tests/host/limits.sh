# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Limits as the kernel keeps them: measured on guests that want more than they have, at start, after a
# live `set`, and after `none`. Ratios are of what the cgroup counts; no time is asserted but by them.

BUSY='while :; do :; done'

# cpu_micros VARIABLE CGROUP: what it has used, into the variable.
cpu_micros() {
    local key
    # It is the first line.
    read -r key "$1" <"$2/cpu.stat"
    [ "$key" = usage_usec ] || fail "the first line of cpu.stat is $key"
}

# pass_seconds N
pass_seconds() {
    read -r -t "$1" <>"$TEST_DIR/silence" || :
}

# assert_within LOW HIGH MEASURE ARG...: what the measurement leaves in VALUE, in one of five tries: a machine that is
# busy with other things may spoil some.
assert_within() {
    local low=$1 high=$2 try seen=
    shift 2
    for try in 1 2 3 4 5; do
        "$@"
        echo "$*: $VALUE"
        [ -z "${LIMITED-}" ] || [ "$VALUE" -le "$high" ] || fail "$*: $VALUE, more than $high"
        if [ "$VALUE" -ge "$low" ] && [ "$VALUE" -le "$high" ]; then
            return
        fi
        seen+=" $VALUE"
    done
    fail "$*: expected $low..$high in one of $try tries, got$seen"
}

# assert_limited LOW HIGH MEASURE ARG...: the same, but more than HIGH is never right: nothing makes a guest exceed a limit.
assert_limited() {
    LIMITED=1 assert_within "$@"
}

# measure_permille CGROUP SECONDS: how much of one CPU it used meanwhile.
measure_permille() {
    local began ended before after
    [ -p "$TEST_DIR/silence" ] || mkfifo "$TEST_DIR/silence"
    began=$EPOCHREALTIME
    cpu_micros before "$1"
    pass_seconds "$2"
    ended=$EPOCHREALTIME
    cpu_micros after "$1"
    VALUE=$(((after - before) * 1000 / (${ended/[.,]/} - ${began/[.,]/})))
}

# measure_ratio CGROUP OTHER SECONDS: what OTHER used meanwhile, per cent of what CGROUP used.
measure_ratio() {
    local first second first_after second_after
    [ -p "$TEST_DIR/silence" ] || mkfifo "$TEST_DIR/silence"
    cpu_micros first "$1"
    cpu_micros second "$2"
    pass_seconds "$3"
    cpu_micros first_after "$1"
    cpu_micros second_after "$2"
    VALUE=$(((second_after - second) * 100 / (first_after - first)))
}

test_cpus_are_shares_of_a_core() {
    local name cgroup
    need_controller cpu
    need_image busybox
    name=$(unique half)
    start_guest "$name" --cpus 0.5 -- /bin/sh -c "$BUSY"
    cgroup=$(cgroup_of "$name")
    assert_limited 450 550 measure_permille "$cgroup" 4
    [ "$(value_of "$cgroup/cpu.stat" nr_throttled)" -gt 0 ] || fail "it was never throttled"
    assert_exit 0 warren set "$name" --cpus 0.2
    assert_limited 160 240 measure_permille "$cgroup" 4
    assert_exit 0 warren set "$name" --cpus none
    assert_match "$(<"$cgroup/cpu.max")" '^max '
    assert_within 800 1100 measure_permille "$cgroup" 2
    assert_exit 0 warren destroy --force "$name"
}

test_weights_split_a_core() {
    local light heavy light_group heavy_group
    need_controller cpu
    need_image busybox
    light=$(unique light) heavy=$(unique heavy)
    start_guest "$light" --cpu-weight 100 -- /bin/sh -c "$BUSY"
    start_guest "$heavy" --cpu-weight 300 -- /bin/sh -c "$BUSY"
    light_group=$(cgroup_of "$light") heavy_group=$(cgroup_of "$heavy")
    assert_within 270 330 measure_ratio "$light_group" "$heavy_group" 6
    assert_exit 0 warren set "$light" --cpu-weight 300
    assert_within 90 110 measure_ratio "$light_group" "$heavy_group" 5
    assert_exit 0 warren set "$light" --cpu-weight none
    assert_eq "$(<"$light_group/cpu.weight")" 100
    assert_exit 0 warren destroy --force "$light" "$heavy"
}

# The hog is killed, not the guest that it is in, and not the neighbour that has as much as it may have.
test_memory_limit_kills_only_whom_it_limits() {
    local hog neighbour hog_group neighbour_group pid
    need_controller memory
    need_image busybox
    hog=$(unique hog) neighbour=$(unique neighbour)
    start_guest "$hog" --memory 32M -- /bin/sleep 86399
    start_guest "$neighbour" --memory 32M -- /bin/sh -c '(head -c 20m /dev/zero; sleep 86399) | tail -c 64m'
    hog_group=$(cgroup_of "$hog") neighbour_group=$(cgroup_of "$neighbour")
    pid=$(warren inspect "$neighbour" | jq .pid)
    wait_until holds_memory "$neighbour_group" 20
    assert_exit 137 warren exec "$hog" tail -c 200m /dev/zero
    assert_eq "$(value_of "$hog_group/memory.events" oom_kill)" 1 "OOM kills of the hog"
    assert_eq "$(value_of "$neighbour_group/memory.events" oom_kill)" 0 "OOM kills of the neighbour"
    assert_eq "$(warren inspect "$hog" | jq -r .status)" running "the hog's guest"
    assert_eq "$(warren inspect "$neighbour" | jq -r '.status + " " + (.pid | tostring)')" "running $pid" "the neighbour"
    holds_memory "$neighbour_group" 20 || fail "the neighbour lost its memory"
    assert_between "$(<"$hog_group/memory.peak")" 1 $((32 << 20)) "peak of the hog"
    echo "limit 32M: peak $(<"$hog_group/memory.peak"), OOM kills 1, the neighbour's 0"
    assert_exit 0 warren set "$hog" --memory 256M
    assert_exit 0 warren exec "$hog" sh -c 'head -c 48m /dev/zero | tail -c 200m | wc -c'
    assert_eq "$OUT" $((48 << 20)) "what a guest with enough memory could keep"
    assert_exit 0 warren set "$hog" --memory 24M
    assert_exit 137 warren exec "$hog" tail -c 200m /dev/zero
    assert_eq "$(value_of "$hog_group/memory.events" oom_kill)" 2 "OOM kills of the hog"
    assert_exit 0 warren set "$hog" --memory none
    assert_eq "$(<"$hog_group/memory.max")" max
    assert_exit 0 warren exec "$hog" sh -c 'head -c 48m /dev/zero | tail -c 200m | wc -c'
    assert_eq "$OUT" $((48 << 20)) "what a guest without a limit could keep"
    assert_exit 0 warren destroy --force "$hog" "$neighbour"
}

# holds_memory CGROUP MIB
holds_memory() {
    [ "$(value_of "$1/memory.stat" anon)" -ge $(($2 << 20)) ]
}

test_guest_whose_first_process_is_killed_has_ended() {
    local name
    need_controller memory
    need_image busybox
    name=$(unique gone)
    start_guest "$name" --memory 32M -- /bin/sh -c 'sleep 2; exec tail -c 200m /dev/zero'
    wait_until is_stopped "$name"
    assert_eq "$(warren inspect "$name" | jq -r .last_run.reason)" "out of memory" "how it ended"
    assert_match "$(warren list)" "$name +stopped: out of memory"
    assert_eq "$(warren list -o exit | tail -n 1)" "out of memory"
    # With more memory it lives.
    assert_exit 0 warren set "$name" --memory none
    assert_exit 0 warren start "$name"
    assert_eq "$(warren inspect "$name" | jq -r .status)" running
    assert_exit 0 warren destroy --force "$name"
}

# What is killed is not the first process, which ends by itself.
test_end_after_an_oom_kill_is_not_out_of_memory() {
    local name
    need_controller memory
    need_image busybox
    name=$(unique survivor)
    start_guest "$name" --memory 32M -- /bin/sh -c 'sleep 1; tail -c 200m /dev/zero; sleep 1; exit 3'
    wait_until is_stopped "$name"
    assert_eq "$(warren inspect "$name" | jq -r .last_run.reason)" exited "how it ended"
    assert_exit 0 warren destroy --force "$name"
}

is_stopped() {
    [ "$(warren inspect "$1" | jq -r .status)" = stopped ]
}

# processes_after NAME CGROUP N: how many there are when it has tried to have N more.
processes_after() {
    warren exec "$1" sh -c "i=0; while [ \$i -lt $3 ]; do sleep 86399 & i=\$((i + 1)); done" >/dev/null 2>&1 || :
    cat "$2/pids.current"
}

test_pids_limit_is_exact_and_live() {
    local name cgroup
    need_controller pids
    need_image busybox
    name=$(unique many)
    start_guest "$name" --pids 20 -- /bin/sleep 86399
    cgroup=$(cgroup_of "$name")
    assert_between "$(processes_after "$name" "$cgroup" 60)" 19 20 "processes of --pids 20"
    assert_exit 0 warren set "$name" --pids 40
    assert_between "$(processes_after "$name" "$cgroup" 60)" 39 40 "processes of --pids 40"
    assert_eq "$(<"$cgroup/pids.peak")" 40 "most processes ever"
    assert_exit 0 warren set "$name" --pids none
    assert_eq "$(<"$cgroup/pids.max")" max
    assert_between "$(processes_after "$name" "$cgroup" 60)" 99 102 "processes without a limit"
    assert_exit 0 warren destroy --force "$name"
}

test_fork_bomb_stays_within_its_pids() {
    local bomb neighbour cgroup
    need_controller pids
    need_image busybox
    bomb=$(unique bomb) neighbour=$(unique calm)
    start_guest "$bomb" --pids 50
    start_guest "$neighbour"
    cgroup=$(cgroup_of "$bomb")
    # Whoever cannot fork tries again, so that it stays lit.
    warren exec -d "$bomb" sh -c 'echo "while :; do sh /bomb & sh /bomb; done" >/bomb; exec sh /bomb' >/dev/null 2>&1
    wait_until hit_limit "$cgroup"
    assert_exit 0 warren exec "$neighbour" echo calm
    assert_eq "$OUT" calm
    sleep 2
    echo "--pids 50: at most $(<"$cgroup/pids.peak"), refused $(value_of "$cgroup/pids.events" max) times"
    assert_between "$(<"$cgroup/pids.peak")" 50 50 "most processes ever"
    assert_exit 0 warren exec "$neighbour" echo calm
    # A guest that can start nothing more can still be ended.
    assert_exit 0 warren destroy --force "$bomb" "$neighbour"
    [ ! -e "$cgroup" ] || fail "the cgroup is still there"
}

hit_limit() {
    [ "$(value_of "$1/pids.events" max)" -gt 0 ]
}

# write_rate NAME MIB: KiB per second of a direct write to the guest's disk, by its own clock.
write_rate() {
    local began ended
    read -r began ended < <(warren exec "$1" sh -c \
        "read a b </proc/uptime; dd if=/dev/zero of=/file bs=256k count=$(($2 * 4)) oflag=direct 2>/dev/null; read c d </proc/uptime; echo \$a \$c")
    VALUE=$(awk -v mib="$2" -v began="$began" -v ended="$ended" 'BEGIN {printf "%d\n", mib * 1024 / (ended - began + 0.001)}')
}

test_io_max_bounds_the_disk() {
    local name cgroup written
    need_controller io
    need_image busybox
    name=$(unique disk)
    start_guest "$name" -- /bin/sleep 86399
    cgroup=$(cgroup_of "$name")
    assert_exit 0 warren set "$name" --io-max "$WARREN_ROOT:wbps=4M"
    written=$(written_bytes "$cgroup")
    write_rate "$name" 16
    written=$(($(written_bytes "$cgroup") - written))
    assert_between "$written" $((16 << 20)) $((18 << 20)) "bytes written to the disk"
    assert_limited 3000 4700 write_rate "$name" 16
    assert_exit 0 warren set "$name" --io-max "$WARREN_ROOT:wbps=8M"
    assert_limited 6000 9400 write_rate "$name" 16
    assert_exit 0 warren set "$name" --io-max "$WARREN_ROOT:wbps=none"
    assert_eq "$(<"$cgroup/io.max")" "" "io.max"
    assert_within 12000 1000000000 write_rate "$name" 32
    # All disks' limits at once.
    assert_exit 0 warren set "$name" --io-max "$WARREN_ROOT:wbps=4M,riops=100"
    assert_ne "$(<"$cgroup/io.max")" "" "io.max"
    assert_exit 0 warren set "$name" --io-max none
    assert_eq "$OUT" "io-max: in effect"
    assert_eq "$(<"$cgroup/io.max")" "" "io.max after none"
    assert_exit 0 warren destroy --force "$name"
    # From its start as well.
    start_guest "$name" --io-max "$WARREN_ROOT:wbps=4M" -- /bin/sleep 86399
    assert_limited 3000 5200 write_rate "$name" 8
    assert_exit 0 warren destroy --force "$name"
}

written_bytes() {
    sed -nE 's/.* wbytes=([0-9]+) .*/\1/p' "$1/io.stat" | awk '{sum += $1} END {print sum + 0}'
}

test_each_limit_goes_into_its_file_and_out_of_it() {
    local name cgroup option value file expected
    need_controller memory cpu pids
    need_image busybox
    name=$(unique files)
    start_guest "$name" -- /bin/sleep 86399
    cgroup=$(cgroup_of "$name")
    while read -r option value file expected; do
        assert_exit 0 warren set "$name" "$option" "$value"
        assert_contains "$OUT$ERR" "in effect" "set $option $value"
        assert_eq "$(<"$cgroup/$file")" "$expected" "$file after $option $value"
    done <<'LIMITS'
--cpus 1.5 cpu.max 150000 100000
--cpus none cpu.max max 100000
--cpu-weight 250 cpu.weight 250
--cpu-weight none cpu.weight 100
--memory 128M memory.max 134217728
--memory none memory.max max
--memory-high 96M memory.high 100663296
--memory-high none memory.high max
--memory-guarantee 16M memory.low 16777216
--memory-guarantee none memory.low 0
--swap 8M memory.swap.max 8388608
--swap none memory.swap.max max
--pids 30 pids.max 30
--pids none pids.max max
LIMITS
    # What was set last is what the next start has.
    assert_exit 0 warren set "$name" --memory 64M --pids 25
    assert_exit 0 warren stop --time 1 "$name"
    assert_exit 0 warren start --wait "$name"
    assert_eq "$(<"$cgroup/memory.max") $(<"$cgroup/pids.max")" "67108864 25" "limits after a restart"
    assert_exit 0 warren destroy --force "$name"
}
