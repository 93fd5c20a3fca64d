//! One value in memory of its own, which goes back to the system with it.

use super::{Errno, Result};
use core::ops::{Deref, DerefMut};
use core::ptr::{NonNull, null_mut};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// A value that is elsewhere.
pub struct Apart<T: 'static>(NonNull<T>);

impl<T> Apart<T> {
    /// Moves a value there.
    pub fn new(value: T) -> Result<Self> {
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(null_mut(), size_of::<T>(), prot, flags) }?;
        let place = NonNull::new(start.cast()).ok_or(Errno::NOMEM)?;
        // SAFETY: the mapping is writable, large enough, aligned to a page, and holds no value yet.
        unsafe { place.write(value) };
        Ok(Self(place))
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the mapping lives as long as `self`, and holds a value since `new`.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for Apart<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for Apart<T> {
    fn drop(&mut self) {
        // SAFETY: there is a value, which nothing refers to any more.
        unsafe { self.0.drop_in_place() };
        // SAFETY: the mapping is ours alone, as large as it was made, and is not looked at again.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), size_of::<T>()) };
    }
}
