"""The other launchers: where they come from, and how each is told to do the same work."""
import os
import shutil
import subprocess

from . import bundles, measure
from .place import PROJECT, write

NEW_CRUN = 'crun-1.21'
# Not longer than the old one; a link that is made for each run, on the box's own /run.
OLD_LOADER, NEW_LOADER = b'/lib64/ld-linux-x86-64.so.2\0', '/run/bench-ld.so'


def install(say):
    """Debian's own; what cannot be had is missing from the tables, by name."""
    done = subprocess.run([os.path.join(PROJECT, 'packaging/install-deps'), 'bench'], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        say(f'not all peers could be installed: {done.stderr.strip()}')


def debian_mirror():
    """Where this host's own packages come from, or WARREN_DEBIAN_MIRROR, as for `warren image build`; None: not known."""
    mirror = os.environ.get('WARREN_DEBIAN_MIRROR')
    if mirror:
        return mirror
    if not shutil.which('apt-get'):
        return None
    known = subprocess.run(['apt-get', 'indextargets', '--format', '$(LABEL) $(REPO_URI)'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return next((line.split(' ', 1)[1] for line in known.splitlines() if line.startswith('Debian ')), None)


def new_crun(directory, may_make, say):
    """crun 1.21 out of Debian 13, with that release's libraries beside it; its path, or None. Made once and kept.
    The program is the package's own but for the name of its dynamic loader, so that the kernel starts it like any other
    and the host's C library stays out of it."""
    root = os.path.join(directory, 'trixie')
    program = os.path.join(directory, NEW_CRUN)
    if os.path.exists(program):
        return program
    if not may_make or not shutil.which('mmdebstrap'):
        return None
    mirror = debian_mirror()
    if not mirror:
        say('no crun 1.21: no mirror of Debian is known: set WARREN_DEBIAN_MIRROR')
        return None
    say('making a Debian 13 root for crun 1.21')
    done = subprocess.run(['mmdebstrap', '--variant=extract', '--include=crun', 'trixie', root, mirror],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        say(f'no crun 1.21: mmdebstrap: {done.stderr.strip()[-300:]}')
        shutil.rmtree(root, ignore_errors=True)
        return None
    with open(os.path.join(root, 'usr/bin/crun'), 'rb') as file:
        code = file.read()
    code = code.replace(OLD_LOADER, NEW_LOADER.encode().ljust(len(OLD_LOADER), b'\0'))
    with open(program + '.new', 'wb') as file:
        file.write(code)
    os.chmod(program + '.new', 0o755)
    os.rename(program + '.new', program)
    return program


def new_crun_environment(directory, env):
    libraries = os.path.join(directory, 'trixie/usr/lib/x86_64-linux-gnu')
    if not os.path.lexists(NEW_LOADER):
        os.symlink(os.path.join(libraries, 'ld-linux-x86-64.so.2'), NEW_LOADER)
    return dict(env, LD_LIBRARY_PATH=libraries)


def allow_ids(directory):
    """newuidmap(1), where it is installed, is asked by lxc; it gives what these files name. Seen only in the box."""
    for name in ('/etc/subuid', '/etc/subgid'):
        if os.path.exists(name):
            ours = os.path.join(directory, os.path.basename(name))
            write(ours, f'root:{bundles.FIRST_ID}:65536\n')
            subprocess.run(['mount', '--bind', ours, name], check=True)


def sweep():
    """Some make cgroups below our own and leave them."""
    for directory, _, _ in os.walk('/sys/fs/cgroup/init', topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass


def version(argv, env=None):
    try:
        out = subprocess.run([*argv, '--version'], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return 'cannot be run'
    return (out.stdout or out.stderr).strip().split('\n')[0]


class OciRuntime:
    """One OCI runtime with a root of its own for its state."""

    def __init__(self, name, program, place, env=None):
        self.name, self.program, self.place = name, program, place
        self.env = env or dict(os.environ)
        self.state = f'{place.run}/{name}'
        self.version = version([program], self.env)

    def __call__(self, *args, **kwargs):
        return measure.run([self.program, '--root', self.state, *args], env=self.env, **kwargs)


def oci_runtimes(place, cache, may_make, say):
    found = [OciRuntime('warren-oci', place.warren_oci, place)]
    program = new_crun(cache, may_make, say)
    if program:
        found.append(OciRuntime(NEW_CRUN, program, place, new_crun_environment(cache, os.environ)))
    for name in ('crun', 'runc'):
        program = shutil.which(name)
        if program:
            found.append(OciRuntime(name, program, place))
    for runtime in found:
        os.makedirs(runtime.state, exist_ok=True)
    return found


def oci_launch(place, runtime):
    name = f'launch-{runtime.name}'
    bundle = bundles.make_bundle(
        place, name, lambda _: bundles.launch_config(place, f'/bench/{name}', ['/bin/true']))
    return measure.Case(runtime.name, lambda n: runtime('run', '--bundle', bundle, f'{name}-{n}'),
                        note=f'{runtime.version}; read-only bind for a root')


def lxc_launch(place):
    config = place.path('lxc', 'config')
    caps = ' '.join(name.removeprefix('CAP_').lower() for name in bundles.CAPABILITIES)
    write(config, f'''lxc.rootfs.path = dir:{place.rootfs}
lxc.rootfs.options = ro
lxc.uts.name = bench
lxc.idmap = u 0 {bundles.FIRST_ID} 65536
lxc.idmap = g 0 {bundles.FIRST_ID} 65536
lxc.net.0.type = empty
lxc.mount.auto = proc:mixed sys:ro
lxc.mount.entry = tmpfs dev/shm tmpfs nosuid,nodev,noexec,mode=1777,size=64m,create=dir 0 0
lxc.mount.entry = mqueue dev/mqueue mqueue nosuid,nodev,noexec,create=dir 0 0
lxc.autodev = 1
lxc.pty.max = 256
lxc.cap.keep = {caps}
lxc.seccomp.profile = {place.path('filter.lxc')}
lxc.log.level = ERROR
''')
    # lxc-execute's own small init, which runs the command.
    for init in ('/usr/sbin/init.lxc.static', '/sbin/init.lxc.static'):
        if os.path.exists(init):
            shutil.copy(init, os.path.join(place.rootfs, 'usr/sbin/init.lxc.static'))
            shutil.copy(init, os.path.join(place.rootfs, 'usr/sbin/init.lxc'))
            break
    argv = ['lxc-execute', '-P', place.path('lxc'), '-f', config]
    return measure.Case('lxc', lambda n: measure.run([*argv, '-n', f'bench{n}', '--', '/bin/true']),
                        note=f"lxc {version(['lxc-execute'])}; allow-list of names only; keeps a monitor process and its own init")


def nspawn_launch(place):
    argv = ['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--directory', place.rootfs, '--read-only',
            f'--private-users={bundles.FIRST_ID}:65536', '--private-network', '--link-journal=no', '--resolv-conf=off',
            '--timezone=off', '--kill-signal=SIGKILL']
    return measure.Case('nspawn', lambda n: measure.run([*argv, f'--machine=bench{n}', '/bin/true']),
                        note=f"{version(['systemd-nspawn'])}; a filter of its own")


def bwrap_launch(place):
    argv = ['bwrap', '--unshare-all', '--unshare-user', '--uid', '0', '--gid', '0', '--ro-bind', place.rootfs, '/', '--proc',
            '/proc', '--dev', '/dev', '--ro-bind', '/sys', '/sys', '--tmpfs', '/dev/shm', '--mqueue', '/dev/mqueue', '--hostname',
            'bench', '--cap-drop', 'ALL']
    for capability in bundles.CAPABILITIES:
        argv += ['--cap-add', capability]
    filter_file = place.path('filter.bpf')

    def work(_):
        with open(filter_file, 'rb') as file:
            os.set_inheritable(file.fileno(), True)
            done = subprocess.run([*argv, '--seccomp', str(file.fileno()), '/bin/true'], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[file.fileno()])
        if done.returncode:
            raise measure.Failed(f'bwrap: exit {done.returncode}: {done.stderr.decode()[:500]}')

    return measure.Case('bwrap', work, note=f"{version(['bwrap'])}; warren's compiled filter; no cgroup, one id mapped, the host's sysfs")


OTHERS = {'lxc-execute': lxc_launch, 'systemd-nspawn': nspawn_launch, 'bwrap': bwrap_launch}


def other_launches(place):
    found = []
    for program, make in OTHERS.items():
        if shutil.which(program):
            found.append(make(place))
        else:
            case = measure.Case(program, None)
            case.problem = 'not installed'
            found.append(case)
    return found
