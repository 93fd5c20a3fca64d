//! One place to wait for everything: an epoll instance, with a time-out on the monotonic clock.

use super::time::{Duration, Instant, timespec};
use super::{AsFd, BorrowedFd, Errno, OwnedFd, Result};
use core::mem::MaybeUninit;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags};
use rustix::time::Timespec;

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

/// The longest wait: a wake-up a day does not matter, and not every kernel can wait for more than 24 of them.
const DAY: Duration = Duration::from_secs(86_400);

fn milliseconds(left: Duration) -> u64 {
    left.min(DAY).as_nanos().div_ceil(1_000_000)
}

/// Waits until one of two descriptors is ready, until `until` at most; gives which are. What cannot be waited for,
/// like a plain file, is always ready, and so is what is broken. One that is left out never is.
pub fn either(fds: [Option<(BorrowedFd<'_>, Direction)>; 2], until: Option<Instant>) -> [bool; 2] {
    let timeout = until.map(|until| timespec(until.since(Instant::now()).min(DAY)));
    let entry = |(fd, direction)| {
        let flags = match direction {
            Direction::In => PollFlags::IN,
            Direction::Out => PollFlags::OUT,
        };
        PollFd::from_borrowed_fd(fd, flags)
    };
    let ready = match fds.map(|fd| fd.map(entry)) {
        [Some(first), Some(second)] => poll_all([first, second], timeout),
        [Some(first), None] => poll_all([first], timeout).map(|[ready]| [ready, false]),
        [None, Some(second)] => poll_all([second], timeout).map(|[ready]| [false, ready]),
        [None, None] => poll_all([], timeout).map(|[]| [false, false]),
    };
    ready.unwrap_or_else(|errno| {
        if errno != Errno::INTR {
            super::time::pause();
        }
        [false; 2]
    })
}

fn poll_all<const N: usize>(mut fds: [PollFd<'_>; N], timeout: Option<Timespec>) -> Result<[bool; N]> {
    rustix::event::poll(&mut fds, timeout.as_ref())?;
    Ok(fds.map(|fd| !fd.revents().is_empty()))
}

/// What a descriptor is to be ready for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Reading.
    In,
    /// Writing.
    Out,
}

/// An epoll instance.
pub struct Poll(OwnedFd);

/// Readable when something that is waited for has happened.
impl AsFd for Poll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

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

    /// Also waits until the kernel has urgent news on the descriptor: how files below `/proc` tell of a change.
    pub fn add_urgent(&self, fd: impl AsFd, token: u64) -> Result<()> {
        epoll::add(&self.0, fd, EventData::new_u64(token), EventFlags::PRI)
    }

    /// Waits no longer for the descriptor.
    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        epoll::delete(&self.0, fd)
    }

    /// Waits for something to happen, until `until` at most, and gives what did: nothing when the time has come
    /// or a debugger interfered.
    pub fn wait<'b>(
        &self,
        until: Option<Instant>,
        room: &'b mut Events,
    ) -> Result<impl Iterator<Item = Ready> + use<'b>> {
        let timeout = until.map(|until| {
            let left = until.since(Instant::now());
            // epoll counts milliseconds: rounded up, or it would wake early and spin until the time has come.
            timespec(Duration::from_millis(milliseconds(left)))
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
