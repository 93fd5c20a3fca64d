//! The end of a fleet: who is still awaited is said, and whoever takes too long is killed.

use super::World;
use super::unit::Unit;
use crate::sys::time::{self, Duration, Instant};

/// After how long it is said for the first time who has not ended; each time after that is twice as late.
const FIRST_WORD: Duration = Duration::from_secs(3);
/// Between two times that what is left is killed: a finish script may have come after the first.
const PACE: Duration = Duration::from_secs(1);
/// How long after the first, nothing is expected any more: such a process waits for a device.
const HOPELESS: Duration = Duration::from_secs(5);

/// All services have been told to end.
pub struct Ending {
    began: Instant,
    word: Instant,
    limit: Option<Limit>,
}

/// There is no waiting for ever.
struct Limit {
    /// When what has no deadline of its own is killed.
    kill: Instant,
    /// When there is no hope left.
    last: Instant,
}

impl Ending {
    /// Begins now. What has no deadline of its own is killed after `within`, if that is given.
    pub fn begin(within: Option<Duration>, now: Instant) -> Self {
        let limit = within.map(|within| {
            let kill = now.after(within);
            Limit { kill, last: kill.after(HOPELESS) }
        });
        Self { began: now, word: now.after(FIRST_WORD), limit }
    }

    /// Says who is awaited and kills what is too late, if it is time for that.
    pub fn ring(&mut self, units: &mut [Option<Unit>], world: &mut World) {
        let now = world.now;
        if self.word <= now {
            units.iter().flatten().for_each(Unit::tell_awaited);
            self.word = now.after(now.since(self.began));
        }
        let Some(limit) = &mut self.limit else { return };
        let deadlines = units.iter().flatten().filter_map(Unit::deadline);
        let latest = deadlines.max();
        limit.last = latest.map_or(limit.last, |latest| limit.last.max(latest.after(HOPELESS)));
        if limit.kill <= now {
            let has_time = latest.is_some_and(|latest| latest > now);
            units.iter_mut().flatten().for_each(|unit| unit.cut_short(has_time, world));
            limit.kill = now.after(PACE);
        }
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        let limit = self.limit.as_ref();
        time::first([Some(self.word), limit.map(|limit| limit.kill), limit.map(|limit| limit.last)])
    }

    /// Whether what is left will never end.
    pub fn is_hopeless(&self, now: Instant) -> bool {
        self.limit.as_ref().is_some_and(|limit| limit.last <= now)
    }
}
