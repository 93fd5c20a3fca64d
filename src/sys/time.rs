//! Clocks: a monotonic one for every timer, the wall clock for what is shown to people.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// No time at all, as a time-out.
pub(super) const ZERO: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

pub use core::time::Duration;

/// A moment on the monotonic clock, in nanoseconds; it neither jumps nor stops for a change of the date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(u64);

impl Instant {
    /// This moment.
    pub fn now() -> Self {
        Self(nanoseconds(clock_gettime(ClockId::Monotonic)))
    }

    /// The moment `by` later.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// The moment `by` earlier.
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The wall clock: seconds since 1970 and nanoseconds.
pub fn wall() -> (i64, u32) {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Time since the machine was started, sleep included: the clock in which the kernel notes when a process began.
pub fn since_boot() -> Duration {
    Duration::from_nanos(nanoseconds(clock_gettime(ClockId::Boottime)))
}

fn nanoseconds(at: Timespec) -> u64 {
    let seconds = u64::try_from(at.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(at.tv_nsec).unwrap_or(0))
}

pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// Stops for a second. Only for what cannot happen, so that it does not happen a million times.
pub fn pause() {
    let _ = rustix::thread::nanosleep(&timespec(Duration::from_secs(1)));
}
