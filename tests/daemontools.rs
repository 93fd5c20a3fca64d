//! svc, svok and svstat, as in daemontools.

use crate::kit::*;
use std::fs;

fn told(sandbox: &Sandbox, name: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let output = sandbox.output(name, args);
    (output.status.code(), steady(&output.stdout), steady(&output.stderr))
}

#[test]
fn svc_sends_its_letters_in_their_order_to_each_directory() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.fake("one", Say::RUN), sandbox.fake("two", Say::RUN));
    assert_eq!(told(&sandbox, "svc", &["-udo", "-p", "one", "two"]), (Some(0), String::new(), String::new()));
    assert_eq!((one.heard(), two.heard()), ("udop".to_owned(), "udop".to_owned()));
    assert_eq!(told(&sandbox, "svc", &["-chaitkx12q", "one"]).0, Some(0));
    assert_eq!(one.heard(), "chaitkx12q");
}

#[test]
fn svc_warns_of_what_fails_and_goes_on() {
    let sandbox = Sandbox::new();
    let good = sandbox.fake("good", Say::RUN);
    drop(sandbox.fake("gone", Say::RUN));
    let (code, _, stderr) = told(&sandbox, "svc", &["-t", "missing", "gone", "good"]);
    let warnings = "svc: warning: unable to chdir to missing: file does not exist\n\
        svc: warning: unable to control gone: supervise not running\n";
    assert_eq!((code, stderr.as_str()), (Some(0), warnings));
    assert_eq!(good.heard(), "t");
    assert_eq!(told(&sandbox, "svc", &["-y", "good"]).0, Some(100));
}

#[test]
fn svok_tells_by_its_exit_code() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    assert_eq!(told(&sandbox, "svok", &["s"]), (Some(0), String::new(), String::new()));
    fake.end();
    assert_eq!(told(&sandbox, "svok", &["s"]).0, Some(100));
    sandbox.service("never");
    assert_eq!(told(&sandbox, "svok", &["never"]).0, Some(100));
    let (code, _, stderr) = told(&sandbox, "svok", &["missing"]);
    assert_eq!(
        (code, stderr.as_str()),
        (Some(111), "svok: fatal: unable to chdir to missing: file does not exist\n")
    );
    assert_eq!(told(&sandbox, "svok", &[]).0, Some(100));
}

#[test]
fn svstat_prints_a_line_for_each() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    let line = |sandbox: &Sandbox| told(sandbox, "svstat", &["s"]).1;
    assert_eq!(line(&sandbox), "s: up (pid 4242) 12 seconds\n");
    fake.say(Say { paused: 1, want: b'd', ..Say::RUN });
    assert_eq!(line(&sandbox), "s: up (pid 4242) 12 seconds, paused, want down\n");
    fake.say(Say { want: b'u', ..Say::DOWN });
    assert_eq!(line(&sandbox), "s: down 12 seconds, normally up, want up\n");
    fs::write(sandbox.join("s/down"), "").unwrap();
    fake.say(Say::DOWN);
    assert_eq!(line(&sandbox), "s: down 12 seconds\n");
    fake.end();
    assert_eq!(line(&sandbox), "s: supervise not running\n");
    assert_eq!(told(&sandbox, "svstat", &["no"]).1, "no: unable to chdir: file does not exist\n");
}
