//! Clocks: a monotonic one for every timer, the wall clock for what is shown to people.

use super::ffi;
use core::num::NonZeroU64;
use rustix::time::Timespec;

/// No time at all, as a time-out.
pub(super) const ZERO: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// A span of time, in nanoseconds; what is longer than 584 years is that long. One number is less to pass around than the
/// two of `core`'s.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many nanoseconds.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// So many microseconds.
    pub const fn from_micros(microseconds: u64) -> Self {
        Self(microseconds.saturating_mul(1000))
    }

    /// So many milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Seconds and nanoseconds.
    pub const fn new(seconds: u64, nanoseconds: u32) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds as u64))
    }

    /// As nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Whole milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0 / 1000
    }

    /// What is beyond whole seconds, in nanoseconds.
    pub const fn subsec_nanos(self) -> u32 {
        // A remainder of that fits.
        (self.0 % 1_000_000_000) as u32
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Longer by another.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Shorter by another, down to nothing.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl core::ops::Mul<u32> for Duration {
    type Output = Self;
    fn mul(self, times: u32) -> Self {
        Self(self.0.saturating_mul(u64::from(times)))
    }
}

/// A moment on the monotonic clock, in nanoseconds; it neither jumps nor stops for a change of the date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(NonZeroU64);

impl Instant {
    /// This moment.
    pub fn now() -> Self {
        Self(NonZeroU64::MIN.saturating_add(nanoseconds(ffi::clock(ffi::CLOCK_MONOTONIC))))
    }

    /// The moment `by` later.
    #[inline(never)]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.0))
    }

    /// The moment `by` earlier.
    pub fn before(self, by: Duration) -> Self {
        Self(NonZeroU64::MIN.saturating_add(self.0.get().saturating_sub(by.0)))
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }
}

/// The first of these moments, if there is one.
pub fn first<const N: usize>(moments: [Option<Instant>; N]) -> Option<Instant> {
    // With one less than each there is nothing to compare but numbers: none is the greatest.
    let less_one = |moment: &Option<Instant>| moment.map_or(0, |moment| moment.0.get()).wrapping_sub(1);
    let first = moments.iter().fold(u64::MAX, |first, moment| first.min(less_one(moment)));
    NonZeroU64::new(first.wrapping_add(1)).map(Instant)
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
