//! The options of chpst that runit does not have: long names, so that all letters stay upstream's.

use super::inner::Inside;
use super::options::{Misuse, inside, text};
use super::plan::{Change, Plan};
use svbox::cli::{Spec, has};
use svbox::service::settings::signal;
use svbox::sys::namespace::{self, Kinds};
use svbox::sys::schedule::{self, Processors};
use svbox::sys::{capability, limit};
use svbox::text::{Cut, Text, parse, place};

// Letters for them that nobody can type.
const CAP_BOUND: u8 = 0x80;
const CAP_AMBIENT: u8 = 0x81;
const RLIMIT: u8 = 0x82;
const UMASK: u8 = 0x83;
const OOM_SCORE_ADJ: u8 = 0x84;
const IO_PRIORITY: u8 = 0x85;
const SCHEDULER: u8 = 0x86;
const CPUS: u8 = 0x87;
const PARENT_DEATH_SIGNAL: u8 = 0x88;
const KEEP_FD: u8 = 0x89;
const CGROUP: u8 = 0x8a;
const NS: u8 = 0x8b;
const READ_ONLY: u8 = 0x8c;
const LANDLOCK: u8 = 0x8d;
const STDIN: u8 = 0x8e;
const STDOUT: u8 = 0x8f;
const STDERR: u8 = 0x90;
const ENV: u8 = 0x91;
const UNSET: u8 = 0x92;
const CLOSE_FDS: u8 = 0x93;
const NO_NEW_PRIVS: u8 = 0x94;
const PRIVATE_TMP: u8 = 0x95;
const NEW_SESSION: u8 = 0x96;
const CLEAR_ENV: u8 = 0x97;
pub const IF_SUPPORTED: u8 = 0x98;

/// All options of chpst.
// The long ones up to `unset` have a value.
pub const SPEC: Spec = Spec(
    b"vVPFI012N uUbe/CnAlLmdopfcrtas\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92 \
\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98 \
cap-bound cap-ambient rlimit umask oom-score-adj io-priority scheduler cpus parent-death-signal keep-fd cgroup ns \
read-only landlock stdin stdout stderr env unset close-fds no-new-privs private-tmp new-session clear-env if-supported",
);

/// The name of such a letter.
pub fn name(letter: u8) -> &'static [u8] {
    SPEC.name(usize::from(letter & 0x7f))
}

/// Asks for what an option says.
pub fn option(plan: &mut Plan, letter: u8, value: &'static [u8]) -> Result<(), Misuse> {
    match letter {
        CLOSE_FDS => close(plan, None),
        NO_NEW_PRIVS => plan.ask(Change::NoNewPrivileges),
        PRIVATE_TMP => mounts(plan, Change::PrivateTemporary),
        NEW_SESSION => plan.ask(Change::NewSession),
        CLEAR_ENV => plan.ask(Change::ClearVariables),
        READ_ONLY => mounts(plan, Change::ReadOnly(text(value)?)),
        STDIN | STDOUT | STDERR => {
            plan.ask(Change::Open(letter - STDIN, text(value)?));
            plan.ask(Change::Standard(letter - STDIN));
        }
        _ => return with_value(plan, letter, value).ok_or(Misuse::Value(letter, value)),
    }
    Ok(())
}

/// The same for those whose value has to be understood; `None` if it is not.
fn with_value(plan: &mut Plan, letter: u8, value: &'static [u8]) -> Option<()> {
    match letter {
        CAP_BOUND => plan.ask(Change::Bounding(capabilities(value)?)),
        CAP_AMBIENT => plan.ask(Change::Ambient(capabilities(value)?)),
        RLIMIT => {
            let (name, limits) = split(value, b'=')?;
            let (soft, hard) = split(limits, b':').map_or((limits, None), |(soft, hard)| (soft, Some(hard)));
            let hard = match hard {
                Some(hard) => Some(amount(hard)?),
                None => None,
            };
            plan.ask(Change::ExactLimit(place(limit::NAMES, name)?, amount(soft)?, hard));
        }
        UMASK => plan.ask(Change::Umask(octal(value)?)),
        OOM_SCORE_ADJ => {
            let digits = value.strip_prefix(b"-").unwrap_or(value);
            parse(digits).filter(|number| *number <= 1000)?;
            plan.ask(Change::OomScore(text(value).ok()?));
        }
        IO_PRIORITY => io_priority(plan, value)?,
        SCHEDULER => scheduler(plan, value)?,
        CPUS => {
            processors(value)?;
            // Not the set itself: it would make every change as large as the largest machine.
            plan.ask(Change::Processors(value));
        }
        PARENT_DEATH_SIGNAL => plan.ask(Change::ParentDeath(signal(value)?)),
        KEEP_FD => close(plan, Some(list(value, number)?)),
        NS => namespaces(plan, value)?,
        LANDLOCK => {
            let (access, path) = split(value, b':').filter(|(_, path)| !path.is_empty())?;
            let write = match access {
                b"ro" => false,
                b"rw" => true,
                _ => return None,
            };
            plan.ask(Change::Landlock(text(path).ok()?, write));
            plan.need(Change::Restrict);
        }
        CGROUP => {
            let usual = |name: &[u8]| !matches!(name, b"." | b"..");
            let names = || value.parts(b'/').filter(|name| !name.is_empty());
            // The root only if it is meant, not if a variable of a script is empty.
            let named = value == b"/" || names().next().is_some();
            (named && names().all(usual)).then_some(())?;
            plan.ask(Change::ControlGroup(text(value).ok()?));
        }
        ENV => {
            let (name, text) = split(value, b'=').filter(|(name, _)| !name.is_empty())?;
            plan.ask(Change::Variable(name, Some(text)));
        }
        UNSET if !value.is_empty() && !has(value, b'=') => plan.ask(Change::Variable(value, None)),
        _ => return None,
    }
    Some(())
}

/// A change in what is mounted, for us alone.
fn mounts(plan: &mut Plan, change: Change) {
    plan.need(Change::Namespace(namespace::MOUNT));
    plan.ask(change);
}

/// Closes all descriptors but the standard ones, and these; several lists are one.
fn close(plan: &mut Plan, kept: Option<Vec<u32>>) {
    let mut all: Vec<u32> = kept.unwrap_or_default();
    for change in plan.changes() {
        if let Change::CloseDescriptors(before) = change {
            all.extend(before);
        }
    }
    plan.need(Change::CloseDescriptors(all));
}

fn namespaces(plan: &mut Plan, value: &[u8]) -> Option<()> {
    for name in value.parts(b',') {
        let index = place(namespace::NAMES, name)?;
        if namespace::NAMED.get(index) == Some(&Kinds::NEWPID) {
            inside(plan, Inside::Only);
        } else {
            plan.need(Change::Namespace(index));
        }
    }
    Some(())
}

fn io_priority(plan: &mut Plan, value: &[u8]) -> Option<()> {
    let (name, level) = split(value, b':').map_or((value, None), |(name, level)| (name, Some(level)));
    let class = place(schedule::IO_CLASSES, name)?;
    // Only two of them have levels, of which the middle one is usual.
    let level = match (class, level) {
        (1 | 2, Some(level)) => parse(level).filter(|level| *level < 8)?,
        (1 | 2, None) => 4,
        (_, Some(_)) => return None,
        (_, None) => 0,
    };
    plan.ask(Change::IoPriority(class, usize::try_from(level).ok()?));
    Some(())
}

fn scheduler(plan: &mut Plan, value: &[u8]) -> Option<()> {
    let (name, priority) = split(value, b':').map_or((value, None), |(name, number)| (name, Some(number)));
    let policy = place(schedule::POLICIES, name).filter(|policy| *policy != 4)?;
    let priority = match (schedule::is_real_time(policy), priority) {
        (true, priority) => parse(priority?).filter(|priority| (1..100).contains(priority))?,
        (false, Some(_)) => return None,
        (false, None) => 0,
    };
    plan.ask(Change::Policy(policy, i32::try_from(priority).ok()?));
    Some(())
}

/// `0,2-5`
pub fn processors(value: &[u8]) -> Option<Processors> {
    let mut processors = Processors::none();
    for part in value.parts(b',') {
        let (first, last) = split(part, b'-').unwrap_or((part, part));
        let (first, last) = (usize::try_from(parse(first)?).ok()?, usize::try_from(parse(last)?).ok()?);
        if first > last || last >= Processors::MOST {
            return None;
        }
        (first..=last).for_each(|number| processors.add(number));
    }
    Some(processors)
}

/// Names, each of which comes to the set or, with a `-`, is taken from it; `all` and `none` too.
fn capabilities(value: &[u8]) -> Option<u64> {
    let mut set = 0;
    for part in value.parts(b',') {
        let (name, takes) = part.strip_prefix(b"-").map_or((part, false), |name| (name, true));
        let bits = match name {
            b"all" => u64::MAX,
            b"none" => {
                set = 0;
                0
            }
            name => capability(name)?,
        };
        set = if takes { set & !bits } else { set | bits };
    }
    Some(set)
}

fn capability(name: &[u8]) -> Option<u64> {
    let small = small(name);
    let name = small.bytes().strip_prefix(b"cap_").unwrap_or(small.bytes());
    Some(1 << place(capability::NAMES, name)?)
}

/// A name in small letters; one that is too long is none.
fn small(name: &[u8]) -> Text<32> {
    let mut small = Text::new();
    for byte in name {
        small.push(&[byte.to_ascii_lowercase()]);
    }
    if small.bytes().len() < name.len() {
        small.truncate(0);
    }
    small
}

fn list<T>(value: &[u8], one: fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    value.parts(b',').map(one).collect()
}

fn number(digits: &[u8]) -> Option<u32> {
    u32::try_from(parse(digits)?).ok()
}

/// A limit.
fn amount(value: &[u8]) -> Option<u64> {
    if value == b"unlimited" { Some(u64::MAX) } else { parse(value).filter(|number| number >> 63 == 0) }
}

/// The bits of permissions.
fn octal(value: &[u8]) -> Option<u32> {
    let digit = |digit: &u8| (b'0'..=b'7').contains(digit).then_some(u32::from(digit & 7));
    let number = value.iter().try_fold(0_u32, |number, byte| Some(number.checked_mul(8)? + digit(byte)?))?;
    (!value.is_empty() && number <= 0o777).then_some(number)
}

fn split(value: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = value.iter().position(|&byte| byte == at)?;
    Some((value.get(..place)?, value.get(place + 1..)?))
}
