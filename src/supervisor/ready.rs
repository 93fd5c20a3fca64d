//! Finding out whether a service is ready, and whether it still answers: it says so on a descriptor, or its program
//! `./check` does.

use super::unit::Place;
use super::{World, adopt, program};
use crate::service::names::PUBLIC_MODE;
use crate::service::notification::{Word, words};
use crate::service::policy::{self, FIRST_RETRY, LAST_RETRY};
use crate::service::settings::Settings;
use crate::sys::file::Replacing;
use crate::sys::identity;
use crate::sys::inbox::{self, Datagram, Inbox, Sender};
use crate::sys::process::{self, Ended, Pid};
use crate::sys::signal::Signal;
use crate::sys::time::{self, Duration, Instant};
use crate::sys::{AsFd, Errno, OwnedFd, Result, fifo, file};
use crate::text::{Text, shown};
use core::ffi::CStr;
use core::mem::MaybeUninit;

/// There while the service is ready, since then.
pub const READY: &CStr = c"supervise/ready";
const READY_NEW: &CStr = c"supervise/ready.new";
const CHECK: &CStr = c"./check";
/// What it has said that it is at.
pub const SAYS: &CStr = c"supervise/message";
const SAYS_NEW: &CStr = c"supervise/message.new";
const NOTIFY_SOCKET: &[u8] = b"NOTIFY_SOCKET=";
/// The longest message that is kept, with its newline and a NUL.
const MESSAGE: usize = 130;
/// How long a `./check` may take at least.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is waited for while a service runs.
#[derive(Default)]
pub struct Readiness {
    /// Where it says that it is ready.
    pipe: Option<OwnedFd>,
    check: Option<(Pid, Option<Instant>)>,
    /// When the next `./check` is due.
    due: Option<Instant>,
    /// How often it has failed in a row.
    fails: u32,
    /// Whether it has been shown that the service is ready.
    shown: bool,
    /// When that is tried again, how long after the last time, and the boot of a one-shot.
    show_again: Option<(Instant, Duration, Option<u32>)>,
    /// Whether it has been ready since it was started.
    was_ready: bool,
    /// With the boot of a one-shot, if it is one.
    life: Option<u32>,
    /// Whether the `./check` that runs asks for a service that has ended.
    stale: bool,
    /// Whether it asks for one that was paused meanwhile, and may have failed for that.
    doubtful: bool,
    /// Whether an earlier supervisor has shown what the service was at.
    said: bool,
    /// Where it says how it is.
    inbox: Option<Inbox>,
    /// Whether it has been told that it says too much at once.
    cut_told: bool,
    /// Whether it has been told that `./check` cannot be run.
    check_told: bool,
    /// When it has to have said that it is alive.
    alive_by: Option<Instant>,
    /// What it has said that it is at.
    message: Text<MESSAGE>,
}

/// What a service finds besides what runit gives it.
#[derive(Default)]
pub struct Extras {
    /// A descriptor, and its number there.
    pub descriptor: Option<(OwnedFd, i32)>,
    /// Variables; what is empty is none.
    pub variables: [Text<48>; 2],
}

/// What has been found out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// Nothing that changes anything.
    Nothing,
    /// It is ready.
    Ready,
    /// It answers.
    Healthy,
    /// It lives, but does not answer.
    Unhealthy,
}

impl Readiness {
    /// Makes what a service that is about to be started says how it is with.
    pub fn prepare(
        &mut self,
        extras: &mut Extras,
        settings: &Settings,
        token: u64,
        world: &World,
    ) -> Result<()> {
        if let Some(number) = settings.notification_fd {
            extras.descriptor = Some((self.open_pipe(token, world)?, number));
        }
        if settings.notify_socket {
            let [socket, watchdog] = &mut extras.variables;
            self.open_inbox(socket, token, world)?;
            if let Some(within) = settings.alive_within {
                watchdog.push(b"WATCHDOG_USEC=").number(within.as_micros());
            }
        }
        Ok(())
    }

    fn open_pipe(&mut self, token: u64, world: &World) -> Result<OwnedFd> {
        let (read, write) = fifo::pipe()?;
        file::set_nonblocking(&read)?;
        world.poll.add(&read, token)?;
        self.pipe = Some(read);
        Ok(write)
    }

    /// The socket is a new one for each run: what an earlier one says late is not heard.
    fn open_inbox(&mut self, variable: &mut Text<48>, token: u64, world: &World) -> Result<()> {
        variable.push(NOTIFY_SOCKET);
        let inbox = Inbox::new()?;
        variable.push(b"@").push(inbox.name(&mut [0; inbox::ADDRESS])?);
        world.poll.add(&inbox, token)?;
        self.inbox = Some(inbox);
        Ok(())
    }

    /// Of a service that was started when there were no files.
    pub fn known_late() -> Self {
        Self { was_ready: true, ..Self::default() }
    }

    /// The service has been started; `ready`: which is all that is to be known.
    pub fn started(&mut self, ready: bool, settings: &Settings, now: Instant) {
        (self.was_ready, self.fails) = (ready, 0);
        self.due = settings.check_every.map(|every| now.after(every));
    }

    /// The service has ended: it is not ready, and nothing is asked.
    pub fn ended(&mut self, place: &Place) {
        self.pipe = None;
        self.inbox = None;
        self.due = None;
        self.alive_by = None;
        (self.was_ready, self.cut_told, self.check_told) = (false, false, false);
        if core::mem::take(&mut self.said) || !self.message.bytes().is_empty() {
            self.message.truncate(0);
            let _ = file::remove(place.state().as_fd(), SAYS);
        }
        if let Some((pid, _)) = self.check {
            self.stale = true;
            let _ = process::kill_group(pid, Signal::KILL);
        }
        self.hide(place);
    }

    /// Shows no longer that it is ready.
    fn hide(&mut self, place: &Place) {
        self.show_again = None;
        if core::mem::take(&mut self.shown) {
            let _ = file::remove(place.state().as_fd(), READY);
        }
    }

    /// The service has another directory now, in which it is shown again that it is ready.
    pub fn moved(&mut self, settings: &Settings, life: Option<u32>, place: &Place, now: Instant) {
        if self.shown {
            self.show(settings, life, place, now);
        }
        if !self.message.bytes().is_empty() {
            self.show_message(place);
        }
    }

    /// Takes over from an earlier supervisor what that has shown; `ready`: nothing has to be.
    pub fn take_over(&mut self, ready: bool, settings: &Settings, place: &Place, now: Instant) {
        let is_there = |name| file::is_there(place.state().as_fd(), name);
        (self.shown, self.said) = (is_there(READY), is_there(SAYS));
        self.was_ready = self.shown || ready;
        self.go_on(!self.shown || settings.check_fails.is_some(), settings, now);
    }

    /// Hears again the service `pid` that was started under an earlier supervisor, if it still has the pipe that it says
    /// with: the one of this number, and no other. 0 is any, of a supervisor that has not noted it.
    pub fn hear_again(&mut self, (pid, its): (Pid, u32), settings: &Settings, token: u64, world: &World) {
        if let (false, Some(number)) = (self.was_ready, settings.notification_fd)
            && let Some(pipe) = adopt::pipe_at(pid, number, false)
            && (its == 0 || its == adopt::pipe_number(&pipe))
            && file::set_nonblocking(&pipe).is_ok()
            && world.poll.add(&pipe, token).is_ok()
        {
            self.pipe = Some(pipe);
        }
    }

    /// The files may say only since it was started that it tells when it is ready. Then it was ready at once; and so it is
    /// if they say so no longer. Gives whether it is shown now, and was not before.
    pub fn catch_up(&mut self, settings: &Settings, place: &Place, now: Instant) -> bool {
        let is_known = self.shown || self.inbox.is_some() || self.show_again.is_some();
        let tells = settings.tells_ready();
        let is_new = self.was_ready && !is_known && tells;
        if is_new {
            self.show(settings, None, place, now);
        }
        self.was_ready |= !tells;
        let asks = settings.check_every.is_some() && (!self.was_ready || settings.check_fails.is_some());
        if self.check.is_none() && self.due.is_some() != asks {
            self.go_on(asks, settings, now);
        }
        self.alive_by = self.alive_by.filter(|_| settings.alive_within.is_some());
        is_new
    }

    /// It was stopped for a while, and could not answer.
    pub fn go_on_after_pause(&mut self, settings: &Settings, now: Instant) {
        (self.fails, self.doubtful) = (0, self.check.is_some());
        if self.alive_by.is_some() {
            self.alive_by = settings.alive_within.map(|within| now.after(within));
        }
    }

    /// The `./check` at work.
    pub fn check_pid(&self) -> Option<Pid> {
        self.check.map(|(pid, _)| pid)
    }

    /// Whether it has been shown that the service is ready, since it was started.
    pub fn was_ready(&self) -> bool {
        self.was_ready
    }

    /// Whether it is shown that the service is ready.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Shows that it is ready.
    pub fn show(&mut self, settings: &Settings, boot: Option<u32>, place: &Place, now: Instant) {
        // What it did not answer before does not count.
        (self.was_ready, self.fails, self.life) = (true, 0, boot);
        self.alive_by =
            settings.alive_within.filter(|_| self.inbox.is_some()).map(|within| now.after(within));
        if let Err(errno) = self.try_to_show(boot, place) {
            place.report.warn_of(b"unable to open ", READY.to_bytes(), errno);
            self.show_again = Some((now.after(FIRST_RETRY), FIRST_RETRY, boot));
        }
    }

    fn try_to_show(&mut self, boot: Option<u32>, place: &Place) -> Result<()> {
        let made = match boot {
            None => file::show(place.state().as_fd(), READY, PUBLIC_MODE),
            Some(boot) => {
                let mut text = Text::<16>::new();
                text.number(boot.into()).push(b"\n");
                file::replace(place.state().as_fd(), READY, READY_NEW, PUBLIC_MODE, text.bytes(), false)
                    .map_err(|replacing| match replacing {
                        Replacing::Open(errno) | Replacing::Write(errno) | Replacing::Rename(errno) => errno,
                        Replacing::Short => Errno::NOSPC,
                    })
            }
        };
        self.shown = made.is_ok();
        made
    }

    /// Takes in what the service `pid` has said.
    pub fn hear(&mut self, pid: Option<Pid>, settings: &Settings, place: &Place, now: Instant) -> Finding {
        if self.read_pipe() { Finding::Ready } else { self.read_inbox(pid, settings, place, now) }
    }

    /// A few datagrams; those that are left are told of again.
    #[inline(never)]
    fn read_inbox(&mut self, pid: Option<Pid>, settings: &Settings, place: &Place, now: Instant) -> Finding {
        const AT_ONCE: usize = 8;
        let Some(inbox) = self.inbox.take() else { return Finding::Nothing };
        let mut finding = Finding::Nothing;
        // Not zeroed: what is not used is not touched.
        let mut room = [MaybeUninit::uninit(); 4096];
        for _ in 0..AT_ONCE {
            let Some(datagram) = inbox.receive(&mut room) else { break };
            if !is_heard(datagram.sender, pid) {
                continue;
            }
            for word in words(self.whole_lines(&datagram, place)) {
                match word {
                    Word::Ready => finding = Finding::Ready,
                    Word::Reloading | Word::Stopping => {
                        self.hide(place);
                        finding = Finding::Nothing;
                    }
                    Word::Status(text) => self.say(text, place),
                    Word::Alive if self.alive_by.is_some() => {
                        self.alive_by = settings.alive_within.map(|within| now.after(within));
                        finding = if finding == Finding::Ready { finding } else { Finding::Healthy };
                    }
                    Word::Alive => {}
                    Word::Unwell => {
                        self.inbox = Some(inbox);
                        return Finding::Unhealthy;
                    }
                }
            }
        }
        self.inbox = Some(inbox);
        // Ready once more, after it has read its files again.
        if finding == Finding::Ready && self.was_ready && !self.shown {
            self.show(settings, self.life, place, now);
        }
        finding
    }

    /// What a datagram says; without its last line if that was cut off.
    fn whole_lines<'d>(&mut self, datagram: &Datagram<'d>, place: &Place) -> &'d [u8] {
        if !datagram.is_cut {
            return datagram.bytes;
        }
        if !core::mem::replace(&mut self.cut_told, true) {
            place.report.warn_that(b"notify-socket: message is longer than 4096 bytes, ignoring the rest");
        }
        let end = datagram.bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
        datagram.bytes.get(..end).unwrap_or(&[])
    }

    /// Shows what the service is at, with question marks for what a terminal would not just show.
    fn say(&mut self, text: &[u8], place: &Place) {
        let mut message = Text::new();
        for &byte in text.iter().take(MESSAGE - 2) {
            message.push(&[shown(byte)]);
        }
        message.push(b"\n");
        if message.bytes() != self.message.bytes() {
            self.message = message;
            if !self.show_message(place) {
                // If it says so again that is tried again; what it has said before is still shown.
                self.message.truncate(0);
                self.said = true;
            }
        }
    }

    fn show_message(&self, place: &Place) -> bool {
        let message = self.message.bytes();
        file::replace(place.state().as_fd(), SAYS, SAYS_NEW, PUBLIC_MODE, message, false).is_ok()
    }

    /// Reads the pipe; gives whether there was a line, whatever is in it.
    fn read_pipe(&mut self) -> bool {
        let mut bytes = [0; 64];
        let Some(pipe) = &self.pipe else { return false };
        let (is_over, is_ready) = match file::read_some(pipe, &mut bytes) {
            Ok(None) => (false, false),
            Ok(Some(count)) => (count == 0, bytes.iter().take(count).any(|&byte| byte == b'\n')),
            Err(_) => (true, false),
        };
        if is_over || is_ready {
            self.pipe = None;
        }
        is_ready
    }

    /// The next moment to be woken at.
    pub fn next_timer(&self) -> Option<Instant> {
        let due = self.due.filter(|_| self.check.is_none());
        time::first([
            due,
            self.check.and_then(|(_, due)| due),
            self.alive_by,
            self.show_again.map(|(at, ..)| at),
        ])
    }

    /// Acts on the timers that are over.
    pub fn ring(&mut self, settings: &Settings, place: &Place, world: &World) -> Finding {
        self.ring_check(settings, place, world);
        if let Some((_, pause, boot)) = self.show_again.take_if(|(at, ..)| *at <= world.now)
            && self.try_to_show(boot, place).is_err()
        {
            let pause = (pause * 2).min(LAST_RETRY);
            self.show_again = Some((world.now.after(pause), pause, boot));
        }
        match self.alive_by.take_if(|by| *by <= world.now) {
            Some(_) => {
                // If it does not end it is asked again.
                self.alive_by = settings.alive_within.map(|within| world.now.after(within));
                Finding::Unhealthy
            }
            None => Finding::Nothing,
        }
    }

    fn ring_check(&mut self, settings: &Settings, place: &Place, world: &World) {
        if let Some((pid, due)) = &mut self.check {
            if due.take_if(|due| *due <= world.now).is_some() {
                let _ = process::kill_group(*pid, Signal::KILL);
            }
            return;
        }
        if self.due.take_if(|due| *due <= world.now).is_none() {
            return;
        }
        let every = settings.check_every.unwrap_or_default();
        match start_check(!self.check_told, place, world) {
            Ok(pid) => self.check = Some((pid, Some(world.now.after(every.max(PATIENCE))))),
            Err(errno) => {
                place.report.warn_of(b"unable to fork for ", CHECK.to_bytes(), errno);
                self.due = Some(world.now.after(every.max(policy::PACE)));
            }
        }
    }

    /// Acts on the end of a child; gives what it tells, if it was this one. `runs`: whether the service does.
    pub fn bury(
        &mut self,
        (pid, ended): (Pid, Ended),
        runs: bool,
        settings: &Settings,
        now: Instant,
    ) -> Option<Finding> {
        self.check.take_if(|(its, _)| *its == pid)?;
        if ended.code().is_none() {
            // What it has started goes as well, whoever has killed it.
            let _ = process::kill_group(pid, Signal::KILL);
        }
        if core::mem::take(&mut self.stale) {
            return Some(Finding::Nothing);
        }
        if !runs {
            // It may stay after all.
            self.go_on(true, settings, now);
            return Some(Finding::Nothing);
        }
        self.check_told |= ended.code() == Some(program::CANNOT_RUN);
        let (passed, counts) = (ended.code() == Some(0), !core::mem::take(&mut self.doubtful));
        self.fails = if passed { 0 } else { self.fails.saturating_add(counts.into()) };
        if passed && !self.shown {
            self.go_on(settings.check_fails.is_some(), settings, now);
            return Some(Finding::Ready);
        }
        let is_ready = self.shown || self.show_again.is_some();
        if is_ready && settings.check_fails.is_some_and(|most| self.fails >= most) {
            // If it does not end it is asked again.
            self.fails = 0;
            self.go_on(true, settings, now);
            return Some(Finding::Unhealthy);
        }
        self.go_on(!self.shown || settings.check_fails.is_some(), settings, now);
        Some(if passed { Finding::Healthy } else { Finding::Nothing })
    }

    fn go_on(&mut self, asks: bool, settings: &Settings, now: Instant) {
        self.due = settings.check_every.filter(|_| asks).map(|every| now.after(every));
    }
}

/// Whether a sender is believed: our own user, root, or the user of the service.
fn is_heard(sender: Sender, pid: Option<Pid>) -> bool {
    sender.uid == 0 || sender.uid == identity::effective().0 || pid.and_then(user_of) == Some(sender.uid)
}

fn user_of(pid: Pid) -> Option<u32> {
    let mut path = Text::<32>::new();
    let path = path.push(b"/proc/").number(u64::from(process::number(pid))).c_str()?;
    file::stat(file::CWD, path).ok().map(|stat| stat.st_uid)
}

fn start_check(aloud: bool, place: &Place, world: &World) -> core::result::Result<Pid, Errno> {
    let null = file::open_null(false)?;
    program::start(CHECK, &[CHECK], Some(null.as_fd()), aloud, place, world)
}
