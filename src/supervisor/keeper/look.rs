//! A start that waits for other services, and a stop that does.

use super::{Keeper, Then};
use crate::service::command::Command;
use crate::service::machine::{Event, Limit, Phase};
use crate::supervisor::World;
use crate::supervisor::needs::Act;
use crate::supervisor::steps::Step;
use crate::supervisor::unit::Place;

impl Keeper {
    /// Somebody that it depends on, or that depends on it, may have something to tell; and looks at its files.
    pub fn hear_neighbour(&mut self, place: &Place, world: &mut World) {
        if self.runs() {
            self.refresh(place);
        }
        self.own.hear_neighbour();
        self.catch_up(place, world);
    }

    /// The scan directory has changed.
    pub fn hear_scan(&mut self) {
        self.own.hear_scan();
    }

    /// Looks at the services beside this one, if something has changed, and goes on as far as it may.
    pub fn look(&mut self, place: &Place, world: &mut World) {
        loop {
            let starts = self.script.as_ref().is_some_and(|script| matches!(script.then, Then::Prepared));
            let Some(act) = self.own.look(&self.state, starts, place, world) else { return };
            match act {
                Act::Start => {}
                Act::PutOff => {
                    self.call_off();
                    self.steps.push(Step::Prepare);
                }
                Act::Follow => {
                    self.feed(Event::Command(Command::Term), place, world);
                    self.steps.push(Step::Continue);
                    self.limit(Limit::Stop, world.now);
                }
                Act::Down => self.feed(Event::Command(Command::Down), place, world),
                Act::Stop if self.runs() || self.state.phase == Phase::Stopping => {
                    self.limit(Limit::Stop, world.now)
                }
                Act::Stop => {}
                Act::Stay => {
                    self.overdue.take_if(|(running, _)| *running == Limit::Stop);
                    self.stay();
                }
            }
            self.resume(place, world);
        }
    }

    /// Tells those that depend on it how it stands, if that is news.
    pub fn face(&mut self, place: &Place, world: &World) {
        self.own.face(&self.state, self.published.retry().is_none(), place, world);
    }
}
