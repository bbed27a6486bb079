# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Many names by one command, shared among processes: each is told once, and what is wrong with one is its own trouble.

guests() {
    printf "$1%02d\n" $(seq 1 "$2")
}

create_all() {
    # shellcheck disable=SC2086  # a list of words
    printf '%s\n' "$@" | xargs -P 4 -I "{}" "$WARREN" --quiet create '{}' --image busybox ${WARREN_CREATE_OPTS-} -- /bin/sleep 86399
}

# hold_guest NAME SECONDS: its lock is somebody else's for so long.
hold_guest() {
    mkdir -p "$WARREN_RUN/locks"
    flock --no-fork "$WARREN_RUN/locks/$1" sleep "$2" &
    HOLDER=$!
    wait_until is_held "$1"
}

is_held() {
    ! flock --nonblock "$WARREN_RUN/locks/$1" true
}

nothing_is_left() {
    assert_eq "$(warren list -q)" "" "guests left"
    assert_eq "$(compgen -G "$WARREN_ROOT/guests/*")" "" "disks left"
    assert_eq "$(compgen -G "$WARREN_ROOT/leases/*")" "" "leases left"
    assert_eq "$(compgen -G "$WARREN_RUN/guests/*")" "" "run records left"
    assert_eq "$(compgen -G "$WARREN_RUN/locks/*")" "" "locks left"
}

# names_done JSON: the names of a batch's outcome that are done, sorted.
names_done() {
    jq -r '.[] | select(.done) | .name' <<<"$1" | sort
}

test_destroy_of_many_kinds() {
    local names busy damaged lost once paused pids
    need_image busybox
    mapfile -t names < <(guests "$(unique d)-" 20)
    busy=${names[3]} damaged=${names[5]} lost=${names[7]} paused=${names[9]} once=$(unique once)
    create_all "${names[@]}"
    assert_exit 0 warren start "${names[@]:0:14}"
    assert_exit 0 warren pause "$paused"
    warren exec "${names[1]}" true
    warren run -d --rm --name "$once" --image busybox -- /bin/sleep 86399 >/dev/null
    mapfile -t pids < <(warren list --json | jq '.[].pid // empty')
    assert_eq "${#pids[@]}" 15 "guests that run"
    echo '{' >"$WARREN_ROOT/guests/$damaged/guest.json"
    echo '{' >"$WARREN_RUN/guests/$lost.json"
    hold_guest "$busy" 2
    assert_exit 1 warren --json destroy --force "${names[@]}" "$once" no-such-guest
    wait "$HOLDER"
    assert_eq "$(jq length <<<"$OUT")" 22 "outcomes"
    assert_eq "$(names_done "$OUT")" "$(printf '%s\n' "${names[@]}" "$once" | sort)" "destroyed"
    assert_eq "$ERR" "warren: destroy no-such-guest: no guest named no-such-guest"
    assert_eq "$(kill -0 "${pids[@]}" 2>&1 | grep -vc 'No such process')" 0 "processes that live on"
    nothing_is_left
    rm -r "$WARREN_ROOT/corrupt"
}

test_destroy_without_force_leaves_what_runs() {
    local names damaged
    need_image busybox
    mapfile -t names < <(guests "$(unique k)-" 12)
    damaged=${names[11]}
    create_all "${names[@]}"
    assert_exit 0 warren start "${names[2]}" "${names[7]}"
    echo '{' >"$WARREN_ROOT/guests/$damaged/guest.json"
    assert_exit 1 warren --json destroy --all
    assert_eq "$(jq -r '.[] | select(.done | not) | .name' <<<"$OUT" | sort)" "$(printf '%s\n' "${names[2]}" "${names[7]}" "$damaged")"
    assert_contains "$ERR" "${names[2]} is running; stop it first, or use --force"
    assert_eq "$(warren list -q --filter status=running)" "$(printf '%s\n' "${names[2]}" "${names[7]}")"
    warren exec "${names[7]}" true
    assert_exit 0 warren destroy --force --all
    nothing_is_left
    rm -r "$WARREN_ROOT/corrupt"
}

test_stop_of_many_kinds() {
    local names busy once
    need_image busybox
    mapfile -t names < <(guests "$(unique s)-" 16)
    busy=${names[4]} once=$(unique once)
    create_all "${names[@]}"
    assert_exit 0 warren start "${names[@]:0:12}"
    warren run -d --rm --name "$once" --image busybox -- /bin/sleep 86399 >/dev/null
    hold_guest "$busy" 2
    assert_exit 1 warren --json stop --time 0 "${names[@]}" "$once" no-such-guest
    wait "$HOLDER"
    assert_eq "$(names_done "$OUT")" "$(printf '%s\n' "${names[@]}" "$once" | sort)" "stopped"
    assert_eq "$(warren list -q)" "$(printf '%s\n' "${names[@]}")" "the --rm guest goes with its run"
    assert_eq "$(warren list -q --filter status=stopped | wc -l)" 16 "guests that stopped"
    assert_eq "$(compgen -G "$WARREN_RUN/guests/*")" "" "run records left"
    assert_exit 0 warren destroy --all
    nothing_is_left
}

# A process that works at a batch is killed while it waits for a guest: that guest is as it was.
test_a_killed_worker_costs_what_it_was_at() {
    local names busy verb pid status=0
    need_image busybox
    [ "$(nproc)" -gt 1 ] || skip "on one processor there are no workers"
    mapfile -t names < <(guests "$(unique w)-" 16)
    busy=${names[5]}
    create_all "${names[@]}"
    assert_exit 0 warren start --all
    hold_guest "$busy" 30
    "$WARREN" destroy --force --all >"$TEST_DIR/out" 2>"$TEST_DIR/err" &
    verb=$!
    wait_until only_left "$busy"
    # The worker that waits is the only one left.
    wait_until has_one_child "$verb"
    pid=$(pgrep -P "$verb")
    kill -9 "$pid"
    wait "$verb" || status=$?
    kill "$HOLDER"
    wait "$HOLDER" || :
    assert_eq "$status" 1 "exit code"
    assert_eq "$(cat "$TEST_DIR/err")" "warren: destroy $busy: the process that worked at it was killed"
    assert_eq "$(sort "$TEST_DIR/out")" "$(printf '%s\n' "${names[@]}" | grep -vx "$busy")"
    warren exec "$busy" true
    assert_exit 0 warren destroy --force "$busy"
    nothing_is_left
}

only_left() {
    [ "$(cd "$WARREN_ROOT/guests" && echo *)" = "$1" ]
}

has_one_child() {
    [ "$(pgrep -P "$1" | wc -l)" = 1 ]
}

# All of a batch dies at once: what it had begun the next command ends, the others are as they were.
test_a_killed_batch_is_finished_by_the_next_command() {
    local names verb left
    need_image busybox
    mapfile -t names < <(guests "$(unique b)-" 40)
    create_all "${names[@]}"
    assert_exit 0 warren start --all
    setsid "$WARREN" destroy --force --all >/dev/null 2>&1 &
    verb=$!
    wait_until some_are_gone 40
    kill -9 -- "-$verb" 2>/dev/null || :
    wait "$verb" || :
    left=$(warren list --json | jq -r '.[].status' | sort -u)
    [ -z "$left" ] || [ "$left" = running ] || fail "guests are '$left' after the batch was killed"
    for name in $(warren list -q); do
        warren exec "$name" true
    done
    assert_exit 0 warren destroy --force --all
    nothing_is_left
}

some_are_gone() {
    [ "$(find "$WARREN_ROOT/guests" -mindepth 1 -maxdepth 1 | wc -l)" -lt "$1" ]
}

# More than one thread reads: every line is there once, in order, whatever is wrong with some.
test_list_of_many() {
    local names damaged json
    need_image busybox
    mapfile -t names < <(guests "$(unique l)-" 80)
    damaged=${names[40]}
    create_all "${names[@]}"
    assert_exit 0 warren start "${names[@]:60:10}"
    warren set "${names[65]}" --label tier=web --env NEW=1 >/dev/null
    echo '{' >"$WARREN_ROOT/guests/$damaged/guest.json"
    # What a damaged run record told of, runs on; the next look does not see it any more.
    echo '{' >"$WARREN_RUN/guests/${names[67]}.json"
    mkdir "$WARREN_ROOT/guests/half-made"
    assert_exit 0 warren list
    assert_eq "$(tail -n +2 <<<"$OUT" | cut -d' ' -f1)" "$(printf '%s\n' "${names[@]}")" "names of the table"
    assert_contains "$ERR" "list $damaged: the record of guest $damaged cannot be read"
    assert_contains "$ERR" "list ${names[67]}: the run record of guest ${names[67]} cannot be read"
    assert_eq "$(grep -c ' corrupt ' <<<"$OUT")" 2 "lines of damaged guests"
    assert_eq "$(grep -c ' running ' <<<"$OUT")" 9 "lines of running guests"
    assert_eq "$(grep -c ' stopped ' <<<"$OUT")" 69 "lines of stopped guests"
    [ ! -e "$WARREN_ROOT/guests/half-made" ] || fail "what a dead create left is still there"
    # The usual columns come from the summary in the run record, and are what the whole record says.
    for name in "${names[60]}" "${names[65]}"; do
        assert_eq "$(jq .summary.inode "$WARREN_RUN/guests/$name.json")" "$(stat -c %i "$WARREN_ROOT/guests/$name/guest.json")" "summary of $name"
        assert_eq "$(warren list -o name,status,image,ids,walls,pid,created --filter "name=$name" 2>/dev/null | tail -n 1 | awk 'NF -= 1')" \
            "$(warren list -o name,status,image,ids,walls,pid --filter "name=$name" 2>/dev/null | tail -n 1 | awk 'NF += 0')" "columns of $name"
    done
    # Changed by hand, the record is read.
    sed -i 's/"image": "busybox"/"image": "other"/' "$WARREN_ROOT/guests/${names[66]}/guest.json"
    assert_eq "$(warren list -q --filter image=other 2>/dev/null)" "${names[66]}" "a record changed by hand"
    sed -i 's/"image": "other"/"image": "busybox"/' "$WARREN_ROOT/guests/${names[66]}/guest.json"
    json=$(warren list --json 2>/dev/null)
    assert_eq "$(jq -r '.[].name' <<<"$json")" "$(printf '%s\n' "${names[@]}")" "names of the JSON"
    for name in "${names[0]}" "${names[65]}" "${names[79]}"; do
        assert_eq "$(jq -S --arg name "$name" '.[] | select(.name == $name)' <<<"$json")" \
            "$(warren inspect "$name" | jq -S .)" "list and inspect of $name"
    done
    assert_eq "$(warren list -q --filter label=tier=web 2>/dev/null)" "${names[65]}"
    assert_eq "$(warren list -o name,pending --filter status=running 2>/dev/null | grep env)" "$(printf '%s  env' "${names[65]}")"
    assert_exit 0 warren destroy --force --all
    nothing_is_left
    rm -r "$WARREN_ROOT/corrupt"
}

# What a command that was killed leaves of a guest that is gone, lists and batches take away; what is in use stays.
test_locks_of_no_guest_go() {
    local name held
    need_image busybox
    name=$(unique g) held=$(unique h)
    create_all "$name" "${name}2"
    hold_guest "$held" 30
    for verb in "list -q" "destroy $name ${name}2"; do
        : >"$WARREN_RUN/locks/ghost"
        # shellcheck disable=SC2086  # a list of words
        assert_exit 0 warren $verb
        [ ! -e "$WARREN_RUN/locks/ghost" ] || fail "the lock of no guest is left by $verb"
        [ -e "$WARREN_RUN/locks/$held" ] || fail "a lock that somebody holds was removed by $verb"
    done
    kill "$HOLDER"
    wait "$HOLDER" || :
    warren list -q
    nothing_is_left
}
