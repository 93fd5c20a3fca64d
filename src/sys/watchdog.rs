//! Watchdogs: devices that start the machine again unless they hear from us. See the kernel's watchdog-api.

use super::file::{CWD, open};
use super::{AsFd, OwnedFd, Result, again};
use core::ffi::{CStr, c_int};
use rustix::fs::OFlags;
use rustix::ioctl::{Getter, Updater, ioctl, opcode};

/// Opens the device, which starts its time.
pub fn open_device(path: &CStr) -> Result<OwnedFd> {
    open(CWD, path, OFlags::WRONLY | OFlags::NONBLOCK, 0)
}

/// Sets how many seconds it waits; gives those that it does wait.
pub fn set_timeout(device: impl AsFd, seconds: u16) -> Result<u16> {
    const SET_TIMEOUT: rustix::ioctl::Opcode = opcode::read_write::<c_int>(b'W', 6);
    let mut seconds = c_int::from(seconds);
    // SAFETY: the call reads an int and writes one, which lives through it.
    let set = unsafe { Updater::<SET_TIMEOUT, c_int>::new(&mut seconds) };
    // SAFETY: the same; on a device that is no watchdog the number means nothing else that is known.
    unsafe { ioctl(device, set) }?;
    Ok(u16::try_from(seconds).unwrap_or(u16::MAX))
}

/// How many seconds it waits.
pub fn timeout(device: impl AsFd) -> Result<u16> {
    const GET_TIMEOUT: rustix::ioctl::Opcode = opcode::read::<c_int>(b'W', 7);
    // SAFETY: the call writes an int, and there is room for one.
    let get = unsafe { Getter::<GET_TIMEOUT, c_int>::new() };
    // SAFETY: the same; on a device that is no watchdog the number means nothing else that is known.
    unsafe { ioctl(device, get) }.map(|seconds| u16::try_from(seconds).unwrap_or(u16::MAX))
}

/// Begins its time anew.
pub fn pet(device: impl AsFd) -> Result<()> {
    again(|| rustix::io::write(&device, b"\0")).map(drop)
}

/// Has it wait for nothing when it is closed, if it can be stopped at all.
pub fn disarm(device: impl AsFd) -> Result<()> {
    again(|| rustix::io::write(&device, b"V")).map(drop)
}
