//! runsvchdir: switches the link `current`, that is, the runlevel: the directory that runsvdir works on.
//!
//! Exits 1 for a wrong command line and 111 when it cannot be done; then the links are as they were.

use super::Applet;
use core::ffi::CStr;
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::file::{self, CWD};
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{Errno, OwnedFd, Result as Done, args, dir, lock, poll, process, stdio};
use svbox::text::{Text, place};

pub fn applet() -> Applet {
    Applet {
        text: b"\
runsvchdir dir

Switch the directory that runsvdir works on: make dir, a name in
/etc/runit/runsvdir or in $RUNSVDIR, the one that the link current there leads
to, and previous the one before.",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run,
    }
}

const LEVELS: &[u8] = b"/etc/runit/runsvdir";
const CURRENT: &CStr = c"current";
const PREVIOUS: &CStr = c"previous";
/// What is going to be `current`, and `previous`. Names with a leading dot can be no runlevels.
const NEXT_CURRENT: &CStr = c"current.new";
const NEXT_PREVIOUS: &CStr = c".previous.new";

const PATH_MAX: usize = 4096;
type Path = Text<PATH_MAX>;

/// How long another one may take for its switch: two renames. Whoever can read the directory can lock it for ever.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

fn run(call: &Call) -> Result<u8, Failure> {
    let Some(name) = call.operands().get(0) else { return Err(Failure::Usage) };
    let report = Reporter { program: call.argv0.to_bytes(), subject: None, waits: true };
    let changed = Levels { report, shown: name.to_bytes() }.switch(name)?;
    let text: &[u8] = if changed { b": now current.\n" } else { b": current.\n" };
    // It has been done, whether or not anybody hears of it.
    let _ = stdio::write_parts(stdio::stdout(), &[b"runsvchdir: ", name.to_bytes(), text]);
    Ok(0)
}

/// The directory of runlevels, which is the current directory, and the one of them that is asked for.
struct Levels<'a> {
    report: Reporter<'a>,
    shown: &'a [u8],
}

/// What the two links say. A link that is not there says nothing, which no link can.
struct Links {
    current: Path,
    previous: Path,
}

/// Which file something is: device and inode.
type Identity = (u64, u64);

impl Levels<'_> {
    /// Gives whether there was anything to change.
    fn switch(&self, name: &CStr) -> Result<bool, Failure> {
        if self.shown.starts_with(b".") {
            return Err(self.fatal(&[self.shown, b": must not start with a dot."], None));
        }
        let levels = args::variable(b"RUNSVDIR").unwrap_or(LEVELS);
        let entered = Path::new().push(levels).c_str().map_or(Err(Errno::NAMETOOLONG), process::enter);
        entered.map_err(|errno| self.unable(b"unable to chdir: ", levels, errno))?;
        let _lock = self.lock(levels);

        let wanted = self.wanted(name)?;
        match look(CURRENT) {
            Ok((current, _)) if current == wanted => return Ok(false),
            Ok(_) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(self.unable(b"unable to stat: ", CURRENT.to_bytes(), errno)),
        }
        let mut before = Links { current: Path::new(), previous: Path::new() };
        match read(CURRENT, &mut before.current) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(_) => return Err(self.fatal(&[b"current: not a symbolic link."], None)),
        }
        // What is there and no link shows when it is to be replaced.
        let _ = read(PREVIOUS, &mut before.previous);
        let made = self.make_new(name, &before);
        let moved = made.and_then(|()| self.move_new(&before, wanted));
        if moved.is_err() {
            let _ = file::remove(CWD, NEXT_CURRENT);
            let _ = file::remove(CWD, NEXT_PREVIOUS);
        }
        moved.map(|()| true)
    }

    /// Keeps a second one out while this one is at work. There may be no locks here, or somebody keeps this one; that
    /// must not keep a machine in its runlevel, and a switch is no more than two renames.
    fn lock(&self, levels: &[u8]) -> Option<OwnedFd> {
        let dir = dir::open(CWD, c".").ok()?;
        let end = Instant::now().after(PATIENCE);
        while lock::try_exclusive(&dir) == Err(Errno::AGAIN) {
            let now = Instant::now();
            if now >= end {
                self.report.warn_of(b"unable to lock: ", levels, Errno::AGAIN);
                break;
            }
            poll::either([None, None], Some(now.after(BETWEEN_LOOKS)));
        }
        Some(dir)
    }

    /// The directory that is asked for.
    fn wanted(&self, name: &CStr) -> Result<Identity, Failure> {
        match look(name) {
            Ok((identity, true)) => Ok(identity),
            Ok((_, false)) => Err(self.fatal(&[self.shown, b": not a directory."], None)),
            Err(Errno::NOENT) => Err(self.unable(b"", self.shown, Errno::NOENT)),
            Err(errno) => Err(self.unable(b"unable to stat: ", self.shown, errno)),
        }
    }

    /// Makes both links under names that nobody looks at, so that all that takes room is done first.
    fn make_new(&self, name: &CStr, before: &Links) -> Result<(), Failure> {
        let mut text = Path::new();
        put_text(name, &mut text);
        for new in [NEXT_CURRENT, NEXT_PREVIOUS] {
            remove(new).map_err(|errno| self.unable(b"unable to unlink: ", new.to_bytes(), errno))?;
        }
        make(&text, NEXT_CURRENT)
            .map_err(|errno| self.unable(b"unable to create: current.new -> ", self.shown, errno))?;
        if before.current.bytes().is_empty() {
            return Ok(());
        }
        make(&before.current, NEXT_PREVIOUS).map_err(|errno| self.no_copy(errno))
    }

    /// Puts them in place: `previous` first, so that there is a `current` at all times.
    fn move_new(&self, before: &Links, wanted: Identity) -> Result<(), Failure> {
        if !before.current.bytes().is_empty() {
            file::rename(CWD, NEXT_PREVIOUS, PREVIOUS).map_err(|errno| match errno {
                Errno::ISDIR => self.unable(b"unable to unlink: ", PREVIOUS.to_bytes(), errno),
                _ => self.no_copy(errno),
            })?;
        }
        let failure = match file::rename(CWD, NEXT_CURRENT, CURRENT) {
            Ok(()) if look(CURRENT) == Ok((wanted, true)) => return Ok(()),
            Ok(()) => {
                // The name leads through a link that has just changed.
                let failure = self.fatal(&[self.shown, b": leads through current or previous."], None);
                self.put_back(CURRENT, &before.current);
                failure
            }
            Err(errno) => self.unable(b"unable to move: ", b"current.new to current", errno),
        };
        if !before.current.bytes().is_empty() {
            self.put_back(PREVIOUS, &before.previous);
        }
        Err(failure)
    }

    /// Gives a link the text it had.
    fn put_back(&self, link: &CStr, before: &Path) {
        let done = if before.bytes().is_empty() {
            remove(link)
        } else {
            make(before, NEXT_PREVIOUS).and_then(|()| file::rename(CWD, NEXT_PREVIOUS, link))
        };
        if let Err(errno) = done {
            self.report.warn_of(b"unable to put back: ", link.to_bytes(), errno);
        }
    }

    fn no_copy(&self, errno: Errno) -> Failure {
        self.unable(b"unable to copy: ", b"current to previous", errno)
    }

    fn unable(&self, what: &[u8], on: &[u8], errno: Errno) -> Failure {
        self.fatal(&[what, on], Some(errno))
    }

    fn fatal(&self, parts: &[&[u8]], why: Option<Errno>) -> Failure {
        self.report.fatal(parts, why);
        Failure::Said(FATAL)
    }
}

/// What `current` is going to say: the name without slashes at its end. The names of the links themselves are about to
/// mean something else, so they stand for what they say now.
fn put_text(name: &CStr, text: &mut Path) {
    let mut bytes = name.to_bytes();
    while let [rest @ .., b'/'] = bytes
        && !rest.is_empty()
    {
        bytes = rest;
    }
    let link = match place(b"previous current.new", bytes) {
        Some(0) => PREVIOUS,
        Some(_) => NEXT_CURRENT,
        None => c"",
    };
    if read(link, text).is_err() {
        text.push(bytes);
    }
}

/// Adds what a link says to a text; `EINVAL` if it is none.
#[inline(never)]
fn read(link: &CStr, text: &mut Path) -> Done<()> {
    let mut buffer = [0; PATH_MAX];
    text.push(file::read_link(CWD, link, &mut buffer)?);
    Ok(())
}

/// What a path leads to, and whether that is a directory.
#[inline(never)]
fn look(path: &CStr) -> Done<(Identity, bool)> {
    let stat = file::stat(CWD, path)?;
    Ok(((stat.st_dev, stat.st_ino), file::is_directory(&stat)))
}

#[inline(never)]
fn make(text: &Path, link: &CStr) -> Done<()> {
    file::symlink(CWD, text.c_str().ok_or(Errno::NAMETOOLONG)?, link)
}

/// Removes a name, if it is there.
fn remove(name: &CStr) -> Done<()> {
    match file::remove(CWD, name) {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}
