#!/usr/bin/env python3
"""Measures how services start and stop that need each other, and prints a table of medians: bench_needs.py [-n TURNS] BIN

BIN is the directory with svbox's programs. Once with a runsv for each service, and once with all in one process.
Debian 12 has no package of s6-rc to be measured beside it.
"""

import argparse
import ctypes
import os
import pathlib
import signal
import statistics
import tempfile
import time

import bench
from bench import Bench, build, shown, until

CHAIN = 50


class One(bench.suites.Runit):
    """All services in one process."""

    def scan(self, scan):
        return [self.program("runsvdir"), "--in-process", scan]


def need(service, name):
    os.makedirs(os.path.join(service, "needs"), exist_ok=True)
    pathlib.Path(service, "needs", name).touch()


def chain(bench):
    """By their names they would start in any other order."""
    services = bench.services(CHAIN)
    for number in range(1, CHAIN):
        need(services[number], f"s{number - 1}")
    bench.settle()
    began = bench.start_scan()
    return (bench.began(CHAIN)[0] - began) / 1e6


def end_of_chain(bench):
    chain(bench)
    time.sleep(1.2)
    began = time.monotonic_ns()
    bench.process.send_signal(signal.SIGHUP)
    bench.process.wait()
    bench.process = None
    until(lambda: not bench.supervisors())
    return (time.monotonic_ns() - began) / 1e6


def dependents(count):
    """From the line that says that a service is ready until all that need it have begun."""

    def measure(bench):
        first = bench.service("first")
        pathlib.Path(first, "notification-fd").write_text("3\n", encoding="ascii")
        for number in range(count):
            need(bench.service(f"s{number}"), "first")
        bench.settle()
        bench.start_scan()
        _, [pid] = bench.began(1)
        until(lambda: len(list(pathlib.Path(first, "supervise/needed").glob("*"))) == count)
        time.sleep(0.2)
        with open(f"/proc/{pid}/fd/3", "wb", buffering=0) as pipe:
            began = time.monotonic_ns()
            pipe.write(b"\n")
        return (bench.began(count)[0] - began) / 1e6

    return measure


MEASUREMENTS = [
    (f"start of {CHAIN} services that need one another in a row until all run", chain, 7),
    ("end of these, with their supervisors", end_of_chain, 3),
    ("a service that says that it is ready until the one that needs it runs", dependents(1), 7),
    ("the same until the twenty run that need it", dependents(20), 7),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, help="so many turns of each measurement")
    parser.add_argument("bin")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    path = os.path.abspath(options.bin)
    peers = [bench.suites.Runit("svbox", path), One("`--in-process`", path)]
    print("| what, ms | " + " | ".join(peer.name for peer in peers) + " |")
    print("|---|" + "---|" * len(peers))
    with tempfile.TemporaryDirectory(prefix="svbox-bench.") as directory:
        program = build(directory)
        for what, how, turns in MEASUREMENTS:
            times = {peer.name: [] for peer in peers}
            for _ in range(options.n or turns):
                for peer in peers:
                    with Bench(peer, program) as scratch:
                        times[peer.name].append(how(scratch))
            cells = " | ".join(shown(statistics.median(times[peer.name])) for peer in peers)
            print(f"| {what} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
