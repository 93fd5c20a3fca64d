//! Processes: to wait for, to signal, to recognise again.

use super::{BorrowedFd, Errno, OwnedFd, Result, again, dir, ffi, file, signal::Signal};
use core::ffi::CStr;
use rustix::io::FdFlags;
pub use rustix::process::Pid;
use rustix::process::{self, PidfdFlags, WaitOptions};
use std::ffi::CString;

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

    /// An exit with this code.
    pub fn exit(code: u8) -> Self {
        Self(i32::from(code) << 8)
    }

    /// The exit code; `None` if a signal killed it.
    pub fn code(self) -> Option<u8> {
        (self.0 & 0x7f == 0).then_some(self.0.to_le_bytes()[1])
    }

    /// The exit code that stands for it, as in a shell: 128 and the signal's number if there was one.
    pub fn as_code(self) -> u8 {
        self.code().unwrap_or(128 | self.signal_byte() & 0x7f)
    }

    /// The low byte of the wait status: 0, or the signal's number, plus 128 if a core was written.
    pub fn signal_byte(self) -> u8 {
        if self == Self::UNKNOWN { 0 } else { self.0.to_le_bytes()[0] }
    }
}

/// Collects one child that has ended, whichever it is; `None` if none has.
pub fn reap() -> Option<(Pid, Ended)> {
    reap_any().ok()?
}

/// Collects what the program before left to this process and has ended already: no signal will tell of it any more.
pub fn reap_inherited() {
    while reap().is_some() {}
}

/// Collects one child that has ended: `None` if none has, `ECHILD` if there are none.
pub fn reap_any() -> Result<Option<(Pid, Ended)>> {
    let ended = again(|| process::wait(WaitOptions::NOHANG))?;
    Ok(ended.map(|(pid, status)| (pid, Ended(status.as_raw()))))
}

/// Collects this child if it has ended.
pub fn reap_one(pid: Pid) -> Result<Option<Ended>> {
    let ended = again(|| process::waitpid(Some(pid), WaitOptions::NOHANG))?;
    Ok(ended.map(|(_, status)| Ended(status.as_raw())))
}

/// Waits until this child has ended, and collects it.
pub fn wait_one(pid: Pid) -> Result<Ended> {
    let ended = again(|| process::waitpid(Some(pid), WaitOptions::empty()))?;
    ended.map(|(_, status)| Ended(status.as_raw())).ok_or(Errno::CHILD)
}

/// Sends a signal to a process that cannot have been collected by anyone: our own child.
pub fn kill(pid: Pid, signal: Signal) -> Result<()> {
    process::kill_process(pid, signal)
}

/// Sends a signal to each process of the group that a child of ours leads, or led a moment ago.
pub fn kill_group(leader: Pid, signal: Signal) -> Result<()> {
    process::kill_process_group(leader, signal)
}

/// Sends a signal by its number, which may be one without a name, to a process, or to every one of our PID namespace
/// but process 1 and ourselves.
pub fn relay(to: Option<Pid>, number: i32) -> Result<()> {
    ffi::kill(to.map_or(-1, |pid| pid.as_raw_nonzero().get()), number)
}

/// Makes a child that goes on from here with a copy of everything; gives its process number, or `None` in the child.
pub fn fork() -> Result<Option<Pid>> {
    // SAFETY: the programs have one thread.
    Ok(Pid::from_raw(unsafe { ffi::fork() }?))
}

/// We lead a process group of our own from here on.
pub fn lead_group() -> Result<()> {
    process::setpgid(None, None)
}

/// The processes below us that lose their parents become our children.
pub fn adopt_orphans() -> Result<()> {
    process::set_child_subreaper(Some(own()))
}

/// The session is ours from here on; `EPERM` if we lead a process group.
pub fn new_session() -> Result<()> {
    process::setsid().map(drop)
}

/// Changes the root directory to the current one.
pub fn change_root() -> Result<()> {
    process::chroot(c".")
}

/// Changes the current directory.
pub fn enter(path: &CStr) -> Result<()> {
    again(|| process::chdir(path))
}

/// Changes the current directory to one that is open.
pub fn enter_open(dir: BorrowedFd<'_>) -> Result<()> {
    again(|| process::fchdir(dir))
}

/// The path of the current directory.
pub fn current() -> Result<CString> {
    process::getcwd(Vec::new())
}

/// Sets the permissions that new files do not get.
pub fn set_umask(mask: u32) {
    process::umask(rustix::fs::Mode::from_raw_mode(mask));
}

/// The parent, which may be outside of our PID namespace: `None` then.
pub fn parent() -> Option<Pid> {
    process::getppid()
}

/// Has a signal sent to us when our parent ends. A change of ids forgets it.
pub fn set_parent_death_signal(signal: Signal) -> Result<()> {
    process::set_parent_process_death_signal(Some(signal))
}

/// Sees to it that no program that we run gets more privileges than we have.
pub fn set_no_new_privileges() -> Result<()> {
    rustix::thread::set_no_new_privs(true)
}

/// Closes the descriptors from `first` to `last` when a program is run in our place.
pub fn close_over_exec(first: u32, last: u32) -> Result<()> {
    const CLOEXEC: usize = 4;
    let arguments = [first as usize, last as usize, CLOEXEC, 0, 0];
    // SAFETY: takes numbers, and closes nothing now.
    match unsafe { ffi::system_call(ffi::number::CLOSE_RANGE, arguments) } {
        // Linux has it since 5.11.
        Err(Errno::NOSYS | Errno::INVAL) => close_each_over_exec(first, last),
        other => other.map(drop),
    }
}

fn close_each_over_exec(first: u32, last: u32) -> Result<()> {
    let list = dir::open(file::CWD, c"/proc/self/fd")?;
    dir::each_name(&list, |name, _| {
        let digits = name.to_bytes().iter();
        let number =
            digits.fold(0_u32, |number, digit| number.wrapping_mul(10).wrapping_add(u32::from(digit & 15)));
        if (first..=last).contains(&number) {
            let _ = rustix::io::fcntl_setfd(borrow(number), FdFlags::CLOEXEC);
        }
    })
}

/// Leaves a descriptor of the caller's open over exec; `EBADF` if there is none of that number.
pub fn keep_over_exec(number: u32) -> Result<()> {
    rustix::io::fcntl_setfd(borrow(number), FdFlags::empty())
}

fn borrow(number: u32) -> BorrowedFd<'static> {
    // SAFETY: the number is used for the calls above only, which give EBADF if it is that of no descriptor. It is not
    // -1, of which there would be none.
    unsafe { BorrowedFd::borrow_raw(i32::try_from(number).unwrap_or(i32::MAX)) }
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
