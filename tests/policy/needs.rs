//! `needs` and `wants`: the order in which services start and stop.

mod again;
mod hard;
mod kinds;
mod late;
mod start;
mod stop;

use super::*;
use rustix::process::Signal;
use std::os::unix::fs::symlink;

/// Who supervises the services of the scan directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A runsv each.
    Each,
    /// All of them one runsvdir.
    One,
}

/// A test of both, at the same time: mostly they wait.
pub fn in_both(test: impl Fn(Mode) + Sync) {
    std::thread::scope(|scope| {
        scope.spawn(|| test(Mode::Each));
        test(Mode::One);
    });
}

impl Mode {
    pub fn start(self, sandbox: &Sandbox, options: &[&str]) -> Running {
        let own: &[&str] = if self == Self::One { &["--in-process"] } else { &[] };
        sandbox.scan().start(&[own, options].concat(), &[])
    }
}

/// Ends a runsvdir and all services with it.
#[track_caller]
pub fn end(sandbox: &Sandbox, mut runsvdir: Running) {
    runsvdir.signal(Signal::HUP);
    runsvdir.ended();
    until("the end of all supervisors", || sandbox.running("runsv ").is_empty());
}

/// What is told of a service in the file `events` of the sandbox.
const TELLS: &str = "trap 'echo end $me >>../../events; exit' TERM";
const UP: &str = "echo up $me >>../../events";
/// It is ready, which is when others come to their turn, and stays until TERM.
const STAYS: &str = "echo >&3\nsleep 1000000 & wait";

/// A service in the scan directory that needs others. It tells of its start and its end.
fn member<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    member_that(sandbox, name, needs, STAYS)
}

fn member_that<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str], does: &str) -> Service<'s> {
    // A trap of its own is there before anybody knows that it is up.
    let (trap, does) = does.split_once('\n').filter(|_| does.starts_with("trap ")).unwrap_or(("", does));
    let run = format!("me={name}\n{TELLS}\n{trap}\n{UP}\n{does}");
    let service = sandbox.service(&format!("scan/{name}")).run(&run);
    let service = service.file("notification-fd", "3");
    needs.iter().fold(service, |service, need| service.file(&format!("needs/{need}"), ""))
}

/// A service that is ready as soon as there is a file `go`.
fn telling<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    member_that(sandbox, name, needs, &format!("until test -e go; do sleep 0.01; done\n{STAYS}"))
}

fn events(sandbox: &Sandbox) -> String {
    sandbox.read("events").replace('\n', ", ")
}

#[track_caller]
fn until_events(sandbox: &Sandbox, wanted: &str) {
    let end = std::time::Instant::now() + DEADLINE;
    while events(sandbox) != wanted {
        assert!(std::time::Instant::now() < end, "{:?} and not {wanted:?}", events(sandbox));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn until_waits(service: &Service<'_>) {
    let name = service.name.trim_start_matches("scan/");
    until("that it waits", || why(service).contains(&format!("{name}: down, wanted up: waits for")));
}

fn why(service: &Service<'_>) -> String {
    String::from_utf8(service.sv(&["why"]).stdout).unwrap()
}

fn shows(service: &Service<'_>, name: &str) -> bool {
    service.join("supervise").join(name).exists()
}

/// A service that TERM does not end before there is a file `go`.
fn slow<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    let does = "trap 'echo told $me >>../../events; until test -e go; do sleep 0.01; done; exit' TERM";
    member_that(sandbox, name, needs, &format!("{does}\n{STAYS}"))
}

#[track_caller]
fn until_said_by(runsvdir: &Running, line: &str) {
    until(line, || runsvdir.stderr().lines().any(|said| said == line));
}

/// Waits until a service that dies is started at once: one that dies sooner has a pause first.
fn until_old() {
    let now = std::time::Instant::now();
    until("its first second", || now.elapsed() > Duration::from_millis(1100));
}

/// Makes a copy `next` of the scan directory, as deep as that, for its events.
fn copy(sandbox: &Sandbox) {
    assert!(sandbox.output("cp", &["-a", "scan", "next"]).status.success());
}
