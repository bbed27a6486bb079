# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/oci_image.sh"
. "$SUPPORT_DIR/rootless.sh"

# podman with warren-oci below it. Each test has a podman of its own, with its images, containers and settings in $TEST_DIR.

have_controllers() {
    grep -qw memory "$(cgroup_mount)/cgroup.controllers"
}

# Who makes the containers' cgroups: systemd where it runs, and where we are not boxed in.
cgroup_manager() {
    if [ "$(cat /proc/1/comm)" = systemd ] && ! grep -q '^0::/init' /proc/self/cgroup; then
        echo systemd
    else
        echo cgroupfs
    fi
}

# start_podman: lays it out and loads localhost/busybox.
start_podman() {
    local limit=0
    need_command podman
    need_command conmon
    mkdir -p "$TEST_DIR/podman/tmp" "$TEST_DIR/podman/volumes"
    # podman's default limit of processes needs its controller.
    ! have_controllers || limit=2048
    cat >"$TEST_DIR/podman/containers.conf" <<CONF
[containers]
pids_limit = $limit
log_driver = "k8s-file"
default_ulimits = []
[engine]
runtime = "$(runtime_program)"
cgroup_manager = "$(cgroup_manager)"
events_logger = "file"
volume_path = "$TEST_DIR/podman/volumes"
tmp_dir = "$TEST_DIR/podman/tmp"
[network]
network_backend = "netavark"
network_config_dir = "$TEST_DIR/podman/networks"
CONF
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' "$TEST_DIR/podman/root" "$TEST_DIR/podman/run" >"$TEST_DIR/podman/storage.conf"
    export CONTAINERS_CONF=$TEST_DIR/podman/containers.conf CONTAINERS_STORAGE_CONF=$TEST_DIR/podman/storage.conf
    export TMPDIR=$TEST_DIR/podman
    HAD_NETNS=$(awk '$5 == "/run/netns"' /proc/self/mountinfo)
    trap remove_podman EXIT
    podman load --quiet --input "$(busybox_archive)" >/dev/null
}

stop_podman() {
    podman pod rm --all --force --time 0 >/dev/null
    podman rm --all --force --time 0 >/dev/null
    assert_eq "$(ls -A "$WARREN_RUN/oci" 2>/dev/null)" "" "containers the runtime still knows"
}

# remove_podman: also when the test has failed. What podman itself leaves: its store's mount, the cgroup of its conmons.
remove_podman() {
    podman pod rm --all --force --time 0 >/dev/null 2>&1 || :
    podman rm --all --force --time 0 >/dev/null 2>&1 || :
    umount -R "$TEST_DIR/podman/root/overlay" 2>/dev/null || :
    rmdir "$(cgroup_mount)"/libpod_parent/{conmon,} 2>/dev/null || :
    ip link delete podman0 2>/dev/null || :
    [ -n "$HAD_NETNS" ] || umount /run/netns 2>/dev/null || :
    umount /etc/subuid /etc/subgid 2>/dev/null || :
}

# run_simple ARG...: podman run with what every test wants.
run_simple() {
    podman run --rm --network none "$@"
}

test_run() {
    start_podman
    assert_exit 0 run_simple busybox echo hello
    assert_eq "$OUT" hello
    assert_exit 3 run_simple busybox sh -c 'exit 3'
    assert_exit 127 run_simple busybox /no/such/program
    assert_exit 126 run_simple busybox /etc/passwd
    assert_exit 0 run_simple --hostname box --env A=b --workdir /tmp --user 1000:1000 busybox sh -c 'hostname; echo $A; pwd; id -u'
    assert_eq "$OUT" $'box\nb\n/tmp\n1000'
    assert_eq "$(echo input | run_simple --interactive busybox cat)" input
    assert_contains "$(in_terminal podman run --rm --network none --tty busybox sh -c 'test -t 0 && test -t 1 && echo it is a terminal')" "it is a terminal"
    stop_podman
}

test_life_of_a_container() {
    local id pid
    start_podman
    id=$(podman run --detach --network none --name one busybox sh -c 'trap "echo got; exit 7" TERM; echo begun; while :; do sleep 0.1; done')
    wait_until sh -c 'podman logs one | grep -q begun'
    assert_eq "$(podman inspect --format '{{.State.Status}}' one)" running
    assert_eq "$(podman inspect --format '{{.Id}}' one)" "$id"
    pid=$(podman inspect --format '{{.State.Pid}}' one)
    [ -d "/proc/$pid" ] || fail "no process $pid"
    podman pause one
    assert_eq "$(podman inspect --format '{{.State.Status}}' one)" paused
    podman unpause one
    assert_contains "$(podman top one args)" sleep
    podman kill --signal USR1 one >/dev/null || :
    podman start one >/dev/null || :
    podman restart --time 1 one >/dev/null
    assert_eq "$(podman inspect --format '{{.State.Status}}' one)" running
    podman stop --time 10 one >/dev/null
    assert_eq "$(podman inspect --format '{{.State.ExitCode}}' one)" 7
    assert_contains "$(podman logs one)" got
    podman start one >/dev/null
    podman kill one >/dev/null
    assert_eq "$(podman wait one)" 137
    podman rm one >/dev/null
    stop_podman
}

test_exec() {
    start_podman
    podman run --detach --network none --name one --cap-drop all busybox sleep 86399 >/dev/null
    assert_exit 0 podman exec one echo hello
    assert_eq "$OUT" hello
    assert_exit 5 podman exec one sh -c 'exit 5'
    assert_exit 127 podman exec one /no/such/program
    assert_exit 126 podman exec one /etc/passwd
    assert_eq "$(podman exec --env A=b --workdir /tmp --user 1000 one sh -c 'echo $A; pwd; id -u')" $'b\n/tmp\n1000'
    assert_eq "$(podman exec one grep CapEff /proc/self/status | tr -d '\t')" CapEff:0000000000000000
    assert_not_contains "$(podman exec --privileged one grep CapEff /proc/self/status)" 0000000000000000
    assert_eq "$(echo input | podman exec --interactive one cat)" input
    assert_contains "$(in_terminal podman exec --tty one sh -c 'test -t 0 && echo it is a terminal')" "it is a terminal"
    podman exec --detach one sh -c 'echo x >/tmp/mark; sleep 86398' >/dev/null
    wait_until podman exec one test -f /tmp/mark
    assert_contains "$(podman top one args)" 86398
    stop_podman
}

test_files_and_images() {
    start_podman
    podman run --detach --network none --name one busybox sleep 86399 >/dev/null
    echo content >"$TEST_DIR/file"
    podman cp "$TEST_DIR/file" one:/tmp/file
    assert_eq "$(podman exec one cat /tmp/file)" content
    podman exec one sh -c 'echo more >>/tmp/file'
    podman cp one:/tmp/file "$TEST_DIR/back"
    assert_eq "$(cat "$TEST_DIR/back")" $'content\nmore'
    podman stop --time 0 one >/dev/null
    podman commit --quiet one localhost/committed >/dev/null
    assert_eq "$(run_simple localhost/committed cat /tmp/file)" $'content\nmore'
    mkdir "$TEST_DIR/context"
    printf 'FROM localhost/busybox\nRUN echo built >/built && id -u >>/built\nUSER 1000\nCMD ["cat", "/built"]\n' >"$TEST_DIR/context/Containerfile"
    podman build --network none --quiet --isolation oci --runtime "$TEST_DIR/warren-oci" --tag localhost/built "$TEST_DIR/context" >/dev/null
    assert_eq "$(run_simple localhost/built)" $'built\n0'
    assert_eq "$(run_simple --volume "$TEST_DIR/context:/data:ro" busybox ls /data)" Containerfile
    assert_exit 1 run_simple --volume "$TEST_DIR/context:/data:ro" busybox touch /data/file
    assert_eq "$(run_simple --tmpfs /t:size=64k busybox sh -c 'grep -c " /t tmpfs .*size=64k" /proc/mounts')" 1
    stop_podman
}

test_walls() {
    start_podman
    assert_exit 1 run_simple --read-only busybox touch /file
    assert_exit 1 run_simple --cap-drop chown busybox sh -c 'touch /tmp/file && chown 1:1 /tmp/file'
    assert_exit 0 run_simple --privileged busybox sh -c 'mount -t tmpfs tmpfs /tmp && grep -c . /proc/self/mounts'
    assert_eq "$(run_simple --init busybox sh -c 'tr "\0" " " </proc/1/cmdline' | cut -d' ' -f1 | xargs basename)" podman-init "the first process"
    assert_eq "$(run_simple --uidmap 0:100000:5000 busybox sh -c 'tr -s " " </proc/self/uid_map')" " 0 100000 5000"
    assert_eq "$(run_simple --security-opt no-new-privileges busybox sh -c 'grep NoNewPrivs /proc/self/status' | tr -d '\t')" NoNewPrivs:1
    assert_eq "$(run_simple busybox sh -c 'grep Seccomp: /proc/self/status' | tr -d '\t')" Seccomp:2
    assert_eq "$(run_simple --security-opt seccomp=unconfined busybox sh -c 'grep Seccomp: /proc/self/status' | tr -d '\t')" Seccomp:0
    assert_eq "$(run_simple --ulimit nofile=100:200 --ulimit nproc=1000:1000 busybox sh -c 'ulimit -n; ulimit -Hn')" $'100\n200'
    assert_eq "$(run_simple --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward)" 1
    assert_eq "$(run_simple --device /dev/fuse busybox sh -c 'test -c /dev/fuse && echo device')" device
    assert_eq "$(run_simple --pid host busybox sh -c 'test -d /proc/'$$' && echo seen')" seen
    stop_podman
}

test_automatic_user_namespace() {
    start_podman
    if [ ! -f /etc/subuid ] || [ ! -f /etc/subgid ]; then
        skip "this host has no /etc/subuid"
    fi
    echo containers:1000000:1000000 >"$TEST_DIR/subids"
    mount --bind "$TEST_DIR/subids" /etc/subuid
    mount --bind "$TEST_DIR/subids" /etc/subgid
    assert_match "$(run_simple --userns auto busybox sh -c 'tr -s " " </proc/self/uid_map')" '^ 0 [1-9][0-9]* [0-9]+$'
    stop_podman
}

test_pods() {
    start_podman
    # Not below the pod's cgroup, where podman 4 without systemd allows no device.
    podman pod create --name pod --network none --share-parent=false >/dev/null
    podman run --detach --pod pod --name one busybox sleep 86399 >/dev/null
    podman run --detach --pod pod --name two busybox sleep 86398 >/dev/null
    assert_eq "$(podman exec one readlink /proc/self/ns/net)" "$(podman exec two readlink /proc/self/ns/net)" "network namespaces"
    assert_ne "$(podman exec one readlink /proc/self/ns/mnt)" "$(podman exec two readlink /proc/self/ns/mnt)" "mount namespaces"
    assert_eq "$(podman pod inspect --format '{{.State}}' pod)" Running
    podman pod stop --time 0 pod >/dev/null
    podman pod start pod >/dev/null
    podman pod rm --force --time 0 pod >/dev/null
    stop_podman
}

test_play_kube() {
    [ "$(cgroup_manager)" = systemd ] || skip "podman allows its pods' cgroups no device when systemd does not manage them"
    start_podman
    cat >"$TEST_DIR/pod.yaml" <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: kube
spec:
  hostNetwork: true
  containers:
    - name: one
      image: localhost/busybox
      command: [sleep, "86399"]
      env: [{name: A, value: b}]
YAML
    assert_exit 0 podman play kube --network none "$TEST_DIR/pod.yaml"
    assert_eq "$(podman exec kube-one sh -c 'echo $A')" b
    assert_exit 0 podman play kube --down "$TEST_DIR/pod.yaml"
    stop_podman
}

test_bridge() {
    start_podman
    [ -x /usr/lib/podman/netavark ] || skip "netavark is not installed"
    has_nat || skip "this kernel has no table nat"
    assert_exit 0 podman run --rm --network podman busybox cat /proc/net/dev
    assert_contains "$OUT" eth0
    stop_podman
}

test_limits() {
    start_podman
    need_controller cpu memory pids
    assert_eq "$(run_simple --memory 64m --pids-limit 99 --cpus 0.5 busybox sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max')" $'67108864\n99\n50000 100000'
    podman run --detach --network none --name one --memory 64m busybox sleep 86399 >/dev/null
    podman update --memory 96m --cpus 0.25 one >/dev/null
    assert_eq "$(podman exec one sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max')" $'100663296\n25000 100000'
    assert_match "$(podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' one)" '^[0-9.]+[kM]?B / [0-9.]+MB 1$'
    # That its inspect says OOMKilled is conmon's doing, and not so everywhere, whatever the runtime.
    assert_exit 9 run_simple --memory 32m --memory-swap 32m busybox sh -c 'busybox tail /dev/zero; echo $?; exit 9'
    assert_eq "$OUT" 137
    stop_podman
}

test_stats() {
    start_podman
    podman run --detach --network none --name one busybox sleep 86399 >/dev/null
    assert_exit 0 podman stats --no-stream --format '{{.Name}}' one
    assert_eq "$OUT" one
    stop_podman
}

counted() {
    podman exec one cat /count
}

counted_past() {
    [ "$(counted)" -gt "$1" ]
}

test_checkpoint_and_restore() {
    local at
    need_command criu
    criu check >"$TEST_DIR/criu-check" 2>&1 || skip "criu check: $(head -n 1 "$TEST_DIR/criu-check")"
    start_podman
    podman run --detach --network none --name one busybox sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count.new; mv /count.new /count; sleep 0.1; done' >/dev/null
    wait_until counted_past 3
    at=$(counted)
    assert_exit 0 podman container checkpoint one
    assert_eq "$(podman inspect --format '{{.State.Status}} {{.State.Checkpointed}}' one)" "exited true"
    assert_exit 0 podman container restore one
    [ "$(counted)" -ge "$at" ] || fail "has begun anew"
    wait_until counted_past $(($(counted) + 2))
    at=$(counted)
    assert_exit 0 podman container checkpoint --leave-running one
    wait_until counted_past $((at + 2))
    # To a file, and from there as another container.
    at=$(counted)
    assert_exit 0 podman container checkpoint --export "$TEST_DIR/one.tar" one
    podman rm one >/dev/null
    assert_exit 0 podman container restore --import "$TEST_DIR/one.tar" --name two
    assert_exit 0 podman exec two cat /count
    [ "$OUT" -ge "$at" ] || fail "has begun anew: $OUT after $at"
    stop_podman
}

# user_podman ARG...: podman as an ordinary user.
user_podman() {
    (cd / && user_command env -u XDG_CONFIG_HOME CONTAINERS_CONF="$CONTAINERS_CONF" CONTAINERS_STORAGE_CONF="$CONTAINERS_STORAGE_CONF" \
        TMPDIR="$TEST_DIR/user/tmp" podman "$@")
}

# start_user_podman: with a store of the user's.
start_user_podman() {
    need_command podman
    start_user podman
    delegate_cgroup
    mkdir -p "$TEST_DIR/user/tmp"
    printf '#!/bin/sh\nexec %q --root %q "$@"\n' "$WARREN_OCI" "$TEST_DIR/user/oci" >"$TEST_DIR/warren-oci"
    chmod 755 "$TEST_DIR/warren-oci"
    cat >"$TEST_DIR/user/containers.conf" <<CONF
[containers]
pids_limit = 0
log_driver = "k8s-file"
default_ulimits = []
[engine]
runtime = "$TEST_DIR/warren-oci"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$TEST_DIR/user/tmp"
CONF
    printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$TEST_DIR/user/root" "$TEST_DIR/user/run" >"$TEST_DIR/user/storage.conf"
    cp "$(busybox_archive)" "$TEST_DIR/user/busybox.tar"
    chown -R "$USER_ID:$USER_ID" "$TEST_DIR/user"
    export CONTAINERS_CONF=$TEST_DIR/user/containers.conf CONTAINERS_STORAGE_CONF=$TEST_DIR/user/storage.conf
    trap remove_user_podman EXIT
    user_podman load --quiet --input "$TEST_DIR/user/busybox.tar" >/dev/null
}

# remove_user_podman: podman keeps a process that holds the user's namespaces.
remove_user_podman() {
    user_podman rm --all --force --time 0 >/dev/null 2>&1 || :
    user_podman system migrate >/dev/null 2>&1 || :
    remove_delegated
}

test_ordinary_user() {
    start_user_podman
    assert_exit 0 user_podman run --rm --network none busybox sh -c 'id -u; tr -s " " </proc/self/uid_map'
    assert_eq "$OUT" $'0\n 0 65534 1\n 1 200000 65536'
    assert_eq "$(user_podman run --rm --network none --user 1000:1000 busybox id -u)" 1000
    assert_eq "$(user_podman run --rm --network none --userns keep-id busybox id -u)" 65534
    assert_exit 3 user_podman run --rm --network none busybox sh -c 'exit 3'
    assert_exit 127 user_podman run --rm --network none busybox /no/such/program
    user_podman run --detach --network none --name one busybox sleep 86399 >/dev/null
    assert_eq "$(user_podman exec one echo hello)" hello
    assert_contains "$(user_podman top one args)" sleep
    user_podman stop --time 0 one >/dev/null
    user_podman rm one >/dev/null
    assert_eq "$(find "$TEST_DIR/user/oci" -mindepth 1)" "" "containers the runtime still knows"
    remove_user_podman
    trap - EXIT
}

test_systemd_image() {
    start_podman
    [ -f "$(cached_image debian:12)" ] || skip "the image debian:12 is not in $(image_cache)"
    zstd -dcq "$(cached_image debian:12)" | podman import --quiet - localhost/debian >/dev/null
    podman run --detach --network none --name machine --systemd always localhost/debian /sbin/init >/dev/null
    wait_until sh -c 'podman exec machine systemctl is-system-running | grep -qE "running|degraded"'
    assert_match "$(podman exec machine systemctl is-system-running || :)" '^(running|degraded)$'
    podman stop --time 60 machine >/dev/null
    stop_podman
}
