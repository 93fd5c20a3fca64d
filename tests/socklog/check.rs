//! socklog-check.

use super::*;
use std::os::unix::net::UnixListener;

fn check(sandbox: &Sandbox, args: &[&str]) -> (Option<i32>, String) {
    let output = sandbox.output("socklog-check", args);
    assert_eq!(output.stdout, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn unable(path: &str, why: &str) -> (Option<i32>, String) {
    (Some(111), format!("socklog-check: warning: unable to connect socket: {path}: {why}\n"))
}

#[test]
fn somebody_who_receives_is_found_and_hears_nothing() {
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    for word in ["unix", "u", "uxyz"] {
        assert_eq!(check(&sandbox, &[word, "log"]), (Some(0), String::new()));
    }
    let said = "socklog-check: info: successfully connected to ./log\n".to_owned();
    assert_eq!(check(&sandbox, &["-v", "unix", "./log", "ignored"]), (Some(0), said));
    socklog.send(&[b"x"]);
    socklog.until_written("x\n");
    socklog.end();
    assert_eq!(check(&sandbox, &["-v", "unix", "log"]), unable("log", "connection refused"));
}

#[test]
fn nobody_is_told_of() {
    let sandbox = Sandbox::new();
    assert_eq!(check(&sandbox, &["unix", "missing"]), unable("missing", "file does not exist"));
    let _listener = UnixListener::bind(sandbox.join("stream")).unwrap();
    assert_eq!(check(&sandbox, &["unix", "stream"]), unable("stream", "incorrect protocol type"));
    sandbox.write("file", "");
    assert_eq!(check(&sandbox, &["unix", "file"]), unable("file", "connection refused"));
}

#[test]
fn a_path_that_is_too_long_is_not_cut() {
    if only_svbox("long path") {
        return;
    }
    let sandbox = Sandbox::new();
    let long = "x".repeat(200);
    assert_eq!(check(&sandbox, &["unix", &long]), unable(&long, "file name too long"));
}

#[test]
fn a_wrong_command_line_of_it_is_answered_with_the_usage() {
    let sandbox = Sandbox::new();
    let usage = format!("usage: {} [-v] [unix [address]]\n\n", program("socklog-check").display());
    for (args, before) in [("inet", ""), ("/dev/log", ""), ("-x", "socklog-check: illegal option -- x\n")] {
        assert_eq!(check(&sandbox, &[args]), (Some(1), format!("{before}{usage}")));
    }
    let (code, said) = check(&sandbox, &["-V"]);
    assert_eq!(code, Some(1));
    assert!(said.ends_with(&usage), "{said}");
}
