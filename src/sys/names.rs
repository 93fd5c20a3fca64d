//! Texts that stay as long as the process: names that messages need, of things that come and go.

use super::Result;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Address space that is set aside; memory is taken page by page as it is written to.
const MOST: usize = 16 << 20;

/// A list of texts, each only once.
pub struct Names {
    start: *mut u8,
    len: usize,
}

impl Names {
    /// An empty one.
    pub fn new() -> Result<Self> {
        let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap_anonymous(core::ptr::null_mut(), MOST, prot, flags) }?;
        Ok(Self { start: start.cast(), len: 0 })
    }

    /// The text as one that stays. It has no NUL. `None` if there is no room for another one.
    pub fn keep(&mut self, text: &[u8]) -> Option<&'static [u8]> {
        let known = self.texts().split(|&byte| byte == 0).find(|known| *known == text);
        known.or_else(|| self.add(text))
    }

    /// All of them, each with a NUL behind it.
    fn texts(&self) -> &'static [u8] {
        // SAFETY: the mapping is never removed, and its first `len` bytes have been written and never change.
        unsafe { core::slice::from_raw_parts(self.start, self.len) }
    }

    fn add(&mut self, text: &[u8]) -> Option<&'static [u8]> {
        let (start, end) = (self.len, self.len + text.len());
        if end >= MOST {
            return None;
        }
        // SAFETY: `start` is below `end`, which is inside the mapping.
        let place = unsafe { self.start.add(start) };
        // SAFETY: the text's place and the NUL behind it are inside the mapping, and nobody refers to what lies behind
        // its first `len` bytes. The NUL is there: that byte has never been written.
        unsafe { core::ptr::copy_nonoverlapping(text.as_ptr(), place, text.len()) };
        self.len = end + 1;
        self.texts().get(start..end)
    }
}
