//! What is still to be done for a service, in order, while a control script is at work.

use crate::service::command::Command;
use smallvec::SmallVec;

/// One thing to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Consult `control/C`; send the signal unless that took over.
    Signal(Command),
    /// Send CONT.
    Continue,
    /// Run `control/C`.
    Tell(Command),
    /// Run `control/u`; then `./run` may be started.
    Prepare,
    /// Start `./finish`.
    Finish,
}

/// Steps that wait. None is in it twice, so it is never longer than there are steps: 10 signals, CONT, two words
/// to scripts, and a start.
#[derive(Default)]
pub struct Steps(SmallVec<[Step; 16]>);

impl Steps {
    /// Adds a step at the end; one that waits already moves there.
    pub fn push(&mut self, step: Step) {
        self.0.retain(|waiting| *waiting != step);
        self.0.push(step);
    }

    /// The next step, if it may be taken.
    pub fn next(&mut self, may: impl Fn(Step) -> bool) -> Option<Step> {
        let first = *self.0.first()?;
        may(first).then(|| self.0.remove(0))
    }

    /// Forgets the start that was ordered.
    pub fn cancel_start(&mut self) {
        self.0.retain(|step| *step != Step::Prepare);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
