//! Ending whatever a service has brought into the world: what `kill-scope` asks for.

use super::World;
use super::unit::Place;
use crate::service::cgroup::Cgroup;
use crate::service::processes::{self, Process, Processes};
use crate::service::settings::KillScope;
use crate::sys::process::{self, Pid};
use crate::sys::signal::Signal;
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, Errno, Result};
#[cfg(feature = "in-process")]
use {
    crate::service::settings::{Setting, Settings},
    crate::sys::OwnedFd,
    core::ffi::CStr,
};

/// The first pause between two looks at what is left; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How long what has been killed may take to end. After that it waits for a device, and nobody for it.
const HOPELESS: Duration = Duration::from_secs(5);
/// How often in a row all descendants are killed: their children may have been made between two looks.
const PASSES: usize = 8;

/// Children of the supervisor that are not the service's: its logger and the supervisor's own programs.
pub type Helpers = [Option<Pid>; 4];

/// Who belongs to the service that runs.
#[derive(Default)]
enum Bounds {
    /// `./run`.
    #[default]
    Process,
    /// The process group that it leads.
    Group,
    /// Who is in this cgroup.
    Cgroup(Cgroup),
    /// What descends from the supervisor, which orphans come to, but for its helpers.
    Descendants,
}

/// Whose number that of `./run` is.
#[derive(Clone, Copy)]
pub enum Leader {
    /// Its own: it has not been collected.
    Lives(Pid),
    /// It had this one, till now.
    Was(Pid),
    /// That was too long ago.
    Unknown,
}

/// What is to become of what `./run` has left.
#[derive(Clone, Copy)]
pub struct Rest {
    /// When it is killed; at once without.
    pub deadline: Option<Instant>,
    /// Whether the service has had a TERM, and with it all of its group.
    pub told: bool,
}

/// `./run` has ended, and has left something.
struct Sweep {
    leader: Leader,
    due: Instant,
    pause: Duration,
    /// When it is killed, if it has not been.
    kill: Option<Instant>,
    /// When it is given up.
    last: Instant,
}

/// What belongs to the service, and whether it is being ended.
#[derive(Default)]
pub struct Scope {
    bounds: Bounds,
    sweep: Option<Sweep>,
}

impl Scope {
    /// The service is about to be started. What an earlier supervisor has left in its cgroup is killed.
    pub fn prepare(&mut self, scope: KillScope, place: &Place, world: &World) {
        self.bounds = match scope {
            KillScope::Process => Bounds::Process,
            KillScope::Group => Bounds::Group,
            KillScope::Tree => tree(place, world),
        };
        if let Bounds::Cgroup(cgroup) = &self.bounds {
            if !cgroup.is_empty() {
                let _ = cgroup.kill();
            }
            cgroup.clear();
        }
    }

    /// The service is a one-shot that an earlier supervisor has brought up.
    pub fn find_again(&mut self, scope: KillScope, place: &Place) {
        if scope == KillScope::Tree
            && let Ok(cgroup) = Cgroup::make(place.state().as_fd(), place.report.subject.unwrap_or(b""))
        {
            self.bounds = Bounds::Cgroup(cgroup);
        }
    }

    /// The service `leader` is one that an earlier supervisor has started.
    pub fn take_over(&mut self, scope: KillScope, leader: Pid, place: &Place) {
        self.bounds = match scope {
            KillScope::Tree => {
                let name = place.report.subject.unwrap_or(b"");
                match Cgroup::of(leader, place.state().as_fd(), name) {
                    Some(cgroup) => Bounds::Cgroup(cgroup),
                    None => {
                        place.report.warn_that(b"kill-scope is process until the next start: no cgroup");
                        Bounds::Process
                    }
                }
            }
            KillScope::Group if processes::look(leader).is_ok_and(|its| its.group == Some(leader)) => {
                Bounds::Group
            }
            KillScope::Group | KillScope::Process => Bounds::Process,
        };
    }

    /// Called in the child that is to become the service.
    pub fn enter(&self, place: &Place) {
        let done = match &self.bounds {
            // The leader of a session leads a process group already.
            Bounds::Group => process::lead_group().or_else(|errno| match errno {
                Errno::PERM => Ok(()),
                other => Err(other),
            }),
            Bounds::Cgroup(cgroup) => cgroup.enter(),
            Bounds::Process | Bounds::Descendants => Ok(()),
        };
        if let Err(errno) = done {
            place.report.warn_of(b"unable to keep the processes of the service together", b"", errno);
        }
    }

    /// Whether signals that stop or end the service go to all of a process group.
    pub fn is_group(&self) -> bool {
        matches!(self.bounds, Bounds::Group)
    }

    /// Whether something that it has left is being ended.
    pub fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// Kills all there is of the service `leader`, itself among it, or of one that has ended.
    pub fn kill(&mut self, leader: Option<Pid>, helpers: Helpers, place: &Place, now: Instant) {
        match &mut self.sweep {
            None => self.bounds.kill(leader.map_or(Leader::Unknown, Leader::Lives), helpers, place),
            Some(sweep) => {
                self.bounds.kill(sweep.leader, helpers, place);
                (sweep.kill, sweep.last, sweep.due) = (None, now.after(HOPELESS), now.after(PAUSE));
            }
        }
    }

    /// `./run` has ended. Gives whether something is left of the service: that is asked to end, and
    /// killed then, or at once without a deadline.
    pub fn begin(
        &mut self,
        leader: Leader,
        rest: Rest,
        helpers: Helpers,
        place: &Place,
        now: Instant,
    ) -> bool {
        if !self.bounds.has_any(leader, helpers) {
            self.close();
            return false;
        }
        let deadline = rest.deadline;
        match deadline {
            Some(_) if rest.told && self.is_group() => {}
            Some(_) => {
                for signal in [Signal::TERM, Signal::CONT] {
                    self.bounds.signal(signal, leader, helpers);
                }
            }
            None => self.bounds.kill(leader, helpers, place),
        }
        let last = deadline.unwrap_or(now).after(HOPELESS);
        self.sweep = Some(Sweep { leader, due: now.after(PAUSE), pause: PAUSE, kill: deadline, last });
        true
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        let sweep = self.sweep.as_ref()?;
        time::first([Some(sweep.due), sweep.kill])
    }

    /// Looks what is left, if it is time for that; gives whether that is nothing any more.
    pub fn ring(&mut self, helpers: Helpers, place: &Place, now: Instant) -> bool {
        let Some(sweep) =
            self.sweep.as_mut().filter(|sweep| sweep.due <= now || sweep.kill.is_some_and(|at| at <= now))
        else {
            return false;
        };
        let is_late = sweep.kill.take_if(|at| *at <= now).is_some();
        if !self.bounds.has_any(sweep.leader, helpers) {
            self.close();
            return true;
        }
        if is_late {
            // Whoever looks at this late has not killed anybody yet.
            sweep.last = sweep.last.max(now.after(HOPELESS));
        }
        if sweep.last <= now {
            place.report.warn_that(b"processes of the service are left that cannot be killed");
            (self.bounds, self.sweep) = (Bounds::Process, None);
            return true;
        }
        if is_late {
            place.report.warn_that(b"processes of the service do not end in time, sending KILL");
        }
        if sweep.kill.is_none() {
            self.bounds.kill(sweep.leader, helpers, place);
        }
        sweep.due = now.after(sweep.pause);
        sweep.pause = (sweep.pause * 2).min(LONGEST_PAUSE);
        false
    }

    /// Nothing is left.
    fn close(&mut self) {
        if let Bounds::Cgroup(cgroup) = &self.bounds {
            cgroup.remove();
        }
        (self.bounds, self.sweep) = (Bounds::Process, None);
    }
}

impl Bounds {
    /// Whether there is any process within, after the end of the leader.
    fn has_any(&self, leader: Leader, helpers: Helpers) -> bool {
        // Where there is no /proc nothing can be found out, and nothing is waited for.
        let found = |found: Result<bool>| found.unwrap_or_else(|errno| errno != Errno::NOENT);
        match (self, leader) {
            (Self::Process, _) | (Self::Group, Leader::Unknown | Leader::Lives(_)) => false,
            (Self::Group, Leader::Was(leader)) => found(has_members(leader)),
            (Self::Cgroup(cgroup), _) => !cgroup.is_empty(),
            (Self::Descendants, _) => found(has_strays(helpers)),
        }
    }

    fn kill(&self, leader: Leader, helpers: Helpers, place: &Place) {
        match self {
            Self::Cgroup(cgroup) => {
                if let Err(errno) = cgroup.kill() {
                    place.report.warn_of(b"unable to kill the processes of the service", b"", errno);
                }
            }
            Self::Descendants => _ = (0..PASSES).any(|_| !signal_strays(Signal::KILL, helpers)),
            Self::Process | Self::Group => self.signal(Signal::KILL, leader, helpers),
        }
    }

    fn signal(&self, signal: Signal, leader: Leader, helpers: Helpers) {
        match (self, leader) {
            (Self::Process, _) | (Self::Group, Leader::Unknown) => {}
            (Self::Group, Leader::Lives(leader)) => _ = process::kill_group(leader, signal),
            (Self::Group, Leader::Was(leader)) => signal_members(leader, signal),
            (Self::Cgroup(cgroup), _) => cgroup.signal(signal),
            (Self::Descendants, _) => _ = signal_strays(signal, helpers),
        }
    }
}

/// Whether a group whose leader has ended has members. As long as it has, its number is nobody else's: somebody who bears
/// it shows that it had none for a while.
fn has_members(leader: Pid) -> Result<bool> {
    let (mut processes, mut any) = (Processes::list(), false);
    while let Some(its) = processes.next_process() {
        any |= its.group == Some(leader);
        if its.pid == leader {
            return Ok(false);
        }
    }
    processes.end().map(|()| any)
}

/// Sends a signal to each of those, one by one: the number of the group could be another's a moment later.
fn signal_members(leader: Pid, signal: Signal) {
    if !has_members(leader).unwrap_or(false) {
        return;
    }
    let is_member = |pid| processes::look(pid).is_ok_and(|its| its.group == Some(leader));
    let mut processes = Processes::list();
    while let Some(its) = processes.next_process() {
        if its.group == Some(leader) && its.pid != leader {
            let _ = processes::signal(its.pid, signal, is_member);
        }
    }
}

/// Where a cgroup cannot be had, orphans come to the supervisor, if it has no other services whose they could be.
fn tree(place: &Place, world: &World) -> Bounds {
    let why = match Cgroup::make(place.state().as_fd(), place.report.subject.unwrap_or(b"")) {
        Ok(cgroup) => return Bounds::Cgroup(cgroup),
        Err(errno) => errno,
    };
    if !world.is_shared() && process::adopt_orphans().is_ok() {
        return Bounds::Descendants;
    }
    place.report.warn_of(b"unable to make a cgroup, kill-scope is group", b"", why);
    Bounds::Group
}

/// Whether that is so for a service.
#[cfg(feature = "in-process")]
pub fn needs_supervisor(dir: &OwnedFd, name: &CStr) -> bool {
    if Settings::of(dir.as_fd(), &[Setting::KillScope]).kill_scope != KillScope::Tree {
        return false;
    }
    match Cgroup::make(dir.as_fd(), name.to_bytes()) {
        Ok(cgroup) => {
            // It may be that of a service that lives on.
            if cgroup.is_empty() {
                cgroup.remove();
            }
            false
        }
        Err(_) => true,
    }
}

/// Whether a process descends from this one, but not by a helper.
fn is_stray(its: &Process, helpers: Helpers) -> bool {
    processes::branch(its, process::own()).is_some_and(|top| !helpers.contains(&Some(top)))
}

fn has_strays(helpers: Helpers) -> Result<bool> {
    let mut processes = Processes::list();
    while let Some(its) = processes.next_process() {
        if is_stray(&its, helpers) {
            return Ok(true);
        }
    }
    processes.end().map(|()| false)
}

/// Sends a signal to each of those; gives whether there was any.
fn signal_strays(signal: Signal, helpers: Helpers) -> bool {
    let mut any = false;
    let is_still = |pid| processes::look(pid).is_ok_and(|its| is_stray(&its, helpers));
    let mut processes = Processes::list();
    while let Some(its) = processes.next_process() {
        if is_stray(&its, helpers) {
            any |= processes::signal(its.pid, signal, is_still).is_ok();
        }
    }
    any
}
