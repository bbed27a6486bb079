# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# A real terminal for the guest, and the user's own left as it was, however warren ends. The user is
# tests/payload/terminal.py.

TERMINAL=$(cd "$(dirname "${BASH_SOURCE[0]}")/../payload" && pwd)/terminal.py

# at_terminal SCRIPT ARG...: warren with these arguments on a terminal, by the script.
at_terminal() {
    need_command python3
    assert_exit 0 python3 "$TERMINAL" "$1" "$WARREN" "${@:2}"
}

test_run_on_a_terminal() {
    need_image busybox
    at_terminal '
        raw
        type tty; stty size; echo "shell $((40 + 2))"\n
        expect /dev/
        expect 24 80
        expect shell 42
        type exit 3\n
        exit 3
        unchanged' run --rm -i -t --image busybox -- /bin/sh
}

test_resize() {
    need_image busybox
    at_terminal '
        raw
        type stty size\n
        expect 24 80
        size 50 132
        type sleep 1; stty size\n
        expect 50 132
        type exit\n
        exit 0
        unchanged' run --rm -i -t --image busybox -- /bin/sh
}

test_interrupt_goes_to_the_guest() {
    need_image busybox
    at_terminal '
        raw
        expect ready
        type \x03
        expect interrupted
        exit 5
        unchanged' run --rm -i -t --image busybox -- \
        /bin/sh -c 'trap "echo interrupted; exit 5" INT; echo ready; while :; do sleep 0.2; done'
}

test_exec_on_a_terminal() {
    local name
    need_image busybox
    name=$(unique exec)
    assert_exit 0 warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    at_terminal '
        raw
        type stty size; echo "tty $(tty)"\n
        expect 24 80
        expect tty /dev/pts/
        size 30 100
        type sleep 1; stty size\n
        expect 30 100
        type exit 4\n
        exit 4
        unchanged' exec -i -t "$name" /bin/sh
    at_terminal '
        raw
        type echo "login $0 $((6 * 7))"\n
        expect 42
        type exit\n
        exit 0
        unchanged' enter "$name"
    warren destroy --force "$name"
}

test_terminal_is_restored_when_warren_is_ended() {
    local name signal status
    need_image busybox
    name=$(unique killed)
    assert_exit 0 warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    # The signal is the command's: it ends by it, and warren with its status.
    for signal in TERM HUP INT; do
        status=$((128 + $(kill -l "$signal")))
        at_terminal "
            raw
            expect ready
            signal $signal
            exit $status
            unchanged" exec -i -t "$name" /bin/sh -c 'echo ready; exec sleep 1000'
    done
    warren destroy --force "$name"
}

test_terminal_is_untouched_when_nothing_starts() {
    need_image busybox
    at_terminal '
        expect no-such-program
        exit 127
        unchanged' run --rm -i -t --image busybox -- no-such-program
    at_terminal '
        expect no-such-image
        exit 125
        unchanged' run --rm -i -t --image no-such-image -- sh
}

# A guest that is stopped under the hands of who sits at it.
test_terminal_is_restored_when_the_guest_ends() {
    local name
    need_image busybox
    name=$(unique ends)
    assert_exit 0 warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    (
        wait_until sh -c "'$WARREN' top '$name' | grep -q 'sleep 1000'"
        "$WARREN" stop --time 0 "$name" >/dev/null
    ) &
    at_terminal '
        raw
        type sleep 1000\n
        exit 137
        unchanged' exec -i -t "$name" /bin/sh
    wait
    warren destroy "$name"
}

# Text and colours are for terminals only.
test_tables_know_a_terminal() {
    local name
    need_image busybox
    name=$(unique colour)
    assert_exit 0 warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    need_command python3
    TERM=xterm NO_COLOR='' assert_exit 0 python3 "$TERMINAL" 'exit 0' "$WARREN" list
    assert_contains "$OUT" $'\e['
    TERM=xterm NO_COLOR=1 assert_exit 0 python3 "$TERMINAL" 'exit 0' "$WARREN" list
    assert_not_contains "$OUT" $'\e['
    assert_contains "$OUT" "$name"
    warren destroy --force "$name"
}
