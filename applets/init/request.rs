//! Requests to process 1: files whose owner may execute them, and a signal that says that there are some.
//!
//! A file can be in several places: where runit has it, where Debian's has it, and in a directory that is writable while
//! the root is not. A link in `/etc/runit` is followed. Who asks uses the first place where the file is, since the
//! process 1 that is running made it there; process 1 looks at all of them.

use core::ffi::CStr;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::service::names::PUBLIC_MODE;
use svbox::sys::power::End;
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::{Errno, file};
use svbox::text::{Cut, Text};

/// What the files have in front of their names: upstream's place; Void's, which also serves a read-only root; Debian's.
const PLACES: &[u8] = b"/etc/runit/ /run/runit/ /run/runit.";
/// The directory of the second place.
const WRITABLE: &CStr = c"/run/runit";
/// A file that is in no place is made in one of so many: Debian's is Debian's.
const NEW_PLACES: usize = 2;

/// The owner may execute it and nobody anything else: the request is made.
const MADE: u32 = 0o100;
const NOT_MADE: u32 = 0;

/// A file of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request(&'static [u8]);

/// Stage 2 may be ended.
pub const STOP: Request = Request(b"stopit");
/// The machine is to start again afterwards.
pub const REBOOT: Request = Request(b"reboot");
/// The machine is to stop but stay on afterwards.
pub const HALT: Request = Request(b"halt");
/// What is to be written out is left; here only the existence counts.
pub const NO_SYNC: Request = Request(b"nosync");

type Path = Text<32>;

impl Request {
    fn paths(self) -> impl Iterator<Item = Path> {
        PLACES.parts(b' ').map(move |place| {
            let mut path = Path::new();
            path.push(place).push(self.0);
            path
        })
    }

    /// Whether the request is made anywhere.
    pub fn is_made(self) -> bool {
        self.any(|path| file::stat(file::CWD, path).is_ok_and(|stat| file::is_executable(&stat)))
    }

    /// Whether the file is anywhere.
    pub fn exists(self) -> bool {
        self.any(|path| file::is_there(file::CWD, path))
    }

    fn any(self, is: impl Fn(&CStr) -> bool) -> bool {
        self.paths().any(|path| path.c_str().is_some_and(&is))
    }

    /// Takes the request back wherever it is made; `failed` hears of each file where that could not be done.
    pub fn take_back(self, failed: &mut dyn FnMut(&CStr, Errno)) {
        for path in self.paths() {
            let Some(path) = path.c_str() else { continue };
            match file::set_mode_at(path, NOT_MADE) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => failed(path, errno),
            }
        }
    }

    /// Makes the request; what could not be done and with which file, if it cannot be made anywhere.
    pub fn make(self) -> Result<(), Failed> {
        let is_there =
            |path: &Path| path.c_str().is_some_and(|path| file::link_stat(file::CWD, path).is_ok());
        let there = self.paths().filter(is_there);
        let new = self.paths().take(NEW_PLACES);
        let mut first = None;
        for path in there.chain(new) {
            let Err((what, errno)) = path.c_str().map_or(Err((CREATE, Errno::NAMETOOLONG)), make) else {
                return Ok(());
            };
            first.get_or_insert(Failed { what, path, errno });
        }
        first.map_or(Ok(()), Err)
    }
}

/// Why a request could not be made.
pub struct Failed {
    what: &'static [u8],
    path: Path,
    errno: Errno,
}

const CREATE: &[u8] = b"unable to create ";
const CHMOD: &[u8] = b"unable to chmod ";

fn make(path: &CStr) -> Result<(), (&'static [u8], Errno)> {
    let mut opened = file::open_new(file::CWD, path, PUBLIC_MODE);
    if opened.as_ref().is_err_and(|errno| *errno == Errno::NOENT)
        && file::make_directory(file::CWD, WRITABLE, 0o755).is_ok()
    {
        opened = file::open_new(file::CWD, path, PUBLIC_MODE);
    }
    let made = opened.map_err(|errno| (CREATE, errno))?;
    file::set_mode(&made, MADE).map_err(|errno| (CHMOD, errno))
}

/// Asks process 1 for the end of the machine in the name of the program that reports.
pub fn ask(end: End, report: &Reporter<'_>) -> Result<(), Failure> {
    // The kind before the request itself: a signal of somebody else's in between must find it.
    for (request, its) in [(REBOOT, End::Reboot), (HALT, End::Halt)] {
        match its == end {
            true => make_or_say(request, report)?,
            false => take_back_or_say(request, report)?,
        }
    }
    make_or_say(STOP, report)?;
    signal(Signal::CONT.as_raw(), report)
}

/// Sends process 1 a signal by its number, or says why not.
pub fn signal(number: i32, report: &Reporter<'_>) -> Result<(), Failure> {
    process::relay(Some(Pid::INIT), number).map_err(|errno| {
        report.fatal_of(b"unable to signal process 1", b"", errno);
        Failure::Said(FATAL)
    })
}

/// Makes a request, or says why not.
pub fn make_or_say(request: Request, report: &Reporter<'_>) -> Result<(), Failure> {
    request.make().map_err(|Failed { what, path, errno }| {
        report.fatal_of(what, path.bytes(), errno);
        Failure::Said(FATAL)
    })
}

fn take_back_or_say(request: Request, report: &Reporter<'_>) -> Result<(), Failure> {
    let mut failed = false;
    request.take_back(&mut |path, errno| {
        // One that is not made need not be changed.
        if file::stat(file::CWD, path).is_ok_and(|stat| file::is_executable(&stat)) {
            report.fatal_of(CHMOD, path.to_bytes(), errno);
            failed = true;
        }
    });
    if failed { Err(Failure::Said(FATAL)) } else { Ok(()) }
}
