//! Process 1: takes the machine through its stages, hears what is asked of it, and collects every orphan.
//!
//! Nothing is allocated, nothing stays open that was not open before, and it ends only where it is not the machine's own
//! process 1 and may not end the machine.

use super::console::Console;
use super::last;
use super::patience::patience;
use super::request::STOP;
use super::side::{CTRL_ALT_DEL, POWER_FAILURE, Program, Side};
use super::stage::{Next, Remark, Stage, after};
use super::watchdog::Watchdog;
use super::{child, request};
use core::ffi::CStr;
use svbox::report::FATAL;
use svbox::sys::args::{self, Args};
use svbox::sys::poll::{self, Direction};
use svbox::sys::power::{self, End};
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::spawn::{More, replace};
use svbox::sys::time::{self, Duration, Instant};
use svbox::sys::{AsFd, Errno, heap};
use svbox::text::{Text, parse};

/// The pause before stage 2 is started again, and the one before anything is tried again that the system refused (runit).
const PACE: Duration = Duration::from_secs(5);

/// Those without a name are signals as well.
const LAST_SIGNAL: i32 = 64;

/// How long a machine that could not be switched off has before it is stopped instead (runit).
const OFF: Duration = Duration::from_secs(2);
/// How long it may take to write everything out; after that the end comes without.
const SYNC: Duration = Duration::from_secs(120);

/// How many signals, and how many ended children, are taken in before the other kind has its turn.
const AT_ONCE: usize = 64;

/// Where the machine is.
#[derive(Clone, Copy)]
enum At {
    /// A stage is to begin at that moment.
    Before(Stage, Instant),
    /// Stage 2 is to begin once more at that moment.
    Again(Instant),
    /// Its program runs.
    In(Stage, Pid),
    /// Stage 2 has been asked to end, and is killed at that moment, if it has not been yet.
    Leaving(Pid, Option<Instant>),
    /// After stage 3; the end is tried at that moment.
    Last(Instant),
    /// A child tries to end the machine, and has until that moment.
    Ending(Pid, Instant),
}

/// What process 1 has been asked for by signals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// What the files say.
    Look,
    CtrlAltDel,
    PowerFailure,
    End(End),
}

/// What is done when stage 2 begins.
#[derive(Default)]
struct Remembered {
    /// It does not begin: this end is asked for.
    end: Option<End>,
    ctrl_alt_del: bool,
    power_failure: bool,
}

const ONLY_IN_STAGE_2: &[u8] = b"signals only work in stage 2";

/// Everything that process 1 remembers.
struct Init {
    signals: Signals,
    console: Console,
    at: At,
    /// The programs beside stage 2 that are at work, by their places.
    sides: [Option<Side>; 2],
    /// What was asked for in stage 1.
    remembered: Remembered,
    /// The kind of end, if it was not asked for by files.
    end: Option<End>,
    /// Whether what waits to be written is to be written first.
    synced: bool,
    /// The exit code, when there is one.
    exit: Option<u8>,
    watchdog: Option<Watchdog>,
    /// Whether ended children may be left to collect.
    busy: bool,
    /// Whether a request to stop was left over from an earlier life and could not be taken back.
    stale: bool,
    /// Whether a stage failed.
    failed: bool,
    /// Whether this is the machine's own process 1.
    is_machine: bool,
}

/// What one process 1 leaves to the next, which it becomes.
pub struct Left {
    /// The program of stage 2.
    stage_2: Pid,
    is_machine: bool,
}

/// How it says so: the option, and whose process 1 it is.
const NAME: &CStr = if cfg!(feature = "init") { c"init" } else { c"runit" };
const STAGE_2: &CStr = c"--stage-2";
const OF_MACHINE: &CStr = c"machine";
const OF_CONTAINER: &CStr = c"container";

impl Left {
    /// Takes it from the command line.
    pub fn read(args: Args) -> Option<Self> {
        if args.get(0)? != STAGE_2 {
            return None;
        }
        let number = parse(args.get(1)?.to_bytes())?;
        let stage_2 = Pid::from_raw(i32::try_from(number).ok()?)?;
        Some(Self { stage_2, is_machine: args.get(2)? == OF_MACHINE })
    }

    /// Becomes the program that has the path of this one now. Comes back only to say why not.
    fn to_next(&self, path: &CStr) -> Errno {
        let mut number = Text::<16>::new();
        number.number(process::number(self.stage_2).into());
        let whose = if self.is_machine { OF_MACHINE } else { OF_CONTAINER };
        let number = number.c_str().unwrap_or(c"");
        // By the name of a program: the path may be that of all programs.
        replace(path, &[NAME, STAGE_2, number, whose], &More::NONE)
    }
}

/// Runs as process 1, from the beginning or from where another one has left; gives the exit code where that may end.
pub fn run(left: Option<&Left>) -> u8 {
    let is_machine = left.map_or_else(power::is_ours, |left| left.is_machine);
    let _ = process::new_session();
    // What runs in the stages finds nothing ignored and nothing blocked.
    (1..=LAST_SIGNAL).filter_map(signal::numbered).for_each(signal::default);
    let heard = heard(is_machine);
    heard.block();
    let console = Console::attach(is_machine);
    let signals = loop {
        match Signals::open(&heard) {
            Ok(signals) => break signals,
            Err(errno) => {
                console.reporter().fatal_of(b"unable to hear signals, pausing", b"", errno);
                rest(PACE);
            }
        }
    };
    // Refused where this is not the machine's; then nobody presses these keys.
    let _ = power::hear_ctrl_alt_del();
    let what: &[u8] = if left.is_some() { b": going on." } else { b": booting." };
    console.say(&[b"svbox ", env!("CARGO_PKG_VERSION").as_bytes(), what]);
    let watchdog = Watchdog::look(None, &console);
    let mut init = Init {
        signals,
        console,
        at: match left {
            Some(left) => At::In(Stage::Two, left.stage_2),
            None => At::Before(Stage::One, Instant::now()),
        },
        sides: [None, None],
        remembered: Remembered::default(),
        end: None,
        synced: true,
        exit: None,
        watchdog,
        // What has ended meanwhile has been told to the one before.
        busy: left.is_some(),
        stale: left.is_none() && forget_old_requests(),
        failed: false,
        is_machine,
    };
    heap::seal();
    if left.is_some() {
        // A signal that was on its way has been lost with the old actions.
        init.look();
    }
    loop {
        if let Some(code) = init.turn() {
            return code;
        }
    }
}

/// Takes back what an earlier life has asked for; gives whether some of it is left.
fn forget_old_requests() -> bool {
    let all = [STOP, request::REBOOT, request::HALT];
    all.iter().for_each(|request| request.take_back(&mut |_, _| {}));
    all.iter().any(|request| request.is_made())
}

fn rest(time: Duration) {
    poll::either([None, None], Some(Instant::now().after(time)));
}

const HALT: i32 = 37;
const POWER_OFF: i32 = 38;
const REBOOT: i32 = 39;
/// Process 1 is to begin anew.
pub const AGAIN: i32 = 59;

/// What is heard: runit's signals, and those by which other inits and the managers of containers ask for an end or for
/// process 1 to begin anew, by the numbers that they have for RTMIN+3, +4, +5 and +25. A container is ended by TERM.
fn heard(is_machine: bool) -> Mask {
    const NAMED: [Signal; 6] =
        [Signal::CHILD, Signal::CONT, Signal::INT, Signal::POWER, Signal::HUP, Signal::PIPE];
    [HALT, POWER_OFF, REBOOT, AGAIN]
        .iter()
        .filter_map(|number| signal::numbered(*number))
        .chain((!is_machine).then_some(Signal::TERM))
        .fold(Mask::of(&NAMED), Mask::with)
}

impl Init {
    /// One turn: does what is due, waits, takes in what happened. Gives the exit code at the end.
    fn turn(&mut self) -> Option<u8> {
        self.do_what_is_due(Instant::now());
        if !self.busy {
            poll::either([Some((self.signals.as_fd(), Direction::In)), None], self.next_timer());
        }
        for _ in 0..AT_ONCE {
            let Some(number) = self.signals.next() else { break };
            self.hear(number);
        }
        // One CHLD can stand for many children, and for some that a turn before has left.
        self.busy = (0..AT_ONCE).all(|_| {
            let ended = process::reap();
            ended.into_iter().for_each(|(pid, ended)| self.ended(pid, ended));
            ended.is_some()
        });
        self.exit
    }

    fn next_timer(&self) -> Option<Instant> {
        let stage = match self.at {
            At::Before(_, due) | At::Again(due) | At::Last(due) | At::Ending(_, due) => Some(due),
            At::Leaving(_, due) => due,
            At::In(..) => None,
        };
        let is_ending = matches!(self.at, At::Ending(..));
        let [first, second] = self.sides.each_ref().map(|side| side.as_ref().and_then(Side::due));
        time::first([stage, first, second, self.watchdog.as_ref().filter(|_| !is_ending).map(Watchdog::due)])
    }

    fn do_what_is_due(&mut self, now: Instant) {
        // An end that hangs is one for the watchdog.
        let is_ending = matches!(self.at, At::Ending(..));
        if let Some(watchdog) = self.watchdog.as_mut().filter(|_| !is_ending) {
            watchdog.pet_if_due(now);
        }
        for side in self.sides.iter_mut().flatten() {
            side.kill_if_late(now);
        }
        match self.at {
            At::Before(stage, due) if due <= now => self.enter(stage),
            At::Again(due) if due <= now => {
                self.warn(&[b"restarting."]);
                self.enter(Stage::Two);
            }
            At::Leaving(pid, Some(due)) if due <= now => {
                self.warn(&[b"stage 2 not terminated, sending sigkill..."]);
                let _ = process::kill(pid, Signal::KILL);
                self.at = At::Leaving(pid, None);
            }
            At::Last(due) if due <= now => self.begin_end(now),
            At::Ending(_, due) if due <= now => {
                self.warn(&[b"unable to write everything out in time"]);
                self.synced = false;
                self.begin_end(now);
            }
            At::Before(..) | At::Again(_) | At::Leaving(..) | At::Last(_) | At::Ending(..) | At::In(..) => {}
        }
    }

    fn warn(&self, parts: &[&[u8]]) {
        self.console.reporter().warn(parts, None);
    }

    fn enter(&mut self, stage: Stage) {
        if self.watchdog.is_none() {
            // Its device may be there now.
            self.watchdog = Watchdog::look(None, &self.console);
        }
        match child::start(stage.path(), stage == Stage::One, &self.console) {
            Ok(pid) => self.at = At::In(stage, pid),
            Err(errno) => {
                let report = self.console.reporter();
                report
                    .fatal(&[b"unable to fork for \"", stage.path().to_bytes(), b"\" pausing"], Some(errno));
                self.at = At::Before(stage, Instant::now().after(PACE));
            }
        }
        if matches!(self.at, At::In(Stage::Two, _)) {
            let remembered = core::mem::take(&mut self.remembered);
            if remembered.ctrl_alt_del {
                self.run_beside(&CTRL_ALT_DEL);
            }
            if remembered.power_failure {
                self.run_beside(&POWER_FAILURE);
            }
        }
    }

    fn hear(&mut self, number: i32) {
        match number {
            HALT => self.ask(Ask::End(End::Halt)),
            POWER_OFF => self.ask(Ask::End(End::PowerOff)),
            REBOOT => self.ask(Ask::End(End::Reboot)),
            AGAIN => self.become_next(),
            _ => match Signal::from_named_raw(number) {
                Some(Signal::CONT) => self.ask(Ask::Look),
                Some(Signal::INT) => self.ask(Ask::CtrlAltDel),
                Some(Signal::POWER) if self.is_machine || POWER_FAILURE.is_there() => {
                    self.ask(Ask::PowerFailure);
                }
                Some(Signal::POWER | Signal::TERM) => self.ask(Ask::End(End::PowerOff)),
                Some(Signal::HUP) => self.watchdog = Watchdog::look(self.watchdog.take(), &self.console),
                _ => {}
            },
        }
    }

    /// Runs the program that has our path in our place: an upgrade, or a root that is to become read-only, which a file
    /// that was removed but runs prevents.
    fn become_next(&self) {
        let At::In(Stage::Two, stage_2) = self.at else { return self.warn(&[ONLY_IN_STAGE_2, b"."]) };
        if self.sides.iter().any(Option::is_some) {
            return self.warn(&[b"a program runs beside stage 2: not going on in another one"]);
        }
        let path = args::executed().unwrap_or(c"/sbin/init");
        let errno = Left { stage_2, is_machine: self.is_machine }.to_next(path);
        self.console.reporter().fatal_of(b"unable to run ", path.to_bytes(), errno);
    }

    fn ask(&mut self, ask: Ask) {
        match (self.at, ask) {
            (At::Leaving(..), Ask::End(end)) => self.end = Some(end),
            // It is stage 2 still, and leaving it already.
            (At::Leaving(..), _) => {}
            (At::In(Stage::Two, _) | At::Before(Stage::Two, _) | At::Again(_), Ask::Look) => self.look(),
            (At::In(Stage::Two, _) | At::Before(Stage::Two, _) | At::Again(_), Ask::End(end)) => {
                self.stop(Some(end));
            }
            (At::In(Stage::Two, _), Ask::CtrlAltDel) => self.run_beside(&CTRL_ALT_DEL),
            (At::In(Stage::Two, _), Ask::PowerFailure) => self.run_beside(&POWER_FAILURE),
            (At::Before(Stage::One | Stage::Two, _) | At::In(Stage::One, _) | At::Again(_), _) => {
                self.remember(ask);
            }
            (At::Before(..) | At::In(..) | At::Last(_) | At::Ending(..), _) => {
                self.warn(&[ONLY_IN_STAGE_2, b"."])
            }
        }
    }

    fn remember(&mut self, ask: Ask) {
        match ask {
            Ask::Look if !STOP.is_made() => return self.warn(&[ONLY_IN_STAGE_2, b"."]),
            // Now, since stage 1 may make its files anew.
            Ask::Look => self.remembered.end = Some(last::asked()),
            Ask::End(end) => self.remembered.end = Some(end),
            Ask::CtrlAltDel => self.remembered.ctrl_alt_del = true,
            Ask::PowerFailure => self.remembered.power_failure = true,
        }
        self.warn(&[ONLY_IN_STAGE_2, b": remembered for it."]);
    }

    /// Ends stage 2 if that is requested.
    fn look(&mut self) {
        if STOP.is_made() {
            self.stop(None);
        }
    }

    /// The same, but as long as the program for a power failure runs it may take the request back that was made for it.
    fn look_unless_vetoed(&mut self) {
        if !self.sides.get(POWER_FAILURE.place()).is_some_and(Option::is_some) {
            self.look();
        }
    }

    /// Runs a program beside stage 2, if there is one and it does not run already.
    fn run_beside(&mut self, program: &'static Program) {
        let Some(side) = self.sides.get_mut(program.place()).filter(|side| side.is_none()) else { return };
        if !program.is_there() {
            return;
        }
        self.console.say(&[program.what()]);
        if program.stops() {
            // It may take the request back.
            let _ = request::make_or_say(STOP, self.console.reporter());
        }
        *side = program.start(&self.console);
        let has_failed = side.is_none();
        if has_failed {
            self.look_unless_vetoed();
        }
    }

    /// Ends stage 2, or goes on with stage 3 where there is no stage 2 to be ended.
    fn stop(&mut self, end: Option<End>) {
        self.end = end.or(self.end);
        STOP.take_back(&mut |_, _| {});
        let now = Instant::now();
        match self.at {
            At::In(Stage::Two, pid) => {
                let _ = process::kill(pid, Signal::TERM);
                self.at = At::Leaving(pid, patience(&self.console).map(|within| now.after(within)));
            }
            At::Again(_) | At::Before(Stage::Two, _) => {
                self.warn(&[b"skipping stage 2..."]);
                self.at = At::Before(Stage::Three, now);
            }
            At::Before(..) | At::In(..) | At::Leaving(..) | At::Last(_) | At::Ending(..) => {}
        }
    }

    /// A child has ended: ours, or one that was left behind.
    fn ended(&mut self, pid: Pid, ended: Ended) {
        let mut looks = false;
        for side in &mut self.sides {
            if let Some(side) = side.take_if(|side| side.is(pid)) {
                side.left(ended, &self.console);
                looks = true;
            }
        }
        if looks {
            return self.look_unless_vetoed();
        }
        match self.at {
            At::In(stage, its) if its == pid => self.stage_ended(stage, pid, ended),
            At::Leaving(its, _) if its == pid => self.leave(Stage::Two, Stage::Three),
            At::Ending(its, _) if its == pid => self.not_ended(last::why(ended)),
            At::In(..) | At::Leaving(..) | At::Before(..) | At::Again(_) | At::Last(_) | At::Ending(..) => {}
        }
    }

    fn stage_ended(&mut self, stage: Stage, pid: Pid, ended: Ended) {
        let (remark, next) = after(stage, ended);
        let path = stage.path().to_bytes();
        match remark {
            Remark::Nothing => {}
            Remark::Failed => self.warn(&[b"child failed: ", path]),
            Remark::Crashed => self.warn(&[b"child crashed: ", path]),
        }
        self.failed |= remark != Remark::Nothing;
        match next {
            Next::Enter(next) => self.leave(stage, next),
            Next::Skip => {
                self.leave(stage, Stage::Three);
                self.warn(&[b"skipping stage 2..."]);
            }
            Next::Restart => {
                self.warn(&[b"killing all processes in stage 2..."]);
                let _ = process::kill_group(pid, Signal::KILL);
                self.at = At::Again(Instant::now().after(PACE));
            }
            Next::End => {
                self.console.say(&[b"leave stage: ", path]);
                last::kill_all(&self.console);
                self.at = At::Last(Instant::now());
            }
        }
    }

    fn leave(&mut self, stage: Stage, next: Stage) {
        self.console.say(&[b"leave stage: ", stage.path().to_bytes()]);
        self.at = At::Before(next, Instant::now());
        if stage != Stage::One {
            return;
        }
        match self.remembered.end {
            Some(end) => self.stop(Some(end)),
            None if self.stale => _ = forget_old_requests(),
            None => {}
        }
    }

    /// Tries to end the machine.
    fn begin_end(&mut self, now: Instant) {
        let end = self.end.unwrap_or_else(last::asked);
        match last::begin(end, self.synced, &self.console) {
            Ok(child) => self.at = At::Ending(child, now.after(SYNC)),
            Err(errno) => self.not_ended(Some(errno)),
        }
    }

    /// The machine has not ended. What is no machine's process 1 has no more to do then.
    fn not_ended(&mut self, why: Option<Errno>) {
        if !self.is_machine {
            self.exit = Some(if self.failed { FATAL } else { 0 });
            return;
        }
        let now = Instant::now();
        if self.end.unwrap_or_else(last::asked) == End::PowerOff {
            self.end = Some(End::Halt);
            self.at = At::Last(now.after(OFF));
            return;
        }
        self.console.reporter().fatal(&[b"unable to end, pausing"], why);
        self.at = At::Last(now.after(PACE));
    }
}
