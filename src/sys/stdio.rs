//! The three standard descriptors.

use super::{BorrowedFd, Errno, Result, again, file};
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
    // SAFETY: descriptors 0 to 2 are never closed by svbox; should the caller of the program have closed one,
    // using the number gives EBADF and nothing else.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Opens `/dev/null` for each of 0, 1 and 2 that is closed, so that no descriptor of ours lands there.
pub fn fill() {
    let mut fds = [0, 1, 2].map(|number| PollFd::from_borrowed_fd(borrow(number), PollFlags::empty()));
    let _ = again(|| rustix::event::poll(&mut fds, Some(&super::time::ZERO)));
    for fd in &fds {
        if fd.revents().contains(PollFlags::NVAL) {
            // The kernel gives the lowest free number, and they are visited in order.
            let _ = file::open_null().map(core::mem::forget);
        }
    }
}

/// Whether a message can be written to standard error without waiting for whoever reads it.
pub fn stderr_has_room() -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stderr(), PollFlags::OUT)];
    let ready = again(|| rustix::event::poll(&mut fds, Some(&super::time::ZERO)));
    // What cannot be polled can be written to at once.
    ready.map_or(true, |count| count > 0)
}

/// Writes the parts as one message: by one system call unless the descriptor takes less.
pub fn write_parts(fd: BorrowedFd<'_>, parts: &[&[u8]]) -> Result<()> {
    let mut slices = [(); MOST_PARTS].map(|()| IoSlice::new(&[]));
    for (slot, part) in slices.iter_mut().zip(parts) {
        *slot = IoSlice::new(part);
    }
    let total: usize = parts.iter().take(MOST_PARTS).map(|part| part.len()).sum();
    let slices = slices.get(..parts.len().min(MOST_PARTS)).unwrap_or(&[]);
    let mut done = again(|| rustix::io::writev(fd, slices))?;
    for part in parts {
        let skip = done.min(part.len());
        done -= skip;
        if total > 0 && skip < part.len() {
            file::write_all(fd, part.get(skip..).unwrap_or(&[]))?;
        }
    }
    Ok(())
}

/// The most parts a message has.
pub const MOST_PARTS: usize = 16;

/// Whether the error says that nobody reads this descriptor any more.
pub fn is_gone(errno: Errno) -> bool {
    errno == Errno::PIPE
}
