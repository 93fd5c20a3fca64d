//! The configuration of one directory, as it was read.

use super::say::{REPORT, info, unable};
use core::ffi::CStr;
use svbox::log::config::{Bad, Instruction, Selects, Target, read};
use svbox::log::pattern::{is_complete, matches};
use svbox::sys::region::Region;
use svbox::sys::table::Table;
use svbox::sys::{self, BorrowedFd, Errno, Result, file};

/// There has to be room for a prefix with each line.
pub const LONGEST_PREFIX: usize = 64 << 10;
/// As much is read of a configuration that does not say how long it is, such as a pipe.
const LONGEST: usize = 1 << 20;

/// A part of the text.
#[derive(Clone, Copy, Default)]
struct Part {
    at: usize,
    len: usize,
}

/// A pattern, and what it does.
struct Pattern {
    selects: Selects,
    part: Part,
}

/// What is to become of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// It is logged.
    pub log: bool,
    /// It is copied to standard error.
    pub copy: bool,
}

/// What the configuration of a directory says.
pub struct Settings {
    /// The most bytes of a file; 0 for any number.
    pub size: u64,
    /// How many old logs are kept; 0 for all.
    pub keep: u64,
    /// How many are kept at least when the disk is full.
    pub least: u64,
    /// After how many seconds a file ends; 0 for never.
    pub every: u64,
    /// Where lines are sent.
    pub target: Option<Target>,
    processor: Option<Part>,
    prefix: Part,
    banner: Option<Part>,
    patterns: Option<Table<Pattern>>,
    /// The file, with a NUL in the place of each newline, and one behind it.
    text: Option<Region>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: 1_000_000,
            keep: 10,
            least: 10,
            every: 0,
            target: None,
            processor: None,
            prefix: Part::default(),
            banner: None,
            patterns: None,
            text: None,
        }
    }
}

impl Settings {
    /// Reads the file at `path`, which is `shown` in messages about `dir`. Without one the usual holds, and also
    /// for what cannot be read or understood: of that there is a warning.
    #[inline(never)]
    pub fn load(at: BorrowedFd<'_>, path: &CStr, dir: &[u8], shown: &[&[u8]], verbose: bool) -> Self {
        let mut settings = Self::default();
        match settings.take(at, path, dir) {
            Ok(()) => {
                let mut parts: [&[u8]; 4] = [b"read: ", b"", b"", b""];
                for (place, part) in parts.iter_mut().skip(1).zip(shown) {
                    *place = part;
                }
                info(verbose, &parts);
            }
            Err(Errno::NOENT) => {}
            Err(errno) => unable(b"read config", dir, errno),
        }
        settings
    }

    fn take(&mut self, at: BorrowedFd<'_>, path: &CStr, dir: &[u8]) -> Result<()> {
        let fd = file::open_read(at, path)?;
        let stat = file::stat_open(&fd)?;
        let size = if file::is_regular(&stat) { usize::try_from(stat.st_size).unwrap_or(0) } else { LONGEST };
        let mut text = Region::new(size + 1)?;
        let len = file::read_full(&fd, text.get_mut(..size).unwrap_or(&mut []))?;
        // Every pattern is a byte and what ends it at least.
        self.patterns = Some(Table::new(len / 2 + 1)?);
        let mut start = 0;
        while start < len {
            let rest = text.get(start..len).unwrap_or(&[]);
            // A NUL ends a pattern, and what follows is one more instruction.
            let newline = match is_pattern(rest) {
                true => memchr::memchr2(0, b'\n', rest),
                false => memchr::memchr(b'\n', rest),
            };
            let line = rest.get(..newline.unwrap_or(rest.len())).unwrap_or(rest);
            // A lone byte is not yet a line.
            let end = start + line.len();
            if newline.is_some() || line.len() > 1 {
                self.line(line, start, dir);
            }
            start = end;
            if let Some(end) = text.get_mut(start) {
                *end = 0;
            }
            start += 1;
        }
        self.text = Some(text);
        Ok(())
    }

    fn line(&mut self, line: &[u8], at: usize, dir: &[u8]) {
        let part = |inner: &[u8]| Part { at: at + 1, len: inner.len() };
        match read(line) {
            Ok(Instruction::Nothing) => {}
            Ok(Instruction::Size(size)) => self.size = size,
            Ok(Instruction::Keep(keep)) => self.keep = keep,
            Ok(Instruction::Least(least)) => self.least = least,
            Ok(Instruction::Every(every)) => self.every = every,
            Ok(Instruction::Processor(command)) => self.processor = Some(part(command)),
            Ok(Instruction::Prefix(prefix)) if prefix.len() > LONGEST_PREFIX => {
                REPORT.warn(&[b"prefix too long in config: ", dir], None);
            }
            Ok(Instruction::Prefix(prefix)) => self.prefix = part(prefix),
            Ok(Instruction::Banner(banner)) => self.banner = Some(part(banner)),
            Ok(Instruction::Send(target)) => {
                // Once lines are only sent, a later address does not change that.
                let only = self.target.is_some_and(|before| !before.also_log);
                self.target = Some(Target { also_log: target.also_log && !only, ..target });
            }
            Ok(Instruction::Pattern(selects, pattern)) => self.pattern(selects, pattern, at, dir),
            Err(Bad::Unknown(line)) => {
                REPORT.warn(&[b"unknown instruction in config: ", dir, b": ", shown(line)], None);
            }
            Err(Bad::Number(line)) => {
                REPORT.warn(&[b"bad number in config: ", dir, b": ", shown(line)], None)
            }
            Err(Bad::Address(text)) => REPORT.warn(&[b"unable to scan ip address: ", shown(text)], None),
            Err(Bad::Port(text)) => REPORT.warn(&[b"unable to scan port number: ", shown(text)], None),
        }
    }

    fn pattern(&mut self, selects: Selects, pattern: &[u8], at: usize, dir: &[u8]) {
        if !is_complete(pattern) {
            REPORT
                .warn(&[b"pattern matches nothing, + is its last byte: ", dir, b": ", shown(pattern)], None);
        }
        if let Some(patterns) = &mut self.patterns {
            // There is room for as many as the text can have.
            let _ = patterns.push(Pattern { selects, part: Part { at: at + 1, len: pattern.len() } });
        }
    }

    fn part(&self, part: Part) -> &[u8] {
        let text: &[u8] = self.text.as_deref().unwrap_or(&[]);
        text.get(part.at..part.at + part.len).unwrap_or(&[])
    }

    /// What is put before each line.
    pub fn prefix(&self) -> &[u8] {
        self.part(self.prefix)
    }

    /// The line at the top of each file.
    pub fn banner(&self) -> Option<&[u8]> {
        self.banner.map(|banner| self.part(banner))
    }

    /// The command for files that have ended, for the shell.
    pub fn processor(&self) -> Option<&CStr> {
        let text: &[u8] = self.text.as_deref().unwrap_or(&[]);
        text.get(self.processor?.at..).and_then(sys::c_str)
    }

    /// Whether lines go to the file as they are, all of them.
    pub fn is_plain(&self) -> bool {
        self.prefix.len == 0 && self.target.is_none() && self.list().is_empty()
    }

    fn list(&self) -> &[Pattern] {
        self.patterns.as_ref().map_or(&[], Table::list)
    }

    /// What is to become of a line of which this is the beginning: every pattern is tried in order, and the last one
    /// that covers it decides.
    pub fn judge(&self, text: &[u8]) -> Verdict {
        let mut verdict = Verdict { log: true, copy: false };
        for pattern in self.list() {
            // No need to look if nothing would change.
            let (changes, log, copy) = match pattern.selects {
                Selects::Log => (!verdict.log, true, verdict.copy),
                Selects::NoLog => (verdict.log, false, verdict.copy),
                Selects::Copy => (!verdict.copy, verdict.log, true),
                Selects::NoCopy => (verdict.copy, verdict.log, false),
            };
            if changes && matches(self.part(pattern.part), text) {
                verdict = Verdict { log, copy };
            }
        }
        verdict
    }
}

/// As much of a line as belongs into a message.
fn shown(line: &[u8]) -> &[u8] {
    line.get(..100).unwrap_or(line)
}

fn is_pattern(text: &[u8]) -> bool {
    matches!(text, [b'+' | b'-' | b'e' | b'E', ..])
}
