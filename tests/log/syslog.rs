//! What syslog messages are.

use proptest::prelude::*;
use svbox::log::syslog::{Message, datagram, each_part, end};

const FACILITIES: [&str; 25] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "unknown", "unknown", "unknown", "unknown", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7", "mark",
];
const PRIORITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

/// The line that a message becomes.
fn line(message: Message<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    if let Some((facility, priority)) = message.kind {
        line.extend([facility, b".", priority, b": ", message.kept].concat());
    }
    each_part(message.text, &mut |part| line.extend_from_slice(part));
    line
}

fn converted(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&line(Message::read(bytes))).into_owned()
}

#[test]
fn every_number_has_its_names() {
    for number in 0..1000 {
        let facility = FACILITIES.get(number / 8).unwrap_or(&"unknown");
        let kept = if *facility == "unknown" { format!("<{number}>") } else { String::new() };
        let expected = format!("{facility}.{}: {kept}x", PRIORITIES[number % 8]);
        assert_eq!(converted(format!("<{number}>x").as_bytes()), expected);
        if number < 100 {
            let padded = converted(format!("<{number:03}>x").as_bytes());
            assert_eq!(padded.split(':').next(), expected.split(':').next());
        }
    }
}

#[test]
fn what_is_no_number_in_brackets_stays() {
    for text in [
        "<1000>z", "<>q", "<a>q", "< 5>q", "<5 >q", "<13", "<+1>x", "<-1>x", "nopri", "", "<", " <13>x",
        "<13x>",
    ] {
        assert_eq!(converted(text.as_bytes()), text);
    }
    assert_eq!(converted(b"<13>"), "user.notice: ");
    assert_eq!(converted(b"<13><14>x"), "user.notice: <14>x");
}

#[test]
fn a_time_is_left_out_where_it_looks_like_one() {
    let rows = [
        ("<13>Jan  1 00:00:00 host tag: hello", "user.notice: host tag: hello"),
        ("<13>Dec 31 23:59:59 ", "user.notice: "),
        ("Jan  1 00:00:00 hello", "hello"),
        ("<96>Jan  1 00:00:00 x", "unknown.emerg: <96>x"),
        ("<13>Jan  1 00:00:00", "user.notice: Jan  1 00:00:00"),
        ("<13>Jan 1 00:00:00  x", "user.notice: Jan 1 00:00:00  x"),
        ("<13>Jan  1 00:00.00 x", "user.notice: Jan  1 00:00.00 x"),
        ("<13>Ja1  1 00:00:00 x", "user.notice: Ja1  1 00:00:00 x"),
        ("<13>Jan  1 00:00:00 Jan  1 00:00:00 x", "user.notice: Jan  1 00:00:00 x"),
        ("<165>1 2003-08-24T05:14:15 x", "local4.notice: 1 2003-08-24T05:14:15 x"),
    ];
    for (text, expected) in rows {
        let message = Message::read(text.as_bytes()).without_time();
        assert_eq!(String::from_utf8(line(message)).unwrap(), expected, "{text}");
    }
}

#[test]
fn nothing_is_left_of_what_ends_a_datagram() {
    let rows: [(&[u8], Option<&[u8]>); 10] = [
        (b"", None),
        (b"\0\0", None),
        (b"\n", Some(b"")),
        (b"\n\0", Some(b"")),
        (b"a", Some(b"a")),
        (b"a\n", Some(b"a")),
        (b"a\0\0", Some(b"a")),
        (b"a\n\0", Some(b"a")),
        (b"a\0\n", Some(b"a\0")),
        (b"a\n\n", Some(b"a\n")),
    ];
    for (bytes, expected) in rows {
        assert_eq!(datagram(bytes), expected, "{}", bytes.escape_ascii());
    }
}

/// Bytes of which many mean something here.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let meaningful = prop::sample::select(b"<>0123456789 :aJ\n\0\\".to_vec());
    proptest::collection::vec(prop_oneof![3 => meaningful, 1 => any::<u8>()], 0..60)
}

/// The same a byte at a time, by the words of the specification.
fn model(bytes: &[u8]) -> Option<(usize, &[u8])> {
    for digits in 1..=3 {
        if bytes.len() > digits + 1
            && bytes[0] == b'<'
            && bytes[1..=digits].iter().all(u8::is_ascii_digit)
            && bytes[digits + 1] == b'>'
        {
            let number = std::str::from_utf8(&bytes[1..=digits]).unwrap().parse().unwrap();
            return Some((number, &bytes[digits + 2..]));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn a_message_is_a_line_whatever_is_in_it(bytes in bytes(), without_time: bool) {
        let message = Message::read(&bytes);
        let message = if without_time { message.without_time() } else { message };
        let line = line(message);
        prop_assert!(!line.contains(&b'\n') && !line.contains(&0));
        prop_assert!(line.len() <= 2 * bytes.len() + 20);
    }

    #[test]
    fn what_is_escaped_can_be_read_back(mut text in bytes()) {
        text.retain(|byte| *byte != b'\\');
        let mut parts = Vec::new();
        each_part(&text, &mut |part| parts.extend_from_slice(part));
        let mut back = Vec::new();
        let mut rest = parts.as_slice();
        while let [first, others @ ..] = rest {
            let (byte, behind) = match (first, others) {
                (b'\\', [b'n', behind @ ..]) => (b'\n', behind),
                (b'\\', [b'0', behind @ ..]) => (0, behind),
                (other, behind) => (*other, behind),
            };
            back.push(byte);
            rest = behind;
        }
        prop_assert_eq!(back, text);
    }

    #[test]
    fn a_number_is_what_the_specification_says(bytes in bytes()) {
        let message = Message::read(&bytes);
        match model(&bytes) {
            None => {
                prop_assert_eq!(message.kind, None);
                prop_assert_eq!(message.text, &bytes);
            }
            Some((number, text)) => {
                let (facility, priority) = message.kind.unwrap();
                prop_assert_eq!(facility, FACILITIES.get(number / 8).unwrap_or(&"unknown").as_bytes());
                prop_assert_eq!(priority, PRIORITIES[number % 8].as_bytes());
                prop_assert_eq!(message.text, text);
            }
        }
    }

    #[test]
    fn a_stream_is_cut_at_the_first_newline_or_nul(bytes in bytes()) {
        let at = bytes.iter().position(|byte| [0, b'\n'].contains(byte));
        prop_assert_eq!(end(&bytes), at);
    }
}
