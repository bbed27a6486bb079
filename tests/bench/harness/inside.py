"""What a guest gets of the machine: inside."""
import os

from . import measure
from .place import IMAGE

# What is measured, whether more is better, and the file it needs.
KINDS = {
    'cpu': ('ns a step', False, None),
    'syscall': ('ns', False, None),
    'fault': ('ns a page', False, None),
    'write': ('MB a CPU second', True, 'file'),
    'read': ('MB a CPU second', True, 'file'),
    'loopback': ('MB a CPU second', True, None),
}


def probe_host(place, kind, file):
    return float(measure.run([os.path.join(place.rootfs, 'bin/bench_probe'), kind, *([file] if file else [])], keep_output=True))


def probe_guest(place, guest, kind, file):
    return float(place.warren_run('exec', guest, '/bin/bench_probe', kind, *([file] if file else []), keep_output=True))


def inside(bench):
    """CPU, system calls, page faults, files and loopback in a guest, against the host; what the filter costs a call."""
    place, rows = bench.place, {}
    volume = place.path('volume')
    os.makedirs(volume, exist_ok=True)
    os.chmod(volume, 0o777)
    guests = {'guest': [], 'guest, no filter': ['--seccomp', 'unconfined']}
    for name, options in guests.items():
        place.warren_run('run', '--detach', '--name', name.replace(', ', '-').replace(' ', '-'), '--image', IMAGE, *options, '--mount',
                         f'{volume}:/mnt', '--', '/bin/bench_probe', 'idle')
    rounds = max(3, bench.runs // 3)
    for number in range(rounds):
        bench.say(f'inside: round {number + 1} of {rounds}')
        for kind, (_, _, needs_file) in KINDS.items():
            host_file = os.path.join(volume, 'host') if needs_file else None
            rows.setdefault((kind, 'host'), []).append(probe_host(place, kind, host_file))
            rows.setdefault((kind, 'guest'), []).append(probe_guest(place, 'guest', kind, '/mnt/guest' if needs_file else None))
            if needs_file:
                rows.setdefault((kind, 'guest, overlay'), []).append(probe_guest(place, 'guest', kind, '/file'))
            if kind == 'syscall':
                rows.setdefault((kind, 'guest, no filter'), []).append(probe_guest(place, 'guest-no-filter', kind, None))
    place.warren_run('destroy', '--force', '--all')
    measure.reap_all()
    return bench.inside(rows, KINDS)
