#!/usr/bin/env python3
"""Measures svbox's chpst beside its peers, in turns, and prints a table of medians: bench_chpst.py [-n TURNS] BIN

BIN is the directory with svbox's programs. What is run is a static program that does nothing; a static program that
does nothing but run it says what the machine gives. All figures come from one run: their ratios count. System calls
are those from the execve of the tool to that of the program, both included.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench")
LAUNCHES = 300


def compile_static(name, directory):
    path = os.path.join(directory, name)
    # With musl's headers if there are any: the start of a program with glibc costs more than what is measured.
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
    subprocess.run([compiler, "-Os", "-s", "-static", "-o", path, os.path.join(HERE, name + ".c")], check=True)
    return path


def commands(bin_dir, env, nothing):
    """The rows: what is asked for, and how each peer is told."""
    ours, runit = os.path.join(bin_dir, "chpst"), "/usr/bin/chpst"
    many = ["-u", "nobody", "-e", env, "-n", "5", "-o", "100"]
    return {
        "no option": {
            "svbox": [ours], "runit": [runit], "a bare execve": [nothing],
        },
        "-u": {
            "svbox": [ours, "-u", "nobody"], "runit": [runit, "-u", "nobody"],
            "s6": ["/usr/bin/s6-setuidgid", "nobody"],
            "daemontools": ["/usr/bin/setuidgid", "nobody"],
            "setpriv": ["/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"],
        },
        "-e, ten files": {
            "svbox": [ours, "-e", env], "runit": [runit, "-e", env],
            "s6": ["/usr/bin/s6-envdir", env], "daemontools": ["/usr/bin/envdir", env],
        },
        "-u -e -n -o": {
            "svbox": [ours, *many], "runit": [runit, *many],
            "s6": ["/usr/bin/s6-envdir", env, "/usr/bin/nice", "-n", "5", "/usr/bin/s6-softlimit", "-o", "100",
                   "/usr/bin/s6-setuidgid", "nobody"],
            "daemontools": ["/usr/bin/envdir", env, "/usr/bin/nice", "-n", "5", "/usr/bin/softlimit", "-o", "100",
                            "/usr/bin/setuidgid", "nobody"],
        },
    }


def calls(command, directory):
    trace = os.path.join(directory, "trace")
    subprocess.run(["strace", "-qq", "-e", "signal=none", "-o", trace, *command], check=True)
    with open(trace, encoding="utf-8", errors="replace") as lines:
        names = [line.split("(")[0] for line in lines]
    return len(names) - names[::-1].index("execve")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=7, help="turns of which the median is taken")
    parser.add_argument("bin")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svbox-bench.") as directory:
        # Whoever chpst becomes has to get at the program.
        os.chmod(directory, 0o755)
        launch, nothing = (compile_static(name, directory) for name in ("launch", "nothing"))
        env = os.path.join(directory, "env")
        os.mkdir(env)
        for number in range(10):
            with open(os.path.join(env, f"VARIABLE{number}"), "w", encoding="ascii") as file:
                file.write("a value\n")
        rows = commands(args.bin, env, nothing)
        times = {}
        for _ in range(args.n):
            for row, peers in rows.items():
                for peer, command in peers.items():
                    if os.access(command[0], os.X_OK):
                        result = subprocess.run([launch, str(LAUNCHES), *command, nothing], check=True, capture_output=True)
                        times.setdefault((row, peer), []).append(int(result.stdout) / 1000)
        print("| running a program, µs (system calls) | svbox | runit | s6 | daemontools | other |")
        print("|---|---|---|---|---|---|")
        for row, peers in rows.items():
            cells = {}
            for peer, command in peers.items():
                if (row, peer) in times:
                    name = peer if peer in ("svbox", "runit", "s6", "daemontools") else "other"
                    label = "" if name == peer else peer + " "
                    median = statistics.median(times[row, peer])
                    cells[name] = f"{label}{median:.0f} ({calls([*command, nothing], directory)})"
            columns = ("svbox", "runit", "s6", "daemontools", "other")
            print(f"| {row} | " + " | ".join(cells.get(column, "-") for column in columns) + " |", flush=True)


if __name__ == "__main__":
    main()
