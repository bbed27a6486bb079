# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# kill -9 of warren at every step of a verb's journal: WARREN_FAULT=N dies at the Nth fault point. The next
# command finds the guest whole or gone, and nothing of the half-done step is left.

has_fault_points() {
    local name status=0
    name=$(unique points)
    WARREN_FAULT=1 "$WARREN" create "$name" --image busybox >/dev/null 2>&1 || status=$?
    "$WARREN" list >/dev/null
    [ "$status" != 0 ] || warren destroy "$name"
    [ "$status" = 137 ] || skip "this build of warren has no fault points"
}

guest_leftovers() {
    local parent
    compgen -G "$WARREN_ROOT/guests/*" || :
    compgen -G "$WARREN_ROOT/leases/*" || :
    compgen -G "$WARREN_RUN/guests/*" || :
    compgen -G "$WARREN_RUN/locks/*" || :
    parent=$(cgroup_parent_of_run)
    [ -z "$parent" ] || find "$parent" -mindepth 1 -type d
}

# The cgroup above this run directory's guests, when there is one.
cgroup_parent_of_run() {
    sed -n 's/^cgroup \(.*\)$/\1/p' < <(perl "$SUPPORT_DIR/snapshot.pl" "$WARREN_ROOT" "$WARREN_RUN" none) |
        sort | sed -n '1s#\(/warren-[0-9a-f]*\).*#\1#p'
}

nothing_of_guests_is_left() {
    local left
    left=$(guest_leftovers)
    assert_eq "$left" "" "left of guests after $1"
}

status_now() {
    warren list -o status --filter "name=$1" | tail -n +2
}

# die_at STEP COMMAND...: 0 when it was killed there, 1 when it got to its end before.
die_at() {
    local step=$1 status=0
    shift
    WARREN_FAULT=$step "$@" >"$TEST_DIR/out" 2>"$TEST_DIR/err" || status=$?
    case $status in
        137) return 0 ;;
        0) return 1 ;;
        *) fail "at fault $step '$*' exited $status: $(cat "$TEST_DIR/err")" ;;
    esac
}

# at_every_step PREPARE COMMAND CHECK...: each is a function of the guest's name; CHECK gets the step too.
at_every_step() {
    local prepare=$1 command=$2 check=$3 step=1 name
    while :; do
        name=$(unique "step$step")
        "$prepare" "$name"
        if ! die_at "$step" "$command" "$name"; then
            break
        fi
        "$check" "$name" "at step $step of ${command#do_}"
        "$WARREN" destroy --force "$name" >/dev/null 2>&1 || :
        assert_eq "$(warren list -q)" "" "guests after fault $step of $command"
        nothing_of_guests_is_left "fault $step of $command"
        step=$((step + 1))
        [ "$step" -lt 100 ] || fail "$command does not come to an end of its fault points"
    done
    "$WARREN" destroy --force "$name" >/dev/null 2>&1 || :
    assert_between "$step" 2 99 "fault points of $command"
    echo "$command: $((step - 1)) fault points"
}

no_preparation() { :; }
stopped_guest() { warren create "$1" --image busybox -- /bin/sleep 86399 >/dev/null; }
running_guest() { stopped_guest "$1" && warren start "$1" >/dev/null; }

do_create() { "$WARREN" create "$1" --image busybox -- /bin/sleep 86399; }
do_start() { "$WARREN" start "$1"; }
do_stop() { "$WARREN" stop --time 0 "$1"; }
do_destroy() { "$WARREN" destroy "$1"; }
do_destroy_running() { "$WARREN" destroy --force "$1"; }
do_set() { "$WARREN" set "$1" --label k=v --hostname other; }
do_run() { "$WARREN" run --rm --name "$1" --image busybox -- /bin/true; }
do_run_detached() { "$WARREN" run -d --name "$1" --image busybox -- /bin/sleep 86399; }

works_again() {
    warren start "$1" >/dev/null || fail "start $2"
    warren exec "$1" true || fail "exec $2"
}

# A guest whose creation was cut off is not there, and its name is free; one that was complete works.
check_create() {
    case $(status_now "$1") in
        "") do_create "$1" >/dev/null || fail "create again $2" ;;
        stopped) ;;
        *) fail "'$(status_now "$1")' $2" ;;
    esac
    works_again "$1" "$2"
}

check_run_detached() {
    if [ "$(status_now "$1")" = running ]; then
        warren exec "$1" true || fail "exec $2"
    else
        check_create "$@"
    fi
}

check_start() {
    case $(status_now "$1") in
        stopped)
            [ -z "$(compgen -G "$WARREN_RUN/guests/*")" ] || fail "a run record is left $2"
            works_again "$1" "$2"
            ;;
        running) warren exec "$1" true || fail "exec $2" ;;
        *) fail "'$(status_now "$1")' $2" ;;
    esac
}

# By start instead of list: any command recovers what it meets.
check_start_by_start() {
    "$WARREN" start "$1" >/dev/null 2>"$TEST_DIR/err" || grep -q "running already" "$TEST_DIR/err" ||
        fail "start again $2: $(cat "$TEST_DIR/err")"
    warren exec "$1" true || fail "exec $2"
}

check_destroy() {
    case $(status_now "$1") in
        "") nothing_of_guests_is_left "destroy $2" ;;
        stopped) works_again "$1" "$2" ;;
        running) warren exec "$1" true || fail "exec $2" ;;
        *) fail "'$(status_now "$1")' $2" ;;
    esac
}

# Either all of the change or nothing of it, in a record that can be read.
check_set() {
    local config
    config=$(warren inspect "$1" | jq -c '[.config.labels.k, .config.hostname]') || fail "inspect $2"
    [[ $config == '["v","other"]' || $config == '[null,""]' ]] || fail "half a change $2: $config"
    warren exec "$1" true || fail "exec $2"
    do_set "$1" >/dev/null || fail "set again $2"
}

check_run() {
    local left
    "$WARREN" list >/dev/null
    left=$(status_now "$1")
    # One that runs on without its shell is a guest like any other; it is gone when its command ends.
    [ -z "$left" ] || [ "$left" = running ] || fail "'$left' $2"
    do_run "$1.again" >/dev/null || fail "run another $2"
}

test_create() {
    need_image busybox
    has_fault_points
    at_every_step no_preparation do_create check_create
}

test_start() {
    need_image busybox
    has_fault_points
    at_every_step stopped_guest do_start check_start
}

test_start_recovered_by_start() {
    need_image busybox
    has_fault_points
    at_every_step stopped_guest do_start check_start_by_start
}

test_stop() {
    need_image busybox
    has_fault_points
    at_every_step running_guest do_stop check_start
}

test_destroy() {
    need_image busybox
    has_fault_points
    at_every_step stopped_guest do_destroy check_destroy
}

test_destroy_of_a_running_guest() {
    need_image busybox
    has_fault_points
    at_every_step running_guest do_destroy_running check_destroy
}

test_set() {
    need_image busybox
    has_fault_points
    at_every_step running_guest do_set check_set
}

test_run() {
    need_image busybox
    has_fault_points
    at_every_step no_preparation do_run check_run
}

test_run_detached() {
    need_image busybox
    has_fault_points
    at_every_step no_preparation do_run_detached check_run_detached
}

# The guests of a batch that the death did not reach are as before.
test_neighbours_are_unaffected() {
    local one two
    need_image busybox
    has_fault_points
    one=$(unique one) two=$(unique two)
    running_guest "$one"
    stopped_guest "$two"
    WARREN_FAULT=3 "$WARREN" start "$two" >/dev/null 2>&1 || :
    assert_eq "$(status_now "$one")" running
    warren exec "$one" true
    assert_exit 0 warren destroy --force "$one" "$two"
}
