//! A program that reads from us: what uncat and tryto have in common.

use super::queue::Queue;
use super::search::{in_place, search};
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::args::Args;
use svbox::sys::exec::{Arguments, Environment, replace};
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::{AsFd, BorrowedFd, Errno, OwnedFd, Result as SysResult, fifo, file, stdio};

/// How programs are started.
pub struct Starter {
    pub report: Reporter<'static>,
    /// The program and its arguments.
    pub words: Args,
    /// The signals that it finds blocked.
    mask: Mask,
    /// Tells of its end, and of the other signals that are heard.
    pub signals: Signals,
    /// Whether its standard output is our standard error.
    pub to_stderr: bool,
    /// Whether it leads a session.
    pub session: bool,
}

impl Starter {
    /// For the program that the words name. Besides the end of children one more signal can be heard.
    pub fn new(report: Reporter<'static>, words: Args, also: Option<Signal>) -> Result<Self, Failure> {
        signal::default(Signal::CHILD);
        let mut heard = Mask::of(&[Signal::CHILD]);
        if let Some(also) = also {
            signal::default(also);
            heard = heard.with(also);
        }
        let before = heard.block();
        // A program that does not read everything is nothing to die of.
        Mask::of(&[Signal::PIPE]).block();
        let signals = Signals::open(&heard);
        let mask = also.map_or(before, |also| before.without(also)).without(Signal::CHILD);
        let signals = signals.map_err(|errno| {
            report.fatal_of(b"unable to wait for signals", b"", errno);
            Failure::Said(FATAL)
        })?;
        Ok(Self { report, words, mask, signals, to_stderr: false, session: false })
    }

    /// `NAME: fatal: WHAT: WHY`
    pub fn fatal(&self, what: &[u8], why: Errno) -> Failure {
        self.report.fatal(&[what], Some(why));
        Failure::Said(FATAL)
    }

    /// Starts the program.
    pub fn start(&self) -> Result<Child, Failure> {
        self.try_start().map_err(|errno| self.fatal(b"unable to start child", errno))
    }

    fn try_start(&self) -> SysResult<Child> {
        let name = self.words.get(0).ok_or(Errno::INVAL)?;
        let (input, pipe) = fifo::pipe()?;
        file::set_nonblocking(&pipe)?;
        let arguments = Arguments::new(self.words, None)?;
        let environment = Environment::inherited();
        let pid = in_place(Some(input.as_fd()), &|| {
            if self.to_stderr {
                let _ = stdio::change(1, Some(stdio::stderr()));
            }
            if self.session {
                let _ = process::new_session();
            }
            self.mask.set();
            let errno = search(name, &|path| replace(path, &arguments, &environment));
            self.report.fatal_of(b"unable to start child", b"", errno);
            FATAL
        })?;
        Ok(Child { pid, pipe: Some(pipe) })
    }
}

/// A program that has been started.
pub struct Child {
    pub pid: Pid,
    /// Our side of its standard input, unless that is over.
    pipe: Option<OwnedFd>,
}

impl Child {
    /// Where it reads from, if it still does.
    pub fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Writes what it takes now. If it reads no more, its input is over.
    pub fn feed(&mut self, queue: &mut Queue) {
        let Some(pipe) = &self.pipe else { return };
        match file::write_once(pipe, queue.bytes()) {
            Ok(count) => queue.advance(count),
            Err(Errno::AGAIN) => {}
            Err(_) => self.close(),
        }
    }

    /// Its input is over.
    pub fn close(&mut self) {
        self.pipe = None;
    }

    /// How it has ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        // Nobody else collects it.
        process::reap_one(self.pid).unwrap_or(Some(Ended::UNKNOWN))
    }
}
