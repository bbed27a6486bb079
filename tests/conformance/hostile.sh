# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell, or jq
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# Bundles whose root, config or surroundings are made to lead the runtime out of the root: contained or refused, with a
# line that says why, and nothing of the host is touched. $TEST_DIR/outside is what they are after.

PAYLOAD=$(cd "$SUPPORT_DIR/../payload" && pwd)

# hostile_bundle [JQ_ARG...]: the bundle $B, and outside of it a directory and a file that nothing may change.
hostile_bundle() {
    B=$TEST_DIR/hostile
    make_bundle "$B" "$@"
    mkdir -p "$TEST_DIR/outside/sub"
    echo secret >"$TEST_DIR/outside/file"
    OUTSIDE=$(look_outside)
}

look_outside() {
    find "$TEST_DIR/outside" -printf '%p %y %m %U:%G %s %T@\n' | sort
    cat "$TEST_DIR/outside/file"
}

assert_outside_unchanged() {
    assert_eq "$(look_outside)" "$OUTSIDE" "what is outside, after: $*"
}

# link_out PATH TARGET: the link $B/rootfs/PATH in place of what is there.
link_out() {
    rm -rf "$B/rootfs$1"
    mkdir -p "$(dirname "$B/rootfs$1")"
    ln -s "$2" "$B/rootfs$1"
}

# ways_out: link texts that lead, followed by the host, to $TEST_DIR/outside or to /.
ways_out() {
    printf '%s\n' "$TEST_DIR/outside" "../../../../../../../../../..$TEST_DIR/outside" /proc/self/root
}

test_links_for_proc_and_sys() {
    local target way
    while read -r way; do
        for target in /proc /sys; do
            hostile_bundle
            program "$B" /bin/sh -c 'grep -c . /proc/self/mountinfo'
            link_out "$target" "$way"
            assert_runs_or_refuses "$B" links
            assert_outside_unchanged "$target -> $way"
            # Procfs somewhere else than the config says would be without its masks.
            [ "$STATUS" = 1 ] || fail "$target -> $way was followed"
            assert_contains "$ERR" "$target"
            rm -rf "$B"
        done
    done < <(ways_out)
}

test_links_for_mount_targets() {
    local target way
    for target in /dev /etc/resolv.conf /data /data/deep/er; do
        while read -r way; do
            hostile_bundle '.mounts += [{"destination": "/data/deep/er", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k"]},
                {"destination": "/etc/resolv.conf", "type": "bind", "source": $source, "options": ["bind", "ro"]},
                {"destination": "/data", "type": "tmpfs", "source": "tmpfs"}]' --arg source "$TEST_DIR/outside/file"
            program "$B" /bin/sh -c 'cd / && cat etc/../../../../..'"$TEST_DIR"'/outside/file; echo x >data/file; echo y >dev/null; echo z >etc/resolv.conf; true'
            link_out "$target" "$way"
            assert_runs_or_refuses "$B" links
            assert_outside_unchanged "$target -> $way"
            assert_not_contains "$OUT" secret
            rm -rf "$B"
        done < <(ways_out)
    done
}

test_links_for_devices() {
    local way
    while read -r way; do
        hostile_bundle '.linux.devices = [{"path": "/nodes/sub/null", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "uid": 0, "gid": 0}]'
        link_out /nodes "$way"
        assert_runs_or_refuses "$B" nodes
        assert_outside_unchanged "/nodes -> $way"
        edit_config "$B" '.linux.devices[0].path = "/nodes/../../../../../../../.." + $out' --arg out "$TEST_DIR/outside/node"
        assert_runs_or_refuses "$B" nodes
        assert_outside_unchanged "a device with .."
        rm -rf "$B"
    done < <(ways_out)
}

# A /dev of the root's own, in which what the runtime uses there leads elsewhere.
test_links_in_a_dev_of_its_own() {
    local name
    for name in null console ptmx pts stdin shm; do
        hostile_bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths += ["/etc/group"]'
        program "$B" /bin/sh -c 'cat /etc/group; echo x >/etc/group; true'
        link_out "/dev/$name" "$TEST_DIR/outside/file"
        assert_runs_or_refuses "$B" dev
        assert_outside_unchanged "/dev/$name is a link"
        assert_not_contains "$OUT" "root:" "what is masked"
        rm -rf "$B"
    done
}

# CVE-2025-31133: a mask that is another file than the null device shows that file, or lets it be written.
test_a_null_device_that_is_none() {
    local kind
    for kind in link file node; do
        hostile_bundle '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.maskedPaths = ["/etc/group", "/proc/timer_list"] | .linux.devices = []'
        case $kind in
            link) link_out /dev/null /proc/sys/kernel/core_pattern ;;
            file) echo not-null >"$B/rootfs/dev/null" ;;
            node) mknod "$B/rootfs/dev/null" c 1 5 ;;
        esac
        program "$B" /bin/sh -c 'head -c 20 /etc/group; [ ! -w /etc/group ] || echo x >/etc/group; cat /proc/timer_list'
        assert_runs_or_refuses "$B" null
        assert_eq "$OUT" "" "what a masked file shows with a $kind for /dev/null"
        rm -rf "$B"
    done
    assert_ne "$(cat /proc/sys/kernel/core_pattern)" x
}

test_links_for_masked_and_readonly_paths() {
    local way
    while read -r way; do
        hostile_bundle '.linux.maskedPaths += ["/mask", "/mask/sub", "/mask/file"] | .linux.readonlyPaths += ["/hold", "/hold/sub"]'
        link_out /mask "$way"
        link_out /hold "$way"
        program "$B" /bin/sh -c 'cat /proc/self/mountinfo'
        assert_runs_or_refuses "$B" masks
        assert_outside_unchanged "masks -> $way"
        assert_not_contains "$OUT" "$TEST_DIR/outside"
        rm -rf "$B"
    done < <(ways_out)
}

# CVE-2025-52881: a /proc that is not procfs turns the runtime's own writes elsewhere.
test_a_proc_that_is_none() {
    local way
    for way in "$TEST_DIR/outside/file" "../../../../../../../../../../../..$TEST_DIR/outside/file"; do
        hostile_bundle '.mounts |= map(if .destination == "/proc" then {"destination": "/proc", "type": "bind", "source": ($bundle + "/fake"), "options": ["bind", "rw"]} else . end)
            | .process.apparmorProfile = "unconfined" | .process.oomScoreAdj = 77' --arg bundle "$TEST_DIR/hostile"
        mkdir -p "$B/fake/sys/net/ipv4" "$B/fake/self/attr" "$B/fake/thread-self/attr"
        ln -s "$way" "$B/fake/sys/net/ipv4/ip_unprivileged_port_start"
        ln -s "$way" "$B/fake/self/oom_score_adj"
        ln -s "$way" "$B/fake/self/setgroups"
        ln -s "$way" "$B/fake/self/attr/exec"
        ln -s "$way" "$B/fake/thread-self/attr/exec"
        assert_runs_or_refuses "$B" proc
        assert_outside_unchanged "a /proc of its own"
        rm -rf "$B"
    done
}

# A mount target, and its parent, change between directory and link out while the container is made. A mount that
# went elsewhere than into the root would be missing in the container's own list.
test_targets_swapped_while_we_mount() {
    local turn racer refused=0
    hostile_bundle '.mounts += [{"destination": "/race/one/two", "type": "tmpfs", "source": "marker", "options": ["size=4244k"]},
        {"destination": "/race/one/file", "type": "bind", "source": $source, "options": ["bind", "ro"]}]' --arg source "$TEST_DIR/hostile/config.json"
    program "$B" /bin/sh -c 'grep -c 4244k /proc/self/mountinfo; grep -c /file /proc/self/mountinfo'
    mkdir -p "$B/rootfs/race/one/two" "$TEST_DIR/outside/two"
    OUTSIDE=$(look_outside)
    ln -s "$TEST_DIR/outside" "$B/rootfs/race/other"
    python3 "$SUPPORT_DIR/../conformance/swap.py" "$B/rootfs/race/one" "$B/rootfs/race/other" &
    racer=$!
    for ((turn = 0; turn < 50; turn++)); do
        assert_runs_or_refuses "$B" race
        if [ "$STATUS" = 0 ]; then
            assert_eq "$OUT" $'1\n1' "the two mounts, seen from inside"
        else
            refused=$((refused + 1))
        fi
    done
    kill "$racer"
    wait "$racer" || :
    assert_outside_unchanged "$turn turns, of which $refused were refused"
    assert_ne "$refused" "$turn" "turns refused"
}

# Refused, or the root is what the link leads to; but never the host's.
test_a_root_that_is_a_link() {
    local way
    hostile_bundle
    mv "$B/rootfs" "$B/elsewhere"
    program "$B" /bin/sh -c "cat $TEST_DIR/outside/file 2>/dev/null; true"
    for way in elsewhere "$B/elsewhere" / /proc/self/root ../../../../../../.. nowhere rootfs; do
        rm -f "$B/rootfs"
        ln -s "$way" "$B/rootfs"
        assert_runs_or_refuses "$B" link
        assert_outside_unchanged "rootfs -> $way"
        assert_eq "$OUT" "" "what a container with rootfs -> $way sees of the host"
    done
}

test_cgroups_path_stays_in_its_tree() {
    local path name
    hostile_bundle
    name=$(basename "$TEST_DIR")
    for path in "../$name" "/../../$name" "/a/../../../$name" "a/../../$name" ".." "/.." "/a/./../.." "/$name"$'\n'x; do
        edit_config "$B" '.linux.cgroupsPath = $path' --arg path "$path"
        assert_exit 1 oci run --bundle "$B" cgroup
        assert_contains "$ERR" cgroupsPath
        assert_eq "$(grep -c '' <<<"$ERR")" 1 "lines on stderr ('$ERR')"
    done
}

test_the_program_cannot_be_overwritten_from_inside() {
    local loader case runtime=$TEST_DIR/runtime
    [ "$(uname -m)" = x86_64 ] || skip "the attack is written for x86_64"
    cp "$WARREN_OCI" "$runtime"
    hostile_bundle
    gcc -O1 -ffreestanding -nostdlib -static -fno-stack-protector -fno-pie -no-pie -o "$B/rootfs/overwrite" "$PAYLOAD/overwrite.c"
    loader=$(readelf -l "$WARREN_OCI" 2>/dev/null | sed -n 's/.*interpreter: \(.*\)]/\1/p') || :
    if [ -n "$loader" ]; then
        mkdir -p "$B/rootfs$(dirname "$loader")"
        cp "$B/rootfs/overwrite" "$B/rootfs$loader"
    fi
    printf '#!/proc/self/exe\n' >"$B/rootfs/bin/x"
    chmod 755 "$B/rootfs/bin/x"
    ln -s /proc/self/exe "$B/rootfs/bin/y"
    sleeping "$B" victim
    for case in /bin/x /bin/y /proc/self/exe; do
        timeout 30 "$runtime" --root "$WARREN_RUN/oci" exec victim "$case" >"$TEST_DIR/out" 2>&1 </dev/null || :
        program "$B" "$case"
        edit_config "$B" '.linux.cgroupsPath = "/second"'
        timeout 30 "$runtime" --root "$WARREN_RUN/oci" run --bundle "$B" second >>"$TEST_DIR/out" 2>&1 </dev/null || :
        assert_not_contains "$(cat "$TEST_DIR/out")" overwritten "what $case said"
    done
    assert_exit 0 oci delete --force victim
    cmp "$runtime" "$WARREN_OCI" || fail "the program was overwritten"
}

# CVE-2024-21626: a working directory that leads out by a descriptor the runtime forgot.
test_no_way_out_by_the_working_directory() {
    local number up=../../../../../../../../../..
    hostile_bundle
    exec 7</
    sleeping "$B" victim
    for number in 3 4 5 7 8 9 12; do
        edit_config "$B" '.process.cwd = $cwd | .linux.cgroupsPath = "/other" | .process.args = ["/bin/sh", "-c", $command]' \
            --arg cwd "/proc/self/fd/$number" --arg command "cat $up$TEST_DIR/outside/file; ls $up/etc/apt"
        STATUS=0
        oci run --bundle "$B" other >"$TEST_DIR/out" 2>/dev/null </dev/null || STATUS=$?
        assert_eq "$(cat "$TEST_DIR/out")" "" "what a container in /proc/self/fd/$number sees"
        oci exec --cwd "/proc/self/fd/$number" victim /bin/cat "$up$TEST_DIR/outside/file" >"$TEST_DIR/out" 2>/dev/null </dev/null || :
        assert_eq "$(cat "$TEST_DIR/out")" "" "what a command in /proc/self/fd/$number sees"
    done
    assert_exit 0 oci exec victim /bin/ln -s /proc/self/fd/7 /leave
    oci exec --cwd /leave victim /bin/ls etc/apt >"$TEST_DIR/out" 2>/dev/null </dev/null || :
    assert_eq "$(cat "$TEST_DIR/out")" "" "what a command in /leave sees"
    assert_exit 0 oci delete --force victim
    exec 7<&-
}

test_no_host_descriptor_inside() {
    hostile_bundle
    exec 7</etc/hostname 8</proc
    program "$B" /bin/sh -c 'ls /proc/self/fd'
    assert_exit 0 oci run --bundle "$B" fds
    assert_eq "$(tr '\n' ' ' <<<"$OUT")" "0 1 2 3 " "descriptors, 3 being of ls itself"
    sleeping "$B" fds
    assert_exit 0 oci exec fds /bin/ls /proc/self/fd
    assert_eq "$(tr '\n' ' ' <<<"$OUT")" "0 1 2 3 " "descriptors of exec"
    assert_exit 0 oci exec fds /bin/ls -l /proc/1/fd
    assert_not_contains "$OUT" hostname
    assert_exit 0 oci delete --force fds
    exec 7<&- 8<&-
}

# The home directory is looked up in the root's own passwd file.
test_a_passwd_file_made_to_hurt() {
    local kind
    for kind in link fifo directory long; do
        hostile_bundle
        rm -f "$B/rootfs/etc/passwd"
        case $kind in
            link) ln -s "$TEST_DIR/outside/file" "$B/rootfs/etc/passwd" ;;
            fifo) mkfifo "$B/rootfs/etc/passwd" ;;
            directory) mkdir "$B/rootfs/etc/passwd" ;;
            long) truncate -s 1G "$B/rootfs/etc/passwd" ;;
        esac
        program "$B" /bin/sh -c 'echo "home $HOME"'
        assert_runs_or_refuses "$B" passwd
        assert_not_contains "$OUT" secret
        rm -rf "$B"
    done
}

test_config_files_that_are_none() {
    local kind
    for kind in missing directory fifo empty noise deep huge link-loop not-text; do
        hostile_bundle
        rm -f "$B/config.json"
        case $kind in
            missing) ;;
            directory) mkdir "$B/config.json" ;;
            fifo) mkfifo "$B/config.json" ;;
            empty) : >"$B/config.json" ;;
            noise) head -c 65536 /dev/urandom >"$B/config.json" ;;
            deep) perl -e 'print "[" x 1000000' >"$B/config.json" ;;
            huge) truncate -s 2G "$B/config.json" ;;
            link-loop) ln -s config.json "$B/config.json" ;;
            not-text) printf '{"ociVersion": "1.0.2", "hostname": "\xff\xfe\\u0000"}' >"$B/config.json" ;;
        esac
        STATUS=0
        timeout 20 "$WARREN_OCI" --root "$WARREN_RUN/oci" run --bundle "$B" none >"$TEST_DIR/.out" 2>"$TEST_DIR/.err" </dev/null || STATUS=$?
        assert_eq "$STATUS" 1 "exit status with a config.json that is $kind"
        assert_eq "$(grep -c '' "$TEST_DIR/.err")" 1 "lines on stderr with a config.json that is $kind: $(head -c 1000 "$TEST_DIR/.err")"
        rm -rf "$B"
    done
}

test_names_of_containers() {
    local name
    hostile_bundle
    for name in "" . .. ../x a/b /etc "a b" $'a\nb' $'a\e[31m' 'ä' 'a*' "$(printf 'a%.0s' {1..300})"; do
        assert_exit 1 oci run --bundle "$B" -- "$name"
        assert_eq "$(grep -c '' <<<"$ERR")" 1 "lines on stderr for the name '$name' ('$ERR')"
        for verb in state start "delete --force" "kill" pause; do
            # shellcheck disable=SC2086  # words
            assert_exit 1 oci $verb -- "$name"
        done
    done
}

test_a_failed_create_leaves_nothing() {
    local filter
    for filter in '.mounts += [{"destination": "/x", "type": "no-such-type", "source": "x"}]' \
        '.mounts += [{"destination": "/x", "type": "bind", "source": "/no/such/source", "options": ["bind"]}]' \
        '.linux.namespaces |= map(if .type == "network" then .path = "/no/such/namespace" else . end)' \
        '.linux.sysctl["net.no.such.key"] = "1"' \
        '.hooks.prestart = [{"path": "/bin/false"}]' '.hooks.createRuntime = [{"path": "/bin/sleep", "args": ["sleep", "60"], "timeout": 1}]' \
        '.hooks.createContainer = [{"path": "/bin/false"}]' '.hooks.startContainer = [{"path": "/bin/false"}]' \
        '.process.args = ["/no/such/program"]' '.process.cwd = "/bin/busybox"' '.root.path = "no-such-root"' \
        '.linux.seccomp.syscalls[0].action = "SCMP_ACT_NONSENSE"' '.linux.namespaces += [{"type": "pid"}]'; do
        hostile_bundle "$filter"
        assert_runs_or_refuses "$B" failing
        assert_eq "$STATUS" 1 "exit status with $filter"
        assert_eq "$(ls -A "$WARREN_RUN/oci" 2>/dev/null)" "" "what is left in the root with $filter"
        rm -rf "$B"
    done
}
