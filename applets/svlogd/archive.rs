//! The old logs of a directory: their names, and which of them go when there are too many.
//!
//! What is done here is rare and needs large buffers. It is kept apart from what is done for each line, since each page
//! of the stack that a logger has touched is its own from then on.

use super::say::{REPORT, Trouble, info, unable};
use super::settings::Settings;
use core::ffi::CStr;
use svbox::log::name::{self, Kind, LEN, Label, moment};
use svbox::sys::time::Duration;
use svbox::sys::{self, AsFd, BorrowedFd, Errno, OwnedFd, Result as SysResult, dir, file};
use svbox::tai::Tai;
use svbox::text::decimal;

/// A log directory, as far as it holds old logs.
pub struct Archive {
    /// As it was given.
    name: &'static CStr,
    pub dir: OwnedFd,
    /// The newest name there was; no other may be older.
    newest: Option<Tai>,
    /// The one that a processor reads; it has to stay.
    pub processing: Option<Label>,
    /// The end has come: what waits for a processor stays.
    pub spares: bool,
}

impl Archive {
    /// Looks what is there.
    #[inline(never)]
    pub fn open(name: &'static CStr, dir: OwnedFd) -> Self {
        let mut newest = None;
        let listed = each(&dir, &mut |label, _, _| newest = newest.max(moment(label)));
        if let Err(errno) = listed {
            unable(b"read directory", name.to_bytes(), errno);
        }
        Self { name, dir, newest, processing: None, spares: false }
    }

    /// The name of the directory as it was given.
    pub fn name(&self) -> &'static [u8] {
        self.name.to_bytes()
    }

    /// How long ago `current` was made; where the file system does not know, how long ago the newest old log ended.
    #[inline(never)]
    pub fn age(&self) -> Duration {
        let made = file::look(self.dir.as_fd(), c"current").ok().map(|look| look.identity);
        let made = match made {
            Some((_, _, seconds, nanoseconds)) if seconds > 0 => Some(Tai::at(seconds, nanoseconds)),
            _ => self.newest,
        };
        made.map_or(Duration::ZERO, |made| Tai::now().since(made))
    }

    /// Makes what a writer has left that died an old log, to be processed.
    pub fn take_over(&mut self) -> Result<(), Trouble> {
        self.rename_current(b'u').map(drop)
    }

    /// Makes `current`, which is complete and has so many bytes, an old log.
    pub fn keep_current(&mut self, letter: u8, held: u64, verbose: bool) -> Result<(), Trouble> {
        let renamed = match self.rename_current(letter) {
            // Somebody took it away. There is nothing to keep then, and no reason to stop.
            Err(Trouble { why: Errno::NOENT, what }) => {
                unable(what, self.name(), Errno::NOENT);
                return Ok(());
            }
            other => other?,
        };
        let mut digits = [0; 20];
        let name = renamed.get(..LEN).unwrap_or(&[]);
        info(verbose, &[b"rename: ", self.name(), b"/current ", name, b" ", decimal(held, &mut digits)]);
        Ok(())
    }

    #[inline(never)]
    fn rename_current(&mut self, letter: u8) -> Result<[u8; LEN + 1], Trouble> {
        let failed = Trouble::with(b"rename current");
        loop {
            let moment = name::next(Tai::now().in_microseconds(), self.newest);
            self.newest = Some(moment);
            let new = name::with(&moment.to_text(), letter);
            let path = sys::c_str(&new).unwrap_or(c"");
            // A name in use can only be one that came from elsewhere since we looked; the next one is free.
            if file::exists(self.dir.as_fd(), path).map_err(&failed)? {
                continue;
            }
            file::rename(self.dir.as_fd(), c"current", path).map_err(&failed)?;
            return Ok(new);
        }
    }

    /// Removes what processors have left, and the oldest logs until no more than `keep` are there; 0 keeps all.
    pub fn prune(&self, keep: u64, verbose: bool) {
        // Nearly always one is to go.
        if self.prune_by::<FEW>(keep, verbose) {
            self.prune_by::<MANY>(keep, verbose);
        }
    }

    /// Does so by rounds of so many; gives up with `true` when it takes a second one, if that is few.
    #[inline(never)]
    fn prune_by<const N: usize>(&self, keep: u64, verbose: bool) -> bool {
        loop {
            let mut found = Oldest::<N>::new();
            let listed = each(&self.dir, &mut |label, kind, name| match kind {
                Kind::Partial if self.processing.as_ref() == Some(label) => {}
                Kind::Partial => self.remove_leftover(name),
                Kind::Done | Kind::Unprocessed | Kind::Other => {
                    let waits = self.spares && kind == Kind::Unprocessed;
                    found.add(name, waits || self.processing.as_ref() == Some(label))
                }
            });
            if let Err(errno) = listed {
                unable(b"read directory, want remove old logfile", self.name(), errno);
                return false;
            }
            let excess = if keep == 0 { 0 } else { found.count.saturating_sub(keep) };
            let gone = found.names().take(usize::try_from(excess).unwrap_or(usize::MAX));
            let gone = gone.filter(|name| self.remove_oldest(name, verbose)).count();
            // More than could be noted are removed in another round, unless none could.
            if gone == 0 || u64::try_from(gone).is_ok_and(|gone| gone >= excess) {
                return false;
            }
            if N == FEW {
                return true;
            }
        }
    }

    /// Removes the oldest log if that is allowed while the disk is full; gives whether one was.
    #[inline(never)]
    pub fn make_room(&self, settings: &Settings) -> bool {
        if settings.least >= settings.keep {
            return false;
        }
        let mut found = Oldest::<1>::new();
        let listed = each(&self.dir, &mut |label, _, name| {
            found.add(name, self.processing.as_ref() == Some(label));
        });
        let Some(oldest) = found.names().next().filter(|_| found.count > settings.least) else {
            return false;
        };
        if let Err(errno) = listed {
            unable(b"read directory, want remove old logfile", self.name(), errno);
            return false;
        }
        REPORT.warn(&[b"out of disk space, delete: ", self.name(), b"/", shown(oldest)], None);
        match file::remove(self.dir.as_fd(), sys::c_str(oldest).unwrap_or(c"")) {
            Ok(()) => true,
            Err(errno) => {
                unable(b"unlink oldest logfile", self.name(), errno);
                false
            }
        }
    }

    fn remove_oldest(&self, name: &[u8], verbose: bool) -> bool {
        info(verbose, &[b"delete: ", self.name(), b"/", shown(name)]);
        let done = file::remove(self.dir.as_fd(), sys::c_str(name).unwrap_or(c""));
        if let Err(errno) = done {
            unable(b"unlink oldest logfile", self.name(), errno);
        }
        done.is_ok()
    }

    fn remove_leftover(&self, name: &CStr) {
        if let Err(errno) = file::remove(self.dir.as_fd(), name) {
            unable(b"unlink processor leftover", name.to_bytes(), errno);
        }
    }
}

/// How many logs of a directory wait for a processor.
#[inline(never)]
pub fn unprocessed(dir: &OwnedFd) -> u64 {
    let mut count = 0;
    // A directory that cannot be read has none that we know of.
    let _ = each(dir, &mut |_, kind, _| count += u64::from(kind == Kind::Unprocessed));
    count
}

/// The oldest log of a directory that waits for a processor.
#[inline(never)]
pub fn oldest_unprocessed(dir: &OwnedFd) -> SysResult<Option<Label>> {
    let mut oldest: Option<Label> = None;
    each(dir, &mut |label, kind, _| {
        if kind == Kind::Unprocessed && oldest.as_ref().is_none_or(|oldest| label < oldest) {
            oldest = Some(*label);
        }
    })?;
    Ok(oldest)
}

/// Calls `found` for each old log.
// Compiled once, for every caller.
fn each(dir: &OwnedFd, found: &mut dyn FnMut(&Label, Kind, &CStr)) -> SysResult<()> {
    // A descriptor of its own, to begin at the beginning.
    let list = dir::open(dir.as_fd(), c".")?;
    dir::each_name(&list, |name, _| {
        if let Some((label, kind)) = name::read(name.to_bytes()) {
            found(label, kind, name);
        }
    })
}

fn shown(name: &[u8]) -> &[u8] {
    name.get(..LEN).unwrap_or(&[])
}

/// How many are removed in one round.
const FEW: usize = 16;
const MANY: usize = 1024;

/// The first of many names, in order.
struct Oldest<const N: usize> {
    names: [[u8; LEN + 1]; N],
    noted: usize,
    /// How many there are in all.
    count: u64,
}

impl<const N: usize> Oldest<N> {
    fn new() -> Self {
        Self { names: [[0; LEN + 1]; N], noted: 0, count: 0 }
    }

    /// Counts a name, and notes it if it is among the oldest and may go.
    fn add(&mut self, name: &CStr, stays: bool) {
        self.count += 1;
        let Some(name) = name.to_bytes_with_nul().first_chunk::<{ LEN + 1 }>().filter(|_| !stays) else {
            return;
        };
        let noted = self.names.get(..self.noted).unwrap_or(&[]);
        let at = noted.partition_point(|other| other < name);
        self.noted = (self.noted + 1).min(N);
        let later = self.names.get_mut(at..self.noted);
        // A name behind as many as can be noted is not among the oldest.
        if let Some(later) = later.filter(|later| !later.is_empty()) {
            later.rotate_right(1);
            if let Some(first) = later.first_mut() {
                *first = *name;
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().take(self.noted).map(<[u8; LEN + 1]>::as_slice)
    }
}

/// A place to start from that is this directory too.
pub fn again(dir: BorrowedFd<'_>) -> SysResult<OwnedFd> {
    dir::open(dir, c".")
}
