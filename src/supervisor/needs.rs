//! What holds a start and a stop up: a service is started when those that it needs are ready, and ends before they do.
//!
//! Each supervisor looks by itself, and only when it is told to: by the byte `n`, which the others send when something has
//! changed for it. So that nothing is lost between two of them, whoever waits first leaves a mark with the other, then has
//! it look, and then looks itself; the other first shows how it stands, and then tells all that have left a mark. In the same
//! way who is about to start shows that, and looks once more; who is about to stop shows that, and looks who has started.
//! A supervisor that has been killed finds marks and files as they were.

mod start;
mod stop;

use super::World;
use super::neighbours::Neighbours;
use super::unit::{self, Heard, Place};
use crate::service::command::Command;
use crate::service::machine::{Phase, State, Want};
use crate::service::names::PUBLIC_MODE;
use crate::service::needs::{LEAVING, NEEDED, NEEDING};
use crate::service::policy::{FIRST_RETRY, LAST_RETRY};
use crate::service::status::Shown;
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, Errno, OwnedFd, Result, file};
use core::ffi::CStr;

/// What is known of the services beside this one.
#[derive(Default)]
pub struct Bonds {
    /// Something has changed.
    stale: bool,
    /// A start waits.
    waits: bool,
    /// This is the first look of a start that waits.
    fresh: bool,
    /// It stands in a circle, which has been said.
    circle: bool,
    /// Those that it depends on know of it.
    announced: bool,
    /// It is shown that it runs, or is about to, and depends on others.
    bound: bool,
    /// Somebody may depend on it.
    needed: bool,
    leaving: Option<Leaving>,
    /// Its TERM waits for those that depend on it.
    held: bool,
    /// It has got TERM because of another, and is not to get a second one for the order to stop.
    quiet: bool,
    /// It is shown that it is to stop.
    shown: bool,
    /// It has been killed: nobody is waited for.
    forced: bool,
    /// An earlier supervisor was about to stop it because of another, which may have stopped meanwhile.
    resumes: bool,
    /// Those that it depends on have not been told that it has ended.
    untold: bool,
    /// It has been spared once when all that is left was killed.
    spared: bool,
    /// It had a process at the last look.
    had_process: bool,
    /// It was in this phase then.
    phase: Option<Phase>,
    /// What those that depend on it have been told; 0 for nothing.
    told: u8,
    /// Hangs up when the supervisor ends that is waited for.
    awaited: Option<OwnedFd>,
    /// Something that it needs is not in the scan directory.
    misses: bool,
    /// Tells of changes in the scan directory, while a start waits.
    watched: Option<OwnedFd>,
    /// Until then one that is wanted and has no supervisor is waited for.
    patience: Option<Instant>,
    /// It has been.
    impatient: bool,
    /// When to look again, and how long after the last look.
    retry: Option<Instant>,
    pause: Duration,
    /// When to tell again, how long after the last time, and what.
    tell: Option<(Instant, Duration, u8)>,
    /// A trouble that has been said.
    said: Option<Errno>,
}

/// Why a service that others may depend on is to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    /// It was told to.
    Told,
    /// What it needs is to stop.
    Follows,
    /// An earlier supervisor has shown it.
    Found,
}

/// What is to be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// The start goes on.
    Start,
    /// The start is put off, although it has begun.
    PutOff,
    /// TERM is sent, and comes back when what it needs does.
    Follow,
    /// As if it were told to be down.
    Down,
    /// The stop goes on.
    Stop,
    /// There is no stop after all.
    Stay,
}

impl Bonds {
    /// Somebody may have something to tell.
    pub fn hear(&mut self) {
        (self.stale, self.awaited) = (true, None);
    }

    /// The scan directory has changed: a name may have come, or lead to another service.
    pub fn hear_scan(&mut self) {
        self.stale |= self.waits;
    }

    /// Who depends on it has seen it in another light than it was told of.
    pub fn tell_again(&mut self) {
        self.told = 0;
    }

    /// A start has been ordered, of a service that depends on others.
    pub fn wait(&mut self) {
        (self.waits, self.fresh, self.stale) = (true, true, true);
        (self.circle, self.impatient, self.patience) = (false, false, None);
    }

    /// Whether a start waits.
    pub fn holds_start(&self) -> bool {
        self.waits
    }

    /// Whether a stop waits.
    pub fn holds_stop(&self) -> bool {
        self.held
    }

    /// Whether TERM is not sent, this once.
    pub fn is_quiet(&mut self) -> bool {
        core::mem::take(&mut self.quiet)
    }

    /// Whether it is about to stop, and that is not over.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether it is shown how it stands towards others.
    pub fn is_seen(&self) -> bool {
        self.bound || self.leaving.is_some()
    }

    /// Whether it is not killed yet with all that is left: those that depend on it are first, once, or as long as others
    /// have time.
    #[cfg(feature = "in-process")]
    pub fn is_spared(&mut self, others_have_time: bool) -> bool {
        if self.held && others_have_time {
            return true;
        }
        self.forced |= self.spared;
        self.held && !core::mem::replace(&mut self.spared, true)
    }

    /// There is no service yet.
    pub fn clear(&mut self, is_needed: bool) {
        self.needed = is_needed;
    }

    /// The service is one that an earlier supervisor has started.
    pub fn take_over(&mut self, depends: bool, place: &Place) {
        let is_there = |name| file::is_there(place.state().as_fd(), name);
        (self.needed, self.stale) = (is_there(NEEDED), true);
        self.had_process = true;
        self.leaving = is_there(LEAVING).then_some(Leaving::Found);
        match depends {
            true => self.bind(place),
            false => _ = file::remove(place.state().as_fd(), NEEDING),
        }
    }

    /// The service has another directory now, in which is shown how it stands.
    pub fn moved(&mut self, place: &Place) {
        (self.stale, self.told) = (true, 0);
        if self.bound {
            self.bind(place);
        }
        self.shown = self.shown && self.show(LEAVING, place);
    }

    /// Somebody has asked for something; gives whether a stop that waits is forgotten for that.
    pub fn commanded(&mut self, command: Command, state: &State, place: &Place) -> bool {
        if self.stale {
            self.find_marks(place);
        }
        self.stale |= self.waits || self.leaving.is_some();
        let stops = matches!(command, Command::Down | Command::Exit);
        let starts = matches!(command, Command::Up | Command::Once);
        if stops && (self.needed || self.is_seen()) {
            let (held, runs) = (self.held, has_run(state.phase));
            self.quiet = self.leaving == Some(Leaving::Follows) && !held && runs;
            self.leaving = Some(Leaving::Told);
            // Whoever is told at the same time, and looks sooner, sees it.
            self.shown = self.shown || self.show(LEAVING, place);
            self.held = self.needed && runs && !state.term && !self.quiet;
            (self.stale, self.spared) = (true, false);
            return held;
        }
        // What has not begun to stop stays.
        if starts && self.leaving == Some(Leaving::Told) && (self.held || !state.has_process()) {
            self.stop_leaving(place);
            return core::mem::take(&mut self.held);
        }
        let is_kill = command == Command::Kill;
        self.forced |= is_kill && self.leaving.is_some();
        self.held &= !is_kill;
        false
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        time::first([self.patience, self.retry, self.tell.map(|(at, ..)| at)])
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, now: Instant) {
        self.stale |= self.retry.take_if(|at| *at <= now).is_some();
        if self.patience.take_if(|at| *at <= now).is_some() {
            (self.impatient, self.stale) = (true, true);
        }
    }

    /// Looks at the services beside this one, if something has changed; gives what is to be done. Kept apart for its large
    /// buffers: pages of the stack that are touched stay with the process.
    #[inline(never)]
    pub fn look(&mut self, state: &State, starts: bool, place: &Place, world: &World) -> Option<Act> {
        let (has_process, phase) = (state.has_process(), Some(state.phase));
        // A start has looked by itself.
        let has_ended = core::mem::replace(&mut self.had_process, has_process) && !has_process;
        let has_changed = has_ended || self.leaving.is_some() && self.phase != phase;
        self.phase = phase;
        self.waits &= state.phase == Phase::Preparing;
        if !self.waits {
            (self.watched, self.patience) = (None, None);
        }
        self.stale |= has_changed && self.is_seen();
        while core::mem::take(&mut self.stale) {
            (self.awaited, self.retry) = (None, None);
            let is_late = matches!(state.want, Want::Down | Want::Exit);
            if self.find_marks(place) && is_late {
                // Whoever has just started, because the stop was not to be seen yet, can still end.
                self.leaving = self.leaving.or(Some(Leaving::Told));
            }
            let looked = match Neighbours::open(place, world) {
                Ok(Some(neighbours)) => self.look_around(state, starts, &neighbours),
                Ok(None) => Ok(self.alone(place)),
                Err(errno) => Err(errno),
            };
            match looked {
                Ok(act) => {
                    if self.retry.is_none() {
                        (self.said, self.pause) = (None, Duration::ZERO);
                    }
                    if act.is_some() {
                        return act;
                    }
                }
                Err(errno) => self.trouble(errno, place, world),
            }
        }
        None
    }

    /// Gives whether it is new that somebody may depend on it.
    fn find_marks(&mut self, place: &Place) -> bool {
        let is_new = !self.needed && file::is_there(place.state().as_fd(), NEEDED);
        self.needed |= is_new;
        is_new
    }

    fn look_around(
        &mut self,
        state: &State,
        starts: bool,
        neighbours: &Neighbours<'_>,
    ) -> Result<Option<Act>> {
        if self.bound && !state.has_process() && state.phase != Phase::Preparing {
            self.unbind(neighbours.place);
        }
        self.tell_end(neighbours);
        if self.leaving.is_some() {
            return self.leave(state, neighbours);
        }
        if self.waits {
            return self.start(neighbours);
        }
        if self.bound {
            self.announce(neighbours);
        }
        let prepares = state.phase == Phase::Preparing;
        if !self.bound || !(runs(state) || prepares) || !self.is_to_follow(neighbours)? {
            self.resumes = false;
            return Ok(None);
        }
        self.stale = true;
        if prepares {
            self.waits = true;
            return Ok(starts.then_some(Act::PutOff));
        }
        (self.leaving, self.held, self.spared) = (Some(Leaving::Follows), self.needed, false);
        Ok(Some(Act::Follow))
    }

    /// Nobody can be found by a name: nothing holds anything up.
    fn alone(&mut self, place: &Place) -> Option<Act> {
        if self.waits && self.fresh {
            place.report.warn_that(b"ignoring needs: no scan directory");
        }
        self.stop_leaving(place);
        match (core::mem::take(&mut self.waits), core::mem::take(&mut self.held)) {
            (true, _) => Some(Act::Start),
            (_, true) => Some(Act::Stop),
            (false, false) => None,
        }
    }

    /// Something could not be done: it is said once, and tried again.
    fn trouble(&mut self, errno: Errno, place: &Place, world: &World) {
        if self.said.replace(errno) != Some(errno) {
            place.report.warn_of(b"unable to look at needs and wants", b"", errno);
        }
        self.again(world);
    }

    fn again(&mut self, world: &World) {
        self.pause = (self.pause * 2).clamp(FIRST_RETRY, LAST_RETRY);
        self.retry = Some(world.now.after(self.pause));
    }

    /// Tells those that it depends on that it has ended, or has not started.
    fn tell_end(&mut self, neighbours: &Neighbours<'_>) {
        self.untold = self.untold && neighbours.tell_others().is_err();
        if self.untold {
            self.again(neighbours.world);
        }
    }

    fn watch(&mut self, held: OwnedFd, neighbours: &Neighbours<'_>) {
        let Neighbours { place, world, .. } = neighbours;
        match world.poll.add_hang_up(&held, unit::token(place.index, Heard::Neighbour)) {
            Ok(()) => self.awaited = Some(held),
            Err(_) => self.again(world),
        }
    }

    fn bind(&mut self, place: &Place) {
        self.bound = true;
        self.show(NEEDING, place);
    }

    /// It does not run any more.
    fn unbind(&mut self, place: &Place) {
        let _ = file::remove(place.state().as_fd(), NEEDING);
        (self.bound, self.untold) = (false, true);
    }

    /// Shows something by a file; without it the services go on, in no order.
    fn show(&self, name: &CStr, place: &Place) -> bool {
        let shown = file::show(place.state().as_fd(), name, PUBLIC_MODE);
        if let Err(errno) = shown {
            place.report.warn_of(b"unable to open ", name.to_bytes(), errno);
        }
        shown.is_ok()
    }

    /// How it stands, as far as others can see: never 0.
    fn standing(&self, state: &State, shows: Shows) -> u8 {
        let bit = |yes, at: u8| u8::from(yes) << at;
        let runs = Shown::of(state.phase) == Shown::Run;
        1 | bit(runs, 1)
            | bit(shows.ready, 2)
            | bit(shows.failed, 3)
            | bit(shows.whole, 4)
            | bit(self.shown, 5)
            | bit(state.want == Want::Up, 6)
            | bit(state.has_process(), 7)
    }

    /// Tells those that depend on it, if it stands in another way than they have been told.
    #[inline(never)]
    pub fn face(&mut self, state: &State, shows: Shows, place: &Place, world: &World) {
        let standing = self.standing(state, shows);
        let is_early = self.tell.is_some_and(|(at, _, what)| what == standing && at > world.now);
        if !self.needed || self.told == standing || is_early {
            return;
        }
        let told = match Neighbours::open(place, world) {
            Ok(Some(neighbours)) => neighbours.tell_dependents(),
            Ok(None) => Ok(()),
            Err(errno) => Err(errno),
        };
        match told {
            Ok(()) => (self.told, self.tell) = (standing, None),
            Err(_) => {
                let pause = self.tell.map_or(FIRST_RETRY, |(_, last, _)| (last * 2).min(LAST_RETRY));
                self.tell = Some((world.now.after(pause), pause, standing));
            }
        }
    }
}

/// What is shown of a service besides its state.
#[derive(Clone, Copy)]
pub struct Shows {
    /// That it is ready.
    pub ready: bool,
    /// That it has failed.
    pub failed: bool,
    /// All of its state: nothing has to be tried again.
    pub whole: bool,
}

/// Whether it runs and has not got its TERM.
fn runs(state: &State) -> bool {
    matches!(state.phase, Phase::Starting | Phase::Up) && !state.term
}

fn has_run(phase: Phase) -> bool {
    matches!(phase, Phase::Starting | Phase::Up | Phase::Stopping)
}
