//! How it ends.

use super::*;

#[test]
fn term_and_int_end_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let sandbox = Sandbox::new();
        let mut socklog = Live::start(&sandbox, &["unix", "log"]);
        socklog.send(&[b"x"]);
        socklog.until_written("x\n");
        socklog.running.signal(signal);
        assert_eq!(socklog.running.ended().code(), Some(0));
    }
}

#[test]
fn term_is_heard_though_it_was_blocked_or_ignored() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("sh");
    command.args(["-c", "trap '' TERM INT; exec socklog unix log"]);
    let mut socklog = Live::run(&sandbox, command);
    socklog.running.signal(Signal::TERM);
    assert_eq!(socklog.running.ended().code(), Some(0));
}

#[test]
fn what_has_arrived_before_term_is_written() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    socklog.running.signal(Signal::STOP);
    until("a stop", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", socklog.running.pid())).unwrap();
        stat.contains(") T ")
    });
    socklog.send(&[b"1", b"2", b"3"]);
    socklog.running.signal(Signal::TERM);
    socklog.running.signal(Signal::CONT);
    let Live { mut running, .. } = socklog;
    assert_eq!(running.ended().code(), Some(0));
    assert_eq!(sandbox.read("out"), "1\n2\n3\n");
}
