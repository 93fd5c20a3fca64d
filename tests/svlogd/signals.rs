//! TERM, and signals that kill. HUP is in `hup`, ALRM in `rotation`.

use super::*;

#[test]
fn term_at_the_end_of_a_line_ends_svlogd() {
    let sandbox = Sandbox::new();
    let (log, mut live) = at_work(&sandbox, "");
    live.until_read();
    live.signal(Signal::TERM);
    assert_eq!(live.ended(), Some(0));
    assert_eq!((log.current(), log.mode("current")), ("a\n".into(), 0o744));
    let expected = "svlogd: info: new: d/current\nsvlogd: info: sigterm received.\nsvlogd: info: close: d\n";
    assert_eq!(live.stderr(), expected);
}

#[test]
fn term_does_not_make_an_old_log() {
    let sandbox = Sandbox::new();
    let (log, mut live) = at_work(&sandbox, "!cat\n");
    live.signal(Signal::TERM);
    assert_eq!(live.ended(), Some(0));
    assert!(log.old().is_empty());
}

#[test]
fn term_ends_svlogd_though_there_is_always_more_to_read() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "n2\n");
    let (output, input) = std::io::pipe().unwrap();
    let mut yes = sandbox.command("yes");
    yes.stdout(input);
    let _yes = sandbox.start(yes);
    let mut command = sandbox.command("svlogd");
    command.arg("d").stdin(output.try_clone().unwrap());
    let mut svlogd = sandbox.start(command);
    until("some lines", || log.current().len() > 10_000);
    svlogd.signal(Signal::TERM);
    assert_eq!(svlogd.ended().code(), Some(0));
    drop(output);
}

#[test]
fn term_loses_no_line() {
    if only_svbox("term line") {
        return;
    }
    for count in [3, 1000, 3000] {
        let sandbox = Sandbox::new();
        let (log, mut live) = at_work(&sandbox, "");
        live.until_read();
        let input = lines(count, 20);
        live.stop();
        live.say(&input);
        live.signal(Signal::TERM);
        live.signal(Signal::CONT);
        assert_eq!(live.ended(), Some(0));
        let all = [log.whole(), live.left()].concat();
        assert!(
            all == format!("a\n{input}").as_bytes(),
            "{count} lines: {} bytes are logged or left",
            all.len()
        );
    }
}

#[test]
fn the_next_svlogd_goes_on_where_term_ended_the_last() {
    if only_svbox("term line") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    let input = lines(10_000, 20);
    for part in input.as_bytes().chunks(50_000) {
        // So it is listening.
        let before = log.current().len();
        live.say(&part[..20]);
        until("more lines", || log.current().len() > before);
        live.until_read();
        live.stop();
        live.say(&part[20..]);
        live.signal(Signal::TERM);
        live.signal(Signal::CONT);
        assert_eq!(live.ended(), Some(0));
        live.go_on(&sandbox, &["d"]);
    }
    assert_eq!(live.end().0, Some(0));
    assert!(log.whole() == input.as_bytes(), "lines are missing or torn");
}

#[test]
fn term_inside_a_line_waits_for_its_end() {
    let sandbox = Sandbox::new();
    let (_log, mut live) = at_work(&sandbox, "");
    live.say("half");
    live.until_read();
    live.signal(Signal::TERM);
    live.until_said("info: sigterm received.");
    live.say(" and");
    live.until_read();
    assert!(live.svlogd.lives());
    live.say(" half\n");
    assert_eq!(live.ended(), Some(0));
}

#[test]
fn the_line_that_term_comes_into_is_logged() {
    if only_svbox("term line") {
        return;
    }
    let sandbox = Sandbox::new();
    let (log, mut live) = at_work(&sandbox, "");
    live.say("half");
    live.until_read();
    live.signal(Signal::TERM);
    live.until_said("info: sigterm received.");
    live.say(" and half\nnext\n");
    assert_eq!(live.ended(), Some(0));
    let (logged, left) = (log.current(), String::from_utf8(live.left()).unwrap());
    assert!(logged.starts_with("a\nhalf and half\n"), "{logged:?}");
    assert_eq!(logged + &left, "a\nhalf and half\nnext\n");
    assert_eq!(log.mode("current"), 0o744);
}

#[test]
fn after_term_inside_a_line_the_end_of_input_is_its_end() {
    if only_svbox("term line") {
        return;
    }
    let sandbox = Sandbox::new();
    let (log, mut live) = at_work(&sandbox, "");
    live.say("half");
    live.until_read();
    live.signal(Signal::TERM);
    live.until_said("info: sigterm received.");
    assert_eq!(live.end().0, Some(0));
    assert_eq!(log.current(), "a\nhalf\n");
}

#[test]
fn a_second_term_inside_a_line_ends_at_once_and_logs_it() {
    if only_svbox("term line") {
        return;
    }
    for half in ["half".to_owned(), "half".repeat(1000)] {
        let sandbox = Sandbox::new();
        let (log, mut live) = at_work(&sandbox, "");
        live.say(&half);
        live.until_read();
        live.signal(Signal::TERM);
        live.until_said("info: sigterm received.");
        live.signal(Signal::TERM);
        assert_eq!(live.ended(), Some(0));
        assert_eq!((log.current(), log.mode("current")), (format!("a\n{half}\n"), 0o744));
    }
}

#[test]
fn other_signals_kill_svlogd() {
    use std::os::unix::process::ExitStatusExt;
    for (signal, number) in [(Signal::INT, 2), (Signal::QUIT, 3), (Signal::USR1, 10), (Signal::USR2, 12)] {
        let sandbox = Sandbox::new();
        let (log, mut live) = at_work(&sandbox, "");
        live.signal(signal);
        assert_eq!(live.svlogd.ended().signal(), Some(number));
        assert_eq!(log.mode("current"), 0o644, "it was closed properly");
    }
}
