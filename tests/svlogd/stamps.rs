//! Time stamps.

use super::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Logs one line; gives it without its newline, and the times before and after.
fn stamped(option: &str, zone: Option<&str>) -> (String, Duration, Duration) {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut command = sandbox.command("svlogd");
    command.args([option, "d"]);
    match zone {
        Some(zone) => command.env("TZ", zone),
        None => command.env_remove("TZ"),
    };
    let before = now();
    let mut live = Live::run(&sandbox, command);
    live.say("text\n");
    assert_eq!(live.end(), (Some(0), String::new()));
    (log.current().strip_suffix('\n').unwrap().into(), before, now())
}

/// What `date` says.
fn date(zone: Option<&str>, args: &[&str]) -> String {
    let mut command = Command::new("date");
    match zone {
        Some(zone) => command.env("TZ", zone),
        None => command.env_remove("TZ"),
    };
    let output = command.args(args).output().unwrap();
    assert!(output.status.success(), "date {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}

/// Checks the form of `YYYY-MM-DD_HH:MM:SS.fffff`.
#[track_caller]
fn assert_decimal(stamp: &str, between: char) {
    let form: String = stamp.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(form, format!("0000-00-00{between}00:00:00.00000"), "{stamp:?}");
}

/// The time that a decimal stamp shows, in hundred-thousandths of a second.
fn time_of(stamp: &str, offset: &str) -> u128 {
    let (day, time) = (&stamp[..10], &stamp[11..19]);
    let seconds: u128 = date(None, &["-d", &format!("{day} {time} {offset}"), "+%s"]).parse().unwrap();
    seconds * 100_000 + stamp[20..25].parse::<u128>().unwrap()
}

/// Checks that a time in hundred-thousandths of a second is one of these, cut and not rounded.
#[track_caller]
fn assert_between(before: Duration, time: u128, after: Duration) {
    let cut = |time: Duration| time.as_micros() / 10;
    assert!(cut(before) <= time && time <= cut(after), "{before:?}, {time}, {after:?}");
}

/// The seconds and nanoseconds of a label, `@` and 24 digits.
fn label(text: &str) -> (u64, u32) {
    let digits = text.strip_prefix('@').unwrap();
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{text}");
    let seconds = u64::from_str_radix(&digits[..16], 16).unwrap();
    (seconds - 0x4000_0000_0000_000a, u32::from_str_radix(&digits[16..24], 16).unwrap())
}

#[test]
fn one_t_is_a_label() {
    let (line, before, after) = stamped("-t", None);
    let (stamp, text) = line.split_once(' ').unwrap();
    assert_eq!((stamp.len(), text), (25, "text"));
    let (seconds, nanoseconds) = label(stamp);
    let time = Duration::new(seconds, nanoseconds);
    let micro = Duration::from_micros(1);
    assert!(before - micro <= time && time <= after + micro, "{before:?}, {time:?}, {after:?}");
}

#[test]
fn a_label_counts_microseconds_and_half_of_one() {
    let (line, ..) = stamped("-t", None);
    assert_eq!(label(&line[..25]).1 % 1000, 500, "{line}");
}

#[test]
fn two_t_are_a_date_and_a_time_in_utc() {
    for zone in [None, Some("CET-1CEST,M3.5.0,M10.5.0/3"), Some("<-0330>3:30")] {
        let (line, before, after) = stamped("-tt", zone);
        let (stamp, text) = line.split_once(' ').unwrap();
        assert_eq!(text, "text");
        assert_decimal(stamp, '_');
        assert_between(before, time_of(stamp, "+0000"), after);
    }
}

#[test]
fn three_t_have_a_t_between_date_and_time() {
    let (line, before, after) = stamped("-ttt", Some("CET-1CEST,M3.5.0,M10.5.0/3"));
    let (stamp, text) = line.split_once(' ').unwrap();
    assert_eq!(text, "text");
    assert_decimal(stamp, 'T');
    assert_between(before, time_of(stamp, "+0000"), after);
}

#[test]
fn the_count_of_t_may_be_spread_over_words() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["-t", "-t", "-t", "d"], "text\n");
    assert_decimal(&log.current()[..25], 'T');
}

/// Checks local time in a zone against what `date` takes it for.
#[track_caller]
fn assert_local(zone: Option<&str>) {
    let (line, before, after) = stamped("-tttt", zone);
    let (stamp, text) = line.split_once(' ').unwrap();
    assert_eq!((stamp.len(), text), (30, "text"), "{zone:?}: {line}");
    let (time, offset) = stamp.split_at(25);
    assert_decimal(time, '_');
    assert_between(before, time_of(time, offset), after);
    let second = (time_of(time, offset) / 100_000).to_string();
    assert_eq!(offset, date(zone, &["-d", &format!("@{second}"), "+%z"]), "{zone:?}: {line}");
}

#[test]
fn four_t_are_local_time_with_its_offset() {
    if only_svbox("M") {
        return;
    }
    for zone in ["CET-1", "EST5", "UTC0", "<+0545>-5:45", "<+14>-14", "<-12>12", ""] {
        assert_local(Some(zone));
    }
}

#[test]
fn minutes_of_an_offset_are_right_west_of_greenwich_too() {
    if only_svbox("M") {
        return;
    }
    assert_local(Some("<-0330>3:30"));
    assert_local(Some("<-0930>9:30"));
    let (line, ..) = stamped("-tttt", Some("<-0030>0:30"));
    assert_eq!(&line[25..], "-0030 text");
}

#[test]
fn local_time_knows_summer_on_both_halves_of_the_earth() {
    if only_svbox("M") {
        return;
    }
    for zone in [
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",
        "NST3:30NDT,M3.2.0,M11.1.0",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "AAA-1BBB-3:15,J1/0,J183",
        "AAA-1BBB-3:15,J184/0,J365/23",
        "AAA-1BBB,182,1",
    ] {
        assert_local(Some(zone));
    }
}

#[test]
fn local_time_knows_the_zones_of_the_system() {
    if only_svbox("M") {
        return;
    }
    assert_local(None);
    for zone in ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"] {
        if Path::new("/usr/share/zoneinfo").join(zone).exists() {
            assert_local(Some(zone));
            assert_local(Some(&format!(":{zone}")));
            assert_local(Some(&format!("/usr/share/zoneinfo/{zone}")));
        }
    }
}

#[test]
fn every_line_has_its_stamp() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["-tt", "d"], "a\n\n\nb\n");
    let texts: Vec<_> = log.current().lines().map(|line| line.split_at(26).1.to_owned()).collect();
    assert_eq!(texts, ["a", "", "", "b"]);
    log.current().lines().for_each(|line| assert_decimal(&line[..25], '_'));
}

#[test]
fn a_long_line_has_one_stamp() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let line = "x".repeat(5000) + "\n";
    fed(&sandbox, &["-t", "d"], &line);
    assert_eq!(log.current().split_once(' ').unwrap().1, line);
}

#[test]
fn a_stamp_is_of_the_time_when_the_line_began() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["-t", "d"]);
    live.say("first\nbe");
    log_has(&log, 1);
    live.until_read();
    let begun = now();
    // A stamp of a later time would be another second.
    until("the next second but one", || now().as_secs() > begun.as_secs() + 1);
    live.say("gun\n");
    live.end();
    let line = log.current().lines().nth(1).unwrap().to_owned();
    assert!(label(&line[..25]).0 <= begun.as_secs(), "{line} has begun before {begun:?}");
    assert_eq!(&line[26..], "begun");
}

#[test]
fn a_later_line_has_a_later_stamp() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["-t", "d"]);
    live.say("a\n");
    log_has(&log, 1);
    let between = now();
    live.say("b\n");
    live.end();
    let stamps: Vec<_> = log.current().lines().map(|line| label(&line[..25])).collect();
    let time = |(seconds, nanoseconds)| Duration::new(seconds, nanoseconds);
    let micro = Duration::from_micros(1);
    assert!(
        time(stamps[0]) <= between + micro && between <= time(stamps[1]) + micro,
        "{stamps:?}, {between:?}"
    );
}

fn log_has(log: &Log<'_>, count: usize) {
    until("a line", || log.current().lines().count() == count);
}
