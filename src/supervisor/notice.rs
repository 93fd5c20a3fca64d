//! Telling the program `./notify` of a service directory what befalls the service: one at a time, and never for long.

use super::unit::Place;
use super::{World, program};
use crate::sys::Errno;
use crate::sys::process::{self, Ended, Pid};
use crate::sys::signal::Signal;
use crate::sys::time::{Duration, Instant};
use crate::text::Text;
use core::ffi::CStr;

const NOTIFY: &CStr = c"./notify";
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The service has ended, and nobody had asked for that.
    Died,
    /// It is not started again.
    Failed,
    /// It has not done in time what has a deadline.
    Overdue,
}

/// What is told: the event, how the service has ended last, and how many deaths there have been.
#[derive(Clone, Copy)]
pub struct Notice {
    /// What has happened.
    pub event: Event,
    /// How the service has ended last.
    pub ended: Ended,
    /// How many deaths there have been.
    pub count: usize,
}

/// The program at work, and what it has to be told next.
#[derive(Default)]
pub struct Notifier {
    running: Option<(Pid, Option<Instant>)>,
    /// Only the last one is kept: it has the number of all.
    waiting: Option<Notice>,
}

impl Notifier {
    /// Has it told, now or when it has finished what it is at.
    pub fn tell(&mut self, notice: Notice, place: &Place, world: &World) {
        self.waiting = Some(notice);
        self.go_on(place, world);
    }

    /// Acts on the end of a child; gives whether it was this one.
    pub fn bury(&mut self, pid: Pid, place: &Place, world: &World) -> bool {
        let ours = self.running.take_if(|(its, _)| *its == pid).is_some();
        if ours {
            self.go_on(place, world);
        }
        ours
    }

    /// The program at work.
    pub fn pid(&self) -> Option<Pid> {
        self.running.map(|(pid, _)| pid)
    }

    /// When it has taken too long.
    pub fn next_timer(&self) -> Option<Instant> {
        self.running.and_then(|(_, due)| due)
    }

    /// Ends it if it has taken too long.
    pub fn ring(&mut self, now: Instant) {
        if let Some((pid, due)) = &mut self.running
            && due.take_if(|due| *due <= now).is_some()
        {
            let _ = process::kill_group(*pid, Signal::KILL);
        }
    }

    fn go_on(&mut self, place: &Place, world: &World) {
        if self.running.is_some() {
            return;
        }
        let Some(notice) = self.waiting.take() else { return };
        match start(&notice, place, world) {
            Ok(pid) => self.running = Some((pid, Some(world.now.after(PATIENCE)))),
            Err(errno) => place.report.warn_of(b"unable to fork for ", NOTIFY.to_bytes(), errno),
        }
    }
}

fn start(notice: &Notice, place: &Place, world: &World) -> Result<Pid, Errno> {
    let event: &CStr = match notice.event {
        Event::Died => c"died",
        Event::Failed => c"failed",
        Event::Overdue => c"overdue",
    };
    let (mut code, mut signal, mut count) = (Text::<8>::new(), Text::<8>::new(), Text::<24>::new());
    match notice.ended.code() {
        Some(exit) => code.number(exit.into()),
        None => code.push(b"-1"),
    };
    signal.number(u64::from(notice.ended.signal_byte()));
    count.number(u64::try_from(notice.count).unwrap_or(u64::MAX));
    let words = [code.c_str(), signal.c_str(), count.c_str()].map(|word| word.unwrap_or(c""));
    let [code, signal, count] = words;
    program::start(NOTIFY, &[NOTIFY, event, code, signal, count], place.log_input(), true, place, world)
}
