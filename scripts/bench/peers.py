"""The supervision suites that are measured beside each other, each behind the same few calls."""

import os
import shutil
import signal
import subprocess


class Runit:
    """runit's programs, ours among them: a directory that holds runsvdir, runsv and sv."""

    def __init__(self, name, bin_dir):
        self.name, self.bin = name, bin_dir
        self.env = {"PATH": f"{bin_dir}:/usr/bin:/bin"}

    def program(self, name):
        return os.path.join(self.bin, name)

    def scan(self, scan):
        return [self.program("runsvdir"), scan]

    def stop_scan(self, process, scan):
        process.send_signal(signal.SIGHUP)

    def rescan(self, scan):
        """runit is told of new services by nobody."""

    def one(self, service):
        return [self.program("runsv"), service]

    def stop_one(self, process, service):
        process.send_signal(signal.SIGTERM)

    def up(self, service):
        return [self.program("sv"), "-w", "7", "up", service]

    def down(self, service):
        return [self.program("sv"), "-w", "7", "down", service]

    def restart(self, service):
        return [self.program("sv"), "-w", "7", "restart", service]

    def status(self, services):
        return [[self.program("sv"), "status", *services]]

    supervisor = "runsv"


class S6(Runit):
    def __init__(self):
        self.name, self.bin, self.env = "s6", "/usr/bin", {"PATH": "/usr/bin:/bin"}

    def scan(self, scan):
        return [self.program("s6-svscan"), "-c", "10000", scan]

    def stop_scan(self, process, scan):
        subprocess.run([self.program("s6-svscanctl"), "-t", scan], check=False)

    def rescan(self, scan):
        subprocess.run([self.program("s6-svscanctl"), "-a", scan], check=True)

    def one(self, service):
        return [self.program("s6-supervise"), service]

    def up(self, service):
        return [self.program("s6-svc"), "-wu", "-u", service]

    def down(self, service):
        return [self.program("s6-svc"), "-wd", "-d", service]

    def restart(self, service):
        return [self.program("s6-svc"), "-wr", "-r", service]

    def status(self, services):
        return [[self.program("s6-svstat"), service] for service in services]

    supervisor = "s6-supervise"


class Daemontools(Runit):
    def __init__(self):
        self.name, self.bin, self.env = "daemontools", "/usr/bin", {"PATH": "/usr/bin:/bin"}

    def scan(self, scan):
        # It scans its current directory.
        return ["sh", "-c", 'cd "$1" && exec svscan', "sh", scan]

    def stop_scan(self, process, scan):
        process.kill()
        for name in os.listdir(scan):
            subprocess.run(["svc", "-dx", os.path.join(scan, name)], check=False, stderr=subprocess.DEVNULL)

    def one(self, service):
        return ["supervise", service]

    def stop_one(self, process, service):
        subprocess.run(["svc", "-dx", service], check=True)

    def up(self, service):
        return None

    down = restart = up

    def status(self, services):
        return [["svstat", *services]]

    supervisor = "supervise"


def found(ours):
    """Ours first, then those that are installed. RUNIT_STATIC can name a directory with a static build of runit."""
    peers = [Runit("svbox", os.path.abspath(ours))]
    static = os.environ.get("RUNIT_STATIC")
    if static:
        peers.append(Runit("runit static", static))
    if shutil.which("runsvdir"):
        peers.append(Runit("runit", os.path.dirname(shutil.which("runsvdir"))))
    if shutil.which("s6-svscan"):
        peers.append(S6())
    if shutil.which("svscan"):
        peers.append(Daemontools())
    return peers
