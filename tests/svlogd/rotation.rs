//! When `current` becomes an old log, and what that is called.

use super::*;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the logs are that this makes, the live one last. They must be the input, cut.
#[track_caller]
fn sizes(options: &[&str], config: &str, input: &str) -> Vec<usize> {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("n0\n{config}\n"));
    fed(&sandbox, &[options, &["d"]].concat(), input);
    if !options.contains(&"-t") {
        assert!(log.whole() == input.as_bytes(), "the input is not what is logged");
    }
    log.sizes()
}

#[test]
fn a_log_is_full_at_the_end_of_a_line_that_leaves_no_more_room_than_the_length() {
    assert_eq!(sizes(&[], "s2000", &lines(25, 100)), [1000, 1000, 500]);
    assert_eq!(sizes(&["-l", "10"], "s100", &lines(25, 10)), [90, 90, 70]);
    // One byte less is not enough yet.
    assert_eq!(sizes(&["-l", "10"], "s100", &(lines(1, 89) + &lines(1, 5) + &lines(1, 5))), [94, 5]);
    assert_eq!(sizes(&["-l", "10"], "s100", &(lines(1, 90) + &lines(1, 5))), [90, 5]);
    assert_eq!(sizes(&["-l", "11"], "s100", &(lines(1, 89) + &lines(1, 5))), [89, 5]);
}

#[test]
fn by_default_a_log_is_full_a_thousand_bytes_before_a_million() {
    assert_eq!(sizes(&[], "", &lines(12_000, 100)), [999_000, 201_000]);
}

#[test]
fn no_log_is_ever_larger_than_the_size() {
    assert_eq!(sizes(&["-l", "10"], "s100", &(lines(1, 85) + &lines(1, 30))), [100, 15]);
    assert_eq!(sizes(&["-l", "10"], "s100", &lines(1, 250)), [100, 100, 50]);
    assert_eq!(sizes(&["-l", "10"], "s100", &lines(1, 300)), [100, 100, 100, 0]);
}

#[test]
fn a_very_long_line_is_cut_into_many_logs() {
    let mut expected = vec![4096; 244];
    expected.push(1_000_000 - 244 * 4096);
    assert_eq!(sizes(&[], "s4k", &("x".repeat(999_999) + "\n")), expected);
}

#[test]
fn with_a_size_that_is_the_length_each_line_has_its_own_log() {
    assert_eq!(sizes(&["-l", "100"], "s100", "a\nbcd\n\nef\n"), [2, 4, 1, 3, 0]);
}

#[test]
fn with_a_size_below_the_length_lines_are_cut_at_the_size() {
    assert_eq!(sizes(&["-l", "1000"], "s100", &lines(10, 30)), [100, 100, 100]);
    assert_eq!(sizes(&["-l", "1000"], "s100", &lines(11, 30)), [100, 100, 100, 30]);
}

#[test]
fn stamps_prefixes_and_newlines_count() {
    // Each line is 26 + 5 + 4 bytes.
    assert_eq!(sizes(&["-l", "10", "-t"], "s100\npweb: ", "abc\ndef\nghi\njkl\n"), [100, 40]);
}

#[test]
fn what_was_there_before_counts() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s100\n");
    log.write("current", lines(8, 10));
    log.set_mode("current", 0o744);
    fed(&sandbox, &["-l", "10", "d"], "0123456789abcd\nx\n");
    assert_eq!(log.sizes(), [95, 2]);
}

#[test]
fn a_log_that_is_full_already_gets_no_more() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s100\n");
    log.write("current", lines(15, 10));
    log.set_mode("current", 0o744);
    fed(&sandbox, &["-l", "10", "d"], "x\n");
    assert_eq!(log.sizes(), [150, 2]);
}

#[test]
fn an_old_log_has_the_time_in_its_name() {
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s100\n");
    let before = seconds();
    fed(&sandbox, &["-l", "100", "d"], "a\n");
    let name = log.only_old();
    let digits = name.strip_prefix('@').unwrap().strip_suffix(".s").unwrap();
    assert!(digits.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{name}");
    let time = u64::from_str_radix(&digits[..16], 16).unwrap() - 0x4000_0000_0000_000a;
    assert!(before <= time && time <= seconds(), "{before}, {name}");
    assert!(u32::from_str_radix(&digits[16..], 16).unwrap() < 1_000_000_000, "{name}");
}

#[test]
fn names_differ_and_are_in_the_order_of_what_was_logged() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s100\nn0\n");
    let input = lines(1000, 6);
    fed(&sandbox, &["-l", "100", "d"], &input);
    let expected: Vec<_> = input.split_inclusive('\n').collect();
    assert_eq!(log.old_texts(), expected);
}

#[test]
fn an_old_log_is_executable_and_the_new_one_is_not() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    live.signal(Signal::ALARM);
    let old = log.until_old(1, ".s");
    assert_eq!(log.mode(&old[0]), 0o744);
    until("a new current", || log.join("current").exists() && log.mode("current") == 0o644);
    assert_eq!(log.current(), "");
}

#[test]
fn alrm_makes_an_old_log_of_each_live_one_that_is_not_empty() {
    let sandbox = Sandbox::new();
    let logs = [log(&sandbox, "one", ""), log(&sandbox, "empty", "-*\n"), log(&sandbox, "two", "")];
    let mut live = Live::start(&sandbox, &["one", "empty", "two"]);
    live.say("a\n");
    logs[2].until_current("a\n");
    live.signal(Signal::ALARM);
    logs[0].until_old(1, ".s");
    logs[2].until_old(1, ".s");
    live.say("b\n");
    logs[2].until_current("b\n");
    assert_eq!(live.end().0, Some(0));
    assert_eq!(logs[0].old_texts(), ["a\n"]);
    assert!(logs[1].old().is_empty());
    assert_eq!(logs[0].current(), "b\n");
}

#[test]
fn alrm_inside_a_line_leaves_the_line_whole() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\nbe");
    log.until_current("a\n");
    live.until_read();
    live.signal(Signal::ALARM);
    log.until_old(1, ".s");
    live.say("gun\n");
    log.until_current("begun\n");
    assert_eq!(log.old_texts(), ["a\n"]);
}

#[test]
fn a_rotation_is_told() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "s100\n");
    let (_, said) = feed(&sandbox, &["-v", "-l", "100", "d"], "abcdef\n");
    let expected = "svlogd: info: read: d/config\nsvlogd: info: new: d/current\n\
        svlogd: info: rename: d/current @T.s 7\nsvlogd: info: close: d\n";
    assert_eq!(without_times(&said), expected);
}

#[test]
fn a_log_becomes_old_by_age() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "t2\n");
    let start = Instant::now();
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_old(1, ".s");
    assert!(start.elapsed() >= Duration::from_millis(1900), "old after {:?}", start.elapsed());
    live.say("b\n");
    log.until_old(2, ".s");
    assert!(start.elapsed() >= Duration::from_millis(3900), "old after {:?}", start.elapsed());
    assert_eq!(log.old_texts(), ["a\n", "b\n"]);
}

#[test]
fn an_empty_log_does_not_become_old_by_age() {
    let sandbox = Sandbox::new();
    let empty = log(&sandbox, "empty", "t1\n-*\n");
    let log = log(&sandbox, "d", "t1\n");
    let mut live = Live::start(&sandbox, &["empty", "d"]);
    for count in 1..=3 {
        live.say("a\n");
        log.until_old(count, ".s");
    }
    assert!(empty.old().is_empty());
}

#[test]
fn a_log_becomes_old_by_age_though_svlogd_is_started_often() {
    if only_svbox("age") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "t3\n");
    let start = Instant::now();
    until("an old log", || {
        fed(&sandbox, &["d"], "a\n");
        !log.old().is_empty()
    });
    // Nothing says how exactly that age is known; whole seconds will do.
    assert!(start.elapsed() >= Duration::from_secs(2), "old after {:?}", start.elapsed());
}

#[test]
fn what_fails_in_a_rotation_is_tried_again() {
    for (calls, failure) in [
        ("fsync,fdatasync", "unable to fsync current logfile"),
        ("rename,renameat,renameat2", "unable to rename current"),
    ] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", "");
        let mut command = traced(&sandbox, &format!("{calls}:error=EIO:when=1"), "svlogd");
        command.arg("d");
        let mut live = Live::run(&sandbox, command);
        live.say("a\n");
        log.until_current("a\n");
        live.signal(Signal::ALARM);
        live.until_said(&format!("pausing: {failure}: d: input/output error"));
        log.until_old(1, ".s");
        live.say("b\n");
        log.until_current("b\n");
        assert_eq!(log.old_texts(), ["a\n"]);
    }
}
