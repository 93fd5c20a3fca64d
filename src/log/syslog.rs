//! Syslog messages (socklog's spec, section 2): what one begins with, and where it ends.

use crate::text::Cut;

/// The names of facilities, by their numbers.
const FACILITIES: &[u8] =
    b"kern user mail daemon auth syslog lpr news uucp cron authpriv ftp unknown unknown \
    unknown unknown local0 local1 local2 local3 local4 local5 local6 local7 mark";
/// The names of priorities, by their numbers.
const PRIORITIES: &[u8] = b"emerg alert crit err warn notice info debug";
/// What a facility without a name is called.
const UNKNOWN: &[u8] = b"unknown";

/// A message taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'m> {
    /// What `<N>` in front stands for, if it is there: facility and priority.
    pub kind: Option<(&'static [u8], &'static [u8])>,
    /// `<N>`, where it tells more than the names.
    pub kept: &'m [u8],
    /// What follows it.
    pub text: &'m [u8],
}

/// How many bytes at the beginning of a message are looked at.
pub const LONGEST_HEAD: usize = LONGEST_KIND + TIME.len();
/// `<NNN>`
const LONGEST_KIND: usize = 5;

impl<'m> Message<'m> {
    /// Takes one apart.
    pub fn read(bytes: &'m [u8]) -> Self {
        let Some((number, text)) = kind(bytes) else { return Self { kind: None, kept: b"", text: bytes } };
        let facility = word(FACILITIES, number / 8);
        let head = bytes.get(..bytes.len() - text.len()).unwrap_or(b"");
        let kind = Some((facility, word(PRIORITIES, number % 8)));
        Self { kind, kept: if facility == UNKNOWN { head } else { b"" }, text }
    }

    /// The same without the time (RFC 3164) that its text begins with, if it does.
    pub fn without_time(self) -> Self {
        let time = self.text.split_at_checked(TIME.len()).filter(|(time, _)| is_time(time));
        Self { text: time.map_or(self.text, |(_, rest)| rest), ..self }
    }
}

/// The number in `<N>`, and what follows it. It has three digits at most.
fn kind(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let inside = bytes.strip_prefix(b"<")?;
    let end = inside.iter().take(LONGEST_KIND - 1).position(|&byte| byte == b'>')?;
    let (digits, rest) = inside.split_at_checked(end)?;
    let number = usize::try_from(crate::text::parse(digits)?).ok()?;
    Some((number, rest.get(1..)?))
}

/// The word of a number.
fn word(words: &'static [u8], number: usize) -> &'static [u8] {
    words.parts(b' ').nth(number).unwrap_or(UNKNOWN)
}

/// What a time looks like: `a` is a letter, `0` a digit, `_` a digit or a blank.
const TIME: &[u8; 16] = b"aaa _0 00:00:00 ";

fn is_time(text: &[u8]) -> bool {
    let fits = |(form, byte): (&u8, &u8)| match form {
        b'a' => byte.is_ascii_alphabetic(),
        b'0' => byte.is_ascii_digit(),
        b'_' => byte.is_ascii_digit() || *byte == b' ',
        other => byte == other,
    };
    TIME.iter().zip(text).all(fits)
}

/// The message that a datagram holds; `None` for an empty one. NULs behind it are none of it, nor is a newline before
/// them.
pub fn datagram(mut bytes: &[u8]) -> Option<&[u8]> {
    while let [rest @ .., 0] = bytes {
        bytes = rest;
    }
    (!bytes.is_empty()).then(|| bytes.strip_suffix(b"\n").unwrap_or(bytes))
}

/// How many bytes the first message of a stream has: it ends with a newline or a NUL.
pub fn end(stream: &[u8]) -> Option<usize> {
    stream.iter().position(|&byte| is_end(byte))
}

/// Hands a message on in parts, in which no byte is that would end its line: `\n` stands for a newline and `\0` for
/// a NUL, so that nobody can write a line in another one's name.
pub fn each_part<'m>(mut text: &'m [u8], part: &mut dyn FnMut(&'m [u8])) {
    while let Some((before, rest)) = end(text).and_then(|at| text.split_at_checked(at)) {
        part(before);
        part(if rest.starts_with(b"\n") { b"\\n" } else { b"\\0" });
        text = rest.get(1..).unwrap_or(b"");
    }
    part(text);
}

fn is_end(byte: u8) -> bool {
    matches!(byte, 0 | b'\n')
}
