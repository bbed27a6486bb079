# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"
. "$SUPPORT_DIR/oci_image.sh"

# docker with warren-oci as its default runtime. Each test starts a containerd and a dockerd of its own, in $TEST_DIR.

# docker_program: the distribution's: another's client may be too new for its daemon.
docker_program() {
    if [ -x /usr/bin/docker ]; then
        echo /usr/bin/docker
    else
        command -v docker
    fi
}

docker() {
    "$(docker_program)" --host "unix://$TEST_DIR/docker/socket" "$@"
}

# start_docker [OPTION]...: with dockerd's options.
start_docker() {
    local driver=cgroupfs
    need_command dockerd
    need_command docker
    mkdir -p "$TEST_DIR/docker/config"
    runtime_program >/dev/null
    export DOCKER_CONFIG=$TEST_DIR/docker/config
    if [ "$(cat /proc/1/comm)" = systemd ] && ! grep -q '^0::/init' /proc/self/cgroup; then
        driver=systemd
    fi
    jq -n --arg dir "$TEST_DIR/docker" --arg runtime "$TEST_DIR/warren-oci" --arg driver "native.cgroupdriver=$driver" '{
        "data-root": ($dir + "/root"), "exec-root": ($dir + "/exec"), pidfile: ($dir + "/pid"), hosts: ["unix://" + $dir + "/socket"],
        "default-runtime": "warren", runtimes: {warren: {path: $runtime}}, "exec-opts": [$driver], "storage-driver": "overlay2",
        "userland-proxy": false}' >"$TEST_DIR/docker/daemon.json"
    dockerd --config-file "$TEST_DIR/docker/daemon.json" "$@" >"$TEST_DIR/docker/log" 2>&1 &
    DOCKERD=$!
    trap stop_daemon EXIT
    wait_until docker version
    docker load --quiet --input "$(busybox_archive)" >/dev/null
}

start_docker_without_network() {
    start_docker --iptables=false --ip6tables=false --bridge none
}

# stop_daemon: also when the test has failed. dockerd ends its containerd, and that its shims.
stop_daemon() {
    local id
    for id in $(docker ps -aq 2>/dev/null); do
        docker rm --force "$id" >/dev/null 2>&1 || :
    done
    kill "$DOCKERD" 2>/dev/null || :
    wait "$DOCKERD" 2>/dev/null || :
    unmount_left
}

# unmount_left: what dockerd itself leaves: its namespaces' mounts, and the cgroup above all containers.
unmount_left() {
    local point
    while read -r point; do
        umount "$point" || :
    done < <(awk -v dir="$TEST_DIR/docker/" 'index($5, dir) == 1 {print $5}' /proc/self/mountinfo | sort -r)
    rmdir "$(cgroup_mount)/docker" 2>/dev/null || :
    ip link delete docker0 2>/dev/null || :
}

finish() {
    local id
    for id in $(docker ps -aq); do
        docker rm --force "$id" >/dev/null
    done
    assert_eq "$(find "$TEST_DIR/docker/exec/runtime-warren" "$TEST_DIR/docker/exec/runtime-runc" "$WARREN_RUN/oci" -name state.json 2>/dev/null)" "" \
        "containers the runtime still knows"
    stop_daemon
    trap - EXIT
}

IMAGE=localhost/busybox

test_run() {
    start_docker_without_network
    assert_exit 0 docker run --rm "$IMAGE" echo hello
    assert_eq "$OUT" hello
    assert_exit 3 docker run --rm "$IMAGE" sh -c 'exit 3'
    assert_exit 127 docker run --rm "$IMAGE" /no/such/program
    assert_exit 126 docker run --rm "$IMAGE" /etc/passwd
    assert_exit 0 docker run --rm --hostname box --env A=b --workdir /tmp --user 1000:1000 "$IMAGE" sh -c 'hostname; echo $A; pwd; id -u'
    assert_eq "$OUT" $'box\nb\n/tmp\n1000'
    assert_eq "$(echo input | docker run --rm --interactive "$IMAGE" cat)" input
    assert_contains "$(in_terminal "$(docker_program)" --host "unix://$TEST_DIR/docker/socket" run --rm --interactive --tty "$IMAGE" sh -c 'test -t 0 && echo it is a terminal')" "it is a terminal"
    assert_exit 1 docker run --rm --read-only "$IMAGE" touch /file
    assert_exit 1 docker run --rm --cap-drop chown "$IMAGE" sh -c 'touch /tmp/file && chown 1:1 /tmp/file'
    assert_exit 0 docker run --rm --privileged "$IMAGE" sh -c 'mount -t tmpfs tmpfs /tmp && echo mounted'
    assert_eq "$OUT" mounted
    assert_match "$(docker run --rm --init "$IMAGE" sh -c 'tr "\0" " " </proc/1/cmdline')" init
    assert_eq "$(docker run --rm --ulimit nofile=100:200 "$IMAGE" sh -c 'ulimit -n; ulimit -Hn')" $'100\n200'
    assert_eq "$(docker run --rm "$IMAGE" grep Seccomp: /proc/self/status | tr -d '\t')" Seccomp:2
    finish
}

test_life_of_a_container() {
    start_docker_without_network
    docker run --detach --name one "$IMAGE" sh -c 'trap "echo got; exit 7" TERM; echo begun; while :; do sleep 0.1; done' >/dev/null
    wait_until sh -c "'$(docker_program)' --host 'unix://$TEST_DIR/docker/socket' logs one | grep -q begun"
    assert_eq "$(docker inspect --format '{{.State.Status}}' one)" running
    docker pause one >/dev/null
    assert_eq "$(docker inspect --format '{{.State.Status}}' one)" paused
    docker unpause one >/dev/null
    # It runs the host's ps, which does not work everywhere.
    ! ps -ef >/dev/null 2>&1 || assert_contains "$(docker top one)" sleep
    assert_eq "$(docker stats --no-stream --format '{{.Name}}' one)" one
    docker restart --time 5 one >/dev/null
    assert_eq "$(docker inspect --format '{{.State.Status}}' one)" running
    docker stop --time 10 one >/dev/null
    assert_eq "$(docker inspect --format '{{.State.ExitCode}}' one)" 7
    docker start one >/dev/null
    docker kill one >/dev/null
    assert_eq "$(docker wait one)" 137
    docker rm one >/dev/null
    finish
}

test_exec() {
    start_docker_without_network
    docker run --detach --name one "$IMAGE" sleep 86399 >/dev/null
    assert_exit 0 docker exec one echo hello
    assert_eq "$OUT" hello
    assert_exit 5 docker exec one sh -c 'exit 5'
    assert_ne "$(docker exec one /no/such/program >/dev/null 2>&1 || echo $?)" "" "status of a program that is not there"
    assert_eq "$(docker exec --env A=b --workdir /tmp --user 1000 one sh -c 'echo $A; pwd; id -u')" $'b\n/tmp\n1000'
    assert_eq "$(echo input | docker exec --interactive one cat)" input
    assert_contains "$(in_terminal "$(docker_program)" --host "unix://$TEST_DIR/docker/socket" exec --tty one sh -c 'test -t 0 && echo it is a terminal')" "it is a terminal"
    docker exec --detach one sh -c 'echo x >/tmp/mark; sleep 86398'
    wait_until docker_has_mark
    assert_not_contains "$(docker exec --privileged one grep CapEff /proc/self/status)" 00000000a80425fb
    finish
}

docker_has_mark() {
    docker exec one test -f /tmp/mark
}

test_files_and_images() {
    start_docker_without_network
    docker run --detach --name one "$IMAGE" sleep 86399 >/dev/null
    echo content >"$TEST_DIR/file"
    docker cp "$TEST_DIR/file" one:/tmp/file
    assert_eq "$(docker exec one cat /tmp/file)" content
    docker commit one localhost/committed >/dev/null
    assert_eq "$(docker run --rm localhost/committed cat /tmp/file)" content
    mkdir "$TEST_DIR/context"
    printf 'FROM localhost/busybox\nRUN echo built >/built && id -u >>/built\nUSER 1000\nCMD ["cat", "/built"]\n' >"$TEST_DIR/context/Dockerfile"
    DOCKER_BUILDKIT=0 assert_exit 0 docker build --network none --tag localhost/built "$TEST_DIR/context"
    assert_eq "$(docker run --rm localhost/built)" $'built\n0'
    assert_eq "$(docker run --rm --volume "$TEST_DIR/context:/data:ro" "$IMAGE" ls /data)" Dockerfile
    assert_exit 1 docker run --rm --volume "$TEST_DIR/context:/data:ro" "$IMAGE" touch /data/file
    finish
}

test_ports() {
    local port=18080
    [ -n "${TEST_BOX-}" ] || skip "not in a network namespace of its own: dockerd would change the host's rules"
    has_nat || skip "this kernel has no table nat"
    start_docker
    assert_exit 0 docker run --rm "$IMAGE" cat /proc/net/dev
    assert_contains "$OUT" eth0
    docker run --detach --name one --publish "127.0.0.1:$port:80" "$IMAGE" sh -c 'while :; do echo served | nc -l -p 80; done' >/dev/null
    assert_eq "$(docker port one 80/tcp)" "127.0.0.1:$port"
    assert_contains "$(iptables -t nat -S)" "$port"
    assert_contains "$(docker exec one ip addr)" 172.
    wait_until is_served "$port"
    finish
}

# is_served PORT: what a client of the host's port reads.
is_served() {
    local line
    exec 6<>"/dev/tcp/127.0.0.1/$1" || return 1
    read -r -t 5 line <&6
    exec 6>&-
    [ "$line" = served ]
}

test_limits() {
    need_controller cpu memory pids
    start_docker_without_network
    assert_eq "$(docker run --rm --memory 64m --pids-limit 99 --cpus 0.5 "$IMAGE" sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max')" $'67108864\n99\n50000 100000'
    docker run --detach --name one --memory 64m --memory-swap 64m "$IMAGE" sleep 86399 >/dev/null
    docker update --memory 96m --memory-swap 96m --cpus 0.25 one >/dev/null
    assert_eq "$(docker exec one sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max')" $'100663296\n25000 100000'
    assert_match "$(docker stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' one)" '/ 96MiB 1$'
    # The first process outlives it: with the last one the cgroup may be gone before the engine has looked.
    assert_exit 9 docker run --name two --memory 32m --memory-swap 32m "$IMAGE" sh -c 'busybox tail /dev/zero; echo $?; sleep 3; exit 9'
    assert_eq "$OUT" 137
    assert_eq "$(docker inspect --format '{{.State.OOMKilled}}' two)" true "killed for want of memory"
    finish
}
