//! The few calls that rustix leaves out because it cannot make them safe in every program: by way of the C library,
//! or, in a program that is built to start without one, of the kernel itself.

#[cfg(svbox_bare)]
mod bare;
#[cfg(not(svbox_bare))]
mod libc;

#[cfg(svbox_bare)]
pub use bare::*;
#[cfg(not(svbox_bare))]
pub use libc::*;

use core::ffi::c_int;

/// A signal set.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct SigSet(pub [u8; SET_BYTES]);

impl SigSet {
    /// The set of none.
    pub const NONE: Self = Self([0; SET_BYTES]);
}

pub const SIG_BLOCK: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 1 } else { 0 };
pub const SIG_SETMASK: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 3 } else { 2 };
pub const CLOCK_REALTIME: c_int = 0;
pub const CLOCK_MONOTONIC: c_int = 1;
pub const CLOCK_BOOTTIME: c_int = 7;
const SFD_CLOEXEC: c_int = 0o2000000;
const SFD_NONBLOCK: c_int =
    if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0o200 } else { 0o4000 };
const F_NOTIFY: c_int = 1026;

/// System calls that have no function in every C library, by their numbers.
pub mod number {
    // Those made since 2019 have one number everywhere, but for where it is counted from.
    const FIRST: usize = if cfg!(any(target_arch = "mips", target_arch = "mips32r6")) {
        4000
    } else if cfg!(any(target_arch = "mips64", target_arch = "mips64r6")) {
        5000
    } else {
        0
    };
    pub const CLOSE_RANGE: usize = FIRST + 436;
    pub const MOUNT_SETATTR: usize = FIRST + 442;
    pub const LANDLOCK_CREATE_RULESET: usize = FIRST + 444;
    pub const LANDLOCK_ADD_RULE: usize = FIRST + 445;
    pub const LANDLOCK_RESTRICT_SELF: usize = FIRST + 446;
    // The older ones have their own on most.
    const OLDER: [usize; 8] = if cfg!(target_arch = "x86_64") {
        [251, 144, 129, 299, 55, 47, 49, 51]
    } else if cfg!(target_arch = "x86") {
        [289, 156, 178, 337, 365, 372, 361, 367]
    } else if cfg!(target_arch = "arm") {
        [314, 156, 178, 365, 295, 297, 282, 286]
    } else if cfg!(any(target_arch = "powerpc", target_arch = "powerpc64")) {
        [273, 156, 177, 343, 340, 342, 327, 331]
    } else if cfg!(any(target_arch = "mips", target_arch = "mips32r6")) {
        [4314, 4160, 4198, 4335, 4173, 4177, 4169, 4172]
    } else if cfg!(any(target_arch = "mips64", target_arch = "mips64r6")) {
        [5273, 5141, 5127, 5294, 5054, 5046, 5048, 5050]
    } else if cfg!(target_arch = "riscv32") {
        // It has only those with 64-bit times, of which none is given here.
        [30, 119, 138, 417, 209, 212, 200, 204]
    } else {
        [30, 119, 138, 243, 209, 212, 200, 204]
    };
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "x86",
        target_arch = "arm",
        target_arch = "powerpc",
        target_arch = "powerpc64",
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6",
        target_arch = "aarch64",
        target_arch = "riscv32",
        target_arch = "riscv64",
        target_arch = "loongarch64"
    )))]
    compile_error!("the numbers of ioprio_set and other system calls on this machine are not known here");
    pub const IOPRIO_SET: usize = OLDER[0];
    pub const SCHED_SETSCHEDULER: usize = OLDER[1];
    pub const RT_SIGQUEUEINFO: usize = OLDER[2];
    pub const RECVMMSG: usize = OLDER[3];
    pub const GETSOCKOPT: usize = OLDER[4];
    #[cfg(feature = "policy")]
    pub const RECVMSG: usize = OLDER[5];
    #[cfg(feature = "policy")]
    pub const BIND: usize = OLDER[6];
    #[cfg(feature = "policy")]
    pub const GETSOCKNAME: usize = OLDER[7];
}
