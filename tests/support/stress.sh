# shellcheck shell=bash
# Many shells at work on the same few things, by chance; sourced after lib.sh.

# WARREN_STRESS_SECONDS: how long the shells work (10).

# answered STATUS: how a shell's command ended.
answered() {
    echo "$1" >>"$SHELL_FILES.statuses"
}

# wrong TEXT: an answer that nobody expects.
wrong() {
    printf '%s\n' "$1" >>"$SHELL_FILES.wrong"
}

# fifty_shells COMMAND: runs it again and again in each of fifty shells, each with its own $RANDOM, and $SHELL_FILES for what
# it writes. It says what came of it by `answered` and `wrong`.
fifty_shells() {
    local seed shell pids=()
    for ((seed = 1; seed <= 50; seed++)); do
        (
            RANDOM=$seed
            SHELL_FILES=$TEST_DIR/shell.$seed
            end=$((SECONDS + ${WARREN_STRESS_SECONDS:-10}))
            while [ $SECONDS -lt "$end" ]; do
                "$1"
            done
        ) &
        pids+=("$!")
    done
    for shell in "${pids[@]}"; do
        wait "$shell" || fail "a shell ended with $?"
    done
    if compgen -G "$TEST_DIR/shell.*.wrong" >/dev/null; then
        fail "answers nobody expects:"$'\n'"$(cat "$TEST_DIR"/shell.*.wrong | sort | uniq -c | sort -rn | head -n 20)"
    fi
    echo "$(cat "$TEST_DIR"/shell.*.statuses | wc -l) commands, $(cat "$TEST_DIR"/shell.*.statuses | grep -cx 0) of them done"
    assert_between "$(cat "$TEST_DIR"/shell.*.statuses | grep -cx 0)" 10 1000000 "commands that were done"
}
