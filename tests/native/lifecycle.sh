# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the guest's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

# Every verb on real guests: what it does, what it prints, what it exits with.

status_of() {
    warren inspect "$1" | jq -r .status
}

last_reason() {
    warren inspect "$1" | jq -r .last_run.reason
}

is_status() {
    [ "$(status_of "$1")" = "$2" ]
}

test_machine_goes_through_its_life() {
    local name pid cgroup
    need_image busybox
    name=$(unique machine)
    assert_exit 0 warren create "$name" --image busybox
    assert_eq "$OUT" "$name"
    assert_eq "$(status_of "$name")" stopped
    assert_exit 0 warren start --wait "$name"
    assert_eq "$(status_of "$name")" running
    pid=$(warren inspect "$name" | jq .pid)
    assert_eq "$(cat "/proc/$pid/comm")" init "the first process"
    cgroup=$(warren inspect "$name" | jq -r .cgroup)
    assert_contains "$(cat "/proc/$pid/cgroup")" "0::$cgroup" "the cgroup of the first process"
    assert_exit 0 warren exec "$name" hostname
    assert_eq "$OUT" "$name" "host name"
    assert_exit 0 warren exec "$name" cat /proc/1/comm
    assert_eq "$OUT" init
    assert_exit 0 warren stop "$name"
    assert_eq "$(status_of "$name")" stopped
    assert_eq "$(last_reason "$name")" stopped
    wait_until test ! -e "/proc/$pid"
    assert_exit 0 warren destroy "$name"
    assert_refused 2 "no guest named $name" warren inspect "$name"
}

# host_uptime, guest_uptime NAME: in hundredths of a second.
host_uptime() {
    local uptime
    read -r uptime _ </proc/uptime
    echo "$((10#${uptime/./}))"
}

guest_uptime() {
    assert_exit 0 warren exec "$1" cat /proc/uptime
    OUT=${OUT%% *}
    UPTIME=$((10#${OUT/./}))
}

# Bounds, not times: no guest is older than its start, and none with the host's clocks younger than the host was.
test_uptime_counts_from_the_start() {
    local name before time
    [ -e /proc/self/ns/time ] || skip "this kernel has no time namespaces"
    need_image busybox
    name=$(unique uptime)
    warren create "$name" --image busybox -- /bin/sleep 86399
    for time in first second; do
        before=$(host_uptime)
        warren start "$name"
        guest_uptime "$name"
        assert_between "$UPTIME" 0 $(($(host_uptime) - before + 1)) "uptime after the $time start"
        assert_exit 0 warren stop --time 0 "$name"
    done
    before=$(host_uptime)
    assert_exit 0 warren run --rm --image busybox --time auto -- cat /proc/uptime
    OUT=${OUT%% *}
    assert_between "$((10#${OUT/./}))" 0 $(($(host_uptime) - before + 1)) "uptime of a command"
    before=$(host_uptime)
    assert_exit 0 warren run --rm --image busybox --time host -- cat /proc/uptime
    OUT=${OUT%% *}
    assert_between "$((10#${OUT/./}))" "$before" "$(host_uptime)" "uptime with --time host"
    warren destroy "$name"
}

test_disk_survives_stop_and_goes_with_destroy() {
    local name
    need_image busybox
    name=$(unique disk)
    warren create "$name" --image busybox -- /bin/sleep 86399
    warren start "$name"
    warren exec "$name" sh -c 'echo kept >/root/file'
    warren stop "$name"
    warren start "$name"
    assert_exit 0 warren exec "$name" cat /root/file
    assert_eq "$OUT" kept
    warren destroy --force "$name"
    warren create "$name" --image busybox -- /bin/sleep 86399
    warren start "$name"
    assert_exit 1 warren exec "$name" cat /root/file
    warren destroy --force "$name"
}

test_command_guest_ends_with_its_command() {
    local name
    need_image busybox
    name=$(unique command)
    warren create "$name" --image busybox -- /bin/sh -c 'echo out; echo err >&2; exit 7'
    warren start "$name"
    wait_until is_status "$name" stopped
    assert_eq "$(last_reason "$name")" exited
    assert_exit 0 warren logs "$name"
    assert_contains "$OUT" out
    assert_contains "$OUT" err
    assert_exit 0 warren logs -n 1 "$name"
    assert_eq "$OUT" err
    warren destroy "$name"
}

test_run_passes_streams_and_status() {
    local name
    need_image busybox
    assert_exit 0 warren run --rm --image busybox -- /bin/sh -c 'echo out; echo err >&2'
    assert_eq "$OUT" out
    assert_eq "$ERR" err
    assert_exit 0 warren run --rm -i --image busybox -- cat < <(echo "through standard input")
    assert_eq "$OUT" "through standard input"
    assert_exit 3 warren run --rm --image busybox -- sh -c 'exit 3'
    assert_exit 1 warren run --rm --image busybox -- false
    assert_exit 137 warren run --rm --image busybox -- sh -c 'sleep 60 & kill -9 $!; wait $!'
    assert_refused 127 no-such-program warren run --rm --image busybox -- no-such-program
    assert_refused 126 /etc warren run --rm --image busybox -- /etc
    assert_refused 125 no-such-image warren run --rm --image no-such-image -- true
    assert_eq "$(warren list -q)" "" "guests left"
    # Without --rm the guest stays.
    name=$(unique stays)
    assert_exit 4 warren run --name "$name" --image busybox -- sh -c 'exit 4'
    assert_eq "$(status_of "$name")" stopped
    assert_eq "$(warren inspect "$name" | jq .last_run.exit_code)" 4
    warren destroy "$name"
}

test_exec_passes_streams_and_status() {
    local name
    need_image busybox
    name=$(unique exec)
    warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren exec "$name" sh -c 'echo out; echo err >&2'
    assert_eq "$OUT" out
    assert_contains "$ERR" err
    assert_exit 0 warren exec -i "$name" wc -c < <(printf 12345)
    assert_eq "$OUT" 5
    # Without -i the command does not read what is ours.
    assert_exit 0 warren exec "$name" wc -c < <(printf 12345)
    assert_eq "$OUT" 0
    assert_exit 9 warren exec "$name" sh -c 'exit 9'
    assert_exit 2 warren exec "$name" sh -c 'exit 2'
    assert_exit 143 warren exec "$name" sh -c 'kill -TERM $$'
    assert_refused 127 no-such-program warren exec "$name" no-such-program
    assert_refused 126 /etc warren exec "$name" /etc
    assert_refused 125 no-such-guest warren exec no-such-guest true
    assert_refused 125 no-such-user warren exec -u no-such-user "$name" true
    assert_refused 125 /no/such/dir warren exec -w /no/such/dir "$name" true
    assert_exit 0 warren exec -w /etc -e A=1 -e "B=two words" "$name" sh -c 'pwd; echo "$A $B"'
    assert_eq "$OUT" $'/etc\n1 two words'
    assert_exit 0 warren exec -u nobody "$name" id -u
    assert_eq "$OUT" 65534
    assert_exit 0 warren exec -u 1234:4321 "$name" sh -c 'id -u; id -g'
    assert_eq "$OUT" $'1234\n4321'
    # Options end at the name: -c is the command's.
    assert_exit 0 warren exec "$name" -- sh -c 'echo dashes'
    assert_eq "$OUT" dashes
    assert_exit 0 warren exec -d "$name" sh -c 'echo detached >/tmp/mark; sleep 86398'
    wait_until "$WARREN" exec "$name" test -s /tmp/mark
    assert_contains "$(warren --json top "$name" | jq -r '.[].command')" "sleep 86398"
    warren destroy --force "$name"
}

test_enter_is_a_login_shell() {
    local name
    need_image busybox
    name=$(unique enter)
    warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    assert_exit 5 warren enter "$name" < <(printf 'echo "user $(id -u) in $PWD"\nexit 5\n')
    assert_contains "$OUT" "user 0 in /root"
    warren destroy --force "$name"
}

# has_said NAME LINE N: a first process hears a signal only once it has asked to.
has_said() {
    [ "$(warren logs "$1" | grep -cx "$2")" = "$3" ]
}

test_restart_kill_pause_resume() {
    local name before after
    need_image busybox
    name=$(unique life)
    warren run -d --name "$name" --image busybox -- /bin/sh -c 'trap "echo asked; exit 0" TERM; echo ready; while :; do sleep 1; done'
    wait_until has_said "$name" ready 1
    before=$(warren inspect "$name" | jq .pid)
    assert_exit 0 warren restart "$name"
    after=$(warren inspect "$name" | jq .pid)
    assert_ne "$after" "$before" "the first process"
    assert_eq "$(status_of "$name")" running
    assert_contains "$(warren logs "$name")" asked
    wait_until has_said "$name" ready 2
    assert_exit 0 warren pause "$name"
    assert_eq "$(status_of "$name")" paused
    # Frozen for good: its processes get no time at all.
    before=$(cut -d' ' -f14,15 "/proc/$after/stat")
    sleep 1.2
    assert_eq "$(cut -d' ' -f14,15 "/proc/$after/stat")" "$before" "CPU time of a paused guest"
    assert_refused 125 paused warren exec "$name" true
    assert_exit 0 warren resume "$name"
    assert_eq "$(status_of "$name")" running
    assert_exit 0 warren exec "$name" true
    # A paused guest stops too.
    warren pause "$name"
    assert_exit 0 warren stop "$name"
    assert_eq "$(last_reason "$name")" stopped
    assert_refused 1 "not running" warren pause "$name"
    assert_refused 1 "not running" warren kill "$name"
    warren start "$name"
    wait_until has_said "$name" ready 3
    assert_exit 0 warren kill "$name"
    assert_eq "$(status_of "$name")" stopped
    assert_eq "$(last_reason "$name")" killed
    warren start "$name"
    wait_until has_said "$name" ready 4
    assert_exit 0 warren kill --signal TERM "$name"
    wait_until is_status "$name" stopped
    assert_refused 2 NOSUCH warren kill --signal NOSUCH "$name"
    warren destroy "$name"
}

test_stop_kills_after_its_time() {
    local name
    need_image busybox
    name=$(unique deaf)
    warren run -d --name "$name" --image busybox -- /bin/sh -c 'trap "" TERM; while :; do sleep 1; done'
    assert_exit 0 warren stop --time 1 "$name"
    assert_eq "$(status_of "$name")" stopped
    assert_eq "$(last_reason "$name")" killed
    # To stop what is stopped is done already.
    assert_exit 0 warren stop "$name"
    warren destroy "$name"
}

test_batches_do_all_that_can_be_done() {
    local one two
    need_image busybox
    one=$(unique one) two=$(unique two)
    warren create "$one" --image busybox --label tier=web -- /bin/sleep 86399
    warren create "$two" --image busybox --label tier=db -- /bin/sleep 86399
    assert_exit 1 warren start "$one" no-such-guest "$two"
    assert_eq "$OUT" "$one"$'\n'"$two"
    assert_eq "$ERR" "warren: start no-such-guest: no guest named no-such-guest"
    assert_eq "$(status_of "$two")" running
    assert_exit 1 warren --json stop no-such-guest "$one"
    assert_eq "$(jq -c '[.[] | [.name, .done]]' <<<"$OUT")" "[[\"no-such-guest\",false],[\"$one\",true]]"
    assert_eq "$(status_of "$one")" stopped
    assert_exit 0 warren stop --label tier=db
    assert_eq "$(status_of "$two")" stopped
    assert_exit 0 warren start --all
    assert_eq "$(warren list -q --filter status=running | wc -l)" 2
    assert_refused 1 "$one is running" warren destroy "$one"
    assert_exit 1 warren destroy --force "$one" no-such-guest "$two"
    assert_eq "$(warren list -q)" ""
    assert_exit 0 warren destroy --all
}

test_labels_and_filters() {
    local one two
    need_image busybox
    one=$(unique one) two=$(unique two)
    warren create "$one" --image busybox --label tier=web --label site=a
    warren create "$two" --image busybox --label tier=db
    assert_eq "$(warren list -q --filter label=tier=web)" "$one"
    assert_eq "$(warren list -q --filter "name=$two")" "$two"
    assert_eq "$(warren list -q --filter status=running)" ""
    assert_eq "$(warren list -q --filter image=busybox | wc -l)" 2
    assert_exit 0 warren set "$one" --label tier=db --label site=
    assert_eq "$(warren inspect "$one" | jq -c .config.labels)" '{"tier":"db"}'
    assert_eq "$(warren list -q --filter label=tier=db | wc -l)" 2
    assert_exit 0 warren destroy --label tier=db
    assert_eq "$(warren list -q)" ""
}

test_set_says_what_waits_for_a_restart() {
    local name
    need_image busybox
    name=$(unique set)
    warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 warren set "$name" --hostname renamed --env A=b --label k=v
    assert_match "$OUT" "env: waits for the next start"
    assert_match "$OUT" "label: in effect"
    assert_match "$OUT" "hostname: in effect"
    assert_eq "$(warren inspect "$name" | jq -c .pending_restart)" '["env"]'
    assert_eq "$(warren exec "$name" hostname 2>/dev/null)" renamed
    assert_ne "$(hostname)" renamed "the host's own name"
    warren restart "$name"
    assert_eq "$(warren exec "$name" hostname 2>/dev/null)" renamed
    assert_eq "$(warren exec "$name" sh -c 'tr "\0" "\n" </proc/1/environ | grep ^A=' 2>/dev/null)" A=b
    assert_eq "$(warren inspect "$name" | jq -c .pending_restart)" '[]'
    assert_refused 2 "nothing to set" warren set "$name"
    warren destroy --force "$name"
}

test_json_shapes() {
    local name
    need_image busybox
    name=$(unique json)
    assert_exit 0 warren --json create "$name" --image busybox --label k=v -- /bin/sleep 86399
    assert_eq "$(jq -r '.name, .status, .kind, .image, .config.labels.k' <<<"$OUT")" \
        "$name"$'\nstopped\ncommand\nbusybox\nv'
    assert_exit 0 warren --json start "$name"
    assert_eq "$(jq -c . <<<"$OUT")" "[{\"name\":\"$name\",\"done\":true}]"
    assert_exit 0 warren list --json
    assert_eq "$(jq -r '.[0] | .status, (.pid | type), (.id_base % 65536), (.weakened_walls | length)' <<<"$OUT")" \
        $'running\nnumber\n0\n0'
    assert_match "$(jq -r '.[0].started' <<<"$OUT")" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$'
    assert_exit 0 warren list -q --json
    assert_eq "$(jq -c . <<<"$OUT")" "[\"$name\"]"
    assert_exit 0 warren stats --json
    assert_eq "$(jq -r '.[0] | .name, (.cpu_usage_micros | type)' <<<"$OUT")" "$name"$'\nnumber'
    assert_exit 0 warren --json top "$name"
    assert_eq "$(jq -r '.[0] | .pid, .user, .command' <<<"$OUT")" $'1\nroot\n/bin/sleep 86399'
    assert_exit 0 warren doctor --json
    assert_eq "$(jq -r 'all(has("level") and has("subject") and has("remedy"))' <<<"$OUT")" true
    assert_exit 0 warren --json destroy --force "$name"
    assert_eq "$(jq -c . <<<"$OUT")" "[{\"name\":\"$name\",\"done\":true}]"
    assert_exit 0 warren list --json
    assert_eq "$OUT" "[]"
}

test_tables_are_plain_text() {
    local name
    need_image busybox
    name=$(unique table)
    warren create "$name" --image busybox --userns host --cap-add sys_time --seccomp unconfined -- /bin/sleep 86399
    assert_exit 0 warren list
    assert_match "$OUT" "^NAME +STATUS +IMAGE +IDS +WALLS"
    assert_contains "$OUT" "--userns host" "what weakens a wall"
    assert_contains "$OUT" "--cap-add SYS_TIME"
    assert_contains "$OUT" "--seccomp unconfined"
    assert_eq "$(warren inspect "$name" | jq '.weakened_walls | length')" 3
    assert_not_contains "$OUT" $'\e'
    assert_exit 0 warren list -o name,status
    assert_eq "$(tail -n 1 <<<"$OUT" | tr -s ' ' | sed 's/ $//')" "$name stopped"
    assert_refused 2 nosuch warren list -o nosuch
    warren destroy "$name"
}

test_dry_run_changes_nothing() {
    local name
    need_image busybox
    name=$(unique dry)
    assert_exit 0 warren --dry-run create "$name" --image busybox -- /bin/true
    assert_contains "$OUT" "$name"
    assert_exit 0 warren --dry-run run --name "$name" --image busybox -- /bin/true
    assert_eq "$(warren list -q)" ""
    warren create "$name" --image busybox -- /bin/true
    assert_exit 0 warren --dry-run start "$name"
    assert_ne "$OUT" ""
    assert_eq "$(status_of "$name")" stopped
    warren destroy "$name"
}

test_two_starts_after_each_other() {
    local name
    need_image busybox
    name=$(unique twice)
    warren create "$name" --image busybox -- /bin/sleep 86399
    assert_refused 1 "exists already" warren create "$name" --image busybox
    warren start "$name"
    assert_refused 1 "running already" warren start "$name"
    warren destroy --force "$name"
}

test_exec_into_one_that_is_ending() {
    local name init holder status=0
    need_image busybox
    name=$(unique ending)
    start_guest "$name" -- /bin/sleep 86399
    "$WARREN" exec "$name" sh -c 'touch /tmp/in; exec sleep 86398' &
    holder=$!
    wait_until "$WARREN" exec "$name" test -e /tmp/in
    init=$(warren inspect "$name" | jq .pid)
    # The first process does not end before all others are reaped, and a parent that is stopped does not reap.
    kill -STOP "$holder"
    kill -KILL "$init"
    wait_until has_no_namespaces "$init"
    assert_refused 125 "warren: exec $name: $name ended while it was being entered" warren exec "$name" true
    assert_refused 125 "warren: exec $name: $name ended while it was being entered" warren exec -d "$name" true
    assert_refused 125 "warren: exec $name: $name ended while it was being entered" warren exec -u no-such-user "$name" true
    kill -CONT "$holder"
    wait "$holder" || status=$?
    assert_eq "$status" 137 "exit status of what was killed with the guest"
    wait_until is_status "$name" stopped
    assert_exit 0 warren destroy "$name"
}

test_rm_guest_is_gone_when_it_ends() {
    local name
    need_image busybox
    name=$(unique rm)
    assert_exit 0 warren run --rm -d --name "$name" --image busybox -- /bin/sleep 86399
    assert_eq "$OUT" "$name"
    assert_exit 0 warren stop --time 0 "$name"
    assert_eq "$(warren list -q)" ""
    # One that ends by itself is gone for whoever looks next.
    warren run --rm -d --name "$name" --image busybox -- /bin/true
    wait_until sh -c "[ -z \"\$('$WARREN' list -q)\" ]"
    [ ! -e "$WARREN_ROOT/guests/$name" ] || fail "its record is left"
}

test_logs_follow_until_the_end() {
    local name
    need_image busybox
    name=$(unique follow)
    warren create "$name" --image busybox -- /bin/sh -c 'echo first; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo last'
    warren start "$name"
    timeout 60 "$WARREN" logs -f "$name" >"$TEST_DIR/followed" &
    wait_until grep -q first "$TEST_DIR/followed"
    warren exec "$name" touch /tmp/go
    wait "$!"
    assert_eq "$(cat "$TEST_DIR/followed")" $'first\nlast'
    warren destroy "$name"
}

test_two_roots_do_not_see_each_other() {
    local name other=("$WARREN" --root "$TEST_DIR/root" --run "$TEST_DIR/run")
    need_image busybox
    name=$(unique same)
    assert_exit 0 "${other[@]}" image build busybox
    warren run -d --name "$name" --image busybox -- /bin/sleep 86399
    assert_exit 0 "${other[@]}" list -q
    assert_eq "$OUT" ""
    assert_refused 2 "no guest named" "${other[@]}" stop "$name"
    assert_exit 0 "${other[@]}" run -d --name "$name" --image busybox -- /bin/sleep 86398
    assert_ne "$("${other[@]}" inspect "$name" | jq .pid)" "$(warren inspect "$name" | jq .pid)"
    assert_ne "$("${other[@]}" inspect "$name" | jq .cgroup)" "$(warren inspect "$name" | jq .cgroup)"
    assert_ne "$("${other[@]}" inspect "$name" | jq .id_base)" "$(warren inspect "$name" | jq .id_base)"
    "${other[@]}" destroy --force --all
    assert_eq "$(status_of "$name")" running
    warren destroy --force "$name"
}

test_images_are_imported_looked_at_and_removed() {
    local name=imported-here guest
    need_image busybox
    guest=$(unique user)
    tar -C "$WARREN_ROOT/images/busybox/root" -cf - . | gzip >"$TEST_DIR/image.tar.gz"
    assert_exit 0 warren image import "$TEST_DIR/image.tar.gz" --as "$name"
    assert_refused 1 "$name" warren image import "$TEST_DIR/image.tar.gz" --as "$name"
    assert_eq "$(warren image list --json | jq -r '[.[].name] | contains(["busybox", "'"$name"'"])')" true
    assert_eq "$(warren image inspect "$name" | jq -r .name)" "$name"
    assert_exit 0 warren image verify "$name"
    # Both images' files are the same inodes of the store: the disk and the page cache hold them once.
    assert_eq "$(stat -c %i "$WARREN_ROOT/images/$name/root/bin/busybox")" \
        "$(stat -c %i "$WARREN_ROOT/images/busybox/root/bin/busybox")" "inode of one file in two images"
    assert_exit 0 warren run --rm --image "$name" -- /bin/echo works
    assert_eq "$OUT" works
    warren create "$guest" --image "$name"
    assert_refused 1 "$guest" warren image rm "$name"
    warren destroy "$guest"
    assert_exit 0 warren image rm "$name"
    assert_refused 2 "$name" warren image rm "$name"
    assert_refused 2 "$name" warren image inspect "$name"
    # From a pipe and from a directory.
    assert_exit 0 warren image import - --as "$name" < <(tar -C "$WARREN_ROOT/images/busybox/root" -cf - .)
    assert_exit 0 warren image rm "$name"
    mkdir -p "$TEST_DIR/tree/bin"
    cp "$WARREN_ROOT/images/busybox/root/bin/busybox" "$TEST_DIR/tree/bin/sh"
    assert_exit 0 warren image import "$TEST_DIR/tree" --as "$name"
    assert_exit 6 warren run --rm --image "$name" -- /bin/sh -c 'exit 6'
    assert_exit 0 warren image rm "$name"
}

test_bind_mounts() {
    need_image busybox
    mkdir "$TEST_DIR/share"
    echo "from the host" >"$TEST_DIR/share/file"
    chmod 777 "$TEST_DIR/share"
    assert_exit 0 warren run --rm --image busybox --mount "$TEST_DIR/share:/mnt/share" -- \
        sh -c 'cat /mnt/share/file; echo "from the guest" >/mnt/share/new'
    assert_eq "$OUT" "from the host"
    assert_eq "$(cat "$TEST_DIR/share/new")" "from the guest"
    assert_exit 1 warren run --rm --image busybox --mount "$TEST_DIR/share:/mnt/share:ro" -- touch /mnt/share/more
    assert_refused 125 "$TEST_DIR/nothing" warren run --rm --image busybox --mount "$TEST_DIR/nothing:/mnt" -- true
}

test_help_of_every_verb() {
    local verb
    for verb in $("$WARREN" help | sed -nE 's/^  ([a-z]+( [a-z]+)?)   .*/\1/p' | tr ' ' '_'); do
        # shellcheck disable=SC2086  # "image build" is two words
        assert_exit 0 "$WARREN" ${verb//_/ } --help
        [ "$verb" = help ] || [ "$verb" = version ] || assert_contains "$OUT" "Example:" "help of $verb"
    done
    assert_match "$("$WARREN" --version)" '^warren version [0-9]+\.'
}
