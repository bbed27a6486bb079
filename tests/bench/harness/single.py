"""One guest at a time: launch, oci, exec."""
import os

from . import bundles, measure, peers
from .place import IMAGE

CASE_BASE = peers.NEW_CRUN


def launch(bench):
    """`warren run --rm` of /bin/true to its end, against launchers that do the same."""
    place = bench.place
    cases = [
        measure.Case('warren', lambda _: place.warren_run('run', '--rm', '--image', IMAGE, '--', '/bin/true'),
                     note='an overlay of its own, made and removed; device program; record on disk and in /run'),
        measure.Case('floor', lambda _: measure.run(place.floor_argv()), note='the same system calls and nothing else'),
        warren_on_tmpfs(place),
        measure.Case('floor, disk on tmpfs', lambda _: measure.run(place.floor_argv(overlay='/run/bench-scratch')),
                     note='what the file system under the overlay costs is left out'),
        measure.Case('floor-bind', lambda _: measure.run(place.floor_argv(overlay=False)), note='read-only bind for a root'),
    ]
    cases += [peers.oci_launch(place, runtime) for runtime in bench.runtimes if runtime.name != 'warren-oci']
    cases += peers.other_launches(place)
    cases.append(measure.Case('fork+exec', lambda _: measure.run(['/bin/true']), note="the host's own /bin/true: what measuring costs"))
    results = measure.with_ratios(measure.interleave(cases, bench.runs, bench.say), CASE_BASE)
    return bench.table('launch', 'One guest to completion', results, CASE_BASE,
                       [('warren', 'median_ratio', 0.50), ('warren', 'cpu_ratio', 0.45)])


def warren_on_tmpfs(place):
    """The same with warren's root directory in memory: shows how much the disk's file system has to do with it."""
    env = dict(place.env, WARREN_ROOT='/run/bench-root', WARREN_RUN=f'{place.run}/warren-tmpfs')

    def setup():
        os.makedirs('/run/bench-scratch', exist_ok=True)
        measure.run([place.warren, 'image', 'import', place.rootfs, '--as', IMAGE], env=env)

    return measure.Case('warren, disk on tmpfs', lambda _: measure.run([place.warren, 'run', '--rm', '--image', IMAGE, '--', '/bin/true'], env=env),
                        setup, lambda: measure.run([place.warren, 'image', 'rm', IMAGE], env=env),
                        'what the file system under the overlay costs is left out')


def oci_cycle(place, runtime, users):
    kind = 'users' if users else 'plain'
    name = f'oci-{kind}-{runtime.name}'
    bundle = bundles.make_bundle(
        place, name, lambda path: bundles.podman_config(place, path, f'/bench/{name}', users))

    def work(number):
        container = f'{name}-{number}'
        try:
            runtime('create', '--bundle', bundle, container)
            runtime('start', container)
            measure.reap_orphan()
            runtime('delete', container)
        except measure.Failed:
            try:
                runtime('delete', '--force', container)
            except measure.Failed:
                pass
            measure.reap_all()
            if runtime.name != 'warren-oci':
                place.remove_cgroup(f'bench/{name}')  # some leave it behind when they fail
            raise

    return measure.Case(f'{runtime.name}{" +users" if users else ""}', work, note=runtime.version)


def oci(bench):
    """create, start and delete of podman's default configuration, plain and with a user namespace."""
    cases = [oci_cycle(bench.place, runtime, users) for users in (False, True) for runtime in bench.runtimes]
    results = measure.interleave(cases, bench.runs, bench.say)
    plain = measure.with_ratios([r for r in results if not r['name'].endswith('+users')], CASE_BASE)
    users = measure.with_ratios([r for r in results if r['name'].endswith('+users')], f'{CASE_BASE} +users')
    return bench.table('oci', "create + start + delete of podman's default configuration", plain + users, CASE_BASE,
                       [('warren-oci', 'median_ratio', 0.60), ('warren-oci +users', 'median_ratio', 0.60)])


def oci_exec(place, runtime):
    name = f'exec-{runtime.name}'
    container = f'{name}-0'
    bundle = bundles.make_bundle(
        place, name, lambda _: bundles.launch_config(place, f'/bench/{name}', ['/bin/sleep', '1000000']))

    def setup():
        runtime('run', '--detach', '--bundle', bundle, container)

    def teardown():
        runtime('delete', '--force', container)
        measure.reap_all()

    return measure.Case(f'{runtime.name} exec', lambda _: runtime('exec', container, '/bin/true'), setup, teardown, runtime.version)


def exec_(bench):
    """/bin/true in a guest that runs."""
    place = bench.place
    cases = [measure.Case('warren exec', lambda _: place.warren_run('exec', 'bench-exec', '/bin/true'),
                          lambda: start_idle(place, 'bench-exec'), lambda: place.warren_run('destroy', '--force', 'bench-exec'))]
    cases += [oci_exec(place, runtime) for runtime in bench.runtimes]
    results = measure.with_ratios(measure.interleave(cases, bench.runs, bench.say), f'{CASE_BASE} exec')
    return bench.table('exec', 'exec of /bin/true in a running guest', results, f'{CASE_BASE} exec',
                       [('warren exec', 'median_ratio', 0.50), ('warren-oci exec', 'median_ratio', 0.50)])


def start_idle(place, name):
    place.warren_run('run', '--detach', '--name', name, '--image', IMAGE, '--', '/bin/sleep', '1000000')
