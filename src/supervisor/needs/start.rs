//! A start that waits.

use super::{Act, Bonds};
use crate::service::cycle;
use crate::service::needs::{self, Standing, TIES, Tie};
use crate::supervisor::World;
use crate::supervisor::neighbours::Neighbours;
use crate::supervisor::unit::Place;
use crate::sys::time::Duration;
use crate::sys::{BorrowedFd, Result, dir, file, watch};
use core::ffi::CStr;

/// How long a supervisor of one that is only wanted is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

impl Bonds {
    /// Whether a start may go on.
    pub(super) fn start(&mut self, neighbours: &Neighbours<'_>) -> Result<Option<Act>> {
        self.announce(neighbours);
        let mut is_met = self.is_met(self.fresh, neighbours)?;
        if self.circle || self.fresh && !is_met {
            self.find_circle(neighbours)?;
        }
        self.fresh = false;
        if is_met && !self.circle {
            if !self.bound {
                self.bind(neighbours.place);
            }
            // Now that who is about to stop sees us.
            is_met = self.is_met(false, neighbours)?;
            if is_met {
                (self.waits, self.awaited) = (false, None);
                return Ok(Some(Act::Start));
            }
            self.retry = Some(neighbours.world.now);
        }
        if self.watched.is_none() {
            self.watch_scan(neighbours);
        }
        if self.bound {
            self.unbind(neighbours.place);
            self.tell_end(neighbours);
        }
        Ok(None)
    }

    /// Lets those that it depends on know. It goes on without, and looks again after a while.
    pub(super) fn announce(&mut self, neighbours: &Neighbours<'_>) {
        match neighbours.announce_all(!self.announced) {
            Ok(()) => self.announced = true,
            Err(errno) => self.trouble(errno, neighbours.place, neighbours.world),
        }
    }

    /// Whether all that is needed is ready, and nothing that is wanted is on its way.
    fn is_met(&mut self, aloud: bool, neighbours: &Neighbours<'_>) -> Result<bool> {
        let mut met = true;
        let missed = core::mem::take(&mut self.misses);
        for &(dir, tie) in &TIES {
            let mut others = neighbours.others(dir);
            while let Some(other) = others.next_name() {
                let standing = needs::standing(neighbours.scan(), other)?;
                met &= match tie {
                    Tie::Need => self.is_there(other, &standing, aloud, neighbours),
                    Tie::Want => self.is_past(other, &standing, neighbours)?,
                };
            }
            others.end()?;
        }
        if missed && !self.misses {
            // It has come since it was to know of us.
            self.retry = Some(neighbours.world.now);
        }
        Ok(met)
    }

    /// Whether one that is needed is ready.
    fn is_there(
        &mut self,
        other: &CStr,
        standing: &Standing,
        aloud: bool,
        neighbours: &Neighbours<'_>,
    ) -> bool {
        if matches!(standing, Standing::Missing) {
            self.misses = true;
            if aloud {
                neighbours
                    .place
                    .report
                    .warn(&[b"needs: ", other.to_bytes(), b" is missing, waiting for it"], None);
            }
            // Nobody tells when there is something where a link leads.
            if file::link_stat(neighbours.scan(), other).is_ok() {
                self.again(neighbours.world);
            }
        }
        // It may have got the files since it was started by which it would tell that it is ready, and not know of them.
        if aloud && matches!(standing, Standing::Starting(_)) {
            let _ = needs::tell(neighbours.scan(), other);
        }
        standing.is_ready()
    }

    /// Whether one that is wanted need not be waited for.
    fn is_past(&mut self, other: &CStr, standing: &Standing, neighbours: &Neighbours<'_>) -> Result<bool> {
        if matches!(standing, Standing::Unsupervised) && !self.impatient && !is_down(neighbours.scan(), other)
        {
            self.patience = self.patience.or(Some(neighbours.world.now.after(PATIENCE)));
            return Ok(false);
        }
        // That it never comes shows when its supervisor ends.
        if standing.is_coming()
            && self.awaited.is_none()
            && let Some(held) = needs::hold(neighbours.scan(), other)?
        {
            self.watch(held, neighbours);
        }
        Ok(!standing.is_coming())
    }

    /// Has a change of the scan directory told. A supervisor of all its services is told anyway.
    fn watch_scan(&mut self, neighbours: &Neighbours<'_>) {
        if neighbours.is_told() {
            return;
        }
        let opened = dir::open(neighbours.scan(), c".");
        match opened.and_then(|dir| watch::signal_on_change(&dir).map(|()| dir)) {
            // What was missing may have come in between.
            Ok(dir) => (self.watched, self.retry) = (Some(dir), Some(neighbours.world.now)),
            Err(_) => self.again(neighbours.world),
        }
    }

    fn find_circle(&mut self, neighbours: &Neighbours<'_>) -> Result<()> {
        let found = cycle::of(neighbours.scan(), neighbours.name())?;
        if let (Some(circle), false) = (&found, self.circle) {
            neighbours.place.report.warn(&[b"needs: a cycle: ", circle.bytes(), b", not starting it"], None);
        }
        self.circle = found.is_some();
        Ok(())
    }

    /// Whether all that it needs is still ready, when its start has been prepared.
    #[inline(never)]
    pub fn may_run(&mut self, place: &Place, world: &World) -> bool {
        let Ok(Some(neighbours)) = Neighbours::open(place, world) else { return true };
        let may = !self.bound || self.is_met(false, &neighbours).unwrap_or(false);
        self.waits = !may;
        // What has been heard meanwhile stays.
        self.stale |= !may;
        may
    }
}

/// Whether a service is not started before it is asked for.
fn is_down(scan: BorrowedFd<'_>, name: &CStr) -> bool {
    file::is_there(scan, needs::below(name, c"down").path())
}
