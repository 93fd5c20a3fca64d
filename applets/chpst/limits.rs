//! The soft limits that have letters.

use super::REPORT;
use super::options::Misuse;
use super::plan::{Change, Plan};
use super::unable::Unable;
use svbox::sys::limit::{self, Resource};
use svbox::text::{Cut, parse};

/// A limit that was asked for.
pub struct Limit {
    /// Its place among them.
    pub order: u8,
    /// `None` for the hard limit.
    wanted: Option<u64>,
}

/// The letters that softlimit has for them, and the limits, in the order in which they are set.
const LETTERS: &[u8] = b"dslaopfcrt";
const RESOURCES: [Resource; LETTERS.len()] = [
    Resource::Data,
    Resource::Stack,
    Resource::Memlock,
    Resource::As,
    Resource::Nofile,
    Resource::Nproc,
    Resource::Fsize,
    Resource::Core,
    Resource::Rss,
    Resource::Cpu,
];
const NAMES: &[u8] = b"DATA STACK MEMLOCK AS NOFILE NPROC FSIZE CORE RSS CPU";

/// Asks for the limit of a letter; `m` stands for the first four.
pub fn ask(plan: &mut Plan, letter: u8, wanted: Option<u64>) {
    for (order, known) in (0..).zip(LETTERS) {
        if *known == letter || letter == b'm' && order < 4 {
            plan.ask(Change::Limit(Limit { order, wanted }));
        }
    }
}

/// A number that is a limit: nothing is 0. The upper half of what 64 bits hold is no number of anything.
pub fn number(digits: &'static [u8]) -> Result<u64, Misuse> {
    match parse(digits) {
        _ if digits.is_empty() => Ok(0),
        Some(number) if number >> 63 == 0 => Ok(number),
        _ if digits.iter().all(u8::is_ascii_digit) => Err(Misuse::Number(digits)),
        _ => Err(Misuse::Plain),
    }
}

impl Limit {
    /// Sets it.
    pub fn set(&self, verbose: bool) -> Result<(), Unable> {
        let order = usize::from(self.order);
        let Some(resource) = RESOURCES.get(order) else { return Ok(()) };
        let lowered =
            limit::lower_soft(*resource, self.wanted).map_err(Unable::to(b"unable to setrlimit()", b""))?;
        if lowered && verbose {
            let name = NAMES.parts(b' ').nth(order).unwrap_or(b"");
            REPORT.warn(&[b"lowered to the hard limit: RLIMIT_", name], None);
        }
        Ok(())
    }
}
