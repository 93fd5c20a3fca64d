//! Going on in a service directory that has taken the place of the one that was opened, without touching what runs.

use super::super::keeper::Held;
use super::super::{World, open};
use super::{Leaving, Refusals, Unit};
use crate::report::Failure;
use crate::service::names::Part;
use crate::sys::{BorrowedFd, OwnedFd, Result, file};
use crate::text::Text;
use core::ffi::CStr;

/// A service directory, and where its state is if that is not there.
type Dirs = (OwnedFd, Option<OwnedFd>);

impl Unit {
    /// Looks whether another directory is at the path `name` below `at` now. If so, that is the service's from here on:
    /// its state is told there, commands are read there, and its programs are those of the next start. If it cannot be
    /// taken over everything stays as it was.
    pub fn enter_again(&mut self, (at, name): (BorrowedFd<'_>, &CStr), world: &mut World) {
        if self.leaving != Leaving::No || self.is_down_for_good() {
            return;
        }
        let Ok(new) = file::open_place(at, name) else { return };
        if is_same(&self.place.dir, &new).unwrap_or(true) {
            return;
        }
        let Ok(state) = open::state(&new, self.place.argument, &self.place.report) else { return };
        let old = self.exchange((new, state));
        match self.open_again() {
            Ok((main, log)) => self.go_on_with(main, log, world),
            // Why, has been said.
            Err(_) => _ = self.exchange(old),
        }
    }

    /// The same for the path that a runsv was given.
    pub fn look_for_another(&mut self, world: &mut World) {
        let mut path = Text::<4096>::new();
        if let Some(path) = path.push(self.place.report.subject.unwrap_or(&[])).c_str() {
            self.enter_again((file::CWD, path), world);
        }
    }

    fn exchange(&mut self, (dir, state): Dirs) -> Dirs {
        let place = &mut self.place;
        (core::mem::replace(&mut place.dir, dir), core::mem::replace(&mut place.state, state))
    }

    /// Takes the locks of the new directory, and opens where commands come from.
    fn open_again(&mut self) -> core::result::Result<(Held, Option<Held>), Failure> {
        self.place.refusals = Refusals::Warned;
        let main = self.hold(Part::Main)?.ok_or(Failure::Usage)?;
        let log = match self.log.is_some() && open::is_log(&self.place) {
            true => self.hold(Part::Log)?,
            false => None,
        };
        Ok((main, log))
    }

    fn hold(&self, part: Part) -> core::result::Result<Option<Held>, Failure> {
        let Some(lock) = open::lock(&self.place, part)? else { return Ok(None) };
        let control = open::control(&self.place, part)?;
        Ok(Some(Held { lock, control, ok: None }))
    }

    fn go_on_with(&mut self, main: Held, log: Option<Held>, world: &mut World) {
        self.place.report.warn(&[b"service directory was replaced, going on in the new one"], None);
        self.main.move_to(main, &self.place, world);
        // Whoever finds that a supervisor is there finds a whole status.
        self.main.tell_if_news(&self.place, world);
        let _ = self.listen(Part::Main, world);
        if let (Some(keeper), Some(log)) = (&mut self.log, log) {
            keeper.move_to(log, &self.place, world);
            keeper.tell_if_news(&self.place, world);
            let _ = open::ok(&self.place, Part::Log, keeper.held());
            let _ = self.listen(Part::Log, world);
        }
        let _ = open::ok(&self.place, Part::Main, self.main.held());
    }
}

fn is_same(one: &OwnedFd, other: &OwnedFd) -> Result<bool> {
    let (one, other) = (file::stat_open(one)?, file::stat_open(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}
