//! What holds a start and a stop up: a service is started when those that it needs are ready, and ends before they do.
//!
//! Each supervisor looks by itself, and only when it is told to: by the byte `n`, which the others send when something has
//! changed for it. So that nothing is lost between two of them, whoever waits first leaves a mark with the other, then has
//! it look, and then looks itself; the other first shows how it stands, and then tells all that have left a mark. In the same
//! way who is about to start shows that, and looks once more; who is about to stop shows that, and looks who has started.
//! A supervisor that has been killed finds marks and files as they were.

use super::World;
use super::neighbours::Neighbours;
use super::unit::{self, Heard, Place};
use crate::service::command::Command;
use crate::service::cycle;
use crate::service::machine::{Phase, State, Want};
use crate::service::names::PUBLIC_MODE;
use crate::service::needs::{self, LEAVING, NEEDED, NEEDING, Standing, Tie};
use crate::service::status::Shown;
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, Errno, OwnedFd, Result, dir, file, watch};
use core::ffi::CStr;

/// How soon what could not be done is tried again, at first and at last.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(64);
/// How long a supervisor of one that is only wanted is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

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
    /// It is shown that it is to stop.
    shown: bool,
    /// It has been spared once when all that is left was killed.
    spared: bool,
    /// It had a process at the last look.
    had_process: bool,
    /// What those that depend on it have been told; 0 for nothing.
    told: u8,
    /// Hangs up when the supervisor ends that is waited for.
    awaited: Option<OwnedFd>,
    /// Something that it needs is not in the scan directory.
    misses: bool,
    /// Tells of changes in the scan directory, while something is missing there.
    watched: Option<OwnedFd>,
    /// Until then one that is wanted and has no supervisor is waited for.
    patience: Option<Instant>,
    /// It has been.
    impatient: bool,
    /// When to look again, and how long after the last look.
    retry: Option<Instant>,
    pause: Duration,
    /// When to tell again, and how long after the last time.
    tell: Option<(Instant, Duration)>,
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

    /// The scan directory has changed.
    pub fn hear_scan(&mut self) {
        self.stale |= self.misses;
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

    /// Whether it is about to stop, and that is not over.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Whether it is shown how it stands towards others.
    pub fn is_seen(&self) -> bool {
        self.bound || self.leaving.is_some()
    }

    /// Whether it is not killed yet with all that is left: those that depend on it are first, once.
    #[cfg(feature = "in-process")]
    pub fn is_spared(&mut self) -> bool {
        self.held && !core::mem::replace(&mut self.spared, true)
    }

    /// There is no service yet: what an earlier supervisor has shown is not true any more.
    pub fn clear(&mut self, is_needed: bool, place: &Place) {
        self.needed = is_needed;
        if is_needed {
            let _ = file::remove(place.state().as_fd(), LEAVING);
        }
    }

    /// The service is one that an earlier supervisor has started.
    pub fn take_over(&mut self, depends: bool, place: &Place) {
        let is_there = |name| file::stat(place.state().as_fd(), name).is_ok();
        (self.needed, self.stale) = (is_there(NEEDED), true);
        self.had_process = true;
        self.leaving = is_there(LEAVING).then_some(Leaving::Found);
        if depends {
            self.bind(place);
        }
    }

    /// The service has another directory now, in which is shown how it stands.
    pub fn moved(&mut self, place: &Place) {
        self.stale = true;
        if self.bound {
            self.bind(place);
        }
    }

    /// Somebody has asked for something; gives whether a stop that waits is forgotten for that.
    pub fn commanded(&mut self, command: Command, state: &State, place: &Place) -> bool {
        self.stale |= self.waits || self.leaving.is_some();
        let stops = matches!(command, Command::Down | Command::Exit);
        let starts = matches!(command, Command::Up | Command::Once);
        if stops && (self.needed || self.leaving.is_some()) {
            let held = self.held;
            self.leaving = Some(Leaving::Told);
            self.held = self.needed && has_run(state.phase) && !state.term;
            (self.stale, self.spared) = (true, false);
            return held;
        }
        // What has not begun to stop stays.
        if starts && self.leaving == Some(Leaving::Told) && (self.held || !state.has_process()) {
            self.stop_leaving(place);
            return core::mem::take(&mut self.held);
        }
        self.held &= command != Command::Kill;
        false
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        time::first([self.patience, self.retry, self.tell.map(|(at, _)| at)])
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, now: Instant) {
        self.stale |= self.retry.take_if(|at| *at <= now).is_some();
        if self.patience.take_if(|at| *at <= now).is_some() {
            (self.impatient, self.stale) = (true, true);
        }
    }

    /// Looks at the services beside this one, if something has changed; gives what is to be done.
    pub fn look(&mut self, state: &State, starts: bool, place: &Place, world: &World) -> Option<Act> {
        let has_process = state.has_process();
        let has_changed = core::mem::replace(&mut self.had_process, has_process) != has_process;
        self.waits &= state.phase == Phase::Preparing;
        if !self.waits {
            (self.misses, self.watched, self.patience) = (false, None, None);
        }
        self.stale |= has_changed && self.is_seen();
        while core::mem::take(&mut self.stale) {
            (self.awaited, self.retry) = (None, None);
            let looked = match Neighbours::open(place, world) {
                Ok(Some(neighbours)) => self.look_around(state, starts, &neighbours, place, world),
                Ok(None) => Ok(self.alone(place)),
                Err(errno) => Err(errno),
            };
            match looked {
                Ok(act) => {
                    self.said = None;
                    self.pause = if self.retry.is_some() { self.pause } else { Duration::ZERO };
                    if act.is_some() {
                        return act;
                    }
                }
                Err(errno) => self.trouble(errno, place, world),
            }
        }
        None
    }

    fn look_around(
        &mut self,
        state: &State,
        starts: bool,
        neighbours: &Neighbours<'_>,
        place: &Place,
        world: &World,
    ) -> Result<Option<Act>> {
        if !self.needed && file::stat(place.state().as_fd(), NEEDED).is_ok() {
            self.needed = true;
            // It is late, but whoever has just started can still end.
            if has_run(state.phase) && matches!(state.want, Want::Down | Want::Exit) {
                self.leaving = self.leaving.or(Some(Leaving::Told));
            }
        }
        let is_idle = !state.has_process() && state.phase != Phase::Preparing;
        if self.bound && is_idle {
            self.unbind(neighbours, place)?;
        }
        if self.leaving.is_some() {
            return self.leave(state, neighbours, place, world);
        }
        if self.bound && !self.announced {
            self.announce(neighbours)?;
        }
        if self.waits {
            return self.start(neighbours, place, world);
        }
        let runs = matches!(state.phase, Phase::Starting | Phase::Up) && !state.term;
        if !self.bound || !(runs || starts) || !is_any_leaving(neighbours)? {
            return Ok(None);
        }
        self.stale = true;
        if starts {
            self.waits = true;
            return Ok(Some(Act::PutOff));
        }
        (self.leaving, self.held, self.spared) = (Some(Leaving::Follows), self.needed, false);
        Ok(Some(Act::Follow))
    }

    /// Nobody can be found by a name: nothing holds anything up.
    fn alone(&mut self, place: &Place) -> Option<Act> {
        if self.waits && self.fresh {
            place.report.warn(&[b"ignoring needs: no scan directory"], None);
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
            place.report.warn(&[b"unable to look at needs"], Some(errno));
        }
        self.again(world);
    }

    fn again(&mut self, world: &World) {
        self.pause = (self.pause * 2).clamp(FIRST_RETRY, LAST_RETRY);
        self.retry = Some(world.now.after(self.pause));
    }

    /// Lets those that it depends on know.
    fn announce(&mut self, neighbours: &Neighbours<'_>) -> Result<()> {
        let mut result = Ok(());
        let tells = !self.announced;
        let listed = neighbours.each_other(|other, _| {
            result = neighbours.announce(other, tells).and(result);
        });
        listed.and(result)?;
        self.announced = true;
        Ok(())
    }

    /// Whether a start may go on.
    fn start(&mut self, neighbours: &Neighbours<'_>, place: &Place, world: &World) -> Result<Option<Act>> {
        let fresh = core::mem::take(&mut self.fresh);
        self.announce(neighbours)?;
        let is_met = self.is_met(fresh, neighbours, place, world)?;
        if self.circle || fresh && !is_met {
            self.find_circle(neighbours, place)?;
        }
        if !is_met || self.circle {
            if self.misses && self.watched.is_none() {
                self.watch_scan(neighbours, world);
            }
            if self.bound {
                self.unbind(neighbours, place)?;
            }
            return Ok(None);
        }
        if !core::mem::replace(&mut self.bound, true) {
            self.bind(place);
        }
        // Now that who is about to stop sees us.
        if !self.is_met(false, neighbours, place, world)? {
            self.unbind(neighbours, place)?;
            self.retry = Some(world.now);
            return Ok(None);
        }
        (self.waits, self.awaited) = (false, None);
        Ok(Some(Act::Start))
    }

    /// Whether all that is needed is ready, and nothing that is wanted is on its way.
    fn is_met(
        &mut self,
        aloud: bool,
        neighbours: &Neighbours<'_>,
        place: &Place,
        world: &World,
    ) -> Result<bool> {
        let (mut met, mut result) = (true, Ok(()));
        self.misses = false;
        let listed = neighbours.each_other(|other, tie| {
            let scan = neighbours.scan();
            match needs::standing(scan, other) {
                Ok(standing) if tie == Tie::Need => {
                    if standing == Standing::Missing && aloud {
                        place
                            .report
                            .warn(&[b"needs: ", other.to_bytes(), b" is missing, waiting for it"], None);
                    }
                    self.misses |= standing == Standing::Missing;
                    met &= standing.is_ready();
                }
                Ok(standing) if standing.is_coming() => {
                    // That it never comes shows when its supervisor ends.
                    match needs::hold(scan, other) {
                        Ok(Some(held)) if self.awaited.is_none() => self.watch(held, place, world),
                        Ok(_) => {}
                        Err(errno) => result = Err(errno),
                    }
                    met = false;
                }
                Ok(Standing::Unsupervised) if !self.impatient && !is_down(scan, other) => {
                    self.patience = self.patience.or(Some(world.now.after(PATIENCE)));
                    met = false;
                }
                Ok(_) => {}
                Err(errno) => result = Err(errno),
            }
        });
        listed.and(result).map(|()| met)
    }

    /// Has a change of the scan directory told. A supervisor of all its services is told anyway.
    fn watch_scan(&mut self, neighbours: &Neighbours<'_>, world: &World) {
        if neighbours.is_told() {
            return;
        }
        let opened = dir::open(neighbours.scan(), c".");
        match opened.and_then(|dir| watch::signal_on_change(&dir).map(|()| dir)) {
            // What was missing may have come in between.
            Ok(dir) => (self.watched, self.retry) = (Some(dir), Some(world.now)),
            Err(_) => self.again(world),
        }
    }

    fn find_circle(&mut self, neighbours: &Neighbours<'_>, place: &Place) -> Result<()> {
        let found = cycle::of(neighbours.scan(), neighbours.name())?;
        if let (Some(circle), false) = (&found, self.circle) {
            place.report.warn(&[b"needs: a cycle: ", circle.bytes(), b", not starting it"], None);
        }
        self.circle = found.is_some();
        Ok(())
    }

    /// How far a stop has come.
    fn leave(
        &mut self,
        state: &State,
        neighbours: &Neighbours<'_>,
        place: &Place,
        world: &World,
    ) -> Result<Option<Act>> {
        match self.leaving {
            Some(Leaving::Found) => return Ok(self.take_up(state, place)),
            Some(Leaving::Follows) if self.held && !is_any_leaving(neighbours)? => {
                self.stop_leaving(place);
                self.held = false;
                return Ok(Some(Act::Stay));
            }
            _ => {}
        }
        self.shown |= self.needed && self.show(LEAVING, place);
        if self.shown && neighbours.is_there() && self.is_awaited(neighbours, place, world)? {
            return Ok(None);
        }
        if core::mem::take(&mut self.held) {
            return Ok(Some(Act::Stop));
        }
        if !state.has_process() {
            self.stop_leaving(place);
        }
        Ok(None)
    }

    /// An earlier supervisor was killed in the middle of a stop.
    fn take_up(&mut self, state: &State, place: &Place) -> Option<Act> {
        self.stale = true;
        match state.want {
            _ if state.term => self.leaving = Some(Leaving::Follows),
            // If it was because of another that shows again.
            Want::Up => self.stop_leaving(place),
            Want::Once | Want::Down | Want::Exit => {
                self.leaving = Some(Leaving::Told);
                return Some(Act::Down);
            }
        }
        None
    }

    fn stop_leaving(&mut self, place: &Place) {
        self.shown = false;
        if self.leaving.take().is_some() {
            let _ = file::remove(place.state().as_fd(), LEAVING);
            self.stale = true;
        }
    }

    /// Whether somebody that depends on it has to stop first.
    fn is_awaited(&mut self, neighbours: &Neighbours<'_>, place: &Place, world: &World) -> Result<bool> {
        let mut result = Ok(None);
        let listed = neighbours.each_dependent(|name, tie| {
            if matches!(result, Ok(None)) {
                result = needs::hold_bound(neighbours.scan(), name, tie);
            }
        });
        let Some(held) = listed.and(result)? else { return Ok(false) };
        // In a circle nobody can be the first to stop either.
        if self.bound && self.held && cycle::of(neighbours.scan(), neighbours.name())?.is_some() {
            return Ok(false);
        }
        self.watch(held, place, world);
        Ok(true)
    }

    fn watch(&mut self, held: OwnedFd, place: &Place, world: &World) {
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
    fn unbind(&mut self, neighbours: &Neighbours<'_>, place: &Place) -> Result<()> {
        let _ = file::remove(place.state().as_fd(), NEEDING);
        neighbours.tell_others()?;
        self.bound = false;
        Ok(())
    }

    /// Shows something by a file; without it the services go on, in no order.
    fn show(&self, name: &CStr, place: &Place) -> bool {
        let shown = file::open_append(place.state().as_fd(), name, PUBLIC_MODE);
        if let Err(errno) = shown {
            place.report.warn_of(b"unable to open ", name.to_bytes(), errno);
        }
        shown.is_ok()
    }

    /// Tells those that depend on it, if it stands in another way than they have been told.
    pub fn face(&mut self, standing: u8, place: &Place, world: &World) {
        let is_early = self.tell.is_some_and(|(at, _)| at > world.now);
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
                let pause = self.tell.map_or(FIRST_RETRY, |(_, last)| (last * 2).min(LAST_RETRY));
                self.tell = Some((world.now.after(pause), pause));
            }
        }
    }

    /// Whether all that it needs is still ready, when its start has been prepared.
    pub fn may_run(&mut self, place: &Place, world: &World) -> bool {
        let Ok(Some(neighbours)) = Neighbours::open(place, world) else { return true };
        let may = !self.bound || self.is_met(false, &neighbours, place, world).unwrap_or(false);
        (self.waits, self.stale) = (!may, !may);
        may
    }
}

/// How it stands, as far as others take notice: never 0.
pub fn standing(state: &State, is_ready: bool, is_failed: bool, is_leaving: bool) -> u8 {
    let bit = |yes, at: u8| u8::from(yes) << at;
    let runs = Shown::of(state.phase) == Shown::Run;
    1 | bit(runs, 1)
        | bit(is_ready, 2)
        | bit(is_failed, 3)
        | bit(is_leaving, 4)
        | bit(state.want == Want::Up, 5)
        | bit(state.has_process(), 6)
}

fn has_run(phase: Phase) -> bool {
    matches!(phase, Phase::Starting | Phase::Up | Phase::Stopping)
}

fn is_any_leaving(neighbours: &Neighbours<'_>) -> Result<bool> {
    let (mut any, mut result) = (false, Ok(()));
    let listed = neighbours.each_other(|other, tie| {
        if tie == Tie::Need && !any {
            match needs::is_leaving(neighbours.scan(), other) {
                Ok(leaving) => any = leaving,
                Err(errno) => result = Err(errno),
            }
        }
    });
    listed.and(result).map(|()| any)
}

/// Whether a service is not started before it is asked for.
fn is_down(scan: crate::sys::BorrowedFd<'_>, name: &CStr) -> bool {
    file::stat(scan, needs::below(name, c"down").path()).is_ok()
}
