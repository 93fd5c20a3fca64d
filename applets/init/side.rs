//! The programs that process 1 runs beside stage 2 when something has happened.

use super::child;
use super::console::Console;
use core::ffi::CStr;
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{Errno, file};

/// A program, and what it is run for.
pub struct Program {
    path: &'static CStr,
    what: &'static [u8],
    place: usize,
}

/// The keys were pressed, or somebody sent INT.
pub static CTRL_ALT_DEL: Program =
    Program { path: c"/etc/runit/ctrlaltdel", what: b"ctrl-alt-del request...", place: 0 };
/// The power fails, or somebody sent PWR.
pub static POWER_FAILURE: Program =
    Program { path: c"/etc/runit/pwrfail", what: b"powerfail event...", place: 1 };

/// How long one may take: upstream's example warns users and waits 14 seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// One that runs.
pub struct Side {
    path: &'static CStr,
    pid: Pid,
    /// When it is late, unless it has been killed for that.
    due: Option<Instant>,
}

impl Program {
    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        file::stat(file::CWD, self.path).is_ok_and(|stat| file::is_executable(&stat))
    }

    /// Which of the two it is.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Whether the end of stage 2 is requested before it runs.
    pub fn stops(&self) -> bool {
        self.place == POWER_FAILURE.place
    }

    /// What is said when it is needed.
    pub fn what(&self) -> &'static [u8] {
        self.what
    }

    /// Starts it.
    pub fn start(&self, console: &Console) -> Option<Side> {
        let failed = |errno: Errno| {
            let report = console.reporter();
            report.fatal(&[b"unable to fork for \"", self.path.to_bytes(), b"\""], Some(errno));
        };
        let pid = child::start(self.path, false, console).map_err(failed).ok()?;
        Some(Side { path: self.path, pid, due: Some(Instant::now().after(PATIENCE)) })
    }
}

impl Side {
    /// When it is late.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it is the process of this number.
    pub fn is(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    /// Kills it if it is late; what it was to do is taken for done then.
    pub fn kill_if_late(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            let _ = process::kill(self.pid, Signal::KILL);
            self.due = None;
        }
    }

    /// Says that it has ended.
    pub fn left(&self, ended: Ended, console: &Console) {
        if ended.code().is_none() {
            console.reporter().warn(&[b"child crashed: ", self.path.to_bytes()], None);
        }
        console.say(&[b"leave stage: ", self.path.to_bytes()]);
    }
}
