# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell, or jq
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# The verbs of warren-oci on real containers: what they do, print and leave.

pid_of() {
    oci state "$1" | jq .pid
}

test_container_goes_through_its_life() {
    local pid
    new_bundle life
    program "$B" /bin/sleep 86399
    assert_exit 0 oci create --bundle "$B" --pid-file "$TEST_DIR/pid" "$C"
    assert_eq "$OUT$ERR" "" "what create prints"
    assert_eq "$(status_of "$C")" created
    pid=$(cat "$TEST_DIR/pid")
    assert_eq "$pid" "$(pid_of "$C")" "the pid file's pid"
    assert_exit 0 oci start "$C"
    assert_eq "$(status_of "$C")" running
    assert_eq "$(cat "/proc/$pid/comm")" sleep
    assert_refused 1 "running" oci start "$C"
    assert_refused 1 "running" oci delete "$C"
    assert_exit 0 oci kill "$C" KILL
    wait_until is_status "$C" stopped
    assert_eq "$(oci state "$C" | jq 'has("pid") and .pid != 0')" false "a pid of a stopped container"
    assert_refused 1 "not running" oci kill "$C" KILL
    assert_exit 0 oci delete "$C"
    assert_refused 1 "does not exist" oci state "$C"
    no_container_is_left "delete"
}

test_created_container_is_not_deleted_without_force() {
    new_bundle created
    assert_exit 0 oci create --bundle "$B" "$C"
    assert_refused 1 "created" oci delete "$C"
    assert_eq "$(status_of "$C")" created
    assert_exit 0 oci delete --force "$C"
    assert_exit 0 oci delete --force "$C"
    no_container_is_left "delete --force"
}

test_names_that_are_taken_or_none() {
    new_bundle taken
    assert_exit 0 oci create --bundle "$B" "$C"
    assert_refused 1 "$C" oci create --bundle "$B" "$C"
    assert_eq "$(status_of "$C")" created "after a second create"
    assert_exit 0 oci delete --force "$C"
    assert_refused 1 "" oci create --bundle "$B" "../x"
    assert_refused 1 "" oci create --bundle "$B" "a/b"
    assert_refused 1 "does not exist" oci start "$C"
    no_container_is_left "refusals"
}

test_run_gives_the_exit_code_and_leaves_nothing() {
    new_bundle run
    program "$B" /bin/sh -c 'echo out; echo err >&2; exit 7'
    assert_exit 7 oci run --bundle "$B" "$C"
    assert_eq "$OUT" out
    assert_eq "$ERR" err
    program "$B" /bin/sh -c 'kill -TERM $$; sleep 10'
    edit_config "$B" '.linux.namespaces |= map(select(.type != "pid"))'
    assert_exit 143 oci run --bundle "$B" "$C"
    no_container_is_left run
}

test_run_keeps_what_it_is_told_to_keep() {
    new_bundle keep
    program "$B" /bin/true
    assert_exit 0 oci run --keep --bundle "$B" "$C"
    assert_eq "$(status_of "$C")" stopped
    assert_exit 0 oci delete "$C"
    program "$B" /bin/sleep 86399
    assert_exit 0 oci run --detach --pid-file "$TEST_DIR/pid" --bundle "$B" "$C" </dev/null
    assert_eq "$(status_of "$C")" running
    assert_eq "$(cat "$TEST_DIR/pid")" "$(pid_of "$C")"
    assert_exit 0 oci delete --force "$C"
    no_container_is_left "run --keep"
}

test_program_that_cannot_run() {
    new_bundle program
    program "$B" /no/such
    assert_refused 1 "no such file or directory" oci run --bundle "$B" "$C"
    program "$B" no-such
    assert_refused 1 "executable file not found" oci run --bundle "$B" "$C"
    program "$B" /etc/passwd
    assert_exit 1 oci run --bundle "$B" "$C"
    assert_contains "${ERR,,}" "permission denied"
    # The program is looked up by start, and whoever runs the container is told as by a shell.
    program "$B" /no/such
    oci create --bundle "$B" "$C" >"$TEST_DIR/.said" 2>&1 </dev/null
    assert_exit 0 oci start "$C"
    assert_contains "$ERR" "no such file or directory"
    wait_until is_status "$C" stopped
    assert_contains "$(cat "$TEST_DIR/.said")" 'exec "/no/such": no such file or directory'
    assert_exit 0 oci delete "$C"
    edit_config "$B" 'del(.process)'
    assert_exit 0 oci create --bundle "$B" "$C"
    assert_exit 0 oci start "$C"
    assert_contains "$ERR" "process"
    wait_until is_status "$C" stopped
    assert_exit 0 oci delete "$C"
    no_container_is_left "programs that cannot run"
}

test_exec_enters_the_container() {
    new_bundle exec '.process.env += ["KEPT=yes"]'
    sleeping "$B" "$C"
    assert_exit 0 oci exec "$C" cat /proc/1/comm
    assert_eq "$OUT" sleep
    assert_exit 5 oci exec "$C" sh -c 'exit 5'
    assert_exit 0 oci exec --env ADDED=1 --cwd /tmp --user 1000:1000 "$C" sh -c 'echo "$KEPT $ADDED $PWD $(id -u):$(id -g)"'
    assert_eq "$OUT" "yes 1 /tmp 1000:1000"
    jq '.process | .args = ["/bin/sh", "-c", "echo $FILE"] | .env += ["FILE=read"] | .terminal = false' "$B/config.json" >"$TEST_DIR/process.json"
    assert_exit 0 oci exec --process "$TEST_DIR/process.json" "$C"
    assert_eq "$OUT" read
    assert_exit 0 oci exec --detach --pid-file "$TEST_DIR/pid" "$C" sleep 86398 </dev/null
    assert_eq "$(cat "/proc/$(cat "$TEST_DIR/pid")/comm")" sleep
    assert_eq "$(oci ps --format json "$C" | jq length)" 2 "processes"
    assert_exit 255 oci exec "$C" /no/such
    assert_contains "$ERR" "no such file or directory"
    assert_exit 0 oci kill "$C" KILL
    wait_until is_status "$C" stopped
    assert_exit 255 oci exec "$C" true
    assert_contains "$ERR" "not running"
    assert_exit 0 oci delete "$C"
    no_container_is_left exec
}

test_exec_into_one_that_is_ending() {
    local init holder status=0
    new_bundle ending
    sleeping "$B" "$C"
    "$WARREN_OCI" --root "$WARREN_RUN/oci" exec "$C" sh -c 'touch /tmp/in; exec sleep 86398' </dev/null &
    holder=$!
    wait_until oci exec "$C" test -e /tmp/in
    init=$(oci state "$C" | jq .pid)
    # The first process does not end before all others are reaped, and a parent that is stopped does not reap.
    kill -STOP "$holder"
    kill -KILL "$init"
    wait_until has_no_namespaces "$init"
    assert_exit 255 oci exec "$C" true
    assert_contains "$ERR" "container \"$C\" ended while it was being entered"
    kill -CONT "$holder"
    wait "$holder" || status=$?
    assert_eq "$status" 137 "exit status of what was killed with the container"
    wait_until is_status "$C" stopped
    assert_exit 0 oci delete "$C"
    no_container_is_left ending
}

# receive_terminal SOCKET OUTPUT: takes one terminal's master from the socket and reads it to its end.
receive_terminal() {
    python3 - "$1" "$2" <<'PYTHON'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
connection, _ = server.accept()
_, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
master = array.array("i", ancillary[0][2])[0]
with open(sys.argv[2], "wb") as out:
    try:
        while block := os.read(master, 4096):
            out.write(block)
            out.flush()
    except OSError:
        pass
PYTHON
}

test_terminal_goes_to_the_console_socket() {
    local receiver
    need_command python3
    new_bundle tty '.process.terminal = true | .process.consoleSize = {"height": 11, "width": 22}'
    program "$B" /bin/sh -c 'tty; stat -c %t:%T /dev/console >/dev/null && echo console; sleep 1'
    assert_refused 1 "console socket" oci create --bundle "$B" "$C"
    receive_terminal "$TEST_DIR/socket" "$TEST_DIR/terminal" &
    receiver=$!
    wait_until test -S "$TEST_DIR/socket"
    assert_exit 0 oci create --bundle "$B" --console-socket "$TEST_DIR/socket" "$C"
    assert_exit 0 oci start "$C"
    wait "$receiver"
    assert_contains "$(cat "$TEST_DIR/terminal")" "/dev/pts/0"
    assert_contains "$(cat "$TEST_DIR/terminal")" console
    wait_until is_status "$C" stopped
    assert_exit 0 oci delete "$C"
    edit_config "$B" '.process.terminal = false'
    assert_refused 1 "process.terminal" oci create --bundle "$B" --console-socket "$TEST_DIR/socket" "$C"
    no_container_is_left terminal
}

# hook KIND WORDS: one that writes WORDS, the status and whether there is a pid to $TEST_DIR/hooks.
hook() {
    jq -n --arg out "$TEST_DIR/hooks" --arg kind "$1" --argjson exit "${2:-0}" \
        '{path: "/bin/sh", args: ["sh", "-c", ("state=$(cat); echo " + $kind + " $(echo \"$state\" | grep -o \"\\\"status\\\":\\\"[a-z]*\\\"\") >>" + $out + "; exit " + ($exit | tostring))],
          env: ["PATH=/bin:/usr/bin"]}'
}

test_hooks_of_the_host_run_in_order() {
    new_bundle hooks '.hooks = {prestart: [$a], createRuntime: [$b], poststart: [$c], poststop: [$d]}' \
        --argjson a "$(hook prestart)" --argjson b "$(hook createRuntime)" --argjson c "$(hook poststart)" --argjson d "$(hook poststop)"
    program "$B" /bin/true
    assert_exit 0 oci create --bundle "$B" "$C"
    assert_exit 0 oci start "$C"
    wait_until is_status "$C" stopped
    assert_exit 0 oci delete "$C"
    assert_eq "$(tr '\n' ' ' <"$TEST_DIR/hooks")" \
        'prestart "status":"created" createRuntime "status":"created" poststart "status":"running" poststop "status":"stopped" '
}

test_hooks_of_the_container_run_between() {
    new_bundle inner '.hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", ("cat >" + $dir + "/inner")]}],
        startContainer: [{path: "/bin/sh", args: ["sh", "-c", "cat >/tmp/started"]}]}' --arg dir "$TEST_DIR"
    program "$B" /bin/cat /tmp/started
    edit_config "$B" '.root.readonly = false'
    assert_exit 0 oci create --bundle "$B" "$C"
    assert_eq "$(jq -r '"\(.status) \(.pid) \(.id)"' "$TEST_DIR/inner")" "created 1 $C"
    oci start "$C"
    wait_until is_status "$C" stopped
    assert_eq "$(jq -r .status "$B/rootfs/tmp/started")" created
    assert_exit 0 oci delete "$C"
    no_container_is_left "hooks inside"
}

test_failing_hooks_undo_what_was_made() {
    local kind
    for kind in prestart createRuntime; do
        new_bundle "fail-$kind" ".hooks = {$kind: [\$a], poststop: [\$b]}" --argjson a "$(hook "$kind" 3)" --argjson b "$(hook poststop)"
        assert_refused 1 "/hooks/$kind/0" oci create --bundle "$B" --pid-file "$TEST_DIR/pid" "$C"
        assert_contains "$ERR" "exited with status 3"
        [ ! -e "$TEST_DIR/pid" ] || fail "a pid file of a container that is none"
        no_container_is_left "a failing $kind hook"
    done
    for kind in createContainer startContainer; do
        new_bundle "fail-$kind" ".hooks = {$kind: [{path: \"/bin/false\"}]}"
        assert_exit 1 oci run --bundle "$B" "$C"
        assert_contains "$ERR" "/hooks/$kind/0"
        no_container_is_left "a failing $kind hook"
    done
    new_bundle fail-late '.hooks = {poststart: [{path: "/bin/false"}], poststop: [{path: "/no/such"}]}'
    program "$B" /bin/true
    assert_exit 0 oci run --bundle "$B" "$C"
    no_container_is_left "failing late hooks"
}

test_namespaces_by_path_are_joined() {
    local first
    new_bundle shared
    sleeping "$B" "$C"
    first=$C
    new_bundle joins '.linux.namespaces |= map(if .type == "network" then .path = "/proc/" + $pid + "/ns/net" elif .type == "ipc" then .path = "/proc/" + $pid + "/ns/ipc"
        elif .type == "pid" then .path = "/proc/" + $pid + "/ns/pid" else . end)' --arg pid "$(pid_of "$first")"
    program "$B" /bin/sh -c 'for n in net ipc pid; do readlink /proc/self/ns/$n; done; cat /proc/1/comm'
    assert_exit 0 oci run --bundle "$B" "$C"
    assert_eq "$(tr '\n' ' ' <<<"$OUT")" "$(readlink "/proc/$(pid_of "$first")/ns/net" "/proc/$(pid_of "$first")/ns/ipc" "/proc/$(pid_of "$first")/ns/pid" | tr '\n' ' ')sleep "
    edit_config "$B" '.linux.namespaces |= map(if .type == "network" then .path = "/etc/passwd" else . end)'
    assert_refused 1 "/linux/namespaces" oci run --bundle "$B" "$C"
    oci delete --force "$first"
    no_container_is_left "joined namespaces"
}

test_user_namespace_maps_its_ids() {
    new_bundle users '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 400000, "size": 65536}] | .linux.gidMappings = .linux.uidMappings'
    chown -R 400000:400000 "$B/rootfs"
    chmod 755 "$TEST_DIR"
    program "$B" /bin/sh -c 'id -u; head -n 1 /proc/self/uid_map; echo x >/dev/null && echo null; stat -c %u /'
    assert_exit 0 oci run --bundle "$B" "$C"
    assert_eq "$(tr -s ' \n' ' ' <<<"$OUT")" "0 0 400000 65536 null 0 "
    no_container_is_left "a user namespace"
}

test_devices_sysctls_and_names() {
    new_bundle nodes '.linux.devices = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 384, "uid": 3, "gid": 4}]
        | .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shmmax": "12345678"} | .hostname = "inside"'
    program "$B" /bin/sh -c 'stat -c "%F %a %u:%g %t:%T" /dev/mine; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax; hostname; cat /proc/self/oom_score_adj'
    edit_config "$B" '.process.oomScoreAdj = 100'
    assert_exit 0 oci run --bundle "$B" "$C"
    assert_eq "$(tr '\n' '|' <<<"$OUT")" "character special file 600 3:4 1:3|1|12345678|inside|100|"
    edit_config "$B" '.linux.sysctl = {"kernel.pid_max": "1000"}'
    assert_refused 1 "kernel.pid_max" oci run --bundle "$B" "$C"
    no_container_is_left "sysctls"
}

test_pause_resume_and_update() {
    new_bundle freeze
    sleeping "$B" "$C"
    assert_exit 0 oci pause "$C"
    assert_eq "$(status_of "$C")" paused
    assert_exit 255 oci exec "$C" true
    assert_contains "$ERR" paused
    assert_refused 1 "paused" oci pause "$C"
    assert_exit 0 oci resume "$C"
    assert_eq "$(status_of "$C")" running
    assert_refused 1 "not paused" oci resume "$C"
    assert_exit 0 oci exec "$C" true
    assert_exit 0 oci events --stats "$C"
    assert_eq "$(jq -r '"\(.type) \(.id) \(.data.pids.current)"' <<<"$OUT")" "stats $C 1"
    assert_exit 0 oci pause "$C"
    assert_exit 0 oci delete --force "$C"
    no_container_is_left "a paused container"
}

test_descriptors_are_preserved() {
    new_bundle fds
    program "$B" /bin/sh -c 'cat <&3; for f in /proc/self/fd/*; do echo "${f##*/}"; done | grep -c "^[3-9]"'
    echo three >"$TEST_DIR/three"
    assert_exit 0 oci run --preserve-fds 1 --bundle "$B" "$C" 3<"$TEST_DIR/three"
    assert_contains "$OUT" three
    assert_refused 1 "descriptor" oci run --preserve-fds 3 --bundle "$B" "$C" 3<"$TEST_DIR/three"
    program "$B" /bin/sh -c 'cat <&3; echo $LISTEN_FDS $LISTEN_PID'
    assert_exit 0 env LISTEN_FDS=1 "$WARREN_OCI" --root "$WARREN_RUN/oci" run --bundle "$B" "$C" 3<"$TEST_DIR/three"
    assert_eq "$(tr '\n' ' ' <<<"$OUT")" "three 1 1 "
    no_container_is_left "descriptors"
}

test_bad_configs_are_refused_with_their_place() {
    local edit place
    new_bundle bad
    while IFS='|' read -r edit place; do
        cp "$B/config.json" "$TEST_DIR/good"
        edit_config "$B" "$edit"
        assert_refused 1 "$place" oci create --bundle "$B" "$C"
        no_container_is_left "$edit"
        mv "$TEST_DIR/good" "$B/config.json"
    done <<'CONFIGS'
.process.cwd = "relative"|/process/cwd
.process.user.uid = -1|/process/user/uid
.mounts += [{"destination": "/x", "type": "bind", "source": "/no/such"}]|/mounts/
.linux.namespaces += [{"type": "nonsense"}]|/linux/namespaces
.linux.intelRdt = {"closID": "a"}|/linux/intelRdt
.linux.cgroupsPath = "/a/../../b"|/linux/cgroupsPath
.root.path = "none"|/root/path
CONFIGS
    printf '{' >"$B/config.json"
    assert_refused 1 "config.json" oci create --bundle "$B" "$C"
    rm "$B/config.json"
    assert_refused 1 "config.json" oci create --bundle "$B" "$C"
}

test_features_tell_the_truth() {
    assert_exit 0 "$WARREN_OCI" features
    assert_eq "$(jq -r '.hooks | join(" ")' <<<"$OUT")" "prestart createRuntime createContainer startContainer poststart poststop"
    assert_eq "$(jq -r '.linux.cgroup.v1' <<<"$OUT")" false
    assert_eq "$(jq -r '.linux.namespaces | index("user") != null' <<<"$OUT")" "$([ -e /proc/self/ns/user ] && echo true || echo false)"
    assert_eq "$(jq -r '.mountOptions | index("rbind") != null' <<<"$OUT")" true
    assert_eq "$(jq -r '.linux.apparmor.enabled' <<<"$OUT")" "$([ -d /sys/kernel/security/apparmor ] && echo true || echo false)"
}

# with_host_programs: the host's programs and libraries inside of the bundle $B.
with_host_programs() {
    local dir
    for dir in /usr /lib /lib64; do
        [ ! -d "$dir" ] || edit_config "$B" '.mounts += [{"destination": ("/host" + $dir), "type": "bind", "source": $dir, "options": ["rbind", "ro"]}]' --arg dir "$dir"
    done
}

test_readiness_is_passed_on() {
    local receiver pid
    need_command python3
    new_bundle notify
    # A root of links to the host's programs, which are bound below /host.
    with_host_programs
    rm -rf "$B"/rootfs/usr "$B"/rootfs/lib "$B"/rootfs/lib64
    ln -s /host/usr "$B/rootfs/usr"
    ln -s /host/lib "$B/rootfs/lib"
    ln -s /host/lib64 "$B/rootfs/lib64"
    program "$B" /usr/bin/python3 -c text
    edit_config "$B" '.process.args[2] = $text' --arg text 'import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.sendto(b"STATUS=up\nREADY=1\n", os.environ["NOTIFY_SOCKET"]); time.sleep(1000)'
    python3 - "$TEST_DIR/manager" "$TEST_DIR/told" <<'PYTHON' &
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
server.settimeout(60)
text = b""
while b"MAINPID" not in text:
    text += server.recv(4096)
open(sys.argv[2], "wb").write(text)
PYTHON
    receiver=$!
    wait_until test -S "$TEST_DIR/manager"
    assert_exit 0 env NOTIFY_SOCKET="$TEST_DIR/manager" "$WARREN_OCI" --root "$WARREN_RUN/oci" run --detach --bundle "$B" "$C"
    wait "$receiver"
    pid=$(pid_of "$C")
    assert_eq "$(tr '\n' ' ' <"$TEST_DIR/told")" "READY=1 MAINPID=$pid"
    assert_exit 0 oci delete --force "$C"
    no_container_is_left "a container that notified"
}

# as_nobody ARG...: the runtime as an ordinary user, with containers of its own.
as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_RUNTIME_DIR="$TEST_DIR/run" "$WARREN_OCI" "$@"
}

test_ordinary_user_runs_containers() {
    need_command setpriv
    C=$(unique rootless)
    B=$TEST_DIR/$C
    mkdir -p "$TEST_DIR/run" "$B"
    make_root "$B/rootfs"
    chmod 755 "$TEST_DIR" "$(dirname "$TEST_DIR")"
    chown -R 65534:65534 "$TEST_DIR/run" "$B"
    (cd "$B" && as_nobody spec --rootless)
    program "$B" /bin/sh -c 'id -u; tr -s " " </proc/self/uid_map; echo x >/dev/null && echo null'
    edit_config "$B" '.process.terminal = false'
    assert_exit 0 as_nobody run --bundle "$B" "$C"
    assert_eq "$(tr '\n' ' ' <<<"$OUT")" "0  0 65534 1 null "
    program "$B" /bin/sleep 86399
    assert_exit 0 as_nobody create --bundle "$B" "$C"
    assert_exit 0 as_nobody start "$C"
    assert_exit 0 as_nobody exec "$C" id -u
    assert_eq "$OUT" 0
    assert_exit 0 as_nobody kill "$C" KILL
    wait_until eval '[ "$(as_nobody state "$C" | jq -r .status)" = stopped ]'
    assert_exit 0 as_nobody delete "$C"
    assert_eq "$(find "$TEST_DIR/run/warren-oci" -mindepth 1)" ""
}
