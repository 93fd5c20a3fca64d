//! Reading a directory without allocating.

use super::{BorrowedFd, Errno, OwnedFd, Result, c_str, file};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fs::{OFlags, RawDir};

/// Opens a directory so that it can be listed and is a place to start from.
pub fn open(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    file::open(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK, 0)
}

/// The same for a directory in another one, and nothing that a link leads to.
pub fn open_itself(at: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd> {
    file::open(at, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::NOFOLLOW, 0)
}

/// Calls `each` with every name except `.` and `..`, in the directory's own order, and with whether the entry
/// is surely a directory itself, not a link to one. Ends early with the error of a failed read.
pub fn each_name(dir: &OwnedFd, each: impl FnMut(&CStr, bool)) -> Result<()> {
    each_name_in(&mut [MaybeUninit::uninit(); PORTION], dir, each)
}

/// The same with another buffer, in bytes: a directory that has few names needs no more stack. No less than the longest
/// name takes, which is 280.
pub fn each_name_in(
    buffer: &mut [MaybeUninit<u8>],
    dir: &OwnedFd,
    mut each: impl FnMut(&CStr, bool),
) -> Result<()> {
    let mut entries = RawDir::new(dir, buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(name, entry.file_type() == rustix::fs::FileType::Directory);
        }
    }
    Ok(())
}

/// How much is read from a directory at once.
const PORTION: usize = 2048;

/// The names in a directory, one after the other: what has become of one is known before the next is taken.
pub struct Names {
    dir: Option<OwnedFd>,
    /// Why there are no more.
    end: Result<()>,
    /// Those that have been read, each with a NUL. They take less room than what the kernel tells of them.
    text: [u8; PORTION],
    at: usize,
    len: usize,
}

impl Names {
    /// Those of a directory, if it could be opened. One that is not there has none.
    // Kept apart for the large buffer, which is made where it stays.
    #[inline(never)]
    pub fn of(opened: Result<OwnedFd>) -> Self {
        let (dir, end) = match opened {
            Ok(dir) => (Some(dir), Ok(())),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => (None, Ok(())),
            Err(errno) => (None, Err(errno)),
        };
        Self { dir, end, text: [0; PORTION], at: 0, len: 0 }
    }

    /// Why there are no more of them: an error, unless all have been seen.
    pub fn end(&self) -> Result<()> {
        self.end
    }

    /// The next name that does not begin with a dot.
    pub fn next_name(&mut self) -> Option<&CStr> {
        loop {
            if self.at == self.len && !self.read() {
                return None;
            }
            let start = self.at;
            let rest = self.text.get(start..self.len).unwrap_or(&[]);
            let len = rest.iter().position(|&byte| byte == 0).map_or(rest.len(), |nul| nul + 1);
            self.at += len;
            if !rest.starts_with(b".") {
                return self.text.get(start..start + len).and_then(c_str);
            }
        }
    }

    /// Reads more of them; gives whether there are any.
    #[inline(never)]
    fn read(&mut self) -> bool {
        let Some(dir) = &self.dir else { return false };
        (self.at, self.len) = (0, 0);
        let mut buffer = [MaybeUninit::uninit(); PORTION];
        let mut entries = RawDir::new(dir, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(errno) => {
                    self.end = Err(errno);
                    break;
                }
            };
            let name = entry.file_name().to_bytes_with_nul();
            if let Some(room) = self.text.get_mut(self.len..self.len + name.len()) {
                room.copy_from_slice(name);
                self.len += name.len();
            }
            if entries.is_buffer_empty() {
                break;
            }
        }
        self.len > 0
    }
}
