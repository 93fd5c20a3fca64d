//! The status line, and what is said where there is none.

use super::{run, stderr, stdout, sv, told};
use crate::kit::*;
use std::fs;
use std::os::unix::ffi::OsStrExt;

#[test]
fn a_line_shows_the_state_and_each_flag_that_holds() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    let run_ = Say::RUN;
    let down = Say::DOWN;
    let rows: &[(Say, bool, &str)] = &[
        (run_, false, "run: s: (pid 4242) 12s"),
        (run_, true, "run: s: (pid 4242) 12s, normally down"),
        (Say { want: b'd', ..run_ }, false, "run: s: (pid 4242) 12s, want down"),
        (Say { want: b'd', term: 1, ..run_ }, false, "run: s: (pid 4242) 12s, want down, got TERM"),
        (Say { term: 1, ..run_ }, false, "run: s: (pid 4242) 12s, got TERM"),
        (Say { paused: 1, ..run_ }, false, "run: s: (pid 4242) 12s, paused"),
        (
            Say { paused: 1, want: b'd', term: 1, ..run_ },
            true,
            "run: s: (pid 4242) 12s, normally down, paused, want down, got TERM",
        ),
        (Say { state: 2, ..run_ }, false, "finish: s: (pid 4242) 12s"),
        (Say { state: 2, pid: 0, ..run_ }, false, "finish: s: (pid 0) 12s, normally up, want up"),
        (down, false, "down: s: 12s, normally up"),
        (down, true, "down: s: 12s"),
        (Say { want: b'u', ..down }, true, "down: s: 12s, want up"),
        (Say { want: b'u', ..down }, false, "down: s: 12s, normally up, want up"),
        (Say { paused: 1, term: 1, ..down }, true, "down: s: 12s"),
    ];
    for (say, down_file, line) in rows {
        fake.say(*say);
        let _ = fs::remove_file(sandbox.join("s/down"));
        if *down_file {
            sandbox.write("s/down", "");
        }
        assert_eq!(told(&run(&sandbox, &["status", "s"])), (Some(0), format!("{line}\n")));
    }
}

#[test]
fn a_state_that_nobody_knows_has_no_word() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("s", Say { state: 3, ..Say::RUN });
    assert_eq!(stdout(&run(&sandbox, &["status", "s"])), "s: (pid 4242) 12s\n");
}

#[test]
fn a_status_from_the_future_is_0_seconds_old() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::DOWN);
    let mut bytes = [0xff; 20];
    bytes[0] = 0x40;
    bytes[8..].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, b'd', 0, 0]);
    fake.write(&bytes);
    sandbox.write("s/down", "");
    assert_eq!(stdout(&run(&sandbox, &["status", "s"])), "down: s: 0s\n");
}

#[test]
fn a_log_service_has_its_part_of_the_line() {
    let sandbox = Sandbox::new();
    let _main = sandbox.fake("s", Say::RUN);
    let log = sandbox.fake("s/log", Say { pid: 77, ..Say::RUN });
    let line = |part: &str| format!("run: s: (pid 4242) 12s; {part}\n");
    let status = || told(&run(&sandbox, &["status", "s"]));
    assert_eq!(status(), (Some(0), line("run: log: (pid 77) 12s")));
    sandbox.write("s/log/down", "");
    assert_eq!(status(), (Some(0), line("run: log: (pid 77) 12s, normally down")));
    drop(log);
    // A child of another test may have what was opened here for a moment.
    until("that it is gone", || status() == (Some(1), line("fail: s/log: runsv not running")));
}

#[test]
fn a_log_service_that_was_never_supervised_is_warned_of_once() {
    if only_svbox("2.3 status") {
        return;
    }
    let sandbox = Sandbox::new();
    let _main = sandbox.fake("s", Say::RUN);
    fs::create_dir(sandbox.join("s/log")).unwrap();
    let warning = "warning: s/log: supervise/ok not found, exit and restart runsv to enable log, or with svbox the service";
    assert_eq!(
        told(&run(&sandbox, &["status", "s"])),
        (Some(1), format!("run: s: (pid 4242) 12s; {warning}\n"))
    );
    fs::remove_dir(sandbox.join("s/log")).unwrap();
    sandbox.write("s/log", "");
    let warning = "warning: s/log: unable to change directory: not a directory";
    assert_eq!(
        told(&run(&sandbox, &["status", "s"])),
        (Some(1), format!("run: s: (pid 4242) 12s; {warning}\n"))
    );
}

#[test]
fn what_is_not_there_is_told_of_one_line_each() {
    let sandbox = Sandbox::new();
    sandbox.service("never");
    drop(sandbox.fake("gone", Say::RUN));
    let short = sandbox.fake("short", Say::RUN);
    short.write(&[0; 19]);
    let no_status = sandbox.fake("no-status", Say::RUN);
    fs::remove_file(sandbox.join("no-status/supervise/status")).unwrap();
    sandbox.write("file", "");
    let rows = [
        ("missing", "fail: missing: unable to change to service directory: file does not exist\n"),
        ("file", "fail: file: unable to change to service directory: not a directory\n"),
        ("never", "warning: never: unable to open supervise/ok: file does not exist\n"),
        ("gone", "fail: gone: runsv not running\n"),
        ("short", "warning: short: unable to read supervise/status: bad format\n"),
        ("no-status", "warning: no-status: unable to open supervise/status: file does not exist\n"),
    ];
    for (name, line) in rows {
        assert_eq!(told(&run(&sandbox, &["status", name])), (Some(1), line.to_owned()));
    }
    let all: Vec<&str> = std::iter::once("status").chain(rows.iter().map(|(name, _)| *name)).collect();
    let lines: String = rows.iter().map(|(_, line)| *line).collect();
    assert_eq!(told(&run(&sandbox, &all)), (Some(6), lines));
    drop((short, no_status));
}

#[test]
fn a_status_that_is_a_directory_or_garbage_is_told_of_and_nothing_worse() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    fake.write(&[0xee; 4096]);
    let output = run(&sandbox, &["status", "s"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).starts_with("s: (pid "), "{}", stdout(&output));
    fs::remove_file(sandbox.join("s/supervise/status")).unwrap();
    fs::create_dir(sandbox.join("s/supervise/status")).unwrap();
    let line = "warning: s: unable to read supervise/status: is a directory\n";
    assert_eq!(told(&run(&sandbox, &["status", "s"])), (Some(1), line.to_owned()));
}

#[test]
fn a_name_is_a_path_if_it_looks_like_one() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("deep/s", Say::RUN);
    let absolute = sandbox.join("deep/s");
    for name in [absolute.to_str().unwrap(), "./deep/s", "deep/s/"] {
        let output = sv(&sandbox).env("SVDIR", "/nowhere").args(["status", name]).output().unwrap();
        assert_eq!(stdout(&output), format!("run: {name}: (pid 4242) 12s\n"));
    }
    let output = sv(&sandbox).env("SVDIR", "deep").args(["status", "s"]).output().unwrap();
    assert_eq!(stdout(&output), "run: s: (pid 4242) 12s\n");
    assert_eq!(stdout(&run(&sandbox, &["status", "deep/s"])), "run: deep/s: (pid 4242) 12s\n");
}

#[test]
fn an_empty_services_directory_is_an_error_for_every_service() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("s", Say::RUN);
    let output = sv(&sandbox).env("SVDIR", "").args(["status", "s"]).output().unwrap();
    let line = "fail: s: unable to change to service directory: file does not exist\n";
    assert_eq!(told(&output), (Some(1), line.to_owned()));
}

#[test]
fn names_can_be_any_bytes_and_any_length() {
    let sandbox = Sandbox::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9");
    let output = sv(&sandbox).arg("status").arg(name).output().unwrap();
    assert_eq!(output.stdout, b"fail: caf\xe9: unable to change to service directory: file does not exist\n");
    let long = "x".repeat(100_000);
    let output = run(&sandbox, &["status", &long]);
    let line = format!("fail: {long}: unable to change to service directory: file name too long\n");
    assert!(told(&output) == (Some(1), line), "{}", output.status);
    assert_eq!(stderr(&output), "");
}
