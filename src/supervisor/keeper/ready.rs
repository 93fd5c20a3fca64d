//! What is known of whether the service is ready, and has to be by now.

use super::{Keeper, Script, Then, life};
use crate::service::client;
use crate::service::command::Command;
use crate::service::machine::{Event, Limit, Phase, State, Want};
use crate::service::names::{File, Part, path};
use crate::supervisor::World;
use crate::supervisor::steps::Step;
use crate::supervisor::unit::Place;
use crate::sys::AsFd;

impl Keeper {
    /// What counts as up may not have been ready yet.
    pub(super) fn see_whether_ready(&mut self, place: &Place, world: &mut World) {
        if cfg!(feature = "policy")
            && self.part == Part::Main
            && self.process.is_some()
            && !self.own.was_ready()
        {
            self.go_on(Some(Event::Unready), place, world);
        }
    }

    /// Whether it is a one-shot whose work has been done under an earlier supervisor. Then it is up.
    pub(super) fn is_up_already(&mut self, place: &Place, world: &mut World) -> bool {
        if !cfg!(feature = "policy") || !self.own.may_be_up(place) {
            return false;
        }
        let life = life(world);
        if !self.own.is_up_already(place, life) {
            return false;
        }
        let status = client::read_status(place.state().as_fd(), path(self.part, File::Status)).ok();
        let want = if status.is_none_or(|status| status.want == b'u') { Want::Up } else { Want::Once };
        self.state = State { phase: Phase::Up, ..State::new(want) };
        self.set_up = true;
        self.since = status.map_or(self.since, |status| status.since);
        true
    }

    /// Acts on what has been found out about the service.
    pub(super) fn learn(&mut self, meaning: Option<Event>, place: &Place, world: &mut World) {
        let Some(event) = meaning else { return };
        // What it says before it has done its work does not count.
        if event == Event::Ready && self.own.is_one_shot() && self.process.is_some() {
            return;
        }
        if event == Event::Command(Command::Term) {
            self.own.falls_ill(place);
        }
        let phase = self.state.phase;
        self.go_on(Some(event), place, world);
        let is_news = self.state.phase != phase;
        // It may have been called up before somebody knew; and one that is to stop may stay.
        let is_up = self.state.phase == Phase::Up || self.state.phase == Phase::Stopping && !self.state.term;
        if event == Event::Ready && is_up && (is_news || !self.own.was_ready()) {
            self.tell_if_news(place, world);
            let life = if self.own.is_one_shot() { life(world) } else { None };
            self.own.show_ready(life, place, world.now);
        }
    }

    /// Whether it is there and can answer, and has not been told to end, or is about to be.
    pub(super) fn answers(&self) -> bool {
        let told = Step::Signal(Command::Term);
        let asks = |script: &Script| matches!(script.then, Then::Signal(Command::Term));
        let is_told = self.script.as_ref().is_some_and(asks) || self.steps.has(told);
        self.runs() && !self.state.paused && !is_told
    }

    /// What the files say now, they may have said before: of a service that runs.
    pub(super) fn catch_up(&mut self, place: &Place, world: &mut World) {
        if !cfg!(feature = "policy") || !self.runs() {
            return;
        }
        self.own.catch_up(place, world.now);
        if self.state.phase != Phase::Starting {
            return;
        }
        if self.own.is_ready_at_once() {
            return self.go_on(Some(Event::Ready), place, world);
        }
        let within = self.own.limit(Limit::Ready);
        self.overdue = self.overdue.filter(|(limit, _)| *limit != Limit::Ready || within.is_some());
        if self.overdue.is_none() {
            self.limit(Limit::Ready, world.now);
        }
    }

    /// What had a deadline has not happened.
    pub(super) fn ring_overdue(&mut self, place: &Place, world: &mut World) {
        if self.state.phase == Phase::Starting && self.state.paused {
            // It could not become ready.
            return self.limit(Limit::Ready, world.now);
        }
        let is_asked = self.script.as_ref().is_some_and(|script| script.due.is_some());
        if self.state.phase == Phase::Stopping && !self.state.term && is_asked {
            // A control script has had that time, and is killed; the service has not been told yet.
            return self.limit(Limit::Stop, world.now);
        }
        self.own.overdue(self.state.phase, self.ended, place, world);
        self.feed(Event::Overdue, place, world);
    }
}
