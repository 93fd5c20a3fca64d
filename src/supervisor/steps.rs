//! What is still to be done for a service, in order, while a control script is at work.

use crate::service::command::Command;

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

/// How many steps there are: 14 signals, CONT, two words to scripts, and two starts.
const KINDS: usize = 19;
/// How many wait at most. Each step has a place of its own; what comes twice has the others.
const MOST: usize = 32;

/// Steps that wait, in order. The same can be asked for several times, and then is done as often.
pub struct Steps {
    list: [Option<Step>; MOST],
    len: usize,
}

impl Default for Steps {
    fn default() -> Self {
        Self { list: [None; MOST], len: 0 }
    }
}

impl Steps {
    /// Adds a step at the end. A start that waits already moves there; anything else of which there is too much is
    /// not added once more.
    pub fn push(&mut self, step: Step) {
        match step {
            Step::Prepare | Step::Finish => self.remove(step),
            Step::Signal(_) | Step::Continue | Step::Tell(_) => {
                if self.len >= MOST - KINDS && self.list.contains(&Some(step)) {
                    return;
                }
            }
        }
        if let Some(place) = self.list.get_mut(self.len) {
            *place = Some(step);
            self.len += 1;
        }
    }

    /// The next step that may be taken. What waits for other services does not hold up the rest.
    pub fn next(&mut self, may: impl Fn(Step) -> bool) -> Option<Step> {
        let seen = if cfg!(feature = "policy") { MOST } else { 1 };
        let at = self.list.iter().take(seen).position(|step| step.is_some_and(&may))?;
        let step = self.list.get(at).copied().flatten();
        self.remove_at(at);
        step
    }

    /// Forgets a start that waits.
    pub fn remove(&mut self, step: Step) {
        if let Some(at) = self.list.iter().position(|waiting| *waiting == Some(step)) {
            self.remove_at(at);
        }
    }

    fn remove_at(&mut self, at: usize) {
        if let Some(rest) = self.list.get_mut(at..) {
            rest.rotate_left(1);
        }
        if let Some(last) = self.list.last_mut() {
            *last = None;
        }
        self.len -= 1;
    }

    /// Whether a step waits.
    pub fn has(&self, step: Step) -> bool {
        self.list.contains(&Some(step))
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
