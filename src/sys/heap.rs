//! Memory for start-up: handed out once, never taken back, and sealed before a supervisor's loop begins.
//!
//! Options are read with a few small allocations. A supervisor makes none afterwards: in a build with debug
//! assertions one that does ends the process, so the test suite sees it; otherwise it is served.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Enough for the options of any program here; what does not fit is mapped.
const ARENA: usize = 16 << 10;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; ARENA]>);

// SAFETY: the programs have one thread; and `USED` gives each byte of the arena to one caller only.
unsafe impl Sync for Arena {}

static ARENA_BYTES: Arena = Arena(UnsafeCell::new([0; ARENA]));
static USED: AtomicUsize = AtomicUsize::new(0);
static SEALED: AtomicBool = AtomicBool::new(false);

/// The allocator of every svbox program.
pub struct Heap;

/// Says that start-up is over: from here on nothing may allocate.
pub fn seal() {
    SEALED.store(true, Ordering::Relaxed);
}

fn complain_if_sealed() {
    if cfg!(debug_assertions) && SEALED.load(Ordering::Relaxed) {
        let _ = rustix::io::write(super::stdio::stderr(), b"svbox: fatal: allocation after start-up\n");
        super::process::exit(134);
    }
}

// SAFETY: `alloc` gives out memory that is aligned as asked, as large as asked, and given to nobody else: a
// part of the arena that `USED` has passed, or a mapping of its own. Nothing is ever taken back.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        complain_if_sealed();
        let used = USED.load(Ordering::Relaxed);
        let base = ARENA_BYTES.0.get().cast::<u8>();
        let start = used.next_multiple_of(layout.align().max(16));
        match start.checked_add(layout.size()) {
            Some(end) if end <= ARENA && layout.align() <= 16 => {
                USED.store(end, Ordering::Relaxed);
                base.wrapping_add(start)
            }
            _ => map(layout),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

fn map(layout: Layout) -> *mut u8 {
    let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists. Its start
    // is aligned to a page, more than any type here asks for.
    let mapped = unsafe { mmap_anonymous(core::ptr::null_mut(), layout.size(), prot, flags) };
    mapped.map_or(core::ptr::null_mut(), |at| at.cast())
}
