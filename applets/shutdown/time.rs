//! When the time has come.

use super::grammar::When;
use svbox::log::zone::Zone;
use svbox::sys::time::Duration;
use svbox::sys::timer::Clock;

const MINUTE: u64 = 60;
const DAY: i64 = 86_400;

/// A moment, on the clock that it depends on: an hour of the day comes earlier if the clock is set forward, the end of
/// some minutes does not.
#[derive(Clone, Copy)]
pub struct Moment {
    pub clock: Clock,
    pub at: Duration,
}

impl Moment {
    /// The moment that is meant, at a place.
    pub fn of(when: When, zone: &Zone) -> Self {
        match when {
            When::In(minutes) => {
                let clock = Clock::SinceBoot;
                Self {
                    clock,
                    at: clock.now().saturating_add(Duration::from_secs(MINUTE * u64::from(minutes))),
                }
            }
            When::At(hour, minute) => {
                let clock = Clock::Wall;
                let now = i64::try_from(clock.now().as_secs()).unwrap_or(0);
                let at = next(now, hour, minute, zone).max(0).unsigned_abs();
                Self { clock, at: Duration::from_secs(at) }
            }
        }
    }

    /// How long it is until then.
    pub fn left(&self) -> Duration {
        self.at.saturating_sub(self.clock.now())
    }
}

/// The next time after `now`, or the minute that is passing, at which clocks of the place show this.
pub fn next(now: i64, hour: u8, minute: u8, zone: &Zone) -> i64 {
    let east = i64::from(zone.east(now));
    let today = (now + east).div_euclid(DAY);
    let shown = |day: i64| {
        let shown = day * DAY + i64::from(hour) * 3600 + i64::from(minute) * 60;
        // The clocks may be changed until then.
        shown - i64::from(zone.east(shown - east))
    };
    let first = shown(today);
    if first + 59 >= now { first } else { shown(today + 1) }
}

/// Minutes as people are told: begun ones count.
pub fn minutes(left: Duration) -> u64 {
    left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).div_ceil(MINUTE)
}
