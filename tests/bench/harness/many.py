"""Many guests: batch, idle, many, curve, memory."""
import json
import os
import statistics
import subprocess
import time

from . import measure
from .place import IMAGE

IDLE = ('/bin/bench_probe', 'idle')


def names(prefix, count, first=0):
    return [f'{prefix}{number}' for number in range(first, first + count)]


def create(bench, guests, program):
    """Two at a time; creating is made once in a guest's life and not what is measured."""
    place = bench.place
    argv = [place.warren, '--quiet', 'create', '{}', '--image', IMAGE, '--', *program]
    bench.say(f'creating {len(guests)} guests')
    done = subprocess.run(['xargs', '-P', str(os.cpu_count() or 1), '-I', '{}', *argv], input='\n'.join(guests), text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=place.env)
    if done.returncode != 0:
        raise measure.Failed(f'create: {done.stderr[:500]}')


def timed(function, *args, **kwargs):
    start = time.perf_counter()
    function(*args, **kwargs)
    return time.perf_counter() - start


class HeldFloor:
    """Idle guests of the yardstick, up until end()."""

    def __init__(self, bench, count):
        argv = bench.place.floor_argv('--count', str(count), '--workers', str(os.cpu_count() or 1), '--hold', '--json', program=IDLE)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'up\n':
            self.process.stdin.close()
            self.process.wait()
            raise measure.Failed('bench_floor: its guests did not come up')

    def end(self):
        self.process.stdin.close()
        result = json.loads(self.process.stdout.readline())
        self.process.stdout.close()
        if self.process.wait() != 0:
            raise measure.Failed('bench_floor failed')
        return result


def floor_to_completion(bench, count, workers):
    out = measure.run(bench.place.floor_argv('--count', str(count), '--workers', str(workers), '--json'), keep_output=True, timeout=600)
    return json.loads(out)


def batch(bench):
    """Guests of /bin/true, started by one command and destroyed by one, each, against the yardstick's."""
    count, rows = bench.guests or 500, {}
    workers = os.cpu_count() or 1
    for number in range(bench.repeats):
        bench.say(f'batch {number + 1} of {bench.repeats}')
        for some in sorted({1, workers}):
            took = floor_to_completion(bench, count, some)
            rows.setdefault(f'floor, {some} workers' if some > 1 else 'floor, 1 worker', []).append(took['up_ms'] / count)
        guests = names('batch', count)
        create(bench, guests, ['/bin/true'])
        up = timed(bench.place.warren_run, '--quiet', 'start', '--all', timeout=900)
        measure.reap_all()
        down = timed(bench.place.warren_run, '--quiet', 'destroy', '--force', '--all', timeout=900)
        rows.setdefault('warren start --all', []).append(up * 1000 / count)
        rows.setdefault('warren start + destroy', []).append((up + down) * 1000 / count)
    base = f'floor, {workers} workers' if workers > 1 else 'floor, 1 worker'
    return bench.values('batch', f'{count} guests to completion in one batch, each', rows, base, 'ms',
                        [('warren start + destroy', 'median_ratio', 1.5)])


def start_all(bench, count):
    try:
        bench.place.warren_run('--quiet', 'start', '--all', timeout=1800)
    except measure.Failed as error:
        running = bench.place.warren_run('list', '-q', '--filter', 'status=running', keep_output=True, timeout=600).split()
        raise measure.Failed(f'{len(running)} of {count} guests run: {error}') from None


def idle_rounds(bench, count, repeats):
    rows = {}
    for number in range(repeats):
        bench.say(f'idle {number + 1} of {repeats}')
        floor = HeldFloor(bench, count).end()
        rows.setdefault('floor start', []).append(floor['up_ms'] / 1000)
        rows.setdefault('floor destroy', []).append(floor['destroy_ms'] / 1000)
        create(bench, names('idle', count), IDLE)
        rows.setdefault('warren start --all', []).append(timed(start_all, bench, count))
        rows.setdefault('warren list', []).append(timed(bench.place.warren_run, 'list'))
        rows.setdefault('warren destroy --force --all', []).append(
            timed(bench.place.warren_run, '--quiet', 'destroy', '--force', '--all', timeout=1800))
        measure.reap_all()
    return rows


def idle(bench):
    """Idle guests (own network and user namespace, overlay) started by one command, and destroyed by one."""
    count = bench.guests or 1000
    rows = idle_rounds(bench, count, bench.repeats)
    return bench.values('idle', f'{count} idle guests', rows, 'floor start', 's',
                        [('warren start --all', 'median', 6.0 * count / 1000), ('warren destroy --force --all', 'median', 3.0 * count / 1000)])


def many(bench):
    """10,000 idle guests at once, or the wall that stops them."""
    count = bench.guests or 10000
    rows = idle_rounds(bench, count, 1)
    return bench.values('many', f'{count} idle guests at once', rows, 'floor start', 's', [])


CURVE = (0, 250, 500, 1000, 2000, 3000, 4000, 5000)


def latencies(bench, samples):
    """One guest's start, exec, list and stop beside those that run already; then the yardstick's launch, by steps."""
    run, rows = bench.place.warren_run, {}
    run('create', 'probe', '--image', IMAGE, '--', *IDLE)
    for _ in range(samples):
        measure.reap_all()
        whole = measure.cpu_seconds()
        for verb, args in (('start', ['start', 'probe']), ('exec', ['exec', 'probe', '/bin/true']), ('inspect one', ['inspect', 'probe']),
                           ('stop', ['stop', 'probe'])):
            cpu = measure.cpu_seconds()
            rows.setdefault(verb, []).append(timed(run, *args) * 1000)
            rows.setdefault(f'{verb}, CPU', []).append((measure.cpu_seconds() - cpu) * 1000)
        # With the guest's own process, which builds its walls: `start` alone does not count it.
        measure.reap_orphan()
        rows.setdefault('one of each, CPU with the guest', []).append((measure.cpu_seconds() - whole) * 1000)
    run('destroy', '--force', 'probe')
    for _ in range(3):
        rows.setdefault('list all', []).append(timed(run, 'list') * 1000)
    floor = floor_to_completion(bench, samples, 1)
    rows['floor launch'] = [floor['up_ms'] / samples]
    return {verb: statistics.median(values) for verb, values in rows.items()}, floor['first_us']


def curve(bench):
    """Latency of start, exec, list and stop of one guest while 0 to 5,000 others run."""
    most = bench.guests or CURVE[-1]
    levels = [level for level in CURVE if level <= most]
    series, steps, live = {}, {}, 0
    for level in levels:
        if level > live:
            guests = names('live', level - live, live)
            create(bench, guests, IDLE)
            bench.say(f'starting up to {level}')
            for at in range(0, len(guests), 500):
                bench.place.warren_run('--quiet', 'start', *guests[at:at + 500], timeout=1800)
            live = level
        bench.say(f'{level} guests run')
        medians, floor_steps = latencies(bench, bench.samples)
        steps[level] = floor_steps
        for verb, value in medians.items():
            series.setdefault(verb, []).append((level, value))
    bench.say('destroying')
    down = timed(bench.place.warren_run, '--quiet', 'destroy', '--force', '--all', timeout=1800)
    measure.reap_all()
    return bench.curve('curve', 'Latency of one guest by the number of others that run', series, steps, down)


FIELDS = ('Slab', 'KernelStack', 'PageTables', 'Percpu', 'VmallocUsed')


def kernel_kib():
    with open('/proc/meminfo') as file:
        values = {line.split(':')[0]: int(line.split()[1]) for line in file}
    return {**{field: values[field] for field in FIELDS}, 'kernel': sum(values[field] for field in FIELDS),
            'unavailable': values['MemTotal'] - values['MemAvailable']}


def own_process_kib():
    """Of the processes in the box that are not the guests' and not ours: what each has to itself."""
    total, ours = 0, set()
    pid = os.getpid()
    while pid > 1:
        ours.add(pid)
        with open(f'/proc/{pid}/stat') as file:
            pid = int(file.read().rsplit(')', 1)[1].split()[1])
    for entry in os.listdir('/proc'):
        if not entry.isdigit() or int(entry) in ours | {1}:
            continue
        try:
            with open(f'/proc/{entry}/cmdline') as file:
                if 'warren' not in file.read().split('\0')[0]:
                    continue
            with open(f'/proc/{entry}/smaps_rollup') as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith('Pss:'))
        except OSError:
            continue
    return total


def settled():
    """After the kernel has put away what it frees later."""
    time.sleep(2)
    return kernel_kib()


def per_guest(before, after, count):
    return {key: (after[key] - before[key]) / count for key in before}


def memory(bench):
    """Host memory of an idle guest: what the kernel's counters rise by, and the processes of warren's own."""
    count, rows, details = bench.guests or 500, {}, []
    for number in range(bench.repeats):
        bench.say(f'memory {number + 1} of {bench.repeats}')
        before = settled()
        floor = HeldFloor(bench, count)
        used = per_guest(before, settled(), count)
        floor.end()
        rows.setdefault('floor', []).append(used['kernel'])
        rows.setdefault('floor (MemAvailable)', []).append(used['unavailable'])
        create(bench, names('idle', count), IDLE)
        before = settled()
        bench.place.warren_run('--quiet', 'start', '--all', timeout=1800)
        mine = per_guest(before, settled(), count)
        own = own_process_kib() / count
        bench.place.warren_run('--quiet', 'destroy', '--force', '--all', timeout=1800)
        measure.reap_all()
        rows.setdefault('warren', []).append(mine['kernel'] + own)
        rows.setdefault('warren (MemAvailable)', []).append(mine['unavailable'])
        details.append({'floor': used, 'warren': mine, 'warren processes': own})
    return bench.values('memory', f'Host memory of one of {count} idle guests', rows, 'floor', 'KiB',
                        [('warren', 'median_ratio', 1.15)], {'details': details})
