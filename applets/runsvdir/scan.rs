//! Looking through the scan directory: what is new is started, what is gone is dismissed.

use super::RunSvDir;
use super::chain::state;
use super::replaced;
use super::services::{self, PACE, Runsv, State};
use super::start::Starter;
use core::ffi::CStr;
use svbox::supervisor::Fleet;
use svbox::sys::file::{self, Identity};
use svbox::sys::poll::Poll;
use svbox::sys::time::{self, Duration, Instant};
use svbox::sys::{AsFd, Errno, OwnedFd, Result, dir};

/// Changes within this time of a scan are taken together: a burst of new names costs a few scans, not one each.
const BURST: Duration = Duration::from_millis(10);
/// Between two tries when the system refuses something.
pub const RETRY: Duration = Duration::from_secs(1);
/// Between two looks where nothing tells us, and between two complaints about a directory that is missing.
const LOOK: Duration = Duration::from_secs(5);
/// How old a directory has to be that was made in place: whoever makes it is still putting its files there.
const SETTLED: Duration = Duration::from_secs(1);

/// What a scan directory looks like: device, inode, time of the last change.
type Looks = (u64, u64, i64, u64);

/// When to look, and why.
pub struct Pace {
    /// The next scan.
    due: Option<Instant>,
    /// The next look whether there is anything to scan for.
    look: Option<Instant>,
    last: Option<Instant>,
    /// Whether names have changed, or may have: only then is it news that one leads nowhere.
    told: bool,
    /// The directory as the last scan found it.
    before: Option<Looks>,
    /// The last scan found names that lead to where we may not go.
    barred: bool,
    /// The scan before that was one of the same directory: names mean the same.
    same: bool,
}

/// Whether that is so.
fn is_same(before: Option<Looks>, now: Option<Looks>) -> bool {
    let which = |looks: Option<Looks>| looks.map(|(device, inode, ..)| (device, inode));
    cfg!(feature = "policy") && before.is_some() && which(before) == which(now)
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { due: Some(now), look: None, last: None, told: true, before: None, barred: false, same: false }
    }

    /// The next moment to be woken at.
    pub fn next(&self) -> Option<Instant> {
        time::first([self.due, self.look])
    }

    /// A scan is wanted then at the latest.
    #[inline(never)]
    pub fn ask(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// The directory has changed.
    pub fn changed(&mut self, now: Instant) {
        self.told = true;
        let earliest = self.last.map_or(now, |last| last.after(BURST));
        self.ask(now.max(earliest));
    }
}

/// How a listing went.
struct Listing {
    /// How many names that are not hidden.
    count: usize,
    /// Nothing can be said about what was not seen.
    partial: bool,
    /// Some names lead to where we may not go.
    barred: bool,
    /// Some may be known directories under which others are now.
    unclear: bool,
}

/// Which time the names are gone through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    /// All that are there have been seen.
    Second,
}

impl RunSvDir {
    /// Scans if it is time to.
    pub fn scan_if_due(&mut self, now: Instant) {
        if self.pace.look.take_if(|at| *at <= now).is_some() {
            self.look(now);
        }
        if self.pace.due.take_if(|at| *at <= now).is_some() {
            self.scan(now);
        }
    }

    /// Looks whether the directory has changed or is another one.
    pub fn look(&mut self, now: Instant) {
        let found = file::stat(file::CWD, self.path).ok().map(|stat| state(&stat));
        if found != self.pace.before {
            self.chain.stale = true;
            self.pace.changed(now);
        }
        self.look_again(now);
    }

    /// Where not everything is told, it has to be looked for.
    fn look_again(&mut self, now: Instant) {
        self.pace.look = self.chain.needs_polling().then(|| now.after(LOOK));
        self.chain.stale |= self.chain.needs_polling();
    }

    /// Scans, and lets the next scan come when one is needed.
    pub fn scan(&mut self, now: Instant) {
        if self.chain.stale {
            self.chain.follow(self.path, &self.starter.report, &self.poll, super::WATCH);
        }
        let told = core::mem::take(&mut self.pace.told);
        let before = self.pace.before.take();
        match self.open() {
            Some(dir) => {
                self.pace.same = is_same(before, self.pace.before);
                self.scan_open(&dir, now, told);
                if let Some(due) = self.services.next_due() {
                    self.pace.ask(due);
                }
            }
            None => {
                self.pace.told = true;
                self.pace.ask(now.after(LOOK));
            }
        }
        self.pace.last = Some(Instant::now());
        self.look_again(now);
    }

    /// Opens the scan directory, or says why that is impossible.
    fn open(&mut self) -> Option<OwnedFd> {
        let opened = dir::open(file::CWD, self.path);
        let trouble: (&[u8], Errno) = match (&opened, file::stat(file::CWD, self.path)) {
            (_, Err(errno)) => (b"unable to stat ", errno),
            (Err(errno @ Errno::NOTDIR), Ok(_)) => (b"unable to change directory to ", *errno),
            (Err(errno), Ok(_)) => (b"unable to open directory ", *errno),
            (Ok(dir), Ok(stat)) => match file::may_enter(dir.as_fd()) {
                Ok(()) => {
                    self.pace.before = Some(state(&stat));
                    return opened.ok();
                }
                Err(errno) => (b"unable to change directory to ", errno),
            },
        };
        let (what, errno) = trouble;
        self.starter.report.warn(&[what, self.path.to_bytes()], Some(errno));
        None
    }

    fn scan_open(&mut self, dir: &OwnedFd, now: Instant, told: bool) {
        self.services.begin();
        if let Some(fleet) = &mut self.fleet {
            fleet.scans(dir);
        }
        let mut listing = Listing { count: 0, partial: false, barred: false, unclear: false };
        let mut read = self.list(dir, now, told, Pass::First, &mut listing);
        if cfg!(feature = "policy") && listing.unclear && read.is_ok() && !listing.partial {
            // From its beginning.
            read = dir::open(dir.as_fd(), c".")
                .and_then(|dir| self.list(&dir, now, false, Pass::Second, &mut listing));
        }
        if let Err(errno) = read {
            self.starter.report.warn_of(b"unable to read directory ", self.path.to_bytes(), errno);
        }
        // Where we may not go there is nothing for us, unless it was only this once.
        let barred_before = core::mem::replace(&mut self.pace.barred, listing.barred);
        if listing.barred {
            self.pace.ask(now.after(LOOK));
        }
        if read.is_err() || listing.partial || listing.barred && !barred_before {
            // Nothing is dismissed because of what may be there after all.
            return self.pace.ask(now.after(if read.is_err() { RETRY } else { LOOK }));
        }
        if !self.services.dismiss_unseen(&mut self.fleet) {
            self.pace.ask(now.after(RETRY));
        }
    }

    /// Goes through the names.
    #[cfg_attr(not(feature = "policy"), inline(always))]
    fn list(
        &mut self,
        dir: &OwnedFd,
        now: Instant,
        told: bool,
        pass: Pass,
        listing: &mut Listing,
    ) -> Result<()> {
        listing.count = 0;
        dir::each_name(dir, |name, in_place| {
            if !name.to_bytes().starts_with(b".") && !is_template(name) {
                match self.entry(dir, name, in_place, listing.count, (now, told, pass)) {
                    Ok(is_clear) => listing.unclear |= !is_clear,
                    Err(Errno::ACCESS) => listing.barred = true,
                    Err(_) => listing.partial = true,
                }
                listing.count += 1;
            }
        })
    }

    /// Sees to one name; gives whether it is clear which service it stands for. Fails if it is not known what it stands for.
    #[inline(never)]
    fn entry(
        &mut self,
        dir: &OwnedFd,
        name: &CStr,
        in_place: bool,
        hint: usize,
        (now, told, pass): (Instant, bool, Pass),
    ) -> Result<bool> {
        let found = match file::look(dir.as_fd(), name) {
            Ok(found) if found.directory => found,
            Ok(_) => return Ok(true),
            Err(errno) => {
                if told {
                    self.starter.report.warn_of(b"unable to stat ", name.to_bytes(), errno);
                }
                // These say that there is nothing to be had under the name; anything else says nothing.
                let nothing = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NAMETOOLONG];
                return if nothing.contains(&errno) { Ok(true) } else { Err(errno) };
            }
        };
        let fresh = in_place && self.pace.last.is_some();
        let due = if fresh { now.after(unsettled(found.changed)) } else { now };
        let identity = identity(dir, name, found.identity);
        let service = match self.services.seen(identity, hint) {
            Some(service) => Some(service),
            None => {
                let called = replaced::called(dir, name);
                let may = self.pace.same && self.services.may_replace(called, dir);
                let unclear = may && pass == Pass::First;
                if unclear || may && self.services.replace(called, identity, (dir, name), &mut self.fleet) {
                    return Ok(!unclear);
                }
                self.services.add(identity, called, due)
            }
        };
        match service {
            Some(service) if service.is_due(now) => {
                service.state = start(&mut self.starter, &mut self.fleet, &self.poll, dir, name)
            }
            Some(_) => {}
            None => {
                let text: [&[u8]; 3] = [b"unable to start runsv ", name.to_bytes(), b": too many services."];
                self.starter.report.warn(&text, None);
            }
        }
        Ok(true)
    }
}

/// Whether it is no service but what services are made from.
#[cfg_attr(not(feature = "policy"), allow(unused_variables))]
fn is_template(name: &CStr) -> bool {
    #[cfg(feature = "policy")]
    return svbox::service::template::is_template(name.to_bytes());
    #[cfg(not(feature = "policy"))]
    false
}

/// Which service a name stands for: a directory, and of a template also the argument.
#[cfg_attr(not(feature = "policy"), allow(unused_variables))]
fn identity(dir: &OwnedFd, name: &CStr, found: Identity) -> Identity {
    #[cfg(feature = "policy")]
    if let Some(argument) = svbox::service::template::argument(dir.as_fd(), name.to_bytes()) {
        // In the place of the time of birth.
        let ((device, inode, _, part), hash) = (found, svbox::text::spread(argument));
        return (device, inode, i64::from_ne_bytes(hash.to_ne_bytes()), !part);
    }
    found
}

/// Sees to it that a directory is supervised, unless somebody is at work there.
#[inline(never)]
fn start(starter: &mut Starter, fleet: &mut Option<Fleet>, poll: &Poll, dir: &OwnedFd, name: &CStr) -> State {
    match services::foreign(dir, name, poll) {
        Ok(None) => {}
        Ok(Some(control)) => return State::Foreign(control),
        Err(_) => return State::Not(Instant::now().after(LOOK)),
    }
    #[cfg(feature = "policy")]
    let fleet = &mut fleet.as_mut().filter(|_| !Fleet::cannot_keep(dir.as_fd(), name));
    if let Some(fleet) = fleet {
        return match fleet.add(dir.as_fd(), name) {
            Some(index) => {
                #[cfg(feature = "pid1")]
                fleet.tell_of_end(index, starter.essential_to(dir, name));
                State::Running(Runsv::Here(index), Instant::now())
            }
            None => State::Not(Instant::now().after(PACE)),
        };
    }
    match starter.start(dir, name) {
        Ok(pid) => State::Running(Runsv::Child(pid), Instant::now()),
        Err(errno) => {
            starter.report.warn_of(b"unable to fork for ", name.to_bytes(), errno);
            State::Not(Instant::now().after(RETRY))
        }
    }
}

/// How long a directory still has to be left alone.
fn unsettled(changed: Duration) -> Duration {
    let (seconds, nanoseconds) = time::wall();
    let now = Duration::new(seconds.max(0).unsigned_abs(), nanoseconds);
    // A directory from the future has not settled either, but nobody waits for the future.
    SETTLED.saturating_sub(now.saturating_sub(changed))
}
