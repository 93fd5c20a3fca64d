#!/usr/bin/env python3
"""Measures svbox as process 1 beside its peers, and prints tables: bench_init.py [-n TURNS] BIN

BIN is the directory with svbox's programs. Machines are QEMU's, in turns, with the same kernel, stages and services;
their time is counted in instructions (two nanoseconds each), so that it does not depend on the load of this machine.
Debian's runit is linked dynamically. Containers are PID namespaces of this machine, in real time.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GUEST = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "guest")
SERVICES = 100
# Who supervises, and how.
PEERS = {"svbox": "-P", "svbox --in-process": "--in-process -P", "runit": "-P"}
STAGES = {
    "1": "#!/bin/sh\nexit 0\n",
    "2": "#!/bin/sh\nexec runsvdir {options} /service\n",
    "3": "#!/bin/sh\nsv force-stop /service/* >/dev/null\nsv exit /service/* >/dev/null\n",
}


def compile_static(name, directory):
    path = os.path.join(directory, name)
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
    source = os.path.join(HERE, "bench", name + ".c")
    subprocess.run([compiler, "-Os", "-s", "-static", "-o", path, source], check=True)
    return path


def write(path, text, mode=0o755):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)


def copy(source, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(source, path)


def libraries(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def root_of(peer, bin_dir, guest, directory):
    """The files of a machine whose process 1 and supervisors are the peer's."""
    root = os.path.join(directory, peer)
    copy(os.path.join(GUEST, "busybox"), os.path.join(root, "bin/busybox"))
    os.symlink("busybox", os.path.join(root, "bin/sh"))
    names = {"sbin/init": "runit", "sbin/runit-init": "runit-init", "bin/runsvdir": "runsvdir", "bin/runsv": "runsv",
             "bin/sv": "sv"}
    if peer != "runit":
        copy(os.path.join(bin_dir, "svbox"), os.path.join(root, "bin/svbox"))
        for path, name in names.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            os.symlink("/bin/svbox", os.path.join(root, path))
    else:
        for path, name in names.items():
            program = next(at for at in (f"/sbin/{name}", f"/usr/bin/{name}", f"/lib/runit/{name}")
                           if os.path.exists(at))
            copy(program, os.path.join(root, path))
            for library in libraries(program):
                copy(library, root + library)
    for name, text in STAGES.items():
        write(os.path.join(root, "etc/runit", name), text.replace("{options}", PEERS[peer]))
    copy(guest, os.path.join(root, "first"))
    write(os.path.join(root, "services"), f"{SERVICES}\n", 0o644)
    for number in range(SERVICES):
        os.makedirs(os.path.join(root, f"service/s{number}"))
        os.symlink("/first", os.path.join(root, f"service/s{number}/run"))
    for name in ("proc", "dev", "run", "sys", "tmp"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    image = os.path.join(directory, peer + ".image")
    pack = f"cd '{root}' && find . | '{os.path.abspath(GUEST)}/busybox' cpio -o -H newc 2>/dev/null | gzip -1 >'{image}'"
    subprocess.run(pack, shell=True, check=True)
    return image


def boot(image, memory=256, counted=True, limit=300):
    """What the console of a machine shows, by lines."""
    command = ["qemu-system-x86_64", "-m", str(memory), "-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio",
               "-kernel", os.path.join(GUEST, "vmlinuz"), "-initrd", image,
               "-append", "console=ttyS0 quiet panic=-1 printk.time=1 rdinit=/first"]
    if counted:
        command += ["-icount", "shift=1,sleep=off"]
    try:
        shown = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False).stdout
    except subprocess.TimeoutExpired as late:
        shown = late.stdout or b""
    return shown.decode(errors="replace").replace("\r", "")


def moment(console, text):
    found = re.search(r"\[ *(\d+\.\d+)\] " + re.escape(text), console)
    if not found:
        raise RuntimeError(f"no {text!r}:\n{console}")
    return float(found.group(1)) * 1000


def machines(args, directory):
    guest = compile_static("guest", directory)
    images = {peer: root_of(peer, args.bin, guest, directory) for peer in PEERS}
    rows = {"init's start to 100 services up, ms": {}, "request to power-off, ms": {}, "private memory of process 1, KiB": {}}
    up, off, memory = rows.values()
    for _ in range(args.n):
        for peer, image in images.items():
            console = boot(image)
            up.setdefault(peer, []).append(moment(console, "bench: up") - moment(console, "bench: begin"))
            off.setdefault(peer, []).append(moment(console, "reboot: Power down") - moment(console, "bench: request"))
            memory.setdefault(peer, []).append(float(re.search(r"Private_Dirty: *(\d+)", console).group(1)))
    least = {peer: [smallest(image)] for peer, image in images.items()}
    print(f"| machine, {SERVICES} services | " + " | ".join(images) + " |\n|---|" + "---|" * len(images))
    for row, figures in {**rows, "smallest memory that boots, MiB": least}.items():
        print(f"| {row} | " + " | ".join(f"{statistics.median(figures[peer]):.0f}" for peer in images) + " |", flush=True)


def smallest(image):
    """The least memory of a machine in which all services come up, in MiB."""
    works, fails = 256, 16
    while works - fails > 1:
        middle = (works + fails) // 2
        console = boot(image, middle, counted=False, limit=30)
        works, fails = (middle, fails) if "bench: up" in console else (works, middle)
    return works


def containers(args, directory):
    launch, nothing = compile_static("launch", directory), compile_static("nothing", directory)
    ours = os.path.join(args.bin, "pid1")
    peers = {"svbox": [ours, "--", nothing], "tini": ["/usr/bin/tini", "-s", "--", nothing], "a bare execve": [nothing, nothing]}
    # Services in /etc/service of this machine are not to be started.
    alone = {**os.environ, "SVDIR": os.path.join(directory, "none")}
    times = {}
    for _ in range(args.n):
        for peer, command in peers.items():
            if os.access(command[0], os.X_OK):
                result = subprocess.run([launch, "300", *command], check=True, env=alone, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                times.setdefault(peer, []).append(int(result.stdout) / 1000)
    print("\n| container | " + " | ".join(times) + " |\n|---|" + "---|" * len(times))
    print("| a command's life, µs | " + " | ".join(f"{statistics.median(each):.0f}" for each in times.values()) + " |")
    stops = statistics.median(stop(ours, directory) for _ in range(args.n))
    print(f"| TERM to exit, 20 services, ms | {stops:.1f} |", flush=True)


def stop(ours, directory):
    services = tempfile.mkdtemp(dir=directory)
    for number in range(20):
        write(os.path.join(services, f"s{number}/run"), "#!/bin/sh\necho up >&3\nexec sleep 1000000\n")
    ready, told = os.pipe()
    script = f'exec 3>&{told}; exec "{ours}" -d "{services}"'
    outside = subprocess.Popen(["unshare", "-pf", "--kill-child", "sh", "-c", script], pass_fds=[told], stderr=subprocess.DEVNULL)
    seen = b""
    while seen.count(b"\n") < 20:
        seen += os.read(ready, 4096)
    children = f"/proc/{outside.pid}/task/{outside.pid}/children"
    with open(children, encoding="ascii") as file:
        first = int(file.read().split()[0])
    began = time.monotonic()
    os.kill(first, signal.SIGTERM)
    outside.wait()
    taken = (time.monotonic() - began) * 1000
    os.close(ready)
    os.close(told)
    return taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=5, help="turns of which the median is taken")
    parser.add_argument("bin")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svbox-bench.") as directory:
        machines(args, directory)
        containers(args, directory)


if __name__ == "__main__":
    main()
