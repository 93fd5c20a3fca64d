//! Lines that there was no room for, with -L.

use super::say::REPORT;
use svbox::sys::Errno;
use svbox::sys::time::{Duration, Instant};
use svbox::text::decimal;

/// How often the loss of lines is told at most.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(1);

/// What was dropped.
#[derive(Default)]
pub struct Lost {
    /// How many lines since the last one that was written.
    pub lines: u64,
    /// How many of all have not been told of on standard error.
    untold: u64,
    told: Option<Instant>,
    /// The rest of a line whose beginning was dropped is still to come.
    pub rest: bool,
}

impl Lost {
    /// Counts what is dropped: whole lines, and at the end perhaps a part of one.
    pub fn add(&mut self, bytes: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        self.rest = !bytes.ends_with(b"\n");
        let lines = u64::try_from(lines).unwrap_or(0) + u64::from(self.rest);
        self.lines += lines;
        self.untold += lines;
    }

    /// Says on standard error what has not been said; not too often, unless that is all.
    pub fn tell(&mut self, dir: &[u8], is_all: bool) {
        let now = Instant::now();
        let quiet = self.told.is_some_and(|told| now.since(told) < BETWEEN_WARNINGS);
        if self.untold == 0 || quiet && !is_all {
            return;
        }
        let mut digits = [0; 20];
        let lines = decimal(self.untold, &mut digits);
        REPORT.warn(&[b"data loss: ", dir, b": ", lines, b" lines"], Some(Errno::NOSPC));
        self.told = Some(now);
        self.untold = 0;
    }
}
