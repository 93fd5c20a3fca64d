//! The process group of a command, and the terminal.

use super::*;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

/// Both ends of a fresh terminal.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC;
    let theirs = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).unwrap();
    (ours.into(), theirs.into())
}

/// A container with this terminal as standard input; its process 1 leads a session that has it, as under a runtime.
fn on_terminal<'s>(sandbox: &'s Sandbox, theirs: &File) -> Container<'s> {
    Container::new(sandbox)
        .program(&["/usr/bin/setsid", "--ctty", "/program/pid1"])
        .stdin(theirs.as_fd().try_clone_to_owned().unwrap())
}

/// Own number, process group, session, and the foreground of the terminal, and INT waited for.
const LOOK: &str = "use POSIX; $| = 1; $SIG{INT} = sub { print qq(int\\n); exit 6 };
    $SIG{TTOU} = 'IGNORE';
    print join(' ', $$ == getpgrp() ? 'leads' : 'follows', POSIX::tcgetpgrp(0) == $$ ? 'front' : 'back'), qq(\\n);
    sleep 1000000 while 1";

#[test]
fn the_command_leads_a_group_and_is_in_the_foreground_of_the_terminal() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut ours, theirs) = terminal();
    let mut container = on_terminal(&sandbox, &theirs).start(&["perl", "-e", LOOK]);
    until("a look at the terminal", || container.stdout().ends_with('\n'));
    assert_eq!(container.stdout(), "leads front\n");
    // What is typed is for the command.
    ours.write_all(b"\x03").unwrap();
    ends(&mut container, 6, "pid1: command has ended: exit 6");
    assert_eq!(container.stdout(), "leads front\nint\n");
}

#[test]
fn beside_services_the_command_is_in_the_foreground_too() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let (mut ours, theirs) = terminal();
    let mut container = on_terminal(&sandbox, &theirs).start(&["perl", "-e", LOOK]);
    until("a look at the terminal", || container.stdout().ends_with('\n'));
    assert_eq!(container.stdout(), "leads front\n");
    let service = up(&sandbox, "service/one");
    ours.write_all(b"\x03").unwrap();
    ends(&mut container, 6, "pid1: command has ended: exit 6");
    assert_ne!(service, 0);
}

#[test]
fn the_command_can_read_the_terminal_and_pid1_can_write_to_it() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut ours, theirs) = terminal();
    let script = "stty tostop; read word; echo got $word";
    let program = ["/usr/bin/setsid", "--ctty", "sh", "-c", "exec /program/pid1 \"$@\" <&0 2>&0", "sh"];
    let container = Container::new(&sandbox).program(&program);
    let mut container =
        container.stdin(theirs.as_fd().try_clone_to_owned().unwrap()).start(&["sh", "-c", script]);
    ours.write_all(b"word\n").unwrap();
    assert_eq!(container.ended(), Some(0));
    assert_eq!(container.stdout(), "got word\n");
    // A terminal that stops those in the background who write: the last line is there all the same.
    let mut shown = String::new();
    until("the last line on the terminal", || {
        let mut bytes = [0; 1000];
        let count = ours.read(&mut bytes).unwrap();
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        shown.contains("pid1: command has ended: exit 0")
    });
}

#[test]
fn without_a_terminal_the_command_leads_a_group_all_the_same() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "print $$ == getpgrp() && $$ != 1 ? 'leads' : 'follows'";
    let mut container = Container::new(&sandbox).start(&["perl", "-e", script]);
    ends(&mut container, 0, "pid1: command has ended: exit 0");
    assert_eq!(container.stdout(), "leads");
}

#[test]
fn a_command_that_stops_itself_keeps_its_container() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&["sh", "-c", "kill -STOP $$; exit 9"]);
    let stopped = |pid: &i32| status_of(*pid, "State").is_some_and(|state| state.starts_with('T'));
    until("a command that is stopped", || container.processes().0.iter().any(stopped));
    assert!(container.lives());
    container.signal(18);
    ends(&mut container, 9, "pid1: command has ended: exit 9");
}
