//! What is mounted where, for the whole system: moved and taken away.

use super::{AsFd, Result};
use core::ffi::CStr;
use rustix::mount::{UnmountFlags, mount_move, unmount};

/// Moves what is mounted at one path to another, which it hides, with all that is mounted in it.
pub fn move_to(from: &CStr, to: &CStr) -> Result<()> {
    mount_move(from, to)
}

/// Takes away what is mounted at a path, with all that is mounted in it, from everybody who looks from now on. Who uses
/// it keeps it. A link is not followed.
pub fn detach(path: &CStr) -> Result<()> {
    unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
}

/// Whether the file system that a file is in has nothing but memory to keep it.
pub fn is_in_memory(fd: impl AsFd) -> bool {
    const RAMFS: i64 = 0x8584_58f6;
    const TMPFS: i64 = 0x0102_1994;
    kind(fd).is_ok_and(|kind| kind == RAMFS || kind == TMPFS)
}

/// Whether it is the one of the second control groups.
pub fn is_control_groups(fd: impl AsFd) -> bool {
    const CGROUP2: i64 = 0x6367_7270;
    kind(fd).is_ok_and(|kind| kind == CGROUP2)
}

/// What kind of file system a file is in.
pub(super) fn kind(fd: impl AsFd) -> Result<i64> {
    // The number is a word on some targets and 32 bits on others, signed or not.
    #[allow(clippy::unnecessary_cast)]
    let kind = rustix::fs::fstatfs(fd)?.f_type as i64;
    Ok(kind & 0xffff_ffff)
}
