"""OCI bundles: what an OCI runtime gets to do the same work as warren, and podman's default."""
import json
import os
import resource

from .place import HERE, write

FIRST_ID = 1 << 28
# What warren leaves a command.
CAPABILITIES = ['CAP_' + name for name in (
    'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP SETFCAP NET_BIND_SERVICE SYS_CHROOT NET_RAW MKNOD '
    'AUDIT_WRITE').split()]
MASKED = ('/proc/acpi /proc/asound /proc/interrupts /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_stats '
          '/sys/devices/virtual/powercap /sys/firmware /proc/kcore /proc/keys /proc/timer_list').split()
READONLY = '/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'.split()
NOTHING = ['nosuid', 'noexec', 'nodev']


def user_namespace(config):
    config['linux']['namespaces'].append({'type': 'user'})
    for kind in ('uidMappings', 'gidMappings'):
        config['linux'][kind] = [{'containerID': 0, 'hostID': FIRST_ID, 'size': 65536}]


def fitted(config, controllers):
    """Without the limits that this host has no controller for, and without raising what may not be raised."""
    if 'pids' not in controllers:
        config['linux'].get('resources', {}).pop('pids', None)
    for limit in config['process'].get('rlimits', []):
        most = resource.getrlimit(getattr(resource, limit['type']))[1]
        if most != resource.RLIM_INFINITY:
            limit['hard'] = min(limit['hard'], most)
            limit['soft'] = min(limit['soft'], most)
    return config


def launch_config(place, cgroup, argv, filtered=True):
    """All namespaces with a user namespace, the mounts, masks, capabilities and calls of a warren command."""
    mount = lambda target, kind, options: {'destination': target, 'type': kind, 'source': kind, 'options': options}
    config = {
        'ociVersion': '1.0.2',
        'process': {
            'terminal': False, 'user': {'uid': 0, 'gid': 0}, 'args': list(argv), 'cwd': '/',
            'env': ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
            'capabilities': {kind: CAPABILITIES for kind in ('bounding', 'effective', 'permitted')},
            'rlimits': [{'type': 'RLIMIT_NOFILE', 'hard': 1048576, 'soft': 1024},
                        {'type': 'RLIMIT_NPROC', 'hard': 32768, 'soft': 32768}],
        },
        'root': {'path': place.rootfs, 'readonly': True},
        'hostname': 'bench',
        'mounts': [
            mount('/proc', 'proc', NOTHING),
            mount('/dev', 'tmpfs', ['nosuid', 'mode=755', 'size=512k']),
            mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
            mount('/dev/shm', 'tmpfs', [*NOTHING, 'mode=1777', 'size=64m']),
            mount('/dev/mqueue', 'mqueue', NOTHING),
            mount('/sys', 'sysfs', [*NOTHING, 'ro']),
            mount('/sys/fs/cgroup', 'cgroup', [*NOTHING, 'ro']),
        ],
        'linux': {
            'namespaces': [{'type': kind} for kind in ('pid', 'network', 'ipc', 'uts', 'mount', 'cgroup')],
            'maskedPaths': MASKED, 'readonlyPaths': READONLY, 'cgroupsPath': cgroup,
        },
    }
    if filtered:
        config['linux']['seccomp'] = place.house_filter()
    user_namespace(config)
    return fitted(config, place.controllers)


def podman_config(place, bundle, cgroup, users, argv=('/bin/true',)):
    """What podman 4.3 hands its runtime for `podman run --network none`, its seccomp profile included."""
    with open(os.path.join(HERE, 'podman.json')) as file:
        text = file.read()
    for mark, value in (('@ROOT@', place.rootfs), ('@BUNDLE@', bundle), ('@CGROUP@', cgroup)):
        text = text.replace(mark, value)
    config = json.loads(text)
    config['process']['args'] = list(argv)
    if users:
        user_namespace(config)
    return fitted(config, place.controllers)


def make_bundle(place, name, config_of):
    """`config_of(bundle)` gives the configuration."""
    bundle = place.path('bundles', name)
    os.makedirs(os.path.join(bundle, 'shm'), exist_ok=True)
    for file in ('hosts', 'hostname', '.containerenv'):
        write(os.path.join(bundle, file), '')
    write(os.path.join(bundle, 'config.json'), json.dumps(config_of(bundle)))
    return bundle
