//! Start-up of one service directory, in runit's order and with its messages. Here failure is still allowed.

use super::keeper::Held;
use super::unit::{Place, Refusals};
use crate::report::{FATAL, Failure, Reporter};
use crate::service::machine::Want;
use crate::service::names::{File, LONGEST_LINK, PRIVATE_MODE, Part, SUPERVISE_MODE, path};
use crate::sys::{self, AsFd, BorrowedFd, Errno, OwnedFd, Result as SysResult, fifo, file, lock as locks};
use core::ffi::CStr;
#[cfg(feature = "policy")]
use {crate::service::template, crate::sys::dir, crate::text::Text};

/// Says that something cannot be done, on what and why; the result ends the program if that is still starting.
pub fn refused(place: &Place, what: &[u8], on: &CStr, why: Errno) -> Failure {
    refuse(place, &[what, on.to_bytes()], Some(why))
}

fn refuse(place: &Place, text: &[&[u8]], why: Option<Errno>) -> Failure {
    match place.refusals {
        Refusals::Fatal => place.report.fatal(text, why),
        Refusals::Warned => place.report.warn(text, why),
        Refusals::Known => {}
    }
    Failure::Said(FATAL)
}

/// Opens the directory below `at`, and looks whether the service is to start by itself.
pub fn directory(
    index: usize,
    at: BorrowedFd<'_>,
    dir: &CStr,
    report: Reporter<'static>,
) -> Result<(Place, Want), Failure> {
    let opened = file::open_place(at, dir).and_then(|dir| file::may_enter(dir.as_fd()).map(|()| dir));
    let dir = opened.map_err(|errno| {
        report.fatal_of(b"unable to change to directory", b"", errno);
        Failure::Said(FATAL)
    })?;
    #[cfg(feature = "policy")]
    let argument = template::argument(at, report.subject.unwrap_or(&[]));
    #[cfg(feature = "policy")]
    let state = state(&dir, argument, &report)?;
    let place = Place {
        index,
        dir,
        #[cfg(feature = "policy")]
        state,
        #[cfg(feature = "policy")]
        argument,
        report,
        pipe: None,
        held_up: false,
        #[cfg(feature = "policy")]
        logger: None,
        refusals: Refusals::Fatal,
    };
    let want = want(&place, Part::Main);
    Ok((place, want))
}

/// Opens where the state of an instance of a template is kept; `None` for what is no such.
#[cfg(feature = "policy")]
pub fn state(dir: &OwnedFd, argument: Option<&[u8]>, report: &Reporter) -> Result<Option<OwnedFd>, Failure> {
    argument.map(|argument| instance(dir, argument)).transpose().map_err(|errno| {
        report.fatal_of(b"unable to open ", template::INSTANCES.to_bytes(), errno);
        Failure::Said(FATAL)
    })
}

/// Opens the directory for the state of an instance of the template in `dir`, making it if need be; with one for that of its
/// logger. `instances` can be a link that leads nowhere yet, as `supervise` can.
#[cfg(feature = "policy")]
#[inline(never)]
fn instance(dir: &OwnedFd, argument: &[u8]) -> SysResult<OwnedFd> {
    if file::make_directory(dir.as_fd(), template::INSTANCES, SUPERVISE_MODE).is_err() {
        let _ = make_link_target(dir.as_fd(), template::INSTANCES);
    }
    let mut name = Text::<256>::new();
    let name = name.push(argument).c_str().ok_or(Errno::NAMETOOLONG)?;
    let all = dir::open(dir.as_fd(), template::INSTANCES)?;
    let _ = file::make_directory(all.as_fd(), name, SUPERVISE_MODE);
    let state = file::open_place(all.as_fd(), name)?;
    if file::is_there(dir.as_fd(), c"log") {
        let _ = file::make_directory(state.as_fd(), c"log", SUPERVISE_MODE);
    }
    Ok(state)
}

/// Whether one part starts by itself.
pub fn want(place: &Place, part: Part) -> Want {
    match file::stat(place.dir.as_fd(), path(part, File::Down)) {
        Ok(_) => Want::Down,
        Err(_) => Want::Up,
    }
}

/// Whether there is a log service; if so the pipe is made.
pub fn has_log(place: &mut Place) -> Result<bool, Failure> {
    match file::stat(place.dir.as_fd(), c"log") {
        Ok(stat) if file::is_directory(&stat) => {}
        Ok(_) => {
            place.report.warn_that(b"./log: not a directory.");
            return Ok(false);
        }
        Err(Errno::NOENT) => return Ok(false),
        Err(errno) => {
            place.report.warn_of(b"unable to stat() ./log: ", b"", errno);
            return Ok(false);
        }
    }
    let pipe = fifo::pipe().map_err(|errno| refused(place, b"unable to create log pipe", c"", errno))?;
    place.pipe = Some(pipe);
    Ok(true)
}

/// Whether there is a log service by now, in silence.
pub fn is_log(place: &Place) -> bool {
    file::is_directory_at(place.dir.as_fd(), c"log")
}

/// Opens and takes the lock of one part, making `supervise/` if need be. Another supervisor of the service itself
/// is fatal; of the log service alone it is `None`.
pub fn lock(place: &Place, part: Part) -> Result<Option<OwnedFd>, Failure> {
    let name = path(part, File::Lock);
    let open = || file::open_append(place.state().as_fd(), name, PRIVATE_MODE);
    let opened = match open() {
        Err(Errno::NOENT) => {
            make_supervise(place, part)?;
            open()
        }
        other => other,
    };
    let lock = opened.map_err(|errno| refused(place, b"unable to open ", name, errno))?;
    match locks::try_exclusive(&lock) {
        Ok(()) => Ok(Some(lock)),
        Err(Errno::AGAIN) if part == Part::Log => Ok(None),
        Err(errno) => Err(refused(place, b"unable to lock ", name, errno)),
    }
}

/// Makes `supervise`, or what it is a dangling link to. What cannot be made shows when the lock is opened.
fn make_supervise(place: &Place, part: Part) -> Result<(), Failure> {
    let (dir, shown) = match part {
        Part::Main => (None, c"./supervise"),
        Part::Log => {
            #[cfg(feature = "policy")]
            if let Some(state) = &place.state {
                // It has been added to the template since.
                let _ = file::make_directory(state.as_fd(), c"log", SUPERVISE_MODE);
            }
            (Some(open_log_directory(place)?), c"./log/supervise")
        }
    };
    let at = dir.as_ref().unwrap_or(place.state()).as_fd();
    if file::make_directory(at, c"supervise", SUPERVISE_MODE).is_ok() {
        return Ok(());
    }
    match make_link_target(at, c"supervise") {
        // Not a link, or nothing at all: what matters shows when the lock is opened.
        Ok(()) | Err(Errno::NOENT | Errno::INVAL) => Ok(()),
        Err(Errno::NAMETOOLONG) => {
            Err(refuse(place, &[b"unable to readlink ", shown.to_bytes(), b": name too long"], None))
        }
        Err(errno) => Err(refused(place, b"unable to readlink ", shown, errno)),
    }
}

/// Makes the directory that a link leads to, one step. Kept apart for its large buffer: pages of the
/// stack that start-up touches stay with the process.
#[inline(never)]
pub fn make_link_target(at: BorrowedFd<'_>, link: &CStr) -> SysResult<()> {
    let mut text = [0; LONGEST_LINK];
    file::read_link(at, link, &mut text)?;
    // A link's text is shorter than the buffer, so there is a NUL, and a failure shows with the lock.
    if let Some(target) = sys::c_str(&text) {
        let _ = file::make_directory(at, target, SUPERVISE_MODE);
    }
    Ok(())
}

fn open_log_directory(place: &Place) -> Result<OwnedFd, Failure> {
    file::open_place(place.state().as_fd(), c"log")
        .map_err(|errno| refused(place, b"unable to change directory to ./log", c"", errno))
}

/// Opens the fifo for commands, making it if need be.
pub fn control(place: &Place, part: Part) -> Result<OwnedFd, Failure> {
    let name = path(part, File::Control);
    let at = place.state().as_fd();
    let not_a_fifo = || refuse(place, &[name.to_bytes(), b" exists but is not a fifo"], None);
    let opened = match fifo::open_both(at, name) {
        Err(Errno::NOENT) => {
            let _ = fifo::make(at, name, PRIVATE_MODE);
            fifo::open_both(at, name)
        }
        other => other,
    };
    match (opened, file::stat(at, name)) {
        (_, Ok(stat)) if !file::is_fifo(&stat) => Err(not_a_fifo()),
        // A link that leads nowhere.
        (Ok(_) | Err(Errno::NOENT), Err(errno)) => Err(refused(place, b"unable to stat ", name, errno)),
        (Err(errno), _) => Err(refused(place, b"unable to open ", name, errno)),
        (Ok(fifo), Ok(_)) => Ok(fifo),
    }
}

/// Opens the fifo that says that a supervisor is here. From then on readers find a whole status.
pub fn ok(place: &Place, part: Part, held: &mut Held) -> Result<(), Failure> {
    let name = path(part, File::Ok);
    let at = place.state().as_fd();
    let opened = match fifo::open_read(at, name) {
        Err(Errno::NOENT) => {
            let _ = fifo::make(at, name, PRIVATE_MODE);
            fifo::open_read(at, name)
        }
        other => other,
    };
    held.ok = Some(opened.map_err(|errno| refused(place, b"unable to read ", name, errno))?);
    Ok(())
}
