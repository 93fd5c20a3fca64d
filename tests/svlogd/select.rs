//! Patterns: which lines are logged, and which go to standard error.

use super::*;

/// The lines of this input that are logged, and those that go to standard error.
fn selected_with(options: &[&str], config: impl AsRef<[u8]>, input: &str) -> (String, String) {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", config);
    let (code, said) = feed(&sandbox, &[options, &["d"]].concat(), input);
    assert_eq!(code, Some(0));
    (log.current(), said)
}

fn selected(config: impl AsRef<[u8]>, input: &str) -> String {
    selected_with(&[], config, input).0
}

/// Checks for each row whether the pattern covers the text, as a selection for the log.
#[track_caller]
fn assert_matches(rows: &[(&str, &str, bool)]) {
    for &(pattern, text, matches) in rows {
        let logged = selected(format!("-*\n+{pattern}\n"), &format!("{text}\n"));
        let expected = if matches { format!("{text}\n") } else { String::new() };
        assert_eq!(logged, expected, "pattern {pattern:?}, text {text:?}");
    }
}

#[test]
fn a_pattern_covers_the_whole_text_with_case() {
    assert_matches(&[
        ("", "", true),
        ("", "x", false),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("abc", "ab", false),
        ("ABC", "abc", false),
    ]);
}

#[test]
fn a_star_at_the_end_takes_the_rest() {
    assert_matches(&[
        ("*", "", true),
        ("*", "any thing", true),
        ("abc*", "abc", true),
        ("abc*", "abcd", true),
    ]);
}

#[test]
fn a_star_skips_to_the_first_byte_that_is_next_in_the_pattern() {
    assert_matches(&[
        ("*abc", "xxabc", true),
        ("*abc", "aabc", false),
        ("*abc", "xabcabc", false),
        ("*x*", "axx", true),
        ("*x", "axx", false),
        ("*xx", "axx", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "abcc", false),
        ("a*a", "aa", true),
        ("a*a", "aaa", false),
        ("*e*", "hello", true),
        ("*ee*", "hello feed", false),
        ("*: *", "a:b: c", false),
        ("*a", "", false),
    ]);
}

#[test]
fn a_plus_takes_one_or_more_of_the_next_byte() {
    assert_matches(&[
        ("+ab", "aaab", true),
        ("+ab", "b", false),
        ("+a", "aaa", true),
        ("+a", "aaab", false),
        ("+a", "", false),
        ("x+ y", "x   y", true),
        ("x+ y", "xy", false),
        ("+aab", "aaab", false),
    ]);
}

#[test]
fn after_a_plus_the_rest_of_the_pattern_must_match() {
    if only_svbox("plus") {
        return;
    }
    assert_matches(&[
        ("+ab", "aaa", false),
        ("a+bc", "abbb", false),
        ("+a*", "aaa", true),
        ("+a+b", "aa", false),
    ]);
}

#[test]
fn a_plus_at_the_end_of_the_text_does_not_match() {
    if only_svbox("plus") {
        return;
    }
    // The first line is longer, and what is left of it must not be looked at.
    assert_eq!(selected("-*\n+a+b\n", "ab\na\nabb\na\n"), "ab\nabb\n");
}

#[test]
fn a_plus_as_last_byte_never_matches() {
    if only_svbox("plus") {
        return;
    }
    let (logged, said) = selected_with(&[], "-*\n+a+\n", "a\na+\naa\n+\na++\n");
    assert_eq!(logged, "");
    assert!(said.starts_with("svlogd: warning: "), "no warning: {said:?}");
}

#[test]
fn stars_and_pluses_can_be_looked_for() {
    assert_matches(&[
        ("++*", "++x", true),
        ("++*", "x", false),
        ("+*x", "**x", true),
        ("+*x", "x", false),
        ("**", "abc", false),
        ("**", "a*c", true),
        ("*+a", "x+a", false),
        ("*++", "x+", true),
    ]);
}

#[test]
fn no_other_byte_is_special() {
    assert_matches(&[
        ("a?c", "abc", false),
        ("a?c", "a?c", true),
        ("[ab]", "a", false),
        ("\\*", "*", false),
        ("\\*", "\\xyz", true),
        ("a.c", "abc", false),
    ]);
}

#[test]
fn patterns_of_a_manual_do_what_they_say() {
    let tcp = "tcpsvd: info: pid 1977 from 10.4.1.14";
    assert_matches(&[
        ("*pid*", tcp, false),
        ("*: *: pid *", tcp, true),
        ("*.err:*", "daemon.err: disk on fire", true),
        ("*.err:*", "auth.info: a.err: x", false),
        ("auth.*", "authpriv.info: x", false),
        ("local.*", "local0.notice: x", false),
        ("local*.*", "local0.notice: x", true),
        ("*.*:*xbps*: *", "user.notice: Jul 19 12:20:24 xbps-install: ok", true),
        ("*.*:*xbps*: *", "user.info: xterm xbps-install: hi", false),
    ]);
}

#[test]
fn lines_are_logged_unless_they_are_deselected() {
    assert_eq!(selected("", "foo\nbar\n"), "foo\nbar\n");
    assert_eq!(selected("-foo\n", "foo\nbar\n"), "bar\n");
    assert_eq!(selected("+foo\n", "foo\nbar\n"), "foo\nbar\n");
}

#[test]
fn the_last_pattern_that_matches_wins() {
    assert_eq!(selected("+foo*\n-*\n", "foo\nbar\n"), "");
    assert_eq!(selected("-*\n+foo*\n-*bar\n", "foo\nfoobar\nbar\n"), "foo\n");
    assert_eq!(selected("-*\n+foo*\n-*bar\n+foobar\n", "foo\nfoobar\n"), "foo\nfoobar\n");
}

#[test]
fn a_bare_sign_speaks_of_empty_lines() {
    assert_eq!(selected("-\n", "a\n\nb\n"), "a\nb\n");
    assert_eq!(selected("-*\n+\n", "a\n\nb\n"), "\n");
}

#[test]
fn standard_error_is_selected_apart_from_the_log() {
    let (logged, said) = selected_with(&[], "-a*\ne*\nEb*\n", "a1\nb1\nc1\n");
    assert_eq!((logged.as_str(), said.as_str()), ("b1\nc1\n", "a1\nc1\n"));
    let (logged, said) = selected_with(&[], "ea\n-*\n", "a\nb\n");
    assert_eq!((logged.as_str(), said.as_str()), ("", "a\n"));
}

#[test]
fn the_last_pattern_for_standard_error_wins() {
    assert_eq!(selected_with(&[], "e*\nEfoo*\nefoobar\n", "x\nfoo\nfoobar\n").1, "x\nfoobar\n");
}

#[test]
fn what_a_line_does_not_match_leaves_it_as_it_is() {
    // Each line starts anew: the one before does not decide about it.
    assert_eq!(selected_with(&[], "-a\nea\n", "a\nb\na\nc\n"), ("b\nc\n".into(), "a\na\n".into()));
}

#[test]
fn a_pattern_sees_the_first_bytes_only() {
    let input = "1234567890\n12345678901234\n123456789\n";
    let (logged, _) = selected_with(&["-l", "10"], "-*\n+1234567890\n", input);
    assert_eq!(logged, "1234567890\n12345678901234\n");
}

#[test]
fn what_is_deselected_is_not_logged_beyond_the_length_either() {
    let input = format!("no{}\nyes{}\n", "x".repeat(5000), "y".repeat(5000));
    assert_eq!(selected("-no*\n", &input), format!("yes{}\n", "y".repeat(5000)));
}

#[test]
fn a_pattern_sees_what_bytes_were_replaced_by() {
    let (logged, _) = selected_with(&["-r", "_"], "-*\n+a_b\n", "a\tb\na_b\nab\n");
    assert_eq!(logged, "a_b\na_b\n");
}

#[test]
fn a_pattern_never_sees_stamp_or_prefix() {
    let (logged, _) = selected_with(&["-t"], "p> \n-*\n+a*\n", "a\nb\n");
    assert_eq!(logged.get(25..).unwrap(), " > a\n");
}

#[test]
fn a_pattern_may_have_any_byte() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", b"-*\n+\xff\t\x01*\n+ a \r\n");
    fed(&sandbox, &["d"], b"\xff\t\x01z\nz\n a \n a \r\n");
    assert_eq!(log.bytes("current"), b"\xff\t\x01z\n a \r\n");
}

#[test]
fn a_nul_in_a_pattern_ends_it_and_starts_another() {
    assert_eq!(selected(b"-*\n+foo\0+bar\n", "foo\nbar\nfoobar\n"), "foo\nbar\n");
    assert_eq!(selected(b"-*\n+foo*\0-*bar\0+foobar\n", "foo\nfoobar\nfooxbar\n"), "foo\nfoobar\n");
}

#[test]
fn each_directory_selects_for_itself() {
    let sandbox = Sandbox::new();
    let errors = log(&sandbox, "errors", "-*\n+*err*\n");
    let rest = log(&sandbox, "rest", "-*err*\ne*: *\n");
    let (code, said) = feed(&sandbox, &["errors", "rest"], "x err\ny\nz: ok\n");
    assert_eq!((code, said.as_str()), (Some(0), "z: ok\n"));
    assert_eq!((errors.current(), rest.current()), ("x err\n".into(), "y\nz: ok\n".into()));
}

#[test]
fn many_patterns_are_tried_in_order() {
    let mut config = String::from("-*\n");
    (0..500).for_each(|number| config += &format!("+line {number}\n-line {number}\n"));
    config += "+line 77\n";
    let input: String = (0..500).map(|number| format!("line {number}\n")).collect();
    assert_eq!(selected(config, &input), "line 77\n");
}
