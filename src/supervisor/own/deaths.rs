//! Ends that nobody has asked for, and what becomes of a service after one.

use super::{End, More};
use crate::service::names::PUBLIC_MODE;
use crate::service::policy;
use crate::service::settings::{MOST_DEATHS, Restart, When};
use crate::supervisor::unit::Place;
use crate::sys::process::Ended;
use crate::sys::time::{Duration, Instant};
use crate::sys::{AsFd, file};
use crate::tai::Tai;
use crate::text::Text;
use core::ffi::CStr;

const DEATHS: &CStr = c"supervise/deaths";
const DEATHS_NEW: &CStr = c"supervise/deaths.new";

/// What becomes of a service that has ended.
#[derive(Clone, Copy)]
pub(super) struct Verdict {
    pub(super) again: bool,
    pub(super) failed: bool,
    pub(super) pause: Duration,
}

/// An end that nobody has asked for.
#[derive(Clone, Copy)]
pub(super) struct Death {
    pub(super) at: Instant,
    pub(super) tai: Tai,
    pub(super) ended: Ended,
}

impl Verdict {
    pub(super) const AGAIN: Self = Self { again: true, failed: false, pause: policy::PACE };
}

impl More {
    /// Takes down a death, for us and for people.
    #[inline(never)]
    pub(super) fn note(&mut self, end: &End, place: &Place) {
        let death = Death { at: end.now, tai: Tai::now(), ended: end.ended };
        if let Some(place) = self.deaths.get_mut(self.count % MOST_DEATHS) {
            *place = death;
        }
        self.count += 1;
        let mut text = Text::<{ MOST_DEATHS * 40 }>::new();
        for number in self.count.saturating_sub(MOST_DEATHS)..self.count {
            let Some(death) = self.deaths.get(number % MOST_DEATHS) else { continue };
            text.push(&death.tai.to_text()).push(b" ");
            match death.ended.code() {
                Some(code) => text.number(code.into()),
                None => text.push(b"-1"),
            };
            text.push(b" ").number(u64::from(death.ended.signal_byte() & 0x7f)).push(b"\n");
        }
        // Whoever wants to know looks at `status` as well: nothing depends on it.
        let _ = file::replace(place.state().as_fd(), DEATHS, DEATHS_NEW, PUBLIC_MODE, text.bytes(), false);
    }

    pub(super) fn judge(&mut self, restart: &Restart, end: &End) -> Verdict {
        let again = match restart.when {
            When::Always => true,
            When::OnFailure => end.ended.code() != Some(0),
            When::Never => false,
        };
        let lived = end.now.since(end.started);
        self.streak = if lived >= restart.longest { 1 } else { self.streak.saturating_add(1) };
        let times = restart.factor.saturating_pow(self.streak - 1);
        let pause = (restart.delay * times).min(restart.longest.max(restart.delay));
        let failed = again && restart.limit.is_some_and(|limit| self.is_too_much(limit, end.now));
        Verdict { again, failed, pause }
    }

    /// Whether there have been more deaths than this within the time.
    fn is_too_much(&self, (most, within): (usize, Duration), now: Instant) -> bool {
        // The first of the last `most` + 1.
        let first = self.count.checked_sub(most + 1).and_then(|number| self.deaths.get(number % MOST_DEATHS));
        first.is_some_and(|death| now.since(death.at) <= within)
    }
}
