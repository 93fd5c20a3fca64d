//! Going on in a service directory that has taken the place of the one before.

use super::{Held, Keeper, life};
use crate::service::names::Part;
use crate::supervisor::own::Own;
use crate::supervisor::publish::Published;
use crate::supervisor::unit::Place;
use crate::supervisor::{World, adopt};
use crate::sys::OwnedFd;

impl Keeper {
    /// Goes on in another directory, of which this is held: what is known there must be told there.
    pub fn move_to(&mut self, held: Option<Held>, place: &Place, world: &mut World) {
        let is_new = held.is_some();
        if let Some(mut held) = held {
            adopt::move_note(&self.held, &mut held);
            self.held = held;
        }
        self.published = Published::nothing(self.part);
        self.news = true;
        if self.part == Part::Log {
            return;
        }
        if is_new {
            Own::remove_shown(place);
        }
        let life = if self.own.is_one_shot() { life(world) } else { None };
        self.own.moved(life, place, world.now);
        self.catch_up(place, world);
    }

    /// There is nobody any more to tell anything: its directory is gone.
    pub fn fall_silent(&mut self) {
        self.published.fall_silent();
    }

    /// What is locked for it.
    pub fn lock(&self) -> &OwnedFd {
        &self.held.lock
    }
}
