//! Copies of lines on standard error.

use svbox::sys::poll::{Direction, either};
use svbox::sys::signal::Signals;
use svbox::sys::stdio::{Parts, stderr, try_stderr};
use svbox::sys::{AsFd, Errno};

/// What a pipe takes at once if it can be written to at all.
const PIPE_BUF: usize = 4096;

/// Writes a line to standard error. Waits for whoever reads there, but no longer than until a signal has come; the
/// line is lost there then, as it is if nobody reads at all.
pub fn copy(parts: [&[u8]; 5], signals: &Signals) {
    if parts.iter().map(|part| part.len()).sum::<usize>() <= PIPE_BUF {
        put(&parts, signals);
        return;
    }
    for piece in parts.iter().flat_map(|part| part.chunks(PIPE_BUF)) {
        if !put(&[piece], signals) {
            return;
        }
    }
}

/// Writes what a pipe takes at once; gives whether it was written.
fn put(parts: &[&[u8]], signals: &Signals) -> bool {
    let mut message = Parts::new();
    for part in parts {
        message.push(part);
    }
    loop {
        match try_stderr(&message) {
            Ok(()) => return true,
            Err(Errno::AGAIN) => {
                let ways = [Some((stderr(), Direction::Out)), Some((signals.as_fd(), Direction::In))];
                if !matches!(either(ways, None), [true, _]) {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
}
