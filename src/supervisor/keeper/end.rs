//! What follows from the end of a process.

use super::Keeper;
use crate::service::command::Command;
use crate::service::machine::{Event, Limit, Phase, Want};
use crate::service::names::Part;
use crate::supervisor::World;
use crate::supervisor::own::{End, Leader, Rest};
use crate::supervisor::unit::Place;
use crate::sys::process::Ended;
use crate::sys::signal::Signal;
use crate::sys::time::Instant;
use crate::tai::Tai;

impl Keeper {
    pub(super) fn process_ended(&mut self, ended: Ended, place: &Place, world: &mut World) {
        let Some(process) = self.process.take() else { return };
        if process.finish {
            self.own.finished(ended);
            return self.all_ended(true, place, world);
        }
        self.ended = ended;
        let stays = self.own.is_one_shot() && self.runs() && !self.state.term && ended.code() == Some(0);
        match stays {
            true => self.set_up(place, world),
            false => self.run_ended(Leader::Was(process.pid), place, world),
        }
    }

    /// Whether it is a one-shot whose work has been done.
    pub(super) fn is_set_up(&self) -> bool {
        cfg!(feature = "policy") && self.set_up
    }

    /// `./setup` has done its work.
    fn set_up(&mut self, place: &Place, world: &mut World) {
        self.set_up = true;
        self.since = Tai::now();
        self.news = true;
        self.learn(Some(Event::Ready), place, world);
    }

    /// `./run`, which was `leader`, has ended, or what `./setup` has done is to end.
    pub(super) fn run_ended(&mut self, leader: Leader, place: &Place, world: &mut World) {
        self.set_up = false;
        let asked = self.state.term || self.state.phase == Phase::Stopping || self.state.want != Want::Up;
        let end = End { ended: self.ended, asked, started: self.started, now: world.now };
        self.own.ended(end, place, world);
        if self.own.is_enough() {
            self.feed(Event::Enough, place, world);
        }
        if self.part != Part::Main || !self.begin_sweep(leader, place, world.now) {
            self.all_ended(false, place, world);
        }
    }

    /// Sees to the end of what `./run` has left; gives whether there is anything.
    fn begin_sweep(&mut self, leader: Leader, place: &Place, now: Instant) -> bool {
        let of_stop = self.overdue.filter(|(limit, _)| *limit == Limit::Stop).map(|(_, at)| at);
        let deadline = match self.state.phase == Phase::Stopping {
            // If its time is over, it is for all.
            true => of_stop,
            false => self.own.limit(Limit::Stop).map(|within| now.after(within)),
        };
        let told = self.state.term && self.own.signal(Command::Term) == Some(Signal::TERM);
        self.news = true;
        self.own.begin_sweep(leader, Rest { deadline, told }, self.script_pid(), place, now)
    }

    /// Nothing is left of `./run`, or of `./finish`.
    pub(super) fn all_ended(&mut self, finish: bool, place: &Place, world: &mut World) {
        let early = self.own.is_early(world.now.since(self.started));
        let event = match finish {
            true => Event::Finished { early },
            false => Event::Ended { finish: self.has_finish(place), early },
        };
        if !matches!(event, Event::Ended { finish: true, .. }) {
            self.since = Tai::now();
        }
        self.feed(event, place, world);
        if self.own.is_given_up() && self.state.phase == Phase::Waiting {
            self.feed(Event::GiveUp, place, world);
            // Whoever sees that it has failed shall find it down.
            self.tell_if_news(place, world);
            self.own.give_up(self.ended, place, world);
        }
    }
}
