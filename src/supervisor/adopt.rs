//! Recognising a service that has lost its supervisor.
//!
//! When runsv is killed its service goes on, and runit's next runsv starts a second one beside it. Ours takes the
//! orphan over. It must be sure: a process number alone may belong to anybody by now. So each child, before it
//! becomes the service, notes itself as the times of `supervise/lock`, which is empty, ours alone, and nobody's
//! interface: of the last access its process number, what it is, what is wanted and how it tells that it is ready; of
//! the last change when by the machine's own clock it began, and which start of the machine and which lock that was.
//! The kernel knows the beginning of every process; all together never come again, and a copy of the directory has
//! another lock. No new file, no new byte, and no moment at which a service is there without its note.

use super::World;
use super::keeper::Held;
use crate::service::client;
use crate::service::machine::Want;
use crate::service::names::{File, Part, path};
use crate::service::status::{Shown, Status};
use crate::sys::identity;
use crate::sys::process::{self, Pid};
use crate::sys::time::{self, Duration};
use crate::sys::{AsFd, Errno, OwnedFd, Result, fifo, file};
use crate::text::{Cut, Text, parse};

/// What the kernel counts the beginnings of processes in (proc_pid_stat(5), field 22): milliseconds.
const TICK: u64 = 10;
/// How many of the ticks between asking for a process and having it can be noted.
const MOST_TICKS: u64 = 511;
const MARK_BITS: u32 = 0xf_ffff;

/// An orphan that is ours.
pub struct Orphan {
    /// The process.
    pub pid: Pid,
    /// Readable when it has ended.
    pub hold: OwnedFd,
    /// Whether it is `./finish`.
    pub finish: bool,
    /// What was wanted when it was started.
    pub want: Want,
    /// How it tells that it is ready: [`tells`].
    #[cfg(feature = "policy")]
    pub tells: u32,
    /// What its last supervisor has published of this process, if it came to that.
    pub status: Option<Status>,
    /// How long it has been there.
    pub age: Duration,
}

/// What a child notes of itself.
pub struct Note<'a> {
    lock: &'a OwnedFd,
    finish: bool,
    want: Want,
    tells: u32,
    /// A moment before the child began, as ticks since the start of the machine.
    first: u64,
    mark: u32,
}

impl<'a> Note<'a> {
    /// The note of a child that is about to be made. `None` without `/proc`: nothing will be taken over.
    pub fn new(held: &'a Held, finish: bool, want: Want, tells: u32, world: &mut World) -> Option<Self> {
        let mark = mark(held.inode, world)?;
        Some(Self { lock: &held.lock, finish, want, tells, first: ticks(time::since_boot()), mark })
    }

    /// Written by the child itself. A file system that takes no such times has no note.
    pub fn write(&self) {
        let span = (ticks(time::since_boot()) - self.first).min(MOST_TICKS);
        let (Ok(first), Ok(span)) = (i64::try_from(self.first), u32::try_from(span)) else { return };
        let what = WANTS.iter().position(|want| *want == self.want).and_then(|at| u32::try_from(at).ok());
        let what = self.tells << 3 | what.unwrap_or(0) << 1 | u32::from(self.finish);
        let pid = i64::from(process::number(process::own()));
        let _ = file::set_times(self.lock, (pid, what), (first, self.mark << 9 | span));
    }
}

const WANTS: [Want; 4] = [Want::Up, Want::Once, Want::Down, Want::Exit];

/// What a note has room for of how a service tells that it is ready: whether it is so at once, and the pipe it says so in.
#[cfg(feature = "policy")]
pub fn tells(at_once: bool, pipe: Option<&OwnedFd>) -> u32 {
    pipe.map_or(0, pipe_number) << 1 | u32::from(at_once)
}

/// As much of the number of a pipe as there is room for; 0 for what is none.
#[cfg(feature = "policy")]
pub fn pipe_number(pipe: &OwnedFd) -> u32 {
    file::stat_open(pipe).map_or(0, |stat| u32::try_from(stat.st_ino & 0x1ff_ffff).unwrap_or(0))
}

/// A number that is another one after each start of the machine, and in each life of a container.
#[cfg(feature = "policy")]
pub fn life(world: &mut World) -> Option<u32> {
    let first = began(Pid::from_raw(1)?).ok()?;
    let [low, high] = [first, first >> 32].map(|half| u32::try_from(half & 0xffff_ffff).unwrap_or(0));
    Some(boot(world)? ^ low.wrapping_mul(0x0100_0193) ^ high)
}

/// Moves the note that is in one lock to another one.
#[cfg(feature = "policy")]
pub fn move_note(from: &Held, to: &mut Held) {
    to.inode = file::stat_open(&to.lock).map_or(0, |stat| inode(&stat));
    if let Ok(noted) = file::stat_open(&from.lock)
        && noted.st_mtime != noted.st_ctime
        && let (Ok(what), Ok(span)) = (u32::try_from(noted.st_atime_nsec), u32::try_from(noted.st_mtime_nsec))
    {
        let span = span ^ (from.inode ^ to.inode) << 9;
        let _ = file::set_times(&to.lock, (noted.st_atime, what), (noted.st_mtime, span));
        // Or whoever supervises the old directory next would take the process over, too.
        let _ = file::set_times(&from.lock, (0, 0), (0, 0));
    }
}

/// As much of the number of a lock as a note has room for.
fn inode(stat: &file::Stat) -> u32 {
    u32::try_from(stat.st_ino & u64::from(MARK_BITS)).unwrap_or(0)
}

/// What the start of the machine and the lock come to together.
fn mark(inode: u32, world: &mut World) -> Option<u32> {
    Some(boot(world)? & MARK_BITS ^ inode)
}

/// The orphan of the last supervisor of this directory, if it is still there and surely the same.
pub fn find(dir: &OwnedFd, part: Part, held: &mut Held, world: &mut World) -> Option<Orphan> {
    let noted = file::stat_open(&held.lock).ok()?;
    held.inode = inode(&noted);
    // Nobody has noted anything in a lock that is as it was made; and others may have in one that is theirs.
    if noted.st_mtime == noted.st_ctime || noted.st_uid != identity::effective().0 {
        return None;
    }
    let status = client::read_status(dir.as_fd(), path(part, File::Status)).ok();
    let what = usize::try_from(noted.st_atime_nsec).ok()?;
    // Whoever reads the lock changes the time of the last access; then there is what was published.
    let (pid, hold, age) = match hold_noted(noted.st_atime, &noted, world) {
        Some(held) => held,
        None => hold_noted(i64::from(status?.pid), &noted, world)?,
    };
    let status = status.filter(|status| status.pid == process::number(pid));
    let by_note = noted.st_atime == i64::from(process::number(pid));
    let finish = if by_note { what & 1 == 1 } else { status?.shown == Shown::Finish };
    let want = if by_note { *WANTS.get(what >> 1 & 3)? } else { Want::Up };
    Some(Orphan {
        pid,
        hold,
        finish,
        want,
        #[cfg(feature = "policy")]
        tells: if by_note { u32::try_from(what >> 3).unwrap_or(0) } else { 0 },
        status,
        age,
    })
}

/// Holds a process if it is the one that the times speak of; gives how long it has been there, too.
#[inline(never)]
fn hold_noted(number: i64, noted: &file::Stat, world: &mut World) -> Option<(Pid, OwnedFd, Duration)> {
    let pid = i32::try_from(number).ok().filter(|number| *number > 0).and_then(Pid::from_raw)?;
    // Held first and looked at afterwards: what is looked at is then the process that is held.
    let hold = process::hold(pid).ok()?;
    let began = began(pid).ok()?;
    let first = u64::try_from(noted.st_mtime).ok()?;
    let rest = u32::try_from(noted.st_mtime_nsec).ok()?;
    let span = u64::from(rest & 511);
    let same = (first..=first + span).contains(&began) && rest >> 9 == mark(inode(noted), world)?;
    let age = time::since_boot().saturating_sub(Duration::from_millis(began.saturating_mul(TICK)));
    same.then_some((pid, hold, age))
}

/// The log pipe of a supervisor that is no more, as the standard input of the logger it left behind.
pub fn pipe_of(logger: Pid) -> Option<(OwnedFd, OwnedFd)> {
    Some((pipe_at(logger, 0, false)?, pipe_at(logger, 0, true)?))
}

/// One side of the pipe that a process has as the descriptor `number`.
pub fn pipe_at(pid: Pid, number: i32, writing: bool) -> Option<OwnedFd> {
    let mut path = proc_path(pid);
    let path = path.push(b"/fd/").number(u64::from(number.unsigned_abs())).c_str()?;
    let is_pipe = file::is_fifo(&file::stat(file::CWD, path).ok()?);
    fifo::reopen(path, writing).ok().filter(|_| is_pipe)
}

fn ticks(at: Duration) -> u64 {
    at.as_millis() / TICK
}

fn proc_path(pid: Pid) -> Text<32> {
    let mut path = Text::new();
    path.push(b"/proc/").number(u64::from(process::number(pid)));
    path
}

/// When a process began, in ticks.
fn began(pid: Pid) -> Result<u64> {
    let mut path = proc_path(pid);
    let path = path.push(b"/stat").c_str().ok_or(Errno::NAMETOOLONG)?;
    let mut text = [0; 512];
    let text = file::read_text(file::CWD, path, &mut text)?;
    // The second field is the command in parentheses and may hold anything, so the count starts after it.
    let after = text.behind(b')');
    after.parts(b' ').nth(20).and_then(parse).ok_or(Errno::PROTO)
}

/// A number that is another one after each start of the machine.
pub fn boot(world: &mut World) -> Option<u32> {
    if world.boot.is_none() {
        let fd = file::open_read(file::CWD, c"/proc/sys/kernel/random/boot_id").ok()?;
        let mut text = [0; 64];
        let len = file::read_some(&fd, &mut text).ok()??;
        // FNV-1a: any spread of the 122 random bits will do.
        let spread = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        world.boot = Some(text.get(..len)?.iter().fold(0x811c_9dc5, spread));
    }
    world.boot
}
