#!/usr/bin/env python3
"""Measures svbox's svlogd beside its peers, in turns, and prints a table of medians: bench_log.py [-n TURNS] [-m MB] BIN

BIN is the directory with svbox's programs. Everything lies in memory where that is possible; a plain copy by cat(1)
says what the machine gives. All figures come from one run on one machine: their ratios count.
"""

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

PLAIN, TAI, DATE, PATTERNS = "plain", "tai", "date", "patterns"


class Logger:
    """runit's svlogd and those that take the same options."""

    def __init__(self, name, command, runsv=None):
        self.name, self.command, self.runsv = name, command, runsv

    def call(self, kind, dirs):
        options = {PLAIN: [], TAI: ["-t"], DATE: ["-ttt"], PATTERNS: []}[kind]
        for path in dirs:
            patterns = "-*\n+x*\n-y*\n+zz*\n" if kind == PATTERNS else ""
            with open(os.path.join(path, "config"), "w") as config:
                config.write(f"s1000000\nn10\n{patterns}")
        return [*self.command, *options, *dirs]


class Script:
    """Loggers whose whole configuration is on the command line."""

    def __init__(self, name, command, limits, stamps, patterns):
        self.name, self.command, self.limits = name, command, limits
        self.stamps, self.patterns = stamps, patterns

    def call(self, kind, dirs):
        if kind in (TAI, DATE) and kind not in self.stamps:
            return None
        select = self.patterns if kind == PATTERNS else []
        return [*self.command, *select, *self.stamps.get(kind, []), *self.limits, *dirs]


class Copy:
    name = "plain copy"

    def call(self, kind, dirs):
        target = os.path.join(dirs[0], "current")
        return ["sh", "-c", f"exec cat >{target}"] if kind == PLAIN and len(dirs) == 1 else None


def found(bin_dir):
    peers = [Logger("svbox", [os.path.join(bin_dir, "svlogd")], os.path.join(bin_dir, "runsv"))]
    if os.access("/usr/bin/svlogd", os.X_OK):
        peers.append(Logger("runit", ["/usr/bin/svlogd"], "/usr/bin/runsv"))
    # Not every build of it has this program.
    applets = subprocess.run(["busybox", "--list"], capture_output=True).stdout if shutil.which("busybox") else b""
    if b"svlogd" in applets.split():
        peers.append(Logger("busybox", ["busybox", "svlogd"]))
    if shutil.which("s6-log"):
        select = ["-", "+^x", "-^y", "+^zz"]
        peers.append(Script("s6-log", ["s6-log"], ["n10", "s1000000"], {TAI: ["t"], DATE: ["T"]}, select))
    if shutil.which("multilog"):
        peers.append(Script("multilog", ["multilog"], ["s1000000", "n10"], {TAI: ["t"]}, ["-*", "+x*", "-y*", "+zz*"]))
    return [*peers, Copy()]


class Place:
    """A scratch directory with input of every kind."""

    def __init__(self, size):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.dir, self.size = tempfile.mkdtemp(prefix="svbox-bench.", dir=memory), size

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def input(self, length, size=None):
        size = size or self.size
        path = os.path.join(self.dir, f"in.{length}.{size}")
        if not os.path.exists(path):
            line = b"x" * (length - 1) + b"\n"
            with open(path, "wb") as file:
                file.write(line * (size // length))
        return path

    def dirs(self, count):
        paths = [os.path.join(self.dir, f"log{number}") for number in range(count)]
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)
            os.mkdir(path)
        return paths


def spent():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def throughput(kind, length, dirs=1, pipe=False, cpu=False):
    def measure(peer, place):
        command = peer.call(kind, place.dirs(dirs))
        if command is None:
            return None
        with open(place.input(length), "rb") as source:
            before, began = spent(), time.monotonic()
            if pipe:
                feeder = subprocess.Popen(["cat"], stdin=source, stdout=subprocess.PIPE)
                subprocess.run(command, stdin=feeder.stdout, check=True)
                feeder.stdout.close()
                feeder.wait()
            else:
                subprocess.run(command, stdin=source, check=True)
            took, used = time.monotonic() - began, spent() - before
        return used / (place.size / 1e9) if cpu else place.size / 1e6 / took

    return measure


def calls(peer, place):
    """System calls for a megabyte, the start and the end left out."""
    counts = []
    for megabytes in (1, 5):
        command = peer.call(PLAIN, place.dirs(1))
        trace = os.path.join(place.dir, "trace")
        with open(place.input(100, megabytes * 1_000_000), "rb") as source:
            subprocess.run(["strace", "-o", trace, *command], stdin=source, check=True)
        with open(trace) as lines:
            counts.append(sum(1 for _ in lines))
    return (counts[1] - counts[0]) / 4


def feed(peer, place, lines, trace=None):
    """Lines that come alone: how long each takes to be seen, in microseconds."""
    directory = place.dirs(1)[0]
    command = peer.call(PLAIN, [directory])
    command = ["strace", "-o", trace, *command] if trace else command
    logger = subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0)
    current, took = os.path.join(directory, "current"), []
    while not os.path.exists(current):
        pass
    for number in range(lines):
        # So that it waits for input when the line comes.
        time.sleep(0.002)
        began = time.monotonic_ns()
        logger.stdin.write(b"a line that comes alone\n")
        while os.stat(current).st_size < 24 * (number + 1):
            pass
        took.append((time.monotonic_ns() - began) / 1e3)
    logger.stdin.close()
    logger.wait()
    return took


def lone_line(peer, place):
    return statistics.median(feed(peer, place, 300))


def lone_calls(peer, place):
    counts, trace = [], os.path.join(place.dir, "trace")
    for lines in (10, 60):
        feed(peer, place, lines, trace)
        with open(trace) as text:
            counts.append(sum(1 for _ in text))
    return (counts[1] - counts[0]) / 50


def memory(peer, place):
    """What a runsv and the logger of its service have to themselves, on average over fifty of them."""
    if not isinstance(peer, Logger) or not peer.runsv:
        return None
    pairs, loggers = [], 0
    for directory in place.dirs(50):
        os.mkdir(os.path.join(directory, "log"))
        for path, text in [("run", "echo begun\nexec sleep 1000 >&-"), ("log/run", f"exec {' '.join(peer.command)} .")]:
            with open(os.path.join(directory, path), "w") as run:
                run.write(f"#!/bin/sh\n{text}\n")
            os.chmod(os.path.join(directory, path), 0o755)
        pairs.append((subprocess.Popen([peer.runsv, directory], env={"PATH": "/usr/bin:/bin"}), directory))
    for _, directory in pairs:
        current = os.path.join(directory, "log", "current")
        while not os.path.exists(current) or os.path.getsize(current) < 6:
            time.sleep(0.001)
    total = 0
    for process, directory in pairs:
        with open(os.path.join(directory, "log/supervise/pid")) as pid:
            total += own_memory(process.pid) + own_memory(int(pid.read()))
    for process, _ in pairs:
        process.terminate()
    for process, _ in pairs:
        process.wait()
    return total / len(pairs)


def own_memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return int(re.search(r"^Pss: +(\d+)", rollup.read(), re.M).group(1))


# What it is, unit, how, turns.
MEASUREMENTS = [
    ("lines of 100 bytes", "MB/s", throughput(PLAIN, 100), 5),
    ("lines of 20 bytes", "MB/s", throughput(PLAIN, 20), 3),
    ("lines of 1000 bytes", "MB/s", throughput(PLAIN, 1000), 5),
    ("100 bytes, TAI64N labels", "MB/s", throughput(TAI, 100), 3),
    ("100 bytes, dates", "MB/s", throughput(DATE, 100), 3),
    ("100 bytes, four patterns", "MB/s", throughput(PATTERNS, 100), 3),
    ("100 bytes, two directories", "MB/s", throughput(PLAIN, 100, dirs=2), 3),
    ("100 bytes from a pipe", "MB/s", throughput(PLAIN, 100, pipe=True), 5),
    ("processor time for a GB, 100 bytes", "s", throughput(PLAIN, 100, cpu=True), 5),
    ("system calls for a MB", "", calls, 1),
    ("system calls for a lone line", "", lone_calls, 1),
    ("a lone line until it is seen", "µs", lone_line, 3),
    ("memory of runsv and logger (PSS)", "KiB", memory, 3),
]


def shown(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, help="so many turns of each measurement")
    parser.add_argument("-m", type=int, default=200, help="so many megabytes of input")
    parser.add_argument("bin")
    options = parser.parse_args()
    peers = found(os.path.abspath(options.bin))
    print("| what | " + " | ".join(peer.name for peer in peers) + " |")
    print("|---|" + "---|" * len(peers))
    with Place(options.m * 1_000_000) as place:
        for what, unit, how, turns in MEASUREMENTS:
            results = {peer: [] for peer in peers}
            for _ in range(options.n or turns):
                for peer in peers:
                    results[peer].append(how(peer, place))
            medians = [None if None in values else statistics.median(values) for values in results.values()]
            print(f"| {what}{', ' if unit else ''}{unit} | {' | '.join(map(shown, medians))} |", flush=True)


if __name__ == "__main__":
    main()
