//! The engine: turns what the kernel tells into events of the machine, and its actions into system calls, for any
//! number of service directories in one process. Each is served through its own directory descriptor.
//!
//! One turn: wait; make events of what happened; let each service act; tell readers. Nothing in it waits for a
//! child, a lock, a timer or a reader.

mod adopt;
#[cfg(feature = "in-process")]
mod ending;
#[cfg_attr(not(feature = "in-process"), path = "no_fleet.rs")]
mod fleet;
mod keeper;
#[cfg(feature = "policy")]
mod needs;
#[cfg(feature = "policy")]
mod neighbours;
#[cfg(feature = "policy")]
mod notice;
mod open;
#[cfg_attr(not(feature = "policy"), path = "no_own.rs")]
mod own;
#[cfg(feature = "policy")]
mod program;
mod publish;
#[cfg(feature = "policy")]
mod ready;
#[cfg(feature = "policy")]
mod scope;
mod steps;
mod unit;

pub use fleet::{Fleet, Number};

use crate::report::{FATAL, Failure, Reporter};
use crate::sys::poll::{self, Poll, Ready};
use crate::sys::signal::{self, Mask, Signal, Signals};
use crate::sys::time::Instant;
use crate::sys::{self, Errno, file, heap, process};
use core::ffi::CStr;
use keeper::Died;
use unit::Unit;

/// The signal by which a process is told that a service has ended for good. Its value is the exit code that stands for how,
/// as in a shell.
pub const ENDED: i32 = 64;

/// What the services of one process share.
pub struct World {
    poll: Poll,
    /// The signals that were blocked when we were started, TERM and CHLD never: what services find.
    services: Mask,
    /// The moment this turn began.
    now: Instant,
    /// The number of this start of the machine, once it has been needed.
    boot: Option<u32>,
    /// Whether each process leads a session of its own.
    #[cfg(feature = "in-process")]
    apart: bool,
    /// Whether there are or may be other services.
    #[cfg(feature = "in-process")]
    shared: bool,
    /// Where services are told to be found, in a fleet.
    #[cfg(feature = "policy")]
    scans: neighbours::Scans,
}

impl World {
    fn new(services: Mask) -> sys::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            services,
            now: Instant::now(),
            boot: None,
            #[cfg(feature = "in-process")]
            apart: false,
            #[cfg(feature = "in-process")]
            shared: false,
            #[cfg(feature = "policy")]
            scans: [None, None],
        })
    }

    /// Whether a process that is started leads a session of its own.
    fn is_apart(&self) -> bool {
        #[cfg(feature = "in-process")]
        return self.apart;
        #[cfg(not(feature = "in-process"))]
        false
    }

    /// Whether orphans that come to this process can be those of several services.
    #[cfg(feature = "policy")]
    fn is_shared(&self) -> bool {
        #[cfg(feature = "in-process")]
        return self.shared;
        #[cfg(not(feature = "in-process"))]
        false
    }
}

/// A supervisor of any number of service directories.
pub struct Engine {
    world: World,
    signals: Signals,
    units: Vec<Unit>,
}

/// The token of the signals; a unit's are its index times [`unit::TOKENS`] and a few more.
const SIGNALS: u64 = u64::MAX;

impl Engine {
    /// Prepares this process to serve so many directories: signals are blocked from here on.
    pub fn new(count: usize, report: &Reporter) -> Result<Self, Failure> {
        let failed = |errno: Errno| {
            report.fatal_of(b"unable to create selfpipe", b"", errno);
            Failure::Said(FATAL)
        };
        let ours = Mask::of(&[Signal::CHILD, Signal::TERM]);
        #[cfg(feature = "policy")]
        let ours = ours.with(Signal::WINCH);
        signal::default(Signal::CHILD);
        signal::default(Signal::TERM);
        // A lost reader of standard error must not end a supervisor; what it starts finds PIPE as we found it.
        #[cfg(feature = "policy")]
        let ours = ours.with(Signal::IO);
        let before = ours.with(Signal::PIPE).block();
        let services = before.without(Signal::CHILD).without(Signal::TERM);
        let signals = Signals::open(&ours).map_err(failed)?;
        let world = World::new(services).map_err(failed)?;
        world.poll.add(&signals, SIGNALS).map_err(failed)?;
        Ok(Self { world, signals, units: Vec::with_capacity(count) })
    }

    /// Takes on the service directory `dir`, in the name of `report`.
    pub fn add(&mut self, dir: &CStr, report: Reporter<'static>) -> Result<(), Failure> {
        let index = self.units.len();
        let units = &mut self.units;
        Unit::open(
            index,
            |unit| {
                units.push(unit);
                units.last_mut()
            },
            (file::CWD, dir),
            report,
            &mut self.world,
        )
    }

    /// Has this process told when a service has been up and is down for good: see [`ENDED`].
    #[cfg(feature = "pid1")]
    pub fn tell_of_ends(&mut self, to: Option<process::Pid>) {
        for unit in &mut self.units {
            unit.tell_of_end_to(to);
        }
    }

    /// Supervises until every service has been told to exit and has.
    pub fn run(&mut self) {
        heap::seal();
        process::reap_inherited();
        for unit in &mut self.units {
            unit.begin(&mut self.world);
        }
        while !self.settle() {
            self.turn();
        }
    }

    /// Lets each unit act on what its events have brought about; gives whether all are gone.
    fn settle(&mut self) -> bool {
        let mut gone = true;
        for unit in &mut self.units {
            #[cfg(feature = "policy")]
            unit.look(&mut self.world);
            gone &= unit.settle(&mut self.world);
        }
        gone
    }

    fn turn(&mut self) {
        let until = self.units.iter().filter_map(Unit::next_timer).min();
        let mut room = poll::events();
        match self.world.poll.wait(until, &mut room) {
            Ok(happened) => {
                self.world.now = Instant::now();
                for ready in happened {
                    match ready.token {
                        SIGNALS => take_signals(&self.signals, &mut self.world, &mut self.units),
                        _ => deliver(ready, &mut self.world, &mut self.units),
                    }
                }
            }
            // Nothing documented can fail here; if something does, do not spin.
            Err(_) => sys::time::pause(),
        }
        self.world.now = Instant::now();
        for unit in &mut self.units {
            unit.ring(&mut self.world);
        }
    }
}

fn deliver(ready: Ready, world: &mut World, units: &mut [Unit]) {
    let (index, which) = unit::untoken(ready.token);
    if let Some(unit) = units.get_mut(index) {
        unit.hear(which, world);
    }
}

fn take_signals(signals: &Signals, world: &mut World, units: &mut [Unit]) {
    while let Some(number) = signals.next() {
        if number == Signal::TERM.as_raw() {
            for unit in &mut *units {
                unit.leave(world);
            }
        }
        #[cfg(feature = "policy")]
        if number == Signal::WINCH.as_raw() {
            units.iter_mut().for_each(|unit| unit.look_for_another(world));
        }
        #[cfg(feature = "policy")]
        if number == Signal::IO.as_raw() {
            units.iter_mut().for_each(Unit::hear_scan);
        }
    }
    // One SIGCHLD can stand for many children.
    while let Some((pid, ended)) = process::reap() {
        // It may have been started since the turn began.
        world.now = Instant::now();
        let died = Died { pid, ended };
        // What nobody knows was inherited from whoever became us; it has been collected, that is all.
        let _ = units.iter_mut().any(|unit| unit.bury(died, world));
    }
}
