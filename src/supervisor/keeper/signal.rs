//! Signals to the process that there is, and to what belongs to it.

use super::{Keeper, Process};
use crate::service::command::Command;
use crate::service::machine::Event;
use crate::supervisor::World;
use crate::supervisor::unit::Place;
use crate::sys::process::{self, Pid};
use crate::sys::signal::Signal;
use crate::sys::{AsFd, Errno, Result};
#[cfg(feature = "policy")]
use {
    crate::service::processes,
    crate::sys::OwnedFd,
    crate::sys::poll::{self, Direction},
    crate::sys::time::Instant,
};

impl Keeper {
    /// Sends a command's signal; TERM is news.
    pub(super) fn send(&mut self, command: Command, place: &Place, world: &World) -> Option<Event> {
        if cfg!(feature = "policy") && command == Command::Kill {
            self.kill(place, world);
            return None;
        }
        if command == Command::Term && self.is_set_up() {
            return Some(Event::TermSent);
        }
        let wide = matches!(command, Command::Term | Command::Pause | Command::Cont);
        let sent = self.signal(self.own.signal(command)?, wide);
        (sent && command == Command::Term).then_some(Event::TermSent)
    }

    /// Sends a signal to `./run`, if the one that was meant is still there. `wide`: to the group that it leads, if that counts.
    pub(super) fn signal(&self, signal: Signal, wide: bool) -> bool {
        match &self.process {
            Some(process) if !process.finish && self.target == Some(process.pid) => {
                match wide && self.own.is_group() {
                    true => process.signal_group(signal).is_ok(),
                    false => process.signal(signal).is_ok(),
                }
            }
            _ => false,
        }
    }

    /// Kills what there is: `./finish`, or `./run` and all that belongs to it.
    pub(super) fn kill(&mut self, place: &Place, world: &World) {
        // The number of one that is not there any more may be another's.
        let is_there =
            self.process.as_ref().filter(|process| process.signal(Signal::KILL) != Err(Errno::SRCH));
        let service = is_there.filter(|process| !process.finish).map(|process| process.pid);
        if service.is_some() || self.own.is_sweeping() {
            self.own.kill(service, self.script_pid(), place, world.now);
        }
    }

    pub(super) fn script_pid(&self) -> Option<Pid> {
        self.script.as_ref().map(|script| script.pid)
    }
}

impl Process {
    /// Sends a signal to the group that it leads, and to itself if it has left that.
    #[cfg(feature = "policy")]
    pub(super) fn signal_group(&self, signal: Signal) -> Result<()> {
        if self.has_ended() {
            return Err(Errno::SRCH);
        }
        let has_left = processes::look(self.pid).is_ok_and(|its| its.group != Some(self.pid));
        match process::kill_group(self.pid, signal) {
            Ok(()) if !has_left => Ok(()),
            _ => self.signal(signal),
        }
    }

    /// Whether it has, if it is not our child: then its number may be another's.
    #[cfg(feature = "policy")]
    fn has_ended(&self) -> bool {
        let ends =
            |hold: &OwnedFd| poll::either([Some((hold.as_fd(), Direction::In)), None], Some(Instant::now()));
        self.hold.as_ref().is_some_and(|hold| ends(hold)[0])
    }

    #[cfg(not(feature = "policy"))]
    pub(super) fn signal_group(&self, signal: Signal) -> Result<()> {
        self.signal(signal)
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        match &self.hold {
            Some(hold) => process::kill_held(hold.as_fd(), signal),
            None => process::kill(self.pid, signal),
        }
    }
}
