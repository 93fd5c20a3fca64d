//! The other side of the supervise protocol: looking at a service and asking something of its supervisor.
//! Nothing here waits.

use super::status::{LEN, Status};
use crate::sys::{BorrowedFd, Errno, OwnedFd, Result, fifo, file};
use core::ffi::CStr;

/// Why a status could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoStatus {
    /// `supervise/ok` has no reader: no supervisor.
    NotRunning,
    /// `supervise/ok` cannot be opened.
    Ok(Errno),
    /// `supervise/status` cannot be opened.
    Open(Errno),
    /// `supervise/status` cannot be read.
    Read(Errno),
    /// `supervise/status` is too short.
    Format,
}

impl NoStatus {
    /// What was tried, and why it failed if the system said so.
    pub fn words(self) -> (&'static [u8], Option<Errno>) {
        match self {
            Self::NotRunning => (b"runsv not running", None),
            Self::Ok(errno) => (b"unable to open supervise/ok", Some(errno)),
            Self::Open(errno) => (b"unable to open supervise/status", Some(errno)),
            Self::Read(errno) => (b"unable to read supervise/status", Some(errno)),
            Self::Format => (b"unable to read supervise/status: bad format", None),
        }
    }
}

/// Opens `supervise/ok`, which a supervisor holds open while it lives: `ENXIO` if there is none, `ENOENT` if
/// there never was one. What is opened hangs up when the supervisor ends.
pub fn hold(at: BorrowedFd<'_>, ok: &CStr) -> Result<OwnedFd> {
    fifo::open_write(at, ok)
}

/// Reads the status of a service that has a supervisor.
pub fn status(at: BorrowedFd<'_>, ok: &CStr, status: &CStr) -> core::result::Result<Status, NoStatus> {
    match hold(at, ok) {
        Ok(_) => {}
        Err(Errno::NXIO) => return Err(NoStatus::NotRunning),
        Err(errno) => return Err(NoStatus::Ok(errno)),
    }
    read_status(at, status)
}

/// Reads the status file, whoever wrote it and when.
pub fn read_status(at: BorrowedFd<'_>, path: &CStr) -> core::result::Result<Status, NoStatus> {
    let fd = file::open_read(at, path).map_err(NoStatus::Open)?;
    let mut bytes = [0; LEN];
    match file::read_full(&fd, &mut bytes) {
        Ok(LEN) => Ok(Status::from_bytes(&bytes)),
        Ok(_) => Err(NoStatus::Format),
        Err(errno) => Err(NoStatus::Read(errno)),
    }
}

/// Why a command could not be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSent {
    /// `supervise/control` has no reader: no supervisor.
    NotRunning,
    /// `supervise/control` cannot be opened.
    Open(Errno),
    /// It did not take the bytes, or not all of them.
    Write(Errno),
}

/// Writes command bytes to the control fifo, all in one go.
pub fn send(at: BorrowedFd<'_>, control: &CStr, bytes: &[u8]) -> core::result::Result<(), NotSent> {
    let fd = fifo::open_write(at, control).map_err(|errno| match errno {
        Errno::NXIO => NotSent::NotRunning,
        other => NotSent::Open(other),
    })?;
    match file::write_once(&fd, bytes) {
        Ok(count) if count == bytes.len() => Ok(()),
        // A pipe takes fewer bytes than this whole or not at all; a file in its place could be on a full disk.
        Ok(_) => Err(NotSent::Write(Errno::NOSPC)),
        Err(errno) => Err(NotSent::Write(errno)),
    }
}
