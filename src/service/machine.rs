//! The decisions of a supervisor about one process it keeps: (state, event) to (state, actions).
//!
//! Pure: no clock, no descriptor, no process. Every pair of phase and event is decided by name, so a new phase
//! does not compile until someone has decided what each event means in it. The phases are more than runit shows:
//! [`super::status::Shown`] says which of its three words a phase is published as.

use super::command::Command;
use smallvec::SmallVec;

/// Where a service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// No process, and none is about to be started.
    Down,
    /// A start has been ordered: control scripts that are still at work come first, `control/u` among them.
    Preparing,
    /// `./run` is there, and not known to be ready.
    Starting,
    /// `./run` is there and ready.
    Up,
    /// `./run` is there and is to end.
    Stopping,
    /// `./run` has ended; `./finish` is running, or about to.
    Finishing,
    /// A pause before the next start: the last run was short, or no process could be made.
    Waiting,
    /// Given up: started again by command only.
    Failed,
}

/// What is wanted of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Want {
    /// Run, and run again after each end.
    Up,
    /// Run until it ends by itself.
    Once,
    /// Do not run.
    Down,
    /// Do not run, and then the supervisor leaves.
    Exit,
}

/// All that is remembered of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// Where it is.
    pub phase: Phase,
    /// Where it should be.
    pub want: Want,
    /// STOP was asked for, and neither CONT nor a start came after it.
    pub paused: bool,
    /// TERM was sent to the process that is there.
    pub term: bool,
}

/// What can happen to a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The supervisor is ready to serve it.
    Begin,
    /// Somebody asks for something.
    Command(Command),
    /// The way to `./run` is free: control scripts have ended.
    Prepared,
    /// The process that was ordered is there. `ready`: nothing more is to be waited for.
    Started {
        /// Whether it counts as ready at once.
        ready: bool,
    },
    /// The process that was ordered could not be made.
    NotStarted,
    /// `./run` says that it is ready.
    Ready,
    /// `./run` has ended.
    Ended {
        /// Whether there is a `./finish`.
        finish: bool,
        /// Whether it was started so short a time ago that the next start has to wait.
        early: bool,
    },
    /// `./finish` has ended.
    Finished {
        /// As in `Ended`.
        early: bool,
    },
    /// The pause is over.
    Due,
    /// What had a deadline has not happened.
    Overdue,
    /// TERM has reached the process.
    TermSent,
    /// The policy says that it is not to be started again.
    GiveUp,
    /// It is to end by itself and not to be started again: the log service of a supervisor that leaves.
    Retire,
}

/// What has a deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// Becoming ready.
    Ready,
    /// Ending after TERM.
    Stop,
    /// `./finish`.
    Finish,
}

/// Why a start has to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pause {
    /// The last run was short.
    Pace,
    /// No process could be made.
    Fork,
}

/// What the supervisor is to do, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Tell readers.
    Publish,
    /// Run `control/u`, after what is queued, then report `Prepared`.
    Prepare,
    /// Start `./run`, then report `Started` or `NotStarted`.
    Run,
    /// Start `./finish`, after what is queued, then report `Started` or `NotStarted`.
    Finish,
    /// Forget the start that was ordered.
    Cancel,
    /// Consult `control/C`, and send the signal unless that took over.
    Signal(Command),
    /// Send CONT, whatever `control/c` may say.
    Continue,
    /// Run `control/C`; its result means nothing.
    Tell(Command),
    /// Send KILL now.
    Kill,
    /// Report `Due` after a pause.
    Wait(Pause),
    /// Report `Overdue` if it has not happened in the policy's time. One that runs already stays.
    Limit(Limit),
    /// Neither `Due` nor `Overdue` is waited for any more.
    Disarm,
}

/// What one event asks for: never more than the room there is, so it does not allocate.
pub type Actions = SmallVec<[Action; 8]>;

macro_rules! actions {
    ($($action:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut list = Actions::new();
        $(list.push($action);)*
        list
    }};
}

use Action::{Cancel, Continue, Disarm, Finish, Kill, Prepare, Publish, Run, Signal, Tell, Wait};
use Phase::{Down, Failed, Finishing, Preparing, Starting, Stopping, Up, Waiting};

impl State {
    /// A service before anything has happened.
    pub const fn new(want: Want) -> Self {
        Self { phase: Down, want, paused: false, term: false }
    }

    /// Whether `./run` or `./finish` has been started and not ended, as far as the machine knows.
    pub fn has_process(&self) -> bool {
        match self.phase {
            Starting | Up | Stopping | Finishing => true,
            Down | Preparing | Waiting | Failed => false,
        }
    }

    /// Whether it is down and the supervisor was asked to leave.
    pub fn is_gone(&self) -> bool {
        self.phase == Down && self.want == Want::Exit
    }

    const fn in_phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    const fn wanted(self, want: Want) -> Self {
        Self { want, ..self }
    }

    /// The stop procedure: TERM, and if that is to be the end, CONT and a word to the control script.
    fn stop(&self) -> Actions {
        let mut list = actions![Signal(Command::Term)];
        let last = match self.want {
            Want::Up => return list,
            Want::Once | Want::Down => Command::Down,
            Want::Exit => Command::Exit,
        };
        list.extend([Continue, Tell(last)]);
        list
    }

    /// The same as a command: readers are told first, and the deadline runs.
    fn ordered_stop(self, want: Want) -> (Self, Actions) {
        let next = self.in_phase(Stopping).wanted(want);
        let mut list = actions![Publish];
        list.extend(next.stop());
        list.push(Action::Limit(Limit::Stop));
        (next, list)
    }

    /// `./run` has ended.
    fn after_run(self, finish: bool, early: bool) -> (Self, Actions) {
        let next = Self { term: false, ..self };
        if finish {
            return (next.in_phase(Finishing), actions![Disarm, Publish, Finish]);
        }
        next.after_all(early)
    }

    /// Nothing is left of the last run.
    fn after_all(self, early: bool) -> (Self, Actions) {
        let next = Self { term: false, ..self };
        match self.want {
            Want::Up if early => (next.in_phase(Waiting), actions![Disarm, Publish, Wait(Pause::Pace)]),
            Want::Up => (next.in_phase(Preparing), actions![Disarm, Publish, Prepare]),
            Want::Once | Want::Down => (next.in_phase(Down).wanted(Want::Down), actions![Disarm, Publish]),
            Want::Exit => (next.in_phase(Down), actions![Disarm, Publish]),
        }
    }

    /// The start that was ordered or waited for is called off.
    fn called_off(self, want: Want) -> (Self, Actions) {
        (self.in_phase(Down).wanted(want), actions![Cancel, Disarm, Publish])
    }

    fn flagged(self, paused: bool) -> Self {
        Self { paused, ..self }
    }

    fn started(self, phase: Phase) -> Self {
        Self { phase, paused: false, term: false, ..self }
    }
}

/// Decides what an event means.
pub fn step(state: State, event: Event) -> (State, Actions) {
    match state.phase {
        Down => down(state, event),
        Preparing => preparing(state, event),
        Starting | Up => running(state, event),
        Stopping => stopping(state, event),
        Finishing => finishing(state, event),
        Waiting => waiting(state, event),
        Failed => failed(state, event),
    }
}

fn down(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Begin if state.want == Want::Up => (state.in_phase(Preparing), actions![Prepare]),
        Event::Command(Command::Up) => (state.in_phase(Preparing).wanted(Want::Up), actions![Publish, Prepare]),
        Event::Command(Command::Once) => (state.in_phase(Preparing).wanted(Want::Once), actions![Publish, Prepare]),
        Event::Command(command) => idle_command(state, command),
        Event::Retire => (state.wanted(Want::Exit), actions![Publish]),
        // Late news of a process or a pause that is already accounted for.
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::TermSent
        | Event::GiveUp => (state, actions![]),
    }
}

/// A command to a service without a process that is not waiting for a start.
fn idle_command(state: State, command: Command) -> (State, Actions) {
    match command {
        Command::Up => (state.wanted(Want::Up), actions![Publish]),
        Command::Once => (state.wanted(Want::Once), actions![Publish]),
        Command::Down => (state.wanted(Want::Down), actions![Publish]),
        Command::Exit => (state.wanted(Want::Exit), actions![Publish]),
        Command::Pause => (state.flagged(true), actions![Publish]),
        Command::Cont => (state.flagged(false), actions![Publish]),
        Command::Term
        | Command::Kill
        | Command::Hup
        | Command::Alarm
        | Command::Interrupt
        | Command::Quit
        | Command::Usr1
        | Command::Usr2 => (state, actions![]),
    }
}

fn preparing(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(Command::Down) => state.called_off(Want::Down),
        Event::Command(Command::Exit) | Event::Retire => state.called_off(Want::Exit),
        Event::Command(command) => idle_command(state, command),
        Event::Prepared => (state, actions![Run]),
        Event::Started { ready: true } => (state.started(Up), actions![Publish]),
        Event::Started { ready: false } => {
            (state.started(Starting), actions![Publish, Action::Limit(Limit::Ready)])
        }
        Event::NotStarted => (state.in_phase(Waiting), actions![Publish, Wait(Pause::Fork)]),
        Event::GiveUp => (state.in_phase(Failed), actions![Cancel, Publish]),
        Event::Begin
        | Event::Ready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::TermSent => (state, actions![]),
    }
}

fn running(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(command) => running_command(state, command),
        Event::TermSent => {
            let next = State { term: true, ..state.in_phase(Stopping) };
            (next, actions![Publish, Action::Limit(Limit::Stop)])
        }
        Event::Ready if state.phase == Starting => (state.in_phase(Up), actions![Disarm, Publish]),
        Event::Ended { finish, early } => state.after_run(finish, early),
        Event::Overdue if state.phase == Starting => {
            let mut list = actions![Disarm];
            list.extend(state.stop());
            list.push(Action::Limit(Limit::Stop));
            (state.in_phase(Stopping), list)
        }
        Event::Retire => (state.wanted(Want::Exit), actions![Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::GiveUp => (state, actions![]),
    }
}

/// A command to a service whose `./run` is there.
fn running_command(state: State, command: Command) -> (State, Actions) {
    match command {
        Command::Up => (state.wanted(Want::Up), actions![Publish]),
        Command::Once => (state.wanted(Want::Once), actions![Publish]),
        Command::Down => state.ordered_stop(Want::Down),
        Command::Exit => state.ordered_stop(Want::Exit),
        Command::Term => (state, state.stop()),
        Command::Pause => (state.flagged(true), actions![Signal(command), Publish]),
        Command::Cont => (state.flagged(false), actions![Signal(command), Publish]),
        Command::Kill
        | Command::Hup
        | Command::Alarm
        | Command::Interrupt
        | Command::Quit
        | Command::Usr1
        | Command::Usr2 => (state, actions![Signal(command)]),
    }
}

fn stopping(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(command @ (Command::Up | Command::Once)) => {
            let want = if command == Command::Up { Want::Up } else { Want::Once };
            // Without a TERM on its way the process may well stay: then it is simply up.
            if state.term {
                (state.wanted(want), actions![Publish])
            } else {
                (state.in_phase(Up).wanted(want), actions![Disarm, Publish])
            }
        }
        Event::Command(command) => running_command(state, command),
        Event::TermSent => (State { term: true, ..state }, actions![Publish]),
        Event::Ended { finish, early } => state.after_run(finish, early),
        Event::Overdue => (state, actions![Kill]),
        Event::Retire => (state.wanted(Want::Exit), actions![Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Finished { .. }
        | Event::Due
        | Event::GiveUp => (state, actions![]),
    }
}

fn finishing(state: State, event: Event) -> (State, Actions) {
    match event {
        // Nothing else can end a finish script that hangs; runit only loses count of it.
        Event::Command(Command::Kill) => (state, actions![Kill]),
        Event::Command(command) => idle_command(state, command),
        Event::Started { .. } => (state.started(Finishing), actions![Publish, Action::Limit(Limit::Finish)]),
        Event::NotStarted => (state, actions![Wait(Pause::Fork)]),
        Event::Due => (state, actions![Finish]),
        Event::Finished { early } => state.after_all(early),
        Event::Overdue => (state, actions![Kill]),
        Event::Retire => (state.wanted(Want::Exit), actions![Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Ready
        | Event::Ended { .. }
        | Event::TermSent
        | Event::GiveUp => (state, actions![]),
    }
}

fn waiting(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(Command::Down) => state.called_off(Want::Down),
        Event::Command(Command::Exit) | Event::Retire => state.called_off(Want::Exit),
        Event::Command(command) => idle_command(state, command),
        Event::Due => (state.in_phase(Preparing), actions![Prepare]),
        Event::GiveUp => (state.in_phase(Failed), actions![Disarm, Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Overdue
        | Event::TermSent => (state, actions![]),
    }
}

fn failed(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(Command::Up) => (state.in_phase(Preparing).wanted(Want::Up), actions![Publish, Prepare]),
        Event::Command(Command::Once) => (state.in_phase(Preparing).wanted(Want::Once), actions![Publish, Prepare]),
        Event::Command(Command::Down) => (state.in_phase(Down).wanted(Want::Down), actions![Publish]),
        Event::Command(Command::Exit) | Event::Retire => (state.in_phase(Down).wanted(Want::Exit), actions![Publish]),
        Event::Command(command) => idle_command(state, command),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::TermSent
        | Event::GiveUp => (state, actions![]),
    }
}
