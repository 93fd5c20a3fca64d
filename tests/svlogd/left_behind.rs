//! What earlier svlogds left for a processor, and processors over HUP.

use super::*;

#[test]
fn what_an_earlier_svlogd_left_is_processed_at_start_the_oldest_first() {
    if only_svbox("left behind") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("!{NOTED}\n"));
    for time in [7, 1000, 3] {
        log.write(&name_at(time, ".u"), format!("{time}\n"));
    }
    let mut live = Live::start(&sandbox, &["d"]);
    log.until_old(3, ".s");
    assert_eq!(sandbox.read("order"), "3\n7\n1000\n");
    let expected = [3, 7, 1000].map(|time| name_at(time, ".s"));
    assert_eq!(log.old(), expected);
    live.say("a\n");
    log.until_current("a\n");
}

#[test]
fn a_log_that_was_not_closed_is_processed() {
    if only_svbox("left behind") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!tr a-z A-Z\n");
    log.write("current", "unclean\n");
    log.set_mode("current", 0o644);
    let _live = Live::start(&sandbox, &["d"]);
    let name = log.until_old(1, ".s").remove(0);
    assert_eq!((log.read(&name), log.mode(&name)), ("UNCLEAN\n".into(), 0o744));
}

#[test]
fn what_is_left_behind_is_processed_before_what_is_new() {
    if only_svbox("left behind") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("s100\n!{NOTED}\n"));
    log.write(&name_at(5, ".u"), "left\n");
    log.write("current", "unclean\n");
    log.set_mode("current", 0o644);
    fed(&sandbox, &["-l", "100", "d"], "new\n");
    assert_eq!(sandbox.read("order"), "left\nunclean\nnew\n");
    assert_eq!(log.old_texts(), ["left\n", "unclean\n", "new\n"]);
}

#[test]
fn what_is_found_at_hup_is_processed_too() {
    if only_svbox("left behind") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    log.write(&name_at(7, ".u"), "7\n");
    log.write(&name_at(3, ".u"), "3\n");
    log.write("config", format!("!{NOTED}\n"));
    live.signal(Signal::HUP);
    log.until_old(2, ".s");
    assert_eq!(sandbox.read("order"), "3\n7\n");
}

#[test]
fn without_a_processor_what_is_left_behind_stays() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    log.write(&name_at(7, ".u"), "7\n");
    fed(&sandbox, &["d"], "a\n");
    assert_eq!(log.old(), [name_at(7, ".u")]);
}

#[test]
fn half_of_what_a_processor_made_is_not_taken_for_the_whole() {
    if only_svbox("left behind") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!cat\n");
    log.write(&name_at(7, ".u"), "whole\n");
    log.write(&name_at(7, ".t"), "the half of something longer");
    let _live = Live::start(&sandbox, &["d"]);
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["whole\n"]);
}

#[test]
fn a_processor_is_not_forgotten_at_hup() {
    if only_svbox("kept over HUP") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("!{UNTIL_GO}; {NOTED}\n"));
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    rotate(&mut live, &log, "a\n");
    begun(&sandbox, 1);
    live.signal(Signal::HUP);
    live.until_said_times(2, "info: read: d/config");
    live.say("b\n");
    log.until_current("b\n");
    sandbox.write("go", "");
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["a\n"]);
    assert_eq!(live.end().0, Some(0));
    assert_eq!((sandbox.read("order"), sandbox.lines("begun")), ("a\n".into(), 1));
}
