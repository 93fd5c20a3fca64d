//! The shutdown that is waiting: there is one at most, and a file says which process it is.

use super::reporter;
use core::ffi::CStr;
use svbox::report::Failure;
use svbox::sys::file::{self, CWD};
use svbox::sys::poll::{self, Direction};
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, Errno, OwnedFd};
use svbox::text::{Cut, Text, parse};

const DIRECTORY: &CStr = c"/run/runit";
const FILE: &CStr = c"/run/runit/shutdown.pid";
const PUBLIC: u32 = 0o644;
/// The name of the process, and what it is called by.
const NAME: &[u8] = b"shutdown\n";

/// How long one that was cancelled may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says that we are the one, if there is no other. One that need not wait, with `now`, need not be able to say so.
pub fn claim(now: bool) -> Result<(), Failure> {
    match make() {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => {}
        Err(errno) => return not_made(errno, now),
    }
    if let Some((pid, _)) = find() {
        let mut digits = Text::<20>::new();
        digits.number(u64::from(process::number(pid)));
        reporter().fatal(&[b"there is one already: process ", digits.bytes()], None);
        return Err(Failure::Said(1));
    }
    // It died before it could take that away.
    release();
    make().or_else(|errno| not_made(errno, now))
}

fn not_made(errno: Errno, now: bool) -> Result<(), Failure> {
    if now {
        reporter().warn_of(b"unable to create ", FILE.to_bytes(), errno);
        return Ok(());
    }
    reporter().fatal_of(b"unable to create ", FILE.to_bytes(), errno);
    Err(Failure::Said(1))
}

/// Makes the file, complete from the moment it has its name; `EEXIST` if there is one.
fn make() -> Result<(), Errno> {
    match file::make_directory(CWD, DIRECTORY, 0o755) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    let own = u64::from(process::number(process::own()));
    let (mut path, mut text) = (Text::<64>::new(), Text::<32>::new());
    let new = path.push(FILE.to_bytes()).push(b".").number(own).c_str().ok_or(Errno::NAMETOOLONG)?;
    let fd = file::open_new(CWD, new, PUBLIC)?;
    let written = file::set_mode(&fd, PUBLIC)
        .and_then(|()| file::write_all(&fd, text.number(own).push(b"\n").bytes()))
        .and_then(|()| file::link(CWD, new, FILE));
    let _ = file::remove(CWD, new);
    written
}

/// Says that we are it no longer.
pub fn release() {
    let _ = file::remove(CWD, FILE);
}

/// The one that waits, and, where the kernel knows such a thing, a hold on it.
fn find() -> Option<(Pid, Option<OwnedFd>)> {
    let mut text = [0; 32];
    let number = parse(file::read_text(CWD, FILE, &mut text).ok()?.before(b'\n'))?;
    let pid = Pid::from_raw(i32::try_from(number).ok()?).filter(|pid| *pid != process::own())?;
    // Held before it is looked at, so that it is this one that is signalled.
    let held = process::hold(pid).ok();
    // It has ended, and its parent does not collect it.
    if held.as_ref().is_some_and(|held| ends(held, Instant::now())) {
        return None;
    }
    let mut path = Text::<32>::new();
    let path = path.push(b"/proc/").number(number).push(b"/comm").c_str()?;
    (file::read_text(CWD, path, &mut text) == Ok(NAME)).then_some((pid, held))
}

/// Ends the one that waits.
pub fn cancel() -> Result<(), Failure> {
    let Some((pid, held)) = find() else {
        reporter().fatal(&[b"no shutdown is waiting"], None);
        return Err(Failure::Said(1));
    };
    let told = match &held {
        Some(held) => process::kill_held(held.as_fd(), Signal::TERM),
        None => process::relay(Some(pid), Signal::TERM.as_raw()),
    };
    told.map_err(|errno| {
        reporter().fatal_of(b"unable to cancel the shutdown that waits", b"", errno);
        Failure::Said(1)
    })?;
    // Then another one can be asked for at once.
    if let Some(held) = &held {
        ends(held, Instant::now().after(PATIENCE));
    }
    Ok(())
}

/// Whether a process ends until then.
fn ends(held: &OwnedFd, until: Instant) -> bool {
    let [has_ended, _] = poll::either([Some((held.as_fd(), Direction::In)), None], Some(until));
    has_ended
}
