//! Ends that nobody has asked for, and what becomes of a service after one.

use super::{End, More};
use crate::service::names::PUBLIC_MODE;
use crate::service::policy;
use crate::service::settings::{MOST_DEATHS, Restart, When};
use crate::supervisor::unit::Place;
use crate::sys::time::{Duration, Instant};
use crate::sys::{AsFd, file};
use crate::tai::Tai;
use crate::text::Text;
use core::ffi::CStr;

/// There while the service is given up.
pub(super) const FAILED: &CStr = c"supervise/failed";
const DEATHS: &CStr = c"supervise/deaths";
const DEATHS_NEW: &CStr = c"supervise/deaths.new";

/// The longest list of deaths.
pub(super) const LONGEST: usize = MOST_DEATHS * 40;

/// What becomes of a service that has ended.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    pub(super) again: bool,
    pub(super) failed: bool,
    pub(super) pause: Duration,
}

impl Verdict {
    pub(super) const AGAIN: Self = Self { again: true, failed: false, pause: policy::PACE };
}

impl More {
    /// Takes down a death, for us and for people.
    #[inline(never)]
    pub(super) fn note(&mut self, end: &End, place: &Place) {
        if self.count == 0 {
            self.told_deaths = told_before(place);
        }
        if let Some(at) = self.deaths.get_mut(self.count % MOST_DEATHS) {
            *at = Some(end.now);
        }
        self.count += 1;
        let mut text = Text::new();
        text.push(last_but_one(self.told_deaths.bytes())).push(&Tai::now().to_text());
        match end.ended.code() {
            Some(code) => text.push(b" ").number(code.into()),
            None => text.push(b" -1"),
        };
        text.push(b" ").number(u64::from(end.ended.signal_byte() & 0x7f)).push(b"\n");
        self.told_deaths = text;
        // Whoever wants to know looks at `status` as well: nothing depends on it.
        let text = self.told_deaths.bytes();
        let _ = file::replace(place.state().as_fd(), DEATHS, DEATHS_NEW, PUBLIC_MODE, text, false);
    }

    pub(super) fn judge(&mut self, restart: &Restart, end: &End) -> Verdict {
        let again = match restart.when {
            When::Always => true,
            When::OnFailure => end.ended.code() != Some(0) || self.unhealthy,
            When::Never => false,
        };
        let lived = end.now.since(end.started);
        self.streak = if lived >= restart.longest { 1 } else { self.streak.saturating_add(1) };
        let times = restart.factor.saturating_pow(self.streak - 1);
        let mut pause = (restart.delay * times).min(restart.longest.max(restart.delay));
        if self.is_too_much((MOST_DEATHS - 1, policy::STORM), end.now) {
            pause = pause.max(policy::STORM_PACE);
        }
        let failed = again && restart.limit.is_some_and(|limit| self.is_too_much(limit, end.now));
        Verdict { again, failed, pause }
    }

    /// Whether there have been more deaths than this within the time.
    fn is_too_much(&self, (most, within): (usize, Duration), now: Instant) -> bool {
        // The first of the last `most` + 1.
        let first = self.count.checked_sub(most + 1).filter(|number| *number >= self.forgiven);
        let at = first.and_then(|number| self.deaths.get(number % MOST_DEATHS).copied().flatten());
        at.is_some_and(|at| now.since(at) <= within)
    }

    /// It counts as failed no longer.
    pub(super) fn forgive(&mut self, place: &Place) {
        if core::mem::take(&mut self.failed) {
            (self.forgiven, self.streak) = (self.count, 0);
            let _ = file::remove(place.state().as_fd(), FAILED);
        }
    }

    /// Somebody wants it up: it starts again, and soon.
    pub(super) fn pardon(&mut self) {
        if core::mem::take(&mut self.verdict.failed) {
            (self.forgiven, self.streak) = (self.count, 0);
        }
        self.verdict = Verdict { again: true, failed: false, pause: self.verdict.pause.min(policy::PACE) };
    }
}

/// Shows that the service is given up.
pub(super) fn show_failed(place: &Place) {
    if let Err(errno) = file::show(place.state().as_fd(), FAILED, PUBLIC_MODE) {
        place.report.warn_of(b"unable to open ", FAILED.to_bytes(), errno);
    }
}

/// The deaths that an earlier supervisor has taken down.
fn told_before(place: &Place) -> Text<LONGEST> {
    let (mut text, mut bytes) = (Text::new(), [0; LONGEST - 1]);
    let read =
        file::open_read_itself(place.state().as_fd(), DEATHS).and_then(|fd| file::read_full(&fd, &mut bytes));
    let told = bytes.get(..read.unwrap_or(0)).unwrap_or(&[]);
    let whole = told.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    text.push(told.get(..whole).unwrap_or(&[]));
    text
}

/// The last of them, with room for one more.
fn last_but_one(told: &[u8]) -> &[u8] {
    let mut ends = 0;
    let before = told.iter().rposition(|&byte| {
        ends += usize::from(byte == b'\n');
        ends == MOST_DEATHS
    });
    told.get(before.map_or(0, |end| end + 1)..).unwrap_or(&[])
}
