//! By way of the C library.

use super::{F_NOTIFY, SFD_CLOEXEC, SFD_NONBLOCK, SigSet};
use crate::sys::{Errno, Result};
use core::ffi::{CStr, c_char, c_int};
use rustix::time::Timespec;

/// A signal set as the C libraries lay it out (glibc and musl agree: 1024 bits).
pub const SET_BYTES: usize = 128;

/// `struct sigaction`; only ever zeroed here, which means "default action, no flags, empty mask".
#[repr(C, align(8))]
struct SigAction([u8; 256]);

mod c {
    use super::{SigAction, SigSet, Timespec};
    use core::ffi::{c_char, c_int, c_long, c_uint};

    unsafe extern "C" {
        pub static environ: *const *const c_char;

        #[cfg(not(target_arch = "x86_64"))]
        pub fn clone(
            child: crate::sys::vfork::Child,
            stack: *mut core::ffi::c_void,
            flags: c_int,
            arg: *mut core::ffi::c_void,
            ...
        ) -> c_int;
        pub fn execve(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int;
        pub fn _exit(code: c_int) -> !;
        pub fn sigprocmask(how: c_int, set: *const SigSet, old: *mut SigSet) -> c_int;
        pub fn sigaction(signal: c_int, new: *const SigAction, old: *mut SigAction) -> c_int;
        pub fn signalfd(fd: c_int, set: *const SigSet, flags: c_int) -> c_int;
        pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
        #[cfg_attr(target_pointer_width = "32", link_name = "__clock_gettime64")]
        pub fn clock_gettime(clock: c_int, now: *mut Timespec) -> c_int;
        #[cfg(all(target_arch = "mips", target_env = "musl"))]
        #[link_name = "__futimens_time64"]
        pub fn futimens(fd: c_int, times: *const [Timespec; 2]) -> c_int;
        #[cfg(all(target_arch = "mips", target_env = "musl"))]
        #[link_name = "__timerfd_settime64"]
        pub fn timerfd_settime(
            fd: c_int,
            flags: c_int,
            new: *const [Timespec; 2],
            old: *mut [Timespec; 2],
        ) -> c_int;
        pub fn fork() -> c_int;
        pub fn kill(pid: c_int, signal: c_int) -> c_int;
        pub fn alarm(seconds: c_uint) -> c_uint;
        pub fn syscall(number: c_long, ...) -> c_long;
        pub fn getauxval(kind: usize) -> usize;
        #[link_name = "__errno_location"]
        pub fn errno_location() -> *mut c_int;
    }
}

/// The error number of the C library function that has just failed.
fn last_errno() -> Errno {
    // SAFETY: the function takes nothing and cannot fail; it gives the address of this thread's errno.
    let at = unsafe { c::errno_location() };
    // SAFETY: that address is valid and aligned for as long as the thread lives, and only this thread uses it.
    let raw = unsafe { *at };
    Errno::from_raw_os_error(raw)
}

fn result(got: c_int) -> Result<c_int> {
    if got < 0 { Err(last_errno()) } else { Ok(got) }
}

/// execve(2). Comes back only to say why it could not.
///
/// # Safety
/// Both lists hold pointers to NUL-terminated strings, and end in a null pointer.
pub unsafe fn execve(path: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: `path` ends in NUL, and the caller promises the rest. If it succeeds nothing below runs.
    unsafe { c::execve(path.as_ptr(), argv, envp) };
    last_errno()
}

/// _exit(2).
pub fn exit(code: u8) -> ! {
    // SAFETY: takes a number and does not return; nothing of ours wants to run at exit.
    unsafe { c::_exit(i32::from(code)) }
}

/// clone(2) on another stack.
///
/// # Safety
/// `stack` is the aligned end of memory that the child may use as its stack for as long as it needs one.
#[cfg(not(target_arch = "x86_64"))]
pub unsafe fn clone(
    child: crate::sys::vfork::Child,
    stack: *mut core::ffi::c_void,
    flags: c_int,
    arg: *mut core::ffi::c_void,
) -> Result<c_int> {
    // SAFETY: as the caller promises.
    result(unsafe { c::clone(child, stack, flags, arg) })
}

/// fork(2): 0 in the child.
///
/// # Safety
/// The process has one thread.
pub unsafe fn fork() -> Result<c_int> {
    // SAFETY: as the caller promises.
    result(unsafe { c::fork() })
}

/// kill(2).
pub fn kill(pid: c_int, signal: c_int) -> Result<()> {
    // SAFETY: takes numbers, and touches nothing of ours.
    result(unsafe { c::kill(pid, signal) }).map(drop)
}

/// alarm(2).
pub fn alarm(seconds: u32) {
    // SAFETY: takes a number, and changes nothing but the process's timer.
    unsafe { c::alarm(seconds) };
}

/// Any system call.
///
/// # Safety
/// As the call and its arguments need it.
pub unsafe fn system_call(number: usize, arguments: [usize; 5]) -> Result<usize> {
    let [first, second, third, fourth, fifth] = arguments;
    // The numbers are small; arguments are words.
    let number = number.cast_signed() as core::ffi::c_long;
    // SAFETY: as the caller promises.
    let got = unsafe { c::syscall(number, first, second, third, fourth, fifth) };
    usize::try_from(got).map_err(|_| last_errno())
}

/// sigprocmask(2): changes the set of blocked signals, and gives the one before.
pub fn mask(how: c_int, set: &SigSet) -> SigSet {
    let mut old = SigSet::NONE;
    // SAFETY: both sets are initialised and live through the call. With a good `how` it cannot fail.
    unsafe { c::sigprocmask(how, set, &mut old) };
    old
}

/// sigaction(2): gives a signal its default action.
pub fn default_action(signal: c_int) {
    let action = SigAction([0; 256]);
    // SAFETY: all zero is SIG_DFL without flags or restorer in the C library's structure, which is smaller.
    unsafe { c::sigaction(signal, &action, core::ptr::null_mut()) };
}

/// signalfd(2): a new descriptor, which does not block.
pub fn signalfd(set: &SigSet) -> Result<c_int> {
    // SAFETY: the set is initialised and read only during the call.
    result(unsafe { c::signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK) })
}

/// fcntl(2) with F_NOTIFY.
pub fn notify(fd: c_int, events: u32) -> Result<c_int> {
    // SAFETY: the command takes one number and touches nothing but the open descriptor.
    result(unsafe { c::fcntl(fd, F_NOTIFY, events) })
}

/// clock_gettime(2): by the vDSO where there is one.
pub fn clock(clock: c_int) -> Timespec {
    let mut now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is laid out as the structure with 64-bit seconds that this function fills in, on every target.
    unsafe { c::clock_gettime(clock, &mut now) };
    now
}

/// futimens(2): of the last access, and of the last change. On mips rustix knows times of 32 bits only, and these are not
/// all of our century: a supervisor notes in them what is larger.
#[cfg(all(target_arch = "mips", target_env = "musl"))]
pub fn set_times(fd: c_int, times: &[Timespec; 2]) -> Result<()> {
    // SAFETY: the times are laid out as the structures with 64-bit seconds that this function reads.
    result(unsafe { c::futimens(fd, times) }).map(drop)
}

/// timerfd_settime(2) with a time on the clock of the timer; the interval, and the time. Likewise.
#[cfg(all(target_arch = "mips", target_env = "musl"))]
pub fn set_timer(fd: c_int, new: &[Timespec; 2]) -> Result<()> {
    const ABSOLUTE: c_int = 1;
    // SAFETY: the times are laid out as the structures with 64-bit seconds that this function reads. It writes nothing
    // where the last argument is null.
    result(unsafe { c::timerfd_settime(fd, ABSOLUTE, new, core::ptr::null_mut()) }).map(drop)
}

/// The environment: pointers to NUL-terminated strings, a null pointer last; or null.
pub fn environment() -> *const *const c_char {
    // SAFETY: the C library sets it before `main`, and no thread of svbox ever writes to it.
    unsafe { c::environ }
}

/// A value that the kernel passed to the program: 0 for one it did not. See getauxval(3).
pub fn auxiliary(kind: usize) -> usize {
    // SAFETY: takes a number and gives a number.
    unsafe { c::getauxval(kind) }
}
