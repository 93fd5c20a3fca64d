//! Circumstances for the programs under test: other users, refused system calls, limits, namespaces.

use super::{Running, Sandbox, bin_dir, program, until};
use rustix::process::{Pid, Signal};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Sends a signal to a process that is there.
pub fn kill(pid: i32, signal: Signal) {
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// A program under test, run by a user without any rights. The sandbox becomes writable for everybody.
pub fn unprivileged(sandbox: &Sandbox, name: &str, user: u32) -> Command {
    if !rustix::process::geteuid().is_root() {
        return sandbox.command(name);
    }
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Copies, because that user may not be able to reach the originals.
    let copies = sandbox.join("copies");
    fs::create_dir_all(&copies).unwrap();
    // The supervisors start each other.
    let supervision = ["runsvdir", "runsv", "svlogd"];
    let own = [name];
    for each in if supervision.contains(&name) { &supervision[..] } else { &own } {
        // By another process: what is open for writing here, a child of another test has open for a moment as well,
        // and then it cannot be run.
        if !copies.join(each).exists() {
            assert!(Command::new("cp").arg(program(each)).arg(copies.join(each)).status().unwrap().success());
        }
    }
    let mut command = sandbox.command("setpriv");
    let user = user.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "--"]).arg(copies.join(name));
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", copies.display()));
    command
}

/// A program under test in which system calls are tampered with, as `strace --inject` does it. The process that is
/// started becomes the program; what the program starts is left in peace.
pub fn traced(sandbox: &Sandbox, injection: &str, name: &str) -> Command {
    let (calls, _) = injection.split_once(':').unwrap();
    let mut command = sandbox.command("strace");
    command.args(["-D", "-qq", "-o"]).arg(sandbox.join("trace"));
    command.args(["-e", &format!("trace={calls}"), "-e", "signal=none"]);
    command.arg(format!("--inject={injection}")).arg(bin_dir().join(name));
    command
}

/// What makes processes, for [`refuse`].
pub const CHILDREN: &str = "clone,clone3,?fork,?vfork:error=EAGAIN";

/// Has these calls of a running process fail, as above, until the program that is given back ends.
#[track_caller]
pub fn refuse(sandbox: &Sandbox, pid: i32, injection: &str) -> Running {
    let (calls, _) = injection.split_once(':').unwrap();
    let mut strace = sandbox.command("strace");
    strace.args(["-qq", "-o", "trace", "-e", "signal=none", "-e", &format!("trace={calls}")]);
    strace.arg(format!("--inject={injection}")).args(["-p", &pid.to_string()]);
    let strace = sandbox.start(strace);
    let status = || fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    until("strace", || status().lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0")));
    // It is at work when it waits for what it traces.
    let waits = || fs::read_to_string(format!("/proc/{}/wchan", strace.pid())).unwrap_or_default();
    until("strace to wait", || waits().contains("wait"));
    strace
}

/// Sets a limit of a running process of this user, as `prlimit` writes it: `nofile=3:`.
pub fn limit(sandbox: &Sandbox, user: u32, pid: i32, limit: &str) {
    let mut command = sandbox.command("setpriv");
    // Root is not always allowed to do this to others.
    if user != 0 && rustix::process::geteuid().is_root() {
        let user = user.to_string();
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
    }
    command.args(["prlimit", "--pid", &pid.to_string(), &format!("--{limit}")]);
    assert!(command.status().unwrap().success());
}

/// `unshare` with these options, in a user namespace if that is needed, and a program under test in it.
pub fn change_namespaces(sandbox: &Sandbox, options: &[impl AsRef<OsStr>], name: &str) -> Command {
    let mut command = sandbox.command("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(options).arg(name);
    command
}
