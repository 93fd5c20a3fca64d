//! What svbox's own files in a service directory change for the service itself, and what has to be remembered for that.
//! As long as there is none of them this is a mark and nothing more.

mod deaths;
mod files;
mod ties;

use super::World;
use super::adopt::{self, Orphan};
use super::keeper::Died;
use super::needs::Bonds;
use super::notice::{Event, Notice, Notifier};
pub use super::ready::Extras;
use super::ready::{Finding, READY, Readiness, SAYS};
use super::scope::{Helpers, Scope};
pub use super::scope::{Leader, Rest};
use super::unit::{self, Heard, Place};
use crate::service::command::Command;
use crate::service::machine::{self, Limit, Phase, State};
use crate::service::needs::{LEAVING, NEEDING};
use crate::service::policy;
use crate::service::settings::{LONGEST, MOST_DEATHS, Setting, Settings};
use crate::sys::apart::Apart;
use crate::sys::process::{Ended, Pid};
use crate::sys::signal::Signal;
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, Errno, Result, file};
use crate::text::{Cut, Text, parse};
use core::ffi::CStr;
use deaths::{FAILED, Verdict, show_failed};
pub use files::Other;
use files::{OWN, is_settled, names};

/// Exit code of `./finish`: the service is not to be started again (s6).
const NEVER_AGAIN: u8 = 125;

/// What is in the place of `./run` in a one-shot.
pub const SETUP: &CStr = c"./setup";

/// What is known of the files.
#[derive(Default)]
pub struct Own {
    /// When the directory was changed last, as it was listed.
    listed: Option<(i64, u32)>,
    /// The files that are there, one bit each.
    names: u32,
    /// Whether `./setup` is in the place of `./run`: what it has done stays when it has ended.
    one_shot: bool,
    /// One of the two has been started: which, is not looked for before that is over.
    is_chosen: bool,
    /// The rest, once there has been such a file; in memory of its own.
    more: Option<Apart<More>>,
}

/// What the files say, and what has happened under them.
// What is looked at most is in front, as in a keeper.
#[repr(C)]
struct More {
    verdict: Verdict,
    failed: bool,
    /// It is stopped because it does not answer.
    unhealthy: bool,
    /// Somebody has asked for its end.
    asked: bool,
    /// How many of the last deaths came one soon after the other.
    streak: u32,
    /// How many deaths there have been.
    count: usize,
    /// How many of them somebody has forgiven by a start.
    forgiven: usize,
    /// Files of which it has been said that they mean nothing.
    told: u32,
    bonds: Bonds,
    settings: Settings,
    readiness: Readiness,
    scope: Scope,
    notifier: Notifier,
    /// When the last deaths were, each in the place that its number has.
    deaths: [Option<Instant>; MOST_DEATHS],
    /// The last ones, as they are shown.
    told_deaths: Text<{ deaths::LONGEST }>,
}

/// How `./run` has ended.
pub struct End {
    /// How.
    pub ended: Ended,
    /// Whether it was told to.
    pub asked: bool,
    /// When it was started.
    pub started: Instant,
    /// And when it ended.
    pub now: Instant,
}

impl Own {
    /// Reads what is there now. Costs one system call as long as there is no such file and the directory is unchanged.
    pub fn refresh(&mut self, place: &Place) {
        let Ok(stat) = file::stat_open(&place.dir) else { return };
        // Unlike that of the content, nobody can set the time of this change.
        let changed = (stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or(0));
        if self.listed != Some(changed) {
            self.names = names(place);
            self.listed = is_settled(changed).then_some(changed);
        }
        if !self.is_chosen {
            self.one_shot = self.may_have(Other::Setup)
                && !self.may_have(Other::Run)
                && file::may_run(place.dir.as_fd(), SETUP);
        }
        if (self.names & OWN != 0 || self.one_shot) && self.more.is_none() {
            self.more = More::new();
        }
        let names = self.names;
        if let Some(more) = self.more() {
            more.read(names, place);
        }
    }

    /// Whether there may be something of this name.
    pub fn may_have(&self, other: Other) -> bool {
        self.names & other.bit() != 0
    }

    fn more(&mut self) -> Option<&mut More> {
        self.more.as_deref_mut()
    }

    fn known(&self) -> Option<&More> {
        self.more.as_deref()
    }

    fn settings(&self) -> &Settings {
        self.known().map_or(&Settings::NONE, |more| &more.settings)
    }

    /// How long something may take.
    pub fn limit(&self, limit: Limit) -> Option<Duration> {
        let settings = self.settings();
        match limit {
            Limit::Ready => settings.ready_within,
            Limit::Stop => settings.kill_after,
            Limit::Finish => settings.finish_within,
        }
    }

    /// The signal that a command sends.
    pub fn signal(&self, command: Command) -> Option<Signal> {
        let (signal, settings) = (command.signal()?, self.settings());
        Some(match signal {
            Signal::TERM => settings.down_signal,
            Signal::HUP => settings.reload_signal,
            other => other,
        })
    }

    /// Has `./notify` told, if it is there.
    pub fn notify(&mut self, event: Event, ended: Ended, place: &Place, world: &World) {
        if !self.may_have(Other::Notify) {
            return;
        }
        if let Some(more) = self.more() {
            more.notifier.tell(Notice { event, ended, count: more.count }, place, world);
        }
    }

    /// There is no service yet: what an earlier supervisor has shown is not true any more.
    pub fn clear(&mut self, place: &Place) {
        for shown in [READY, SAYS, FAILED] {
            let _ = file::remove(place.state().as_fd(), shown);
        }
        self.clear_ties(place);
    }

    /// The service has another directory now, in which nothing is true yet.
    pub fn remove_shown(place: &Place) {
        for shown in [READY, SAYS, FAILED, NEEDING, LEAVING] {
            let _ = file::remove(place.state().as_fd(), shown);
        }
    }

    /// How a service that is about to be started tells that it is ready, for whoever takes it over.
    pub fn tells(&self, extras: &Extras) -> u32 {
        let pipe = extras.descriptor.as_ref().map(|(pipe, _)| pipe);
        adopt::tells(self.is_ready_at_once(), pipe)
    }

    /// The service is one that an earlier supervisor has started.
    // Kept apart, like others with large buffers: a supervisor that never comes by here needs no stack for them.
    #[inline(never)]
    pub fn take_over(&mut self, orphan: &Orphan, place: &Place, world: &World) {
        self.refresh(place);
        self.is_chosen = !orphan.finish;
        self.take_over_ties(place);
        let (was_ready, pipe) = (orphan.tells & 1 != 0, orphan.tells >> 1);
        let is_ready = self.is_ready_at_once() || was_ready;
        let Some(more) = self.more() else { return self.clear(place) };
        let _ = file::remove(place.state().as_fd(), FAILED);
        more.readiness.take_over(is_ready, &more.settings, place, world.now);
        if orphan.finish {
            return more.readiness.ended(place);
        }
        let token = unit::token(place.index, Heard::Service);
        more.readiness.hear_again((orphan.pid, pipe), &more.settings, token, world);
        more.scope.take_over(more.settings.kill_scope, orphan.pid, place);
        self.catch_up(place, world.now);
    }

    /// The files have been read while the service runs.
    pub fn catch_up(&mut self, place: &Place, now: Instant) {
        let is_one_shot = self.one_shot;
        if let Some(more) = self.more().filter(|_| !is_one_shot)
            && more.readiness.catch_up(&more.settings, place, now)
        {
            more.bonds.tell_again();
        }
    }

    /// The service has another directory now.
    pub fn moved(&mut self, life: Option<u32>, place: &Place, now: Instant) {
        self.listed = None;
        self.refresh(place);
        if let Some(more) = self.more() {
            more.readiness.moved(&more.settings, life, place, now);
            if more.failed {
                show_failed(place);
            }
            more.bonds.moved(place);
        }
    }

    /// Somebody has asked for something; gives whether a stop that waits is forgotten for that.
    pub fn commanded(&mut self, command: Command, state: &State, place: &Place, now: Instant) -> bool {
        let Some(more) = self.more() else { return false };
        if matches!(command, Command::Up | Command::Once) {
            // It stays if it was to stop, and does not wait long if it was to start later or not at all.
            more.asked &= state.phase != Phase::Stopping || state.term;
            if !state.has_process() || state.phase == Phase::Finishing || more.scope.is_sweeping() {
                more.pardon();
            }
        }
        if command == Command::Cont {
            more.readiness.go_on_after_pause(&more.settings, now);
        }
        if matches!(command, Command::Term | Command::Kill | Command::Down | Command::Exit) {
            more.asked = true;
            more.unhealthy = false;
        }
        if matches!(command, Command::Down | Command::Exit) {
            more.forgive(place);
        }
        more.commanded(command, state, place)
    }

    /// Whether it has been shown that the service is ready, since it was started.
    pub fn was_ready(&self) -> bool {
        self.known().is_none_or(|more| more.readiness.was_ready())
    }

    /// Whether the service counts as ready when it has been started.
    pub fn is_ready_at_once(&self) -> bool {
        !self.one_shot && !self.settings().tells_ready()
    }

    /// Whether the service is a one-shot: `./setup` is in the place of `./run`, and when that has exited 0 it is up.
    pub fn is_one_shot(&self) -> bool {
        self.one_shot
    }

    /// Whether it may be one that is up already: something shows that it was ready.
    pub fn may_be_up(&self, place: &Place) -> bool {
        file::is_there(place.state().as_fd(), READY)
    }

    /// Whether the service is a one-shot that an earlier supervisor has brought up since the machine was started, of which
    /// `boot` is the number.
    #[inline(never)]
    pub fn is_up_already(&mut self, place: &Place, boot: Option<u32>) -> bool {
        self.refresh(place);
        let mut text = [0; LONGEST];
        let started = file::read_text(place.state().as_fd(), READY, &mut text)
            .ok()
            .and_then(|text| parse(text.trim_ascii()));
        let is_up = self.one_shot && started.is_some() && started == boot.map(u64::from);
        self.is_chosen = is_up;
        if let Some(more) = self.more().filter(|_| is_up) {
            more.readiness.take_over(true, &more.settings, place, Instant::now());
            more.scope.find_again(more.settings.kill_scope, place);
            self.take_over_ties(place);
        }
        is_up
    }

    /// Makes what a service that is about to be started is to have more than runit's: a descriptor, and its number there.
    pub fn prepare(&mut self, extras: &mut Extras, place: &Place, world: &World) -> Result<()> {
        let Some(more) = self.more() else { return Ok(()) };
        (more.unhealthy, more.asked) = (false, false);
        more.readiness.ended(place);
        more.scope.prepare(more.settings.kill_scope, place, world);
        let token = unit::token(place.index, Heard::Service);
        more.readiness.prepare(extras, &more.settings, token, world)
    }

    /// Reads what the service `pid` has said; gives what that means.
    pub fn hear(
        &mut self,
        pid: Option<Pid>,
        runs: bool,
        place: &Place,
        world: &World,
    ) -> Option<machine::Event> {
        let more = self.more()?;
        let finding = more.readiness.hear(pid, &more.settings, place, world.now);
        more.meaning(finding, runs)
    }

    /// Shows that the service is ready; a one-shot since which start of the machine, of which `boot` is the number.
    pub fn show_ready(&mut self, boot: Option<u32>, place: &Place, now: Instant) {
        if let Some(more) = self.more() {
            more.readiness.show(&more.settings, boot, place, now);
        }
    }

    /// Acts on the end of a child; gives what it means, if it was one of these. `runs`: whether the service does.
    pub fn bury(
        &mut self,
        died: &Died,
        runs: bool,
        place: &Place,
        world: &World,
    ) -> Option<Option<machine::Event>> {
        let more = self.more()?;
        if more.notifier.bury(died.pid, place, world) {
            return Some(None);
        }
        let finding = more.readiness.bury((died.pid, died.ended), runs, &more.settings, world.now)?;
        Some(more.meaning(finding, runs))
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        let more = self.known()?;
        let own = [more.notifier.next_timer(), more.readiness.next_timer()];
        time::first([own[0], own[1], more.scope.next_timer(), more.bonds.next_timer()])
    }

    /// Puts the child that is to become the service within its bounds.
    pub fn enter(&self, place: &Place) {
        if let Some(more) = self.known() {
            more.scope.enter(place);
        }
    }

    /// Whether signals that stop or end the service go to all of a process group.
    pub fn is_group(&self) -> bool {
        self.known().is_some_and(|more| more.scope.is_group())
    }

    /// Whether `./run` has ended and what it has left has not.
    pub fn is_sweeping(&self) -> bool {
        self.known().is_some_and(|more| more.scope.is_sweeping())
    }

    /// Kills whatever belongs to the service `leader`, or to one that has ended. `script`: a control script at work.
    pub fn kill(&mut self, leader: Option<Pid>, script: Option<Pid>, place: &Place, now: Instant) {
        if let Some(more) = self.more() {
            let helpers = more.helpers(script, place);
            more.scope.kill(leader, helpers, place, now);
        }
    }

    /// `./run` has ended. Gives whether something is left that has to end as well.
    pub fn begin_sweep(
        &mut self,
        leader: Leader,
        rest: Rest,
        script: Option<Pid>,
        place: &Place,
        now: Instant,
    ) -> bool {
        self.more().is_some_and(|more| {
            let helpers = more.helpers(script, place);
            more.scope.begin(leader, rest, helpers, place, now)
        })
    }

    /// Goes on with that, if it is time to; gives whether it is over.
    pub fn sweep(&mut self, script: Option<Pid>, place: &Place, now: Instant) -> bool {
        self.more().is_some_and(|more| {
            let helpers = more.helpers(script, place);
            more.scope.ring(helpers, place, now)
        })
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, runs: bool, place: &Place, world: &World) -> Option<machine::Event> {
        let more = self.more()?;
        more.notifier.ring(world.now);
        more.bonds.ring(world.now);
        let finding = more.readiness.ring(&more.settings, place, world);
        more.meaning(finding, runs)
    }

    /// The service does not answer, and is stopped for that.
    pub fn falls_ill(&mut self, place: &Place) {
        if let Some(more) = self.more() {
            more.unhealthy = true;
            place.report.warn_that(b"service does not answer, stopping it");
        }
    }

    /// `./run` has been started.
    pub fn started(&mut self, place: &Place, now: Instant) {
        self.is_chosen = true;
        let is_ready = self.is_ready_at_once();
        let Some(more) = self.more() else { return };
        more.readiness.started(is_ready, &more.settings, now);
        more.verdict = Verdict::AGAIN;
        more.forgive(place);
    }

    /// `./run` has ended: what becomes of the service is decided now.
    pub fn ended(&mut self, mut end: End, place: &Place, world: &World) {
        let end = &mut end;
        self.is_chosen = false;
        if let Some(more) = self.more() {
            more.readiness.ended(place);
            // That was us.
            end.asked = (end.asked || more.asked) && !more.unhealthy;
        }
        if !end.asked && (self.names & OWN != 0 || self.one_shot) {
            if let Some(more) = self.more() {
                more.note(end, place);
            }
            self.notify(Event::Died, end.ended, place, world);
        }
        let Some(more) = self.more() else { return };
        let Some(restart) = more.settings.restart.filter(|_| !end.asked) else {
            more.verdict = Verdict::AGAIN;
            more.streak = 0;
            return;
        };
        more.verdict = more.judge(&restart, end);
    }

    /// Something that has a deadline has not happened.
    pub fn overdue(&mut self, phase: Phase, ended: Ended, place: &Place, world: &World) {
        let (what, then): (&[u8], &[u8]) = match phase == Phase::Starting {
            true => (b"become ready", b"stopping it"),
            false => (b"end", b"sending KILL"),
        };
        let who: &[u8] = if phase == Phase::Finishing { b"./finish" } else { b"service" };
        place.report.warn(&[who, b" does not ", what, b" in time, ", then], None);
        if let Some(more) = self.more() {
            // That is its own fault.
            more.unhealthy |= phase == Phase::Starting;
        }
        self.notify(Event::Overdue, ended, place, world);
    }

    /// `./finish` has ended.
    pub fn finished(&mut self, ended: Ended) {
        if let Some(more) = self.more().filter(|more| more.settings.restart.is_some()) {
            more.verdict.failed |= ended.code() == Some(NEVER_AGAIN);
        }
    }

    /// Whether the next start has to wait, after a run that lasted so long.
    pub fn is_early(&self, lived: Duration) -> bool {
        match self.known().filter(|more| more.settings.restart.is_some() && more.streak > 0) {
            Some(more) => more.verdict.failed || !more.verdict.pause.is_zero(),
            None => lived < policy::EARLY || self.is_given_up(),
        }
    }

    /// How long it waits.
    pub fn pause(&self) -> Duration {
        self.known().map_or(policy::PACE, |more| more.verdict.pause)
    }

    /// Whether the service is not started again after this end.
    pub fn is_enough(&self) -> bool {
        self.known().is_some_and(|more| !more.verdict.again)
    }

    /// Whether it is not started again before somebody says so.
    pub fn is_given_up(&self) -> bool {
        self.known().is_some_and(|more| more.verdict.failed)
    }

    /// Says that it is given up.
    pub fn give_up(&mut self, ended: Ended, place: &Place, world: &World) {
        self.notify(Event::Failed, ended, place, world);
        let Some(more) = self.more() else { return };
        more.failed = true;
        place.report.warn_that(b"service has failed, not starting it again");
        show_failed(place);
    }
}

impl More {
    /// Nothing known yet.
    fn new() -> Option<Apart<Self>> {
        let more = Self {
            settings: Settings::NONE,
            told: 0,
            deaths: [None; MOST_DEATHS],
            count: 0,
            forgiven: 0,
            told_deaths: Text::new(),
            streak: 0,
            verdict: Verdict::AGAIN,
            failed: false,
            notifier: Notifier::default(),
            readiness: Readiness::known_late(),
            scope: Scope::default(),
            unhealthy: false,
            asked: false,
            bonds: Bonds::default(),
        };
        Apart::new(more).ok()
    }

    /// The children of the supervisor that are not the service's.
    fn helpers(&self, script: Option<Pid>, place: &Place) -> Helpers {
        [place.logger, script, self.notifier.pid(), self.readiness.check_pid()]
    }

    /// What has been found out means this to the service.
    fn meaning(&mut self, finding: Finding, runs: bool) -> Option<machine::Event> {
        match finding {
            // It is about to end, and need not answer for that.
            Finding::Healthy | Finding::Unhealthy if !runs => None,
            Finding::Nothing => None,
            Finding::Ready => Some(machine::Event::Ready),
            Finding::Healthy => {
                self.unhealthy = false;
                None
            }
            Finding::Unhealthy => Some(machine::Event::Command(Command::Term)),
        }
    }

    /// Reads the files of these names. One that means nothing counts as one that is not there.
    #[inline(never)]
    fn read(&mut self, names: u32, place: &Place) {
        self.settings = Settings::NONE;
        for (index, setting) in
            Setting::ALL.into_iter().enumerate().filter(|(index, _)| names & 1 << index != 0)
        {
            let bit = 1 << index;
            let Some(name) = setting.name() else { continue };
            let mut text = [0; LONGEST];
            let trouble = match file::read_text(place.dir.as_fd(), name, &mut text) {
                Ok(text) if self.settings.set(setting, text) => {
                    self.told &= !bit;
                    continue;
                }
                Ok(text) => Ok(text),
                Err(Errno::NOENT) => continue,
                Err(errno) => Err(errno),
            };
            if self.told & bit != 0 {
                continue;
            }
            self.told |= bit;
            match trouble {
                Ok(text) => {
                    let line = text.before(b'\n');
                    place.report.warn(&[b"ignoring ", name.to_bytes(), b": bad value: ", line], None);
                }
                Err(errno) => place.report.warn_of(b"unable to read ", name.to_bytes(), errno),
            }
        }
    }
}
