#!/usr/bin/env python3
"""Measures svbox beside its peers, in turns, and prints a table of medians: bench.py [-n TURNS] BIN [NAME ...]

BIN is the directory with svbox's programs; NAME limits the run to some of the measurements. Services are a small
static program that says when it has begun. All figures come from one run on one machine: their ratios count.
"""

import argparse
import ctypes
import os
import pathlib
import resource
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench"))
import peers as suites  # noqa: E402

PATIENCE = 60


class Impossible(Exception):
    """A peer has no such ability."""


class Bench:
    """A scratch directory with services for one peer."""

    def __init__(self, peer, program):
        self.peer, self.program = peer, program
        # In memory where that is possible: what is measured is not the disk.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir = tempfile.mkdtemp(prefix="svbox-bench.", dir=memory)
        self.scan_dir = os.path.join(self.dir, "scan")
        os.mkdir(self.scan_dir)
        fifo = os.path.join(self.dir, "said")
        os.mkfifo(fifo)
        self.said = os.open(fifo, os.O_RDWR)
        self.env = {**peer.env, "BENCH": fifo}
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process:
            self.peer.stop_scan(self.process, self.scan_dir)
        collect(self.env["BENCH"])
        os.close(self.said)
        shutil.rmtree(self.dir)

    def service(self, name, link=True, quits=False, down=False):
        path = os.path.join(self.dir, "services", name)
        os.makedirs(path)
        os.symlink(self.program, os.path.join(path, "run"))
        if quits:
            pathlib.Path(path, "quit").touch()
        if down:
            pathlib.Path(path, "down").touch()
        if link:
            self.link(name)
        return path

    def link(self, name):
        os.symlink(os.path.join(self.dir, "services", name), os.path.join(self.scan_dir, name))

    def services(self, count, **options):
        return [self.service(f"s{number}", **options) for number in range(count)]

    def settle(self):
        """A scan directory that changed in this second makes runit wait."""
        old = time.time() - 10
        os.utime(self.scan_dir, (old, old))

    def start(self, command=None):
        began = time.monotonic_ns()
        command = command or self.peer.scan(self.scan_dir)
        process = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return process, began

    def start_scan(self):
        self.process, began = self.start()
        return began

    def began(self, count):
        """Waits until so many services have begun; gives when, and their process numbers."""
        found = []
        end = time.monotonic() + PATIENCE
        while len(found) < count:
            ready, _, _ = select.select([self.said], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"{self.peer.name}: {len(found)} of {count} services began")
            data = os.read(self.said, 16 * 1024)
            found.extend(struct.iter_unpack("qq", data))
        return max(at for at, _ in found), [pid for _, pid in found]

    def up(self, count, **options):
        services = self.services(count, **options)
        self.settle()
        began = self.start_scan()
        at, pids = self.began(count)
        return services, pids, at - began

    def supervisors(self):
        return marked(self.env["BENCH"], self.peer.supervisor)


def marked(fifo, name=None):
    """The processes that live in the environment of one bench, by command name."""
    mark = b"BENCH=" + fifo.encode()
    pids = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if mark not in pathlib.Path("/proc", entry, "environ").read_bytes().split(b"\0"):
                continue
            if name in (None, pathlib.Path("/proc", entry, "comm").read_text().strip()):
                pids.append(int(entry))
        except OSError:
            pass
    return pids


def collect(fifo):
    """Waits for the end of everything that was started; orphans are our children."""
    patience = time.monotonic() + 3
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        left = marked(fifo)
        if not left:
            return
        if time.monotonic() > patience:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.002)


def field(pid, file, name):
    for line in pathlib.Path("/proc", str(pid), file).read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise KeyError(name)


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("nothing happened")


def start_100(bench):
    return bench.up(100)[2] / 1e6


def link_200(bench):
    bench.start_scan()
    bench.services(200, link=False)
    time.sleep(1.2)
    began = time.monotonic_ns()
    for number in range(200):
        bench.link(f"s{number}")
    bench.peer.rescan(bench.scan_dir)
    return (bench.began(200)[0] - began) / 1e6


def cpu(bench):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    bench.up(100)
    bench.peer.stop_scan(bench.process, bench.scan_dir)
    bench.process.wait()
    bench.process = None
    collect(bench.env["BENCH"])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent / 100 * 1e6


def new_link(bench):
    bench.up(1)
    bench.service("new", link=False)
    # Anywhere in the five seconds between two looks.
    time.sleep(1.1 + os.getrandom(1)[0] / 51)
    began = time.monotonic_ns()
    bench.link("new")
    bench.peer.rescan(bench.scan_dir)
    return (bench.began(1)[0] - began) / 1e6


def killed_service(bench):
    _, pids, _ = bench.up(20)
    time.sleep(1.2)
    times = []
    for pid in pids:
        began = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        times.append((bench.began(1)[0] - began) / 1e6)
    return statistics.median(times)


def killed_supervisor(bench):
    services, _, _ = bench.up(1)
    time.sleep(1.5)
    [old] = bench.supervisors()
    began = time.monotonic_ns()
    os.kill(old, signal.SIGKILL)
    until(lambda: any(pid != old for pid in bench.supervisors()))
    return (time.monotonic_ns() - began) / 1e6


def round_trips(bench):
    [service], _, _ = bench.up(1)
    if bench.peer.up(service) is None:
        raise Impossible
    times = []
    for order in [bench.peer.restart, bench.peer.down, bench.peer.up] * 3:
        time.sleep(1.1)
        began = time.monotonic_ns()
        subprocess.run(order(service), env=bench.env, stdout=subprocess.DEVNULL, check=True)
        times.append((time.monotonic_ns() - began) / 1e6)
    return statistics.median(times)


def status(count):
    def measure(bench):
        services, _, _ = bench.up(count)
        times = []
        for _ in range(15):
            began = time.monotonic_ns()
            for command in bench.peer.status(services):
                subprocess.run(command, env=bench.env, stdout=subprocess.DEVNULL, check=True)
            times.append((time.monotonic_ns() - began) / 1e6)
        return statistics.median(times)

    return measure


def wake_ups(bench):
    bench.up(100)
    time.sleep(3)
    tree = bench.supervisors() + [bench.process.pid]

    def switches():
        names = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
        return sum(field(pid, "status", name) for pid in tree for name in names)

    before = switches()
    time.sleep(20)
    return (switches() - before) * 3


def private_memory(bench):
    bench.up(50)
    time.sleep(0.5)
    return statistics.mean(field(pid, "smaps_rollup", "Pss") for pid in bench.supervisors())


def kernel_memory(bench):
    def used():
        info = dict(line.split()[:2] for line in open("/proc/meminfo", encoding="ascii"))
        return sum(int(info[name]) for name in ("Slab:", "KernelStack:", "PageTables:"))

    count = 400
    bench.services(count, down=True)
    bench.settle()
    before = used()
    bench.start_scan()
    until(lambda: len(bench.supervisors()) == count)
    time.sleep(1)
    return (used() - before) / count


def flapping(bench):
    services = bench.services(50, quits=True)
    bench.settle()
    bench.start_scan()
    bench.began(50)
    # A child that is about to become a service looks like its supervisor for a moment.
    tree = set(bench.supervisors())
    bench.began(50)
    tree &= set(bench.supervisors())

    def spent():
        return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in tree)

    bench.began(50)
    before = spent()
    bench.began(len(services) * 4)
    return (spent() - before) / (len(services) * 4) / 1e3


def start_many(count):
    def measure(bench):
        return bench.up(count)[2] / 1e6

    return measure


def young_stop(bench):
    service = bench.service("young", link=False)
    process, _ = bench.start(bench.peer.one(service))
    bench.began(1)
    began = time.monotonic_ns()
    if isinstance(bench.peer, suites.S6):
        subprocess.run([bench.peer.program("s6-svc"), "-xd", service], check=True)
    else:
        bench.peer.stop_one(process, service)
    process.wait()
    return (time.monotonic_ns() - began) / 1e6


# Name, what it is, unit, how, turns.
MEASUREMENTS = [
    ("start", "start of 100 services until all run", "ms", start_100, 7),
    ("burst", "200 services linked at once until all run", "ms", link_200, 3),
    ("cpu", "processor time of start and stop, per service", "µs", cpu, 5),
    ("link", "a new link until its service runs", "ms", new_link, 5),
    ("killed", "a killed service until it is back", "ms", killed_service, 3),
    ("orphan", "a killed supervisor until there is another", "ms", killed_supervisor, 3),
    ("trip", "restart, down, up: until done and told", "ms", round_trips, 1),
    ("status1", "status of 1 service", "ms", status(1), 3),
    ("status100", "status of 100 services", "ms", status(100), 3),
    ("wakeups", "wake-ups a minute, 100 idle services", "", wake_ups, 1),
    ("memory", "memory of a supervisor (PSS)", "KiB", private_memory, 3),
    ("kernel", "kernel memory for a supervisor", "KiB", kernel_memory, 3),
    ("flap", "a service that ends at once: supervisor's time per start", "µs", flapping, 1),
    ("thousand", "start of 1,000 services until all run", "ms", start_many(1000), 3),
    ("young", "stop of a service that is under a second old", "ms", young_stop, 5),
    ("most", "start of 5,000 services until all run", "ms", start_many(5000), 1),
]


def measure(how, turns, peers, program):
    """The median of each peer, in turns."""
    results = {peer.name: [] for peer in peers}
    for _ in range(turns):
        for peer in peers:
            if how is MEASUREMENTS[-1][3] and peer is not peers[0]:
                continue
            try:
                with Bench(peer, program) as bench:
                    results[peer.name].append(how(bench))
            except (Impossible, TimeoutError, subprocess.CalledProcessError) as trouble:
                print(f"{peer.name}: {type(trouble).__name__} {trouble}", file=sys.stderr)
    return {name: statistics.median(values) if values else None for name, values in results.items()}


def shown(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def build(directory):
    """The service, static; with musl's headers if there are any, as its start is the shortest."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench", "program.c")
    program = os.path.join(directory, "sleeper")
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
    subprocess.run([compiler, "-static", "-Os", "-s", "-o", program, source], check=True)
    return program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, help="so many turns of each measurement")
    parser.add_argument("bin")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    # Orphans of a suite that has ended are ours to wait for.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    peers = suites.found(options.bin)
    print("| what | " + " | ".join(peer.name for peer in peers) + " |")
    print("|---|" + "---|" * len(peers))
    with tempfile.TemporaryDirectory(prefix="svbox-bench.") as directory:
        program = build(directory)
        for name, what, unit, how, turns in MEASUREMENTS:
            if options.names and name not in options.names:
                continue
            result = measure(how, options.n or turns, peers, program)
            cells = " | ".join(shown(result[peer.name]) for peer in peers)
            print(f"| {what}{', ' if unit else ''}{unit} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
