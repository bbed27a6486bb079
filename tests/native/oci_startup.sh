# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell, or jq
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# What warren-oci does before it starts, sealing itself, and what it makes ready for later: exec.json.

# sealing_bundle NAME [JQ_ARG...]: $B and $C, with a hook of the runtime that fails when the runtime's own program could
# be written through its process (CVE-2019-5736).
sealing_bundle() {
    C=$(unique "$1")
    B=$TEST_DIR/$C
    make_bundle "$B" "${@:2}"
    program "$B" /bin/true
    edit_config "$B" '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "[ ! -w /proc/$PPID/exe ]"]}]'
}

ALONE='.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'

test_program_is_out_of_reach_however_the_bundle_is_named() {
    sealing_bundle sealed "$ALONE"
    assert_exit 0 oci run --bundle "$B" "$C"
    assert_exit 0 oci run "--bundle=$B" "$C"
    assert_exit 0 oci run -b "$B" "$C"
    assert_exit 0 oci run "-b$B" "$C"
    assert_exit 0 env -C "$B" "$WARREN_OCI" --root "$WARREN_RUN/oci" run "$C"
    assert_exit 0 oci create --bundle "$B" "$C"
    assert_exit 0 oci delete --force "$C"
    # Another option's value that looks like the verb, with a bundle that is none.
    mkdir "$TEST_DIR/run"
    assert_exit 0 env -C "$TEST_DIR" "$WARREN_OCI" --root run run --bundle "$B" "$C"
    # A user namespace that has the host's root among its users keeps nothing out.
    in_a_user_namespace 0
    assert_exit 0 oci run --bundle "$B" "$C"
    # The hook tells.
    in_a_user_namespace 100000
    assert_refused 1 "prestart" oci run --bundle "$B" "$C"
}

# in_a_user_namespace HOST_ID: of $B, which becomes its root.
in_a_user_namespace() {
    edit_config "$B" '.linux.namespaces |= map(select(.type != "user")) + [{type: "user"}] |
        .linux.uidMappings = [{containerID: 0, hostID: '"$1"', size: 65536}] | .linux.gidMappings = .linux.uidMappings'
}

has_user_namespace_of_its_own() {
    [ "$(readlink "/proc/$1/ns/user")" != "$(readlink /proc/self/ns/user)" ]
}

# Who else is in the namespace, and with what rights, nobody knows.
test_program_is_out_of_reach_in_a_namespace_that_is_joined() {
    local pid
    sealing_bundle joined "$ALONE"
    unshare --user sleep 86399 &
    pid=$!
    wait_until has_user_namespace_of_its_own "$pid"
    echo "0 100000 65536" >"/proc/$pid/uid_map"
    echo "0 100000 65536" >"/proc/$pid/gid_map"
    edit_config "$B" '.linux.namespaces += [{type: "user", path: "/proc/'"$pid"'/ns/user"}]'
    assert_exit 0 oci run --bundle "$B" "$C"
    kill "$pid"
}

# In a user namespace, where the limit is that namespace's own.
test_a_limit_of_namespaces_is_named() {
    C=$(unique limit)
    B=$TEST_DIR/$C
    make_bundle "$B"
    unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_net_namespaces' 2>/dev/null ||
        skip "no user namespace here, or no limit of its own"
    assert_refused 1 "a limit of user.max_*_namespaces" unshare --user --map-root-user \
        sh -c 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"' sh "$WARREN_OCI" --root "$WARREN_RUN/oci" create --bundle "$B" "$C"
}

test_program_is_out_of_reach_whatever_the_config_looks_like() {
    local name
    sealing_bundle spelled "$ALONE | .annotations = {a: \"user\", user: \"b\"}"
    assert_exit 0 oci run --bundle "$B" "$C"
    sed -i 's/"user"/"\\u0075ser"/' "$B/config.json"
    assert_exit 0 oci run --bundle "$B" "$C"
    # Larger than one look at it, and the word across the border.
    for name in 16376 16379 16380 16383; do
        sealing_bundle "far$name" "$ALONE | .annotations = {a: (\"x\" * $name)}"
        assert_exit 0 oci run --bundle "$B" "$C"
    done
}

test_what_is_no_config_is_refused_as_ever() {
    C=$(unique odd)
    B=$TEST_DIR/$C
    mkdir "$B"
    assert_refused 1 "config.json" oci run --bundle "$B" "$C"
    assert_refused 1 "$B/none" oci run --bundle "$B/none" "$C"
    assert_refused 1 "" oci run --bundle "" "$C"
    assert_refused 1 "" oci run "$C" --bundle
    mkfifo "$B/config.json"
    assert_refused 1 "regular file" timeout 20 "$WARREN_OCI" --root "$WARREN_RUN/oci" run --bundle "$B" "$C"
    rm "$B/config.json"
    ln -s /dev/zero "$B/config.json"
    assert_refused 1 "regular file" timeout 20 "$WARREN_OCI" --root "$WARREN_RUN/oci" run --bundle "$B" "$C"
    rm "$B/config.json"
    : >"$B/config.json"
    assert_refused 1 "config.json" oci create --bundle "$B" "$C"
}

# exec_is_as_ever WORDS: into $C, by options and by a file.
exec_is_as_ever() {
    assert_exit 0 oci exec "$C" sh -c 'echo "$KEPT $PWD $(id -u):$(id -g) $(grep Seccomp: /proc/self/status | cut -f2)"'
    assert_eq "$OUT" "yes /tmp 1000:1000 2" "exec $1"
    assert_exit 1 oci exec --user 0 "$C" mkdir /tmp/new
    assert_contains "$ERR" "Operation not permitted" "exec $1"
    assert_exit 0 oci exec --process "$TEST_DIR/process.json" "$C"
    assert_eq "$OUT" "read 2" "exec by a file $1"
    assert_exit 1 oci exec --process "$TEST_DIR/filtered.json" "$C"
}

test_exec_reads_what_create_kept_and_does_without() {
    local kept
    C=$(unique kept)
    B=$TEST_DIR/$C
    make_bundle "$B" '.process.env += ["KEPT=yes"] | .process.cwd = "/tmp" | .process.user = {uid: 1000, gid: 1000}
        | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}'
    jq '.process | .args = ["/bin/sh", "-c", "echo $FILE $(grep Seccomp: /proc/self/status | cut -f2)"] | .env += ["FILE=read"] | .terminal = false' "$B/config.json" >"$TEST_DIR/process.json"
    jq '.process | .args = ["/bin/mkdir", "/tmp/new"] | .terminal = false' "$B/config.json" >"$TEST_DIR/filtered.json"
    sleeping "$B" "$C"
    kept=$WARREN_RUN/oci/$C/exec.json
    assert_eq "$(stat -c %a "$kept")" 600
    exec_is_as_ever "from what was kept"
    # The config is not looked at: what was made of it counts.
    mv "$WARREN_RUN/oci/$C/config.json" "$TEST_DIR/config.kept"
    exec_is_as_ever "without a config"
    mv "$TEST_DIR/config.kept" "$WARREN_RUN/oci/$C/config.json"
    mv "$kept" "$TEST_DIR/exec.kept"
    exec_is_as_ever "into a container of an older warren-oci"
    jq '{schema_version: 2}' "$TEST_DIR/exec.kept" >"$kept"
    exec_is_as_ever "beside what a newer one kept"
    jq 'del(.config)' "$WARREN_RUN/oci/$C/state.json" >"$TEST_DIR/state.json"
    cp "$TEST_DIR/state.json" "$WARREN_RUN/oci/$C/state.json"
    cp "$TEST_DIR/exec.kept" "$kept"
    exec_is_as_ever "without a summary"
    assert_exit 0 oci delete --force "$C"
    assert_eq "$(find "$WARREN_RUN/oci" -mindepth 1)" "" "what is left"
}

test_exec_tells_damage_of_what_was_kept() {
    local kept text
    C=$(unique damaged)
    B=$TEST_DIR/$C
    make_bundle "$B" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}'
    sleeping "$B" "$C"
    kept=$WARREN_RUN/oci/$C/exec.json
    cp "$kept" "$TEST_DIR/exec.kept"
    for text in '' '{' '[]' '{"schema_version":1}' "$(jq '.filter.program = "0020"' "$kept")" "$(head -c 100 "$kept")"; do
        printf '%s' "$text" >"$kept"
        assert_refused 255 "exec.json is unreadable" oci exec "$C" true
    done
    jq '.process = "{"' "$TEST_DIR/exec.kept" >"$kept"
    assert_refused 255 "exec.json: /process" oci exec "$C" true
    jq '.filter.program = "0000000000000000"' "$TEST_DIR/exec.kept" >"$kept"
    assert_refused 255 "seccomp" oci exec "$C" true
    rm "$kept"
    mkfifo "$kept"
    assert_refused 255 "exec.json is unreadable" timeout 20 "$WARREN_OCI" --root "$WARREN_RUN/oci" exec "$C" true
    rm "$kept"
    ln -s "$TEST_DIR/exec.kept" "$kept"
    assert_refused 255 "exec.json" oci exec "$C" true
    assert_exit 0 oci delete --force "$C"
    assert_eq "$(find "$WARREN_RUN/oci" -mindepth 1)" "" "what is left"
}
