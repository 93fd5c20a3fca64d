//! How many old logs are kept.

use super::*;

/// Makes an old log of every line.
const EACH: [&str; 3] = ["-l", "100", "d"];

/// A log directory in which every line becomes an old log.
fn each<'s>(sandbox: &'s Sandbox, config: &str) -> Log<'s> {
    log(sandbox, "d", format!("s100\n{config}"))
}

/// Puts old logs of other times into it, at these seconds after 2000.
fn fill(log: &Log<'_>, times: impl IntoIterator<Item = u64>) {
    for time in times {
        log.write(&name_at(time, ".s"), format!("{time}\n"));
    }
}

#[test]
fn ten_old_logs_are_kept() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "");
    fed(&sandbox, &EACH, lines(25, 5));
    assert_eq!(log.old_texts().concat(), lines(25, 5)[15 * 5..]);
}

#[test]
fn as_many_old_logs_are_kept_as_config_says() {
    for count in [1, 2, 15] {
        let sandbox = Sandbox::new();
        let log = each(&sandbox, &format!("n{count}\n"));
        fed(&sandbox, &EACH, lines(20, 5));
        assert_eq!(log.old_texts().concat(), lines(20, 5)[(20 - count) * 5..], "n{count}");
    }
}

#[test]
fn with_zero_all_are_kept() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n0\n");
    fed(&sandbox, &EACH, lines(40, 5));
    assert_eq!(log.old_texts().concat(), lines(40, 5));
}

#[test]
fn the_smallest_name_goes_first_whatever_its_age() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n2\n");
    fill(&log, [9, 5]);
    fed(&sandbox, &EACH, "new\n");
    assert_eq!(log.old_texts(), ["9\n", "new\n"]);
}

#[test]
fn what_is_deleted_is_told() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n2\n");
    fill(&log, [9, 5]);
    let (_, said) = feed(&sandbox, &[&["-v"], &EACH[..]].concat(), "new\n");
    let expected = format!("svlogd: info: delete: d/{}", name_at(5, ".s"));
    assert!(said.lines().any(|line| line == expected), "{said}");
}

#[test]
fn many_more_old_logs_than_wanted_are_deleted_at_once() {
    if only_svbox("down to n") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n3\n");
    fill(&log, 0..1000);
    fed(&sandbox, &EACH, "new\n");
    assert_eq!(log.old_texts(), ["998\n", "999\n", "new\n"]);
}

#[test]
fn nothing_is_deleted_as_long_as_there_are_not_too_many() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n4\n");
    fill(&log, 0..3);
    fed(&sandbox, &EACH, "new\n");
    assert_eq!(log.old_texts(), ["0\n", "1\n", "2\n", "new\n"]);
}

#[test]
fn only_names_of_old_logs_count() {
    let others = [
        "@400000003b4a39c23294b13.s",
        "@400000003b4a39c23294b13c.s~",
        "x400000003b4a39c23294b13c.s",
        "@",
        "@a.s",
        "0",
        "previous",
    ];
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n1\n");
    for name in others {
        log.write(name, "kept");
    }
    fed(&sandbox, &EACH, "a\nb\n");
    assert_eq!(log.old_texts(), ["b\n"]);
    for name in others {
        assert_eq!(log.read(name), "kept", "{name}");
    }
}

#[test]
fn what_a_processor_left_unfinished_is_deleted() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n0\n");
    log.write(&name_at(7, ".t"), "half");
    log.write(&name_at(FUTURE, ".t"), "half");
    fed(&sandbox, &EACH, "a\n");
    assert_eq!(log.old_texts(), ["a\n"]);
}

#[test]
fn an_oldest_log_that_cannot_be_deleted_is_warned_about() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n1\n");
    fs::create_dir(log.join(&name_at(7, ".s"))).unwrap();
    let (code, said) = feed(&sandbox, &EACH, "a\n");
    assert_eq!(code, Some(0));
    assert_eq!(said, "svlogd: warning: unable to unlink oldest logfile: d: is a directory\n");
    assert_eq!(log.old().len(), 2);
}

#[test]
fn an_oldest_log_that_cannot_be_deleted_does_not_hold_up_the_next() {
    if only_svbox("down to n") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n2\n");
    fs::create_dir(log.join(&name_at(7, ".s"))).unwrap();
    let (code, _) = feed(&sandbox, &EACH, lines(20, 5));
    assert_eq!(code, Some(0));
    // The directory may count or not.
    let kept = log.old().len();
    assert!((2..=3).contains(&kept), "{kept} are kept");
}

#[test]
fn logs_that_are_not_processed_yet_count_too() {
    if only_svbox("down to n") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n2\n");
    (0..5).for_each(|time| log.write(&name_at(time, ".u"), "old"));
    fed(&sandbox, &EACH, "a\n");
    assert_eq!(log.old().len(), 2);
    assert_eq!(log.ending(".s").len(), 1);
}

/// Conformance item 11: six unclean ends leave as many as config says.
#[test]
fn logs_left_by_unclean_ends_do_not_pile_up() {
    if only_svbox("down to n") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "n2\n");
    for turn in 0..6 {
        let mut live = Live::start(&sandbox, &["d"]);
        let line = format!("{turn}\n");
        live.say(&line);
        log.until_current(&line);
        live.signal(Signal::KILL);
        live.svlogd.ended();
    }
    // The last one is still `current`.
    assert_eq!(log.ending(".u").len(), 2);
    assert_eq!(log.old().len(), 2);
}

/// Conformance item 10: what waits for its processor is not the oldest when there are logs of the future.
#[test]
fn a_log_that_is_being_processed_is_not_deleted_though_others_are_of_the_future() {
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n2\n!cat\n");
    fill(&log, [FUTURE, FUTURE + 1, FUTURE + 2]);
    let (code, said) = feed(&sandbox, &EACH, "a\nb\n");
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn new_names_come_after_those_of_the_future() {
    if only_svbox("order") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n3\n");
    fill(&log, [FUTURE]);
    fed(&sandbox, &EACH, "a\nb\n");
    assert_eq!(log.old_texts(), [format!("{FUTURE}\n"), "a\n".into(), "b\n".into()]);
    fed(&sandbox, &EACH, "c\n");
    assert_eq!(log.old_texts(), ["a\n", "b\n", "c\n"]);
}

#[test]
fn a_name_is_one_nanosecond_after_one_of_the_future() {
    if only_svbox("order") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = each(&sandbox, "n0\n");
    // The last nanosecond of a second, so that the next name is of the next second.
    let newest = name_at(FUTURE, ".s").replace("000001f4.s", "3b9ac9ff.s");
    log.write(&newest, "future\n");
    fed(&sandbox, &EACH, "a\nb\n");
    let expected = [newest, name_at(FUTURE + 1, ".s").replace("1f4.s", "000.s")];
    assert_eq!(log.old()[..2], expected);
    assert_eq!(log.old_texts(), ["future\n", "a\n", "b\n"]);
}
