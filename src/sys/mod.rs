//! What the kernel offers. It decides nothing, and it holds the only unsafe code.
//!
//! Every descriptor made here is close-on-exec from birth. `EINTR` never leaves this floor, short reads and
//! writes are completed here where a caller means all of it, and `EAGAIN` of a non-blocking descriptor is
//! told apart from failure by the types.
#![allow(unsafe_code)]

#[cfg(feature = "policy")]
pub mod apart;
pub mod args;
pub mod capability;
pub mod dir;
pub mod exec;
pub mod fifo;
pub mod file;
pub mod heap;
pub mod identity;
#[cfg(feature = "policy")]
pub mod inbox;
pub mod landlock;
pub mod limit;
pub mod lock;
pub mod mount;
#[cfg(feature = "in-process")]
pub mod names;
pub mod namespace;
pub mod net;
pub mod poll;
pub mod power;
pub mod process;
pub mod region;
pub mod schedule;
pub mod signal;
pub mod spawn;
pub mod stdio;
pub mod table;
pub mod terminal;
pub mod time;
pub mod timer;
pub mod watch;
pub mod watchdog;

mod ffi;
mod vfork;

use core::ffi::CStr;
pub use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
pub use rustix::io::Errno;

/// What a system call gives: the value, or the kernel's error number.
pub type Result<T> = core::result::Result<T, Errno>;

/// The bytes up to the first NUL and with it, as a C string; `None` without one.
// Not the library's: that one is made for long texts, and twenty times as large.
#[inline(never)]
pub fn c_str(bytes: &[u8]) -> Option<&CStr> {
    let len = bytes.iter().position(|&byte| byte == 0)?;
    let bytes = bytes.get(..=len)?;
    // SAFETY: the last byte is the first NUL.
    Some(unsafe { CStr::from_bytes_with_nul_unchecked(bytes) })
}

/// Repeats a system call that a signal interrupted.
fn again<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
