//! Processes: to wait for, to signal, to recognise again.

use super::{BorrowedFd, OwnedFd, Result, again, ffi, signal::Signal};
use core::ffi::CStr;
pub use rustix::process::Pid;
use rustix::process::{self, PidfdFlags, WaitOptions};

/// Ends this process at once.
pub fn exit(code: u8) -> ! {
    ffi::exit(code)
}

/// The process number of this process.
pub fn own() -> Pid {
    process::getpid()
}

/// A process as a number.
///
/// By a cast and not by its absolute value: with the optimiser of Rust 1.95 `map_or(0, absolute value)` of "no
/// process" is taken to be other than 0.
pub fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().cast_unsigned()
}

/// Whether this is process 1 of its PID namespace: the end of it is the end of everything.
pub fn is_first() -> bool {
    own().is_init()
}

/// How a process ended: the wait status as the kernel gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended(pub i32);

impl Ended {
    /// What is known of a process that was not our child: nothing. Reads as "killed by signal 0".
    pub const UNKNOWN: Self = Self(-1);

    /// The exit code; `None` if a signal killed it.
    pub fn code(self) -> Option<u8> {
        (self.0 & 0x7f == 0).then_some(self.0.to_le_bytes()[1])
    }

    /// The low byte of the wait status: 0, or the signal's number, plus 128 if a core was written.
    pub fn signal_byte(self) -> u8 {
        if self == Self::UNKNOWN { 0 } else { self.0.to_le_bytes()[0] }
    }
}

/// Collects one child that has ended, whichever it is; `None` if none has.
pub fn reap() -> Option<(Pid, Ended)> {
    let (pid, status) = again(|| process::wait(WaitOptions::NOHANG)).ok()??;
    Some((pid, Ended(status.as_raw())))
}

/// Collects this child if it has ended.
pub fn reap_one(pid: Pid) -> Result<Option<Ended>> {
    let ended = again(|| process::waitpid(Some(pid), WaitOptions::NOHANG))?;
    Ok(ended.map(|(_, status)| Ended(status.as_raw())))
}

/// Sends a signal to a process that cannot have been collected by anyone: our own child.
pub fn kill(pid: Pid, signal: Signal) -> Result<()> {
    process::kill_process(pid, signal)
}

/// A hold on a process that is not our child: readable when it has ended, and never another one.
pub fn hold(pid: Pid) -> Result<OwnedFd> {
    process::pidfd_open(pid, PidfdFlags::empty())
}

/// Sends a signal to a process that is held.
pub fn kill_held(pidfd: BorrowedFd<'_>, signal: Signal) -> Result<()> {
    process::pidfd_send_signal(pidfd, signal)
}

/// How many descriptors this process may have.
pub fn most_descriptors() -> u64 {
    process::getrlimit(process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Makes the kernel show another command name for this process.
pub fn set_name(name: &CStr) {
    let _ = rustix::thread::set_name(name);
}
