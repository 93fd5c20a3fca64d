//! Waiting is not working: what svlogd waits for costs no processor time, and nothing keeps it from hearing.

use super::full_disk::{PAUSE, fill, small};
use super::*;
use std::time::{Duration, Instant};

/// Milliseconds of processor time that it uses while nothing happens, which is looked at for a second and a half.
fn idle_work(live: &Live) -> u64 {
    let used = || {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", live.svlogd.pid())).unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1_000_000
    };
    let (before, begun) = (used(), Instant::now());
    // Not to wait for something: this is how long nothing happens.
    while begun.elapsed() < Duration::from_millis(1500) {
        std::thread::sleep(Duration::from_millis(100));
    }
    used() - before
}

#[track_caller]
fn assert_idle(live: &Live) {
    let work = idle_work(live);
    assert!(work < 200, "{work} ms of work in 1500 ms");
}

#[test]
fn nobody_to_read_standard_error_is_no_reason_to_work() {
    if only_svbox("broken pipe") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "s0\n") else { return };
    fill(&log);
    let command = behind(&sandbox, "mkfifo err; (read line <err; echo >>gone) &", "2>err", &["-v", "d"]);
    let mut live = Live::run(&sandbox, command);
    until("the end of the reader", || sandbox.lines("gone") == 1);
    // More than it takes while it waits.
    let line = "a line of forty bytes, more or less....\n".repeat(1000);
    let mut input = live.input.take().unwrap();
    let mut refused = 0;
    while refused < 50 {
        if std::io::Write::write(&mut input, line.as_bytes()).is_err() {
            refused += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    assert_idle(&live);
}

#[test]
fn the_end_of_a_burst_is_no_reason_to_work_while_a_processor_is_waited_for() {
    if only_svbox("at work beside") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("s20000\n!{UNTIL_GO}; cat\n"));
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("0123456789\n".repeat(3000));
    live.input = None;
    begun(&sandbox, 1);
    assert_idle(&live);
    sandbox.write("go", "");
    assert_eq!(live.ended(), Some(0));
    assert_eq!(log.ending(".s").len(), 1);
}

#[test]
fn a_processor_that_failed_in_a_directory_that_is_gone_is_no_reason_to_work() {
    if only_svbox("processor pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = log(&sandbox, "one", "!exit 1\n");
    let _two = log(&sandbox, "two", "");
    let mut live = Live::start(&sandbox, &["one", "two"]);
    rotate(&mut live, &one, "a\n");
    live.until_said("warning: processor failed, restart: one");
    fs::rename(sandbox.join("one"), sandbox.join("away")).unwrap();
    live.signal(Signal::HUP);
    live.until_said("warning: unable to open log directory: one");
    assert_idle(&live);
    live.input = None;
    assert_eq!(live.ended(), Some(0));
}

#[test]
fn a_line_at_the_top_that_leaves_no_room_is_left_out() {
    if only_svbox("banner") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s10\nn0\n0this is a long banner\n");
    fed(&sandbox, &["-l", "5", "-b", "6", "d"], "one\ntwo\n");
    assert_eq!(String::from_utf8(log.whole()).unwrap(), "one\ntwo\n");
}

#[test]
fn what_waits_for_a_directory_that_is_gone_does_not_hold_up_the_end() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((full, mount)) = small(&sandbox, "d", 3, "s0\n") else { return };
    let other = log(&sandbox, "other", "");
    fill(&full);
    let mut live = Live::start(&sandbox, &["d", "other"]);
    live.say("a\n");
    live.until_said(PAUSE);
    drop(mount);
    fs::remove_dir(sandbox.join("d")).unwrap();
    live.signal(Signal::HUP);
    live.until_said("warning: unable to open log directory: d");
    live.say("b\n");
    other.until_current("a\nb\n");
    let (code, said) = live.end();
    assert_eq!(code, Some(111));
    assert!(said.ends_with("svlogd: warning: data loss: bytes not written: 2\n"), "{said}");
}

#[test]
fn any_number_of_patterns_can_stand_in_one_line() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", [b"-\0".repeat(200_000), b"\n-*\n+a*\n".to_vec()].concat());
    fed(&sandbox, &["d"], "a\nb\n");
    assert_eq!(log.current(), "a\n");
}

#[test]
fn a_configuration_that_cannot_be_understood_is_told_of_in_short() {
    if only_svbox("warned") {
        return;
    }
    let sandbox = Sandbox::new();
    let _log = log(&sandbox, "d", format!("Z{}\n", "y".repeat(200_000)));
    let (code, said) = feed(&sandbox, &["d"], "a\n");
    assert_eq!(code, Some(0));
    assert_eq!(said, format!("svlogd: warning: unknown instruction in config: d: Z{}\n", "y".repeat(99)));
}
