//! Which word sends what.

use super::{run, stderr, stdout};
use crate::kit::*;

/// Words that do not wait by themselves.
const AT_ONCE: &[(&str, &str)] = &[
    ("up", "u"),
    ("usr1", "u"),
    ("down", "d"),
    ("once", "o"),
    ("pause", "p"),
    ("cont", "c"),
    ("checkup", "c"),
    ("hup", "h"),
    ("alarm", "a"),
    ("interrupt", "i"),
    ("quit", "q"),
    ("1", "1"),
    ("2", "2"),
    ("term", "t"),
    ("kill", "k"),
    ("exit", "x"),
    ("enable", "x"),
    ("x", "x"),
    ("status", ""),
    ("s", ""),
    ("stopp", ""),
];

/// Words that wait; with the time over at once, those with force send KILL too.
const WAITING: &[(&str, &str)] = &[
    ("start", "u"),
    ("stop", "d"),
    ("restart", "tcu"),
    ("reload", "h"),
    ("try-restart", "tc"),
    ("shutdown", "x"),
    ("check", ""),
    ("force-stop", "dk"),
    ("force-reload", "tck"),
    ("force-restart", "tcuk"),
    ("force-shutdown", "xk"),
    ("X", "xk"),
    ("Exit", "xk"),
    ("D", "dk"),
    ("TERM", "tck"),
];

/// Wanted down and not told so yet: no word can find its work done.
const STAYS: Say = Say { want: b'd', ..Say::RUN };

#[test]
fn each_word_sends_its_bytes_and_says_nothing() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", STAYS);
    for (word, bytes) in AT_ONCE {
        let output = run(&sandbox, &[word, "s"]);
        assert_eq!(output.status.code(), Some(0), "{word}");
        assert_eq!(fake.heard(), *bytes, "{word}");
        assert!(stdout(&output).is_empty() != bytes.is_empty(), "{word}: {}", stdout(&output));
    }
}

#[test]
fn each_word_that_waits_sends_its_bytes_and_kill_if_it_uses_force() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", STAYS);
    for (word, bytes) in WAITING {
        run(&sandbox, &["-w0", word, "s"]);
        assert_eq!(fake.heard(), *bytes, "{word}");
    }
}

#[test]
fn any_other_word_is_wrong() {
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", STAYS);
    for word in ["r", "resume", "reloads", "f", "force-", "y", "", "-", "9", "Up"] {
        let output = run(&sandbox, &["--", word, "s"]);
        assert_eq!(output.status.code(), Some(100), "{word}");
        assert_eq!(stderr(&output), "usage: sv [-v] [-w sec] command service ...\n\n", "{word}");
        assert_eq!(fake.heard(), "");
    }
}

#[test]
fn a_word_is_sent_whatever_the_state_and_although_the_status_cannot_be_read() {
    if only_svbox("always sent") {
        return;
    }
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    assert_eq!(run(&sandbox, &["up", "s"]).status.code(), Some(0));
    assert_eq!(fake.heard(), "u");
    fake.say(Say { want: b'd', term: 1, ..Say::RUN });
    assert_eq!(run(&sandbox, &["down", "s"]).status.code(), Some(0));
    assert_eq!(fake.heard(), "d");
    std::fs::remove_file(sandbox.join("s/supervise/ok")).unwrap();
    fake.write(b"");
    assert_eq!(run(&sandbox, &["up", "s"]).status.code(), Some(0));
    assert_eq!(fake.heard(), "u");
}
