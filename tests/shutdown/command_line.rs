//! The command line of shutdown, and its times.

use super::grammar::{Job, Options, When};
use super::time::{minutes, next};
use super::*;
use svbox::log::zone::Zone;
use svbox::sys::power::End;
use svbox::sys::time::Duration;

fn job(letters: &str, time: &str) -> Option<Job> {
    let mut options = Options::default();
    letters.bytes().for_each(|letter| options.take(letter));
    options.job((!time.is_empty()).then_some(time.as_bytes()))
}

#[test]
fn the_letters_say_how_it_ends() {
    let now = When::In(0);
    let rows = [
        ("h", Some(End::PowerOff)),
        ("P", Some(End::PowerOff)),
        ("hP", Some(End::PowerOff)),
        ("H", Some(End::Halt)),
        ("hH", Some(End::Halt)),
        ("Hh", Some(End::Halt)),
        ("r", Some(End::Reboot)),
        ("rh", Some(End::Reboot)),
        ("hr", Some(End::Reboot)),
        ("Pr", Some(End::Reboot)),
        ("rP", Some(End::PowerOff)),
        ("rtfF", Some(End::Reboot)),
        ("", None),
        ("fF", None),
        ("k", None),
    ];
    for (letters, end) in rows {
        assert_eq!(job(letters, "now"), Some(Job::Shutdown(end, now)), "-{letters} now");
        let without_time = end.map(|end| Job::Shutdown(Some(end), now));
        assert_eq!(job(letters, ""), without_time, "-{letters}");
        assert_eq!(job(&format!("{letters}c"), ""), Some(Job::Cancel), "-{letters}c");
        assert_eq!(job(&format!("c{letters}"), "words"), Some(Job::Cancel), "-c{letters} words");
    }
}

#[test]
fn a_time_is_now_or_minutes_or_of_the_clock() {
    let rows = [
        ("now", Some(When::In(0))),
        ("+0", Some(When::In(0))),
        ("+1", Some(When::In(1))),
        ("+007", Some(When::In(7))),
        ("+10000000", Some(When::In(10_000_000))),
        ("0:00", Some(When::At(0, 0))),
        ("00:00", Some(When::At(0, 0))),
        ("9:05", Some(When::At(9, 5))),
        ("23:59", Some(When::At(23, 59))),
    ];
    let wrong = [
        "5",
        "+",
        "+-1",
        "++1",
        "+1x",
        "1+",
        "-1",
        "+10000001",
        "+99999999999999999999",
        "24:00",
        "12:60",
        "12:5",
        "12:005",
        ":05",
        "012:05",
        "12:",
        "12:0x",
        "1 2:00",
        "+1:00",
        "Now",
        "now ",
        "noon",
        "12.30",
        "1230",
    ];
    for (word, when) in rows.into_iter().chain(wrong.map(|word| (word, None))) {
        let expected = when.map(|when| Job::Shutdown(Some(End::Reboot), when));
        assert_eq!(job("r", word), expected, "{word:?}");
    }
}

/// Seconds since 1970, and the time of the day in Germany.
#[test]
fn a_time_of_the_clock_is_the_next_one_at_the_place() {
    let zone = Zone::from_rule(b"CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    const NOON: i64 = 1_763_982_000; // 2025-11-24 12:00:00 CET
    let hours = |hours: i64| hours * 3600;
    let rows = [
        (NOON, 12, 0, NOON),
        (NOON + 59, 12, 0, NOON),
        (NOON + 60, 12, 0, NOON + hours(24)),
        (NOON, 12, 1, NOON + 60),
        (NOON, 11, 59, NOON + hours(24) - 60),
        (NOON, 0, 0, NOON + hours(12)),
        (NOON, 23, 59, NOON + hours(12) - 60),
        (NOON + hours(12), 0, 0, NOON + hours(12)),
        (NOON + hours(12) - 1, 0, 30, NOON + hours(12) + 1800),
    ];
    for (now, hour, minute, expected) in rows {
        assert_eq!(next(now, hour, minute, &zone) - NOON, expected - NOON, "{} {hour}:{minute}", now - NOON);
        let utc = next(now - hours(0), hour, minute, &Zone::default());
        assert_eq!((utc - NOON - hours(1)).rem_euclid(86_400), (expected - NOON).rem_euclid(86_400));
    }
    const SPRING: i64 = 1_774_656_000; // 2026-03-28 01:00:00 CET, a day and an hour before the change
    assert_eq!(next(SPRING, 1, 30, &zone), SPRING + 1800);
    assert_eq!(next(SPRING + hours(3), 3, 30, &zone), SPRING + hours(2) + 1800 + hours(23));
    assert_eq!(next(SPRING + hours(3), 3, 0, &zone), SPRING + hours(25));
}

#[test]
fn minutes_that_have_begun_count() {
    let rows = [(0, 0, 0), (0, 1, 1), (1, 0, 1), (60, 0, 1), (60, 1, 2), (599, 999, 10), (600, 0, 10)];
    for (seconds, nanoseconds, expected) in rows {
        assert_eq!(minutes(Duration::new(seconds, nanoseconds)), expected, "{seconds}.{nanoseconds}");
    }
}

#[test]
fn what_cannot_be_understood_does_nothing() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let usage = "usage: shutdown [-rhHPkfF] [time] [message ...] | -c [message ...]\n\n";
    for args in ["", "-k", "-f", "-fF", "5", "-h 5", "-r tomorrow", "-h 24:00", "-t 5", "--", "-h -- -r"] {
        assert_eq!(run(&root, &format!("shutdown {args}")), Outcome::refused(1, usage), "{args}");
    }
    for (args, complaint) in [
        ("-a now", "illegal option -- a"),
        ("-n now", "illegal option -- n"),
        ("-h now -x", "illegal option -- x"),
        ("--reboot now", "illegal option -- reboot"),
        ("-t", "option requires an argument -- t"),
    ] {
        let said = format!("shutdown: {complaint}\n{usage}");
        assert_eq!(run(&root, &format!("shutdown {args}")), Outcome::refused(1, &said), "{args}");
    }
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
    assert!(!root.has("fastboot") && !root.has("run/runit"));
}

#[test]
fn it_ends_as_it_is_told_to() {
    let rows = [
        ("-h now", "stopit"),
        ("-h", "stopit"),
        ("-P +0 with a message", "stopit"),
        ("-H", "stopit halt"),
        ("-r", "stopit reboot"),
        ("-rt 5 now", "stopit reboot"),
        ("-t5 now -r", "stopit reboot"),
        ("-h -- now -r", "stopit"),
        ("now", "stopit"),
        ("now it ends", "stopit"),
    ];
    for (args, requests) in rows {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        assert_eq!(run(&root, &format!("shutdown {args}")), Outcome::asked(requests), "{args}");
        assert_eq!(records(&root, "var/log/wtmp").len(), 1, "{args}");
        assert!(last(&sandbox, &root).starts_with("shutdown system down"), "{}", last(&sandbox, &root));
        for path in ["fastboot", "forcefsck", "etc/nologin", "run/runit/shutdown.pid", "run/runit/nosync"] {
            assert!(!root.has(path), "{args}: {path}");
        }
    }
}

#[test]
fn the_files_for_the_next_start_are_made() {
    for (args, [fast, force]) in [("-f", [true, false]), ("-F", [false, true]), ("-fF", [true, true])] {
        let sandbox = Sandbox::new();
        let root = system(&sandbox);
        assert_eq!(run(&root, &format!("shutdown -h {args} now")), Outcome::asked("stopit"), "{args}");
        assert_eq!([root.has("fastboot"), root.has("forcefsck")], [fast, force], "{args}");
    }
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    fs::create_dir(root.join("fastboot")).unwrap();
    let outcome = run(&root, "shutdown -rf");
    assert_eq!(outcome.said, "shutdown: warning: unable to create /fastboot: is a directory\n");
    assert_eq!(outcome, Outcome { said: outcome.said.clone(), ..Outcome::asked("stopit reboot") });
}

#[test]
fn with_k_nothing_happens() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    for args in ["-k now", "-kr", "-khfF +3", "-k 12:00"] {
        assert_eq!(run(&root, &format!("shutdown {args}")), Outcome::refused(0, ""), "{args}");
    }
    assert!(!root.has("fastboot") && !root.has("run/runit") && !root.has("etc/nologin"));
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
}

#[test]
fn without_an_end_it_is_for_a_single_user_where_there_are_services_for_one() {
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    fs::create_dir_all(root.join("etc/runit/runsvdir/single")).unwrap();
    fs::create_dir(root.join("etc/runit/runsvdir/default")).unwrap();
    std::os::unix::fs::symlink("default", root.join("etc/runit/runsvdir/current")).unwrap();
    let outcome = run(&root, "shutdown now >/tmp/printed");
    let list = steady(&sandbox.output("svbox", &["--list"]).stdout);
    if list.lines().any(|name| name == "runsvchdir") {
        assert_eq!(outcome, Outcome::refused(0, ""));
        assert_eq!(root.read("tmp/printed").unwrap(), b"runsvchdir: single: now current.\n");
        let current = fs::read_link(root.join("etc/runit/runsvdir/current")).unwrap();
        assert_eq!(current.to_str(), Some("single"));
    } else {
        assert_eq!(outcome, Outcome::refused(1, "shutdown: fatal: this svbox has no runsvchdir\n"));
    }
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
    assert!(!root.has("run/runit/shutdown.pid"));
    assert_eq!(run(&root, "shutdown -h now"), Outcome::asked("stopit"));
}

#[test]
fn only_root_may() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("passed over: there is nobody to become");
        return;
    }
    let sandbox = Sandbox::new();
    let root = system(&sandbox);
    let nobody = "setpriv --reuid 65534 --clear-groups";
    for command in ["shutdown -h now", "shutdown -c", "shutdown -k now", "halt", "poweroff -f", "reboot -w"] {
        let name = command.split(' ').next().unwrap();
        let said = format!("{name}: must be superuser.\n");
        assert_eq!(run(&root, &format!("{nobody} {command}")), Outcome::refused(2, &said), "{command}");
    }
    assert_eq!(run(&root, &format!("{nobody} shutdown")).code, Some(1));
    assert_eq!(root.read("var/log/wtmp").unwrap(), b"");
}
