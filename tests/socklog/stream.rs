//! Messages one after the other: of a connection, of the kernel.

use super::*;
use std::io::Write;
use std::process::{Output, Stdio};

/// What becomes of an input that comes in these pieces, each when the one before has been read.
fn feed(args: &[&str], pieces: &[&[u8]]) -> Output {
    let sandbox = Sandbox::new();
    let mut command = socklog(&sandbox, args);
    command.env("A", "one").env("B", "").env("C", "a\nb").env_remove("MISSING");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for piece in pieces {
        stdin.write_all(piece).unwrap();
        until("a read", || rustix::io::ioctl_fionread(&stdin).unwrap() == 0);
    }
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[track_caller]
fn assert_lines(args: &[&str], pieces: &[&[u8]], expected: &str) {
    let output = feed(args, pieces);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"");
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
}

#[test]
fn messages_end_with_newlines_or_nuls() {
    let input = b"<13>a\n\n\0nopri\0<12>b\n<96>c\n<13>\nlast";
    let expected = "user.notice: a\nnopri\nuser.warn: b\nunknown.emerg: <96>c\nuser.notice: \nlast\n";
    assert_lines(&["ucspi"], &[input], expected);
    assert_lines(&["uc"], &[b""], "");
    assert_lines(&["ucspi"], &[b"\n\n\0"], "");
}

#[test]
fn values_of_variables_come_first() {
    let input = b"<13>x\ny";
    assert_lines(&["ucspi", "A", "MISSING", "B"], &[input], "one: : user.notice: x\none: : y\n");
    let nine = ["ucspi", "A", "A", "A", "A", "A", "A", "A", "A", "B"];
    assert_lines(&nine, &[b"x"], &format!("{}x\n", "one: ".repeat(8)));
}

#[test]
fn values_are_no_way_to_write_lines() {
    if only_svbox("one line") {
        return;
    }
    assert_lines(&["ucspi", "C"], &[b"x"], "a\\nb: x\n");
}

#[test]
fn a_message_can_come_in_pieces() {
    if only_svbox("pieces") {
        return;
    }
    assert_lines(&["ucspi"], &[b"<1", b"3>a", b"b\n<", b"12>c"], "user.notice: ab\nuser.warn: c\n");
}

#[test]
fn raw_lines_are_there_as_well() {
    if only_svbox("pieces") {
        return;
    }
    assert_lines(&["-r", "ucspi", "A"], &[b"<13>a\nb"], "<13>a\none: user.notice: a\nb\none: b\n");
    assert_lines(&["-R", "ucspi", "A"], &[b"<13>a\nb"], "<13>a\nb\n");
    assert_lines(&["-T", "ucspi"], &[b"<13>Jan  1 00:00:00 a\n"], "user.notice: a\n");
}

#[test]
fn a_message_can_have_any_length() {
    for len in [65_535, 65_536, 65_537, 300_000] {
        let text = "x".repeat(len);
        let input = format!("<13>{text}\n<12>y\n");
        let output = whole(&["ucspi", "A"], &input);
        let expected = format!("one: user.notice: {text}\none: user.warn: y\n");
        assert!(output == expected, "{len}: {}", output.len());
    }
}

#[test]
fn as_it_came_a_long_message_is_cut_if_it_is_written_twice() {
    if only_svbox("pieces") {
        return;
    }
    let text = "x".repeat(100_000);
    let input = format!("<13>{text}\ny\n");
    let head = &input[..65_536];
    assert!(whole(&["-r", "ucspi"], &input) == format!("{head}...\nuser.notice: {text}\ny\ny\n"));
    assert!(whole(&["-R", "ucspi"], &input) == input);
}

/// The lines of an input that is a file.
fn whole(args: &[&str], input: &str) -> String {
    let sandbox = Sandbox::new();
    let mut command = socklog(&sandbox, args);
    command.env("A", "one").stdin(fs::File::open(sandbox.write("in", input)).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let sandbox = Sandbox::new();
    let mut command = socklog(&sandbox, &["ucspi"]);
    let output = command.stdin(fs::File::open(sandbox.path()).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(111));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "socklog: fatal: read(): is a directory\n");
}

#[test]
fn what_is_there_is_written_though_more_may_come() {
    let sandbox = Sandbox::new();
    let mut command = socklog(&sandbox, &["ucspi"]);
    command.stdin(Stdio::piped()).stderr(fs::File::create(sandbox.join("out")).unwrap());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for number in 1..4 {
        stdin.write_all(b"<13>x\n").unwrap();
        until("the line", || sandbox.read("out") == "user.notice: x\n".repeat(number));
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_kernel_is_read_as_nobody() {
    if only_svbox("klog") {
        return;
    }
    let sandbox = Sandbox::new();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        sandbox.join("kmsg"),
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .unwrap();
    let mut command = socklog(&sandbox, &["klog", "kmsg"]);
    command.stdout(fs::File::create(sandbox.join("out")).unwrap());
    let mut running = sandbox.start(command);
    // It can be opened when it is opened there.
    let mut kernel = fs::OpenOptions::new().write(true).open(sandbox.join("kmsg")).unwrap();
    kernel.write_all(b"<6>[    0.000000] Linux\n<0>[    1.000000] panic\n").unwrap();
    until("the lines", || {
        sandbox.read("out") == "kern.info: [    0.000000] Linux\nkern.emerg: [    1.000000] panic\n"
    });
    let root = rustix::process::geteuid().is_root();
    let ids = if root { ", gid=65534, uid=65534" } else { "" };
    assert_eq!(running.stderr(), format!("listening on kmsg{ids}, starting.\n"));
    if root {
        let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
        assert!(status.contains("\nUid:\t65534\t65534\t65534\t65534\n"), "{status}");
    }
    drop(kernel);
    assert_eq!(running.ended().code(), Some(0));
    let output = socklog(&sandbox, &["klog", "missing"]).output().unwrap();
    assert_eq!(output.status.code(), Some(111));
    let error = "socklog: fatal: unable to open missing: file does not exist\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), error);
}
