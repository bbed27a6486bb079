# shellcheck shell=bash
# shellcheck disable=SC2016  # what is in single quotes is for the container's shell, or jq
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"
. "$SUPPORT_DIR/bundles.sh"

# docs/oci-conformance.md, row by row: what it calls done is done, and what it calls refused is refused with those words
# and the place in the JSON. The suite looks at many fields, too; here are those that it does not know.

# wanted NAME FILTER SCRIPT EXPECTED: with the config changed by the jq filter, the script prints what the pattern says.
# What is wrong is noted for all_fields, so that one look tells of all of it.
wanted() {
    local status=0 printed
    fresh_config "$2"
    program "$B" /bin/sh -c "$3"
    printed=$(timeout 60 "$WARREN_OCI" --root "$WARREN_RUN/oci" --log "$TEST_DIR/log" run --bundle "$B" field 2>&1 </dev/null) || status=$?
    [ "$status" = 0 ] && [[ $printed =~ ^($4)$ ]] || printf '%s: exit %s, expected /%s/, got: %s\n' "$1" "$status" "$4" "$printed" >>"$TEST_DIR/wrong"
}

# refused PLACE FILTER WORDS
refused() {
    local status=0 printed
    fresh_config "$2"
    printed=$(timeout 60 "$WARREN_OCI" --root "$WARREN_RUN/oci" create --bundle "$B" field 2>&1 </dev/null) || status=$?
    [ "$status" = 1 ] && [[ $printed == *"$1"* && $printed == *"$3"* && $printed != *$'\n'* ]] ||
        printf '%s: exit %s, expected "%s", got: %s\n' "$1" "$status" "$3" "$printed" >>"$TEST_DIR/wrong"
    [ "$status" != 0 ] || oci delete --force field
}

fresh_config() {
    if [ ! -d "${B-}" ]; then
        B=$TEST_DIR/bundle
        make_bundle "$B"
        mkdir -p "$TEST_DIR/source/sub"
        echo content >"$TEST_DIR/source/file"
        cp "$B/config.json" "$TEST_DIR/valid.json"
    fi
    jq --arg source "$TEST_DIR/source" "$1" "$TEST_DIR/valid.json" >"$B/config.json"
}

all_fields() {
    [ ! -s "$TEST_DIR/wrong" ] || fail "$(cat "$TEST_DIR/wrong")"
}

# Two maps of users, and the namespace they belong to.
USERS='.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    | .linux.gidMappings = .linux.uidMappings | .process.user.additionalGids = []'

test_process() {
    wanted root.readonly '.root.readonly = true' 'touch /file 2>&1 | grep -c Read-only' 1
    wanted hostname '.hostname = "box"' 'hostname' box
    wanted domainname '.domainname = "example"' 'cat /proc/sys/kernel/domainname' example
    wanted user '.process.user = {"uid": 7, "gid": 8, "umask": 63, "additionalGids": [9, 10]}' 'id -u; id -g; id -G; umask' $'7\n8\n8 9 10\n0077'
    wanted cwd '.process.cwd = "/made/here"' 'pwd' /made/here
    wanted env '.process.env = ["PATH=/bin", "A=b c"]' 'echo "$A $HOME"' 'b c /root'
    wanted rlimits '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 512, "hard": 1024}, {"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]' \
        'ulimit -n; ulimit -Hn; grep -c "Max core file size *512 *1024" /proc/self/limits' $'77\n99\n1'
    wanted oomScoreAdj '.process.oomScoreAdj = 321' 'cat /proc/self/oom_score_adj' 321
    wanted noNewPrivileges '.process.noNewPrivileges = false' 'grep NoNewPrivs /proc/self/status' $'NoNewPrivs:\t0'
    wanted scheduler '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 5}' 'cut -d" " -f19,41 /proc/self/stat' '5 3'
    wanted capabilities '.process.user = {"uid": 5, "gid": 5} | .process.capabilities.inheritable = ["CAP_CHOWN"] | .process.capabilities.ambient = ["CAP_CHOWN"]
        | .process.capabilities.bounding += ["CAP_NO_SUCH"]' 'grep -E "Cap(Eff|Amb)" /proc/self/status | tr -d "\t"' $'CapEff:0000000000000001\nCapAmb:0000000000000001'
    wanted personality '.linux.personality = {"domain": "LINUX32"} | .linux.seccomp = null' 'uname -m' 'i[3-6]86|armv8l'
    wanted annotations '.annotations = {"org.example.one": "two", "empty": ""}' 'true' ''
    all_fields
}

test_mounts() {
    local bind='.mounts += [{"destination": "/data", "type": "bind", "source": $source, "options": '
    wanted bind "$bind"'["rbind", "nosuid"]}]' 'cat /data/file' content
    wanted ro "$bind"'["bind", "ro"]}]' 'touch /data/x 2>&1 | grep -c Read-only' 1
    wanted rro "$bind"'["rbind", "rro"]}]' 'touch /data/sub/x 2>&1 | grep -c Read-only' 1
    wanted noexec "$bind"'["bind", "noexec", "nodev", "nosuid"]}]' 'grep " /data " /proc/self/mountinfo | grep -c "nosuid,nodev,noexec"' 1
    wanted "a bind without a type" '.mounts += [{"destination": "/data", "source": $source, "options": ["bind"]}]' 'cat /data/file' content
    wanted "a file" '.mounts += [{"destination": "/etc/deep/file", "type": "none", "source": ($source + "/file"), "options": ["rbind", "ro"]}]' 'cat /etc/deep/file' content
    wanted propagation "$bind"'["rbind", "rshared"]}]' 'grep " /data " /proc/self/mountinfo | grep -c shared:' 1
    wanted unbindable "$bind"'["bind", "unbindable"]}]' 'grep " /data " /proc/self/mountinfo | grep -c unbindable' 1
    wanted tmpcopyup '.mounts += [{"destination": "/etc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", "size=1m"]}]' \
        'grep -c " /etc tmpfs .*size=1024k" /proc/mounts; head -c 4 /etc/passwd' $'1\nroot'
    wanted "a relative destination" '.mounts += [{"destination": "rel/ative", "type": "tmpfs", "source": "tmpfs"}]' 'grep -c " /rel/ative tmpfs" /proc/mounts' 1
    wanted "mapped ids" "$USERS"' | .mounts += [{"destination": "/data", "type": "bind", "source": $source, "options": ["bind", "idmap"]}]' 'stat -c %u /data/file' 0
    wanted "unmapped ids" "$USERS"' | .mounts += [{"destination": "/data", "type": "bind", "source": $source, "options": ["bind"]}]' 'stat -c %u /data/file' 65534
    wanted uidMappings '.mounts += [{"destination": "/data", "type": "bind", "source": $source, "options": ["bind"],
        "uidMappings": [{"containerID": 0, "hostID": 4000, "size": 10}], "gidMappings": [{"containerID": 0, "hostID": 4000, "size": 10}]}]' 'stat -c %u /data/file' 4000
    wanted "a remount of a bind" "$bind"'["bind"]}, {"destination": "/data", "options": ["remount", "bind", "ro", "nosuid"]}]' \
        'touch /data/x 2>&1 | grep -c Read-only; grep -c " /data .*nosuid" /proc/mounts' $'1\n1'
    wanted "a remount of a file system" '.mounts += [{"destination": "/t", "type": "tmpfs", "options": ["ro", "size=1m"]},
        {"destination": "/t", "options": ["remount", "rw", "noexec", "size=2m", "lazytime"]}]' \
        'touch /t/x; grep -c " /t tmpfs rw,lazytime,noexec,.*size=2048k" /proc/mounts' 1
    wanted "a remount in a user namespace" "$USERS"' | .mounts += [{"destination": "/t", "type": "tmpfs", "options": ["size=1m"]},
        {"destination": "/t", "options": ["remount", "size=2m"]}, {"destination": "/t", "options": ["remount", "bind", "ro"]}]' \
        'grep -c " /t tmpfs ro,.*size=2048k" /proc/mounts' 1
    wanted "every word of the specification" '.mounts += [{"destination": "/t", "type": "tmpfs", "options": ["async", "atime", "defaults", "dev", "diratime", "exec",
        "lazytime", "loud", "mand", "nomand", "noiversion", "nolazytime", "norelatime", "nostrictatime", "suid", "symfollow", "silent", "sync", "dirsync", "ratime", "rdev", "rdiratime",
        "rexec", "rnoatime", "rnodev", "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid", "rnosymfollow", "rrelatime", "rro", "rrw", "rstrictatime",
        "rsuid", "rsymfollow", "rw", "relatime", "noatime"]}]' 'touch /t/x; grep -c " /t tmpfs rw" /proc/mounts' 1
    ln -s /etc/passwd "$B/rootfs/link"
    wanted dest-nofollow '.mounts += [{"destination": "/link", "type": "bind", "source": ($source + "/file"), "options": ["bind", "dest-nofollow"]}]' \
        'cat /link; grep -c ^root: /etc/passwd' $'content\n1'
    rm "$B/rootfs/link"
    wanted cgroup '.' 'ls /sys/fs/cgroup | grep -c cgroup.procs; touch /sys/fs/cgroup/x 2>&1 | grep -c Read-only' $'1\n1'
    all_fields
}

test_linux() {
    wanted namespaces "$USERS" 'tr -s " " </proc/self/uid_map; id -u' $' 0 100000 65536\n0'
    wanted timeOffsets '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 500000000, "nanosecs": 5}}' 'cut -c1-2 /proc/uptime' 50
    wanted devices '.linux.devices = [{"path": "/dev/own", "type": "c", "major": 1, "minor": 7, "fileMode": 420, "uid": 3, "gid": 4}, {"path": "/pipe", "type": "p"}]' \
        'stat -c "%F %t:%T %a %u:%g" /dev/own; stat -c %F /pipe; readlink /dev/fd; readlink /dev/ptmx' $'character special file 1:7 644 3:4\nfifo\n/proc/self/fd\n(/dev/)?pts/ptmx'
    wanted "default devices" '.linux.devices = []' 'cd /dev; for n in null zero full random urandom tty; do test -c $n && echo -n "$n "; done' 'null zero full random urandom tty '
    # What the specification's default devices may do stays allowed.
    wanted resources.devices '.linux.resources.devices = [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "access": "m"}]
        | .linux.devices = [{"path": "/dev/one", "type": "c", "major": 10, "minor": 229, "fileMode": 438}]' \
        'echo x >/dev/null && echo null; { true </dev/one; } 2>&1 | grep -c "not permitted"' $'null\n1'
    wanted "a device that is allowed" '.linux.resources.devices = [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"}]
        | .linux.devices = [{"path": "/dev/one", "type": "c", "major": 10, "minor": 229, "fileMode": 438}]' \
        '{ true </dev/one; } 2>&1 | grep -c "not permitted"; { true >/dev/one; } 2>&1 | grep -c "not permitted"' $'0\n1'
    wanted sysctl '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel/msgmax": "4096"}' 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax' $'1\n4096'
    wanted seccomp '.linux.seccomp.syscalls = [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]' \
        'mkdir /x 2>&1 | grep -c "assign requested"' 1
    wanted seccomp.args '.linux.seccomp.syscalls = [{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99, "args": [{"index": 1, "value": 0, "op": "SCMP_CMP_NE"}]}]' \
        'kill -0 $$ && echo zero; kill -CONT $$ 2>&1 | grep -c "assign requested"' $'zero\n1'
    wanted seccomp.flags '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' 'grep Seccomp: /proc/self/status' $'Seccomp:\t2'
    wanted maskedPaths '.linux.maskedPaths = ["/etc/passwd", "/proc/fs", "/no/such"]' 'cat /etc/passwd; ls /proc/fs' ''
    wanted readonlyPaths '.linux.readonlyPaths = ["/proc/sys", "/tmp", "/no/such"]' '{ touch /tmp/x; echo 1 >/proc/sys/net/ipv4/ip_forward; } 2>&1 | grep -c Read-only' 2
    wanted rootfsPropagation '.linux.rootfsPropagation = "shared"' 'grep -c " / [^ ]* shared:" /proc/self/mountinfo' 1
    all_fields
}

test_resources() {
    local size=hugetlb.2MB.max
    [ -e "$(cgroup_mount)/init/$size" ] || skip "no controller that this host has in v2"
    wanted hugepageLimits '.linux.resources.hugepageLimits = [{"pageSize": "2MB", "limit": 4194304}]' "cat /sys/fs/cgroup/$size" 4194304
    wanted unified '.linux.resources.unified = {"hugetlb.2MB.max": "2097152", "cgroup.max.depth": "7"}' "cd /sys/fs/cgroup; cat $size cgroup.max.depth" $'2097152\n7'
    all_fields
}

test_a_controller_that_is_not_there() {
    ! grep -qw memory "$(cgroup_mount)/cgroup.controllers" || skip "this host has all controllers"
    refused /linux/resources/memory/limit '.linux.resources.memory = {"limit": 67108864}' "needs the memory controller"
    refused /linux/resources/pids/limit '.linux.resources.pids = {"limit": 10}' "needs the pids controller"
    refused /linux/resources/cpu/shares '.linux.resources.cpu = {"shares": 10}' "needs the cpu controller"
    refused /linux/resources/unified/memory.high '.linux.resources.unified = {"memory.high": "1000000"}' "memory.high needs the memory controller"
    refused /linux/resources/blockIO/throttleReadBpsDevice/0 '.linux.resources.blockIO = {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1000}]}' "io.max needs the io controller"
    wanted "no limits" '.linux.resources += {"memory": {"limit": 0}, "pids": {"limit": 0}, "cpu": {"shares": 0, "quota": 0, "period": 0}}' 'echo ran' ran
    all_fields
}

test_affinity_of_exec() {
    fresh_config .
    sleeping "$B" affinity
    jq '.process | .args = ["/bin/grep", "Cpus_allowed_list", "/proc/self/status"] | .execCPUAffinity = {"initial": "0", "final": "0"}' "$B/config.json" >"$TEST_DIR/process.json"
    assert_exit 0 oci exec --process "$TEST_DIR/process.json" affinity
    assert_eq "$OUT" $'Cpus_allowed_list:\t0'
    oci delete --force affinity
}

test_priority_of_input_and_output() {
    need_command ionice
    fresh_config '.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6}'
    sleeping "$B" priority
    assert_eq "$(ionice -p "$(oci state priority | jq .pid)")" "best-effort: prio 6"
    oci delete --force priority
}

test_refused() {
    refused /ociVersion '.ociVersion = "2.0.0"' "version 2.0.0"
    refused /vm '.vm = {"hypervisor": {"path": "/bin/vm"}}' "a virtual machine is asked for"
    refused /mounts/7/destination '.mounts += [{"destination": "/data", "type": "bind", "source": $source, "options": ["remount", "bind"]}]' "nothing to remount"
    refused /mounts/8/options '.mounts += [{"destination": "/data", "type": "bind", "source": $source, "options": ["bind"]},
        {"destination": "/data", "options": ["remount", "sync"]}]' "behind a bind mount"
    refused /mounts/8 '.mounts += [{"destination": "/data", "type": "tmpfs"}, {"destination": "/data", "options": ["remount", "size=nonsense"]}]' "remount /data"
    refused /mounts/7 '.mounts += [{"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["idmap"]}]' "ids are mapped"
    refused /process/rlimits/1 '.process.rlimits += .process.rlimits' "given twice"
    refused /process/rlimits/0 '.process.rlimits[0].soft = 5000' "above the hard limit"
    refused /process/scheduler '.process.scheduler = {"policy": "SCHED_ISO"}' SCHED_ISO
    refused /process/cwd '.process.cwd = "relative"' "absolute path"
    refused /process/args '.process.args = []' "expected a program"
    refused /hostname '.linux.namespaces |= map(select(.type != "uts"))' "uts"
    refused /hooks/prestart/0/path '.hooks.prestart = [{"path": "relative"}]' "absolute path"
    refused /linux/namespaces/6 '.linux.namespaces += [{"type": "pid"}]' "given twice"
    refused /linux/uidMappings "$USERS"' | .linux.uidMappings += .linux.uidMappings' "mapped twice"
    refused /linux/timeOffsets '.linux.timeOffsets = {"boottime": {"secs": 1}}' "namespace of type time"
    if ! grep -q ' - resctrl ' /proc/self/mountinfo; then
        refused /linux/intelRdt '.linux.intelRdt = {"closID": "one", "l3CacheSchema": "L3:0=f"}' "resctrl is not mounted at /sys/fs/resctrl"
    fi
    refused /linux/intelRdt/closID '.linux.intelRdt = {"closID": "info"}' "no name of a group"
    refused /linux/intelRdt/memBwSchema '.linux.intelRdt = {"memBwSchema": "L3:0=f"}' "expected MB:"
    refused /linux/intelRdt/enableMonitoring '.linux.intelRdt = {"enableMonitoring": true}' "version 1.3"
    refused /linux/netDevices '.linux.netDevices = {"lo": {"name": "one"}}' "netDevices, of version 1.3 of the specification, is not supported"
    refused /linux/memoryPolicy '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0"}' "memoryPolicy, of version 1.3 of the specification, is not supported"
    refused /linux/sysctl '.linux.sysctl = {"vm.overcommit_memory": "1"}' "the whole host's"
    refused /linux/sysctl '.linux.sysctl = {"kernel.hostname": "x"}' "what /hostname is for"
    refused /linux/sysctl '.linux.sysctl = {"../../etc/passwd": "x"}' "no name of a kernel parameter"
    refused /linux/seccomp '.linux.seccomp.syscalls = [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]' "needs a listener"
    refused /linux/seccomp '.linux.seccomp.defaultAction = "SCMP_ACT_NONSENSE"' SCMP_ACT_NONSENSE
    refused /linux/personality '.linux.personality = {"domain": "LINUX", "flags": ["X"]}' "flags"
    refused /linux/resources/memory/kernel '.linux.resources.memory = {"kernel": 1000}' "kernel memory"
    refused /linux/resources/memory/swappiness '.linux.resources.memory = {"swappiness": 5}' "swappiness"
    refused /linux/resources/memory/disableOOMKiller '.linux.resources.memory = {"disableOOMKiller": true}' "oom killer"
    refused /linux/resources/memory/useHierarchy '.linux.resources.memory = {"useHierarchy": false}' "whole subtree"
    refused /linux/resources/cpu/realtimeRuntime '.linux.resources.cpu = {"realtimeRuntime": 1000}' "realtime groups"
    refused /linux/resources/cpu/idle '.linux.resources.cpu = {"idle": 2}' "neither 0 nor 1"
    refused /linux/resources/blockIO/leafWeight '.linux.resources.blockIO = {"leafWeight": 100}' "leaf weight"
    refused /linux/resources/network/classID '.linux.resources.network = {"classID": 5}' net_cls
    refused /linux/resources/network/priorities '.linux.resources.network = {"priorities": [{"name": "lo", "priority": 5}]}' net_prio
    refused /linux/resources/unified '.linux.resources.unified = {"cgroup.procs": "1"}' "not a limit"
    [ -d /sys/module/apparmor ] || refused /process/apparmorProfile '.process.apparmorProfile = "profile"' "AppArmor is not enabled"
    [ -d /sys/fs/selinux ] || refused /process/selinuxLabel '.process.selinuxLabel = "label"' "SELinux is not enabled"
    all_fields
}
