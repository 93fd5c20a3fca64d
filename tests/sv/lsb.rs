//! sv as the init script of one service.

use super::{stderr, stdout};
use crate::kit::*;
use std::os::unix::fs::symlink;
use std::process::Output;

/// Runs the init script `web`.
fn script(sandbox: &Sandbox, args: &[&str]) -> Output {
    let link = sandbox.join("init.d/web");
    if !link.exists() {
        std::fs::create_dir_all(sandbox.join("init.d")).unwrap();
        symlink(program("sv"), &link).unwrap();
    }
    sandbox.command(link).env("SVDIR", sandbox.path()).args(args).output().unwrap()
}

#[test]
fn status_is_0_up_3_down_4_unknown_and_1_without_a_supervisor() {
    let sandbox = Sandbox::new();
    let code = || script(&sandbox, &["status"]).status.code();
    assert_eq!(code(), Some(1), "no directory");
    sandbox.service("web");
    assert_eq!(code(), Some(4), "never supervised");
    let fake = sandbox.fake("web", Say::RUN);
    assert_eq!(code(), Some(0), "up");
    fake.say(Say { state: 2, ..Say::RUN });
    assert_eq!(code(), Some(0), "finishing");
    fake.say(Say::DOWN);
    assert_eq!(code(), Some(3), "down");
    fake.write(b"");
    assert_eq!(code(), Some(4), "no status");
    fake.end();
    assert_eq!(code(), Some(1), "no supervisor");
}

#[test]
fn the_log_service_has_no_say_in_the_exit_code() {
    if only_svbox("2.3 status") {
        return;
    }
    let sandbox = Sandbox::new();
    let web = sandbox.fake("web", Say::RUN);
    let log = sandbox.fake("web/log", Say::DOWN);
    assert_eq!(script(&sandbox, &["status"]).status.code(), Some(0));
    web.say(Say::DOWN);
    log.say(Say::RUN);
    assert_eq!(script(&sandbox, &["status"]).status.code(), Some(3));
}

#[test]
fn only_whole_words_that_begin_with_s_are_taken() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("web", Say { want: b'd', ..Say::RUN });
    for (word, code) in
        [("s", 2), ("stat", 2), ("stopp", 2), ("resume", 2), ("status", 0), ("hup", 0), ("enable", 0)]
    {
        let output = script(&sandbox, &[word]);
        assert_eq!(output.status.code(), Some(code), "{word}");
        if code == 2 {
            assert_eq!(stderr(&output), "usage: web [-w sec] command\n\n");
        }
    }
    assert_eq!(fake.heard(), "hx");
    assert_eq!(script(&sandbox, &[]).status.code(), Some(2));
    assert_eq!(script(&sandbox, &["-y", "status"]).status.code(), Some(2));
}

#[test]
fn more_arguments_are_ignored_and_what_fails_is_1() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("web", Say { want: b'd', ..Say::RUN });
    let output = script(&sandbox, &["status", "other", "more"]);
    assert_eq!(stdout(&output), "run: web: (pid 4242) 12s, want down\n");
    let output = script(&sandbox, &["-w0", "start"]);
    assert!(stdout(&output).contains("web: "), "{}", stdout(&output));
    fake.end();
    assert_eq!(script(&sandbox, &["start"]).status.code(), Some(1));
    assert_eq!(script(&sandbox, &["shutdown"]).status.code(), Some(0));
}
