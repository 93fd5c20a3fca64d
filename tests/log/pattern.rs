//! The pattern language of svlogd.

use proptest::prelude::*;
use svbox::log::pattern::{is_complete, matches};

/// Pattern, text, and whether the one covers the other: svlogd's spec, section 7, run on runit's program, except for
/// the two rows where svbox decides otherwise.
const ROWS: &[(&str, &str, bool)] = &[
    ("", "", true),
    ("", "x", false),
    ("abc", "abc", true),
    ("abc", "abcd", false),
    ("abc", "ab", false),
    ("ABC", "abc", false),
    ("*", "", true),
    ("*", "anything", true),
    ("abc*", "abc", true),
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
    ("*pid*", "tcpsvd: info: pid 1977 from 10.4.1.14", false),
    ("*: *: pid *", "tcpsvd: info: pid 1977 from 10.4.1.14", true),
    ("*: *", "a:b: c", false),
    ("+ab", "aaab", true),
    ("+ab", "b", false),
    ("+a", "aaa", true),
    ("+a", "aaab", false),
    ("x+ y", "x   y", true),
    ("x+ y", "xy", false),
    ("++*", "++x", true),
    ("+*x", "**x", true),
    ("**", "abc", false),
    ("**", "a*c", true),
    ("*+a", "x+a", false),
    ("*++", "x+", true),
    ("a?c", "abc", false),
    ("[ab]", "a", false),
    ("\\*", "*", false),
    ("\\*", "\\xyz", true),
    ("*.err:*", "daemon.err: disk on fire", true),
    ("*.err:*", "auth.info: a.err: x", false),
    ("auth.*", "authpriv.info: x", false),
    ("local.*", "local0.notice: x", false),
    ("local*.*", "local0.notice: x", true),
    ("*.*:*xbps*: *", "user.notice: Jul 19 12:20:24 xbps-install: ok", true),
    ("*.*:*xbps*: *", "user.info: xterm xbps-install: hi", false),
    // runit lets what follows a `+x` go if the text ends in that run.
    ("+ab", "aaa", false),
    ("a+bc", "abbb", false),
    ("+a*", "aaa", true),
    ("+a+a", "aaa", false),
    // runit reads on behind a pattern that ends in `+`.
    ("a+", "a", false),
    ("+", "+", false),
    ("*+", "x+", false),
];

#[test]
fn every_row_of_the_specification_holds() {
    for (pattern, text, covers) in ROWS {
        assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), *covers, "{pattern} on {text}");
    }
}

/// The language once more, by the words of the specification and without regard to speed.
fn model(pattern: &[u8], text: &[u8]) -> bool {
    let Some(first) = pattern.first() else { return text.is_empty() };
    match first {
        b'*' if pattern.len() == 1 => true,
        b'*' => {
            let found = (0..text.len()).find(|&at| text[at] == pattern[1]);
            found.is_some_and(|at| model(&pattern[1..], &text[at..]))
        }
        b'+' => {
            let Some(byte) = pattern.get(1) else { return false };
            let run = text.iter().take_while(|other| *other == byte).count();
            run > 0 && model(&pattern[2..], &text[run..])
        }
        byte => text.first() == Some(byte) && model(&pattern[1..], &text[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn it_is_what_the_model_says(
        pattern in proptest::collection::vec(prop::sample::select(b"ab*+".to_vec()), 0..7),
        text in proptest::collection::vec(prop::sample::select(b"ab*+".to_vec()), 0..9),
    ) {
        prop_assert_eq!(matches(&pattern, &text), model(&pattern, &text));
    }

    #[test]
    fn an_incomplete_pattern_covers_nothing(pattern in any::<Vec<u8>>(), text in any::<Vec<u8>>()) {
        prop_assert!(is_complete(&pattern) || !matches(&pattern, &text));
    }

    #[test]
    fn a_text_covers_itself_where_nothing_is_special(text in "[a-z ]{0,40}") {
        prop_assert!(matches(text.as_bytes(), text.as_bytes()));
    }
}
