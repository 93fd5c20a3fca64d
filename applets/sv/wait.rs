//! Waiting until commands have taken effect: told by the kernel of each change in `supervise/`, of the end of a
//! supervisor and of the end of a `./check`; the only thing polled is a `./check` that has not passed.

use super::order::Order;
use super::{Place, Sv, send};
use svbox::report::FATAL;
use svbox::service::client::NoStatus;
use svbox::service::names::Part;
use svbox::service::status::{Shown, Status};
use svbox::sys::poll::{self, Poll};
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::spawn::{More, Spawn};
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, AsRawFd, Errno, OwnedFd, file, watch};

/// How soon a supervisor that could not be watched is looked at again, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(20);

/// How many descriptors looking at a service takes.
const TO_LOOK: u64 = 4;

/// A service that is waited for.
pub struct Waiter {
    place: Place,
    /// What its status was before the command was sent.
    before: Option<Status>,
    appearing: Appearing,
    /// Open while the kernel tells us of changes in it.
    watched: Option<OwnedFd>,
    /// Hangs up when the supervisor ends.
    ok: Option<OwnedFd>,
    check: Check,
    /// When it is not waited for any longer.
    over: Instant,
    settled: bool,
}

/// Whether the supervisor was there when the command was to be sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Appearing {
    /// It was.
    Was,
    /// Not yet: the command has not been sent.
    NotYet,
    /// It has come since, and may not have opened everything.
    Lately,
}

/// `./check` of a service.
enum Check {
    /// To be run, not before then.
    Due(Instant),
    Running(Pid),
    Passed,
}

/// What waiting needs of the kernel.
struct Ears {
    poll: Poll,
    signals: Signals,
    /// The signals blocked when sv was started: what `./check` finds.
    before: Mask,
    /// Descriptors from this number on are not spent on being told: they are needed to look.
    most: u64,
}

/// Whether a status is what an order asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    No,
    IfCheckPasses,
    Yes,
}

impl Waiter {
    /// Waits for a service.
    pub fn new(place: Place, before: Option<Status>, appearing: Appearing, over: Instant) -> Self {
        let check = Check::Due(Instant::now());
        Self { place, before, appearing, watched: None, ok: None, check, over, settled: false }
    }

    /// Asks to be told of whatever can change the answer.
    fn listen(&mut self, order: &Order, ears: &Ears) {
        if order.exits {
            let ok = self.place.hold(Part::Main);
            let ok = ok.ok().filter(|ok| ears.has_left(ok));
            self.ok = ok.filter(|ok| ears.poll.add_hang_up(ok, 0).is_ok());
        } else if self.appearing != Appearing::NotYet {
            let dir = self.place.open_supervise();
            let dir = dir.ok().filter(|dir| ears.has_left(dir));
            self.watched = dir.filter(|dir| watch::signal_on_change(dir).is_ok());
        }
    }

    /// Whether the status is what was ordered now that the service has been found ready: the one read before may be older.
    #[cfg(feature = "policy")]
    fn still_holds(&self, order: &Order, status: &mut Status) -> bool {
        let Ok(now) = self.place.status(Part::Main) else { return false };
        *status = now;
        order.holds(status, self.before.as_ref()) != Holds::No
    }

    /// Kills `./check` if it runs, and what it has started.
    fn end_check(&self) {
        if let Check::Running(pid) = self.check {
            let _ = process::kill_group(pid, Signal::KILL);
        }
    }

    /// When to look at it although nothing has been heard.
    fn next_look(&self, now: Instant, pause: Duration) -> Option<Instant> {
        match self.check {
            _ if self.settled => None,
            _ if self.watched.is_none() && self.ok.is_none() => Some(now.after(pause)),
            Check::Due(at) if at > now => Some(at),
            Check::Due(_) | Check::Running(_) | Check::Passed => None,
        }
    }
}

impl Sv {
    /// Waits until every service is as ordered or its time is over.
    pub fn wait(&mut self, order: &Order, waiters: &mut [Waiter]) {
        let ears = match Ears::open() {
            Ok(ears) => ears,
            Err(errno) => {
                self.warn(&[b"unable to wait"], errno);
                self.failed = if self.lsb { 1 } else { self.failed + 1 };
                return;
            }
        };
        for waiter in &mut *waiters {
            waiter.listen(order, &ears);
        }
        let mut pause = FIRST_LOOK;
        loop {
            let now = Instant::now();
            for waiter in waiters.iter_mut().filter(|waiter| !waiter.settled) {
                self.look(order, waiter, &ears, now);
                if !waiter.settled && now > waiter.over {
                    self.give_up(order, waiter);
                    waiter.settled = true;
                }
                if waiter.settled {
                    waiter.end_check();
                }
            }
            let over = waiters.iter().filter(|waiter| !waiter.settled).map(|waiter| waiter.over).min();
            let Some(over) = over else { return told().set() };
            let _ = self.output.flush();
            let look = waiters.iter().filter_map(|waiter| waiter.next_look(now, pause)).min();
            // The smallest step past the limit is where "longer than the limit" begins.
            let past = over.after(Duration::from_nanos(1));
            ears.listen(look.map_or(past, |look| look.min(past)), waiters, self.delay);
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Looks at one service, and settles it if there is nothing more to wait for.
    fn look(&mut self, order: &Order, waiter: &mut Waiter, ears: &Ears, now: Instant) {
        if waiter.appearing == Appearing::NotYet {
            if send(&waiter.place, order).is_err() {
                return;
            }
            waiter.appearing = Appearing::Lately;
            waiter.listen(order, ears);
        }
        let mut status = match waiter.place.status(Part::Main) {
            Ok(status) => status,
            Err(NoStatus::NotRunning | NoStatus::Ok(Errno::NOENT))
                if waiter.appearing == Appearing::Lately =>
            {
                return;
            }
            Err(why) => {
                waiter.settled = true;
                return self.no_status(&waiter.place, Some(order), why);
            }
        };
        let holds = if order.exits { Holds::No } else { order.holds(&status, waiter.before.as_ref()) };
        let done = match holds {
            Holds::No => false,
            Holds::Yes => true,
            Holds::IfCheckPasses => self.check(order, waiter, &mut status, ears, now),
        };
        if done {
            waiter.settled = true;
            self.settle_line(b"ok: ", &waiter.place, &status);
        }
    }

    fn settle_line(&mut self, kind: &[u8], place: &Place, status: &Status) {
        self.output.put(kind);
        let _ = self.put_status(place, place.name(), Part::Main, status);
        self.output.put(b"\n");
    }

    /// The time is over for this service.
    fn give_up(&mut self, order: &Order, waiter: &Waiter) {
        if waiter.appearing == Appearing::NotYet
            && let Err(trouble) = send(&waiter.place, order)
        {
            return self.not_sent(&waiter.place, order, trouble);
        }
        let kind: &[u8] = if order.kills { b"kill: " } else { b"timeout: " };
        match waiter.place.status(Part::Main) {
            Ok(status) => {
                self.failed = if self.lsb { 1 } else { self.failed + 1 };
                self.settle_line(kind, &waiter.place, &status);
            }
            Err(why) => {
                self.output.put(kind);
                self.no_status(&waiter.place, Some(order), why);
                self.output.put(b"\n");
            }
        }
        if order.kills
            && let Err(trouble) = waiter.place.send(b"k")
        {
            self.not_sent(&waiter.place, order, trouble);
        }
    }

    /// Whether `./check` has passed; starts it if it is due. No file is a pass; one that cannot be run is none.
    #[cfg_attr(
        not(feature = "policy"),
        expect(unused_variables, reason = "of services that say whether they are ready")
    )]
    fn check(
        &mut self,
        order: &Order,
        waiter: &mut Waiter,
        status: &mut Status,
        ears: &Ears,
        now: Instant,
    ) -> bool {
        match waiter.check {
            Check::Passed => return true,
            Check::Running(_) => return false,
            Check::Due(at) if at > now => return false,
            Check::Due(_) => {}
        }
        #[cfg(feature = "policy")]
        if let Some(ready) = super::own::is_ready(&waiter.place) {
            // If not, its supervisor's word is waited for, which is a change that is told.
            return ready && waiter.still_holds(order, status);
        }
        // If nothing else can be found out, look again as if it had not passed.
        waiter.check = Check::Due(now.after(self.delay));
        match waiter.place.look(c"check") {
            Ok(None) => return true,
            Ok(Some(_)) => {}
            Err(errno) => {
                self.warn(&[b"unable to stat ", waiter.place.name(), b"/check"], errno);
                return false;
            }
        }
        match self.start_check(&waiter.place, ears) {
            Ok(pid) => waiter.check = Check::Running(pid),
            Err(errno) => self.warn(&[b"unable to fork for ", waiter.place.name(), b"/check"], errno),
        }
        false
    }

    fn start_check(&mut self, place: &Place, ears: &Ears) -> Result<Pid, Errno> {
        let _ = self.output.flush();
        let dir = place.open()?;
        let null = file::open_read_write(c"/dev/null")?;
        let report = svbox::report::Reporter { program: b"", subject: None, waits: true };
        let failed = |_, errno| report.warn(&[b"unable to run ", place.name(), b"/check"], Some(errno));
        #[cfg(feature = "policy")]
        let more = More { argument: place.argument(), ..More::NONE };
        #[cfg(not(feature = "policy"))]
        let more = More::NONE;
        ending().block();
        Spawn {
            path: c"./check",
            args: &[c"./check"],
            directory: Some(dir.as_fd()),
            below: None,
            stdin: None,
            stdout: Some(null.as_fd()),
            more: &more,
            mask: &ears.before,
            // A group that can be killed, and that no terminal stops.
            session: true,
            failure_code: FATAL,
            ready: None,
            failed: &failed,
        }
        .start()
    }
}

/// What tells of changes.
fn told() -> Mask {
    Mask::of(&[Signal::CHILD, Signal::IO])
}

/// What ends sv: heard while there is a `./check` that would be left. The numbers of the others are higher.
fn ending() -> Mask {
    Mask::of(&[Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM])
}

impl Ears {
    fn open() -> Result<Self, Errno> {
        signal::default(Signal::CHILD);
        let before = told().block();
        let signals = Signals::open(&ending().with(Signal::CHILD).with(Signal::IO))?;
        let poll = Poll::new()?;
        poll.add(&signals, 0)?;
        let most = process::most_descriptors().saturating_sub(TO_LOOK);
        Ok(Self { poll, signals, before, most })
    }

    fn has_left(&self, fd: &OwnedFd) -> bool {
        u64::from(fd.as_raw_fd().unsigned_abs()) < self.most
    }

    /// Waits until something is heard, and sees to checks that have ended.
    fn listen(&self, until: Instant, waiters: &mut [Waiter], delay: Duration) {
        let mut room = poll::events();
        let _ = self.poll.wait(Some(until), &mut room);
        while let Some(number) = self.signals.next() {
            if number <= Signal::TERM.as_raw() {
                waiters.iter().for_each(Waiter::end_check);
                // Now it ends us, unless whoever has started us ignores it.
                told().set();
                let _ = process::relay(Some(process::own()), number);
                ending().block();
            }
        }
        for waiter in waiters {
            let Check::Running(pid) = waiter.check else { continue };
            match process::reap_one(pid) {
                Ok(None) => {}
                Ok(Some(ended)) if ended.code() == Some(0) => waiter.check = Check::Passed,
                Ok(Some(_)) | Err(_) => waiter.check = Check::Due(Instant::now().after(delay)),
            }
        }
    }
}

impl Order {
    /// Whether the status is what was ordered; every letter has to agree.
    fn holds(&self, status: &Status, before: Option<&Status>) -> Holds {
        if self.checks {
            return letter_holds(if status.want == b'u' { b'u' } else { b'd' }, status, before);
        }
        self.sends().iter().map(|letter| letter_holds(*letter, status, before)).min().unwrap_or(Holds::Yes)
    }
}

fn letter_holds(letter: u8, status: &Status, before: Option<&Status>) -> Holds {
    let sure = |yes| if yes { Holds::Yes } else { Holds::No };
    let alive = status.is_up();
    let wanted_up = status.want == b'u';
    let up = alive && status.shown == Shown::Run;
    let new = before.is_none_or(|before| (before.since, before.pid) != (status.since, status.pid));
    match letter {
        b'u' if up => Holds::IfCheckPasses,
        b'u' => Holds::No,
        b'd' => sure(!alive && status.shown == Shown::Down && !wanted_up),
        b't' | b'k' if !alive && !wanted_up => Holds::Yes,
        // Only another process shows that the signal has been obeyed.
        b't' | b'k' if up && new && !status.term => Holds::IfCheckPasses,
        b't' | b'k' => Holds::No,
        // One that is down and wanted up waits for what it needs.
        b'o' => sure(!wanted_up && (alive || new)),
        b'p' => sure(!alive || status.paused),
        b'c' => sure(!alive || !status.paused),
        _ => Holds::Yes,
    }
}
