//! Memory for start-up: handed out once, never taken back, and sealed before a supervisor's loop begins.
//!
//! Options are read with a few small allocations. A supervisor makes none afterwards: in a build with debug
//! assertions one that does ends the process, so the test suite sees it; otherwise it is served.

use super::{Errno, Result};
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};

/// Enough for what a supervisor of one directory keeps, and so little that it lies in the page that holds the
/// program's other variables: a supervisor then has one such page to itself. What does not fit is taken from larger
/// pieces.
const ARENA: usize = 832;
/// The size of those pieces; memory is taken page by page as it is written to.
const PIECE: usize = 256 << 10;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; ARENA]>);

// SAFETY: the programs have one thread; and each byte of the arena is given to one caller only.
unsafe impl Sync for Arena {}

static ARENA_BYTES: Arena = Arena(UnsafeCell::new([0; ARENA]));
/// Where the next piece of memory is taken from, and how much is left there; before the first there is the arena.
static NEXT: AtomicUsize = AtomicUsize::new(0);
static LEFT: AtomicUsize = AtomicUsize::new(0);
static SEALED: AtomicBool = AtomicBool::new(false);

/// The allocator of every svbox program.
pub struct Heap;

/// Says that start-up is over: from here on nothing may allocate. What start-up has used of the stack and the caller
/// does not is given back.
#[inline(never)]
pub fn seal() {
    const PAGE: usize = 4096;
    const DEEPEST: usize = 64 << 10;
    let here = 0_u8;
    SEALED.store(true, Ordering::Relaxed);
    let end = ((&raw const here).addr() - 256) & !(PAGE - 1);
    // SAFETY: nothing below our frame is in use; the memory comes back, empty, as the stack grows. The kernel sets
    // aside twice as much for every stack.
    let _ = unsafe {
        madvise(core::ptr::with_exposed_provenance_mut(end - DEEPEST), DEEPEST, Advice::LinuxDontNeed)
    };
}

/// The parts as one string that stays; `ENOMEM` if there is no memory.
pub fn keep(parts: &[&[u8]]) -> Result<&'static CStr> {
    let mut bytes = Vec::new();
    let len: usize = parts.iter().map(|part| part.len()).sum();
    bytes.try_reserve_exact(len + 1).map_err(|_| Errno::NOMEM)?;
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.push(0);
    super::c_str(bytes.leak()).ok_or(Errno::NOMEM)
}

fn complain_if_sealed() {
    if cfg!(debug_assertions) && SEALED.load(Ordering::Relaxed) {
        let _ = rustix::io::write(super::stdio::stderr(), b"svbox: fatal: allocation after start-up\n");
        super::process::exit(134);
    }
}

// SAFETY: `alloc` gives out memory that is aligned as asked, as large as asked, and given to nobody else: a part
// of the arena or of a mapping that nobody has been given before. Nothing is ever taken back.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        complain_if_sealed();
        let size = layout.size().next_multiple_of(GRAIN);
        if NEXT.load(Ordering::Relaxed) == 0 {
            NEXT.store(ARENA_BYTES.0.get().expose_provenance(), Ordering::Relaxed);
            LEFT.store(ARENA, Ordering::Relaxed);
        }
        if layout.align() > GRAIN || size > LEFT.load(Ordering::Relaxed) && !more(size) {
            return core::ptr::null_mut();
        }
        let start = NEXT.load(Ordering::Relaxed);
        NEXT.store(start + size, Ordering::Relaxed);
        LEFT.store(LEFT.load(Ordering::Relaxed) - size, Ordering::Relaxed);
        core::ptr::with_exposed_provenance_mut(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

/// What every piece of memory is a multiple of, and aligned to; nothing here asks for more.
const GRAIN: usize = 16;

/// Maps another piece, of at least `size` bytes; gives whether that was possible.
#[cold]
fn more(size: usize) -> bool {
    let size = size.max(PIECE);
    let (prot, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: a new private mapping at an address of the kernel's choice touches nothing that exists.
    let Ok(start) = (unsafe { mmap_anonymous(core::ptr::null_mut(), size, prot, flags) }) else {
        return false;
    };
    NEXT.store(start.expose_provenance(), Ordering::Relaxed);
    LEFT.store(size, Ordering::Relaxed);
    true
}
