//! Options, and exit codes.

use super::{run, stderr, stdout, sv, told};
use crate::kit::*;
use std::fs::OpenOptions;

const USAGE: &str = "usage: sv [-v] [-w sec] command service ...\n\n";

#[test]
fn a_wrong_command_line_is_told_of_and_exits_100() {
    let sandbox = Sandbox::new();
    let rows: &[(&[&str], &str)] = &[
        (&[], ""),
        (&["status"], ""),
        (&["-v"], ""),
        (&["-y", "status", "s"], "sv: illegal option -- y\n"),
        (&["-vy", "status", "s"], "sv: illegal option -- y\n"),
        (&["-w"], "sv: option requires an argument -- w\n"),
    ];
    for (args, complaint) in rows {
        let output = run(&sandbox, args);
        assert_eq!(
            (output.status.code(), stderr(&output)),
            (Some(100), format!("{complaint}{USAGE}")),
            "{args:?}"
        );
    }
}

#[test]
fn a_number_that_is_none_is_an_error() {
    if only_svbox("numbers") {
        return;
    }
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    for value in ["x", "1x", "", "-1", "99999999999999999999999"] {
        let output = run(&sandbox, &["-w", value, "up", "s"]);
        assert_eq!(output.status.code(), Some(100), "{value}");
        assert_eq!(stderr(&output), format!("fatal: unable to use -w: not a number: {value}\n"));
    }
    let output = sv(&sandbox).env("SVWAIT", "soon").args(["up", "s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(100));
    assert_eq!(stderr(&output), "fatal: unable to use SVWAIT: not a number: soon\n");
    assert_eq!(fake.heard(), "");
}

#[test]
fn options_can_be_joined_and_end_at_the_command() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    assert_eq!(told(&run(&sandbox, &["-vw5", "up", "s"])).0, Some(0));
    assert_eq!(fake.heard(), "u".repeat(usize::from(!against_runit())));
    assert_eq!(run(&sandbox, &["-w9", "-w", "5", "--", "up", "s"]).status.code(), Some(0));
    let output = run(&sandbox, &["status", "-v"]);
    assert!(stdout(&output).starts_with("fail: -v: "), "{}", stdout(&output));
}

#[test]
fn long_options_mean_the_same() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    for args in [["--wait=5", "up", "s"].as_slice(), &["--wait", "5", "up", "s"], &["--verbose", "up", "s"]] {
        assert_eq!(
            told(&run(&sandbox, args)),
            (Some(0), "ok: run: s: (pid 4242) 12s\n".to_owned()),
            "{args:?}"
        );
        assert_eq!(fake.heard(), "u");
    }
    for args in [["--wait", "x", "up", "s"], ["--nonsense", "1", "up", "s"]] {
        assert_eq!(run(&sandbox, &args).status.code(), Some(100), "{args:?}");
    }
}

#[test]
fn help_goes_to_standard_output_and_the_version_to_standard_error() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let output = run(&sandbox, &["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("--wait") && stderr(&output).is_empty());
    let output = run(&sandbox, &["-V"]);
    assert_eq!(output.status.code(), Some(100));
    assert!(
        stderr(&output).starts_with("svbox sv ") && stderr(&output).ends_with(USAGE),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_exit_code_is_the_number_of_failures_up_to_99() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("s", Say::RUN);
    for (failures, code) in [(0, 0), (1, 1), (5, 5), (99, 99), (100, 99), (500, 99)] {
        let mut args = vec!["status", "s"];
        args.extend(std::iter::repeat_n("missing", failures));
        let output = run(&sandbox, &args);
        assert_eq!(output.status.code(), Some(code), "{failures}");
        assert_eq!(stdout(&output).lines().count(), failures + 1);
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    if only_svbox("written") {
        return;
    }
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("s", Say::RUN);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = sv(&sandbox).args(["status", "s"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(100));
    assert_eq!(stderr(&output), "fatal: unable to write to standard output: out of disk space\n");
}

#[test]
fn a_control_fifo_that_cannot_be_had_is_warned_of() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("s", Say { want: b'd', ..Say::RUN });
    std::fs::remove_file(sandbox.join("s/supervise/control")).unwrap();
    let line = "warning: s: unable to open supervise/control: file does not exist\n";
    assert_eq!(told(&run(&sandbox, &["up", "s"])), (Some(1), line.to_owned()));
}
