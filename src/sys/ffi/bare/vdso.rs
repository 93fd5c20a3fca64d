//! The clocks by the vDSO (vdso(7)): code that the kernel maps into each process, which reads them without a call.

use super::{auxiliary, call};
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int};
use rustix::time::Timespec;

/// clock_gettime(2): by the vDSO where there is one.
pub fn clock(clock: c_int) -> Timespec {
    const CLOCK_GETTIME: usize = 228;
    let mut now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: nothing else refers to the variable.
    let known = unsafe { &mut *KNOWN.0.get() };
    let function = match *known {
        Some(function) => function,
        // SAFETY: the address is the kernel's, or 0.
        None => *known.insert(unsafe { look_up(auxiliary(AT_SYSINFO_EHDR)) }),
    };
    if let Some(function) = function {
        // SAFETY: the function is the kernel's, and `now` its structure.
        unsafe { function(clock, &mut now) };
    } else {
        // SAFETY: `now` is the kernel's structure.
        unsafe { call(CLOCK_GETTIME, clock.unsigned_abs() as usize, &raw mut now as usize, 0, 0) };
    }
    now
}

type Function = unsafe extern "C" fn(c_int, *mut Timespec) -> c_int;

/// What a look-up has found, once there was one.
struct Known(UnsafeCell<Option<Option<Function>>>);

// SAFETY: the program has one thread.
unsafe impl Sync for Known {}

static KNOWN: Known = Known(UnsafeCell::new(None));
const AT_SYSINFO_EHDR: usize = 33;

/// Looks up `__vdso_clock_gettime` in the small ELF object that is mapped at `base`.
///
/// # Safety
/// `base` is 0 or the address of such an object.
#[expect(clippy::multiple_unsafe_ops_per_block, reason = "one table after the other, for one reason")]
unsafe fn look_up(base: usize) -> Option<Function> {
    const LOAD: u32 = 1;
    const DYNAMIC: u32 = 2;
    const HASH: usize = 4;
    const STRINGS: usize = 5;
    const SYMBOLS: usize = 6;
    if base == 0 {
        return None;
    }
    // SAFETY: all of this reads where the object's own tables point to: its header, the program headers, the
    // dynamic table, and the symbols, whose number is the second word of the hash table.
    unsafe {
        let word = |at: usize| *(at as *const usize);
        let half = |at: usize| *(at as *const u32);
        let (mut slide, mut dynamic) = (0, 0);
        for number in 0..usize::from(*((base + 56) as *const u16)) {
            let header = base + word(base + 32) + 56 * number;
            match half(header) {
                LOAD if slide == 0 => slide = base + word(header + 8) - word(header + 16),
                DYNAMIC => dynamic = base + word(header + 8),
                _ => {}
            }
        }
        let [mut hash, mut strings, mut symbols] = [0; 3];
        while dynamic != 0 && word(dynamic) != 0 {
            match word(dynamic) {
                HASH => hash = slide + word(dynamic + 8),
                STRINGS => strings = slide + word(dynamic + 8),
                SYMBOLS => symbols = slide + word(dynamic + 8),
                _ => {}
            }
            dynamic += 16;
        }
        let count = if hash == 0 || strings == 0 || symbols == 0 { 0 } else { half(hash + 4) as usize };
        (0..count).map(|number| symbols + 24 * number).find_map(|symbol| {
            let name = CStr::from_ptr((strings + half(symbol) as usize) as *const c_char);
            (name == c"__vdso_clock_gettime").then(|| core::mem::transmute(slide + word(symbol + 8)))
        })
    }
}
