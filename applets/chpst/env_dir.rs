//! An environment directory: a file for each variable, as daemontools' envdir has them.

use super::REPORT;
use super::unable::Unable;
use core::ffi::CStr;
use svbox::cli::has;
use svbox::sys::exec::Environment;
use svbox::sys::file::{self, CWD};
use svbox::sys::{AsFd, Errno, OwnedFd, dir, heap};

/// How much of a file is read at once, which is nearly always all.
const PIECE: usize = 4096;
/// More than the kernel takes for one variable, whatever its page size.
const MOST: usize = 4 << 20;

/// Changes variables as the files in a directory say. A directory in it is an error if `strict`, else passed over.
pub fn read(
    environment: &mut Environment,
    path: &'static CStr,
    strict: bool,
    verbose: bool,
) -> Result<(), Unable> {
    let name = path.to_bytes();
    let dir = open(path)?;
    let mut done = Ok(());
    let listed = dir::each_name(&dir, |entry, is_dir| {
        if done.is_err() || entry.to_bytes().starts_with(b".") {
            return;
        }
        done = match variable(environment, &dir, entry, is_dir) {
            Err(Errno::ISDIR) if !strict => {
                if verbose {
                    REPORT.warn(&[b"unable to read ", name, b"/", entry.to_bytes()], Some(Errno::ISDIR));
                }
                Ok(())
            }
            Err(errno) => Err(unable(name, entry, errno)),
            Ok(()) => Ok(()),
        };
    });
    done?;
    listed.map_err(Unable::to(b"unable to read directory: ", name))
}

/// The text of the message is kept, since the list that the name is from is not.
fn unable(dir: &[u8], entry: &CStr, errno: Errno) -> Unable {
    match heap::keep(&[dir, b"/", entry.to_bytes()]) {
        Ok(path) if has(entry.to_bytes(), b'=') => {
            Unable::to(b"invalid name for a variable: ", path.to_bytes())(errno)
        }
        Ok(path) => Unable::to(b"unable to read ", path.to_bytes())(errno),
        Err(errno) => Unable::memory(errno),
    }
}

/// Opens the directory, which must also be one that may be entered.
fn open(path: &'static CStr) -> Result<OwnedFd, Unable> {
    let name = path.to_bytes();
    let place = file::open_place(CWD, path).and_then(|place| file::may_enter(place.as_fd()).map(|()| place));
    let place = place.map_err(Unable::to(b"unable to switch to directory: ", name))?;
    dir::open(place.as_fd(), c".").map_err(Unable::to(b"unable to open directory: ", name))
}

fn variable(environment: &mut Environment, dir: &OwnedFd, name: &CStr, is_dir: bool) -> Result<(), Errno> {
    if is_dir {
        return Err(Errno::ISDIR);
    }
    if has(name.to_bytes(), b'=') {
        return Err(Errno::INVAL);
    }
    let mut line = Vec::new();
    let is_empty = match file::open_read(dir.as_fd(), name) {
        // A link to nothing, or a file that somebody has just removed, is as good as an empty one.
        Err(Errno::NOENT) => true,
        opened => first_line(&opened?, &mut line)?,
    };
    if is_empty {
        return environment.unset(name.to_bytes());
    }
    let len = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    let value = line.get_mut(..len).unwrap_or(&mut []);
    for byte in value.iter_mut().filter(|byte| **byte == 0) {
        *byte = b'\n';
    }
    environment.set(name.to_bytes(), value)
}

/// Reads the first line of a file; gives whether the file is empty.
fn first_line(fd: &OwnedFd, line: &mut Vec<u8>) -> Result<bool, Errno> {
    let mut piece = [0; PIECE];
    let mut is_empty = true;
    loop {
        // Nothing is waited for.
        let count = file::read_some(fd, &mut piece)?.ok_or(Errno::AGAIN)?;
        let text = piece.get(..count).unwrap_or(&[]);
        let end = memchr::memchr(b'\n', text);
        let part = text.get(..end.unwrap_or(count)).unwrap_or(&[]);
        if line.len() + part.len() > MOST {
            return Err(Errno::TOOBIG);
        }
        line.try_reserve(part.len()).map_err(|_| Errno::NOMEM)?;
        line.extend_from_slice(part);
        if end.is_some() || count == 0 {
            return Ok(is_empty && count == 0);
        }
        is_empty = false;
    }
}
