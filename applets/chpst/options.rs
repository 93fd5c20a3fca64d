//! What command lines ask for.

use super::inner::Inside;
use super::limits::{self, number};
use super::long;
use super::plan::{Change, Plan};
use super::unable::Unable;
use super::who::Who;
use crate::applets::complain;
use core::ffi::CStr;
use svbox::cli::{self, Call, Complaint, Spec};
use svbox::report::{FATAL, Failure};
use svbox::sys::args::Args;
use svbox::sys::namespace;
use svbox::sys::stdio::{self, Parts};
use svbox::sys::{Errno, heap};
use svbox::text::parse;

/// Why a command line is not acted on.
pub enum Misuse {
    /// It is not what the usage says.
    Plain,
    /// The version was asked for.
    Version,
    /// A number that is too large.
    Number(&'static [u8]),
    /// A value that the long option of this letter cannot have.
    Value(u8, &'static [u8]),
    /// There is no memory for a value.
    Memory,
    /// No such option, or no value for it.
    Option(Complaint),
}

type Value = Option<&'static [u8]>;

impl Misuse {
    /// Says what there is to say before the usage.
    pub fn tell(&self, call: &Call) -> Result<u8, Failure> {
        match self {
            Self::Plain => Err(Failure::Usage),
            Self::Version => say(&[b"svbox chpst ", env!("CARGO_PKG_VERSION").as_bytes()]),
            Self::Memory => {
                Unable::memory(Errno::NOMEM).tell();
                Err(Failure::Said(FATAL))
            }
            Self::Number(digits) => say(&[b"chpst: number out of range -- ", digits]),
            Self::Value(letter, value) => {
                say(&[b"chpst: invalid value for --", long::name(*letter), b" -- ", value])
            }
            Self::Option(complaint) => complain(call.argv0, *complaint),
        }
    }
}

fn say(parts: &[&[u8]]) -> Result<u8, Failure> {
    let mut line = Parts::new();
    for part in parts {
        line.push(part);
    }
    let _ = line.push(b"\n").write(stdio::stderr());
    Err(Failure::Usage)
}

/// Calls `option` with each option, up to the first that is wrong; gives what follows the options.
fn each(
    spec: Spec,
    args: Args,
    option: &mut dyn FnMut(u8, Value) -> Result<(), Misuse>,
) -> Result<Args, Misuse> {
    let mut done = Ok(());
    let scanned = cli::each(spec, args, &mut |letter, value| {
        if done.is_ok() {
            done = option(letter, value);
        }
    });
    done?;
    scanned.map(|used| args.skip(used)).map_err(Misuse::Option)
}

/// chpst's own.
pub fn chpst(args: Args, plan: &mut Plan) -> Result<Args, Misuse> {
    let args = each(long::SPEC, args, &mut |letter, value| {
        if letter == long::IF_SUPPORTED {
            plan.lenient = true;
            return Ok(());
        }
        let value = value.unwrap_or(b"");
        let asked = match letter.is_ascii() {
            true => letter_of_chpst(plan, letter, value),
            false => long::option(plan, letter, value),
        };
        plan.lenient = false;
        asked
    })?;
    // It has to stand before something.
    if plan.lenient { Err(Misuse::Plain) } else { Ok(args) }
}

fn letter_of_chpst(plan: &mut Plan, letter: u8, value: &'static [u8]) -> Result<(), Misuse> {
    match letter {
        b'v' => plan.verbose = true,
        b'V' => return Err(Misuse::Version),
        b'N' => plan.null = true,
        b'P' => plan.ask(Change::Session),
        b'F' | b'I' => {
            plan.need(Change::Namespace(namespace::MOUNT));
            inside(plan, if letter == b'F' { Inside::Group } else { Inside::First });
        }
        b'0'..=b'2' => plan.ask(Change::Standard(letter - b'0')),
        b'u' => plan.ask(Change::Ids(Who::new(text(value)?))),
        b'U' => plan.ask(Change::IdVariables(Who::new(text(value)?))),
        b'b' => plan.argv0 = Some(text(value)?),
        b'e' => plan.ask(Change::EnvDir(text(value)?, false)),
        b'/' => plan.ask(Change::Root(text(value)?)),
        b'C' => plan.ask(Change::Directory(text(value)?)),
        b'n' => plan.ask(Change::Nice(niceness(value)?)),
        b'A' => plan.ask(Change::Alarm(u32::try_from(number(value)?).map_err(|_| Misuse::Number(value))?)),
        b'l' | b'L' if plan.changes().any(|change| matches!(change, Change::Lock(..))) => {
            return Err(Misuse::Plain);
        }
        b'l' | b'L' => plan.ask(Change::Lock(text(value)?, letter == b'l')),
        _ => limits::ask(plan, letter, Some(number(value)?)),
    }
    Ok(())
}

/// Of several the strongest counts.
pub fn inside(plan: &mut Plan, mut inside: Inside) {
    for change in plan.changes() {
        if let Change::Inside(before) = change {
            inside = inside.max(*before);
        }
    }
    plan.need(Change::Inside(inside));
}

/// Limits by daemontools' letters, which are the same but for `l`.
pub fn softlimit(args: Args, plan: &mut Plan) -> Result<Args, Misuse> {
    const SPEC: Spec = Spec(b" acdflmoprst");
    each(SPEC, args, &mut |letter, value| {
        let value = value.unwrap_or(b"");
        let wanted = if value == b"=" { None } else { Some(number(value)?) };
        limits::ask(plan, letter, wanted);
        Ok(())
    })
}

/// A lock; whether it is waited for is as in daemontools, which is not as in runit.
pub fn setlock(args: Args, plan: &mut Plan) -> Result<Args, Misuse> {
    const SPEC: Spec = Spec(b"nNxX");
    let mut wait = true;
    let args = each(SPEC, args, &mut |letter, _| {
        match letter {
            b'n' | b'N' => wait = letter == b'N',
            _ => plan.quiet = letter == b'x',
        }
        Ok(())
    })?;
    let lock: fn(&'static CStr) -> Change = match wait {
        true => |file| Change::Lock(file, true),
        false => |file| Change::Lock(file, false),
    };
    with_first(args, plan, lock)
}

/// Asks for what the first argument says; gives the others.
pub fn with_first(args: Args, plan: &mut Plan, change: fn(&'static CStr) -> Change) -> Result<Args, Misuse> {
    let (first, rest) = args.split_first().ok_or(Misuse::Plain)?;
    plan.ask(change(first));
    Ok(rest)
}

/// A value as it is passed to the kernel.
pub fn text(value: &[u8]) -> Result<&'static CStr, Misuse> {
    heap::keep(&[value]).map_err(|_| Misuse::Memory)
}

/// Digits, or nothing, with a sign or without. There are 40 nice values.
fn niceness(value: &[u8]) -> Result<i32, Misuse> {
    let (sign, digits) = match value {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Misuse::Plain);
    }
    let many = if digits.is_empty() { 0 } else { parse(digits).unwrap_or(40).min(40) };
    Ok(sign * i32::try_from(many).unwrap_or(40))
}
