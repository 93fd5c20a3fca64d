//! What svlogd does when a file system is full.

use super::*;

/// A log directory on a file system of its own with room for so many pages.
pub fn small<'s>(sandbox: &'s Sandbox, name: &str, pages: usize, config: &str) -> Option<(Log<'s>, Mount)> {
    let mount = sandbox.tmpfs(name, &format!("size={}k,mode=755", pages * 4))?;
    Some((log(sandbox, name, config), mount))
}

/// The size of what `size` counts in.
const PAGE: usize = 4096;

/// Takes all the room that is left.
pub fn fill(log: &Log<'_>) {
    let mut ballast = fs::File::options().append(true).create(true).open(log.join("ballast")).unwrap();
    while std::io::Write::write(&mut ballast, &[b'x'; PAGE]).is_ok_and(|count| count > 0) {}
}

pub const PAUSE: &str = "pausing: unable to write to current: d: out of disk space";

#[test]
fn svlogd_waits_for_room_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 4, "s0\n") else { return };
    let mut live = Live::start(&sandbox, &["d"]);
    let input = lines(1000, 37);
    live.say(&input[..30_000]);
    live.until_said(PAUSE);
    assert!(log.bytes("current").len() <= 3 * PAGE);
    live.say(&input[30_000..]);
    assert!(live.svlogd.lives());
    make_room(&log, 40);
    assert_eq!(live.end().0, Some(0));
    assert!(log.whole() == input.as_bytes(), "lines are missing or torn");
    assert_eq!(log.mode("current"), 0o744);
}

/// Makes the file system larger.
pub fn make_room(log: &Log<'_>, pages: usize) {
    let mut mount = Command::new("mount");
    mount.args(["-o", &format!("remount,size={}k", pages * 4)]).arg(log.join(""));
    assert!(mount.status().unwrap().success());
}

#[test]
fn a_pause_is_told_again_at_each_try() {
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 2, "") else { return };
    fill(&log);
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    live.until_said_times(2, PAUSE);
    fs::remove_file(log.join("ballast")).unwrap();
    log.until_current("a\n");
    live.say("b\n");
    log.until_current("a\nb\n");
}

#[test]
fn old_logs_are_deleted_for_room_as_far_as_config_allows() {
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 7, "n5\nN2\n") else { return };
    for time in 1..=4 {
        log.write(&name_at(time, ".s"), [b'o'; PAGE]);
    }
    fill(&log);
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    let expected = [2, 3, 4].map(|time| name_at(time, ".s"));
    assert_eq!(log.old(), expected);
    let warning = format!("svlogd: warning: out of disk space, delete: d/{}\n", name_at(1, ".s"));
    assert_eq!(live.end(), (Some(0), warning));
}

#[test]
fn as_many_old_logs_as_config_wants_are_kept_in_a_full_file_system() {
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "n5\nN2\n") else { return };
    // They take no room, so that deleting them makes none.
    for time in 1..=5 {
        log.write(&name_at(time, ".s"), "");
    }
    fill(&log);
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    live.until_said(PAUSE);
    assert_eq!(log.old(), [4, 5].map(|time| name_at(time, ".s")));
    let deleted = live.stderr().matches("svlogd: warning: out of disk space, delete: d/@").count();
    assert_eq!(deleted, 3, "{}", live.stderr());
}

#[test]
fn no_old_log_is_deleted_for_room_unless_config_wants_fewer() {
    for config in ["n3\nN3\n", "n3\n", "n10\nN20\n"] {
        let sandbox = Sandbox::new();
        let Some((log, _mount)) = small(&sandbox, "d", 6, config) else { return };
        for time in 1..=3 {
            log.write(&name_at(time, ".s"), [b'o'; PAGE]);
        }
        fill(&log);
        let mut live = Live::start(&sandbox, &["d"]);
        live.say("a\n");
        live.until_said(PAUSE);
        assert_eq!(log.old().len(), 3, "{config:?}");
    }
}

#[test]
fn a_file_system_that_is_full_at_a_rotation_is_waited_for() {
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 8, "s8k\nn0\n") else { return };
    let mut live = Live::start(&sandbox, &["d"]);
    let input = lines(1000, 64);
    live.say(&input);
    live.until_said(PAUSE);
    make_room(&log, 100);
    assert_eq!(live.end().0, Some(0));
    assert!(log.whole() == input.as_bytes(), "lines are missing or torn");
}

#[test]
fn term_is_heard_in_a_full_file_system() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 2, "") else { return };
    fill(&log);
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    live.until_said(PAUSE);
    live.signal(Signal::TERM);
    live.ended();
}

#[test]
fn after_term_in_a_full_file_system_the_next_line_is_a_line_of_its_own() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "s0\n") else { return };
    let mut live = Live::start(&sandbox, &["d"]);
    // Room for some of the lines only, and for a part of one.
    live.say(lines(200, 100));
    live.until_said(PAUSE);
    live.signal(Signal::TERM);
    live.ended();
    make_room(&log, 100);
    fed(&sandbox, &["d"], "next\n");
    let logged = String::from_utf8(log.whole()).unwrap();
    assert!(logged.lines().any(|line| line == "next"), "{:?}", logged.lines().last());
}

#[test]
fn hup_is_heard_in_a_full_file_system() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "n5\nN5\n") else { return };
    log.write(&name_at(1, ".s"), [b'o'; PAGE]);
    fill(&log);
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    live.until_said(PAUSE);
    // There is room if this config is read.
    log.write("config", "n5\nN0\n");
    live.signal(Signal::HUP);
    log.until_current("a\n");
    assert!(log.old().is_empty());
}

#[test]
fn hup_finds_a_relative_directory_that_was_full() {
    if only_svbox("where it is") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "n5\nN2\n") else { return };
    fill(&log);
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    live.say("a\n");
    live.until_said(PAUSE);
    fs::remove_file(log.join("ballast")).unwrap();
    log.until_current("a\n");
    live.signal(Signal::HUP);
    live.until_said("info: append: d/current");
    live.say("b\n");
    log.until_current("a\nb\n");
}

#[test]
fn a_full_directory_does_not_stop_another() {
    if only_svbox("one full") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((full, _mount)) = small(&sandbox, "d", 2, "") else { return };
    fill(&full);
    let other = log(&sandbox, "other", "");
    let mut live = Live::start(&sandbox, &["d", "other"]);
    live.say("a\n");
    live.until_said(PAUSE);
    live.say("b\nc\n");
    other.until_current("a\nb\nc\n");
    fs::remove_file(full.join("ballast")).unwrap();
    full.until_current("a\nb\nc\n");
}

#[test]
fn other_failures_of_a_write_are_waited_out_too() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut limited = sandbox.command("prlimit");
    // A file may have 100 bytes, and svlogd is to be told so and not to be killed.
    limited.args(["--fsize=100:", "env", "--ignore-signal=XFSZ", "svlogd", "d"]);
    let mut live = Live::run(&sandbox, limited);
    live.say(lines(3, 40));
    live.until_said("pausing: unable to write to current: d: file too big");
    assert_eq!(log.current(), lines(3, 40)[..100]);
    limit(&sandbox, 0, live.svlogd.pid(), "fsize=1000000:");
    log.until_current(&lines(3, 40));
}
