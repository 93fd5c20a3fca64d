//! Where one file ends and the next begins.

use memchr::memchr;

/// What limits a file by its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// The most bytes a file has; 0 for any number.
    pub size: u64,
    /// How near to that a line may end a file: a line is not split if it is shorter.
    pub near: u64,
}

/// What to do next with bytes that are to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Portion {
    /// The file is full: begin another one first.
    Full,
    /// Write so many bytes; more would not belong into this file if it `ends` there.
    Write {
        /// How many.
        bytes: usize,
        /// Whether the file has all it should have when they are written.
        ends: bool,
    },
}

impl Limit {
    /// What to do with `bytes` when the file has `held` of them already.
    ///
    /// A file ends with the line that brings it within `near` of the limit, and never exceeds the limit itself
    /// (svlogd's spec, section 8).
    pub fn portion(&self, held: u64, bytes: &[u8]) -> Portion {
        if self.size == 0 {
            return Portion::Write { bytes: bytes.len(), ends: false };
        }
        let Some(room) = self.size.checked_sub(held).filter(|room| *room > 0) else { return Portion::Full };
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let end = self.size.checked_sub(self.near).and_then(|enough| {
            let missing = usize::try_from(enough.saturating_sub(held)).unwrap_or(usize::MAX);
            let from = missing.saturating_sub(1);
            let newline = memchr(b'\n', bytes.get(from..fits)?)?;
            Some(from + newline + 1)
        });
        Portion::Write { bytes: end.unwrap_or(fits), ends: end.is_some() }
    }
}
