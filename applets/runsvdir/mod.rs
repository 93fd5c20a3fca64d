//! runsvdir: keeps a runsv running for each service directory in a scan directory.
//!
//! Exits 0 on TERM and 111 on HUP (as process 1 only after all services have stopped), and 1 for a wrong command
//! line. A child that cannot run runsv exits 100.

mod chain;
mod end;
#[cfg_attr(not(feature = "policy"), path = "no_replaced.rs")]
mod replaced;
mod scan;
mod services;
mod start;
mod title;

use super::Applet;
use chain::Chain;
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use end::{End, Script};
use scan::Pace;
use services::{Runsv, Services};
use start::Starter;
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::service::names::PUBLIC_MODE;
use svbox::supervisor::Fleet;
use svbox::sys::args::Args;
use svbox::sys::poll::{self, Poll};
use svbox::sys::process::{self, Ended};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::time::{self, Duration, Instant};
use svbox::sys::{self, AsFd, Errno, file, heap};
use svbox::tai::Tai;
use svbox::text::{parse, place};
use title::TitleLog;

/// Puts the lines between what every build can do and what only some can.
macro_rules! text {
    ($($line:literal)*) => {
        concat!(
            "runsvdir [-P] dir\n\nKeep a runsv running for each directory in a directory.\n\n",
            "  -P            each runsv leads a session of its own\n",
            $($line,)*
            "  -s script     first run script with the number of TERM or HUP"
        )
        .as_bytes()
    };
}

#[cfg(feature = "in-process")]
const TEXT: &[u8] = text!(
    "  --in-process  no runsv is started: all services are supervised here\n"
    "  --timeout-kill ms\n                with --in-process: at the end, services are killed after that time\n"
);
#[cfg(not(feature = "in-process"))]
const TEXT: &[u8] = text!();

pub fn applet() -> Applet {
    Applet { text: TEXT, usage_path: true, misuse: 1, alias_misuse: 0, runs_program: false, spec: None, run }
}

#[derive(Default)]
struct Options {
    /// Each runsv leads a session of its own.
    sessions: bool,
    /// The program that is run before a signal takes effect.
    script: Option<&'static CStr>,
    /// It ends when all services have.
    container: bool,
    /// It supervises the services itself.
    in_process: bool,
    /// What has no deadline of its own may take so long to stop then.
    stop_within: Option<Duration>,
}

/// Tokens of what is waited for; a runsv that is not ours has its descriptor's number.
const SIGNALS: u64 = 1 << 32;
const WATCH: u64 = 2 << 32;
const MOUNTS: u64 = 3 << 32;
const TITLE: u64 = 4 << 32;
const FLEET: u64 = 5 << 32;

/// The file that shows when a scan was forced last.
const STAMP: &CStr = c".forced-rescan";
const STAMP_NEW: &CStr = c".forced-rescan.new";

/// Everything that runsvdir remembers.
struct RunSvDir {
    /// The scan directory as it was given; looked up anew at each scan.
    path: &'static CStr,
    poll: Poll,
    signals: Signals,
    starter: Starter,
    chain: Chain,
    services: Services,
    /// The services that this process supervises itself, if it does.
    fleet: Option<Fleet>,
    /// How long those may take at the end, unless a deadline of their own says otherwise.
    stop_within: Option<Duration>,
    pace: Pace,
    title: Option<TitleLog>,
    script: Option<Script>,
    end: End,
}

fn run(call: &Call) -> Result<u8, Failure> {
    let (options, operands) = options(call.operands())?;
    let (dir, rest) = operands.split_first().ok_or(Failure::Usage)?;
    let report = Reporter { program: b"runsvdir", subject: Some(dir.to_bytes()), waits: false };
    let refused = |errno: Errno| {
        report.fatal_of(b"unable to start", b"", errno);
        Failure::Said(FATAL)
    };
    let (ours, mask) = block_signals();
    let signals = Signals::open(&ours).map_err(refused)?;
    let poll = Poll::new().map_err(refused)?;
    poll.add(&signals, SIGNALS).map_err(refused)?;

    // Never taken apart: at the end of the process the kernel closes everything.
    let mut runsvdir = ManuallyDrop::new(RunSvDir {
        path: dir,
        signals,
        starter: Starter::new(report, mask, options.sessions, options.container),
        chain: Chain::new(&poll, MOUNTS),
        services: Services::new().map_err(refused)?,
        fleet: fleet(&options, mask, &poll).map_err(refused)?,
        stop_within: options.stop_within,
        pace: Pace::new(Instant::now()),
        title: rest.title(0).and_then(|title| TitleLog::start(title, &report, &poll, TITLE)),
        script: options.script.map(Script::new),
        end: End::No,
        poll,
    });
    heap::seal();
    process::reap_inherited();
    loop {
        if let Some(code) = runsvdir.turn() {
            return Ok(code);
        }
    }
}

fn fleet(options: &Options, mask: Mask, poll: &Poll) -> sys::Result<Option<Fleet>> {
    if !options.in_process {
        return Ok(None);
    }
    let fleet = Fleet::new(mask, options.sessions)?;
    poll.add(&fleet, FLEET)?;
    Ok(Some(fleet))
}

/// Gives the signals that we read from a descriptor from now on, and those that runsv is to find blocked.
fn block_signals() -> (Mask, Mask) {
    const HEARD: [Signal; 7] =
        [Signal::CHILD, Signal::TERM, Signal::HUP, Signal::ALARM, Signal::INT, Signal::USR1, Signal::USR2];
    // Only process 1 has to find a meaning for the last three: the kernel would just drop them.
    let heard = if process::is_first() { HEARD.as_slice() } else { HEARD.get(..4).unwrap_or(&HEARD) };
    heard.iter().for_each(|signal| signal::default(*signal));
    let ours = Mask::of(heard);
    let before = ours.block();
    // A lost reader of standard error must not end us; what we start finds PIPE as we found it.
    Mask::of(&[Signal::PIPE]).block();
    (ours, heard.iter().fold(before, |mask, signal| mask.without(*signal)))
}

impl RunSvDir {
    /// One turn: does what is due, waits, takes in what happened. Gives the exit code at the end.
    fn turn(&mut self) -> Option<u8> {
        let now = Instant::now();
        if self.end == End::No {
            self.scan_if_due(now);
        }
        if let Some(title) = &mut self.title {
            title.dot_if_due(now);
        }
        self.try_script(now);
        self.settle();
        if let Some(code) = self.ended() {
            return Some(code);
        }
        let mut room = poll::events();
        match self.poll.wait(self.next_timer(), &mut room) {
            Ok(happened) => {
                for ready in happened {
                    self.take_in(ready.token);
                }
            }
            // Nothing documented can fail here; if something does, do not spin.
            Err(_) => time::pause(),
        }
        None
    }

    /// Lets the services that are served here go on.
    fn settle(&mut self) {
        let Some(fleet) = &mut self.fleet else { return };
        let now = Instant::now();
        fleet.settle(|index| {
            if let Some(due) = self.services.gone(Runsv::Here(index), Ended::exit(0), now) {
                self.pace.ask(due);
            }
        });
    }

    fn next_timer(&self) -> Option<Instant> {
        let scan = if self.end == End::No { self.pace.next() } else { None };
        let fleet = self.fleet.as_ref().and_then(Fleet::next_timer);
        time::first([scan, self.title.as_ref().map(TitleLog::next_dot), fleet, self.next_script()])
    }

    fn take_in(&mut self, token: u64) {
        let now = Instant::now();
        match token {
            SIGNALS => self.take_signals(now),
            WATCH => {
                let heard = self.chain.hear();
                if heard.names || heard.path {
                    self.pace.changed(now);
                }
            }
            MOUNTS => self.look(now),
            TITLE => {
                if let Some(title) = &mut self.title {
                    title.read();
                }
            }
            FLEET => {
                if let Some(fleet) = &mut self.fleet {
                    fleet.hear();
                }
            }
            descriptor => {
                if let Some(due) = self.services.foreign_gone(descriptor, now) {
                    self.pace.ask(due);
                }
            }
        }
    }

    fn take_signals(&mut self, now: Instant) {
        while let Some(number) = self.signals.next() {
            match Signal::from_named_raw(number) {
                Some(Signal::CHILD) | None => {}
                Some(Signal::ALARM) => self.forced_scan(now),
                Some(signal) => self.signalled(signal),
            }
        }
        // One SIGCHLD can stand for many children.
        while let Some((pid, ended)) = process::reap() {
            if self.script_ended(pid) || self.fleet.as_mut().is_some_and(|fleet| fleet.bury(pid, ended)) {
                continue;
            }
            if let Some(due) = self.services.gone(Runsv::Child(pid), ended, now) {
                self.pace.ask(due);
            }
        }
    }

    /// Scans at once, and leaves a stamp in the directory that shows that it has been done (Debian's runsvdir).
    fn forced_scan(&mut self, now: Instant) {
        if self.end != End::No {
            return;
        }
        self.chain.stale = true;
        self.pace.changed(now);
        self.scan(now);
        if let Ok(dir) = file::open_place(file::CWD, self.path) {
            // Only if it can be: a read-only directory is scanned just as well.
            let _ = file::replace(dir.as_fd(), STAMP, STAMP_NEW, PUBLIC_MODE, &Tai::now().to_text(), false);
        }
    }
}

/// Options of our own.
const LONG: &[u8] = b"--container --in-process --timeout-kill";

/// runit looks at the first letter after a dash only, and takes an unknown option for the directory's name. Here
/// that holds for a directory that is really there.
fn options(mut words: Args) -> Result<(Options, Args), Failure> {
    let mut options = Options::default();
    while let Some((word, mut rest)) = words.split_first() {
        match (place(LONG, word.to_bytes()), word.to_bytes_with_nul()) {
            (Some(0), _) if cfg!(feature = "pid1") => options.container = true,
            (Some(1), _) if cfg!(feature = "in-process") => options.in_process = true,
            (Some(2), _) if cfg!(feature = "in-process") => {
                let within = rest.get(0).and_then(|word| parse(word.to_bytes())).ok_or(Failure::Usage)?;
                // As in s6, 0 is no limit.
                options.stop_within = (within > 0).then_some(Duration::from_millis(within));
                rest = rest.skip(1);
            }
            (_, [b'-', b'-', ..]) => return Ok((options, rest)),
            (_, [b'-', b'P', ..]) => options.sessions = true,
            (_, b"-s\0") if !rest.is_empty() => {
                options.script = rest.get(0);
                rest = rest.skip(1);
            }
            (_, [b'-', b's', script @ ..]) if script.len() > 1 => options.script = sys::c_str(script),
            (_, [b'-', _, ..]) if !file::is_there(file::CWD, word) => return Err(Failure::Usage),
            _ => break,
        }
        words = rest;
    }
    // A runsv that is left alone knows its deadlines itself.
    if options.stop_within.is_some() && !options.in_process {
        return Err(Failure::Usage);
    }
    Ok((options, words))
}
