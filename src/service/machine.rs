//! The decisions of a supervisor about one process it keeps: (state, event) to (state, actions).
//!
//! Pure: no clock, no descriptor, no process. Every pair of phase and event is decided by name, so a new phase
//! does not compile until someone has decided what each event means in it. The phases are more than runit shows:
//! [`super::status::Shown`] says which of its three words a phase is published as.

use super::command::Command;

/// Where a service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// No process, and none is about to be started.
    Down,
    /// The same, but the last run was short and the pause after it is not over.
    Resting,
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
    /// `./run` is up and has not been ready yet.
    Unready,
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
    /// It has ended, or is about to be known to have, and is not to be started again.
    Enough,
    /// It is not to be started again before somebody says so.
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
    /// Report `Overdue` if it has not happened in its time. One that runs already stays.
    Limit(Limit),
    /// Neither `Due` nor `Overdue` is waited for any more.
    Disarm,
}

/// What one event asks for, in order.
pub type Actions = &'static [Action];

use Action::{Cancel, Continue, Disarm, Finish, Kill, Prepare, Publish, Run, Signal, Tell, Wait};
use Phase::{Down, Failed, Finishing, Preparing, Resting, Starting, Stopping, Up, Waiting};

impl State {
    /// A service before anything has happened.
    pub const fn new(want: Want) -> Self {
        Self { phase: Down, want, paused: false, term: false }
    }

    /// Whether `./run` or `./finish` has been started and not ended, as far as the machine knows.
    pub fn has_process(&self) -> bool {
        match self.phase {
            Starting | Up | Stopping | Finishing => true,
            Down | Resting | Preparing | Waiting | Failed => false,
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
        match self.want {
            Want::Up => &[Signal(Command::Term)],
            Want::Once | Want::Down => &[Signal(Command::Term), Continue, Tell(Command::Down)],
            Want::Exit => &[Signal(Command::Term), Continue, Tell(Command::Exit)],
        }
    }

    /// The same as a command: readers are told first, and the deadline runs.
    fn ordered_stop(self, exit: bool) -> (Self, Actions) {
        const STOP: Action = Action::Limit(Limit::Stop);
        let next = self.in_phase(Stopping);
        if exit {
            let list = &[Publish, Signal(Command::Term), Continue, Tell(Command::Exit), STOP];
            return (next.wanted(Want::Exit), list);
        }
        (next.wanted(Want::Down), &[Publish, Signal(Command::Term), Continue, Tell(Command::Down), STOP])
    }

    /// It has not become ready in time: the stop procedure, with its own deadline.
    fn overdue_start(self) -> (Self, Actions) {
        const STOP: Action = Action::Limit(Limit::Stop);
        let list: Actions = match self.want {
            Want::Up => &[Disarm, Signal(Command::Term), STOP],
            Want::Once | Want::Down => &[Disarm, Signal(Command::Term), Continue, Tell(Command::Down), STOP],
            Want::Exit => &[Disarm, Signal(Command::Term), Continue, Tell(Command::Exit), STOP],
        };
        (self.in_phase(Stopping), list)
    }

    /// `./run` has ended.
    fn after_run(self, finish: bool, early: bool) -> (Self, Actions) {
        let next = Self { term: false, ..self };
        if finish {
            return (next.in_phase(Finishing), &[Disarm, Publish, Finish]);
        }
        next.after_all(early)
    }

    /// Nothing is left of the last run.
    fn after_all(self, early: bool) -> (Self, Actions) {
        let next = Self { term: false, ..self };
        match self.want {
            Want::Up if early => (next.in_phase(Waiting), &[Disarm, Publish, Wait(Pause::Pace)]),
            Want::Up => (next.in_phase(Preparing), &[Disarm, Publish, Prepare]),
            Want::Once | Want::Down if early => {
                (next.in_phase(Resting).wanted(Want::Down), &[Disarm, Publish, Wait(Pause::Pace)])
            }
            Want::Once | Want::Down => (next.in_phase(Down).wanted(Want::Down), &[Disarm, Publish]),
            Want::Exit => (next.in_phase(Down), &[Disarm, Publish]),
        }
    }

    /// The start that was ordered or waited for is called off.
    fn called_off(self, want: Want) -> (Self, Actions) {
        (self.in_phase(Down).wanted(want), &[Cancel, Disarm, Publish])
    }

    /// Wanted up no longer than it lives.
    fn once(self) -> Self {
        if self.want == Want::Up { self.wanted(Want::Once) } else { self }
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
        Resting => resting(state, event),
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
        Event::Begin if state.want == Want::Up => (state.in_phase(Preparing), &[Prepare]),
        Event::Command(Command::Up) => (state.in_phase(Preparing).wanted(Want::Up), &[Publish, Prepare]),
        Event::Command(Command::Once) => (state.in_phase(Preparing).wanted(Want::Once), &[Publish, Prepare]),
        Event::Command(command) => idle_command(state, command),
        Event::Retire => (state.wanted(Want::Exit), &[Publish]),
        // Late news of a process or a pause that is already accounted for.
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Unready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::TermSent
        | Event::Enough
        | Event::GiveUp => (state, &[]),
    }
}

fn resting(state: State, event: Event) -> (State, Actions) {
    match event {
        // The distance between two starts is kept, whatever is asked for in between.
        Event::Command(Command::Up) => (state.in_phase(Waiting).wanted(Want::Up), &[Publish]),
        Event::Command(Command::Once) => (state.in_phase(Waiting).wanted(Want::Once), &[Publish]),
        Event::Command(Command::Exit) | Event::Retire => state.called_off(Want::Exit),
        Event::Command(command) => idle_command(state, command),
        Event::Due => (state.in_phase(Down), &[]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Unready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Overdue
        | Event::TermSent
        | Event::Enough
        | Event::GiveUp => (state, &[]),
    }
}

/// A command to a service without a process that is not waiting for a start.
fn idle_command(state: State, command: Command) -> (State, Actions) {
    match command {
        Command::Up => (state.wanted(Want::Up), &[Publish]),
        Command::Once => (state.wanted(Want::Once), &[Publish]),
        Command::Down => (state.wanted(Want::Down), &[Publish]),
        Command::Exit => (state.wanted(Want::Exit), &[Publish]),
        Command::Pause => (state.flagged(true), &[Publish]),
        Command::Cont => (state.flagged(false), &[Publish]),
        Command::Term
        | Command::Kill
        | Command::Hup
        | Command::Alarm
        | Command::Interrupt
        | Command::Quit
        | Command::Usr1
        | Command::Usr2 => (state, &[]),
    }
}

fn preparing(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(Command::Down) => state.called_off(Want::Down),
        Event::Command(Command::Exit) | Event::Retire => state.called_off(Want::Exit),
        Event::Command(command) => idle_command(state, command),
        Event::Prepared => (state, &[Run]),
        Event::Started { ready: true } => (state.started(Up), &[Publish]),
        Event::Started { ready: false } => (state.started(Starting), &[Publish, Action::Limit(Limit::Ready)]),
        Event::NotStarted => (state.in_phase(Waiting), &[Publish, Wait(Pause::Fork)]),
        Event::GiveUp => (state.in_phase(Failed), &[Cancel, Publish]),
        Event::Begin
        | Event::Ready
        | Event::Unready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::TermSent
        | Event::Enough => (state, &[]),
    }
}

fn running(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(command) => running_command(state, command),
        Event::TermSent => {
            let next = State { term: true, ..state.in_phase(Stopping) };
            (next, &[Publish, Action::Limit(Limit::Stop)])
        }
        Event::Ready if state.phase == Starting => (state.in_phase(Up), &[Disarm, Publish]),
        Event::Unready => (state.in_phase(Starting), &[Action::Limit(Limit::Ready)]),
        Event::Ended { finish, early } => state.after_run(finish, early),
        Event::Overdue if state.phase == Starting => state.overdue_start(),
        // It was told to stop for another, and `control/t` has seen to that.
        Event::Overdue => (state, &[Kill]),
        Event::Enough => (state.once(), &[]),
        Event::Retire => (state.wanted(Want::Exit), &[Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Finished { .. }
        | Event::Due
        | Event::GiveUp => (state, &[]),
    }
}

/// A command to a service whose `./run` is there.
fn running_command(state: State, command: Command) -> (State, Actions) {
    match command {
        Command::Up => (state.wanted(Want::Up), &[Publish]),
        Command::Once => (state.wanted(Want::Once), &[Publish]),
        Command::Down => state.ordered_stop(false),
        Command::Exit => state.ordered_stop(true),
        Command::Term => (state, state.stop()),
        Command::Pause => (state.flagged(true), &[Signal(Command::Pause), Publish]),
        Command::Cont => (state.flagged(false), &[Signal(Command::Cont), Publish]),
        Command::Kill => (state, &[Signal(Command::Kill)]),
        Command::Hup => (state, &[Signal(Command::Hup)]),
        Command::Alarm => (state, &[Signal(Command::Alarm)]),
        Command::Interrupt => (state, &[Signal(Command::Interrupt)]),
        Command::Quit => (state, &[Signal(Command::Quit)]),
        Command::Usr1 => (state, &[Signal(Command::Usr1)]),
        Command::Usr2 => (state, &[Signal(Command::Usr2)]),
    }
}

fn stopping(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(command @ (Command::Up | Command::Once)) => {
            let want = if command == Command::Up { Want::Up } else { Want::Once };
            // Without a TERM on its way the process may well stay: then it is simply up.
            if state.term {
                (state.wanted(want), &[Publish])
            } else {
                (state.in_phase(Up).wanted(want), &[Disarm, Publish])
            }
        }
        Event::Command(command) => running_command(state, command),
        Event::TermSent => (State { term: true, ..state }, &[Publish]),
        // It was late, and `control/t` has seen to that.
        Event::Ready if !state.term && matches!(state.want, Want::Up | Want::Once) => {
            (state.in_phase(Up), &[Disarm, Publish])
        }
        Event::Ended { finish, early } => state.after_run(finish, early),
        Event::Overdue => (state, &[Kill]),
        Event::Enough => (state.once(), &[]),
        Event::Retire => (state.wanted(Want::Exit), &[Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Unready
        | Event::Finished { .. }
        | Event::Due
        | Event::GiveUp => (state, &[]),
    }
}

fn finishing(state: State, event: Event) -> (State, Actions) {
    match event {
        // Nothing else can end a finish script that hangs; runit only loses count of it.
        Event::Command(Command::Kill) => (state, &[Kill]),
        Event::Command(command) => idle_command(state, command),
        Event::Started { .. } => (state.started(Finishing), &[Publish, Action::Limit(Limit::Finish)]),
        Event::NotStarted => (state, &[Wait(Pause::Fork)]),
        Event::Due => (state, &[Finish]),
        Event::Finished { early } => state.after_all(early),
        Event::Overdue => (state, &[Kill]),
        Event::Enough => (state.once(), &[]),
        Event::Retire => (state.wanted(Want::Exit), &[Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Ready
        | Event::Unready
        | Event::Ended { .. }
        | Event::TermSent
        | Event::GiveUp => (state, &[]),
    }
}

fn waiting(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(Command::Down) => (state.in_phase(Resting).wanted(Want::Down), &[Publish]),
        Event::Command(Command::Exit) | Event::Retire => state.called_off(Want::Exit),
        Event::Command(command) => idle_command(state, command),
        Event::Due => (state.in_phase(Preparing), &[Prepare]),
        Event::GiveUp => (state.in_phase(Failed), &[Disarm, Publish]),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Unready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Overdue
        | Event::TermSent
        | Event::Enough => (state, &[]),
    }
}

fn failed(state: State, event: Event) -> (State, Actions) {
    match event {
        Event::Command(Command::Up) => (state.in_phase(Preparing).wanted(Want::Up), &[Publish, Prepare]),
        Event::Command(Command::Once) => (state.in_phase(Preparing).wanted(Want::Once), &[Publish, Prepare]),
        Event::Command(Command::Down) => (state.in_phase(Down).wanted(Want::Down), &[Publish]),
        Event::Command(Command::Exit) | Event::Retire => {
            (state.in_phase(Down).wanted(Want::Exit), &[Publish])
        }
        Event::Command(command) => idle_command(state, command),
        Event::Begin
        | Event::Prepared
        | Event::Started { .. }
        | Event::NotStarted
        | Event::Ready
        | Event::Unready
        | Event::Ended { .. }
        | Event::Finished { .. }
        | Event::Due
        | Event::Overdue
        | Event::TermSent
        | Event::Enough
        | Event::GiveUp => (state, &[]),
    }
}
