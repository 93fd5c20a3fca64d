//! What svlogd meets that it has not made: descriptors, readers and inputs that are not as they should be.

use super::*;
use std::io::Write;

#[test]
fn standard_input_is_not_left_non_blocking() {
    if only_svbox("non-blocking") {
        return;
    }
    for term in [false, true] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", "");
        let mut live = Live::start(&sandbox, &["d"]);
        live.say("a\n");
        log.until_current("a\n");
        if term {
            live.signal(Signal::TERM);
        } else {
            live.input = None;
        }
        assert_eq!(live.ended(), Some(0));
        assert!(!fcntl_getfl(&live.output).unwrap().contains(OFlags::NONBLOCK));
    }
}

#[test]
fn standard_input_may_be_non_blocking() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let (output, mut input) = std::io::pipe().unwrap();
    fcntl_setfl(&output, OFlags::NONBLOCK).unwrap();
    let mut command = sandbox.command("svlogd");
    command.arg("d").stdin(output);
    let mut svlogd = sandbox.start(command);
    input.write_all(b"a\n").unwrap();
    log.until_current("a\n");
    input.write_all(b"b\n").unwrap();
    drop(input);
    assert_eq!(svlogd.ended().code(), Some(0));
    assert_eq!((log.current(), svlogd.stderr()), ("a\nb\n".into(), String::new()));
}

#[test]
fn a_read_error_is_warned_about_and_is_not_the_end_of_input() {
    if only_svbox("read error") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut command = sandbox.command("svlogd");
    command.arg("d").stdin(fs::File::open(sandbox.path()).unwrap());
    let mut svlogd = sandbox.start(command);
    assert_eq!(svlogd.ended().code(), Some(111));
    let warning = svlogd.stderr();
    assert!(warning.ends_with(": unable to read standard input: is a directory\n"), "{warning}");
    assert_eq!(log.mode("current"), 0o744, "it was not closed properly");
}

#[test]
fn a_read_error_is_warned_about() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "");
    let mut command = sandbox.command("svlogd");
    command.arg("d").stdin(fs::File::open(sandbox.path()).unwrap());
    let mut svlogd = sandbox.start(command);
    svlogd.ended();
    assert_eq!(svlogd.stderr(), "svlogd: warning: unable to read standard input: is a directory\n");
}

#[test]
fn a_closed_standard_input_is_an_empty_one() {
    if only_svbox("no input") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "p> \n");
    let mut svlogd = sandbox.start(behind(&sandbox, "", "<&-", &["-v", "d"]));
    assert_eq!(svlogd.ended().code(), Some(0));
    assert_eq!((log.current(), log.mode("current")), (String::new(), 0o744));
    let expected = "svlogd: info: read: d/config\nsvlogd: info: new: d/current\nsvlogd: info: close: d\n";
    assert_eq!(svlogd.stderr(), expected);
}

#[test]
fn nothing_is_said_into_a_log_when_standard_error_is_closed() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "e*\n!echo said >&2; cat\n");
    let mut live = Live::run(&sandbox, behind(&sandbox, "", "2>&-", &["-v", "d", "gone"]));
    live.say("a\n");
    log.until_current("a\n");
    live.signal(Signal::ALARM);
    log.until_old(1, ".s");
    live.say("b\n");
    log.until_current("b\n");
    assert_eq!(live.end().0, Some(0));
    assert_eq!((log.old_texts(), log.current()), (vec!["a\n".into()], "b\n".into()));
    assert_eq!((log.bytes("lock"), log.read("config")), (vec![], "e*\n!echo said >&2; cat\n".into()));
}

#[test]
fn lines_are_logged_though_nobody_reads_standard_error() {
    if only_svbox("broken pipe") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "e*\n");
    let (reader, writer) = std::io::pipe().unwrap();
    let (output, mut input) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = sandbox.command("svlogd");
    let mut svlogd = command.args(["-v", "d"]).stdin(output).stderr(writer).spawn().unwrap();
    input.write_all(b"a\nb\n").unwrap();
    log.until_current("a\nb\n");
    drop(input);
    assert_eq!(svlogd.wait().unwrap().code(), Some(0));
    assert_eq!(log.mode("current"), 0o744);
}

#[test]
fn a_processor_starts_with_the_usual_action_for_a_broken_pipe() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!yes | head -n 1; cat\n");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    live.signal(Signal::ALARM);
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["y\na\n"]);
    // `yes` would complain about a write that fails.
    assert_eq!(live.end(), (Some(0), String::new()));
}

#[test]
fn lines_that_come_together_are_written_together() {
    if only_svbox("batched") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut command = traced(&sandbox, "write,writev:delay_enter=0", "svlogd");
    command.args(["-b", "8192", "d"]);
    let input = lines(2000, 30);
    command.stdin(fs::File::open(sandbox.write("input", &input)).unwrap());
    let mut svlogd = sandbox.start(command);
    assert_eq!(svlogd.ended().code(), Some(0));
    assert!(log.current() == input);
    until("the whole trace", || sandbox.running("strace").is_empty());
    let writes = sandbox.read("trace").lines().filter(|line| line.starts_with("write")).count();
    assert!((1..=200).contains(&writes), "{writes} writes for 2000 lines");
}

#[test]
fn the_stderr_switch_is_reset_at_hup() {
    if only_svbox("stderr switch") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "e*\n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    live.say("a\n");
    log.until_current("a\n");
    log.write("config", "# nothing\n");
    live.signal(Signal::HUP);
    live.until_said_times(2, "info: read: d/config");
    live.say("b\n");
    log.until_current("a\nb\n");
    let (_, said) = live.end();
    assert!(said.lines().any(|line| line == "a") && !said.lines().any(|line| line == "b"), "{said}");
}

#[test]
fn patterns_that_are_gone_at_hup_select_no_more() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "-*\n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    live.say("a\n");
    live.until_said("info: new: d/current");
    live.until_read();
    log.write("config", "# nothing\n");
    live.signal(Signal::HUP);
    live.until_said_times(2, "info: read: d/config");
    live.say("b\n");
    until("a line", || log.current().ends_with("b\n"));
}

#[test]
fn a_loop_through_all_of_it_loses_nothing() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s5000\nn0\n!tr a-z A-Z\n");
    let mut live = Live::start(&sandbox, &["-b", "2000", "d"]);
    let input: String = (0..3000).map(|number| format!("line number {number}\n")).collect();
    for part in input.as_bytes().chunks(7000) {
        live.say(part);
        live.until_read();
        live.signal(Signal::ALARM);
    }
    assert_eq!(live.end(), (Some(0), String::new()));
    let logged = String::from_utf8(log.whole()).unwrap();
    assert!(logged.to_uppercase() == input.to_uppercase(), "lines are missing or torn");
    assert!(log.old().iter().all(|name| name.ends_with(".s")), "{:?}", log.old());
}

#[test]
fn a_socket_can_be_the_input() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let (mut input, output) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = sandbox.command("svlogd");
    command.arg("d").stdin(std::os::fd::OwnedFd::from(output));
    let mut svlogd = sandbox.start(command);
    input.write_all(b"a\n").unwrap();
    log.until_current("a\n");
    drop(input);
    assert_eq!((svlogd.ended().code(), svlogd.stderr()), (Some(0), String::new()));
}
