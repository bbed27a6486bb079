# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/stress.sh"

test_two_starts_at_once() {
    local name round winners
    need_image busybox
    name=$(unique both)
    warren create "$name" --image busybox -- /bin/sleep 86399
    for round in 1 2 3 4 5; do
        for shell in 1 2 3; do
            (
                status=0
                "$WARREN" start "$name" >/dev/null 2>"$TEST_DIR/err.$shell" || status=$?
                echo "$status" >"$TEST_DIR/status.$shell"
            ) &
        done
        wait
        winners=$(cat "$TEST_DIR"/status.* | grep -cx 0)
        assert_eq "$winners" 1 "winners of round $round"
        assert_eq "$(cat "$TEST_DIR"/status.* | sort | tr '\n' ' ')" "0 1 1 " "exit codes"
        assert_eq "$(cat "$TEST_DIR"/err.* | sort -u)" "warren: start $name: $name is running already" "what the losers say"
        warren exec "$name" true
        assert_exit 0 warren stop --time 0 "$name"
    done
    warren destroy "$name"
}

test_two_creates_and_two_destroys_at_once() {
    local name
    need_image busybox
    name=$(unique one)
    for shell in 1 2 3; do
        ("$WARREN" create "$name" --image busybox >/dev/null 2>"$TEST_DIR/err.$shell" && echo won >"$TEST_DIR/won.$shell") &
    done
    wait
    assert_eq "$(cat "$TEST_DIR"/won.*)" won "winners"
    assert_eq "$(cat "$TEST_DIR"/err.* | sort -u)" "warren: create $name: a guest named $name exists already"
    rm "$TEST_DIR"/*
    for shell in 1 2 3; do
        ("$WARREN" destroy "$name" >/dev/null 2>"$TEST_DIR/err.$shell" && echo won >"$TEST_DIR/won.$shell") &
    done
    wait
    assert_eq "$(cat "$TEST_DIR"/won.*)" won "winners"
    assert_eq "$(cat "$TEST_DIR"/err.* | sort -u)" "warren: destroy $name: no guest named $name"
}

# One verb on one guest.
one_command() {
    local guest status=0 error
    guest=stress$((RANDOM % 10))
    case $((RANDOM % 7)) in
        0 | 1) set -- start "$guest" ;;
        2) set -- stop --time 0 "$guest" ;;
        3 | 4) set -- exec "$guest" true ;;
        5) set -- destroy --force "$guest" ;;
        6) set -- create "$guest" --image busybox -- /bin/sleep 86399 ;;
    esac
    error=$(timeout -k 5 60 "$WARREN" "$@" 2>&1 >/dev/null) || status=$?
    answered "$status"
    case $status:$error in
        0:*) ;;
        *"no guest named"* | *"exists already"* | *"running already"* | *"is stopped"* | *"is starting"* | *"is stopping"*) ;;
        *"is creating"* | *"is destroying"* | *"is not running"*) ;;
        # A guest that was stopped under the command.
        137:* | *"ended while it was being entered"*) ;;
        *) wrong "$*: exit $status: $error" ;;
    esac
}

test_fifty_shells_on_ten_guests() {
    local status guest
    need_image busybox
    fifty_shells one_command
    # What list says is what is there.
    for guest in $(warren list -q); do
        status=$(warren inspect "$guest" | jq -r .status)
        case $status in
            running) assert_exit 0 warren exec "$guest" true ;;
            stopped) assert_exit 0 warren start "$guest" ;;
            *) fail "$guest is $status when nobody works on it" ;;
        esac
    done
    assert_exit 0 warren destroy --force --all
    assert_eq "$(compgen -G "$WARREN_ROOT/leases/*")" "" "leases left"
    assert_eq "$(compgen -G "$WARREN_RUN/guests/*")" "" "run records left"
}
