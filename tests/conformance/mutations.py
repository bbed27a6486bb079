"""mutations.py RUNTIME BUNDLE ROOT COUNT SEED: takes a valid bundle, changes its config.json in COUNT random ways, and has the
runtime create, start and delete each. Run in tests/support/v2box.

Whatever the config says: no crash, no sanitizer report, no hang; a refusal is exit 1 and one line on stderr, which names
the place in the JSON that was changed, or what failed, and is in the log, too, where engines look; and afterwards no mount, cgroup, process, link or file is left. The
same seed makes the same changes. Prints each violation and the change that led to it, then what came of all; exit 1 if
there was one.
"""

import collections
import copy
import glob
import json
import os
import random
import signal
import subprocess
import sys
import time

STEP_SECONDS = 30
SHOWN = 25

NUMBERS = [0, 1, -1, 7, 255, 65536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, 2**64 - 1, -(2**63), -(2**63) - 1, 0.5, 1e30, 1e400]
STRINGS = [
    "", ".", "..", "/", "//", "/..", "../../../../..", "/proc", "/proc/self/fd/3", "/dev/null", "/no/such/path", "/etc/passwd",
    "relative/path", "a" * 300, "a" * 5000, "/" + "a" * 300, "a\u0000b", "a\nb", "\x1b[31m", "\u00e4\u20ac\U0001f600", "%s%n%d", "-1", "0", "CAP_SYS_ADMIN",
    "tmpfs", "proc", "sysfs", "bind", "rbind", "ro", "idmap", "mode=9999", "size=-1", "uid=x", "SCMP_ACT_KILL", "SCMP_ACT_NOTIFY", "pid", "user", "time",
    "c", "b", "p", "rwm", "private", "rshared", "net.ipv4.ip_forward", "kernel.hostname", "unconfined", "max", "infinity", "a:b:c", ":", "1.0.2", "1.9.9", "2.0.0",
]  # fmt: skip

# What a valid bundle does not name, put in at the object on the left with a value that may be good or bad.
MEMBERS = {
    "": ["hooks", "domainname", "annotations", "vm", "windows", "solaris", "unknown"],
    "/process": ["scheduler", "ioPriority", "execCPUAffinity", "selinuxLabel", "apparmorProfile", "consoleSize", "commandLine", "oomScoreAdj"],
    "/linux": ["uidMappings", "gidMappings", "timeOffsets", "intelRdt", "personality", "mountLabel", "unknown"],
    "/linux/resources": ["memory", "cpu", "pids", "blockIO", "hugepageLimits", "network", "rdma", "unified", "unknown"],
    "/linux/resources/cpu": ["shares", "quota", "period", "burst", "realtimeRuntime", "cpus", "mems", "idle"],
    "/linux/resources/blockIO": ["weight", "leafWeight", "weightDevice", "throttleReadBpsDevice"],
    "/linux/seccomp": ["flags", "listenerPath", "listenerMetadata", "defaultErrnoRet"],
    "/hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
}
GOOD = {
    "hooks": {"prestart": [{"path": "/bin/true"}], "poststop": [{"path": "/bin/false", "timeout": 1}], "createContainer": [{"path": "/bin/false"}]},
    "scheduler": {"policy": "SCHED_BATCH", "nice": 3},
    "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
    "execCPUAffinity": {"initial": "0", "final": "0-1"},
    "consoleSize": {"height": 10, "width": 20},
    "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "timeOffsets": {"monotonic": {"secs": 5, "nanosecs": 7}},
    "intelRdt": {"closID": "guest", "l3CacheSchema": "L3:0=1"},
    "personality": {"domain": "LINUX32", "flags": []},
    "memory": {"limit": 2**26, "reservation": 2**25, "swap": 2**27},
    "pids": {"limit": 10},
    "hugepageLimits": [{"pageSize": "2MB", "limit": 2**21}],
    "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 3}]},
    "rdma": {"mlx": {"hcaHandles": 3}},
    "unified": {"memory.max": "10M"},
    "weightDevice": [{"major": 8, "minor": 0, "weight": 500}],
    "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1000}],
    "flags": ["SECCOMP_FILTER_FLAG_LOG"],
}  # fmt: skip


def places(value, pointer=""):
    """All JSON pointers of a value, with the values there."""
    yield pointer, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in items:
        yield from places(member, f"{pointer}/{key}")


def parent_of(config, pointer):
    *path, last = pointer.split("/")[1:]
    for key in path:
        config = config[int(key)] if isinstance(config, list) else config[key]
    return config, int(last) if isinstance(config, list) else last


def any_value(rng):
    return rng.choice([
        lambda: rng.choice(NUMBERS), lambda: rng.choice(STRINGS), lambda: rng.choice(STRINGS),
        lambda: None, lambda: rng.random() < 0.5, lambda: [], lambda: {},
        lambda: [rng.choice(STRINGS), rng.choice(NUMBERS)], lambda: {rng.choice(STRINGS): rng.choice(STRINGS)},
    ])()  # fmt: skip


def same_kind(rng, value):
    """A value of the same kind: what gets past the types."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return rng.choice(NUMBERS)
    if isinstance(value, str):
        place = rng.randrange(len(value) + 1)
        return rng.choice([rng.choice(STRINGS), value[:place] + rng.choice(STRINGS) + value[place:], value[:place], value.upper()])
    return any_value(rng)


def change(rng, config):
    """One change; returns its pointer and how to tell of it."""
    if rng.random() < 0.25:
        pointer, names = rng.choice(sorted(MEMBERS.items()))
        target = next((value for place, value in places(config) if place == pointer), None)
        if isinstance(target, dict):
            name = rng.choice(names)
            target[name] = GOOD[name] if name in GOOD and rng.random() < 0.5 else any_value(rng)
            return f"{pointer}/{name}", f"set to {json.dumps(target[name])[:200]}"
    pointer, value = rng.choice(list(places(config))[1:])
    holder, key = parent_of(config, pointer)
    kind = rng.choice(["remove", "replace", "same", "same", "same", "double"])
    if kind == "remove":
        del holder[key]
        return pointer, "removed"
    if kind == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(value))
        return pointer, "doubled"
    holder[key] = same_kind(rng, value) if kind == "same" else any_value(rng)
    return pointer, f"set to {json.dumps(holder[key])[:200]}"


def broken_text(rng, text):
    """The text itself damaged: cut, a byte changed, a piece repeated."""
    place = rng.randrange(len(text))
    kind = rng.choice(["cut", "byte", "repeat"])
    if kind == "cut":
        return text[:place], f"text cut at {place}"
    if kind == "byte":
        byte = bytes([rng.randrange(256)])
        return text[:place] + byte + text[place + 1 :], f"byte {place} set to {byte!r}"
    end = min(len(text), place + rng.randrange(1, 200))
    return text[:end] + text[place:], f"bytes {place} to {end} repeated"


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


class Host:
    """What a container may leave behind."""

    def __init__(self, root, directory):
        self.root = root
        self.directory = directory
        self.before = self.look()

    def look(self):
        own = os.getpid()
        mounts = {" ".join(line.split(" ")[2:]) for line in read("/proc/self/mountinfo").splitlines()}
        cgroups = {directory for directory, _, _ in os.walk("/sys/fs/cgroup")}
        pids = set()
        for procs in glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True):
            try:
                pids.update(int(pid) for pid in read(procs).split())
            except OSError:
                pass
        links = {line.split(":")[0].strip() for line in read("/proc/self/net/dev").splitlines()[2:]}
        files = {name for name in os.listdir(self.root)} if os.path.isdir(self.root) else set()
        files |= {f"bundle/{name}" for name in os.listdir(self.directory)}
        return {"mount": mounts, "cgroup": cgroups, "process": pids - {own}, "link": links, "file": files, "hostname": {os.uname().nodename}}

    def left(self):
        """What is there that was not, after giving the dying some time."""
        deadline = time.monotonic() + 5
        while True:
            now = self.look()
            found = [f"{kind} {thing}" for kind in now for thing in now[kind] - self.before[kind]]
            found += [f"gone: {kind} {thing}" for kind in ("mount", "link") for thing in self.before[kind] - now[kind]]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.02)


class Runner:
    def __init__(self, runtime, bundle, root):
        self.runtime = runtime
        self.bundle = bundle
        self.root = root
        self.log = f"{root}.log"

    def logged(self):
        """The errors in the log, which is emptied; None when it is not what engines can read."""
        try:
            entries = [json.loads(line) for line in read(self.log).splitlines()] if os.path.exists(self.log) else []
            messages = [entry["msg"] for entry in entries if entry["level"] == "error" and entry["time"]]
        except (ValueError, KeyError, TypeError):
            return None
        open(self.log, "w", encoding="utf-8").close()
        return messages

    def call(self, *arguments):
        """Exit status and stderr; None for the status when it hung."""
        # Files, not pipes: a container that lives on holds them open.
        with open(f"{self.root}.out", "w+b") as out, open(f"{self.root}.err", "w+b") as err:
            command = [self.runtime, "--root", self.root, "--log", self.log, "--log-format", "json", *arguments]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                status = process.wait(STEP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = None
            err.seek(0)
            return status, err.read().decode(errors="replace")

    def turn(self, name):
        """(outcome, the line of the step that refused, what is wrong)."""
        wrong = []
        status, text = self.call("create", "--bundle", self.bundle, name)
        outcome = "refused by create"
        if status == 0:
            status, text = self.call("start", name)
            outcome = "refused by start" if status else "ran"
        if status is None:
            wrong.append("hung")
        elif status < 0 or status > 128:
            wrong.append(f"ended by signal {signal.Signals(-status if status < 0 else status - 128).name}")
        elif status not in (0, 1):
            wrong.append(f"exit {status}")
        lines = text.splitlines()
        if status == 1 and len(lines) != 1:
            wrong.append(f"{len(lines)} lines on stderr: {text[:600]!r}")
        if status == 1 and any(ord(letter) < 32 for line in lines for letter in line):
            wrong.append(f"control characters on stderr: {text[:300]!r}")
        messages = self.logged()
        if messages is None:
            wrong.append(f"the log is no list of JSON objects: {read(self.log)[:600]!r}")
        elif status == 1 and not any(message in text for message in messages):
            wrong.append(f"not in the log: {text[:300]!r}; it holds {messages!r}")
        # Whatever became of it: afterwards it can be deleted, and is gone.
        gone, gone_text = self.call("delete", "--force", name)
        if outcome != "refused by create" and gone != 0:
            wrong.append(f"delete --force: exit {gone}: {gone_text[:300]!r}")
        return outcome, lines[0] if status == 1 and lines else "", wrong


def names_it(line, pointers):
    """Whether the line tells of one of these places: the pointer, its nearest named member, or one above it."""
    for pointer in pointers:
        words = [word for word in pointer.split("/")[1:] if not word.isdigit()]
        if any(word in line for word in words):
            return True
    return "config.json" in line


def main():
    runtime, bundle, root = (os.path.realpath(argument) for argument in sys.argv[1:4])
    count, seed = int(sys.argv[4]), int(sys.argv[5])
    print(f"{count} mutations, seed {seed}")
    path = f"{bundle}/config.json"
    valid = json.loads(read(path))
    runner, host = Runner(runtime, bundle, root), Host(root, bundle)
    outcomes, violations, unnamed = collections.Counter(), 0, []
    outcome, line, wrong = runner.turn("valid")
    if outcome != "ran" or wrong or host.left():
        sys.exit(f"the valid bundle: {outcome} {line} {wrong} {host.left()}")
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        config = copy.deepcopy(valid)
        changes = [change(rng, config) for _ in range(rng.choice([1, 1, 1, 2, 4]))]
        text = json.dumps(config).encode()
        if rng.random() < 0.05:
            text, told = broken_text(rng, text)
            changes = [("/config.json", told)]
        with open(path, "wb") as file:
            file.write(text)
        outcome, line, wrong = runner.turn(f"m{number}")
        outcomes[outcome] += 1
        left = host.left()
        if left:
            wrong += [f"left behind: {thing}" for thing in left]
            host.before = host.look()
        for report in glob.glob(f"{root}.sanitizer*"):
            wrong.append(f"sanitizer report: {read(report)[:2000]}")
            os.unlink(report)
        told = "; ".join(f"{pointer} {what}" for pointer, what in changes)
        if line and not names_it(line, [pointer for pointer, _ in changes]):
            unnamed.append(f"mutation {number}: {told}\n    {line[:300]}")
        for thing in wrong:
            violations += 1
            print(f"mutation {number}: {told}\n    {outcome}: {line[:300]}\n    WRONG: {thing}", flush=True)
        if violations >= SHOWN:
            sys.exit(f"{violations} violations in {number + 1} mutations: enough")
    for thing in unnamed[:SHOWN]:
        print(f"names another place: {thing}")
    print(f"{dict(outcomes)}; {len(unnamed)} refusals name something else than what was changed; {violations} violations")
    sys.exit(1 if violations else 0)


main()
