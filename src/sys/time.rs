//! Clocks: a monotonic one for every timer, the wall clock for what is shown to people.

use super::ffi;
use rustix::time::Timespec;

/// No time at all, as a time-out.
pub(super) const ZERO: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

pub use core::time::Duration;

/// A moment on the monotonic clock, in nanoseconds; it neither jumps nor stops for a change of the date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(u64);

impl Instant {
    /// This moment.
    pub fn now() -> Self {
        Self(nanoseconds(ffi::clock(ffi::CLOCK_MONOTONIC)))
    }

    /// The moment `by` later.
    #[inline(never)]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(in_nanoseconds(by)))
    }

    /// The moment `by` earlier.
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(in_nanoseconds(by)))
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// The first of these moments, if there is one.
pub fn first<const N: usize>(moments: [Option<Instant>; N]) -> Option<Instant> {
    // A moment that will not come stands for none: there is nothing to compare but numbers.
    const NEVER: u64 = u64::MAX;
    let at = moments.iter().fold(NEVER, |first, moment| first.min(moment.map_or(NEVER, |moment| moment.0)));
    (at < NEVER).then_some(Instant(at))
}

/// The wall clock: seconds since 1970 and nanoseconds.
pub fn wall() -> (i64, u32) {
    let now = ffi::clock(ffi::CLOCK_REALTIME);
    (now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Time since the machine was started, sleep included: the clock in which the kernel notes when a process began.
pub fn since_boot() -> Duration {
    Duration::from_nanos(nanoseconds(ffi::clock(ffi::CLOCK_BOOTTIME)))
}

fn in_nanoseconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
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
