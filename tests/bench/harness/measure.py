"""Running commands in turns, and what it took: wall clock and CPU time of the command and all that it reaped."""
import ctypes
import os
import resource
import select
import statistics
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """A command of a case failed: the case cannot be measured."""


def adopt_orphans():
    """Containers that a runtime leaves running become ours, so that their CPU time is counted and they are reaped."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(argv, env=None, timeout=60, keep_output=False):
    """No pipe goes to the command: what a runtime leaves running would keep it open. Its errors go to a file in memory."""
    with open(os.devnull, 'r+b') as null, os.fdopen(os.memfd_create('errors'), 'w+b') as errors:
        process = subprocess.Popen(argv, stdin=null, stdout=subprocess.PIPE if keep_output else null, stderr=errors, env=env)
        try:
            if not keep_output and not ended(process.pid, timeout):
                raise subprocess.TimeoutExpired(argv, timeout)
            output = process.communicate(timeout=timeout if keep_output else None)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f'{argv[0]}: not done in {timeout} s') from None
        if process.returncode != 0:
            errors.seek(0)
            text = errors.read(2000).decode(errors='replace').strip().replace('\n', ' | ')
            raise Failed(f'{os.path.basename(argv[0])} {argv[1] if len(argv) > 1 else ""}: exit {process.returncode}: {text}')
        return output.decode() if keep_output else ''


def ended(pid, timeout):
    """A wait of subprocess with a timeout looks again after 0.5 ms, 1 ms, 2 ms, ...: it would be what is measured."""
    fd = os.pidfd_open(pid)
    try:
        return bool(select.select([fd], [], [], timeout)[0])
    finally:
        os.close(fd)


def reap_orphan(timeout=10):
    """Waits until one adopted process has ended."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] != 0:
                return
        except ChildProcessError:
            return
        time.sleep(0.0002)
    raise Failed('a container did not end')


def reap_all():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Case:
    """One way to do the work. `work` does it once, given the number of the round; `setup` and `teardown` stand around
    all rounds and are not timed."""

    def __init__(self, name, work, setup=None, teardown=None, note=''):
        self.name, self.work, self.setup, self.teardown, self.note = name, work, setup, teardown, note
        self.wall, self.cpu, self.problem = [], [], None

    def result(self):
        if self.problem or not self.wall:
            return {'name': self.name, 'problem': self.problem or 'not run', 'note': self.note}
        return {
            'name': self.name,
            'note': self.note,
            'runs': len(self.wall),
            'median_ms': statistics.median(self.wall),
            'min_ms': min(self.wall),
            'cpu_ms': statistics.median(self.cpu),
            'cpu_min_ms': min(self.cpu),
            'wall_ms': self.wall,
        }


def time_once(case, number):
    cpu = cpu_seconds()
    start = time.perf_counter()
    try:
        case.work(number)
    except Failed as error:
        case.problem = str(error)
        return None
    wall = time.perf_counter() - start
    return wall * 1000, (cpu_seconds() - cpu) * 1000


def interleave(cases, runs, say):
    """Round by round, each case once, the order turned by one each round: what disturbs the machine disturbs all.
    Two rounds come first that fill caches and are not counted."""
    for case in cases:
        try:
            if case.setup:
                case.setup()
        except Failed as error:
            case.problem = str(error)
    for number in range(runs + 2):
        for place in range(len(cases)):
            case = cases[(place + number) % len(cases)]
            if case.problem:
                continue
            took = time_once(case, number)
            if took and number >= 2:
                case.wall.append(took[0])
                case.cpu.append(took[1])
        reap_all()
        say(f'round {number + 1} of {runs + 2}')
    for case in cases:
        try:
            if case.teardown:
                case.teardown()
        except Failed as error:
            case.problem = case.problem or str(error)
    return [case.result() for case in cases]


def with_ratios(results, base):
    """Adds the ratios to the result called `base`."""
    reference = next((r for r in results if r['name'] == base and 'median_ms' in r), None)
    for result in results:
        if reference and 'median_ms' in result:
            for key in ('median', 'min', 'cpu'):
                below = reference[f'{key}_ms']
                result[f'{key}_ratio'] = result[f'{key}_ms'] / below if below else None
    return results
