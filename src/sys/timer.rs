//! A timer to wait for together with other descriptors, for hours and days: it goes by a clock that does not stop
//! while the machine sleeps, and follows the wall clock when that is set.

use super::time::{Duration, since_boot, timespec, wall};
use super::{AsFd, BorrowedFd, OwnedFd, Result};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

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
        let new = Itimerspec { it_interval: timespec(Duration::ZERO), it_value: at };
        timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &new).map(drop)
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
