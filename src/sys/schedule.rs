//! When a process gets processors and disks, and when it hears an alarm.

use super::{Errno, Result, ffi};
use rustix::process::nice;
use rustix::thread::{CpuSet, sched_setaffinity};

/// Adds to the nice value, which stays between -20 and 19; `EPERM` if it must not.
pub fn add_nice(increment: i32) -> Result<()> {
    match nice(increment) {
        // What the C library's function makes of it.
        Err(Errno::ACCESS) => Err(Errno::PERM),
        other => other.map(drop),
    }
}

/// Has SIGALRM sent after so many seconds, over exec as well; 0 for never.
pub fn alarm(seconds: u32) {
    ffi::alarm(seconds);
}

/// How the kernel chooses among processes, in the order of the numbers of sched_setscheduler(2); 4 is none.
pub const POLICIES: &[u8] = b"other fifo rr batch . idle";

/// Whether a policy is one of those that go before all others, and have priorities.
pub fn is_real_time(policy: usize) -> bool {
    matches!(policy, 1 | 2)
}

/// Sets the policy, and the priority that it has: 1 to 99 for those of real time, 0 for the others.
pub fn set_policy(policy: usize, priority: i32) -> Result<()> {
    let at = core::ptr::from_ref(&priority) as usize;
    // SAFETY: the kernel reads a structure of one int, `priority`. 0 is this process.
    unsafe { ffi::system_call(ffi::number::SCHED_SETSCHEDULER, [0, policy, at, 0, 0]) }.map(drop)
}

/// Whose turn it is at the disk, in the order of the numbers of ioprio_set(2).
pub const IO_CLASSES: &[u8] = b"none realtime best-effort idle";

/// Sets the class, and the level in it: 0, the first to be served, to 7.
pub fn set_io_priority(class: usize, level: usize) -> Result<()> {
    const PROCESS: usize = 1;
    let value = class << 13 | level;
    // SAFETY: takes numbers. 0 is this process.
    unsafe { ffi::system_call(ffi::number::IOPRIO_SET, [PROCESS, 0, value, 0, 0]) }.map(drop)
}

/// Numbers of processors.
#[derive(Clone, Copy)]
pub struct Processors(CpuSet);

impl Processors {
    /// How many numbers there are.
    pub const MOST: usize = CpuSet::MAX_CPU;

    /// None of them.
    pub fn none() -> Self {
        Self(CpuSet::new())
    }

    /// Adds one, below [`Self::MOST`].
    pub fn add(&mut self, number: usize) {
        self.0.set(number);
    }

    /// Lets this process run on these and no others.
    pub fn bind(&self) -> Result<()> {
        sched_setaffinity(None, &self.0)
    }
}
