//! A service directory: the service, its logger, the pipe between them, and the way out.

#[cfg(feature = "policy")]
#[path = "again.rs"]
mod again;

use super::keeper::{Died, Held, Keeper};
use super::{World, adopt, open};
use crate::report::{FATAL, Failure, Reporter};
use crate::service::command::Command;
use crate::service::machine::{Event, Want};
use crate::service::names::{File, Part, path};
#[cfg(feature = "policy")]
use crate::service::needs::LOOK;
use crate::service::policy;
#[cfg(feature = "pid1")]
use crate::sys::signal;
use crate::sys::time::{self, Instant};
use crate::sys::{AsFd, BorrowedFd, OwnedFd, fifo, file};
use core::ffi::CStr;

/// How many tokens a unit has: control and orphan of the service and of the logger, what the service says, and whom it
/// waits for.
pub const TOKENS: u64 = 8;

/// What a token of a unit is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Commands have come.
    Control(Part),
    /// A process that was taken over has ended.
    Orphan(Part),
    /// The service has said something.
    Service,
    /// The supervisor has ended of a service for which it waits.
    #[cfg(feature = "policy")]
    Neighbour,
}

/// The token of one unit's descriptor.
pub fn token(index: usize, which: Heard) -> u64 {
    let number = match which {
        Heard::Control(Part::Main) => 0,
        Heard::Control(Part::Log) => 1,
        Heard::Orphan(Part::Main) => 2,
        Heard::Orphan(Part::Log) => 3,
        Heard::Service => 4,
        #[cfg(feature = "policy")]
        Heard::Neighbour => 5,
    };
    u64::try_from(index).unwrap_or(u64::MAX / TOKENS - 1) * TOKENS + number
}

/// The unit and the descriptor of a token.
pub fn untoken(token: u64) -> (usize, Heard) {
    let which = match token % TOKENS {
        0 => Heard::Control(Part::Main),
        1 => Heard::Control(Part::Log),
        2 => Heard::Orphan(Part::Main),
        3 => Heard::Orphan(Part::Log),
        #[cfg(feature = "policy")]
        5 => Heard::Neighbour,
        _ => Heard::Service,
    };
    (usize::try_from(token / TOKENS).unwrap_or(usize::MAX), which)
}

/// Where a service is, and what its two processes share.
pub struct Place {
    /// The number of the unit.
    pub index: usize,
    /// The service directory.
    pub dir: OwnedFd,
    /// Where the state of an instance of a template is kept.
    #[cfg(feature = "policy")]
    pub state: Option<OwnedFd>,
    /// What the template's programs are given.
    #[cfg(feature = "policy")]
    pub argument: Option<&'static [u8]>,
    /// In whose name to speak.
    pub report: Reporter<'static>,
    /// The log pipe, both sides, for the life of the supervisor: neither process notices that the other restarts.
    pub pipe: Option<(OwnedFd, OwnedFd)>,
    /// Whether nothing may be started yet.
    pub held_up: bool,
    /// The process of its logger.
    #[cfg(feature = "policy")]
    pub logger: Option<crate::sys::process::Pid>,
    /// What it means that something cannot be opened.
    pub refusals: Refusals,
}

/// What is said when something cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusals {
    /// The supervisor does not start.
    Fatal,
    /// It goes on without.
    Warned,
    /// The same, and it has been said.
    Known,
}

impl Place {
    /// The directory in which `supervise` is.
    pub fn state(&self) -> &OwnedFd {
        #[cfg(feature = "policy")]
        return self.state.as_ref().unwrap_or(&self.dir);
        #[cfg(not(feature = "policy"))]
        &self.dir
    }

    /// The argument of an instance of a template, or nothing.
    #[cfg(feature = "policy")]
    pub fn argument(&self) -> &'static [u8] {
        self.argument.unwrap_or(&[])
    }

    /// Where the service writes for its logger.
    pub fn log_input(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(|(_, write)| write.as_fd())
    }

    /// Where the logger reads.
    pub fn log_output(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(|(read, _)| read.as_fd())
    }
}

/// Where leaving has got to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leaving {
    /// Not at all.
    No,
    /// The pipe is closed and the logger should see the end of its input, until then.
    Draining(Instant),
    /// It did not, and has got TERM; after that it is left to itself.
    Ending(Instant),
    /// Nothing is left to do.
    Gone,
}

/// One service directory and all that is kept for it.
pub struct Unit {
    place: Place,
    main: Keeper,
    log: Option<Keeper>,
    /// When to try again to lock the log service's directory, which somebody else supervises.
    locked_out: Option<Instant>,
    leaving: Leaving,
    /// Who is to be told when the service is down for good.
    #[cfg(feature = "pid1")]
    tells_of_end: Option<crate::sys::process::Pid>,
}

impl Unit {
    /// Opens the service directory `dir` below `at`, and gives the unit to `keep`, as number `index`. Messages are
    /// `report`'s. A unit that has been kept may fail to open all the same.
    // It grows in its place: each page of the stack that start-up touches stays with the process.
    #[inline(never)]
    pub fn open<'u>(
        index: usize,
        keep: impl FnOnce(Self) -> Option<&'u mut Self>,
        (at, dir): (BorrowedFd<'_>, &CStr),
        report: Reporter<'static>,
        world: &mut World,
    ) -> Result<(), Failure> {
        let (mut place, want) = open::directory(index, at, dir, report)?;
        let has_log = open::has_log(&mut place)?;
        let lock = open::lock(&place, Part::Main)?.ok_or(Failure::Said(FATAL))?;
        let log_lock = if has_log { open::lock(&place, Part::Log)? } else { None };

        let control = open::control(&place, Part::Main)?;
        let main = Keeper::new(Part::Main, want, Held { lock, inode: 0, control, ok: None }, world.now);
        let unit = Self {
            place,
            main,
            log: None,
            locked_out: None,
            leaving: Leaving::No,
            #[cfg(feature = "pid1")]
            tells_of_end: None,
        };
        let Some(unit) = keep(unit) else { return Ok(()) };
        unit.main.adopt(&unit.place, token(index, Heard::Orphan(Part::Main)), world);
        unit.main.tell_if_news(&unit.place, world);
        match log_lock {
            Some(lock) => unit.open_log(lock, world)?,
            None if has_log => unit.hold_up(world.now),
            None => {}
        }
        open::ok(&unit.place, Part::Main, unit.main.held())?;
        unit.listen(Part::Main, world)?;
        if let Some(log) = &mut unit.log {
            open::ok(&unit.place, Part::Log, log.held())?;
        }
        unit.place.report.waits = false;
        unit.place.refusals = Refusals::Warned;
        Ok(())
    }

    fn open_log(&mut self, lock: OwnedFd, world: &mut World) -> Result<(), Failure> {
        let control = open::control(&self.place, Part::Log)?;
        let held = Held { lock, inode: 0, control, ok: None };
        let mut log = Keeper::new(Part::Log, open::want(&self.place, Part::Log), held, world.now);
        log.adopt(&self.place, token(self.place.index, Heard::Orphan(Part::Log)), world);
        if let Some(pipe) = log.pid().and_then(adopt::pipe_of) {
            self.place.pipe = Some(pipe);
        }
        log.tell_if_news(&self.place, world);
        self.log = Some(log);
        self.listen(Part::Log, world)
    }

    /// Waits for commands to one part.
    fn listen(&mut self, part: Part, world: &World) -> Result<(), Failure> {
        let keeper = match part {
            Part::Main => Some(&mut self.main),
            Part::Log => self.log.as_mut(),
        };
        let Some(keeper) = keeper else { return Ok(()) };
        let added = world.poll.add(&keeper.held().control, token(self.place.index, Heard::Control(part)));
        added.map_err(|errno| {
            open::refused(&self.place, b"unable to wait for ", path(part, File::Control), errno)
        })
    }

    /// Somebody else supervises the log service. runit waits for that somebody, deaf; here the service just does
    /// not start yet, and is asked to leave as ever.
    fn hold_up(&mut self, now: Instant) {
        self.place.held_up = true;
        self.locked_out = Some(now.after(policy::PACE));
    }

    /// Takes over the log service; gives whether that was possible.
    fn take_log(&mut self, world: &mut World) -> bool {
        let Ok(Some(lock)) = open::lock(&self.place, Part::Log) else { return false };
        let opened = self.open_log(lock, world);
        let heard = self.log.as_mut().map(|log| open::ok(&self.place, Part::Log, log.held()));
        if opened.is_err() || heard.is_some_and(|heard| heard.is_err()) {
            self.log = None;
        }
        self.log.is_some()
    }

    /// Tries again to get the log service.
    fn try_log(&mut self, world: &mut World) {
        if !self.take_log(world) {
            self.place.refusals = Refusals::Known;
            return self.hold_up(world.now);
        }
        self.place.held_up = false;
        self.place.refusals = Refusals::Warned;
        self.begin(world);
        self.main.resume(&self.place, world);
    }

    /// Looks for a log service that has been added since (runit has to be restarted for that). The next start of
    /// the service gets its pipe. One that cannot be had does not hold the service up: it has lived without it.
    fn find_log(&mut self, world: &mut World) {
        if self.log.is_some()
            || self.leaving != Leaving::No
            || self.place.held_up
            || !open::is_log(&self.place)
        {
            return;
        }
        let Ok(pipe) = fifo::pipe() else { return };
        self.place.pipe = Some(pipe);
        self.take_log(world);
        match &mut self.log {
            Some(log) => {
                self.place.refusals = Refusals::Warned;
                log.feed(Event::Begin, &self.place, world);
            }
            None => {
                self.place.refusals = Refusals::Known;
                self.place.pipe = None;
            }
        }
    }

    /// The service has ended, and may be started again.
    fn find_log_for_next(&mut self, world: &mut World) {
        if self.main.state().want == Want::Up {
            self.find_log(world);
            self.note_logger();
        }
    }

    /// Has this process told when the service has been up and is down for good.
    #[cfg(feature = "pid1")]
    pub fn tell_of_end_to(&mut self, to: Option<crate::sys::process::Pid>) {
        self.tells_of_end = to;
    }

    /// Starts what is wanted up, the log service first.
    pub fn begin(&mut self, world: &mut World) {
        if let Some(log) = &mut self.log {
            log.feed(Event::Begin, &self.place, world);
        }
        self.main.feed(Event::Begin, &self.place, world);
    }

    /// Notes whose descendants are not the service's.
    fn note_logger(&mut self) {
        #[cfg(feature = "policy")]
        {
            self.place.logger = self.log.as_ref().and_then(Keeper::pid);
        }
    }

    /// Reads what has come for one part.
    pub fn hear(&mut self, which: Heard, world: &mut World) {
        self.note_logger();
        match which {
            Heard::Control(part) => self.read_commands(part, world),
            Heard::Orphan(Part::Main) => {
                self.find_log_for_next(world);
                self.main.orphan_ended(&self.place, world);
            }
            Heard::Service => self.main.hear(&self.place, world),
            #[cfg(feature = "policy")]
            Heard::Neighbour => self.main.hear_neighbour(&self.place, world),
            Heard::Orphan(Part::Log) => {
                if let Some(log) = &mut self.log {
                    log.orphan_ended(&self.place, world);
                }
            }
        }
    }

    /// The scan directory has changed.
    #[cfg(feature = "policy")]
    pub fn hear_scan(&mut self) {
        self.main.hear_scan();
    }

    fn read_commands(&mut self, part: Part, world: &mut World) {
        // A flood is taken in portions, so that everything else is heard between them.
        let mut bytes = [0; 64];
        let keeper = match part {
            Part::Main => Some(&mut self.main),
            Part::Log => self.log.as_mut(),
        };
        let read = keeper.map(|keeper| file::read_some(&keeper.held().control, &mut bytes));
        let Some(Ok(Some(count))) = read else { return };
        #[cfg(feature = "policy")]
        if part == Part::Main && bytes.iter().take(count).any(|&byte| byte == LOOK) {
            self.main.hear_neighbour(&self.place, world);
        }
        for command in bytes.into_iter().take(count).filter_map(Command::from_byte) {
            match part {
                Part::Main => self.command(command, world),
                Part::Log => self.log_command(command, world),
            }
        }
    }

    /// A command to the service. Once it is down for good nothing is heard any more: on the way out there is no log
    /// pipe to start it with.
    fn command(&mut self, command: Command, world: &mut World) {
        if self.leaving == Leaving::No && !self.is_down_for_good() {
            if matches!(command, Command::Up | Command::Once) && self.main.pid().is_none() {
                self.find_log(world);
                self.note_logger();
            }
            self.main.feed(Event::Command(command), &self.place, world);
        }
    }

    /// A command to the log service: it does not know `x`, and on the way out it can only be ended.
    fn log_command(&mut self, command: Command, world: &mut World) {
        let command = match (command, self.leaving) {
            (Command::Exit, _) => return,
            (_, Leaving::No) => command,
            (Command::Up | Command::Once, _) => return,
            (Command::Down, _) => Command::Term,
            (_, _) => command,
        };
        if let Some(log) = &mut self.log {
            log.feed(Event::Command(command), &self.place, world);
        }
    }

    /// The supervisor is to end: as if it had been told to exit.
    pub fn leave(&mut self, world: &mut World) {
        self.command(Command::Exit, world);
    }

    /// When the service has to have ended, or its logger, if that is fixed.
    #[cfg(feature = "in-process")]
    pub fn deadline(&self) -> Option<Instant> {
        let logger = match self.leaving {
            Leaving::Draining(at) | Leaving::Ending(at) => Some(at),
            Leaving::No | Leaving::Gone => None,
        };
        time::first([self.main.deadline(), logger])
    }

    /// Says that it has not ended.
    #[cfg(feature = "in-process")]
    pub fn tell_awaited(&self) {
        let who: &[u8] = if self.leaving == Leaving::No { b"service" } else { b"log service" };
        self.place.report.warn(&[who, b" has not ended yet"], None);
    }

    /// Kills what the service has, unless that has a deadline; or, if it is waited for that others end, they have.
    #[cfg(feature = "in-process")]
    pub fn cut_short(&mut self, others_have_time: bool, world: &mut World) {
        // Whoever has called it up again meanwhile has come too late.
        if self.main.state().want != Want::Exit {
            self.leave(world);
        }
        self.main.cut_short(others_have_time, &self.place, world);
        match &mut self.leaving {
            Leaving::Draining(at) => *at = world.now,
            Leaving::Ending(_) => self.log_command(Command::Kill, world),
            Leaving::No | Leaving::Gone => {}
        }
    }

    /// Acts on the end of a child; gives whether it was one of this unit's.
    pub fn bury(&mut self, died: Died, world: &mut World) -> bool {
        self.note_logger();
        if self.main.pid() == Some(died.pid) {
            self.find_log_for_next(world);
        }
        if self.main.bury(died, &self.place, world) {
            return true;
        }
        self.log.as_mut().is_some_and(|log| log.bury(died, &self.place, world))
    }

    /// The next moment it wants to be woken.
    pub fn next_timer(&self) -> Option<Instant> {
        let leaving = match self.leaving {
            Leaving::Draining(at) | Leaving::Ending(at) => Some(at),
            Leaving::No | Leaving::Gone => None,
        };
        let log = self.log.as_ref().and_then(Keeper::next_timer);
        time::first([self.main.next_timer(), log, self.locked_out, leaving])
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, world: &mut World) {
        let now = world.now;
        self.note_logger();
        self.main.ring(&self.place, world);
        if let Some(log) = &mut self.log {
            log.ring(&self.place, world);
        }
        if self.locked_out.take_if(|at| *at <= now).is_some() {
            self.try_log(world);
        }
        match self.leaving {
            Leaving::Draining(at) if at <= now => {
                self.place.report.warn_that(b"log service has not ended with its input, sending TERM");
                self.log_command(Command::Term, world);
                self.leaving = Leaving::Ending(now.after(policy::LOG_DRAIN));
            }
            Leaving::Ending(at) if at <= now => {
                self.place.report.warn_that(b"log service does not end, leaving it behind");
                self.leaving = Leaving::Gone;
            }
            Leaving::Draining(_) | Leaving::Ending(_) | Leaving::No | Leaving::Gone => {}
        }
    }

    /// Looks at the services beside this one, if something has changed, and goes on as far as it may.
    #[cfg(feature = "policy")]
    pub fn look(&mut self, world: &mut World) {
        self.main.look(&self.place, world);
    }

    /// Goes a step further on the way out if it can, and tells readers; gives whether the unit is gone.
    pub fn settle(&mut self, world: &mut World) -> bool {
        #[cfg(feature = "pid1")]
        self.tell_of_end();
        if self.leaving == Leaving::No && self.is_down_for_good() {
            self.close_log(world);
        }
        let log_runs = self.log.as_ref().is_some_and(|log| log.pid().is_some());
        if cfg!(feature = "policy") && self.leaving == Leaving::No && self.place.pipe.is_none() && !log_runs {
            // It is not in the directory any more that has taken the place of the old one.
            self.log = None;
        }
        if self.leaving != Leaving::No && !log_runs {
            self.leaving = Leaving::Gone;
        }
        self.main.tell_if_news(&self.place, world);
        if let Some(log) = &mut self.log {
            log.tell_if_news(&self.place, world);
        }
        #[cfg(feature = "policy")]
        self.main.face(&self.place, world);
        self.leaving == Leaving::Gone
    }

    /// Tells whoever has to know that the service is down for good, once.
    #[cfg(feature = "pid1")]
    fn tell_of_end(&mut self) {
        if let Some(to) = self.tells_of_end.take_if(|_| self.main.is_over()) {
            self.place.report.warn_that(b"essential service has ended");
            let code = i32::from(self.main.ended().as_code());
            if let Err(errno) = signal::send_note(to, super::ENDED, code) {
                self.place.report.warn_of(b"unable to tell of that", b"", errno);
                // When something happens next.
                self.tells_of_end = Some(to);
            }
        }
    }

    fn is_down_for_good(&self) -> bool {
        self.main.state().is_gone() && self.main.is_idle()
    }

    /// The service is down for good: its logger gets to the end of its input and is not started again.
    fn close_log(&mut self, world: &mut World) {
        self.leaving = Leaving::Draining(world.now.after(policy::LOG_DRAIN));
        self.place.pipe = None;
        if let Some(log) = self.log.as_mut().filter(|log| log.pid().is_some()) {
            log.feed(Event::Retire, &self.place, world);
        }
    }
}
