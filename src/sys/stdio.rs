//! The three standard descriptors.

use super::{AsFd, AsRawFd, BorrowedFd, Errno, OwnedFd, Result, again, fifo, file};
use rustix::event::{PollFd, PollFlags};
use rustix::io::IoSlice;

/// Standard error.
pub fn stderr() -> BorrowedFd<'static> {
    borrow(2)
}

/// Standard output.
pub fn stdout() -> BorrowedFd<'static> {
    borrow(1)
}

/// Standard input.
pub fn stdin() -> BorrowedFd<'static> {
    borrow(0)
}

fn borrow(number: i32) -> BorrowedFd<'static> {
    // SAFETY: descriptors 0 to 2 are closed by svbox only in `change`, when nothing but running another program is left
    // to do; should the caller of the program have closed one, using the number gives EBADF and nothing else. Any other
    // is used in `given` alone, and not kept.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Another descriptor for the open file that our caller has given a number, 3 to 5; `EBADF` if there is none. It is not
/// one of these, and nothing of ours has been opened before.
pub fn given(number: i32) -> Result<OwnedFd> {
    file::above(borrow(number), 6)
}

/// Opens `/dev/null` for each of 0, 1 and 2 that is closed, so that no descriptor of ours lands there: for the
/// programs that we run as well, or so that these find them closed. Where there is not even that, they find them
/// closed, and what stands in can be neither read nor written.
pub fn fill(for_all: bool) {
    let mut fds = [0, 1, 2].map(|number| PollFd::from_borrowed_fd(borrow(number), PollFlags::empty()));
    let _ = again(|| rustix::event::poll(&mut fds, Some(&super::time::ZERO)));
    let mut closed = fds.iter().filter(|fd| fd.revents().contains(PollFlags::NVAL));
    // The kernel gives the lowest free number, and they are visited in order.
    if closed.all(|_| file::open_null(for_all).map(core::mem::forget).is_ok()) {
        return;
    }
    while let Ok(root) = file::open_place(file::CWD, c"/")
        && root.as_raw_fd() < 3
    {
        core::mem::forget(root);
    }
}

/// Makes standard descriptor `number`, 0 to 2, another open file for the program that is run in our place, or closes it.
/// One that is closed already stays so.
pub fn change(number: i32, file: Option<BorrowedFd<'_>>) -> Result<()> {
    let Some(file) = file else {
        // SAFETY: nothing of ours uses the number when the program is about to be run in our place, and whoever did
        // would get EBADF and nothing else.
        unsafe { rustix::io::close(number) };
        return Ok(());
    };
    match number {
        0 => rustix::stdio::dup2_stdin(file),
        1 => rustix::stdio::dup2_stdout(file),
        _ => rustix::stdio::dup2_stderr(file),
    }
}

/// Makes another open file our standard error.
pub fn replace_stderr(fd: impl AsFd) -> Result<()> {
    rustix::stdio::dup2_stderr(fd)
}

/// Whether a message can be written to standard error without waiting for whoever reads it.
pub fn stderr_has_room() -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stderr(), PollFlags::OUT)];
    let ready = again(|| rustix::event::poll(&mut fds, Some(&super::time::ZERO)));
    // What cannot be polled can be written to at once.
    ready.map_or(true, |count| count > 0)
}

/// A message in parts.
pub struct Parts<'a> {
    parts: [&'a [u8]; MOST_PARTS],
    len: usize,
}

/// The most parts a message has; what comes after them is left out.
const MOST_PARTS: usize = 14;

impl<'a> Parts<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { parts: [b""; MOST_PARTS], len: 0 }
    }

    /// Adds a part, unless it is empty.
    #[inline(never)]
    pub fn push(&mut self, part: &'a [u8]) -> &mut Self {
        if let Some(place) = self.parts.get_mut(self.len).filter(|_| !part.is_empty()) {
            *place = part;
            self.len += 1;
        }
        self
    }

    /// Writes all of it: by one system call unless the descriptor takes less.
    pub fn write(&self, fd: BorrowedFd<'_>) -> Result<()> {
        let slices = self.parts.map(IoSlice::new);
        let mut done = again(|| rustix::io::writev(fd, slices.get(..self.len).unwrap_or(&slices)))?;
        for part in self.parts {
            let skip = done.min(part.len());
            done -= skip;
            if skip < part.len() {
                file::write_all(fd, part.get(skip..).unwrap_or(&[]))?;
            }
        }
        Ok(())
    }
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes the parts as one message: by one system call unless the descriptor takes less.
#[inline(never)]
pub fn write_parts(fd: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<()> {
    let mut message = Parts::new();
    for part in parts {
        message.push(part);
    }
    message.write(fd)
}

/// Writes the message to standard error if that takes it at once, all of it; otherwise it is dropped.
///
/// A pipe that has room now can be full a moment later, and another writer's flag is not ours to set; so a pipe is
/// opened once more, in a way that never waits. Where `/proc` is missing a small risk is left.
#[inline(never)]
pub fn try_stderr(message: &Parts<'_>) -> Result<()> {
    if file::stat_open(stderr()).is_ok_and(|stat| file::is_fifo(&stat))
        && let Ok(pipe) = fifo::open_write(file::CWD, c"/proc/self/fd/2")
    {
        return message.write(pipe.as_fd());
    }
    if stderr_has_room() { message.write(stderr()) } else { Err(Errno::AGAIN) }
}

/// Whether the error says that nobody reads this descriptor any more.
pub fn is_gone(errno: Errno) -> bool {
    errno == Errno::PIPE
}
