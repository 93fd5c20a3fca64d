//! Of the kernel itself, in a program that starts without the C library's help.
//!
//! What musl does before `main` - a thread's local memory, tables for locale, signals and output - serves functions
//! that svbox does not call, at the price of 6 KB on disk and 1 KB of variables in each process. From the library
//! comes only what needs no preparation: memcpy and its like. `scripts/build.sh` asks for this (`svbox_bare`) and
//! links accordingly; every other build uses the C library.

mod start;
mod vdso;

pub use start::{auxiliary, environment};
pub use vdso::clock;

use super::{F_NOTIFY, SFD_CLOEXEC, SFD_NONBLOCK, SigSet};
use crate::sys::{Errno, Result};
use core::ffi::{CStr, c_char, c_int};

const CLOSE: usize = 3;
const FCNTL: usize = 72;
const ALARM: usize = 37;
const FORK: usize = 57;
const EXECVE: usize = 59;
const RT_SIGACTION: usize = 13;
const RT_SIGPROCMASK: usize = 14;
const KILL: usize = 62;
const EXIT_GROUP: usize = 231;
const SIGNALFD4: usize = 289;

/// A signal set as the kernel has it.
pub const SET_BYTES: usize = 8;

/// One system call.
///
/// # Safety
/// As the call and its arguments need it.
#[inline(never)]
unsafe fn call(number: usize, first: usize, second: usize, third: usize, fourth: usize) -> isize {
    let got;
    // SAFETY: the kernel changes rax, rcx and r11; what it does to memory the caller answers for.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => got,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            in("r10") fourth,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    got
}

fn result(got: isize) -> Result<c_int> {
    let got = c_int::try_from(got).unwrap_or(c_int::MAX);
    if got < 0 { Err(Errno::from_raw_os_error(-got)) } else { Ok(got) }
}

/// close(2), for the standard library's descriptors: the C library's looks into a thread's local memory. Nobody asks what it
/// gives.
// SAFETY: nothing else is called so, and it is what the name says.
#[unsafe(no_mangle)]
extern "C" fn close(number: c_int) -> c_int {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    // SAFETY: whoever calls this owns the descriptor.
    c_int::from(unsafe { call(CLOSE, number, 0, 0, 0) } < 0)
}

/// execve(2). Comes back only to say why it could not.
///
/// # Safety
/// Both lists hold pointers to NUL-terminated strings, and end in a null pointer.
pub unsafe fn execve(path: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: `path` ends in NUL, and the caller promises the rest. If it succeeds nothing below runs.
    let failed = unsafe { call(EXECVE, path.as_ptr() as usize, argv as usize, envp as usize, 0) };
    result(failed).err().unwrap_or(Errno::IO)
}

/// exit_group(2).
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: takes a number and does not return; nothing of ours wants to run at exit.
        unsafe { call(EXIT_GROUP, usize::from(code), 0, 0, 0) };
    }
}

/// fork(2): 0 in the child.
///
/// # Safety
/// The process has one thread.
pub unsafe fn fork() -> Result<c_int> {
    // SAFETY: takes nothing; the child has a copy of everything, and of the one thread.
    result(unsafe { call(FORK, 0, 0, 0, 0) })
}

/// kill(2).
pub fn kill(pid: c_int, signal: c_int) -> Result<()> {
    // The kernel looks at the low half of each.
    let (pid, signal) = (pid as usize, signal as usize);
    // SAFETY: takes numbers, and touches nothing of ours.
    result(unsafe { call(KILL, pid, signal, 0, 0) }).map(drop)
}

/// alarm(2).
pub fn alarm(seconds: u32) {
    // SAFETY: takes a number, and changes nothing but the process's timer.
    unsafe { call(ALARM, seconds as usize, 0, 0, 0) };
}

/// Any system call.
///
/// # Safety
/// As the call and its arguments need it.
#[inline(never)]
pub unsafe fn system_call(number: usize, arguments: [usize; 5]) -> Result<usize> {
    let [first, second, third, fourth, fifth] = arguments;
    let got: isize;
    // SAFETY: the kernel changes rax, rcx and r11; what it does to memory the caller answers for.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") number => got,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            in("r10") fourth,
            in("r8") fifth,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    usize::try_from(got).map_err(|_| Errno::from_raw_os_error(i32::try_from(-got).unwrap_or(0)))
}

/// sigprocmask(2): changes the set of blocked signals, and gives the one before.
pub fn mask(how: c_int, set: &SigSet) -> SigSet {
    let mut old = SigSet::NONE;
    let (new, before) = (core::ptr::from_ref(set) as usize, core::ptr::from_mut(&mut old) as usize);
    // SAFETY: both sets are what the kernel reads and writes. With a good `how` it cannot fail.
    unsafe { call(RT_SIGPROCMASK, how.unsigned_abs() as usize, new, before, SET_BYTES) };
    old
}

/// sigaction(2): gives a signal its default action.
pub fn default_action(signal: c_int) {
    let action = [0_usize; 4];
    // SAFETY: all zero is SIG_DFL without flags, restorer or mask in the kernel's structure, which is this large.
    unsafe { call(RT_SIGACTION, signal.unsigned_abs() as usize, action.as_ptr() as usize, 0, SET_BYTES) };
}

/// signalfd(2): a new descriptor, which does not block.
pub fn signalfd(set: &SigSet) -> Result<c_int> {
    let flags = SFD_CLOEXEC | SFD_NONBLOCK;
    let set = core::ptr::from_ref(set) as usize;
    // SAFETY: the set is what the kernel reads. The first argument, -1, asks for a new descriptor.
    result(unsafe { call(SIGNALFD4, usize::MAX, set, SET_BYTES, flags.unsigned_abs() as usize) })
}

/// fcntl(2) with F_NOTIFY.
pub fn notify(fd: c_int, events: u32) -> Result<c_int> {
    // SAFETY: the command takes one number and touches nothing but the open descriptor.
    result(unsafe { call(FCNTL, fd.unsigned_abs() as usize, F_NOTIFY as usize, events as usize, 0) })
}
