# shellcheck shell=bash
# Image archives for engines, which have no registry here. Sourced after lib.sh and bundles.sh.

# image_archive ROOT NAME FILE: FILE is an archive for `load` and `import` of the image NAME:latest with this root.
image_archive() {
    local work layer
    work=$(mktemp -d)
    tar --numeric-owner --sort=name -C "$1" -cf "$work/layer.tar" .
    layer=$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)
    jq -n --arg layer "sha256:$layer" '{
        architecture: "amd64", os: "linux", created: "2020-01-01T00:00:00Z",
        config: {Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], Cmd: ["/bin/sh"]},
        rootfs: {type: "layers", diff_ids: [$layer]}, history: [{created: "2020-01-01T00:00:00Z"}]}' >"$work/config.json"
    jq -n --arg name "$2:latest" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
    tar -C "$work" -cf "$3" manifest.json config.json layer.tar
    rm -rf "$work"
}

# busybox_archive: the archive of localhost/busybox, made once a file of tests.
busybox_archive() {
    if [ ! -f "$TEST_STATE/busybox.tar" ]; then
        make_root "$TEST_STATE/busybox"
        image_archive "$TEST_STATE/busybox" localhost/busybox "$TEST_STATE/busybox.tar"
    fi
    printf '%s\n' "$TEST_STATE/busybox.tar"
}

# runtime_program: a program that is the runtime under test, with its containers below this test's directory.
runtime_program() {
    printf '#!/bin/sh\nexec %q --root %q "$@"\n' "$WARREN_OCI" "$WARREN_RUN/oci" >"$TEST_DIR/warren-oci"
    chmod 755 "$TEST_DIR/warren-oci"
    printf '%s\n' "$TEST_DIR/warren-oci"
}

# in_terminal COMMAND...: runs it on a terminal of its own. What it prints comes without carriage returns, and with
# what the terminal echoes.
in_terminal() {
    script -qec "$(printf '%q ' "$@")" /dev/null </dev/null | tr -d '\r'
}

# has_nat: whether engines can set up their bridges here. Listing a table proves nothing.
has_nat() {
    iptables -t nat -N WARREN-PROBE 2>/dev/null && iptables -t nat -X WARREN-PROBE
}
