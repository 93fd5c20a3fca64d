//! How runsvdir ends, or as process 1 does not.

use super::RunSvDir;
use super::scan::RETRY;
use core::ffi::CStr;
use svbox::report::FATAL;
use svbox::supervisor::Fleet;
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::spawn::{More, Spawn};
use svbox::sys::time::Instant;
use svbox::text::Text;

/// How far the end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// There is no end.
    No,
    /// At once, with this exit code.
    Now(u8),
    /// As process 1: with this exit code, after every service has stopped.
    AfterAll(u8),
    /// As process 1 while the script runs: nothing is started, and afterwards everything goes on.
    Held,
}

/// The program that is run before a signal takes effect (busybox's runsvdir).
pub struct Script {
    path: &'static CStr,
    running: Option<(Pid, Signal)>,
    /// Signals that have come while it ran, one bit each; each gets its own run.
    waiting: u64,
    /// When they are tried again, since there was no child to be had.
    retry: Option<Instant>,
}

impl Script {
    pub fn new(path: &'static CStr) -> Self {
        Self { path, running: None, waiting: 0, retry: None }
    }
}

impl Script {
    /// The next signal that has waited.
    fn next(&mut self) -> Option<Signal> {
        let number = self.waiting.trailing_zeros();
        self.waiting &= self.waiting.wrapping_sub(1);
        Signal::from_named_raw(i32::try_from(number).ok()?)
    }
}

impl RunSvDir {
    /// A signal that ends us has come.
    pub fn signalled(&mut self, signal: Signal) {
        if self.end != End::No && self.end != End::Held {
            return;
        }
        match self.start_script(signal) {
            true if process::is_first() => self.end = End::Held,
            true => {}
            false => self.take_effect(signal),
        }
    }

    /// When the script is tried again that could not be started.
    pub fn next_script(&self) -> Option<Instant> {
        self.script.as_ref().and_then(|script| script.retry)
    }

    /// Tries that, if it is time to.
    pub fn try_script(&mut self, now: Instant) {
        let Some(script) = &mut self.script else { return };
        if script.retry.take_if(|at| *at <= now).is_some()
            && let Some(next) = script.next()
        {
            self.signalled(next);
        }
    }

    /// Whether the child that has ended was the script. Then the signal takes effect.
    pub fn script_ended(&mut self, pid: Pid) -> bool {
        let running = self.script.as_mut().and_then(|script| script.running.take_if(|(its, _)| *its == pid));
        if let Some((_, signal)) = running {
            self.take_effect(signal);
            if let Some(next) = self.script.as_mut().and_then(Script::next) {
                self.signalled(next);
            } else if self.end == End::Held {
                self.end = End::No;
                self.pace.changed(Instant::now());
            }
        }
        running.is_some()
    }

    /// Starts the script, if there is one. While it runs another signal waits.
    fn start_script(&mut self, signal: Signal) -> bool {
        let Some(script) = &mut self.script else { return false };
        let bit = 1 << (signal.as_raw() & 63);
        if script.running.is_some() || script.retry.is_some() {
            script.waiting |= bit;
            return true;
        }
        let mut number = Text::<8>::new();
        number.number(u64::from(signal.as_raw().unsigned_abs()));
        let Some(number) = number.c_str() else { return false };
        let report = &self.starter.report;
        let failed = |_, errno| report.warn_of(b"unable to run ", script.path.to_bytes(), errno);
        let started = Spawn {
            path: script.path,
            args: &[script.path, number],
            directory: None,
            below: None,
            stdin: None,
            stdout: None,
            more: &More::NONE,
            mask: &self.starter.mask,
            session: false,
            failure_code: FATAL,
            ready: None,
            failed: &failed,
        }
        .start();
        match started {
            Ok(pid) => script.running = Some((pid, signal)),
            Err(errno) => report.warn_of(b"unable to fork for ", script.path.to_bytes(), errno),
        }
        if started.is_err() && process::is_first() {
            // Without its script it would end the machine.
            script.waiting |= bit;
            script.retry = Some(Instant::now().after(RETRY));
            return true;
        }
        started.is_ok()
    }

    fn take_effect(&mut self, signal: Signal) {
        let first = process::is_first() || self.starter.is_container() || self.fleet.is_some();
        let ends = signal == Signal::TERM || signal == Signal::HUP;
        let code = if signal == Signal::TERM { 0 } else { FATAL };
        self.end = match self.end {
            // Process 1 without a script has no use for INT, USR1 and USR2.
            End::No if first && ends => End::AfterAll(code),
            End::No if ends => End::Now(code),
            same @ (End::No | End::Now(_) | End::AfterAll(_) | End::Held) => same,
        };
        if signal == Signal::HUP || matches!(self.end, End::AfterAll(_)) {
            self.services.stop_all(&mut self.fleet);
        }
        let is_here = self.fleet.is_some() || self.starter.is_container();
        if is_here && matches!(self.end, End::AfterAll(_)) {
            self.chain.forget();
        }
        if let (Some(fleet), End::AfterAll(_)) = (&mut self.fleet, self.end) {
            fleet.end(self.stop_within);
            #[cfg(feature = "in-process")]
            if let Some(title) = &self.title {
                title.give_back();
            }
        }
    }

    fn is_hopeless(&self) -> bool {
        self.fleet.as_ref().is_some_and(Fleet::is_hopeless)
    }

    /// The exit code, if the end has come.
    pub fn ended(&mut self) -> Option<u8> {
        match self.end {
            End::Now(code) => Some(code),
            End::AfterAll(code) if !self.services.any_left() || self.is_hopeless() => Some(code),
            End::AfterAll(_) | End::Held | End::No => None,
        }
    }
}
