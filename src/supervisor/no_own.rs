//! Builds without `policy` have runit's rules and no others.

use super::World;
use super::adopt::Orphan;
use super::keeper::Died;
use super::steps::Step;
use super::unit::Place;
use crate::service::command::Command;
use crate::service::machine::{Event, Limit, Phase, State};
use crate::service::policy;
use crate::sys::process::{Ended, Pid};
use crate::sys::signal::Signal;
use crate::sys::time::{Duration, Instant};
use crate::sys::{OwnedFd, Result};

/// Nothing is known, for nothing is looked at.
#[derive(Default)]
pub struct Own {}

/// What is looked for when it is needed.
#[derive(Clone, Copy)]
pub enum Other {
    /// The directory of control programs.
    Control,
    /// What is run after the service.
    Finish,
}

/// Nothing is in the place of `./run`.
pub const SETUP: &core::ffi::CStr = c"";

/// There are none.
#[derive(Default)]
pub struct Extras {
    /// No descriptor either.
    pub descriptor: Option<(OwnedFd, i32)>,
}

/// Whose number that of `./run` is.
#[allow(missing_docs, dead_code)]
pub enum Leader {
    Was(Pid),
    Unknown,
}

/// What is to become of what `./run` has left.
#[allow(missing_docs, dead_code)]
pub struct Rest {
    pub deadline: Option<Instant>,
    pub told: bool,
}

/// How `./run` has ended.
#[allow(missing_docs, dead_code)]
pub struct End {
    pub ended: Ended,
    pub asked: bool,
    pub started: Instant,
    pub now: Instant,
}

#[allow(missing_docs, clippy::unused_self)]
impl Own {
    pub fn refresh(&mut self, _: &Place) {}

    pub fn may_have(&self, _: Other) -> bool {
        true
    }

    pub fn limit(&self, _: Limit) -> Option<Duration> {
        None
    }

    pub fn signal(&self, command: Command) -> Option<Signal> {
        command.signal()
    }

    pub fn started(&mut self, _: &Place, _: Instant) {}

    pub fn falls_ill(&mut self, _: &Place) {}

    pub fn ended(&mut self, _: End, _: &Place, _: &World) {}

    pub fn clear(&mut self, _: &Place) {}

    pub fn tells(&self, _: &Extras) -> u32 {
        0
    }

    pub fn take_over(&mut self, _: &Orphan, _: &Place, _: &World) {}

    pub fn catch_up(&mut self, _: &Place, _: Instant) {}

    pub fn commanded(&mut self, _: Command, _: &State, _: &Place, _: Instant) -> bool {
        false
    }

    pub fn holds(&self, _: Step) -> bool {
        false
    }

    pub fn is_quiet(&mut self) -> bool {
        false
    }

    pub fn is_leaving(&self) -> bool {
        false
    }

    pub fn is_seen(&self) -> bool {
        false
    }

    #[cfg(feature = "in-process")]
    pub fn is_spared(&mut self, _: bool) -> bool {
        false
    }

    pub fn wait(&mut self) {}

    pub fn may_run(&mut self, _: &Place, _: &World) -> bool {
        true
    }

    pub fn was_ready(&self) -> bool {
        true
    }

    pub fn is_ready_at_once(&self) -> bool {
        true
    }

    pub fn prepare(&mut self, _: &mut Extras, _: &Place, _: &World) -> Result<()> {
        Ok(())
    }

    pub fn hear(&mut self, _: Option<Pid>, _: bool, _: &Place, _: &World) -> Option<Event> {
        None
    }

    pub fn show_ready(&mut self, _: Option<u32>, _: &Place, _: Instant) {}

    pub fn is_one_shot(&self) -> bool {
        false
    }

    pub fn may_be_up(&self, _: &Place) -> bool {
        false
    }

    pub fn is_up_already(&mut self, _: &Place, _: Option<u32>) -> bool {
        false
    }

    pub fn bury(&mut self, _: &Died, _: bool, _: &Place, _: &World) -> Option<Option<Event>> {
        None
    }

    pub fn next_timer(&self) -> Option<Instant> {
        None
    }

    pub fn ring(&mut self, _: bool, _: &Place, _: &World) -> Option<Event> {
        None
    }

    pub fn finished(&mut self, _: Ended) {}

    pub fn is_early(&self, lived: Duration) -> bool {
        lived < policy::EARLY
    }

    pub fn pause(&self) -> Duration {
        policy::PACE
    }

    pub fn is_enough(&self) -> bool {
        false
    }

    pub fn is_given_up(&self) -> bool {
        false
    }

    pub fn give_up(&mut self, _: Ended, _: &Place, _: &World) {}

    pub fn is_group(&self) -> bool {
        false
    }

    pub fn is_sweeping(&self) -> bool {
        false
    }

    pub fn kill(&mut self, _: Option<Pid>, _: Option<Pid>, _: &Place, _: Instant) {}

    pub fn begin_sweep(&mut self, _: Leader, _: Rest, _: Option<Pid>, _: &Place, _: Instant) -> bool {
        false
    }

    pub fn sweep(&mut self, _: Option<Pid>, _: &Place, _: Instant) -> bool {
        false
    }

    pub fn overdue(&mut self, _: Phase, _: Ended, _: &Place, _: &World) {}
}
