//! Views of the system of a process's own, see namespaces(7), and what is mounted in them.

use super::file::{self, CWD};
use super::mount::kind;
use super::{AsRawFd, BorrowedFd, Errno, Result, again, ffi};
use core::ffi::CStr;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change,
    move_mount, open_tree, unmount,
};
pub use rustix::thread::UnshareFlags as Kinds;

/// The names of the kinds.
pub const NAMES: &[u8] = b"mount pid net ipc uts user cgroup";
/// The kinds in the same order.
pub const NAMED: [Kinds; 7] = [
    Kinds::NEWNS,
    Kinds::NEWPID,
    Kinds::NEWNET,
    Kinds::NEWIPC,
    Kinds::NEWUTS,
    Kinds::NEWUSER,
    Kinds::NEWCGROUP,
];

/// The place of the first of them, that of mounts.
pub const MOUNT: usize = 0;
/// The place of that of users.
pub const USER: usize = 5;

/// Leaves namespaces that are shared with others. A new PID namespace is that of the next child.
pub fn unshare(kinds: Kinds) -> Result<()> {
    // SAFETY: only FILES, FS and the like could surprise other threads, and there are none.
    unsafe { rustix::thread::unshare_unsafe(kinds) }
}

/// Keeps what is mounted from now on from other namespaces, and theirs from us. `EINVAL` if our root is no mount.
pub fn make_private() -> Result<()> {
    mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
}

/// Puts the tree at a path over itself, with all that is mounted in it, so that nothing in it can be changed.
/// `ENOSYS` before Linux 5.12.
pub fn make_read_only(path: &CStr) -> Result<()> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = again(|| open_tree(CWD, path, flags))?;
    set_read_only(&tree)?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    move_mount(&tree, c"", CWD, path, flags)
}

fn set_read_only(tree: &impl AsRawFd) -> Result<()> {
    const EMPTY_PATH: usize = 0x1000;
    const RECURSIVE: usize = 0x8000;
    const READ_ONLY: u64 = 1;
    // Attributes to set, to clear, propagation, user namespace.
    let attributes = [READ_ONLY, 0, 0, 0];
    let tree = tree.as_raw_fd().cast_unsigned() as usize;
    let (path, at) = (c"".as_ptr() as usize, attributes.as_ptr() as usize);
    let arguments = [tree, path, EMPTY_PATH | RECURSIVE, at, size_of_val(&attributes)];
    // SAFETY: the path ends in NUL, and the structure has the size that the kernel is told.
    unsafe { ffi::system_call(ffi::number::MOUNT_SETATTR, arguments) }.map(drop)
}

/// Puts an empty directory, in memory, over the one at a path, for everybody to write to.
pub fn mount_temporary(path: &CStr) -> Result<()> {
    mount(c"tmpfs", path, c"tmpfs", MountFlags::NOSUID | MountFlags::NODEV, c"mode=1777")
}

/// Leaves nothing to be seen of `/proc`, if there is one.
pub fn hide_processes() -> Result<()> {
    const PROC: i64 = 0x9fa0;
    /// More than anybody has mounted over each other.
    const LAYERS: usize = 64;
    let path = c"/proc";
    for _ in 0..LAYERS {
        match unmount(path, UnmountFlags::DETACH) {
            Ok(()) => {}
            // Nothing is mounted there, or what must not be taken away in this user namespace.
            Err(Errno::INVAL) => break,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
    if kind(file::open_place(CWD, path)?)? == PROC {
        mount(c"tmpfs", path, c"tmpfs", MountFlags::RDONLY, c"mode=555")?;
    }
    Ok(())
}

/// Enters what has been mounted over our root since we have it; its top is the current directory then.
pub fn enter_root() -> Result<()> {
    // The parent of the root is the root, as it looks now.
    rustix::process::chdir(c"/..")?;
    rustix::process::chroot(c".")
}

/// Whether an open directory is one of control groups, version 2.
pub fn is_control_group(dir: BorrowedFd<'_>) -> Result<bool> {
    const CGROUP2: i64 = 0x6367_7270;
    Ok(kind(dir)? == CGROUP2)
}
