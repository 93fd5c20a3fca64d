//! A child of the program before, dead before the one that follows can hear of it: it is collected all the same.

use crate::kit::*;
use std::fs;

/// Leaves one. No shell does: it would collect it itself.
const LEAVE: &str = "import os, sys
dead = os.fork() or os._exit(0)
os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
open('dead', 'w').write(f'{dead}\\n')
os.execvp(sys.argv[1], sys.argv[1:])";

/// Starts a program in the place of one that leaves one; waits until it has a child, and no other.
#[track_caller]
fn collects(sandbox: &Sandbox, program: &[&str]) {
    let mut python = sandbox.command("python3");
    // Without this, pid1 would find the services of this machine.
    python.args(["-c", LEAVE]).args(program).env("SVDIR", sandbox.join("none"));
    let supervisor = sandbox.start(python);
    let pid = supervisor.pid();
    let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let dead = until_some("a dead child", || {
        fs::read_to_string(sandbox.join("dead")).ok().filter(|text| text.ends_with('\n'))
    });
    until("a child, and no other", || {
        let children = children();
        let mut children = children.split_whitespace();
        children.next().is_some_and(|child| child != dead.trim()) && children.next().is_none()
    });
}

#[test]
fn by_runsv() {
    if only_svbox("inherited dead") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    collects(&sandbox, &["runsv", &service.name]);
}

#[test]
fn by_runsvdir() {
    if only_svbox("inherited dead") {
        return;
    }
    for options in [&[][..], &["--in-process"]] {
        let sandbox = Sandbox::new();
        sandbox.scan().link(&sandbox.service("one").run_forever());
        collects(&sandbox, &[&["runsvdir"], options, &["scan"]].concat());
    }
}

#[test]
fn by_pid1() {
    if only_svbox("containers") {
        return;
    }
    collects(&Sandbox::new(), &["pid1", "sleep", "1000000"]);
}
