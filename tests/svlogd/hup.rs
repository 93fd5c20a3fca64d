//! HUP: everything is opened anew.

use super::*;

#[test]
fn hup_opens_everything_anew() {
    let sandbox = Sandbox::new();
    let (_, mut live) = at_work(&sandbox, "p1 \n");
    fs::rename(sandbox.join("d"), sandbox.join("moved")).unwrap();
    let log = log(&sandbox, "d", "p2 \n");
    live.signal(Signal::HUP);
    until("a new log", || log.join("current").exists());
    live.say("b\n");
    log.until_current("2 b\n");
    let moved = Log { sandbox: &sandbox, name: "moved".into() };
    assert_eq!((moved.current(), moved.mode("current")), ("1 a\n".into(), 0o744));
    fed(&sandbox, &["moved"], "c\n");
}

#[test]
fn hup_is_told() {
    let sandbox = Sandbox::new();
    let (_log, live) = at_work(&sandbox, "p\n");
    live.signal(Signal::HUP);
    live.until_said("info: append: d/current");
    let expected = "svlogd: info: read: d/config\nsvlogd: info: new: d/current\n\
        svlogd: info: sighangup received.\nsvlogd: info: close: d\n\
        svlogd: info: read: d/config\nsvlogd: info: append: d/current\nsvlogd: info: close: d\n";
    assert_eq!(live.end().1, expected);
}

#[test]
fn hup_keeps_half_a_line_for_the_new_log() {
    let sandbox = Sandbox::new();
    let (_, mut live) = at_work(&sandbox, "");
    live.say("half");
    live.until_read();
    fs::rename(sandbox.join("d"), sandbox.join("moved")).unwrap();
    let log = log(&sandbox, "d", "");
    live.signal(Signal::HUP);
    until("a new log", || log.join("current").exists());
    live.say(" and half\n");
    log.until_current("half and half\n");
    assert_eq!(sandbox.read("moved/current"), "a\n");
}

#[test]
fn hup_inside_a_line_of_any_length_loses_nothing() {
    let sandbox = Sandbox::new();
    let (log, mut live) = at_work(&sandbox, "");
    let half = "x".repeat(5000);
    live.say(&half);
    live.until_read();
    live.signal(Signal::HUP);
    live.until_said("info: append: d/current");
    live.say("end\nb\n");
    log.until_current(&format!("a\n{half}end\nb\n"));
}

#[test]
fn hup_takes_in_a_directory_that_failed_before() {
    let sandbox = Sandbox::new();
    let one = log(&sandbox, "one", "");
    let mut live = Live::start(&sandbox, &["-v", "one", "two"]);
    live.say("a\n");
    one.until_current("a\n");
    let two = log(&sandbox, "two", "");
    live.signal(Signal::HUP);
    live.until_said("info: new: two/current");
    live.say("b\n");
    two.until_current("b\n");
    assert_eq!(one.current(), "a\nb\n");
}

#[test]
fn hup_leaves_out_a_directory_that_is_gone() {
    let sandbox = Sandbox::new();
    let (one, two) = (log(&sandbox, "one", ""), log(&sandbox, "two", ""));
    let mut live = Live::start(&sandbox, &["one", "two"]);
    live.say("a\n");
    two.until_current("a\n");
    fs::remove_dir_all(sandbox.join("one")).unwrap();
    live.signal(Signal::HUP);
    live.until_said("warning: unable to open log directory: one: file does not exist");
    live.say("b\n");
    two.until_current("a\nb\n");
    assert!(!one.join("").exists());
}

#[test]
fn hup_with_all_directories_gone_is_fatal() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    fs::remove_dir_all(sandbox.join("d")).unwrap();
    live.signal(Signal::HUP);
    assert_eq!(live.ended(), Some(111));
    let warning = "svlogd: warning: unable to open log directory: d: file does not exist\n";
    assert_eq!(live.stderr(), format!("{warning}{NONE}"));
}

#[test]
fn hup_finds_a_relative_directory_again_and_again() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "x/y/d", "");
    let mut command = sandbox.command("svlogd");
    command.args(["-v", "../x/y/d"]).current_dir(sandbox.join("x"));
    let mut live = Live::run(&sandbox, command);
    live.say("0\n");
    log.until_current("0\n");
    for count in 1..=3 {
        live.signal(Signal::HUP);
        live.until_said_times(count, "info: append: ../x/y/d/current");
        live.say(format!("{count}\n"));
        until("the line", || log.current().ends_with(&format!("{count}\n")));
    }
    assert_eq!(log.current(), "0\n1\n2\n3\n");
}

#[test]
fn hup_in_the_middle_of_much_input_loses_nothing() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s20000\nn0\n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    let input = lines(20_000, 30);
    for (number, part) in input.as_bytes().chunks(100_000).enumerate() {
        live.say(part);
        live.signal(Signal::HUP);
        live.until_said_times(number + 1, "info: close: d");
    }
    assert_eq!(live.end().0, Some(0));
    assert!(log.whole() == input.as_bytes(), "lines are missing or torn");
}
