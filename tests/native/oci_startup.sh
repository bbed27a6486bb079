# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell, or jq
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# What warren-oci does before it starts: it seals itself.

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
    # The hook tells.
    edit_config "$B" '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
    assert_refused 1 "prestart" oci run --bundle "$B" "$C"
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
