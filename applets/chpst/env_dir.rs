//! An environment directory: a file for each variable, as daemontools' envdir has them.

use super::REPORT;
use super::unable::Unable;
use core::ffi::CStr;
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
        Ok(path) if entry.to_bytes().contains(&b'=') => {
            Unable::to(b"invalid name for a variable: ", path.to_bytes())(errno)
        }
        Ok(path) => Unable::to(b"unable to read ", path.to_bytes())(errno),
        Err(errno) => Unable::memory(errno),
    }
}

/// Opens the directory, which must also be one that may be entered.
fn open(path: &'static CStr) -> Result<OwnedFd, Unable> {
    let name = path.to_bytes();
    let enter = |place: &OwnedFd| file::may_enter(place.as_fd());
    // Which of the two is to blame is of interest only when one is.
    let (place, listed) = match dir::open(CWD, path) {
        Ok(dir) => (Ok(dir), None),
        Err(errno) => (file::open_place(CWD, path), Some(errno)),
    };
    let place = place.and_then(|place| enter(&place).map(|()| place));
    let place = place.map_err(Unable::to(b"unable to switch to directory: ", name))?;
    match listed {
        None => Ok(place),
        Some(errno) => Err(Unable::to(b"unable to open directory: ", name)(errno)),
    }
}

fn variable(environment: &mut Environment, dir: &OwnedFd, name: &CStr, is_dir: bool) -> Result<(), Errno> {
    if is_dir {
        return Err(Errno::ISDIR);
    }
    if name.to_bytes().contains(&b'=') {
        return Err(Errno::INVAL);
    }
    let fd = match file::open_read(dir.as_fd(), name) {
        // A link to nothing, or a file that somebody has just removed, is as good as an empty one.
        Err(Errno::NOENT) => return environment.unset(name.to_bytes()),
        opened => opened?,
    };
    let mut piece = [0; PIECE];
    let count = some(&fd, &mut piece)?;
    let text = piece.get_mut(..count).unwrap_or(&mut []);
    match memchr::memchr(b'\n', text).map_or(text.len(), |end| end) {
        _ if count == 0 => environment.unset(name.to_bytes()),
        end if end < count => set(environment, name, text.get_mut(..end).unwrap_or(&mut [])),
        _ => set_long(environment, name, &fd, text),
    }
}

/// For a first line of which this is only the beginning.
fn set_long(environment: &mut Environment, name: &CStr, fd: &OwnedFd, start: &[u8]) -> Result<(), Errno> {
    let mut line = Vec::new();
    let mut piece = [0; PIECE];
    piece.get_mut(..start.len()).unwrap_or(&mut []).copy_from_slice(start);
    let mut count = start.len();
    loop {
        let text = piece.get(..count).unwrap_or(&[]);
        let end = memchr::memchr(b'\n', text);
        let part = text.get(..end.unwrap_or(count)).unwrap_or(&[]);
        if line.len() + part.len() > MOST {
            return Err(Errno::TOOBIG);
        }
        line.try_reserve(part.len()).map_err(|_| Errno::NOMEM)?;
        line.extend_from_slice(part);
        if end.is_some() || count == 0 {
            return set(environment, name, &mut line);
        }
        count = some(fd, &mut piece)?;
    }
}

fn some(fd: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    // Nothing is waited for.
    file::read_some(fd, buffer)?.ok_or(Errno::AGAIN)
}

/// Sets a variable to a line: without the blanks and tabs at its end, and with its NUL bytes as newlines.
fn set(environment: &mut Environment, name: &CStr, line: &mut [u8]) -> Result<(), Errno> {
    let len = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    let value = line.get_mut(..len).unwrap_or(&mut []);
    for byte in value.iter_mut().filter(|byte| **byte == 0) {
        *byte = b'\n';
    }
    environment.set(name.to_bytes(), value)
}
