//! The names of files in a log directory (svlogd's spec, section 4).

use crate::tai::Tai;

/// What an old log, by the last letter of its name, has gone through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `.s`: finished.
    Done,
    /// `.u`: its processor has not succeeded yet, or its writer has died.
    Unprocessed,
    /// `.t`: output of a processor that has not succeeded.
    Partial,
    /// Any other letter: of somebody else, counted all the same.
    Other,
}

/// The length of every name of an old log: `@`, 24 digits, a dot and a letter.
pub const LEN: usize = 27;
/// The length of its label, which is also the order of age.
pub const LABEL: usize = 25;

/// The label of an old log, as it stands at the beginning of its name.
pub type Label = [u8; LABEL];

/// The label and the kind of a file by its name; `None` if it is not an old log.
pub fn read(name: &[u8]) -> Option<(&Label, Kind)> {
    let label = name.first_chunk().filter(|_| name.len() == LEN && name.starts_with(b"@"))?;
    let kind = match name {
        [.., b's'] => Kind::Done,
        [.., b'u'] => Kind::Unprocessed,
        [.., b't'] => Kind::Partial,
        _ => Kind::Other,
    };
    Some((label, kind))
}

/// The name with that label and letter, with a NUL behind it.
pub fn with(label: &Label, letter: u8) -> [u8; LEN + 1] {
    let mut name = [0; LEN + 1];
    for (place, byte) in name.iter_mut().zip(label.iter().chain(&[b'.', letter])) {
        *place = *byte;
    }
    name
}

/// The moment a label stands for; `None` if it was not made by a logger.
pub fn moment(label: &Label) -> Option<Tai> {
    let mut bytes = [0; 12];
    let (pairs, _) = label.get(1..)?.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(Tai::from_bytes(&bytes)).filter(|at| at.nanoseconds < 1_000_000_000 && at.seconds >> 63 == 0)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// The moment for the next name: now, or just behind the newest name there is, should the clock have gone back.
pub fn next(now: Tai, newest: Option<Tai>) -> Tai {
    match newest {
        Some(newest) if newest >= now => newest.next(),
        _ => now,
    }
}
