//! Fifos and pipes.

use super::{BorrowedFd, Errno, OwnedFd, Result, again, file};
use core::ffi::CStr;
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;

/// Makes a fifo.
pub fn make(at: BorrowedFd<'_>, path: &CStr, mode: u32) -> Result<()> {
    again(|| rustix::fs::mkfifoat(at, path, Mode::from_raw_mode(mode)))
}

/// Opens a fifo for reading, without waiting for a writer.
pub fn open_read(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    file::open_read(at, path)
}

/// Opens a fifo for reading and keeps it from ever reaching its end: one descriptor holds both of its sides.
pub fn open_both(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    file::open(at, path, OFlags::RDWR | OFlags::NONBLOCK, 0)
}

/// Opens a fifo for writing, without waiting: `ENXIO` if nobody reads it.
pub fn open_write(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    file::open(at, path, OFlags::WRONLY | OFlags::NONBLOCK, 0)
}

/// The same for what anybody may have put there: not where a link leads, and `ENXIO` for what is no fifo.
pub fn open_write_itself(at: BorrowedFd<'_>, path: &CStr) -> Result<OwnedFd> {
    let fd = file::open(at, path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW, 0)?;
    if file::is_fifo(&file::stat_open(&fd)?) { Ok(fd) } else { Err(Errno::NXIO) }
}

/// A pipe, as the reading and the writing side.
pub fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
}

/// A pipe whose two sides never wait.
pub fn pipe_nonblocking() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)
}

/// Opens one side of a pipe that another process holds, by its path below `/proc`.
pub fn reopen(path: &CStr, writing: bool) -> Result<OwnedFd> {
    let side = if writing { OFlags::WRONLY } else { OFlags::RDONLY };
    let fd = file::open(file::CWD, path, side | OFlags::NONBLOCK, 0)?;
    // The flag would be shared with nobody, but a service must find the pipe as runit gives it: blocking.
    rustix::fs::fcntl_setfl(&fd, OFlags::empty())?;
    Ok(fd)
}
