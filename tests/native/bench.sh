# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# The benchmarks' own tools: that they work and leave nothing, not how fast anything is. They measure the release build.

BENCH_DIR=$SUPPORT_DIR/../bench

need_bench() {
    BENCH_BIN=$(dirname "${WARREN_RELEASE:-$WARREN}")
    [ -x "$BENCH_BIN/bench_floor" ] || skip "bench_floor is not built"
    [ -n "$(cgroup_mount)" ] || skip "this host has no cgroup v2 tree"
}

make_floor_root() {
    mkdir -p "$TEST_DIR/root"/{bin,dev,proc,sys} "$TEST_DIR/scratch"
    cp "$BENCH_BIN/bench_probe" "$TEST_DIR/root/bin/"
    "$BENCH_BIN/bench_filter" bpf >"$TEST_DIR/filter"
    "$BENCH_BIN/bench_filter" devices >"$TEST_DIR/devices"
}

# In a box, which removes what a floor that fails leaves of its cgroups.
floor() {
    "$SUPPORT_DIR/v2box" "$BENCH_BIN/bench_floor" --root "$TEST_DIR/root" --scratch "$TEST_DIR/scratch" --cgroup /sys/fs/cgroup \
        --filter "$TEST_DIR/filter" --devices "$TEST_DIR/devices" --json "$@"
}

test_floor_runs_guests_to_completion() {
    need_bench
    make_floor_root
    assert_exit 0 floor --count 3 --workers 2 -- /bin/bench_probe syscall
    assert_eq "$(tail -n 1 <<<"$OUT" | jq .count)" 3 "guests"
    assert_eq "$(tail -n 1 <<<"$OUT" | jq '.first_us | map(select(. < 0)) | length')" 0 "steps that took less than nothing"
    assert_eq "$(ls "$TEST_DIR/scratch")" "" "directories left"
}

test_trials_tell_what_they_bring() {
    need_bench
    assert_exit 0 "$BENCH_BIN/bench_trials" launchpad --tasks 5
    assert_contains "$OUT" "host's tree, pivot_root"
    # Why the launchpad is not taken: a root that only covers another can be taken off from inside, and where it is locked, the
    # proc below makes the masks over the guest's own worth nothing.
    assert_contains "$OUT" "covers: the guest's root user takes the cover off"
    assert_contains "$OUT" "covers, locked: the guest's root user does not get out"
    assert_contains "$OUT" "after pivot_root, namespaces in the guest may mount a whole proc: no"
    assert_contains "$OUT" "above a launchpad, locked, namespaces in the guest may mount a whole proc: yes"
    assert_exit 0 "$BENCH_BIN/bench_trials" netns
    assert_contains "$OUT" "out of a pool"
    assert_exit 2 "$BENCH_BIN/bench_trials" launchpad --tasks none
}

test_floor_holds_guests_until_its_input_ends() {
    need_bench
    make_floor_root
    assert_exit 0 floor --count 3 --workers 2 --hold -- /bin/bench_probe idle
    assert_eq "$(head -n 1 <<<"$OUT")" up
    assert_eq "$(tail -n 1 <<<"$OUT" | jq '.destroy_ms > 0')" true
    assert_eq "$(ls "$TEST_DIR/scratch")" "" "directories left"
}

test_floor_says_that_a_guest_did_not_start() {
    need_bench
    make_floor_root
    assert_exit 1 floor -- /bin/nothing
    assert_contains "$ERR" "did not come to its program"
    assert_exit 2 floor --count none -- /bin/bench_probe idle
}

test_run_measures_with_the_peers_that_are_there() {
    need_bench
    mkdir "$TEST_DIR/work"
    assert_exit 0 "$BENCH_DIR/run" --no-install --disk host --only launch --runs 2 --bin "$BENCH_BIN" --work "$TEST_DIR/work" --cache "$TEST_DIR/cache" \
        --out "$TEST_DIR/out"
    assert_contains "$OUT" "| warren | 2 |"
    assert_contains "$OUT" "| floor | 2 |"
    assert_eq "$(jq '[.results[] | select(.name == "warren" or .name == "floor") | .median_ms > 0] | all' "$TEST_DIR/out/launch.json")" true
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$TEST_DIR/out/launch.svg" || fail "launch.svg is no XML"
    assert_eq "$(ls "$TEST_DIR/work")" "" "directories left"
    assert_exit 2 "$BENCH_DIR/run" --only nothing
}
