//! The C library's functions that rustix leaves out because it cannot make them safe in every program.

use core::ffi::{c_char, c_int, c_void};

/// A signal set as the C libraries lay it out (glibc and musl agree: 1024 bits).
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct SigSet(pub [u8; 128]);

/// `struct sigaction`; only ever zeroed here, which means "default action, no flags, empty mask".
#[repr(C, align(8))]
pub struct SigAction(pub [u8; 256]);

pub const SIG_BLOCK: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 1 } else { 0 };
pub const SIG_SETMASK: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 3 } else { 2 };
pub const SFD_CLOEXEC: c_int = 0o2000000;
pub const SFD_NONBLOCK: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0o200 } else { 0o4000 };
pub const CLONE_VM: c_int = 0x100;
pub const CLONE_VFORK: c_int = 0x4000;
pub const F_SETSIG: c_int = 10;
pub const F_NOTIFY: c_int = 1026;

unsafe extern "C" {
    pub static environ: *const *const c_char;

    pub fn clone(child: extern "C" fn(*mut c_void) -> c_int, stack: *mut c_void, flags: c_int, arg: *mut c_void, ...) -> c_int;
    pub fn execve(path: *const c_char, argv: *const *const c_char, envp: *const *const c_char) -> c_int;
    pub fn _exit(code: c_int) -> !;
    pub fn sigprocmask(how: c_int, set: *const SigSet, old: *mut SigSet) -> c_int;
    pub fn sigaction(signal: c_int, new: *const SigAction, old: *mut SigAction) -> c_int;
    pub fn sigaddset(set: *mut SigSet, signal: c_int) -> c_int;
    pub fn signalfd(fd: c_int, set: *const SigSet, flags: c_int) -> c_int;
    pub fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    pub fn getauxval(kind: usize) -> usize;
    #[link_name = "__errno_location"]
    fn errno_location() -> *mut c_int;
}

/// The error number of the C library function that has just failed.
pub fn last_errno() -> super::Errno {
    // SAFETY: the function takes nothing and cannot fail; it gives the address of this thread's errno.
    let at = unsafe { errno_location() };
    // SAFETY: that address is valid and aligned for as long as the thread lives, and only this thread uses it.
    let raw = unsafe { *at };
    super::Errno::from_raw_os_error(raw)
}
