//! Recognising a service that has lost its supervisor.
//!
//! When runsv is killed its service goes on, and runit's next runsv starts a second one beside it. Ours takes the
//! orphan over. It must be sure: a process number alone may belong to anybody by now. So with each start the
//! supervisor notes, as the modification time of `supervise/lock` (which is empty, ours alone, and nobody's
//! interface), when by the machine's own clock the process began and which start of the machine that was. The
//! kernel knows the first of every process; both together never come again. No new file, no new byte.

use super::World;
use crate::service::client;
use crate::service::names::{File, Part, path};
use crate::service::status::{Shown, Status};
use crate::sys::process::{self, Pid};
use crate::sys::time::{self, Duration};
use crate::sys::{AsFd, Errno, OwnedFd, Result, fifo, file};
use crate::text::{Text, parse};

/// What the kernel counts the beginnings of processes in (proc_pid_stat(5), field 22).
const TICK: Duration = Duration::from_millis(10);
/// How many of the ticks between asking for a process and having it can be noted.
const MOST_TICKS: u64 = 511;
const BOOT_BITS: u32 = 0xf_ffff;

/// An orphan that is ours.
pub struct Orphan {
    /// The process.
    pub pid: Pid,
    /// Readable when it has ended.
    pub hold: OwnedFd,
    /// What its last supervisor published.
    pub status: Status,
    /// How long it has been there.
    pub age: Duration,
}

/// Notes the process that was started between `before` and now, times since the machine was started. Without
/// `/proc`, or on a file system that takes no such time, there is just no note.
pub fn note(lock: &OwnedFd, before: Duration, world: &mut World) {
    let Some(boot) = boot(world) else { return };
    let first = ticks(before);
    let span = (ticks(time::since_boot()) - first).min(MOST_TICKS);
    let (Ok(seconds), Ok(span)) = (i64::try_from(first), u32::try_from(span)) else { return };
    let _ = file::set_modified(lock, seconds, (boot & BOOT_BITS) << 9 | span);
}

/// The orphan of the last supervisor of this directory, if it is still there and surely the same.
pub fn find(dir: &OwnedFd, part: Part, lock: &OwnedFd, world: &mut World) -> Option<Orphan> {
    let status = client::read_status(dir.as_fd(), path(part, File::Status)).ok()?;
    if !matches!(status.shown, Shown::Run | Shown::Finish) {
        return None;
    }
    let pid = Pid::from_raw(i32::try_from(status.pid).ok()?)?;
    // Held first and looked at afterwards: what is looked at is then the process that is held.
    let hold = process::hold(pid).ok()?;
    let began = began(pid).ok()?;
    let noted = file::stat_open(lock).ok()?;
    let first = u64::try_from(noted.st_mtime).ok()?;
    let rest = u32::try_from(noted.st_mtime_nsec).ok()?;
    let same = (first..=first + u64::from(rest & 511)).contains(&began) && rest >> 9 == boot(world)? & BOOT_BITS;
    let age = time::since_boot().saturating_sub(TICK * u32::try_from(began).ok()?);
    same.then_some(Orphan { pid, hold, status, age })
}

/// The log pipe of a supervisor that is no more, as the standard input of the logger it left behind.
pub fn pipe_of(logger: Pid) -> Option<(OwnedFd, OwnedFd)> {
    let mut path = proc_path(logger);
    let path = path.push(b"/fd/0").c_str()?;
    if !file::is_fifo(&file::stat(file::CWD, path).ok()?) {
        return None;
    }
    Some((fifo::reopen(path, false).ok()?, fifo::reopen(path, true).ok()?))
}

fn ticks(at: Duration) -> u64 {
    u64::try_from(at.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX)
}

fn proc_path(pid: Pid) -> Text<32> {
    let mut path = Text::new();
    path.push(b"/proc/").number(u64::from(pid.as_raw_nonzero().get().unsigned_abs()));
    path
}

/// When a process began, in ticks.
fn began(pid: Pid) -> Result<u64> {
    let mut path = proc_path(pid);
    let fd = file::open_read(file::CWD, path.push(b"/stat").c_str().ok_or(Errno::NAMETOOLONG)?)?;
    let mut text = [0; 512];
    let len = file::read_full(&fd, &mut text)?;
    // The second field is the command in parentheses and may hold anything, so the count starts after it.
    let text = text.get(..len).unwrap_or(&[]);
    let after = memchr::memrchr(b')', text).and_then(|at| text.get(at + 2..)).ok_or(Errno::PROTO)?;
    after.split(|&byte| byte == b' ').nth(19).and_then(parse).ok_or(Errno::PROTO)
}

/// A number that is another one after each start of the machine.
fn boot(world: &mut World) -> Option<u32> {
    if world.boot.is_none() {
        let fd = file::open_read(file::CWD, c"/proc/sys/kernel/random/boot_id").ok()?;
        let mut text = [0; 64];
        let len = file::read_full(&fd, &mut text).ok()?;
        // FNV-1a: any spread of the 122 random bits will do.
        let spread = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        world.boot = Some(text.get(..len)?.iter().fold(0x811c_9dc5, spread));
    }
    world.boot
}
