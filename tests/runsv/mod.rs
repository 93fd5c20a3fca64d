//! runsv seen from outside: one service directory, its files, its processes and what it says.

mod bad_input;
mod commands;
mod control_scripts;
mod environment;
mod exit;
mod finish;
mod log;
mod pacing;
mod startup;
mod status;
mod supervise;

use crate::kit::*;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

/// What a script waits with until [`go`].
const UNTIL_GO: &str = "while test ! -e go; do sleep 0.01; done";

/// Lets the scripts of a service go on.
fn go(service: &Service<'_>) {
    fs::write(service.join("go"), "").unwrap();
}

/// A `run` that TERM does not end. It has a line in `ready` once that is so.
fn stubborn(sandbox: &Sandbox) -> Service<'_> {
    sandbox.service("stubborn").run("trap '' TERM\necho >>ready\nexec sleep 1000000")
}

/// A `run` that writes a line to `starts` and stays; any signal ends it, whatever the caller ignores.
fn counted(sandbox: &Sandbox) -> Service<'_> {
    sandbox.service("counted").run("echo >>starts\nexec env --default-signal sleep 1000000")
}

/// Waits until a service is up and its script has become its last program, `sleep`.
#[track_caller]
fn until_asleep(service: &Service<'_>) -> i32 {
    until_some("a sleeping service", || {
        let status = service.status();
        (status.shown() == Shown::Run && command_name(status.pid()) == "sleep").then_some(status.pid())
    })
}

/// The same for another process than this.
#[track_caller]
fn until_asleep_again(service: &Service<'_>, before: i32) -> i32 {
    until("another process", || service.status().pid() != before);
    until_asleep(service)
}

/// Waits until the log service is up; gives its number.
#[track_caller]
fn until_log_up(service: &Service<'_>) -> i32 {
    until_some("a log service", || {
        let status = service.log_status();
        (status.shown() == Shown::Run).then_some(status.pid())
    })
}

/// Waits until `stat` says this and the last four bytes of `status` are these.
#[track_caller]
fn until_told(service: &Service<'_>, stat: &str, flags: [u8; 4]) -> Status {
    until_some(&format!("{stat:?} and {flags:?}"), || {
        let status = service.status();
        (status.0[16..] == flags && service.stat() == stat).then_some(status)
    })
}

/// Sends bytes to the service, waiting for room.
fn pour(service: &Service<'_>, mut bytes: &[u8]) {
    const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let control = service.join("supervise/control");
    let mut fifo = fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(control).unwrap();
    until("room for all commands", || {
        match fifo.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "the supervisor is gone"),
        }
        bytes.is_empty()
    });
}

/// Waits until everything that was sent before has been looked at: commands are handled in order.
#[track_caller]
fn until_heard(service: &Service<'_>) {
    pour(service, b"p");
    until("a pause", || service.status().paused());
    pour(service, b"c");
    until("an end of the pause", || !service.status().paused());
}

/// Starts runsv by a shell that does something before it becomes runsv.
fn start_behind(service: &Service<'_>, before: &str, redirections: &str) -> Running {
    let mut shell = service.sandbox.command("sh");
    shell.args(["-c", &format!("{before}\nexec runsv \"$1\" {redirections}"), "sh", &service.name]);
    service.sandbox.start(shell)
}

/// Starts runsv without root's right to pass over modes.
fn start_obeying_modes(service: &Service<'_>) -> Running {
    if !rustix::process::geteuid().is_root() {
        return service.start();
    }
    let mut setpriv = service.sandbox.command("setpriv");
    setpriv.args(["--bounding-set", "-dac_override,-dac_read_search", "runsv", &service.name]);
    service.sandbox.start(setpriv)
}

/// Checks that runsv does not start, for this reason.
#[track_caller]
fn assert_fatal(service: &Service<'_>, reason: &str) {
    let Output { status, stdout, stderr } = service.fails();
    assert_eq!(String::from_utf8_lossy(&stderr), format!("runsv {}: fatal: {reason}\n", service.name));
    assert_eq!(status.code(), Some(111));
    assert!(stdout.is_empty());
}

/// Waits for a message of runsv.
#[track_caller]
fn until_said(service: &Service<'_>, runsv: &Running, message: &str) {
    let line = format!("runsv {}: {message}", service.name);
    until(&format!("{line:?}"), || runsv.stderr().lines().any(|said| said == line));
}

/// The names of what is in a directory, in order.
fn names(dir: impl AsRef<Path>) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The time, counted as the labels in `status` are read.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}

/// The time in a status.
fn label(status: Status) -> Duration {
    Duration::new(status.seconds() - 0x4000_0000_0000_000a, status.nanoseconds())
}

/// The command name of a process; empty if it is gone.
fn command_name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().into()
}

/// A field of `/proc/PID/status`.
fn field(pid: i32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().into()
}

/// The arguments of a process, the first one included.
fn arguments(pid: i32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let line = String::from_utf8(line).unwrap();
    line.split_terminator('\0').map(Into::into).collect()
}

/// The descriptors of a process and where they lead, in order, without those that the tests themselves were started
/// with and pass on.
fn descriptors(pid: i32) -> Vec<(i32, String)> {
    let mut all = all_descriptors(pid);
    let own = std::process::id().cast_signed();
    let passed_on = |number: i32| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags =
            info.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
        flags.is_some_and(|flags| flags & rustix::fs::OFlags::CLOEXEC.bits() == 0)
    };
    let inherited: Vec<_> =
        all_descriptors(own).into_iter().filter(|&(number, _)| number > 2 && passed_on(number)).collect();
    all.retain(|descriptor| !inherited.contains(descriptor));
    all
}

fn all_descriptors(pid: i32) -> Vec<(i32, String)> {
    let numbers = names(format!("/proc/{pid}/fd")).into_iter().map(|name| name.parse().unwrap());
    // Those of the tests come and go.
    let lead = |number| Some((number, try_descriptor(pid, number)?));
    let mut all: Vec<_> = numbers.filter_map(lead).collect();
    all.sort();
    all
}

fn try_descriptor(pid: i32, number: i32) -> Option<String> {
    Some(fs::read_link(format!("/proc/{pid}/fd/{number}")).ok()?.to_str()?.into())
}

/// Where a descriptor of a process leads.
fn descriptor(pid: i32, number: i32) -> String {
    try_descriptor(pid, number).unwrap()
}
