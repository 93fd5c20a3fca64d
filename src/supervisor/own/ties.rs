//! What a service needs of others, and others of it.

use super::{More, Other, Own};
use crate::service::command::Command;
use crate::service::machine::{Phase, State};
use crate::service::needs::{LEAVING, NEEDED, NEEDING};
use crate::supervisor::World;
use crate::supervisor::needs::{Act, Shows};
use crate::supervisor::steps::Step;
use crate::supervisor::unit::Place;
use crate::sys::{AsFd, file};

impl Own {
    /// Whether it depends on others.
    fn depends(&self) -> bool {
        self.may_have(Other::Needs) || self.may_have(Other::Wants)
    }

    /// Gives whether others depend on it.
    fn find_marks(&mut self, place: &Place) -> bool {
        let is_needed = file::is_there(place.state().as_fd(), NEEDED);
        if is_needed && self.more.is_none() {
            self.more = More::new();
        }
        is_needed
    }

    /// There is no service yet.
    pub(super) fn clear_ties(&mut self, place: &Place) {
        let has_needed = file::remove(place.state().as_fd(), NEEDING).is_ok();
        let is_needed = self.find_marks(place);
        if is_needed || has_needed || self.depends() {
            let _ = file::remove(place.state().as_fd(), LEAVING);
        }
        if let Some(more) = self.more() {
            more.bonds.clear(is_needed);
        }
    }

    /// The service is one that an earlier supervisor has started.
    pub(super) fn take_over_ties(&mut self, place: &Place) {
        self.find_marks(place);
        let depends = self.depends();
        if let Some(more) = self.more() {
            more.bonds.take_over(depends, place);
        }
    }

    /// Somebody may have something to tell.
    pub fn hear_neighbour(&mut self) {
        if self.more.is_none() {
            self.more = More::new();
        }
        if let Some(more) = self.more() {
            more.bonds.hear();
        }
    }

    /// The scan directory has changed.
    pub fn hear_scan(&mut self) {
        if let Some(more) = self.more() {
            more.bonds.hear_scan();
        }
    }

    /// A start has been ordered: it waits for what it needs.
    pub fn wait(&mut self) {
        if self.depends()
            && let Some(more) = self.more()
        {
            more.bonds.wait();
        }
    }

    /// Whether a step has to wait for others.
    pub fn holds(&self, step: Step) -> bool {
        self.known().is_some_and(|more| match step {
            Step::Prepare => more.bonds.holds_start(),
            Step::Signal(Command::Term) | Step::Continue | Step::Tell(_) => more.bonds.holds_stop(),
            Step::Signal(_) | Step::Finish => false,
        })
    }

    /// Whether TERM is not sent, this once.
    pub fn is_quiet(&mut self) -> bool {
        self.more().is_some_and(|more| more.bonds.is_quiet())
    }

    /// Whether it is about to stop, and that is not over.
    pub fn is_leaving(&self) -> bool {
        self.known().is_some_and(|more| more.bonds.is_leaving())
    }

    /// Whether it is shown how it stands towards others.
    pub fn is_seen(&self) -> bool {
        self.known().is_some_and(|more| more.bonds.is_seen())
    }

    /// Whether it is not killed yet with all that is left.
    #[cfg(feature = "in-process")]
    pub fn is_spared(&mut self, others_have_time: bool) -> bool {
        self.more().is_some_and(|more| more.bonds.is_spared(others_have_time))
    }

    /// Whether all that it needs is still there, now that its start has been prepared.
    pub fn may_run(&mut self, place: &Place, world: &World) -> bool {
        self.more().is_none_or(|more| more.bonds.may_run(place, world))
    }

    /// Looks at the services beside this one, if something has changed; gives what is to be done.
    pub fn look(&mut self, state: &State, starts: bool, place: &Place, world: &World) -> Option<Act> {
        let more = self.more()?;
        let act = more.bonds.look(state, starts, place, world);
        if act == Some(Act::Stay) {
            more.asked = false;
        }
        act
    }

    /// Tells those that depend on it how it stands, if that is news. `whole`: whether its state could be shown.
    pub fn face(&mut self, state: &State, whole: bool, place: &Place, world: &World) {
        let Some(more) = self.more() else { return };
        let ready = more.readiness.is_shown() || state.phase == Phase::Up && !more.settings.tells_ready();
        more.bonds.face(state, Shows { ready, failed: more.failed, whole }, place, world);
    }
}

impl More {
    /// Somebody has asked for something; gives whether a stop that waits is forgotten for that.
    pub(super) fn commanded(&mut self, command: Command, state: &State, place: &Place) -> bool {
        let stays = self.bonds.commanded(command, state, place);
        self.asked &= !(stays && matches!(command, Command::Up | Command::Once));
        stays
    }
}
