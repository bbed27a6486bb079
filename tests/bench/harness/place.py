"""Where the benchmarks run: directories, the root file system that all share, the filters, and the peers."""
import json
import os
import resource
import shutil
import subprocess

from . import measure, programs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROJECT = os.path.dirname(os.path.dirname(HERE))
APPLETS = 'sh true sleep cat ls id mount head'
IMAGE = 'bench'
DISK_BYTES = 16 << 30


class Place:
    """`work` is a directory on disk, where the guests' disks lie; volatile state lies below /run, a tmpfs here."""

    def __init__(self, work, binaries):
        self.work, self.bin = work, binaries
        self.rootfs = os.path.join(work, 'rootfs')
        self.run = '/run/warren-bench'
        self.cgroup = '/sys/fs/cgroup'
        self.warren = programs.install(os.path.join(binaries, 'warren'), os.path.join(work, 'programs'))
        self.warren_oci = programs.install(os.path.join(binaries, 'warren-oci'), os.path.join(work, 'programs'))
        self.floor = os.path.join(binaries, 'bench_floor')
        self.controllers = open(f'{self.cgroup}/cgroup.controllers').read().split()
        self.env = dict(os.environ, WARREN_ROOT=os.path.join(work, 'root'), WARREN_RUN=f'{self.run}/warren')
        self.env.pop('WARREN_CREATE_OPTS', None)

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def prepare(self):
        for directory in ('root', 'scratch', 'bundles', 'lxc'):
            os.makedirs(self.path(directory), exist_ok=True)
        os.makedirs(self.run, exist_ok=True)
        os.makedirs(f'{self.cgroup}/bench', exist_ok=True)
        # Below it each launcher makes its guests' cgroups; what the host has, they have.
        for controller in self.controllers:
            try:
                write(f'{self.cgroup}/bench/cgroup.subtree_control', f'+{controller}')
            except OSError:
                pass
        make_rootfs(self.rootfs)
        shutil.copy(os.path.join(self.bin, 'bench_probe'), os.path.join(self.rootfs, 'bin'))
        for what in ('bpf', 'devices', 'oci', 'lxc'):
            with open(self.path(f'filter.{what}'), 'wb') as out:
                subprocess.run([os.path.join(self.bin, 'bench_filter'), what], stdout=out, check=True)
        raise_memlock()
        self.warren_run('image', 'import', self.rootfs, '--as', IMAGE)

    def destroy_all(self):
        """After a failure: what the benchmark has not destroyed."""
        try:
            self.warren_run('--quiet', 'destroy', '--force', '--all', timeout=1800)
        except measure.Failed as error:
            print(error)
        measure.reap_all()

    def remove_cgroup(self, name):
        try:
            os.rmdir(f'{self.cgroup}/{name}')
        except OSError:
            pass

    def warren_run(self, *args, **kwargs):
        return measure.run([self.warren, *args], env=self.env, **kwargs)

    def house_filter(self):
        with open(self.path('filter.oci')) as file:
            return json.load(file)

    def floor_argv(self, *options, program=('/bin/true',), overlay=True):
        argv = [self.floor, '--root', self.rootfs, '--cgroup', f'{self.cgroup}/bench', '--filter', self.path('filter.bpf'),
                '--devices', self.path('filter.devices')]
        if overlay:
            argv += ['--scratch', self.path('scratch') if overlay is True else overlay]
        return [*argv, *options, '--', *program]


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def mount_disk(directory):
    """A new ext4 in a sparse file; the box's mount namespace takes it along. Hosts differ in what a disk's options
    cost: without a journal and with `discard`, each removed directory waits for the device."""
    image, point = os.path.join(directory, 'disk.img'), os.path.join(directory, 'disk')
    os.mkdir(point)
    with open(image, 'wb') as file:
        file.truncate(DISK_BYTES)
    subprocess.run(['mkfs.ext4', '-q', image], check=True, stdin=subprocess.DEVNULL)
    subprocess.run(['mount', '-o', 'loop,noinit_itable', image, point], check=True)
    return point


def raise_memlock():
    """Runtimes before 5.11's accounting raise it for their device programs, and fail where they may not."""
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError):
        pass


def make_rootfs(path):
    """busybox with its links; the mount points that launchers need exist, so that none of them has to write."""
    busybox = shutil.which('busybox') or '/bin/busybox'
    for directory in ('bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'usr/sbin', 'usr/lib', 'var', 'mnt'):
        os.makedirs(os.path.join(path, directory), exist_ok=True)
    shutil.copy(busybox, os.path.join(path, 'bin/busybox'))
    for applet in APPLETS.split():
        link = os.path.join(path, 'bin', applet)
        if not os.path.lexists(link):
            os.symlink('busybox', link)
    write(os.path.join(path, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    write(os.path.join(path, 'etc/group'), 'root:x:0:\n')
    for name in ('etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'run/.containerenv'):
        write(os.path.join(path, name), '')
    # systemd-nspawn wants a tree that looks like an operating system.
    write(os.path.join(path, 'etc/os-release'), 'ID=bench\nNAME=bench\n')
    os.chmod(os.path.join(path, 'tmp'), 0o1777)
    for directory, _, _ in os.walk(path):
        if not directory.endswith('/tmp'):
            os.chmod(directory, 0o755)
