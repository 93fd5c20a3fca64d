//! The configuration of a log directory.

use proptest::prelude::*;
use std::net::SocketAddr;
use svbox::log::config::{Bad, Instruction, Selects, Target, read};
use svbox::log::name::{self, Kind, moment};
use svbox::tai::Tai;

#[test]
fn each_letter_is_its_instruction() {
    use Instruction as I;
    let rows: &[(&str, I<'_>)] = &[
        ("", I::Nothing),
        ("# s7", I::Nothing),
        ("s7", I::Size(7)),
        ("s7k", I::Size(7 << 10)),
        ("s7m", I::Size(7 << 20)),
        ("s0", I::Size(0)),
        ("s10 ", I::Size(10)),
        ("s10\r", I::Size(10)),
        ("n3", I::Keep(3)),
        ("N3", I::Least(3)),
        ("t5", I::Every(5)),
        ("t5m", I::Every(300)),
        ("t5h", I::Every(18_000)),
        ("!", I::Nothing),
        ("!gzip -9", I::Processor(b"gzip -9")),
        ("p", I::Nothing),
        ("p ", I::Prefix(b" ")),
        ("0top", I::Banner(b"top")),
        ("0", I::Banner(b"")),
        ("+", I::Pattern(Selects::Log, b"")),
        ("-*", I::Pattern(Selects::NoLog, b"*")),
        ("e a", I::Pattern(Selects::Copy, b" a")),
        ("E\\", I::Pattern(Selects::NoCopy, b"\\")),
    ];
    for (line, instruction) in rows {
        assert_eq!(read(line.as_bytes()), Ok(*instruction), "{line}");
    }
}

#[test]
fn what_is_not_understood_is_told_apart() {
    for line in [
        "s",
        "s1M",
        "s-5",
        "s 100",
        "s10kb",
        "n",
        "n1k",
        "t1d",
        "t99999999999999999999",
        "s9999999999999999999m",
    ] {
        assert_eq!(read(line.as_bytes()), Err(Bad::Number(line.as_bytes())), "{line}");
    }
    for line in [" s10", "x", "S10", "\r", "u"] {
        let expected = if line == "u" { Bad::Address(b"") } else { Bad::Unknown(line.as_bytes()) };
        assert_eq!(read(line.as_bytes()), Err(expected), "{line}");
    }
}

#[test]
fn an_address_is_ipv4_or_ipv6_with_or_without_a_port() {
    let to = |text: &str| text.parse::<SocketAddr>().unwrap();
    let rows = [
        ("10.0.0.1", Ok(to("10.0.0.1:514"))),
        ("10.0.0.1:5000", Ok(to("10.0.0.1:5000"))),
        ("10.0.0.1 and more", Ok(to("10.0.0.1:514"))),
        ("10.0.0.1:50x", Ok(to("10.0.0.1:50"))),
        ("[::1]", Ok(to("[::1]:514"))),
        ("[::1]:99", Ok(to("[::1]:99"))),
        ("fe80::1", Ok(to("[fe80::1]:514"))),
        ("10.0.0", Err(Bad::Address(b"10.0.0".as_slice()))),
        ("300.0.0.1", Err(Bad::Address(b"300.0.0.1"))),
        ("host", Err(Bad::Address(b"host"))),
        ("[::1", Err(Bad::Address(b"[::1"))),
        ("10.0.0.1:", Err(Bad::Port(b""))),
        ("10.0.0.1:0", Err(Bad::Port(b"0"))),
        ("10.0.0.1:65536", Err(Bad::Port(b"65536"))),
        ("10.0.0.1:x", Err(Bad::Port(b"x"))),
    ];
    for (text, expected) in rows {
        for (letter, also_log) in [('u', true), ('U', false)] {
            let line = format!("{letter}{text}");
            let expected = expected.map(|address| Instruction::Send(Target { address, also_log }));
            assert_eq!(read(line.as_bytes()), expected, "{line}");
        }
    }
}

#[test]
fn a_name_is_of_an_old_log_by_its_length_and_first_byte() {
    let label = *b"@400000006b029402085cc904";
    for (letter, kind) in
        [(b's', Kind::Done), (b'u', Kind::Unprocessed), (b't', Kind::Partial), (b'x', Kind::Other)]
    {
        let name = name::with(&label, letter);
        assert_eq!(name::read(&name[..27]), Some((&label, kind)));
        assert_eq!(name::read(&name[..26]), None);
    }
    assert_eq!(name::read(b"400000006b029402085cc904.ss"), None);
    assert_eq!(moment(&label).unwrap().to_text(), label);
    assert_eq!(moment(b"@40000000XX029402085cc904"), None);
    assert_eq!(moment(b"@ffffffffffffffff00000000"), None);
}

#[test]
fn names_never_go_back() {
    let at = |seconds, nanoseconds| Tai { seconds, nanoseconds };
    assert_eq!(name::next(at(5, 7), None), at(5, 7));
    assert_eq!(name::next(at(5, 7), Some(at(5, 6))), at(5, 7));
    assert_eq!(name::next(at(5, 7), Some(at(5, 7))), at(5, 8));
    assert_eq!(name::next(at(5, 7), Some(at(9, 999_999_999))), at(10, 0));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(line in any::<Vec<u8>>()) {
        let _ = read(&line);
    }

    #[test]
    fn any_bytes_behind_a_letter_are_read_or_refused(
        letter in prop::sample::select(b"sntNuUp!0+-eE#".to_vec()),
        rest in "[0-9:.kmh\\[\\] x]{0,30}",
    ) {
        let mut line = vec![letter];
        line.extend(rest.bytes());
        let _ = read(&line);
    }
}
