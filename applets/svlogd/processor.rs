//! What is done to old logs: one at a time, the oldest first, by a program that runs beside us.
//!
//! A file `@T.u` waits for its processor. That reads it, and writes `@T.t` and the new state. When it has succeeded,
//! the output becomes `@T.s`, the new state the state, and last of all the input is removed: whenever we are
//! interrupted, what is there says what remains to be done.

use super::archive::{self, oldest_unprocessed};
use super::say::{REPORT, Trouble, info, unable};
use core::ffi::CStr;
use svbox::log::name::{Label, with};
use svbox::report::FATAL;
use svbox::sys::process::{Ended, Pid, kill};
use svbox::sys::signal::{Mask, Signal};
use svbox::sys::spawn::{More, Spawn, Step};
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{self, AsFd, BorrowedFd, Errno, OwnedFd, Result as SysResult, file};

/// How long after a failure it is tried again: twice as long each time, up to the most.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// How long the end of a file may be put off for one that is at work, so that no other is removed unprocessed.
const PATIENCE: Duration = Duration::from_secs(5);
/// The descriptors of the old and the new state; ours have to be above.
const STATE: i32 = 4;
const NEW_STATE: i32 = 5;
const ABOVE: i32 = 6;

/// An old log that is processed.
struct Work {
    label: Label,
    /// Where it is; that may not be the directory of that name any more.
    dir: OwnedFd,
}

/// The processor of one directory.
pub struct Processor {
    name: &'static CStr,
    /// The one that a program is at work on.
    running: Option<(Pid, Work)>,
    /// One whose program has succeeded, but whose files are not all in their places.
    succeeded: Option<Work>,
    /// When the last one was started.
    started: Option<Instant>,
    /// The one that failed last.
    failed: Option<Label>,
    /// There may be something to do.
    wanted: bool,
    /// When to try again what failed.
    retry: Option<Instant>,
    delay: Duration,
    verbose: bool,
}

impl Processor {
    pub fn new(name: &'static CStr, verbose: bool) -> Self {
        let (running, succeeded, started, failed, retry) = (None, None, None, None, None);
        Self { name, running, succeeded, started, failed, wanted: false, retry, delay: FIRST_DELAY, verbose }
    }

    /// Says that there may be something to do.
    pub fn wake(&mut self) {
        self.wanted = true;
    }

    /// Says the same, and that it may succeed where the last one did not.
    pub fn wake_afresh(&mut self) {
        self.wanted = true;
        self.delay = FIRST_DELAY;
        if !self.is_busy() {
            self.retry = None;
        }
    }

    /// Until when it is worth to wait for it: it is at work, or will be at once, and the last one did not fail.
    pub fn wait_until(&self) -> Option<Instant> {
        let (now, is_sound) = (Instant::now(), self.delay == FIRST_DELAY && self.retry.is_none());
        let begun = self.started.filter(|_| self.running.is_some()).unwrap_or(now);
        Some(begun.after(PATIENCE)).filter(|end| is_sound && *end > now)
    }

    /// The old log that is at work now.
    pub fn label(&self) -> Option<Label> {
        let running = self.running.as_ref().map(|(_, work)| work);
        running.or(self.succeeded.as_ref()).map(|work| work.label)
    }

    /// Whether a program is at work, or its work is not put away.
    pub fn is_busy(&self) -> bool {
        self.running.is_some() || self.succeeded.is_some()
    }

    /// Whether there may be more to do.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// When something is to be tried again.
    pub fn retry(&self) -> Option<Instant> {
        self.retry
    }

    /// Whether the files of one that has succeeded are still to be put in their places.
    pub fn has_succeeded(&self) -> bool {
        self.succeeded.is_some()
    }

    /// Does that, if it is time to.
    pub fn put_away_if_due(&mut self) {
        if self.retry.is_none_or(|at| at <= Instant::now())
            && let Some(done) = self.succeeded.take()
        {
            self.retry = None;
            self.put_away(done);
        }
    }

    /// Does what is due: starts the program for the oldest file, if it may `begin` anything and there is one.
    pub fn go_on(&mut self, dir: BorrowedFd<'_>, command: Option<&CStr>, mask: &Mask, begin: bool) {
        self.put_away_if_due();
        let Some(command) = command.filter(|_| begin) else { return };
        while self.wanted && !self.is_busy() && self.retry.is_none_or(|at| at <= Instant::now()) {
            self.retry = None;
            match open(dir).and_then(|dir| Ok((oldest_unprocessed(&dir)?, dir))) {
                Ok((found, dir)) => self.take(found, dir, command, mask),
                Err(errno) => self.pause(b"open directory, want processor", errno),
            }
        }
    }

    /// Starts with what was found; says so if the last one that failed is not there any more.
    fn take(&mut self, found: Option<Label>, dir: OwnedFd, command: &CStr, mask: &Mask) {
        if let Some(failed) = self.failed.take().filter(|failed| found.as_ref() != Some(failed))
            && !exists(dir.as_fd(), &failed, b'u')
        {
            self.say_gone(&failed);
        }
        match found {
            Some(label) => self.start(label, dir, command, mask),
            None => self.wanted = false,
        }
    }

    fn say_gone(&self, label: &Label) {
        REPORT.warn(&[b"nothing to process: ", self.name(), b"/", label, b".u"], Some(Errno::NOENT));
    }

    fn name(&self) -> &'static [u8] {
        self.name.to_bytes()
    }

    fn pause(&mut self, what: &'static [u8], why: Errno) {
        Trouble { what, why }.say(self.name());
        self.fail();
    }

    fn fail(&mut self) {
        self.retry = Some(Instant::now().after(self.delay));
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
    }

    #[inline(never)]
    fn start(&mut self, label: Label, dir: OwnedFd, command: &CStr, mask: &Mask) {
        // Its output is in place already: only the rest was not done. What of the new state is there can only be of
        // this one; other output can not.
        if exists(dir.as_fd(), &label, b's') {
            let _ = file::remove(dir.as_fd(), path(&with(&label, b't')));
            return self.put_away(Work { label, dir });
        }
        let files = match Files::open(dir.as_fd(), &label) {
            Ok(files) => files,
            Err((_, Errno::NOENT)) if !exists(dir.as_fd(), &label, b'u') => return self.say_gone(&label),
            Err((what, errno)) => {
                unable(what, self.name(), errno);
                return self.fail();
            }
        };
        info(self.verbose, &[b"processing: ", self.name(), b"/", &label, b".u"]);
        match files.spawn(self.name(), dir.as_fd(), command, mask) {
            Ok(pid) => {
                self.running = Some((pid, Work { label, dir }));
                self.started = Some(Instant::now());
            }
            Err(errno) => self.pause(b"fork for processor", errno),
        }
    }

    /// Takes note of the end of a child; gives whether it was this one.
    #[inline(never)]
    pub fn ended(&mut self, pid: Pid, how: Ended) -> bool {
        let Some((_, done)) = self.running.take_if(|(running, _)| *running == pid) else { return false };
        if how.code() == Some(0) {
            self.delay = FIRST_DELAY;
            self.put_away(done);
        } else {
            let _ = file::remove(done.dir.as_fd(), path(&with(&done.label, b't')));
            self.failed(done.label);
        }
        true
    }

    fn failed(&mut self, label: Label) {
        REPORT.warn(&[b"processor failed, restart: ", self.name()], None);
        self.failed = Some(label);
        self.wanted = true;
        self.fail();
    }

    /// Ends the program, if it is at work; its input stays.
    pub fn stop(&mut self) {
        if let Some((pid, _)) = self.running.take() {
            let _ = kill(pid, Signal::TERM);
        }
    }

    #[inline(never)]
    fn put_away(&mut self, done: Work) {
        match put_away(done.dir.as_fd(), &done.label) {
            Ok(()) => {
                info(self.verbose, &[b"processed: ", self.name(), b"/", &done.label, b".s"]);
                self.wanted = true;
            }
            // The output has gone: there is nothing to put away.
            Err(trouble) if trouble == gone() => self.failed(done.label),
            Err(trouble) => {
                trouble.say(self.name());
                self.fail();
                self.succeeded = Some(done);
            }
        }
    }
}

/// What it means that neither output nor result is there.
fn gone() -> Trouble {
    Trouble { what: b"rename processed", why: Errno::NOENT }
}

/// Puts the files of a success in their places: as often as need be, from wherever it was interrupted.
fn put_away(dir: BorrowedFd<'_>, label: &Label) -> Result<(), Trouble> {
    let (input, output, kept) = (with(label, b'u'), with(label, b't'), with(label, b's'));
    let mode = Trouble::with(b"set mode of processed");
    match file::open_read_itself(dir, path(&output)) {
        Ok(file) => {
            file::sync(&file).map_err(&mode)?;
            file::set_mode(&file, 0o744).map_err(&mode)?;
            file::rename(dir, path(&output), path(&kept)).map_err(Trouble::with(b"rename processed"))?;
        }
        Err(Errno::NOENT) if exists(dir, label, b's') => {}
        Err(errno) => return Err(Trouble::with(b"rename processed")(errno)),
    }
    let state = Trouble::with(b"rename state");
    match file::open_read_itself(dir, c"newstate") {
        Ok(file) => {
            file::sync(&file).map_err(&state)?;
            file::rename(dir, c"newstate", c"state").map_err(&state)?;
        }
        Err(Errno::NOENT) => {}
        Err(errno) => return Err(state(errno)),
    }
    let gone = Trouble::with(b"remove processed");
    // The new names have to be there for certain before the old one goes, where that can be had.
    if let Err(errno) = file::sync(dir)
        && errno != Errno::INVAL
    {
        return Err(gone(errno));
    }
    match file::remove(dir, path(&input)) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(gone(errno)),
    }
}

/// What a processor works on.
struct Files {
    input: OwnedFd,
    output: OwnedFd,
    state: OwnedFd,
    new_state: OwnedFd,
}

impl Files {
    fn open(dir: BorrowedFd<'_>, label: &Label) -> Result<Self, (&'static [u8], Errno)> {
        fn above(opened: SysResult<OwnedFd>, what: &'static [u8]) -> Result<OwnedFd, (&'static [u8], Errno)> {
            opened.and_then(|fd| file::above(fd, ABOVE)).map_err(|errno| (what, errno))
        }
        let input =
            above(file::open_read_itself(dir, path(&with(label, b'u'))), b"open input for processor")?;
        let output = fresh(dir, path(&with(label, b't')));
        let output = above(output, b"open output for processor")?;
        let state = match file::open_read_itself(dir, c"state") {
            Err(Errno::NOENT) => {
                file::open_append_itself(dir, c"state", 0o644)
                    .map_err(|errno| (b"create empty state for processor".as_slice(), errno))?;
                file::open_read_itself(dir, c"state")
            }
            other => other,
        };
        let state = above(state, b"open state for processor")?;
        let new_state = fresh(dir, c"newstate");
        let new_state = above(new_state, b"open newstate for processor")?;
        Ok(Self { input, output, state, new_state })
    }

    fn spawn(&self, name: &[u8], dir: BorrowedFd<'_>, command: &CStr, mask: &Mask) -> SysResult<Pid> {
        let failed = |step, errno| {
            let what: &[u8] = match step {
                Step::Descriptor => b"unable to move filedescriptor for processor: ",
                Step::Directory => b"unable to change directory, want processor: ",
                Step::Run => b"unable to run processor: ",
            };
            REPORT.fatal_of(what, name, errno);
        };
        Spawn {
            path: c"/bin/sh",
            args: &[c"sh", c"-c", command],
            directory: Some(dir),
            below: None,
            stdin: Some(self.input.as_fd()),
            stdout: Some(self.output.as_fd()),
            more: &More::with(&[(self.state.as_fd(), STATE), (self.new_state.as_fd(), NEW_STATE)]),
            mask,
            session: false,
            failure_code: FATAL,
            ready: None,
            failed: &failed,
        }
        .start()
    }
}

/// A file of its own: what another one, left by a logger that was killed, may still write goes elsewhere.
fn fresh(dir: BorrowedFd<'_>, name: &CStr) -> SysResult<OwnedFd> {
    match file::remove(dir, name) {
        Ok(()) | Err(Errno::NOENT) => file::open_first(dir, name, 0o644),
        Err(errno) => Err(errno),
    }
}

/// The directory once more, by a number that no processor is given.
fn open(dir: BorrowedFd<'_>) -> SysResult<OwnedFd> {
    file::above(archive::again(dir)?, ABOVE)
}

fn exists(dir: BorrowedFd<'_>, label: &Label, letter: u8) -> bool {
    file::exists(dir, path(&with(label, letter))).unwrap_or(false)
}

fn path(name: &[u8]) -> &CStr {
    sys::c_str(name).unwrap_or(c"")
}
