//! Memory of a fixed size that is taken from the system page by page as it is written to, and can be given back.

use super::Result;
use core::ops::{Deref, DerefMut};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// A run of bytes, zero at first.
pub struct Region {
    start: *mut u8,
    len: usize,
}

impl Region {
    /// A new one of this many bytes, at least one.
    pub fn new(len: usize) -> Result<Self> {
        let len = len.max(1);
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(core::ptr::null_mut(), len, prot, flags) }?;
        Ok(Self { start: start.cast(), len })
    }

    /// Gives all of it back to the system; it is zero again.
    pub fn forget(&mut self) {
        // SAFETY: the range is this mapping, which nobody else refers to while `self` is borrowed; every byte of
        // it stays readable and writable.
        let _ = unsafe { madvise(self.start.cast(), self.len, Advice::LinuxDontNeed) };
    }
}

impl Deref for Region {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping has `len` readable bytes, always initialised, for as long as `self` lives.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }
}

impl DerefMut for Region {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours alone, and nothing can refer to it any more.
        let _ = unsafe { munmap(self.start.cast(), self.len) };
    }
}
