//! svlogd: logs what it reads, line by line, to files that it keeps small and few.
//!
//! Exits 0 at the end of its input and on TERM; 111 for a wrong command line, when no directory can be opened, and
//! when something it has read was lost.

mod archive;
mod clock;
mod copy;
mod forward;
mod logdir;
mod logger;
mod lost;
mod processor;
mod say;
mod settings;
mod writer;

use super::Applet;
use clock::Clock;
use core::mem::ManuallyDrop;
use logger::{Logger, Order};
use say::REPORT;
use svbox::cli::{Call, Spec, number};
use svbox::log::stamp::Form;
use svbox::report::{FATAL, Failure};
use svbox::sys::{dir, file, heap};
use writer::Common;

pub fn applet() -> Applet {
    Applet {
        text: b"\
svlogd [-tttvL] [-r c] [-R abc] [-l len] [-b buflen] dir ...

Log lines of standard input to files in each dir, which are rotated, filtered and
processed as the file dir/config says; see svlogd(8).

  -t            put a label before each line; twice or more: the date and time, with
                _, T, or in local time
  -r c          replace bytes that cannot be printed by c
  -R abc        also replace these bytes
  -l len        how much of a line patterns look at (default 1000)
  -b buflen     how much is read at once (default 131072)
  -L            drop lines while the disk is full; twice: say so each time
  -f file       the configuration for every dir
  -M            for compatibility: names of old logs never go back in any case
  -v            say what is done
  -V            print the version and the usage",
        usage_path: true,
        misuse: 111,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"tvVLM rRlbf")),
        run,
    }
}

/// The options of svlogd. They are not read by way of argh, whose table of names would be memory of its own for each
/// logger and each supervisor of one.
#[derive(Default)]
struct Options {
    stamp: usize,
    replacement: Option<&'static [u8]>,
    replaced: Option<&'static [u8]>,
    len: Option<usize>,
    size: Option<usize>,
    drop: usize,
    config: Option<&'static [u8]>,
    verbose: bool,
    version: bool,
}

impl Options {
    fn take(&mut self, letter: u8, value: Option<&'static [u8]>) {
        match letter {
            b't' => self.stamp += 1,
            b'r' => self.replacement = value,
            b'R' => self.replaced = value,
            b'l' => self.len = value.and_then(number),
            b'b' => self.size = value.and_then(number),
            b'L' => self.drop += 1,
            b'f' => self.config = value,
            b'v' => self.verbose = true,
            b'V' => self.version = true,
            // -M: names of old logs never go back in any case.
            _ => {}
        }
    }
}

/// How much of a line is looked at.
const LEN: usize = 1000;
/// How much -b has to be, unless it is given.
const BUFFER: usize = 1024;
/// How much is read at once then: twice what a pipe has by default.
const READ: usize = 128 << 10;

fn run(call: &Call) -> Result<u8, Failure> {
    let order = order(call)?;
    // Relative names start there, so it has to be one that can be opened.
    dir::open(file::CWD, c".").map_err(|errno| {
        REPORT.fatal_of(b"unable to open current working directory", b"", errno);
        Failure::Said(FATAL)
    })?;
    // Never taken apart: at the end of the process the kernel closes everything.
    let mut logger = ManuallyDrop::new(Logger::new(order, call.operands())?);
    heap::seal();
    logger.run()
}

// Kept apart, so that what it needs of the stack is given back.
#[inline(never)]
fn order(call: &Call) -> Result<Order, Failure> {
    let mut opts = Options::default();
    call.each(&mut |letter, value| opts.take(letter, value));
    if opts.version {
        return Err(super::tell_version(b"svlogd"));
    }
    let len = opts.len.unwrap_or(LEN);
    let size = opts.size;
    if size.unwrap_or(BUFFER) <= len || call.operands().is_empty() {
        return Err(Failure::Usage);
    }
    let common =
        Common { clock: Clock::new(Form::of(opts.stamp)), len, verbose: opts.verbose, drop: opts.drop };
    let map = map(opts.replacement, opts.replaced)?;
    let config = opts.config.map(path).transpose()?;
    Ok(Order { common, size: size.unwrap_or(READ), map, config })
}

/// A value as a path, kept for good.
fn path(value: &[u8]) -> Result<&'static core::ffi::CStr, Failure> {
    heap::keep(&[value]).map_err(|_| Failure::Usage)
}

/// What each byte becomes; `None` if all stay what they are.
fn map(replacement: Option<&[u8]>, replaced: Option<&[u8]>) -> Result<Option<&'static [u8; 256]>, Failure> {
    let by = match replacement {
        Some([byte]) => Some(*byte),
        Some(_) => return Err(Failure::Usage),
        None => None,
    };
    if by.is_none() && replaced.is_none() {
        return Ok(None);
    }
    let listed = replaced.unwrap_or(b"");
    let mut map = [0; 256];
    for (place, byte) in map.iter_mut().zip(0_u8..=255) {
        // As in runit, with either option.
        let unprintable = !(32..=126).contains(&byte);
        let is_replaced = byte != b'\n' && (unprintable || svbox::cli::has(listed, byte));
        *place = if is_replaced { by.unwrap_or(b'_') } else { byte };
    }
    Ok(Some(Box::leak(Box::new(map))))
}
