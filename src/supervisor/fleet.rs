//! Service directories that are served within another program's loop, and come and go one by one: what `runsvdir
//! --in-process` has in the place of a runsv for each.

use super::World;
use super::ending::Ending;
use super::keeper::Died;
use super::unit::{self, Unit};
use crate::report::Reporter;
use crate::sys::limit;
use crate::sys::names::Names;
use crate::sys::poll;
use crate::sys::process::{Ended, Pid};
use crate::sys::signal::Mask;
use crate::sys::table::Table;
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, AsRawFd, BorrowedFd, Errno, Result, file};
use core::ffi::CStr;

/// More than the kernel has descriptors for; address space is set aside for so many, memory is taken as they come.
const MOST: usize = 1 << 17;

/// How many descriptors a unit with a logger has, and as many for what is opened and closed again.
const NEEDED: u64 = 10 + 10;

/// The number of a unit; that of one that is gone becomes another's.
pub type Number = usize;

/// The units, each in a place that is its own as long as it is there.
pub struct Fleet {
    world: World,
    units: Table<Option<Unit>>,
    names: Names,
    /// How many descriptors this process may have.
    most: u64,
    ending: Option<Ending>,
}

impl Fleet {
    /// None yet. What they start finds the signals of `mask` blocked and, if `apart`, leads a session of its own.
    ///
    /// A unit has up to nine descriptors, so the soft limit of this process is raised; what it starts has the old one.
    pub fn new(mask: Mask, apart: bool) -> Result<Self> {
        let mut world = World::new(mask)?;
        (world.apart, world.shared) = (apart, true);
        Ok(Self {
            world,
            units: Table::new(MOST)?,
            names: Names::new()?,
            most: limit::raise_files(),
            ending: None,
        })
    }

    /// Services are told to be found in this directory, which has changed.
    pub fn scans(&mut self, dir: impl AsFd) {
        #[cfg(feature = "policy")]
        {
            super::neighbours::note(&mut self.world.scans, dir);
            self.units.items().iter_mut().flatten().for_each(Unit::hear_scan);
        }
        #[cfg(not(feature = "policy"))]
        let _ = (self, dir);
    }

    /// Takes on the service directory `name` below `at`, and starts what is wanted up; gives the unit's number. Messages
    /// are those of a runsv.
    pub fn add(&mut self, at: BorrowedFd<'_>, name: &CStr) -> Option<Number> {
        self.world.now = Instant::now();
        let report = Reporter { program: b"runsv", subject: self.names.keep(name.to_bytes()), waits: false };
        if !self.has_room() {
            report.fatal_of(b"unable to start", b"", Errno::MFILE);
            return None;
        }
        let units = self.units.items();
        let index = units.iter().position(Option::is_none).unwrap_or(units.len());
        let place = match units.len() > index {
            true => self.units.items().get_mut(index),
            false => self.units.push(None).ok(),
        }?;
        let opened = Unit::open(index, |unit| Some(place.insert(unit)), (at, name), report, &mut self.world);
        let place = self.units.items().get_mut(index)?;
        if opened.is_err() {
            *place = None;
        }
        let unit = place.as_mut()?;
        unit.begin(&mut self.world);
        Some(index)
    }

    /// Whether a service can be kept together by a supervisor of its own only: its `kill-scope` is `tree`, and there is no
    /// cgroup to be had for it.
    #[cfg(feature = "policy")]
    pub fn cannot_keep(at: BorrowedFd<'_>, name: &CStr) -> bool {
        file::open_place(at, name).is_ok_and(|dir| super::scope::needs_supervisor(&dir, name))
    }

    /// Has a process told when the service has been up and is down for good: see [`super::ENDED`].
    #[cfg(feature = "pid1")]
    pub fn tell_of_end(&mut self, index: Number, to: Option<Pid>) {
        if let Some(Some(unit)) = self.units.items().get_mut(index) {
            unit.tell_of_end_to(to);
        }
    }

    /// Whether there are descriptors for another unit, and some are left then for what all units do.
    fn has_room(&self) -> bool {
        file::duplicate(&self.world.poll)
            .is_ok_and(|lowest| u64::from(lowest.as_raw_fd().unsigned_abs()) + NEEDED <= self.most)
    }

    /// A service is to leave: as if it had been told to exit.
    pub fn leave(&mut self, index: Number) {
        self.world.now = Instant::now();
        if let Some(Some(unit)) = self.units.items().get_mut(index) {
            unit.leave(&mut self.world);
        }
    }

    /// All have been told to leave. Who takes long is named; with `within`, what has no deadline of its own is killed after
    /// that time.
    pub fn end(&mut self, within: Option<Duration>) {
        self.ending = Some(Ending::begin(within, Instant::now()));
    }

    /// Whether what is left will not end, although it was killed.
    pub fn is_hopeless(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.is_hopeless(self.world.now))
    }

    /// Another directory has the name of a service now, below `at`: see [`Unit::enter_again`].
    #[cfg(feature = "policy")]
    pub fn enter_again(&mut self, index: Number, at: BorrowedFd<'_>, name: &CStr) -> bool {
        self.world.now = Instant::now();
        let unit = self.units.items().get_mut(index).and_then(Option::as_mut);
        unit.is_some_and(|unit| unit.enter_again((at, name), &mut self.world))
    }

    /// Acts on what has happened, without waiting.
    pub fn hear(&mut self) {
        self.world.now = Instant::now();
        let mut room = poll::events();
        // What cannot be taken in now is told again.
        let Ok(happened) = self.world.poll.wait(Some(self.world.now), &mut room) else { return };
        for ready in happened {
            let (index, which) = unit::untoken(ready.token);
            if let Some(Some(unit)) = self.units.items().get_mut(index) {
                unit.hear(which, &mut self.world);
            }
        }
    }

    /// Acts on the end of a child; gives whether it was one of these.
    pub fn bury(&mut self, pid: Pid, ended: Ended) -> bool {
        self.world.now = Instant::now();
        let died = Died { pid, ended };
        self.units.items().iter_mut().flatten().any(|unit| unit.bury(died, &mut self.world))
    }

    /// Acts on the timers that are over, lets each unit act on what its events have brought about, and tells `gone` of
    /// those that have left.
    pub fn settle(&mut self, mut gone: impl FnMut(Number)) {
        self.world.now = Instant::now();
        if let Some(ending) = &mut self.ending {
            ending.ring(self.units.items(), &mut self.world);
        }
        // What is started is shown when all has been that can be: no start waits for the files of another.
        for unit in self.units.items().iter_mut().flatten() {
            unit.ring(&mut self.world);
            #[cfg(feature = "policy")]
            unit.look(&mut self.world);
        }
        for (index, place) in self.units.items().iter_mut().enumerate() {
            let Some(unit) = place else { continue };
            if unit.settle(&mut self.world) {
                *place = None;
                gone(index);
            }
        }
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        let units = self.units.list().iter().flatten().filter_map(Unit::next_timer).min();
        time::first([units, self.ending.as_ref().and_then(Ending::next_timer)])
    }
}

/// Readable when there is something to hear.
impl AsFd for Fleet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.world.poll.as_fd()
    }
}
