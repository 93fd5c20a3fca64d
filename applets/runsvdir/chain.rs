//! Being told when the scan directory changes or becomes another one.
//!
//! The path is walked part by part as the kernel does: each symbolic link on the way is watched, each directory,
//! the scan directory itself for its names, and, where something is missing, the directory that lacks it.

use core::ffi::CStr;
use svbox::report::Reporter;
use svbox::sys::file::{self, Stat};
use svbox::sys::poll::Poll;
use svbox::sys::watch::{Interest, Watch};
use svbox::sys::{Errno, OwnedFd};
use svbox::text::Text;

/// The most watches on one path; a longer one is polled.
const MOST_WATCHES: usize = 64;
const PATH_MAX: usize = 4096;
/// As many links in a row as the kernel follows.
const MOST_LINKS: u32 = 40;

/// The watches on the path of the scan directory.
pub struct Chain {
    watch: Option<Watch>,
    /// Has news when mounts come and go, which inotify does not tell of.
    _mounts: Option<OwnedFd>,
    /// What is watched on the way. While a path is walked, behind that what will be.
    parts: [i32; 2 * MOST_WATCHES],
    /// How many there are.
    count: usize,
    /// How many of those are from before the walk.
    old: usize,
    /// The scan directory itself.
    names: Option<i32>,
    /// Whether somebody on another machine may change it, unseen by the kernel of this one.
    remote: bool,
    /// Whether everything on the way is watched.
    whole: bool,
    warned: bool,
    /// Whether the path may lead somewhere else by now.
    pub stale: bool,
}

/// What was heard.
#[derive(Clone, Copy, Default)]
pub struct Heard {
    /// Names in the scan directory have changed.
    pub names: bool,
    /// The path may lead somewhere else.
    pub path: bool,
}

impl Chain {
    #[inline(never)]
    pub fn new(poll: &Poll, mounts_token: u64) -> Self {
        let mounts = file::open_read(file::CWD, c"/proc/self/mountinfo").ok();
        let mounts = mounts.filter(|mounts| poll.add_urgent(mounts, mounts_token).is_ok());
        Self {
            watch: None,
            _mounts: mounts,
            remote: false,
            parts: [0; 2 * MOST_WATCHES],
            count: 0,
            old: 0,
            names: None,
            whole: false,
            warned: false,
            stale: true,
        }
    }

    /// Whether changes can happen untold, so that the directory has to be looked at now and then.
    pub fn needs_polling(&self) -> bool {
        !self.whole || self.remote
    }

    /// Watches the path as it leads now.
    pub fn follow(&mut self, path: &CStr, report: &Reporter, poll: &Poll, token: u64) {
        self.old = self.count;
        let names_before = self.names.take();
        self.remote = false;
        let done = self.open(poll, token).and_then(|()| self.walk(path));
        self.stale = false;
        self.whole = done.is_ok();
        if let (Err(errno), false) = (done, self.warned) {
            self.warned = true;
            report.warn_of(b"unable to watch for changes, looking every 5 seconds", b"", errno);
        }
        self.forget_old(names_before);
    }

    /// Watches no longer what was watched before the path was walked: the old parts, and these names.
    fn forget_old(&mut self, names: Option<i32>) {
        let (old, new) = self.parts().split_at_checked(self.old).unwrap_or_default();
        if let Some(watch) = &self.watch {
            for number in old.iter().copied().chain(names) {
                if !new.contains(&number) && self.names != Some(number) {
                    watch.remove(number);
                }
            }
        }
        let new = new.len();
        self.parts.rotate_left(self.old.min(self.count));
        (self.count, self.old) = (new, 0);
    }

    fn parts(&self) -> &[i32] {
        self.parts.get(..self.count).unwrap_or(&[])
    }

    fn open(&mut self, poll: &Poll, token: u64) -> Result<(), Errno> {
        if self.watch.is_none() {
            let watch = Watch::new()?;
            poll.add(&watch, token)?;
            self.watch = Some(watch);
        }
        Ok(())
    }

    // Kept apart for its large buffers.
    #[inline(never)]
    fn walk(&mut self, path: &CStr) -> Result<(), Errno> {
        let mut walked = Text::<PATH_MAX>::new();
        let mut left = Left::new(path.to_bytes())?;
        let mut links = 0;
        if left.is_absolute() {
            walked.push(b"/");
        }
        while let Some(part) = left.next() {
            let parent = walked.bytes().len();
            let between: &[u8] = if matches!(walked.bytes().last(), None | Some(b'/')) { b"" } else { b"/" };
            walked.push(between).push(part);
            let here = walked.c_str().ok_or(Errno::NAMETOOLONG)?;
            match file::link_stat(file::CWD, here) {
                Err(Errno::NOENT) => {
                    walked.truncate(parent);
                    return self.wait_for_names(&walked);
                }
                // What stands in the way is watched already.
                Err(Errno::NOTDIR) => return Ok(()),
                Err(errno) => return Err(errno),
                Ok(stat) if file::is_link(&stat) => {
                    self.add(here, Interest::Itself)?;
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Errno::LOOP);
                    }
                    let mut text = [0; PATH_MAX];
                    left.insert(file::read_link(file::CWD, here, &mut text)?)?;
                    walked.truncate(if left.is_absolute() { 0 } else { parent });
                    if left.is_absolute() {
                        walked.push(b"/");
                    }
                }
                Ok(stat) if left.is_empty() && file::is_directory(&stat) => return self.watch_names(here),
                Ok(_) => self.add(here, Interest::Itself)?,
            }
        }
        // Only an empty path and the root have no part.
        let here = if walked.bytes().is_empty() { c"." } else { c"/" };
        self.watch_names(here)
    }

    fn watch_names(&mut self, path: &CStr) -> Result<(), Errno> {
        let watch = self.watch.as_ref().ok_or(Errno::BADF)?;
        self.names = Some(watch.add(path, Interest::Names)?);
        self.remote = file::open_place(file::CWD, path).is_ok_and(file::is_remote);
        Ok(())
    }

    fn wait_for_names(&mut self, parent: &Text<PATH_MAX>) -> Result<(), Errno> {
        let parent = parent.c_str().filter(|parent| !parent.is_empty()).unwrap_or(c".");
        self.add(parent, Interest::NewNames)
    }

    fn add(&mut self, path: &CStr, interest: Interest) -> Result<(), Errno> {
        let number = self.watch.as_ref().ok_or(Errno::BADF)?.add(path, interest)?;
        let new = self.parts().get(self.old..).unwrap_or(&[]);
        if new.contains(&number) {
            return Ok(());
        }
        if new.len() == MOST_WATCHES {
            return Err(Errno::NAMETOOLONG);
        }
        if let Some(place) = self.parts.get_mut(self.count) {
            *place = number;
            self.count += 1;
        }
        Ok(())
    }

    /// Watches nothing any more. The kernel takes its time to forget a watch: an end that comes a little later does not
    /// have to wait for that.
    pub fn forget(&mut self) {
        self.old = self.count;
        let names = self.names.take();
        self.forget_old(names);
    }

    /// Takes in what the kernel has told.
    pub fn hear(&mut self) -> Heard {
        let mut heard = Heard::default();
        let Some(watch) = &self.watch else { return heard };
        watch.drain(|change| {
            let hidden = change.name.is_some_and(|name| name.to_bytes().starts_with(b"."));
            if self.names == Some(change.watch) {
                heard.names |= change.name.is_some() && !hidden;
                heard.path |= change.name.is_none();
            } else if change.watch < 0 || self.parts().contains(&change.watch) {
                // Below zero: there were more changes than the kernel could remember.
                heard.names |= change.watch < 0;
                heard.path = true;
            }
        });
        self.stale |= heard.path;
        heard
    }
}

/// What of a path is still to be walked, at the end of a buffer so that a link's text can be put before it.
struct Left {
    bytes: [u8; PATH_MAX],
    start: usize,
}

impl Left {
    fn new(path: &[u8]) -> Result<Self, Errno> {
        let mut left = Self { bytes: [b'/'; PATH_MAX], start: PATH_MAX };
        left.insert(path).map(|()| left)
    }

    #[inline(never)]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }

    fn is_absolute(&self) -> bool {
        self.bytes().starts_with(b"/")
    }

    fn is_empty(&self) -> bool {
        self.bytes().iter().all(|&byte| byte == b'/')
    }

    /// Puts a path before what is left.
    fn insert(&mut self, path: &[u8]) -> Result<(), Errno> {
        let slash = usize::from(self.start < PATH_MAX);
        let start = self.start.checked_sub(path.len() + slash).ok_or(Errno::NAMETOOLONG)?;
        let room = self.bytes.get_mut(start..start + path.len()).ok_or(Errno::NAMETOOLONG)?;
        room.copy_from_slice(path);
        if let Some(byte) = self.bytes.get_mut(start + path.len()).filter(|_| slash > 0) {
            *byte = b'/';
        }
        self.start = start;
        Ok(())
    }

    /// Takes the next part off.
    fn next(&mut self) -> Option<&[u8]> {
        let skip = self.bytes().iter().position(|&byte| byte != b'/')?;
        let start = self.start + skip;
        let rest = self.bytes.get(start..)?;
        let len = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        self.start = start + len;
        rest.get(..len)
    }
}

/// What tells one state of the scan directory from another, for those who have to look.
pub fn state(stat: &Stat) -> (u64, u64, i64, u64) {
    // Another kind of number on some machines.
    #[allow(clippy::unnecessary_cast)]
    let nanoseconds = stat.st_mtime_nsec as u64;
    (stat.st_dev, stat.st_ino, stat.st_mtime, nanoseconds)
}
