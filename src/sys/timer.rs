//! A timer to wait for together with other descriptors, for hours and days: it goes by a clock that does not stop
//! while the machine sleeps, and follows the wall clock when that is set.

use super::time::{Duration, since_boot, timespec, wall};
use super::{AsFd, BorrowedFd, OwnedFd, Result};
use rustix::time::{TimerfdClockId, TimerfdFlags, Timespec, timerfd_create};

/// What a timer goes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// The date and time, which can be set.
    Wall,
    /// The time since the machine was started.
    SinceBoot,
}

impl Clock {
    /// What it shows: the time since 1970, or since the machine was started.
    pub fn now(self) -> Duration {
        match self {
            Self::Wall => {
                let (seconds, nanoseconds) = wall();
                Duration::new(seconds.max(0).unsigned_abs(), nanoseconds)
            }
            Self::SinceBoot => since_boot(),
        }
    }
}

#[cfg(not(all(target_arch = "mips", target_env = "musl")))]
fn set(timer: &OwnedFd, it_interval: Timespec, it_value: Timespec) -> Result<()> {
    use rustix::time::{Itimerspec, TimerfdTimerFlags, timerfd_settime};
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &Itimerspec { it_interval, it_value }).map(drop)
}

#[cfg(all(target_arch = "mips", target_env = "musl"))]
fn set(timer: &OwnedFd, interval: Timespec, at: Timespec) -> Result<()> {
    use super::AsRawFd;
    super::ffi::set_timer(timer.as_raw_fd(), &[interval, at])
}

/// A timer. Its descriptor can be read once the time has come.
pub struct Timer(OwnedFd);

impl Timer {
    /// One that has not been set.
    pub fn new(clock: Clock) -> Result<Self> {
        let clock = match clock {
            Clock::Wall => TimerfdClockId::Realtime,
            Clock::SinceBoot => TimerfdClockId::Boottime,
        };
        timerfd_create(clock, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK).map(Self)
    }

    /// Sets it for when the clock shows this. What it was set for before is forgotten.
    pub fn set(&self, at: Duration) -> Result<()> {
        // None at all would stop it.
        let at = timespec(at.max(Duration::from_nanos(1)));
        set(&self.0, timespec(Duration::ZERO), at)
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
