//! Terminals, and the console above all.

use super::file::{CWD, open, stat};
use super::{AsFd, Errno, OwnedFd, Result, again};
use core::ffi::CStr;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{getpid, ioctl_tiocsctty};
use rustix::termios::tcsetpgrp;

/// Opens the console of the machine for reading and writing. What is written through it waits for nobody if `waits` is
/// not set; opening it never does.
pub fn open_console(waits: bool) -> Result<OwnedFd> {
    let console = open(CWD, c"/dev/console", OFlags::RDWR | OFlags::NONBLOCK, 0)?;
    if waits {
        fcntl_setfl(&console, fcntl_getfl(&console)? - OFlags::NONBLOCK)?;
    }
    Ok(console)
}

/// Makes our process group, which we lead, the one that reads from a terminal and gets the signals of its keys.
pub fn take_foreground(terminal: impl AsFd) -> Result<()> {
    again(|| tcsetpgrp(&terminal, getpid()))
}

/// Makes a terminal that of our session, which we lead.
pub fn control(terminal: impl AsFd) -> Result<()> {
    again(|| ioctl_tiocsctty(terminal.as_fd()))
}

/// Opens a terminal for writing, so that neither this nor a write ever waits; `ENOTTY` for everything else. What is no
/// character device is not opened at all: that alone can do something.
pub fn open_write(path: &CStr) -> Result<OwnedFd> {
    if FileType::from_raw_mode(stat(CWD, path)?.st_mode) != FileType::CharacterDevice {
        return Err(Errno::NOTTY);
    }
    let fd = open(CWD, path, OFlags::WRONLY | OFlags::NONBLOCK, 0)?;
    if rustix::termios::isatty(&fd) { Ok(fd) } else { Err(Errno::NOTTY) }
}
