//! Which files there are in a service directory, and what is in them.

use crate::service::settings::{NAMES, Setting};
use crate::supervisor::unit::Place;
use crate::sys::time::{self, Duration};
use crate::sys::{AsFd, dir, file};
use crate::text::{nth, place_between};
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// A directory that has changed less than this ago may change again without showing it.
const GRAIN: Duration = Duration::from_secs(1);
/// How much of the directory is read at once, in bytes: some fifteen names. This is done for each start, by supervisors
/// with none of the files as well, and with more they would need another page of stack.
const PORTION: usize = 512;
/// The bits of what is svbox's own.
pub(super) const OWN: u32 = (1 << (Setting::ALL.len() + 3)) - 1;

/// What is looked for together with the files: that it is not there need not be found out again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Other {
    /// Is told of what befalls the service.
    Notify,
    /// The names of services that have to be ready before.
    Needs,
    /// The names of services that are started before.
    Wants,
    /// The directory of control programs.
    Control,
    /// What is run after the service.
    Finish,
    /// What a one-shot does.
    Setup,
    /// The service.
    Run,
}

impl Other {
    /// Their names, each with a NUL behind it.
    const NAMES: &'static [u8] = b"notify\0needs\0wants\0control\0finish\0setup\0run\0";

    const ALL: usize = 7;

    pub(super) fn bit(self) -> u32 {
        let index = match self {
            Self::Notify => 0,
            Self::Needs => 1,
            Self::Wants => 2,
            Self::Control => 3,
            Self::Finish => 4,
            Self::Setup => 5,
            Self::Run => 6,
        };
        1 << (Setting::ALL.len() + index)
    }
}

/// Which of the names are in the service directory.
#[inline(never)]
pub(super) fn names(place: &Place) -> u32 {
    let mut found = 0;
    let listed = dir::open(place.dir.as_fd(), c".").and_then(|dir| {
        dir::each_name_in(&mut [MaybeUninit::uninit(); PORTION], &dir, |name, _| {
            if let Some(index) = index_of(name.to_bytes()) {
                found |= 1 << index;
            }
        })
    });
    if listed.is_err() {
        // Whoever may not list it may still ask.
        let is_there = |index| name(index).is_some_and(|name| file::is_there(place.dir.as_fd(), name));
        found = (0..ALL).fold(0, |found, index| found | u32::from(is_there(index)) << index);
    }
    found
}

/// How many names there are.
const ALL: usize = Setting::ALL.len() + Other::ALL;

/// The place of a name: first come those that say something.
fn index_of(name: &[u8]) -> Option<usize> {
    let other = || Some(place_between(Other::NAMES, 0, name)? + Setting::ALL.len());
    place_between(NAMES, 0, name).or_else(other)
}

fn name(index: usize) -> Option<&'static CStr> {
    match index.checked_sub(Setting::ALL.len()) {
        None => nth(NAMES, index),
        Some(index) => nth(Other::NAMES, index),
    }
}

/// Whether a directory that was changed then shows it if it changes again. One from the future never does.
pub(super) fn is_settled((seconds, nanoseconds): (i64, u32)) -> bool {
    let (now, part) = time::wall();
    let whole = |seconds: i64, part| Duration::new(seconds.max(0).unsigned_abs(), part);
    whole(now, part) >= whole(seconds, nanoseconds).saturating_add(GRAIN)
}
