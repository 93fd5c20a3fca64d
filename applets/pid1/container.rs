//! The life of a container.

use super::patience::patience;
use super::place::Place;
use super::{MISUSE, Options, child, reporter, variables};
use svbox::report::{FATAL, Failure};
use svbox::supervisor::ENDED;
use svbox::sys::args::Args;
use svbox::sys::exec::Environment;
use svbox::sys::poll::{self, Direction};
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::time::{self, Duration, Instant};
use svbox::sys::{AsFd, Errno, Result, heap, power};
use svbox::text::Text;

/// How long what has been killed may take to end.
const LAST: Duration = Duration::from_secs(1);
/// Between the end of a runsvdir that was killed and the next one.
const PACE: Duration = Duration::from_secs(1);
/// What a process that was killed looks like.
const KILLED: u8 = 128 + 9;
/// How many signals, and how many ended children, are taken in before the other kind has its turn.
const AT_ONCE: usize = 64;

/// How far the end has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// The command is to end.
    Command,
    /// The services are.
    Services,
    /// Whatever is left is.
    Rest,
    Over,
}

/// Why it ends.
#[derive(Clone, Copy)]
enum Why {
    Signal(i32),
    Command(Ended),
    /// An essential service has, with this code.
    Essential(u8),
    /// runsvdir has.
    Services(Ended),
}

/// Everything that is remembered.
pub struct Container {
    signals: Signals,
    /// What programs find blocked.
    mask: Mask,
    /// What the command and the services get.
    environments: [Environment; 2],
    place: Option<Place>,
    command: Option<Pid>,
    services: Option<Pid>,
    /// When the services are to be started again.
    again: Option<Instant>,
    phase: Phase,
    /// How long all may take to stop; when what has not is killed; and whether it has been.
    patience: Option<Duration>,
    due: Option<Instant>,
    killed: bool,
    why: Why,
    /// Whether it is process 1, so that every orphan is its child and every process in its reach.
    is_first: bool,
    /// Whether ended children may be left to collect, or no child at all.
    busy: bool,
    childless: bool,
}

/// Starts everything, and runs until the end; gives the exit code.
pub fn run(options: &Options) -> core::result::Result<u8, Failure> {
    let is_machine = power::is_ours();
    let ended = Container::new(options).and_then(|mut container| {
        heap::seal();
        container.start_services().map_err(refused)?;
        container.start_command(options.command)?;
        while container.phase != Phase::Over {
            container.turn();
        }
        container.say_why();
        Ok(container.code())
    });
    if is_machine {
        switch_off();
    }
    ended
}

fn refused(errno: Errno) -> Failure {
    reporter().fatal_of(b"unable to start", b"", errno);
    Failure::Said(FATAL)
}

/// The end of what is no container. Comes back if it is one after all: who may not end the machine is not its process 1.
pub fn switch_off() {
    loop {
        power::sync();
        if power::end(power::End::PowerOff) == Err(Errno::PERM) {
            return;
        }
        time::pause();
    }
}

impl Container {
    fn new(options: &Options) -> core::result::Result<Self, Failure> {
        let is_first = process::is_first();
        signal::default(Signal::CHILD);
        // What comes from here on is kept: making room for the state of many services takes a while.
        let mask = Mask::all().block();
        let signals = Signals::open(&Mask::all()).map_err(refused)?;
        if !is_first {
            process::adopt_orphans().map_err(refused)?;
        }
        let place = Place::find(options)?;
        if place.is_none() && options.command.is_empty() {
            reporter().fatal(&[b"neither a command nor a directory of services"], None);
            return Err(Failure::Said(MISUSE));
        }
        let services = if options.clean { variables::clean() } else { Ok(Environment::inherited()) };
        let mut environments = [Environment::inherited(), services.map_err(refused)?];
        if let Some(place) = &place {
            environments.iter_mut().try_for_each(|environment| place.tell(environment)).map_err(refused)?;
        }
        Ok(Self {
            signals,
            mask: mask.without(Signal::CHILD),
            environments,
            // A command alone is stopped by whoever has started it, unless a time was said.
            patience: options.patience,
            place,
            command: None,
            services: None,
            again: None,
            phase: Phase::Running,
            due: None,
            killed: false,
            why: Why::Signal(0),
            is_first,
            // What the program before has left to this one may have ended before its end could be heard.
            busy: true,
            childless: false,
        })
    }

    fn start_services(&mut self) -> Result<()> {
        if let Some(place) = &self.place {
            // TERM must not kill it before it has found out how to hear it.
            let mask = self.mask.with(Signal::TERM);
            let [_, environment] = &self.environments;
            self.services = Some(child::services(place.scan, environment, &mask)?);
        }
        Ok(())
    }

    /// Starts runsvdir again, now or as soon as that can be done; when it has to stop, it is told so at once.
    fn replace_services(&mut self) {
        match self.start_services() {
            Ok(()) if self.phase == Phase::Services => end(self.services),
            Ok(()) => {}
            Err(errno) => {
                reporter().warn_of(b"unable to start runsvdir, pausing", b"", errno);
                self.again = Some(Instant::now().after(PACE));
            }
        }
    }

    /// Starts the command. Without a child for it the services that have been started are stopped.
    fn start_command(&mut self, command: Args) -> core::result::Result<(), Failure> {
        if command.is_empty() {
            return Ok(());
        }
        let [environment, _] = &self.environments;
        match child::command(command, environment, &self.mask).map_err(refused) {
            Ok(pid) => self.command = Some(pid),
            Err(failure) if self.place.is_none() => return Err(failure),
            Err(_) => self.stop(Why::Command(Ended::exit(FATAL))),
        }
        while self.go_on() {}
        Ok(())
    }

    /// One turn: does what is due, waits, takes in what happened, goes on with the end.
    fn turn(&mut self) {
        let now = Instant::now();
        if self.again.take_if(|again| *again <= now).is_some() {
            self.replace_services();
        }
        if self.due.take_if(|due| *due <= now).is_some() {
            self.kill(now);
        }
        if !self.busy {
            let until = time::first([self.again, self.due]);
            poll::either([Some((self.signals.as_fd(), Direction::In)), None], until);
        }
        for _ in 0..AT_ONCE {
            let Some((number, value)) = self.signals.next_note() else { break };
            self.hear(number, value);
        }
        self.busy = (0..AT_ONCE).all(|_| self.collect());
        while self.go_on() {}
    }

    /// Collects a child that has ended; gives whether there was one.
    fn collect(&mut self) -> bool {
        let ended = process::reap_any();
        self.childless = ended.is_err();
        if let Ok(Some((pid, ended))) = ended {
            self.ended(pid, ended);
        }
        matches!(ended, Ok(Some(_)))
    }

    fn hear(&mut self, number: i32, value: Option<i32>) {
        if number == Signal::CHILD.as_raw() {
            return;
        }
        if let (ENDED, Some(code), true) = (number, value, self.place.is_some()) {
            return self.stop(Why::Essential(u8::try_from(code).unwrap_or(u8::MAX)));
        }
        let asks_to_stop = asks_to_stop(number);
        if asks_to_stop && self.place.is_some() {
            return self.stop(Why::Signal(number));
        }
        if let Some(command) = self.command {
            let _ = process::relay(Some(command), number);
            if asks_to_stop && self.due.is_none() {
                self.due = self.patience().map(|patience| Instant::now().after(patience));
            }
        }
    }

    /// How long all may take to stop.
    fn patience(&self) -> Option<Duration> {
        self.patience.or_else(|| self.place.as_ref().map(|place| patience(place.scan)))
    }

    fn ended(&mut self, pid: Pid, ended: Ended) {
        if self.command.take_if(|its| *its == pid).is_some() {
            self.stop(Why::Command(ended));
        }
        if self.services.take_if(|its| *its == pid).is_none() {
            return;
        }
        match (ended.code(), self.phase) {
            // Whoever has killed it, the supervisors are alive: the next one takes them on, and stops them if need be.
            (None, Phase::Running) => self.again = Some(Instant::now().after(PACE)),
            (None, _) if !self.killed => self.replace_services(),
            (Some(_), _) => self.stop(Why::Services(ended)),
            (None, _) => {}
        }
    }

    /// The end begins, if it has not.
    fn stop(&mut self, why: Why) {
        if self.phase != Phase::Running {
            return;
        }
        self.why = why;
        if self.again.take().is_some() {
            // Without it nobody knows the supervisors.
            self.replace_services();
        }
        self.phase = Phase::Command;
        self.due = self.patience().map(|patience| Instant::now().after(patience));
        end(self.command);
    }

    /// Goes a step further to the end, if it can.
    fn go_on(&mut self) -> bool {
        self.phase = match self.phase {
            Phase::Command if self.command.is_none() && self.place.is_none() => Phase::Over,
            Phase::Command if self.command.is_none() => {
                end(self.services);
                Phase::Services
            }
            Phase::Services if self.services.is_none() && self.again.is_none() => {
                if self.is_first {
                    for signal in [Signal::TERM, Signal::CONT] {
                        let _ = process::relay(None, signal.as_raw());
                    }
                }
                Phase::Rest
            }
            Phase::Rest if self.childless || !self.is_first => Phase::Over,
            Phase::Running | Phase::Command | Phase::Services | Phase::Rest | Phase::Over => return false,
        };
        true
    }

    /// Kills what has not stopped in time; what has not even ended then is left to the kernel.
    fn kill(&mut self, now: Instant) {
        if self.killed {
            self.phase = Phase::Over;
            return;
        }
        self.killed = true;
        self.due = Some(now.after(LAST));
        let kill = Signal::KILL.as_raw();
        match self.is_first {
            true => _ = process::relay(None, kill),
            false => [self.command, self.services].into_iter().flatten().for_each(|pid| {
                let _ = process::relay(Some(pid), kill);
            }),
        }
    }

    /// The exit code.
    fn code(&self) -> u8 {
        match self.why {
            _ if self.killed && self.place.is_some() => KILLED,
            Why::Signal(_) => 0,
            Why::Command(ended) | Why::Services(ended) => ended.as_code(),
            Why::Essential(code) => code,
        }
    }

    fn say_why(&self) {
        let (what, ended): (&[u8], _) = match self.why {
            Why::Signal(number) => (b"stopped", Ended(number)),
            Why::Command(ended) => (b"command has ended", ended),
            Why::Essential(code) => (b"essential service has ended", Ended::exit(code)),
            Why::Services(ended) => (b"services have ended", ended),
        };
        let mut how = Text::<32>::new();
        match ended.code() {
            Some(code) => how.push(b": exit ").number(code.into()),
            None => how.push(b": signal ").number(u64::from(ended.signal_byte() & 0x7f)),
        };
        let killed: &[u8] = if self.killed { b"; not all had stopped in time and were killed" } else { b"" };
        reporter().say(b"", &[what, how.bytes(), killed], None);
    }
}

/// Asks a process to end.
fn end(pid: Option<Pid>) {
    if let Some(pid) = pid {
        for signal in [Signal::TERM, Signal::CONT] {
            let _ = process::kill(pid, signal);
        }
    }
}

/// Whether a signal asks for the end: those of managers of containers, those by which other inits are halted, switched
/// off or restarted (RTMIN+3, +4, +5), and CONT if runit's file says so.
fn asks_to_stop(number: i32) -> bool {
    const ASKING: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::POWER];
    ASKING.iter().any(|signal| signal.as_raw() == number) || (37..=39).contains(&number) || is_request(number)
}

fn is_request(number: i32) -> bool {
    #[cfg(feature = "process-1")]
    if number == Signal::CONT.as_raw() {
        let request = crate::applets::init::request::STOP;
        let is_made = request.is_made();
        request.take_back(&mut |_, _| {});
        return is_made;
    }
    false
}
