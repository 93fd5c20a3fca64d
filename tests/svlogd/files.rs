//! The files of a log directory, and directories that cannot be used.

use super::*;

/// Checks that svlogd does not start on a directory, with this warning.
#[track_caller]
fn assert_refused(sandbox: &Sandbox, dir: &str, warning: &str) {
    let output = sandbox.output("svlogd", &[dir]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, format!("svlogd: warning: {warning}\n{NONE}"));
    assert_eq!(output.status.code(), Some(111));
}

#[test]
fn a_live_log_is_readable_by_all_whatever_the_mask() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::run(&sandbox, behind(&sandbox, "umask 077", "", &["d"]));
    live.say("a\n");
    log.until_current("a\n");
    assert_eq!((log.mode("current"), log.mode("lock")), (0o644, 0o600));
    live.end();
    assert_eq!(log.mode("current"), 0o744);
}

#[test]
fn a_log_that_is_closed_is_executable_and_the_lock_stays() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["d"], "a\n");
    assert_eq!(log.names(), ["current", "lock"]);
    assert_eq!((log.mode("current"), log.mode("lock")), (0o744, 0o600));
    assert_eq!(log.bytes("lock"), b"");
}

#[test]
fn a_log_that_was_closed_is_gone_on_with() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["d"], "a\n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    live.say("b\n");
    log.until_current("a\nb\n");
    assert_eq!(log.mode("current"), 0o644);
    assert_eq!(live.end().1, "svlogd: info: append: d/current\nsvlogd: info: close: d\n");
    assert!(log.old().is_empty());
}

#[test]
fn a_log_that_was_not_closed_is_put_aside() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    log.write("current", "unclean\n");
    log.set_mode("current", 0o644);
    let (_, said) = feed(&sandbox, &["-v", "d"], "a\n");
    let name = log.only_old();
    assert!(name.ends_with(".u"), "{name}");
    assert_eq!((log.read(&name), log.mode(&name)), ("unclean\n".into(), 0o644));
    assert_eq!((log.current(), log.mode("current")), ("a\n".into(), 0o744));
    assert!(said.contains("svlogd: info: new: d/current\n"), "{said}");
}

#[test]
fn only_the_owner_s_right_to_execute_says_that_a_log_was_closed() {
    for (mode, closed) in [(0o700, true), (0o744, true), (0o655, false), (0o666, false)] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", "");
        log.write("current", "before\n");
        log.set_mode("current", mode);
        fed(&sandbox, &["d"], "a\n");
        assert_eq!(log.old().is_empty(), closed, "{mode:o}");
    }
}

#[test]
fn an_empty_log_that_was_not_closed_is_gone_on_with() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    log.write("current", "");
    log.set_mode("current", 0o644);
    fed(&sandbox, &["d"], "a\n");
    assert_eq!((log.current(), log.mode("current")), ("a\n".into(), 0o744));
    assert!(log.old().is_empty());
}

#[test]
fn what_was_logged_before_a_kill_is_kept() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    live.signal(Signal::KILL);
    live.svlogd.ended();
    fed(&sandbox, &["d"], "b\n");
    assert_eq!((log.old_texts(), log.current()), (vec!["a\n".into()], "b\n".into()));
}

#[test]
fn a_second_svlogd_on_a_directory_does_not_start() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("a\n");
    assert_refused(&sandbox, "d", "unable to lock directory: d: temporary failure");
    live.say("b\n");
    log.until_current("a\nb\n");
    assert_eq!(live.end(), (Some(0), String::new()));
    fed(&sandbox, &["d"], "c\n");
    assert_eq!(log.current(), "a\nb\nc\n");
}

#[test]
fn a_directory_that_is_named_twice_is_used_once() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let (code, said) = feed(&sandbox, &["d", "d"], "a\n");
    assert_eq!(said, "svlogd: warning: unable to lock directory: d: temporary failure\n");
    assert_eq!((code, log.current()), (Some(0), "a\n".into()));
}

#[test]
fn a_directory_that_is_not_there_is_refused() {
    let sandbox = Sandbox::new();
    assert_refused(&sandbox, "d", "unable to open log directory: d: file does not exist");
    assert!(!sandbox.join("d").exists());
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("d", "");
    assert_refused(&sandbox, "d", "unable to change directory: d: not a directory");
}

#[test]
fn a_directory_that_may_not_be_entered_is_refused() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "").set_mode("", 0o600);
    let mut live = Live::run(&sandbox, obeying_modes(&sandbox, &["d"]));
    assert_eq!(live.ended(), Some(111));
    assert_eq!(
        live.stderr(),
        format!("svlogd: warning: unable to change directory: d: access denied\n{NONE}")
    );
}

#[test]
fn a_directory_that_may_not_be_read_is_refused() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "").set_mode("", 0o300);
    let mut live = Live::run(&sandbox, obeying_modes(&sandbox, &["d"]));
    assert_eq!(live.ended(), Some(111));
    let warning = "svlogd: warning: unable to open log directory: d: access denied\n";
    assert_eq!(live.stderr(), format!("{warning}{NONE}"));
}

#[test]
fn a_directory_whose_lock_cannot_be_opened_is_refused() {
    let sandbox = Sandbox::new();
    fs::create_dir(log(&sandbox, "d", "").join("lock")).unwrap();
    assert_refused(&sandbox, "d", "unable to lock directory: d: is a directory");
}

#[test]
fn a_directory_whose_log_cannot_be_looked_at_is_refused() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    std::os::unix::fs::symlink("current", log.join("current")).unwrap();
    assert_refused(&sandbox, "d", "unable to stat current: d: symbolic link loop");
}

#[test]
fn a_directory_that_is_refused_does_not_stop_the_others() {
    let sandbox = Sandbox::new();
    let (one, two) = (log(&sandbox, "one", ""), log(&sandbox, "two", ""));
    let (code, said) = feed(&sandbox, &["one", "gone", "two"], "a\n");
    assert_eq!(said, "svlogd: warning: unable to open log directory: gone: file does not exist\n");
    assert_eq!((code, one.current(), two.current()), (Some(0), "a\n".into(), "a\n".into()));
}

#[test]
fn what_is_done_with_a_directory_is_told_in_order() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "n1\ns100\n");
    let (_, said) = feed(&sandbox, &["-v", "-l", "100", "d"], "ab\ncde\n");
    let first = log.old()[0].clone();
    let expected = "svlogd: info: read: d/config\nsvlogd: info: new: d/current\n\
        svlogd: info: rename: d/current @T.s 3\nsvlogd: info: rename: d/current @T.s 4\n\
        svlogd: info: delete: d/@T.s\nsvlogd: info: close: d\n";
    assert_eq!(without_times(&said), expected);
    assert!(!said.contains(&format!("delete: d/{first}")), "{said}");
}

#[test]
fn a_directory_is_told_as_it_was_written() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "p\n");
    let (_, said) = feed(&sandbox, &["-v", "./d/"], "a\n");
    let expected =
        "svlogd: info: read: ./d//config\nsvlogd: info: new: ./d//current\nsvlogd: info: close: ./d/\n";
    assert_eq!(said, expected);
}

#[test]
fn a_user_without_rights_can_keep_a_log() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s100\n!tr a-z A-Z\n");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(log.join(""), Some(4242), Some(4242)).unwrap();
    }
    let mut command = unprivileged(&sandbox, "svlogd", 4242);
    command.args(["-l", "100", "d"]);
    let mut live = Live::run(&sandbox, command);
    live.say("a\nb\nc\n");
    assert_eq!(live.end(), (Some(0), String::new()));
    assert_eq!(log.old_texts(), ["A\n", "B\n", "C\n"]);
    assert_eq!(log.mode("current"), 0o744);
}

#[test]
fn a_directory_with_an_absolute_path_is_used() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &[sandbox.join("d").to_str().unwrap()], "a\n");
    assert_eq!(log.current(), "a\n");
}

#[test]
fn a_directory_that_is_refused_is_told_by_its_name() {
    if only_svbox("name of a refused") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(log(&sandbox, "d", "").join("lock")).unwrap();
    log(&sandbox, "other", "");
    for dir in ["d", "gone"] {
        let (_, said) = feed(&sandbox, &["-v", dir, "other"], "a\n");
        let told: Vec<_> = said.lines().filter(|line| line.starts_with("svlogd: info: close: ")).collect();
        assert!(told.iter().all(|line| line.ends_with(" other") || line.ends_with(dir)), "{said}");
    }
}

#[test]
fn a_log_that_cannot_be_opened_is_waited_for() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fs::create_dir(log.join("current")).unwrap();
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    live.until_said("pausing: unable to open current: d: is a directory");
    fs::remove_dir(log.join("current")).unwrap();
    log.until_current("a\n");
}

/// A log directory with a link in the place of a file, to something that is not to be touched. Whoever may write into the
/// directory must not have root write elsewhere.
fn with_link<'s>(sandbox: &'s Sandbox, name: &str, target: &str) -> Log<'s> {
    sandbox.write("treasure", "gold\n");
    let log = log(sandbox, "d", "!cat\n");
    std::os::unix::fs::symlink(target, log.join(name)).unwrap();
    log
}

#[test]
fn a_current_that_is_a_link_is_put_aside() {
    if only_svbox("log links") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = with_link(&sandbox, "current", "../treasure");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("text\n");
    log.until_current("text\n");
    assert_eq!(sandbox.read("treasure"), "gold\n");
}

#[test]
fn a_current_that_is_a_link_to_nothing_is_not_written_to() {
    if only_svbox("log links") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = with_link(&sandbox, "current", "../nothing");
    let mut live = Live::start(&sandbox, &["d"]);
    until("a complaint", || live.stderr().contains("unable to open current: d: symbolic link loop"));
    fs::remove_file(log.join("current")).unwrap();
    live.say("text\n");
    log.until_current("text\n");
    assert!(!sandbox.join("nothing").exists());
}

#[test]
fn a_lock_that_is_a_link_is_not_made() {
    if only_svbox("log links") {
        return;
    }
    let sandbox = Sandbox::new();
    let _log = with_link(&sandbox, "lock", "../nothing");
    let mut live = Live::start(&sandbox, &["d"]);
    assert_eq!(live.ended(), Some(111));
    assert!(live.stderr().contains("unable to lock directory: d: symbolic link loop"));
    assert!(!sandbox.join("nothing").exists());
}

#[test]
fn a_state_that_is_a_link_is_not_shown_to_the_processor() {
    if only_svbox("log links") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = with_link(&sandbox, "state", "../treasure");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("text\n");
    log.until_current("text\n");
    live.signal(Signal::ALARM);
    until("a complaint", || live.stderr().contains("symbolic link loop"));
    fs::remove_file(log.join("state")).unwrap();
    log.until_old(1, ".s");
}

#[test]
fn a_configuration_may_come_by_a_pipe() {
    if only_svbox("-f") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let program = sandbox.command("sh");
    let mut shell = program;
    shell.args(["-c", "echo pfront: | { echo text | svlogd -f /dev/fd/3 d; } 3<&0"]);
    assert!(shell.status().unwrap().success());
    assert_eq!(log.current(), "front:text\n");
}
