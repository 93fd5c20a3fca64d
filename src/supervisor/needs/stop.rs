//! A stop that waits.

use super::{Act, Bonds, Leaving, runs};
use crate::service::cycle;
use crate::service::machine::{State, Want};
use crate::service::needs::{self, LEAVING, NEEDS};
use crate::supervisor::neighbours::Neighbours;
use crate::supervisor::unit::Place;
use crate::sys::{AsFd, OwnedFd, Result, file};

impl Bonds {
    /// How far a stop has come.
    pub(super) fn leave(&mut self, state: &State, neighbours: &Neighbours<'_>) -> Result<Option<Act>> {
        match self.leaving {
            Some(Leaving::Found) => return Ok(self.take_up(state, neighbours.place)),
            // Its TERM has not been sent.
            Some(Leaving::Follows) if !state.term && !self.is_to_follow(neighbours)? => {
                self.stop_leaving(neighbours.place);
                self.held = false;
                return Ok(Some(Act::Stay));
            }
            _ => {}
        }
        self.shown = self.shown || self.show(LEAVING, neighbours.place);
        let waits = self.shown && !self.forced && neighbours.is_there();
        if waits && self.is_awaited(neighbours)? {
            return Ok(None);
        }
        if core::mem::take(&mut self.held) {
            // If there is nothing left to stop that is over.
            self.stale = true;
            return Ok(Some(Act::Stop));
        }
        // It has ended, or has been called up: before its TERM, or since, and has started again.
        let stays = self.leaving == Some(Leaving::Told) && runs(state);
        if !state.has_process() || stays {
            self.stop_leaving(neighbours.place);
        }
        Ok(None)
    }

    /// An earlier supervisor was killed in the middle of a stop.
    fn take_up(&mut self, state: &State, place: &Place) -> Option<Act> {
        self.stale = true;
        match state.want {
            _ if state.term => self.leaving = Some(Leaving::Follows),
            // If it was because of another that shows again.
            Want::Up => {
                self.stop_leaving(place);
                self.resumes = true;
            }
            Want::Once | Want::Down | Want::Exit => {
                self.leaving = Some(Leaving::Told);
                return Some(Act::Down);
            }
        }
        None
    }

    pub(super) fn stop_leaving(&mut self, place: &Place) {
        (self.shown, self.forced) = (false, false);
        // Whoever waits for it to stop need not any more.
        self.untold |= self.bound;
        if self.leaving.take().is_some() {
            let _ = file::remove(place.state().as_fd(), LEAVING);
            self.stale = true;
        }
    }

    /// Whether it has to stop because one that it needs is about to, or has.
    pub(super) fn is_to_follow(&self, neighbours: &Neighbours<'_>) -> Result<bool> {
        let scan = neighbours.scan();
        let mut others = neighbours.others(NEEDS);
        while let Some(other) = others.next_name() {
            let is_down = || needs::standing(scan, other).map(|standing| standing.is_wanted_down());
            if needs::is_leaving(scan, other)? || self.resumes && is_down()? {
                return Ok(true);
            }
        }
        others.end().map(|()| false)
    }

    /// Whether somebody that depends on it has to stop first.
    fn is_awaited(&mut self, neighbours: &Neighbours<'_>) -> Result<bool> {
        let Some(held) = first_bound(neighbours)? else { return Ok(false) };
        // In a circle nobody can be the first to stop either.
        if self.bound && self.held && cycle::of(neighbours.scan(), neighbours.name())?.is_some() {
            return Ok(false);
        }
        self.watch(held, neighbours);
        Ok(true)
    }
}

/// Holds the supervisor of the first one that has to stop before, if there is one.
fn first_bound(neighbours: &Neighbours<'_>) -> Result<Option<OwnedFd>> {
    let mut marks = neighbours.marks();
    while let Some(name) = marks.next_name() {
        let tie = neighbours.tie(name);
        match tie.and_then(|tie| tie.map_or(Ok(None), |tie| needs::hold_bound(neighbours.scan(), name, tie)))
        {
            Ok(None) => {}
            // What may not be looked at is not waited for.
            Err(errno) if !cycle::is_for_want_of_room(errno) => {}
            found => return found,
        }
    }
    marks.end().map(|()| None)
}
