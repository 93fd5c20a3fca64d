//! svbox's own files in a service directory: what each may say. None of them is runit's; without them a service is
//! what it is there. Names and units are those of s6 where it has them.

use crate::sys::signal::{self, Signal};
use crate::sys::time::Duration;
use crate::sys::{BorrowedFd, file};
use crate::text::{Cut, nth, parse, place};
use core::ffi::CStr;

/// The files, by their place in [`NAMES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// Milliseconds between TERM and KILL.
    TimeoutKill,
    /// Milliseconds that `./finish` may take.
    TimeoutFinish,
    /// Milliseconds that a service may take to become ready.
    TimeoutReady,
    /// The signal that asks a service to end, in the place of TERM.
    DownSignal,
    /// The signal that asks a service to read its files again, in the place of HUP.
    ReloadSignal,
    /// Whether and when a service that has ended is started again.
    Restart,
    /// The descriptor on which the service says that it is ready.
    NotificationFd,
    /// Milliseconds between two runs of `./check` by the supervisor.
    CheckInterval,
    /// How many of those in a row have to fail for a service to be stopped that does not answer.
    CheckFails,
    /// There: the service finds in `NOTIFY_SOCKET` where to say how it is.
    NotifySocket,
    /// Milliseconds after which a service has to have said again that it is alive.
    TimeoutWatchdog,
    /// Which processes are to end with the service.
    KillScope,
}

impl Setting {
    /// All of them, in the order of [`NAMES`].
    pub const ALL: [Self; 12] = [
        Self::TimeoutKill,
        Self::TimeoutFinish,
        Self::TimeoutReady,
        Self::DownSignal,
        Self::ReloadSignal,
        Self::Restart,
        Self::NotificationFd,
        Self::CheckInterval,
        Self::CheckFails,
        Self::NotifySocket,
        Self::TimeoutWatchdog,
        Self::KillScope,
    ];

    /// The name of the file.
    pub fn name(self) -> Option<&'static CStr> {
        let index = Self::ALL.iter().position(|known| *known == self)?;
        nth(NAMES, index)
    }
}

/// Their names, each with a NUL behind it.
pub const NAMES: &[u8] = b"timeout-kill\0timeout-finish\0timeout-ready\0down-signal\0reload-signal\0\
    restart\0notification-fd\0check-interval\0check-fails\0notify-socket\0timeout-watchdog\0kill-scope\0";

/// Which processes are to end with the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KillScope {
    /// `./run`.
    Process,
    /// The process group that it leads.
    Group,
    /// Whatever it has brought into the world.
    Tree,
}

/// After which ends a service is started again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// After each.
    Always,
    /// Unless it has exited 0, and had not been stopped for not answering or not becoming ready.
    OnFailure,
    /// After none.
    Never,
}

/// What `restart` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restart {
    /// After which ends.
    pub when: When,
    /// The pause after the first death.
    pub delay: Duration,
    /// The longest pause; also how long a service has to live for the next pause to be the first again.
    pub longest: Duration,
    /// How many times longer each pause is than the last.
    pub factor: u32,
    /// So many deaths within such a time are one too many.
    pub limit: Option<(usize, Duration)>,
}

/// Of a file no more is read; a line has to be shorter.
pub const LONGEST: usize = 256;

/// The most deaths that are remembered.
pub const MOST_DEATHS: usize = 32;

/// What the files say together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// How long after TERM comes KILL; `None`: never by itself.
    pub kill_after: Option<Duration>,
    /// How long `./finish` may take.
    pub finish_within: Option<Duration>,
    /// How long the service may take to become ready.
    pub ready_within: Option<Duration>,
    /// In the place of TERM.
    pub down_signal: Signal,
    /// In the place of HUP.
    pub reload_signal: Signal,
    /// Whether and when it is started again.
    pub restart: Option<Restart>,
    /// The descriptor on which it says that it is ready.
    pub notification_fd: Option<i32>,
    /// How often the supervisor runs `./check`.
    pub check_every: Option<Duration>,
    /// How many of those in a row have to fail for the service to be stopped.
    pub check_fails: Option<u32>,
    /// Whether it finds in `NOTIFY_SOCKET` where to say how it is.
    pub notify_socket: bool,
    /// After how long it has to say there again that it is alive.
    pub alive_within: Option<Duration>,
    /// Which processes are to end with it.
    pub kill_scope: KillScope,
}

impl Settings {
    /// Those of a directory without such files: runit's.
    pub const NONE: Self = Self {
        kill_after: None,
        finish_within: None,
        ready_within: None,
        down_signal: Signal::TERM,
        reload_signal: Signal::HUP,
        restart: None,
        notification_fd: None,
        check_every: None,
        check_fails: None,
        notify_socket: false,
        alive_within: None,
        kill_scope: KillScope::Process,
    };

    /// What these files in a service directory say, for whoever is not the supervisor. One that cannot be read, or that
    /// means nothing, counts as not there.
    pub fn of(dir: BorrowedFd<'_>, files: &[Setting]) -> Self {
        let mut settings = Self::NONE;
        for setting in files {
            if let Some(name) = setting.name()
                && let Ok(text) = file::read_text(dir, name, &mut [0; LONGEST])
            {
                settings.set(*setting, text);
            }
        }
        settings
    }

    /// How long the service may take to stop, if its files say that.
    pub fn longest_stop(&self) -> Option<Duration> {
        let [kill, finish] = [self.kill_after, self.finish_within].map(Option::unwrap_or_default);
        (self.kill_after.is_some() || self.finish_within.is_some()).then(|| kill.saturating_add(finish))
    }

    /// Whether a service is ready only when that has been found out.
    pub fn tells_ready(&self) -> bool {
        self.notification_fd.is_some() || self.check_every.is_some() || self.notify_socket
    }

    /// Takes over what a file says, of which at most [`LONGEST`] bytes have been read; gives whether that means anything.
    pub fn set(&mut self, setting: Setting, text: &[u8]) -> bool {
        let line = text.before(b'\n');
        // What may have been cut off could say something else.
        let line = if line.len() < LONGEST { line.trim_ascii() } else { b"" };
        match setting {
            Setting::TimeoutKill => put(&mut self.kill_after, milliseconds(line)),
            Setting::TimeoutFinish => put(&mut self.finish_within, milliseconds(line)),
            Setting::TimeoutReady => put(&mut self.ready_within, milliseconds(line)),
            Setting::DownSignal => put(&mut self.down_signal, signal(line)),
            Setting::ReloadSignal => put(&mut self.reload_signal, signal(line)),
            Setting::Restart => put(&mut self.restart, restart(line).map(Some)),
            Setting::NotificationFd => put(&mut self.notification_fd, descriptor(line).map(Some)),
            Setting::CheckInterval => put(&mut self.check_every, milliseconds(line)),
            Setting::CheckFails => put(&mut self.check_fails, count(line)),
            Setting::NotifySocket => put(&mut self.notify_socket, Some(true)),
            Setting::TimeoutWatchdog => put(&mut self.alive_within, milliseconds(line)),
            Setting::KillScope => put(&mut self.kill_scope, scope(line)),
        }
    }
}

fn put<T>(place: &mut T, value: Option<T>) -> bool {
    let is_value = value.is_some();
    if let Some(value) = value {
        *place = value;
    }
    is_value
}

/// As in s6, 0 is no limit.
fn milliseconds(text: &[u8]) -> Option<Option<Duration>> {
    let number = parse(text)?;
    Some((number > 0).then_some(Duration::from_millis(number)))
}

/// A number behind those of the standard descriptors.
fn descriptor(text: &[u8]) -> Option<i32> {
    i32::try_from(parse(text)?).ok().filter(|number| (3..1 << 20).contains(number))
}

fn scope(text: &[u8]) -> Option<KillScope> {
    match place(b"process group tree", text)? {
        0 => Some(KillScope::Process),
        1 => Some(KillScope::Group),
        _ => Some(KillScope::Tree),
    }
}

/// 0 is never.
fn count(text: &[u8]) -> Option<Option<u32>> {
    let number = u32::try_from(parse(text)?).ok()?;
    Some((number > 0).then_some(number))
}

/// A signal by its name, with or without `SIG`, in any case, or by its number.
pub fn signal(text: &[u8]) -> Option<Signal> {
    if let Some(number) = parse(text) {
        return signal::numbered(i32::try_from(number).ok()?);
    }
    let mut small = [0; 12];
    let small = small.get_mut(..text.len())?;
    small.copy_from_slice(text);
    small.make_ascii_lowercase();
    let name = small.strip_prefix(b"sig").unwrap_or(small);
    signal::NAMED.get(place(signal::NAMES, name)?).copied()
}

/// `always|on-failure|never [delay=1s] [max=60s] [factor=2] [limit=10/5m]`
fn restart(text: &[u8]) -> Option<Restart> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let when = match place(b"always on-failure never", words.next()?)? {
        0 => When::Always,
        1 => When::OnFailure,
        _ => When::Never,
    };
    let (delay, longest) = (Duration::from_secs(1), Duration::from_secs(60));
    let mut restart = Restart { when, delay, longest, factor: 1, limit: None };
    for word in words {
        let (key, value) = word.split_at_checked(word.iter().position(|&byte| byte == b'=')? + 1)?;
        match place(b"delay= max= factor= limit=", key)? {
            0 => restart.delay = time(value)?,
            1 => restart.longest = time(value)?,
            2 => restart.factor = u32::try_from(parse(value)?).ok().filter(|factor| *factor > 0)?,
            _ => restart.limit = Some(limit(value)?),
        }
    }
    Some(restart)
}

/// `COUNT/TIME`: so many deaths may come within the time.
fn limit(text: &[u8]) -> Option<(usize, Duration)> {
    let (count, within) = text.split_at_checked(text.iter().position(|&byte| byte == b'/')?)?;
    let count = usize::try_from(parse(count)?).ok().filter(|count| (1..MOST_DEATHS).contains(count))?;
    Some((count, time(within.strip_prefix(b"/")?)?))
}

/// A number with `ms`, `s`, `m`, `h` or `d` behind it; seconds if there is nothing.
fn time(text: &[u8]) -> Option<Duration> {
    let digits = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let unit = if unit.is_empty() { b"s" } else { unit };
    let milliseconds = *[1_u64, 1000, 60_000, 3_600_000, 86_400_000].get(place(b"ms s m h d", unit)?)?;
    Some(Duration::from_millis(parse(number)?.checked_mul(milliseconds)?))
}
