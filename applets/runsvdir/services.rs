//! What runsvdir knows of its services: which directory each is, and who supervises it.
//!
//! A service is its directory, whatever its name. Names are not kept: what is to be started is found by the
//! next scan, which a death brings about.

use super::replaced::Called;
use core::ffi::CStr;
use svbox::service::names::{File, Part, path};
#[cfg(feature = "policy")]
use svbox::service::template;
use svbox::supervisor::{Fleet, Number};
use svbox::sys::file::Identity;
use svbox::sys::poll::Poll;
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::table::Table;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, AsRawFd, Errno, OwnedFd, Result, fifo, file};
use svbox::text::Text;

/// More than any machine runs; address space is set aside for so many, memory is taken as they come.
const MOST: usize = 1 << 17;
/// A runsv that ended younger than this, or because it was told to, is started again so long after its end.
pub const PACE: Duration = Duration::from_secs(1);
/// Between the end of somebody else's runsv and the start of ours: it closes its files one by one.
const AFTER_FOREIGN: Duration = Duration::from_millis(10);

/// No directory.
const NOWHERE: Identity = (0, 0, 0, 0);

/// One service.
pub struct Service {
    pub identity: Identity,
    /// What its name is.
    #[cfg_attr(not(feature = "policy"), allow(dead_code))]
    pub called: Called,
    /// The number of the scan that has seen it last.
    pub seen: u32,
    pub state: State,
}

/// What does the work of a runsv.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Runsv {
    /// A child that is one.
    Child(Pid),
    /// This process, by the number of the unit.
    Here(Number),
}

/// Who supervises it.
pub enum State {
    /// Nobody; ours is to be started then.
    Not(Instant),
    /// Our runsv, since then.
    Running(Runsv, Instant),
    /// Our runsv, which has been told to go: the service is not in the directory any more.
    Leaving(Runsv),
    /// A runsv that is not our child, through its control fifo; that hangs up when it ends.
    Foreign(OwnedFd),
}

/// All services.
pub struct Services {
    pub list: Table<Service>,
    /// The number of the last scan.
    pub scan: u32,
}

impl Services {
    pub fn new() -> Result<Self> {
        Ok(Self { list: Table::new(MOST)?, scan: 0 })
    }

    /// Begins a scan: nothing has been seen yet.
    pub fn begin(&mut self) {
        self.scan = self.scan.wrapping_add(1);
    }

    /// The service that is a directory, seen now, if it is known. `hint` is where it may be found: directories are listed in
    /// the same order each time.
    pub fn seen(&mut self, identity: Identity, hint: usize) -> Option<&mut Service> {
        let known = |service: &Service| service.identity == identity;
        let at = match self.list.items().get(hint) {
            Some(service) if known(service) => Some(hint),
            _ => self.list.items().iter().position(known),
        };
        let service = self.list.items().get_mut(at?)?;
        service.seen = self.scan;
        Some(service)
    }

    /// One more, that is to be started at `due`. `None` if there is no more room.
    pub fn add(&mut self, identity: Identity, called: Called, due: Instant) -> Option<&mut Service> {
        self.list.push(Service { identity, called, seen: self.scan, state: State::Not(due) }).ok()
    }

    /// Tells the runsv of each service that the scan has not seen to go, and forgets the service. Gives whether
    /// that could be done; what could not is kept for the next scan.
    pub fn dismiss_unseen(&mut self, fleet: &mut Option<Fleet>) -> bool {
        let scan = self.scan;
        let mut done = true;
        self.list.retain(|service| {
            if service.seen == scan || service.identity == NOWHERE {
                return true;
            }
            if service.stop(fleet).is_err() {
                done = false;
                return true;
            }
            match service.state {
                State::Running(runsv, _) => {
                    service.state = State::Leaving(runsv);
                    service.identity = NOWHERE;
                    true
                }
                State::Not(_) | State::Leaving(_) | State::Foreign(_) => false,
            }
        });
        done
    }

    /// Acts on the end of a runsv; gives when something is to be done about it.
    ///
    /// One that was told to exit, and has, comes back a second later, as in runit: whoever shuts all services down and
    /// then ends us must find them down.
    pub fn gone(&mut self, runsv: Runsv, ended: Ended, now: Instant) -> Option<Instant> {
        let is = |service: &Service| matches!(service.state, State::Running(its, _) | State::Leaving(its) if its == runsv);
        let service = self.list.items().iter_mut().find(|service| is(service))?;
        let State::Running(_, since) = service.state else {
            self.list.retain(|service| !is(service));
            return None;
        };
        let pauses = now.since(since) < PACE || ended.code() == Some(0);
        let due = if pauses { now.after(PACE) } else { now };
        service.state = State::Not(due);
        Some(due)
    }

    /// Acts on the end of a runsv that is not ours, by the number of the descriptor; gives when ours is to start.
    pub fn foreign_gone(&mut self, descriptor: u64, now: Instant) -> Option<Instant> {
        let is = |service: &&mut Service| match &service.state {
            State::Foreign(control) => token(control) == descriptor,
            State::Not(_) | State::Running(..) | State::Leaving(_) => false,
        };
        let due = now.after(AFTER_FOREIGN);
        self.list.items().iter_mut().find(is)?.state = State::Not(due);
        Some(due)
    }

    /// Tells every runsv to go.
    pub fn stop_all(&mut self, fleet: &mut Option<Fleet>) {
        for service in self.list.items() {
            // What does not take it now will not take it later; as process 1 we wait for all of them anyway.
            let _ = service.stop(fleet);
        }
    }

    /// Whether any runsv is there.
    pub fn any_left(&mut self) -> bool {
        self.list.items().iter().any(|service| !matches!(service.state, State::Not(_)))
    }

    /// When the next start is due.
    pub fn next_due(&mut self) -> Option<Instant> {
        let due = |service: &Service| match service.state {
            State::Not(due) => Some(due),
            State::Running(..) | State::Leaving(_) | State::Foreign(_) => None,
        };
        self.list.items().iter().filter_map(due).min()
    }
}

impl Service {
    /// Whether runsv is to be started.
    pub fn is_due(&self, now: Instant) -> bool {
        matches!(self.state, State::Not(due) if due <= now)
    }

    fn stop(&self, fleet: &mut Option<Fleet>) -> Result<()> {
        match &self.state {
            State::Running(Runsv::Child(pid), _) => process::kill(*pid, Signal::TERM),
            State::Running(Runsv::Here(index), _) => {
                if let Some(fleet) = fleet {
                    fleet.leave(*index);
                }
                Ok(())
            }
            State::Foreign(control) => file::write_once(control, b"x").map(|_| ()),
            State::Not(_) | State::Leaving(_) => Ok(()),
        }
    }
}

/// The runsv that is at work for a service directory although it is not ours: left by a runsvdir that was killed,
/// or on its way out after the service was removed and added again. A second one would only fail at its lock.
///
/// Fails if there is such a fifo, but no descriptor to find out with.
pub fn foreign(dir: &OwnedFd, name: &CStr, poll: &Poll) -> Result<Option<OwnedFd>> {
    let mut control = Text::<640>::new();
    control.push(name.to_bytes()).push(b"/");
    #[cfg(feature = "policy")]
    if let Some(argument) = template::argument(dir.as_fd(), name.to_bytes()) {
        control.push(template::INSTANCES.to_bytes()).push(b"/").push(argument).push(b"/");
    }
    control.push(path(Part::Main, File::Control).to_bytes());
    let Some(control) = control.c_str() else { return Ok(None) };
    let control = match fifo::open_write(dir.as_fd(), control) {
        Ok(control) => control,
        Err(errno @ (Errno::MFILE | Errno::NFILE))
            if file::stat(dir.as_fd(), control).is_ok_and(|stat| file::is_fifo(&stat)) =>
        {
            return Err(errno);
        }
        Err(_) => return Ok(None),
    };
    let is_fifo = file::stat_open(&control).is_ok_and(|stat| file::is_fifo(&stat));
    Ok((is_fifo && poll.add_hang_up(&control, token(&control)).is_ok()).then_some(control))
}

fn token(control: &OwnedFd) -> u64 {
    u64::from(control.as_raw_fd().unsigned_abs())
}
