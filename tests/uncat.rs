//! uncat, from the outside.

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::process::{ChildStdin, Command, Stdio};

/// Runs it on an input that ends, by -o; gives the exit code, and what it and its programs say.
fn run(args: &[&str], input: &[u8]) -> (Option<i32>, String) {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("uncat");
    command.arg("-o").args(args).stdin(fs::File::open(sandbox.write("in", input)).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn said(text: &str) -> (Option<i32>, String) {
    (Some(0), text.to_owned())
}

/// One that runs, and its input.
struct Live {
    running: Running,
    stdin: Option<ChildStdin>,
}

impl Live {
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        // Its input is a pipe of the test's: `Running` has no place for that.
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = sandbox.command("uncat");
        command.args(args).stdin(reader);
        let running = sandbox.start(command);
        let stdin = ChildStdin::from(std::os::fd::OwnedFd::from(writer));
        Self { running, stdin: Some(stdin) }
    }

    fn say(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until everything has been read.
    fn until_read(&self) {
        let stdin = self.stdin.as_ref().unwrap();
        until("a read", || rustix::io::ioctl_fionread(stdin).unwrap() == 0);
    }

    #[track_caller]
    fn until_said(&self, text: &str) {
        until(text, || self.running.stderr().contains(text));
    }

    #[track_caller]
    fn term(mut self) -> String {
        self.running.signal(Signal::TERM);
        assert_eq!(self.running.ended().code(), Some(0));
        self.running.stderr()
    }
}

#[test]
fn the_end_of_input_is_processed() {
    assert_eq!(run(&["cat"], b"hello\n"), said("hello\n"));
    assert_eq!(run(&["sh", "-c", "echo ran"], b""), said(""));
}

#[test]
fn all_is_said_with_v() {
    let text = "uncat: warning: starting.\nuncat: warning: end of input.\nuncat: warning: starting child.\nhello\n\
        uncat: warning: child exited.\nuncat: warning: exit.\n";
    assert_eq!(run(&["-v", "cat"], b"hello\n"), said(text));
    let text = "uncat: warning: starting.\nuncat: warning: end of input.\nuncat: warning: exit.\n";
    assert_eq!(run(&["-v", "cat"], b""), said(text));
}

#[test]
fn the_size_is_never_exceeded() {
    assert_eq!(run(&["-s", "4", "sh", "-c", "cat; echo /"], b"abcdefghij"), said("abcd/\nefgh/\nij/\n"));
    assert_eq!(run(&["-s2x", "sh", "-c", "cat; echo /"], b"abcd"), said("ab/\ncd/\n"));
    // 1024 by default, and for what is no number.
    for args in [&["sh", "-c", "wc -c"][..], &["-s", "x", "sh", "-c", "wc -c"], &["-s0", "sh", "-c", "wc -c"]]
    {
        assert_eq!(run(args, &[b'x'; 1500]), said("1024\n476\n"));
    }
}

#[test]
fn the_program_is_run_as_soon_as_the_size_is_reached() {
    if only_svbox("full at once") {
        return;
    }
    let text = "uncat: warning: starting.\nuncat: warning: max size reached.\nuncat: warning: starting child.\nab\
        uncat: warning: child exited.\nuncat: warning: end of input.\nuncat: warning: exit.\n";
    assert_eq!(run(&["-v", "-s2", "cat"], b"ab"), said(text));
}

#[test]
fn a_large_size_is_filled() {
    if only_svbox("large sizes") {
        return;
    }
    assert_eq!(run(&["-s", "10000", "sh", "-c", "wc -c"], &[b'x'; 15_000]), said("10000\n5000\n"));
    // Through a pipe, and into one that takes less at once.
    assert_eq!(run(&["-s", "300000", "sh", "-c", "wc -c"], &[b'x'; 500_000]), said("300000\n200000\n"));
}

#[test]
fn what_a_program_does_not_read_is_dropped() {
    if only_svbox("child's input") {
        return;
    }
    assert_eq!(run(&["-s", "300000", "sh", "-c", "head -c 2; echo"], &[b'x'; 500_000]), said("xx\nxx\n"));
    assert_eq!(run(&["-s", "300000", "sh", "-c", "exec <&-; echo ran"], &[b'x'; 300_000]), said("ran\n"));
}

#[test]
fn programs_find_signals_and_descriptors_as_they_were() {
    // Not a shell, which would put its signals right. Of these those that a C library does not keep for itself. They read
    // their input: where they do not the uncat of old ends with them.
    let signals = ["sed", "-n", r"s/^Sig[BI].*\(.......\)/\1/p", "/proc/self/status", "-"];
    for program in [&signals[..], &["sh", "-c", "cat >/dev/null; ls /proc/self/fd"]] {
        let without = Sandbox::new().output(program[0], &program[1..]).stdout;
        assert_eq!(run(program, b"x"), said(&String::from_utf8(without).unwrap()));
    }
}

#[test]
fn a_program_that_fails_is_told_of() {
    if only_svbox("told failures") {
        return;
    }
    assert_eq!(run(&["sh", "-c", "exit 3"], b"x"), said("uncat: warning: child exited with code 3.\n"));
    let text = "uncat: fatal: unable to start child: file does not exist\n\
        uncat: warning: child exited with code 111.\n";
    assert_eq!(run(&["missing"], b"x"), said(text));
}

#[test]
fn a_program_that_is_killed_is_told_of() {
    assert_eq!(run(&["sh", "-c", "kill -9 $$"], b"x"), said("uncat: warning: child crashed.\n"));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("uncat");
    let output = command.arg("cat").stdin(fs::File::open(sandbox.path()).unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(111));
    let error = "uncat: fatal: unable to read fd 0: is a directory\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), error);
}

#[test]
fn time_is_counted_from_the_first_byte() {
    if only_svbox("first byte") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut uncat = Live::start(&sandbox, &["-t", "2", "sh", "-c", "cat; echo /"]);
    // It waits for the first one for ever. The time-out is the third argument of poll.
    until("a wait without an end", || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", uncat.running.pid())).unwrap_or_default();
        let words: Vec<_> = call.split_whitespace().collect();
        words.len() > 4 && words[3] == "0x0" || words.first() == Some(&"7") && words[3].ends_with("ffffffff")
    });
    let start = std::time::Instant::now();
    uncat.say("a");
    uncat.until_read();
    uncat.say("b");
    uncat.until_said("ab/\n");
    assert!(start.elapsed() >= std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    uncat.say("c");
    uncat.until_said("ab/\nc/\n");
    assert_eq!(uncat.term(), "ab/\nc/\n");
}

#[test]
fn time_over_is_said() {
    let sandbox = Sandbox::new();
    let mut uncat = Live::start(&sandbox, &["-v", "-t1", "cat"]);
    uncat.say("a\n");
    let text = "uncat: warning: starting.\nuncat: warning: timeout reached.\nuncat: warning: starting child.\na\n\
        uncat: warning: child exited.\n";
    uncat.until_said(text);
    assert_eq!(uncat.term(), format!("{text}uncat: warning: got sigterm.\nuncat: warning: exit.\n"));
}

#[test]
fn what_is_there_is_processed_on_term() {
    let sandbox = Sandbox::new();
    let mut uncat = Live::start(&sandbox, &["-v", "cat"]);
    uncat.say("a\n");
    uncat.until_read();
    let text = "uncat: warning: starting.\nuncat: warning: got sigterm.\nuncat: warning: starting child.\na\n\
        uncat: warning: child exited.\nuncat: warning: exit.\n";
    assert_eq!(uncat.term(), text);
}

#[test]
fn term_waits_for_the_program() {
    if only_svbox("full at once") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut uncat =
        Live::start(&sandbox, &["-s", "2", "sh", "-c", "echo begun; until [ -e go ]; do :; done; echo done"]);
    uncat.say("a\n");
    uncat.until_said("begun\n");
    uncat.running.signal(Signal::TERM);
    // What comes now comes too late.
    sandbox.write("go", "");
    assert_eq!(uncat.running.ended().code(), Some(0));
    assert_eq!(uncat.running.stderr(), "begun\ndone\n");
}

#[test]
fn an_input_that_nobody_can_open_again_ends_it() {
    if only_svbox("end of a fifo") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut uncat = Live::start(&sandbox, &["-v", "cat"]);
    uncat.say("a\n");
    uncat.stdin = None;
    assert_eq!(uncat.running.ended().code(), Some(0));
    let text = "uncat: warning: starting.\nuncat: warning: end of input.\nuncat: warning: starting child.\na\n\
        uncat: warning: child exited.\nuncat: warning: exit.\n";
    assert_eq!(uncat.running.stderr(), text);
    // Neither a file nor a device is waited for.
    for input in ["in", "/dev/null"] {
        sandbox.write("in", "b\n");
        let mut command = sandbox.command("uncat");
        command.arg("cat").stdin(fs::File::open(sandbox.join(input)).unwrap());
        assert_eq!(command.output().unwrap().status.code(), Some(0));
    }
}

#[test]
fn a_fifo_is_waited_for_asleep() {
    if only_svbox("end of a fifo") {
        return;
    }
    let sandbox = Sandbox::new();
    let fifo = sandbox.join("fifo");
    rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec uncat -s 2 cat <fifo"]);
    let mut uncat = sandbox.start(command);
    for number in 1..4 {
        let mut writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        writer.write_all(b"x\n").unwrap();
        drop(writer);
        until("the line", || uncat.stderr() == "x\n".repeat(number));
    }
    until("sleep", || fs::read_to_string(format!("/proc/{}/stat", uncat.pid())).unwrap().contains(") S "));
    uncat.signal(Signal::TERM);
    assert_eq!(uncat.ended().code(), Some(0));
    // With -o it is the end.
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec uncat -o cat <fifo"]);
    let mut uncat = sandbox.start(command);
    fs::write(&fifo, "y\n").unwrap();
    assert_eq!(uncat.ended().code(), Some(0));
    assert_eq!(uncat.stderr(), "y\n");
}

#[test]
fn a_wrong_command_line_is_answered_with_the_usage() {
    let sandbox = Sandbox::new();
    let usage = format!("usage: {} [-vo] [-t timeout] [-s size] prog\n\n", program("uncat").display());
    let rows = [
        (&[][..], ""),
        (&["-v"], ""),
        (&["-x", "cat"], "uncat: illegal option -- x\n"),
        (&["-t"], "uncat: option requires an argument -- t\n"),
    ];
    for (args, before) in rows {
        let output = sandbox.output("uncat", args);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{before}{usage}"));
    }
    let output: std::process::Output =
        Command::new(program("uncat")).arg("-V").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.ends_with(usage.as_bytes()));
}
