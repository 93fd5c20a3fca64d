//! runsvdir, from the outside.

mod bad_input;
mod in_process;
mod in_process_end;
mod init;
mod options;
mod pacing;
mod path;
mod polling;
mod scan;
mod signals;
mod start;
mod title;

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a usage error prints.
fn usage(name: &str) -> String {
    format!("usage: {name} [-P] dir\n\n")
}

/// The supervisors that live.
fn supervisors(sandbox: &Sandbox) -> Vec<i32> {
    sandbox.named("runsv")
}

/// The supervisor of one service.
#[track_caller]
fn supervisor(sandbox: &Sandbox, name: &str) -> i32 {
    let is = |pid: &i32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == line_of(name));
    until_some(&format!("a supervisor of {name}"), || supervisors(sandbox).into_iter().find(is))
}

/// The command line of a runsv.
fn line_of(name: &str) -> Vec<u8> {
    format!("runsv\0{name}\0").into_bytes()
}

/// A value of `/proc/PID/status`.
fn status_of(pid: i32, key: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(value.trim().into())
}

/// A signal set as `/proc` shows it, without those that have no name: the C library leaves two of its own ignored when
/// it starts a program.
fn named_signals(set: &str) -> u64 {
    u64::from_str_radix(set, 16).unwrap() & 0x7fff_ffff
}

/// A runsvdir in whose `PATH` this script is the runsv.
fn with_fake_runsv(sandbox: &Sandbox, body: &str) -> Command {
    sandbox.script("fake/runsv", body);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = sandbox.command("runsvdir");
    command.env("PATH", format!("{}:{path}", sandbox.join("fake").display()));
    command
}

/// Tells runsvdir and all its services to end, and waits until nothing is left.
#[track_caller]
fn end_all(sandbox: &Sandbox, runsvdir: &mut Running) {
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    until("the end of all services", || sandbox.processes().is_empty());
}

/// How often a text is in another.
fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// Makes a link that may be there already point elsewhere, in one step.
fn switch(link: &Path, target: impl AsRef<Path>) {
    let new = link.with_extension("new");
    std::os::unix::fs::symlink(target, &new).unwrap();
    fs::rename(new, link).unwrap();
}

/// A scan directory of this name with a link to each service.
fn set_of(sandbox: &Sandbox, name: &str, services: &[&Service<'_>]) {
    fs::create_dir_all(sandbox.join(name)).unwrap();
    for service in services {
        let link = sandbox.join(name).join(Path::new(&service.name).file_name().unwrap());
        std::os::unix::fs::symlink(service.join(""), link).unwrap();
    }
}

/// Starts runsvdir on a directory of another name.
fn start_on(sandbox: &Sandbox, dir: impl AsRef<Path>) -> Running {
    let mut command = sandbox.command("runsvdir");
    command.arg(dir.as_ref());
    sandbox.start(command)
}
