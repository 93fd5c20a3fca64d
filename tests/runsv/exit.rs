//! How runsv ends, and what it leaves.

use super::*;
use rustix::fs::FlockOperation;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

#[test]
fn x_ends_the_service_and_then_runsv() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((sandbox.processes(), runsv.stderr().as_str()), (vec![], ""));
}

#[test]
fn term_ends_the_service_and_then_runsv() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    until_asleep(&service);
    runsv.signal(Signal::TERM);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((sandbox.processes(), runsv.stderr().as_str()), (vec![], ""));
}

#[test]
fn x_and_term_end_a_runsv_whose_service_is_down() {
    for by_signal in [false, true] {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox).down();
        let mut runsv = service.supervise();
        if by_signal {
            runsv.signal(Signal::TERM);
        } else {
            service.send(b"x");
        }
        assert_eq!(runsv.ended().code(), Some(0));
        assert_eq!(service.lines("starts"), 0);
    }
}

#[test]
fn how_the_service_ended_does_not_matter() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("trap 'exit 5' TERM\necho >>ready\nwhile :; do sleep 0.01; done")
        .finish("exit 6");
    let mut runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn a_service_that_term_does_not_end_keeps_runsv() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let mut runsv = service.supervise();
    service.until_lines("ready", 1);
    let pid = until_asleep(&service);
    runsv.signal(Signal::TERM);
    until_told(&service, "run, got TERM, want exit", [0, b'd', 1, 1]);
    runsv.signal(Signal::TERM);
    until_heard(&service);
    assert_eq!((service.status().pid(), runsv.lives()), (pid, true));
    service.send(b"k");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn x_ends_a_paused_service_too() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"px");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn u_takes_an_exit_back_that_has_not_happened() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let mut runsv = service.supervise();
    service.until_lines("ready", 1);
    let pid = service.until_up();
    service.send(b"x");
    until_told(&service, "run, got TERM, want exit", [0, b'd', 1, 1]);
    service.send(b"u");
    until_told(&service, "run, got TERM", [0, b'u', 1, 1]);
    service.send(b"k");
    service.until_up_again(pid);
    assert!(runsv.lives());
}

#[test]
fn d_and_o_take_an_exit_back_that_has_not_happened() {
    for letter in [b"d", b"o"] {
        let sandbox = Sandbox::new();
        let service = stubborn(&sandbox);
        let mut runsv = service.supervise();
        service.until_lines("ready", 1);
        service.send(b"x");
        until_told(&service, "run, got TERM, want exit", [0, b'd', 1, 1]);
        service.send(letter);
        until_told(&service, "run, got TERM, want down", [0, b'd', 1, 1]);
        service.send(b"k");
        until_told(&service, "down", [0, b'd', 0, 0]);
        until_heard(&service);
        assert!(runsv.lives());
    }
}

#[test]
fn after_the_end_the_lock_is_free_and_the_fifos_have_no_reader() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"x");
    runsv.ended();
    for supervise in ["supervise", "log/supervise"] {
        let lock = fs::File::open(service.join(supervise).join("lock")).unwrap();
        assert_eq!(rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive), Ok(()));
        for fifo in ["ok", "control"] {
            const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
            let path = service.join(supervise).join(fifo);
            let error = fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(path).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::NXIO.raw_os_error()), "{fifo}");
        }
    }
}

#[test]
fn after_the_end_runsv_can_be_started_again() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    for starts in 1..=2 {
        let mut runsv = service.supervise();
        service.until_lines("starts", starts);
        service.send(b"x");
        assert_eq!(runsv.ended().code(), Some(0));
    }
}

#[test]
fn what_an_old_writer_left_in_the_fifo_does_not_reach_the_next_runsv() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"xxxx");
    runsv.ended();
    let mut next = service.supervise();
    until("its start", || service.lines("starts") == 2);
    until_heard(&service);
    assert!(next.lives());
}

#[test]
fn other_deadly_signals_end_runsv_alone() {
    for (signal, number) in [(Signal::HUP, 1), (Signal::INT, 2), (Signal::QUIT, 3), (Signal::USR1, 10)] {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox);
        let mut env = sandbox.command("env");
        env.args(["--default-signal", "sh", "-c", "ulimit -c 0; exec runsv counted"]);
        let mut runsv = sandbox.start(env);
        until("a supervisor", || service.is_supervised());
        let pid = until_asleep(&service);
        runsv.signal(signal);
        assert_eq!(runsv.ended().signal(), Some(number));
        assert!(sandbox.processes().contains(&pid), "signal {number}");
    }
}

#[test]
fn a_runsv_that_was_killed_leaves_the_directory_to_another() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    until_asleep(&service);
    runsv.signal(Signal::KILL);
    runsv.ended();
    assert!(!service.is_supervised());
    let mut next = service.supervise();
    service.send(b"x");
    assert_eq!(next.ended().code(), Some(0));
}

#[test]
fn many_terms_at_once_are_one() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish("echo >>finishes");
    let mut runsv = service.supervise();
    until_asleep(&service);
    for _ in 0..50 {
        runsv.signal(Signal::TERM);
    }
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((service.lines("starts"), service.lines("finishes")), (1, 1));
}

#[test]
fn x_to_a_service_that_is_down_is_final() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run("echo >>runs; exec sleep 1000000").down();
    let mut runsv = service.supervise();
    service.send(b"xu");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.read("runs"), "");
}
