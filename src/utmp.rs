//! The records of utmp and wtmp: who is on which line, and when the machine was started and shut down.
//!
//! They are laid out as glibc has them on the machine, since its programs read and write the files. musl's own
//! structure is another one, which no file holds.

use crate::text::Cut;
use core::ops::Range;

/// Whether times and sessions are 64 bits wide.
const WIDE: bool = cfg!(any(target_arch = "aarch64", target_arch = "s390x", target_arch = "loongarch64"));

/// How long a record is.
pub const SIZE: usize = if WIDE { 400 } else { 384 };
/// The longest name of a line.
pub const LONGEST_LINE: usize = 32;

/// Seconds, and behind them microseconds, each a number of this many bytes.
const TIME: usize = if WIDE { 344 } else { 340 };
const NUMBER: usize = if WIDE { 8 } else { 4 };

/// What a record tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The machine is being shut down: a change of the runlevel.
    RunLevel = 1,
    /// The machine was started.
    Boot = 2,
    /// Somebody is logged in.
    User = 7,
    /// Nobody is any more.
    Dead = 8,
}

/// A text in a record. It ends with a NUL, unless it fills its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// The terminal's name below `/dev`.
    Line,
    /// What tells lines from each other.
    Id,
    /// The name of the user.
    User,
    /// Where the user is, or which kernel it was.
    Host,
}

impl Field {
    const fn place(self) -> Range<usize> {
        match self {
            Self::Line => 8..40,
            Self::Id => 40..44,
            Self::User => 44..76,
            Self::Host => 76..332,
        }
    }
}

/// A record as the file has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record(pub [u8; SIZE]);

impl Record {
    /// One that tells this, and nothing else.
    pub fn new(kind: Kind) -> Self {
        let mut record = Self([0; SIZE]);
        record.set_kind(kind);
        record
    }

    /// Whether it tells this.
    pub fn is(&self, kind: Kind) -> bool {
        self.0.first_chunk() == Some(&number(kind))
    }

    /// Makes it tell this.
    pub fn set_kind(&mut self, kind: Kind) {
        self.put(0, &number(kind));
    }

    /// A text of it.
    pub fn text(&self, field: Field) -> &[u8] {
        let text = self.0.get(field.place()).unwrap_or(&[]);
        text.before(0)
    }

    /// Replaces a text; what does not fit is left out.
    pub fn set_text(&mut self, field: Field, text: &[u8]) {
        if let Some(place) = self.0.get_mut(field.place()) {
            place.fill(0);
            for (byte, new) in place.iter_mut().zip(text) {
                *byte = *new;
            }
        }
    }

    /// Sets the seconds of its time; 32 bits of them where there is no room for more.
    pub fn set_seconds(&mut self, seconds: i64) {
        self.put_number(TIME, seconds);
    }

    /// Sets the microseconds.
    pub fn set_microseconds(&mut self, microseconds: u32) {
        self.put_number(TIME + NUMBER, i64::from(microseconds));
    }

    fn put_number(&mut self, at: usize, number: i64) {
        if WIDE {
            self.put(at, &number.to_ne_bytes());
        } else {
            // What the format has no room for is cut off: the year 2038.
            self.put(at, &(number as i32).to_ne_bytes());
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// The number of a kind as a record has it.
fn number(kind: Kind) -> [u8; 2] {
    (kind as u16).to_ne_bytes()
}
