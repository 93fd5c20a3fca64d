//! Finding out whether a service is ready, and whether it still answers: it says so on a descriptor, or its program
//! `./check` does.

use super::World;
use super::unit::Place;
use crate::service::names::PUBLIC_MODE;
use crate::service::settings::Settings;
use crate::sys::process::{self, Ended, Pid};
use crate::sys::signal::Signal;
use crate::sys::spawn::{ArgList, Spawn};
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, Errno, OwnedFd, Result, fifo, file};
use core::ffi::CStr;

/// There while the service is ready, since then.
pub const READY: &CStr = c"supervise/ready";
const CHECK: &CStr = c"./check";
/// How long a `./check` may take at least.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is waited for while a service runs.
#[derive(Default)]
pub struct Readiness {
    /// Where it says that it is ready.
    pipe: Option<OwnedFd>,
    check: Option<(Pid, Option<Instant>)>,
    /// When the next `./check` is due.
    due: Option<Instant>,
    /// How often it has failed in a row.
    fails: u32,
    /// Whether it has been shown that the service is ready.
    shown: bool,
}

/// What has been found out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// Nothing that changes anything.
    Nothing,
    /// It is ready.
    Ready,
    /// It lives, but does not answer.
    Unhealthy,
}

impl Readiness {
    /// Makes what a service that is about to be started says its readiness with: the side that is its.
    pub fn prepare(&mut self, token: u64, world: &World) -> Result<OwnedFd> {
        let (read, write) = fifo::pipe()?;
        file::set_nonblocking(&read)?;
        world.poll.add(&read, token)?;
        self.pipe = Some(read);
        Ok(write)
    }

    /// The service has been started.
    pub fn started(&mut self, settings: &Settings, now: Instant) {
        self.fails = 0;
        self.due = settings.check_every.map(|every| now.after(every));
    }

    /// The service has ended: it is not ready, and nothing is asked.
    pub fn ended(&mut self, place: &Place) {
        self.pipe = None;
        self.due = None;
        if let Some((pid, _)) = self.check {
            let _ = process::kill(pid, Signal::KILL);
        }
        self.hide(place);
    }

    /// Shows no longer that it is ready.
    fn hide(&mut self, place: &Place) {
        if core::mem::take(&mut self.shown) {
            let _ = file::remove(place.dir.as_fd(), READY);
        }
    }

    /// Takes over from an earlier supervisor what that has shown.
    pub fn take_over(&mut self, place: &Place) {
        self.shown = file::stat(place.dir.as_fd(), READY).is_ok();
    }

    /// Shows that it is ready.
    pub fn show(&mut self, place: &Place) {
        match file::open_append(place.dir.as_fd(), READY, PUBLIC_MODE) {
            Ok(_) => self.shown = true,
            Err(errno) => place.report.warn_of(b"unable to open ", READY.to_bytes(), errno),
        }
    }

    /// Reads what the service has said; gives whether that it is ready: a line says so, whatever is in it.
    pub fn hear(&mut self) -> bool {
        let mut bytes = [0; 64];
        let Some(pipe) = &self.pipe else { return false };
        let (is_over, is_ready) = match file::read_some(pipe, &mut bytes) {
            Ok(None) => (false, false),
            Ok(Some(count)) => (count == 0, bytes.iter().take(count).any(|&byte| byte == b'\n')),
            Err(_) => (true, false),
        };
        if is_over || is_ready {
            self.pipe = None;
        }
        is_ready
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        time::first([self.due.filter(|_| self.check.is_none()), self.check.and_then(|(_, due)| due)])
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, settings: &Settings, place: &Place, world: &World) {
        if let Some((pid, due)) = &mut self.check {
            if due.take_if(|due| *due <= world.now).is_some() {
                let _ = process::kill(*pid, Signal::KILL);
            }
            return;
        }
        if self.due.take_if(|due| *due <= world.now).is_none() {
            return;
        }
        let every = settings.check_every.unwrap_or_default();
        match start_check(place, world) {
            Ok(pid) => self.check = Some((pid, Some(world.now.after(every.max(PATIENCE))))),
            Err(errno) => {
                place.report.warn_of(b"unable to fork for ", CHECK.to_bytes(), errno);
                self.due = Some(world.now.after(every));
            }
        }
    }

    /// Acts on the end of a child; gives what it tells, if it was this one. `runs`: whether the service does.
    pub fn bury(
        &mut self,
        (pid, ended): (Pid, Ended),
        runs: bool,
        settings: &Settings,
        now: Instant,
    ) -> Option<Finding> {
        self.check.take_if(|(its, _)| *its == pid)?;
        if !runs {
            return Some(Finding::Nothing);
        }
        let passed = ended.code() == Some(0);
        self.fails = if passed { 0 } else { self.fails.saturating_add(1) };
        if passed && !self.shown {
            self.go_on(settings.check_fails.is_some(), settings, now);
            return Some(Finding::Ready);
        }
        if self.shown && settings.check_fails.is_some_and(|most| self.fails >= most) {
            return Some(Finding::Unhealthy);
        }
        self.go_on(!self.shown || settings.check_fails.is_some(), settings, now);
        Some(Finding::Nothing)
    }

    fn go_on(&mut self, asks: bool, settings: &Settings, now: Instant) {
        self.due = settings.check_every.filter(|_| asks).map(|every| now.after(every));
    }
}

fn start_check(place: &Place, world: &World) -> core::result::Result<Pid, Errno> {
    let null = file::open_null(false)?;
    let failed = |_, errno| place.report.fatal_of(b"unable to run ", CHECK.to_bytes(), errno);
    let ready = || world.restore_limits();
    Spawn {
        path: CHECK,
        args: ArgList::new(&[CHECK]),
        directory: Some(place.dir.as_fd()),
        below: None,
        stdin: None,
        stdout: Some(null.as_fd()),
        more: &[],
        mask: &world.services,
        session: world.is_apart(),
        failure_code: 111,
        ready: Some(&ready),
        failed: &failed,
    }
    .start()
}
