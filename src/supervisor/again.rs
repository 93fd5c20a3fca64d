//! Going on in a service directory that has taken the place of the one that was opened, without touching what runs.

use super::super::keeper::Held;
use super::super::{World, neighbours, open};
use super::{Leaving, Refusals, Unit};
use crate::report::Failure;
use crate::service::machine::Event;
use crate::service::names::{File, Part, path};
use crate::sys::{AsFd, BorrowedFd, OwnedFd, file};
use crate::text::Text;
use core::ffi::CStr;

/// A service directory, and where its state is if that is not there.
type Dirs = (OwnedFd, Option<OwnedFd>);

impl Unit {
    /// Looks whether another directory is at the path `name` below `at` now. If so, that is the service's from here on:
    /// its state is told there, commands are read there, and its programs are those of the next start. If it cannot be
    /// taken over everything stays as it was. Gives whether the service is in the directory of that name now.
    pub fn enter_again(&mut self, (at, name): (BorrowedFd<'_>, &CStr), world: &mut World) -> bool {
        let Ok(new) = file::open_place(at, name) else { return false };
        if self.leaving != Leaving::No
            || self.is_down_for_good()
            || file::are_same(self.place.dir.as_fd(), new.as_fd())
        {
            return true;
        }
        let Ok(state) = open::state(&new, self.place.argument, &self.place.report) else { return false };
        let old = self.exchange((new, state));
        match self.open_again() {
            Ok((main, log)) => {
                let (dir, state) = &old;
                neighbours::take_marks(state.as_ref().unwrap_or(dir), &self.place);
                self.go_on_with(main, log, world);
                true
            }
            // Why, has been said.
            Err(_) => {
                self.exchange(old);
                false
            }
        }
    }

    /// The same for the path that a runsv was given. Kept apart for its large buffer: pages of the stack that are touched stay
    /// with the process.
    #[inline(never)]
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
    fn open_again(&mut self) -> core::result::Result<(Hold, Hold), Failure> {
        self.place.refusals = Refusals::Warned;
        let main = self.hold(Part::Main, self.main.lock())?;
        let log = match &self.log {
            Some(log) if open::is_log(&self.place) => self.hold(Part::Log, log.lock())?,
            _ => Hold::Not,
        };
        Ok((main, log))
    }

    fn hold(&self, part: Part, held: &OwnedFd) -> core::result::Result<Hold, Failure> {
        if file::leads_to(self.place.state().as_fd(), path(part, File::Lock), held.as_fd()) {
            return Ok(Hold::Same);
        }
        let Some(lock) = open::lock(&self.place, part)? else { return Ok(Hold::Not) };
        let control = open::control(&self.place, part)?;
        Ok(Hold::New(Held { lock, inode: 0, control, ok: None }))
    }

    fn go_on_with(&mut self, main: Hold, log: Hold, world: &mut World) {
        self.place.report.warn_that(b"service directory was replaced, going on in the new one");
        let is_new = matches!(main, Hold::New(_));
        self.main.move_to(main.held(), &self.place, world);
        // Whoever finds that a supervisor is there finds a whole status.
        self.main.tell_if_news(&self.place, world);
        match (&mut self.log, log) {
            (Some(keeper), Hold::New(held)) => {
                keeper.move_to(Some(held), &self.place, world);
                keeper.tell_if_news(&self.place, world);
                let _ = open::ok(&self.place, Part::Log, keeper.held());
                let _ = self.listen(Part::Log, world);
            }
            (Some(keeper), Hold::Not) => {
                // It sees the end of its input when the service has ended, and is looked for at the next start.
                keeper.fall_silent();
                keeper.feed(Event::Retire, &self.place, world);
                self.place.pipe = None;
            }
            (Some(_), Hold::Same) | (None, _) => {}
        }
        if is_new {
            let _ = self.listen(Part::Main, world);
            let _ = open::ok(&self.place, Part::Main, self.main.held());
        }
    }
}

/// What has become of the lock of one part.
enum Hold {
    /// It is the one that is held: `supervise` is a link, and leads where it did before.
    Same,
    New(Held),
    /// It cannot be had, or there is no such part.
    Not,
}

impl Hold {
    fn held(self) -> Option<Held> {
        match self {
            Self::New(held) => Some(held),
            Self::Same | Self::Not => None,
        }
    }
}
