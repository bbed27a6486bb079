# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/oci_image.sh"

# buildah with warren-oci below it, with a store of its own in $TEST_DIR.

start_buildah() {
    need_command buildah
    mkdir -p "$TEST_DIR/buildah"
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$TEST_DIR/buildah/root" "$TEST_DIR/buildah/run" \
        >"$TEST_DIR/buildah/storage.conf"
    printf '[network]\nnetwork_backend = "netavark"\n' >"$TEST_DIR/buildah/containers.conf"
    export CONTAINERS_CONF=$TEST_DIR/buildah/containers.conf CONTAINERS_STORAGE_CONF=$TEST_DIR/buildah/storage.conf TMPDIR=$TEST_DIR/buildah
    BUILDAH_RUNTIME=$(runtime_program)
    export BUILDAH_RUNTIME BUILDAH_ISOLATION=oci
    trap remove_buildah EXIT
    buildah pull --quiet "docker-archive:$(busybox_archive)" >/dev/null
}

stop_buildah() {
    buildah rm --all >/dev/null
    assert_eq "$(ls -A "$WARREN_RUN/oci" 2>/dev/null)" "" "containers the runtime still knows"
}

remove_buildah() {
    buildah rm --all >/dev/null 2>&1 || :
    umount -R "$TEST_DIR/buildah/root/overlay" 2>/dev/null || :
}

test_run() {
    local container
    start_buildah
    container=$(buildah from --pull-never localhost/busybox)
    assert_exit 0 buildah run --network none "$container" -- sh -c 'echo hello; id -u'
    assert_eq "$OUT" $'hello\n0'
    assert_exit 4 buildah run --network none "$container" -- sh -c 'exit 4'
    assert_eq "$(echo input | buildah run --network none "$container" -- cat)" input
    assert_contains "$(in_terminal buildah run --network none --tty "$container" -- sh -c 'test -t 0 && echo it is a terminal')" "it is a terminal"
    buildah config --env A=b --workingdir /tmp --user 1000:1000 "$container"
    assert_eq "$(buildah run --network none "$container" -- sh -c 'echo $A; pwd; id -u')" $'b\n/tmp\n1000'
    assert_exit 0 buildah run --network none --user root "$container" -- sh -c 'echo kept >/kept'
    buildah commit --quiet "$container" localhost/committed >/dev/null
    container=$(buildah from --pull-never localhost/committed)
    assert_eq "$(buildah run --network none "$container" -- cat /kept)" kept
    stop_buildah
}

test_build() {
    local container
    start_buildah
    mkdir "$TEST_DIR/context"
    printf 'FROM localhost/busybox\nARG WORD\nRUN echo "built $WORD" >/built\nRUN ["sh", "-c", "cat /built >/copy; id -u >>/copy"]\nUSER 1000\nRUN id -u >/tmp/user\n' >"$TEST_DIR/context/Containerfile"
    assert_exit 0 buildah build --network none --build-arg WORD=word --tag localhost/built "$TEST_DIR/context"
    container=$(buildah from --pull-never localhost/built)
    assert_eq "$(buildah run --network none "$container" -- cat /copy /tmp/user)" $'built word\n0\n1000'
    printf 'FROM localhost/busybox\nRUN exit 9\n' >"$TEST_DIR/context/Containerfile"
    assert_exit 9 buildah build --network none --tag localhost/bad "$TEST_DIR/context"
    stop_buildah
}
