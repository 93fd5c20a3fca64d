//! One place to wait for everything: an epoll instance, with a time-out on the monotonic clock.

use super::time::{Duration, Instant, timespec};
use super::{AsFd, Errno, OwnedFd, Result};
use core::mem::MaybeUninit;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// What became of a descriptor that is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ready {
    /// The number it was added with.
    pub token: u64,
    /// The other side is gone, or the descriptor is in error.
    pub hung_up: bool,
}

/// Room for the events of one wait; what does not fit comes with the next one.
pub type Events = [MaybeUninit<Event>; 16];

/// Empty room for events.
pub const fn events() -> Events {
    [MaybeUninit::uninit(); 16]
}

/// An epoll instance.
pub struct Poll(OwnedFd);

impl Poll {
    /// A new one that waits for nothing.
    pub fn new() -> Result<Self> {
        epoll::create(CreateFlags::CLOEXEC).map(Self)
    }

    /// Also waits until the descriptor can be read, or its other side is gone.
    pub fn add(&self, fd: impl AsFd, token: u64) -> Result<()> {
        epoll::add(&self.0, fd, EventData::new_u64(token), EventFlags::IN)
    }

    /// Also waits until the descriptor's other side is gone.
    pub fn add_hang_up(&self, fd: impl AsFd, token: u64) -> Result<()> {
        epoll::add(&self.0, fd, EventData::new_u64(token), EventFlags::empty())
    }

    /// Waits no longer for the descriptor.
    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        epoll::delete(&self.0, fd)
    }

    /// Waits for something to happen, until `until` at most, and gives what did: nothing when the time has come
    /// or a debugger interfered.
    pub fn wait<'b>(&self, until: Option<Instant>, room: &'b mut Events) -> Result<impl Iterator<Item = Ready> + 'b> {
        let timeout = until.map(|until| {
            let left = until.since(Instant::now()).as_nanos();
            // epoll counts milliseconds: rounded up, or it would wake early and spin until the time has come.
            timespec(Duration::from_millis(u64::try_from(left.div_ceil(1_000_000)).unwrap_or(u64::MAX)))
        });
        let happened: &[Event] = match epoll::wait(&self.0, room, timeout.as_ref()) {
            Ok((happened, _)) => happened,
            Err(Errno::INTR) => &[],
            Err(errno) => return Err(errno),
        };
        Ok(happened.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Ready { token: data.u64(), hung_up: flags.intersects(EventFlags::HUP | EventFlags::ERR) }
        }))
    }
}
