//! From the kernel to `main`, and what the kernel has left on the stack for programs to know.

use super::exit;
use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int};

core::arch::global_asm!(
    // The kernel has left the arguments where the stack pointer is. A null frame pointer ends each back-trace.
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rbx, rsp",
    "and rsp, -16",
    "lea rdi, [rip + _DYNAMIC]",
    "lea rsi, [rip + __ehdr_start]",
    "call {relocate}",
    "mov rdi, rbx",
    "call {draw_up}",
    "mov rsp, rax",
    "mov rdi, rax",
    "call {begin}",
    "ud2",
    relocate = sym relocate,
    draw_up = sym draw_up,
    begin = sym begin,
);

unsafe extern "C" {
    fn main(argc: c_int, argv: *const *const c_char) -> c_int;
}

/// Adds the address at which the program lies to each word that holds one of its addresses (ELF gABI: DT_RELA with
/// R_X86_64_RELATIVE, and the packed form DT_RELR). Until then nothing can be used that refers to such a word.
///
/// # Safety
/// To be called once, with the program's own table, and where it begins in memory; to the linker that was address 0.
unsafe extern "C" fn relocate(dynamic: *const [usize; 2], base: usize) {
    const RELA: usize = 7;
    const RELA_SIZE: usize = 8;
    const RELR_SIZE: usize = 35;
    const RELR: usize = 36;
    let [mut rela, mut rela_size, mut relr, mut relr_size] = [0; 4];
    let mut entry = dynamic;
    loop {
        // SAFETY: the table ends in an entry of kind 0.
        match unsafe { *entry } {
            [0, _] => break,
            [RELA, at] => rela = at,
            [RELA_SIZE, size] => rela_size = size,
            [RELR, at] => relr = at,
            [RELR_SIZE, size] => relr_size = size,
            _ => {}
        }
        entry = entry.wrapping_add(1);
    }
    let end = base + rela + rela_size;
    let mut at = base + rela;
    while at < end {
        // SAFETY: within the list the linker has made; each entry names a word of the program.
        let [place, _, addend] = unsafe { *(at as *const [usize; 3]) };
        // SAFETY: as above.
        unsafe { *((base + place) as *mut usize) = base + addend };
        at += size_of::<[usize; 3]>();
    }
    // An even word is the address of a word to change; each bit but the lowest of an odd one that follows stands
    // for one of the 63 words behind.
    let end = base + relr + relr_size;
    let mut at = base + relr;
    let mut place = core::ptr::null_mut::<usize>();
    while at < end {
        // SAFETY: within the list the linker has made.
        let mut bits = unsafe { *(at as *const usize) };
        if bits & 1 == 0 {
            place = (base + bits) as *mut usize;
            // SAFETY: the list names words of the program.
            unsafe { *place += base };
            place = place.wrapping_add(1);
        } else {
            let mut word = place;
            while bits > 1 {
                bits >>= 1;
                if bits & 1 == 1 {
                    // SAFETY: the list names words of the program.
                    unsafe { *word += base };
                }
                word = word.wrapping_add(1);
            }
            place = place.wrapping_add(63);
        }
        at += size_of::<usize>();
    }
}

/// Moves the lists of arguments, environment and what else the kernel passes up to the strings they point to; gives
/// where they begin now, and the stack with them. The kernel leaves up to 8 KB between the two at random, which a
/// supervisor would pay for with a page or two for good. Lost are the random bytes that lay there (AT_RANDOM) and
/// the name of the platform (AT_PLATFORM): both are the C library's. The stack as a whole is where it was, anywhere.
///
/// # Safety
/// `stack` is what the kernel has made for a new program, and nothing above it is in use.
unsafe extern "C" fn draw_up(stack: *const usize) -> *const usize {
    const MOST: usize = 16 << 10;
    // SAFETY: the stack begins with the number of arguments.
    let count = unsafe { *stack };
    if count == 0 {
        return stack;
    }
    // SAFETY: behind the number lies the first argument.
    let strings = unsafe { *stack.wrapping_add(1) };
    let mut end = stack.wrapping_add(count + 2);
    // SAFETY: the environment ends in a null pointer.
    while unsafe { *end } != 0 {
        end = end.wrapping_add(1);
    }
    end = end.wrapping_add(1);
    // SAFETY: what follows are pairs, the last of kind 0.
    while unsafe { *end } != 0 {
        end = end.wrapping_add(2);
    }
    let (from, size) = (stack as usize, end as usize + 16 - stack as usize);
    let to = strings.wrapping_sub(size) & !15;
    // Whoever starts programs in another way than the kernel may have the strings elsewhere.
    if to <= from || to - from > MOST {
        return stack;
    }
    // SAFETY: all between the lists and the strings is stack that nothing uses.
    unsafe { core::ptr::copy(stack.cast::<u8>(), to as *mut u8, size) };
    to as *const usize
}

/// Calls `main`.
///
/// # Safety
/// `stack` is what the kernel has made for a new program.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: the stack begins with the number of arguments.
    let count = unsafe { *stack };
    let argv = stack.wrapping_add(1).cast::<*const c_char>();
    // SAFETY: there is no other access at this time.
    unsafe { *ENVIRONMENT.0.get() = argv.wrapping_add(count + 1) };
    // SAFETY: a count that the kernel took fits, and the list is the kernel's.
    let code = unsafe { main(c_int::try_from(count).unwrap_or(c_int::MAX), argv) };
    exit(code.to_le_bytes()[0])
}

/// Behind the arguments and a null pointer lies the environment, and behind that and another one what the kernel
/// passes to programs.
struct Start(UnsafeCell<*const *const c_char>);

// SAFETY: the program has one thread.
unsafe impl Sync for Start {}

static ENVIRONMENT: Start = Start(UnsafeCell::new(core::ptr::null()));

/// The environment: pointers to NUL-terminated strings, a null pointer last.
pub fn environment() -> *const *const c_char {
    // SAFETY: written once, before anything else of the program runs.
    unsafe { *ENVIRONMENT.0.get() }
}

/// A value that the kernel passed to the program: 0 for one it did not. See getauxval(3).
pub fn auxiliary(kind: usize) -> usize {
    let mut at = environment();
    // SAFETY: the environment ends in a null pointer.
    while !unsafe { *at }.is_null() {
        at = at.wrapping_add(1);
    }
    let mut pair = at.wrapping_add(1).cast::<[usize; 2]>();
    loop {
        // SAFETY: the pairs behind it end in one of kind 0, at which this stops.
        let [found, value] = unsafe { *pair };
        if found == kind || found == 0 {
            return value;
        }
        pair = pair.wrapping_add(1);
    }
}
