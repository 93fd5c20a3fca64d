//! One process that is kept: the service's own, or its logger. Carries out what the machine decides.

mod end;
#[cfg(feature = "policy")]
mod look;
#[cfg(feature = "policy")]
mod moved;
mod ready;
mod signal;
mod start;

use super::own::{Leader, Own};
use super::publish::{News, Published};
use super::steps::{Step, Steps};
use super::unit::Place;
use super::{World, adopt};
use crate::service::command::Command;
use crate::service::machine::{self, Action, Event, Limit, Pause, Phase, State, Want};
use crate::service::names::Part;
use crate::service::policy;
use crate::sys::OwnedFd;
use crate::sys::process::{self, Ended, Pid};
use crate::sys::signal::Signal;
use crate::sys::time::{self, Instant};
use crate::tai::Tai;

/// A child that has ended.
#[derive(Clone, Copy)]
pub struct Died {
    /// Which.
    pub pid: Pid,
    /// How.
    pub ended: Ended,
}

/// The process that is there.
struct Process {
    pid: Pid,
    /// Whether it is `./finish`.
    finish: bool,
    /// Held because it is not our child: left behind by a supervisor that was killed.
    hold: Option<OwnedFd>,
}

/// The control script that is at work.
struct Script {
    pid: Pid,
    then: Then,
    /// When it is ended, if it has not by itself.
    due: Option<Instant>,
}

/// What a control script's end brings.
#[derive(Clone, Copy)]
enum Then {
    /// The signal, unless the script took over.
    Signal(Command),
    /// `./run`.
    Prepared,
    /// Nothing.
    Nothing,
}

/// The descriptors in `supervise/` that say that we are here.
pub struct Held {
    /// Locked.
    pub lock: OwnedFd,
    /// The number of that file, once it has been looked for somebody to take over.
    pub inode: u32,
    /// Where commands come from.
    pub control: OwnedFd,
    /// Open for reading, never read.
    pub ok: Option<OwnedFd>,
}

/// One kept process.
// What is looked at most is in front: a smaller distance takes fewer bytes of code.
#[repr(C)]
pub struct Keeper {
    state: State,
    process: Option<Process>,
    script: Option<Script>,
    part: Part,
    news: bool,
    /// Whether it is a one-shot whose work has been done.
    set_up: bool,
    /// Whether `./finish` was there when what is left was to be killed.
    #[cfg(feature = "in-process")]
    finish_seen: bool,
    /// What signals and scripts that wait are meant for.
    target: Option<Pid>,
    due: Option<Instant>,
    overdue: Option<(Limit, Instant)>,
    own: Own,
    ended: Ended,
    held: Held,
    started: Instant,
    since: Tai,
    published: Published,
    steps: Steps,
}

impl Keeper {
    /// One without a process.
    #[inline(never)]
    pub fn new(part: Part, want: Want, held: Held, now: Instant) -> Self {
        Self {
            part,
            state: State::new(want),
            held,
            process: None,
            script: None,
            steps: Steps::default(),
            target: None,
            since: Tai::now(),
            started: now,
            ended: Ended(0),
            due: None,
            overdue: None,
            news: true,
            set_up: false,
            #[cfg(feature = "in-process")]
            finish_seen: false,
            published: Published::nothing(part),
            own: Own::default(),
        }
    }

    /// Takes over what the last supervisor of the directory left behind, if it is still there; gives the token's
    /// holder to be waited for.
    pub fn adopt(&mut self, place: &Place, token: u64, world: &mut World) {
        let Some(orphan) = adopt::find(place.state(), self.part, &mut self.held, world) else {
            if self.part == Part::Main && !self.is_up_already(place, world) {
                self.own.clear(place);
            }
            return;
        };
        // Nobody would tell us of its end.
        if world.poll.add(&orphan.hold, token).is_err() {
            return;
        }
        let term = orphan.status.is_some_and(|status| status.term);
        let phase = match (orphan.finish, term) {
            (true, _) => Phase::Finishing,
            (false, true) => Phase::Stopping,
            (false, false) => Phase::Up,
        };
        let want = match orphan.status.map(|status| status.want) {
            None => orphan.want,
            Some(b'u') => Want::Up,
            Some(_) if term => Want::Down,
            // A supervisor that left has left it behind.
            Some(_) if self.part == Part::Log && self.state.want == Want::Up => Want::Up,
            Some(_) => Want::Once,
        };
        let paused = orphan.status.is_some_and(|status| status.paused);
        self.state = State { phase, want, paused, term };
        self.since = orphan.status.map_or_else(|| Tai::now().before(orphan.age), |status| status.since);
        self.started = world.now.before(orphan.age);
        if self.part == Part::Main {
            self.own.take_over(&orphan, place, world);
        }
        // Its time begins anew.
        if phase != Phase::Up {
            self.limit(if orphan.finish { Limit::Finish } else { Limit::Stop }, world.now);
        }
        self.target = Some(orphan.pid);
        self.process = Some(Process { pid: orphan.pid, finish: orphan.finish, hold: Some(orphan.hold) });
        if phase == Phase::Up {
            self.see_whether_ready(place, world);
        }
    }

    /// Where commands for it are read.
    pub fn held(&mut self) -> &mut Held {
        &mut self.held
    }

    /// Its state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its process, if there is one.
    pub fn pid(&self) -> Option<Pid> {
        self.process.as_ref().map(|process| process.pid)
    }

    /// Whether nothing is left to be done or waited for.
    pub fn is_idle(&self) -> bool {
        let rests = self.process.is_none() && !self.own.is_sweeping();
        rests && self.script.is_none() && self.steps.is_empty() && !self.own.is_leaving()
    }

    /// Whether the service has been up and is down now, and nothing will bring it up again by itself.
    #[cfg(feature = "pid1")]
    pub fn is_over(&self) -> bool {
        let is_down = matches!(self.state.phase, Phase::Down | Phase::Resting | Phase::Failed);
        let stays = self.state.phase == Phase::Failed || is_down && self.state.want != Want::Up;
        self.target.is_some() && stays && self.is_idle()
    }

    /// How its process has ended last.
    #[cfg(feature = "pid1")]
    pub fn ended(&self) -> Ended {
        self.ended
    }

    /// The next moment it wants to be woken.
    pub fn next_timer(&self) -> Option<Instant> {
        let script = self.script.as_ref().and_then(|script| script.due);
        let overdue = self.overdue.map(|(_, at)| at);
        time::first([self.due, overdue, self.published.retry(), script, self.own.next_timer()])
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, place: &Place, world: &mut World) {
        let now = world.now;
        if self.due.take_if(|at| *at <= now).is_some() {
            self.feed(Event::Due, place, world);
        }
        let meaning = self.own.ring(self.answers(), place, world);
        self.learn(meaning, place, world);
        if self.own.sweep(self.script_pid(), place, now) {
            self.all_ended(false, place, world);
        }
        if self.overdue.take_if(|(_, at)| *at <= now).is_some() && !self.own.is_sweeping() {
            self.ring_overdue(place, world);
        }
        if let Some(script) = self.script.as_mut()
            && script.due.take_if(|at| *at <= now).is_some()
        {
            let _ = process::kill(script.pid, Signal::KILL);
        }
        if self.published.retry().is_some_and(|at| at <= now) {
            self.tell(place, world, false);
        }
    }

    /// When what there is has to have ended, if that is fixed.
    #[cfg(feature = "in-process")]
    pub fn deadline(&self) -> Option<Instant> {
        self.overdue.map(|(_, at)| at)
    }

    /// Kills what there is, unless it has a deadline: a control script first, for the service has not had its TERM then.
    /// `others_have_time`: whether another service has a deadline that is not over.
    #[cfg(feature = "in-process")]
    pub fn cut_short(&mut self, others_have_time: bool, place: &Place, world: &mut World) {
        if let Some(script) = self.script.as_ref() {
            if script.due.is_none() {
                let _ = process::kill(script.pid, Signal::KILL);
            }
            return;
        }
        // A finish script that has just come has the time until the next call.
        let is_new = self.state.phase == Phase::Finishing && !core::mem::replace(&mut self.finish_seen, true);
        if self.process.is_some()
            && self.overdue.is_none()
            && !is_new
            && !self.own.is_spared(others_have_time)
        {
            self.own.overdue(self.state.phase, self.ended, place, world);
            self.kill(place, world);
        }
    }

    /// Acts on the end of a child; gives whether it was one of these.
    pub fn bury(&mut self, died: Died, place: &Place, world: &mut World) -> bool {
        if let Some(script) = self.script.take_if(|script| script.pid == died.pid) {
            // It may have made files for what comes now.
            self.refresh(place);
            let event = match script.then {
                Then::Signal(command) if died.ended.code() != Some(0) => self.send(command, place, world),
                Then::Prepared if self.own.may_run(place, world) => Some(Event::Prepared),
                Then::Prepared => {
                    self.steps.push(Step::Prepare);
                    None
                }
                Then::Signal(_) | Then::Nothing => None,
            };
            self.go_on(event, place, world);
            return true;
        }
        if self.pid() != Some(died.pid) {
            let meaning = self.own.bury(&died, self.answers(), place, world);
            self.learn(meaning.flatten(), place, world);
            return meaning.is_some();
        }
        self.process_ended(died.ended, place, world);
        true
    }

    /// The process that was taken over has ended; how, only its parent could know.
    pub fn orphan_ended(&mut self, place: &Place, world: &mut World) {
        if let Some(Process { hold: Some(hold), .. }) = &self.process {
            let _ = world.poll.remove(hold);
            self.process_ended(Ended::UNKNOWN, place, world);
        }
    }

    /// The service has said something.
    pub fn hear(&mut self, place: &Place, world: &mut World) {
        let meaning = self.own.hear(self.pid(), self.answers(), place, world);
        self.learn(meaning, place, world);
    }

    /// Whether `./run` is there and not about to end.
    fn runs(&self) -> bool {
        self.state.phase == Phase::Starting || self.state.phase == Phase::Up
    }

    /// Lets the machine decide, and does it.
    pub fn feed(&mut self, event: Event, place: &Place, world: &mut World) {
        let starts = matches!(event, Event::Command(Command::Up | Command::Once));
        if let Event::Command(command) = event {
            self.commanded(command, starts, place, world);
        }
        self.go_on(Some(event), place, world);
        if starts && self.state.phase == Phase::Up {
            self.see_whether_ready(place, world);
        }
        // Who waits for it, or for whom it waits, may look before its turn comes.
        if self.own.is_seen() {
            self.tell_if_news(place, world);
        }
    }

    fn commanded(&mut self, command: Command, starts: bool, place: &Place, world: &mut World) {
        // A start looks by itself.
        if !starts || self.runs() {
            self.refresh(place);
        }
        self.catch_up(place, world);
        let now = world.now;
        if self.own.commanded(command, &self.state, place, now) {
            self.stay();
        }
        let rests = matches!(self.state.phase, Phase::Waiting | Phase::Resting);
        if let Some(due) = self.due.as_mut().filter(|_| starts && rests) {
            // Whoever asks for it does not wait longer than runit would.
            *due = (*due).min(now.after(policy::PACE));
        }
    }

    /// Forgets a stop that has not begun.
    fn stay(&mut self) {
        for step in [
            Step::Signal(Command::Term),
            Step::Continue,
            Step::Tell(Command::Down),
            Step::Tell(Command::Exit),
        ] {
            self.steps.remove(step);
        }
    }

    /// Reads svbox's own files of the service; its logger has none.
    fn refresh(&mut self, place: &Place) {
        if self.part == Part::Main {
            self.own.refresh(place);
        }
    }

    /// Goes on with what waits; `held` says that nothing may be started yet.
    pub fn resume(&mut self, place: &Place, world: &mut World) {
        self.go_on(None, place, world);
    }

    fn go_on(&mut self, mut event: Option<Event>, place: &Place, world: &mut World) {
        loop {
            while let Some(happened) = event.take() {
                let (state, actions) = machine::step(self.state, happened);
                self.state = state;
                for action in actions {
                    event = self.perform(*action, place, world).or(event);
                }
            }
            event = match self.next_step(place) {
                Some(step) => self.take(step, place, world),
                None => {
                    let is_told = self.state.phase == Phase::Stopping && self.script.is_none();
                    if self.is_set_up() && is_told && !self.own.holds(Step::Signal(Command::Term)) {
                        self.run_ended(Leader::Unknown, place, world);
                    }
                    return;
                }
            };
        }
    }

    /// Does one thing; gives what has come of it at once.
    fn perform(&mut self, action: Action, place: &Place, world: &mut World) -> Option<Event> {
        match action {
            Action::Publish => self.news = true,
            Action::Prepare => {
                self.refresh(place);
                self.own.wait();
                self.steps.push(Step::Prepare);
            }
            Action::Finish => self.steps.push(Step::Finish),
            Action::Run => return Some(self.start(false, place, world)),
            Action::Cancel => self.call_off(),
            Action::Signal(Command::Kill) if !self.has_script(Command::Kill, place) => {
                self.kill(place, world)
            }
            Action::Signal(command) => self.steps.push(Step::Signal(command)),
            Action::Continue => self.steps.push(Step::Continue),
            Action::Tell(command) => self.steps.push(Step::Tell(command)),
            Action::Kill => self.kill(place, world),
            Action::Wait(Pause::Pace) => self.due = Some(world.now.after(self.own.pause())),
            Action::Wait(Pause::Fork) => self.due = Some(world.now.after(policy::FORK_PAUSE)),
            Action::Limit(limit) => self.limit(limit, world.now),
            Action::Disarm => (self.due, self.overdue) = (None, None),
        }
        None
    }

    /// Forgets the start that was ordered, also if its script is at work.
    fn call_off(&mut self) {
        self.steps.remove(Step::Prepare);
        if let Some(script) = self.script.as_mut().filter(|script| matches!(script.then, Then::Prepared)) {
            script.then = Then::Nothing;
        }
    }

    fn limit(&mut self, limit: Limit, now: Instant) {
        if limit == Limit::Stop && self.own.holds(Step::Signal(Command::Term)) {
            // It need not become ready any more.
            self.overdue.take_if(|(running, _)| *running == Limit::Ready);
            return;
        }
        // One that runs stays; that of something else is over.
        if self.overdue.is_none_or(|(running, _)| running != limit) {
            self.overdue = self.own.limit(limit).map(|within| (limit, now.after(within)));
        }
    }

    /// The next step, if no script is at work. A start waits for a log service that cannot be had yet, and for other
    /// services; a stop for those that depend on this one.
    fn next_step(&mut self, place: &Place) -> Option<Step> {
        if self.script.is_some() {
            return None;
        }
        let own = &self.own;
        self.steps.next(|step| (step != Step::Prepare || !place.held_up) && !own.holds(step))
    }

    fn take(&mut self, step: Step, place: &Place, world: &mut World) -> Option<Event> {
        match step {
            Step::Signal(Command::Term) if self.own.is_quiet() => None,
            Step::Signal(command) => match self.run_script(command, Then::Signal(command), place, world) {
                true => None,
                false => self.send(command, place, world),
            },
            Step::Continue => {
                self.signal(Signal::CONT, true);
                None
            }
            Step::Tell(command) => {
                self.run_script(command, Then::Nothing, place, world);
                None
            }
            Step::Prepare => match self.run_script(Command::Up, Then::Prepared, place, world) {
                true => None,
                false => Some(Event::Prepared),
            },
            Step::Finish => {
                self.tell_if_news(place, world);
                Some(self.start(true, place, world))
            }
        }
    }

    /// Tells readers what is new, if anything is.
    pub fn tell_if_news(&mut self, place: &Place, world: &World) {
        if self.news {
            self.tell(place, world, true);
        }
    }

    fn tell(&mut self, place: &Place, world: &World, aloud: bool) {
        self.news = false;
        let mut state = self.state;
        // Otherwise nobody could see that there is something to wait for.
        if state.want == Want::Once && self.own.holds(Step::Prepare) {
            state.want = Want::Up;
        }
        // What it has left is no service.
        if self.own.is_sweeping() && self.process.is_none() {
            state.phase = Phase::Finishing;
        }
        let news = News {
            dir: place.state(),
            part: self.part,
            report: aloud.then_some(&place.report),
            state: &state,
            since: self.since,
            pid: self.pid().map_or(0, process::number),
            first: self.held.ok.is_none(),
        };
        self.published.tell(&news, world.now);
    }
}

/// The number of this life of the machine, or of the container.
fn life(world: &mut World) -> Option<u32> {
    #[cfg(feature = "policy")]
    return adopt::life(world);
    #[cfg(not(feature = "policy"))]
    adopt::boot(world)
}
