//! Landlock: a process gives up what it may do in the file system, for itself and its children; see landlock(7).

use super::file::{self, CWD};
use super::{AsFd, AsRawFd, BorrowedFd, Errno, OwnedFd, Result, ffi};
use core::ffi::CStr;
use rustix::fd::FromRawFd;
use rustix::fs::OFlags;

/// Execute, read a file, read a directory.
const READ: u64 = 1 << 0 | 1 << 2 | 1 << 3;
/// All that there is to forbid, up to and with ioctl on devices.
const ALL: u64 = (1 << 16) - 1;
/// Those of them that mean something for a file that is not a directory.
const OF_FILES: u64 = 1 << 0 | 1 << 1 | 1 << 2 | TRUNCATE | IOCTL;
/// Rename and link between directories: the second version has it.
const REFER: u64 = 1 << 13;
/// Truncate: the third.
const TRUNCATE: u64 = 1 << 14;
/// The fifth. Files that are open are not concerned.
const IOCTL: u64 = 1 << 15;

/// What is to be allowed; everything else is not.
pub struct Rules {
    set: OwnedFd,
    handled: u64,
}

/// Whether the rules can forbid all writing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// They can.
    Full,
    /// This kernel cannot forbid to truncate files, or is older still.
    Partial,
}

impl Rules {
    /// None yet: nothing is allowed. `ENOSYS` or `EOPNOTSUPP` if the kernel does not have it.
    pub fn new() -> Result<(Self, Strength)> {
        const VERSION: usize = 1;
        // SAFETY: without a structure and with this flag the call gives a number.
        let version = unsafe { call(ffi::number::LANDLOCK_CREATE_RULESET, [0, 0, VERSION, 0, 0]) }?;
        let handled = match version {
            0 | 1 => ALL & !(REFER | TRUNCATE | IOCTL),
            2 => ALL & !(TRUNCATE | IOCTL),
            3 | 4 => ALL & !IOCTL,
            _ => ALL,
        };
        let at = core::ptr::from_ref(&handled) as usize;
        // SAFETY: the kernel reads a structure of the size that it is told: one 64-bit word.
        let fd = unsafe { call(ffi::number::LANDLOCK_CREATE_RULESET, [at, size_of::<u64>(), 0, 0, 0]) }?;
        let fd = i32::try_from(fd).map_err(|_| Errno::BADF)?;
        // SAFETY: the kernel has just made this descriptor, close-on-exec, and nobody else knows it.
        let set = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok((Self { set, handled }, if version < 3 { Strength::Partial } else { Strength::Full }))
    }

    /// Allows to read and execute what is at or below a path, or also to change it.
    pub fn allow(&self, path: &CStr, write: bool) -> Result<()> {
        let place = file::open(CWD, path, OFlags::PATH, 0)?;
        let wanted = self.handled & if write { ALL } else { READ };
        let is_directory = file::is_directory(&file::stat_open(&place)?);
        self.add(place.as_fd(), if is_directory { wanted } else { wanted & OF_FILES })
    }

    fn add(&self, place: BorrowedFd<'_>, allowed: u64) -> Result<()> {
        const PATH_BENEATH: usize = 1;
        /// As the kernel has it: without a gap.
        #[repr(C, packed)]
        struct Beneath {
            allowed: u64,
            place: i32,
        }
        let rule = Beneath { allowed, place: place.as_raw_fd() };
        let set = self.set.as_raw_fd().cast_unsigned() as usize;
        let at = core::ptr::from_ref(&rule) as usize;
        // SAFETY: both descriptors are open, and the rule is what this kind of rule consists of.
        unsafe { call(ffi::number::LANDLOCK_ADD_RULE, [set, PATH_BENEATH, at, 0, 0]) }.map(drop)
    }

    /// Makes it so, for good. `EPERM` without no_new_privs and without privilege.
    pub fn restrict(&self) -> Result<()> {
        let set = self.set.as_raw_fd().cast_unsigned() as usize;
        // SAFETY: takes a descriptor of such rules.
        unsafe { call(ffi::number::LANDLOCK_RESTRICT_SELF, [set, 0, 0, 0, 0]) }.map(drop)
    }
}

/// # Safety
/// As the call needs it.
unsafe fn call(number: usize, arguments: [usize; 5]) -> Result<usize> {
    // SAFETY: as the caller promises.
    unsafe { ffi::system_call(number, arguments) }
}
