//! Terminals, and the console above all.

use super::file::{CWD, open};
use super::{AsFd, OwnedFd, Result, again};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
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
