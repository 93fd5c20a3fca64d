//! Being told of changes in directories: inotify for programs that stay, dnotify for those that come and go.
//!
//! Closing an inotify descriptor that has watches can take the kernel 15 ms. A program that waits for one change
//! and ends would pay that each time, so it takes the older interface, which closes at once.

use super::{AsFd, AsRawFd, BorrowedFd, OwnedFd, Result, ffi};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// What about a path is worth a wake-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Names that come and go in a directory, and the end of the directory itself.
    Names,
    /// New names in a directory.
    NewNames,
    /// The end of the file or link itself: removed, replaced, renamed.
    Itself,
}

/// An inotify instance.
pub struct Watch(OwnedFd);

/// Something happened to a watched path.
pub struct Change<'a> {
    /// The number [`Watch::add`] gave.
    pub watch: i32,
    /// The name in the directory; `None` for the path itself.
    pub name: Option<&'a CStr>,
    /// The kernel had no room and dropped changes, or forgot the watch.
    pub lost: bool,
}

impl Watch {
    /// A new one that watches nothing.
    pub fn new() -> Result<Self> {
        inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map(Self)
    }

    /// Watches a path too. A link is watched itself for [`Interest::Itself`] and followed otherwise.
    pub fn add(&self, path: &CStr, interest: Interest) -> Result<i32> {
        let itself = WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        let new = WatchFlags::CREATE | WatchFlags::MOVED_TO;
        let flags = match interest {
            Interest::Names => {
                new | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::ONLYDIR | itself
            }
            Interest::NewNames => new | WatchFlags::ONLYDIR | itself,
            // A link that is replaced loses a name before it ends, which shows as a change of attributes.
            Interest::Itself => itself | WatchFlags::ATTRIB | WatchFlags::DONT_FOLLOW,
        };
        inotify::add_watch(&self.0, path, flags | WatchFlags::EXCL_UNLINK)
    }

    /// Watches a path no longer.
    pub fn remove(&self, watch: i32) {
        let _ = inotify::remove_watch(&self.0, watch);
    }

    /// Calls `each` with every change that has happened, until there are none left.
    pub fn drain(&self, mut each: impl FnMut(Change<'_>)) {
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut reader = Reader::new(&self.0, &mut buffer);
        // Ends with EAGAIN; any other error means that nothing can be learnt here either.
        while let Ok(event) = reader.next() {
            let lost = event
                .events()
                .intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED | ReadFlags::UNMOUNT);
            each(Change { watch: event.wd(), name: event.file_name(), lost });
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Has the kernel send SIGIO each time a name comes, goes or is replaced in the open directory, until that is
/// closed. `EINVAL` from a kernel built without dnotify. See fcntl(2), F_NOTIFY.
pub fn signal_on_change(dir: &OwnedFd) -> Result<()> {
    const CREATE_DELETE_RENAME_MULTISHOT: u32 = 0x8000_001c;
    ffi::notify(dir.as_raw_fd(), CREATE_DELETE_RENAME_MULTISHOT).map(drop)
}
