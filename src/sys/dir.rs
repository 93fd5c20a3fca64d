//! Reading a directory without allocating.

use super::{BorrowedFd, OwnedFd, Result, file};
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
pub fn each_name(dir: &OwnedFd, mut each: impl FnMut(&CStr, bool)) -> Result<()> {
    let mut buffer = [MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(name, entry.file_type() == rustix::fs::FileType::Directory);
        }
    }
    Ok(())
}
