//! A list that grows without ever moving or allocating: address space is set aside at the start, and memory is
//! taken page by page as it is written to.

use super::{Errno, Result};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// A list of at most so many items as it was made for.
pub struct Table<T: 'static> {
    start: *mut T,
    len: usize,
    most: usize,
}

impl<T> Table<T> {
    /// An empty one with room for `most`.
    pub fn new(most: usize) -> Result<Self> {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let bytes = most.checked_mul(size_of::<T>()).ok_or(Errno::NOMEM)?;
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(core::ptr::null_mut(), bytes, prot, flags) }?;
        Ok(Self { start: start.cast(), len: 0, most })
    }

    /// The items.
    pub fn items(&mut self) -> &mut [T] {
        // SAFETY: the first `len` places of the mapping, which is aligned to a page and lives as long as the
        // process, have been written by `push`; `self` is borrowed, so nothing else refers to them.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.len) }
    }

    /// Adds an item; gives it back if there is no room.
    pub fn push(&mut self, item: T) -> core::result::Result<&mut T, T> {
        if self.len == self.most {
            return Err(item);
        }
        // SAFETY: `len` is below `most`, so the place is inside the mapping.
        let place = unsafe { self.start.add(self.len) };
        // SAFETY: the place is writable and aligned, and holds no item yet.
        unsafe { place.write(item) };
        self.len += 1;
        // SAFETY: it has just been written, and `self` stays borrowed as long as the reference lives.
        Ok(unsafe { &mut *place })
    }

    /// The items, to look at.
    pub fn list(&self) -> &[T] {
        // SAFETY: as in `items`, and nobody can change them while `self` is borrowed.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    /// Drops the items for which `keep` says no; the others stay in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        let mut kept = 0;
        for index in 0..self.len {
            if !self.items().get_mut(index).is_some_and(&mut keep) {
                continue;
            }
            self.items().swap(kept, index);
            kept += 1;
        }
        for index in kept..self.len {
            // SAFETY: the places from `kept` on hold items that nothing refers to, and `len` is set below them
            // before anybody looks again.
            unsafe { self.start.wrapping_add(index).drop_in_place() };
        }
        self.len = kept;
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        self.retain(|_| false);
        // SAFETY: the mapping is ours alone, as large as it was made, and nothing can refer to it any more.
        let _ = unsafe { munmap(self.start.cast(), self.most * size_of::<T>()) };
    }
}
