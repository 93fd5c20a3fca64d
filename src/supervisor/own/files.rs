//! Which files there are in a service directory, and what is in them.

use crate::service::settings::{NAMES, Setting};
use crate::supervisor::unit::Place;
use crate::sys::time::{self, Duration};
use crate::sys::{AsFd, OwnedFd, Result, c_str, dir, file};
use core::ffi::CStr;

/// The longest file that is read.
pub(super) const LONGEST: usize = 256;
/// A directory that has changed less than this ago may change again without showing it.
const GRAIN: Duration = Duration::from_secs(1);
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
        dir::each_name(&dir, |name, _| {
            if let Some(index) = all_names().position(|known| known == name.to_bytes_with_nul()) {
                found |= 1 << index;
            }
        })
    });
    if listed.is_err() {
        // Whoever may not list it may still ask.
        let is_there = |name| c_str(name).is_some_and(|name| file::is_there(place.dir.as_fd(), name));
        found = all_names().enumerate().fold(0, |found, (at, name)| found | u32::from(is_there(name)) << at);
    }
    found
}

/// Each with its NUL.
fn all_names() -> impl Iterator<Item = &'static [u8]> {
    [NAMES, Other::NAMES].into_iter().flat_map(|names| names.split_inclusive(|&byte| byte == 0))
}

pub(super) fn read<'t>(dir: &OwnedFd, name: &CStr, text: &'t mut [u8; LONGEST]) -> Result<&'t [u8]> {
    let fd = file::open_read(dir.as_fd(), name)?;
    let len = file::read_full(&fd, text)?;
    Ok(text.get(..len).unwrap_or(&[]))
}

/// Whether a directory that was changed then shows it if it changes again. One from the future never does.
pub(super) fn is_settled((seconds, nanoseconds): (i64, u32)) -> bool {
    let (now, part) = time::wall();
    let whole = |seconds: i64, part| Duration::new(seconds.max(0).unsigned_abs(), part);
    whole(now, part) >= whole(seconds, nanoseconds).saturating_add(GRAIN)
}
