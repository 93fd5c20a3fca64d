//! What a service needs of others: the directories `needs` and `wants`, whose entries are names of the scan directory.
//!
//! There is no list of all that: whoever wants to know looks into the directories. A service leaves a mark with each that it
//! depends on, `supervise/needed/NAME`, so that those know whom to tell. Here all paths start at the scan directory.

use super::client::{self, NoStatus};
use super::names::{File, Part, path};
use super::settings::{LONGEST, Setting, Settings};
use super::status::{Shown, Status};
use super::template;
use crate::sys::dir::{self, Names};
use crate::sys::{BorrowedFd, Errno, OwnedFd, Result, fifo, file};
use crate::text::Text;
use core::ffi::CStr;

/// Whose entries have to be ready before the service is started.
pub const NEEDS: &CStr = c"needs";
/// Whose entries are started before it, if they are at all.
pub const WANTS: &CStr = c"wants";
/// There from the last look at what a service depends on, before its start, until it is down.
pub const NEEDING: &CStr = c"supervise/needing";
/// There while a service that others may depend on is to stop.
pub const LEAVING: &CStr = c"supervise/leaving";
/// The marks of those that depend on a service.
pub const NEEDED: &CStr = c"supervise/needed";
/// The control byte that means: what you depend on, or who depends on you, has changed.
pub const LOOK: u8 = b'n';

/// How a service depends on another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tie {
    /// It runs only while the other does.
    Need,
    /// It is started after the other, and stopped before it.
    Want,
}

/// The directories of names, and what they mean.
pub const TIES: [(&CStr, Tie); 2] = [(NEEDS, Tie::Need), (WANTS, Tie::Want)];

/// How a service stands, for those that depend on it.
#[derive(Clone, Copy, Debug)]
pub enum Standing {
    /// There is no such directory.
    Missing,
    /// It has no supervisor.
    Unsupervised,
    /// It is about to stop, or does.
    Leaving(Status),
    /// It is ready, or up and does not tell.
    Ready(Status),
    /// It is up, and not ready yet.
    Starting(Status),
    /// It is given up.
    Failed(Status),
    /// Anything else: it is down, or its `./finish` runs.
    Down(Status),
}

impl Standing {
    /// Whether what needs it may be started.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }

    /// Whether it is down, and is to be.
    pub fn is_wanted_down(&self) -> bool {
        matches!(self, Self::Down(status) if status.want != b'u')
    }

    /// Whether what only wants it has to wait: it is on its way.
    pub fn is_coming(&self) -> bool {
        match self {
            Self::Leaving(status) | Self::Starting(status) | Self::Down(status) => status.want == b'u',
            Self::Missing | Self::Unsupervised | Self::Ready(_) | Self::Failed(_) => false,
        }
    }
}

/// The directory and the name in it that a path has; `None` for a path without a name.
pub fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = path.iter().rposition(|&byte| byte != b'/')? + 1;
    let path = path.get(..len)?;
    let start = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let (dir, name) = path.split_at_checked(start)?;
    (name != b"." && name != b"..").then_some((dir, name))
}

/// A path below a service of the scan directory.
pub struct Below(Text<560>);

/// The path of a file of the service `name`.
#[inline(never)]
pub fn below(name: &CStr, file: &CStr) -> Below {
    let mut text = Text::new();
    text.push(name.to_bytes()).push(b"/").push(file.to_bytes());
    Below(text)
}

/// The path of a file of its state: that of an instance of a template is in a place of its own.
#[inline(never)]
pub fn state(scan: BorrowedFd<'_>, name: &CStr, file: &CStr) -> Below {
    let mut text = Text::new();
    text.push(name.to_bytes()).push(b"/");
    if let Some(argument) = template::argument(scan, name.to_bytes()) {
        text.push(template::INSTANCES.to_bytes()).push(b"/").push(argument).push(b"/");
    }
    text.push(file.to_bytes());
    Below(text)
}

impl Below {
    /// For the kernel. What is too long for a name leads nowhere.
    pub fn path(&self) -> &CStr {
        self.0.c_str().unwrap_or(c"")
    }
}

/// The names in a directory of names. One that is not there, or is no directory, has none.
#[inline(never)]
pub fn names(at: BorrowedFd<'_>, path: &CStr) -> Names {
    Names::of(dir::open(at, path))
}

/// The names of those that have left marks in a directory of marks, and not in one that a link leads to.
pub fn marks(at: BorrowedFd<'_>, path: &CStr) -> Names {
    Names::of(dir::open_itself(at, path))
}

/// Whether something is there, itself and not what it leads to.
#[inline(never)]
pub fn is_there(scan: BorrowedFd<'_>, name: &CStr, file: &CStr) -> Result<bool> {
    let is_state = file.to_bytes().starts_with(b"supervise/");
    let at = if is_state { state(scan, name, file) } else { below(name, file) };
    match file::link_stat(scan, at.path()) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Holds the supervisor of a service: what it gives hangs up when that ends. `None` if there is none.
#[inline(never)]
pub fn hold(scan: BorrowedFd<'_>, name: &CStr) -> Result<Option<OwnedFd>> {
    match fifo::open_write_itself(scan, state(scan, name, path(Part::Main, File::Ok)).path()) {
        Ok(held) => Ok(Some(held)),
        Err(Errno::NXIO | Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// How a service of the scan directory stands.
#[inline(never)]
pub fn standing(scan: BorrowedFd<'_>, name: &CStr) -> Result<Standing> {
    if hold(scan, name)?.is_none() {
        return Ok(if is_service(scan, name) { Standing::Unsupervised } else { Standing::Missing });
    }
    let status = read_status(scan, name)?;
    let has = |file| is_there(scan, name, file);
    let runs = status.shown == Shown::Run && status.pid != 0;
    // It has not been known that anybody needs it.
    let ends = runs && status.term && status.want != b'u';
    Ok(match () {
        () if ends || has(LEAVING)? => Standing::Leaving(status),
        () if has(c"supervise/ready")? => Standing::Ready(status),
        () if runs && tells_ready(scan, name)? => Standing::Starting(status),
        () if runs => Standing::Ready(status),
        () if has(c"supervise/failed")? => Standing::Failed(status),
        () => Standing::Down(status),
    })
}

/// Whether there is a service directory of that name, which a template is not.
pub fn is_service(scan: BorrowedFd<'_>, name: &CStr) -> bool {
    let found = file::stat(scan, below(name, c".").path());
    !template::is_template(name.to_bytes())
        && !matches!(found, Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
}

#[inline(never)]
fn read_status(scan: BorrowedFd<'_>, name: &CStr) -> Result<Status> {
    client::read_status(scan, state(scan, name, path(Part::Main, File::Status)).path()).map_err(|trouble| {
        match trouble {
            NoStatus::Ok(errno) | NoStatus::Open(errno) | NoStatus::Read(errno) => errno,
            NoStatus::NotRunning | NoStatus::Format => Errno::PROTO,
        }
    })
}

/// Whether a service says by `supervise/ready` when it is ready.
fn tells_ready(scan: BorrowedFd<'_>, name: &CStr) -> Result<bool> {
    let mut settings = Settings::NONE;
    for setting in [Setting::NotificationFd, Setting::NotifySocket, Setting::CheckInterval] {
        let Some(file) = setting.name() else { continue };
        match file::read_text(scan, below(name, file).path(), &mut [0; LONGEST]) {
            Ok(text) => settings.set(setting, text),
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
    }
    Ok(settings.tells_ready() || is_one_shot(scan, name)?)
}

/// Whether `./setup` is in the place of `./run`: that it runs does not mean that the service is up.
fn is_one_shot(scan: BorrowedFd<'_>, name: &CStr) -> Result<bool> {
    Ok(!is_there(scan, name, c"run")? && file::may_run(scan, below(name, c"setup").path()))
}

/// Whether a service is to stop while others may depend on it. One that nobody supervises does nothing.
pub fn is_leaving(scan: BorrowedFd<'_>, name: &CStr) -> Result<bool> {
    Ok(is_there(scan, name, LEAVING)? && hold(scan, name)?.is_some())
}

/// How the service `name` depends on `other`, if it does: by that name, or by another that leads to its directory.
pub fn tie(
    scan: BorrowedFd<'_>,
    name: &CStr,
    other: &CStr,
    directory: BorrowedFd<'_>,
) -> Result<Option<Tie>> {
    for &(dir, tie) in &TIES {
        if is_there(scan, name, below(dir, other).path())? {
            return Ok(Some(tie));
        }
    }
    for &(dir, tie) in &TIES {
        let mut known = names(scan, below(name, dir).path());
        while let Some(known) = known.next_name() {
            if file::leads_to(scan, known, directory) {
                return Ok(Some(tie));
            }
        }
        known.end()?;
    }
    Ok(None)
}

/// Holds the supervisor of a service that runs and depends on another which is to stop, if that has to wait for it: one
/// that only wants it is waited for if it is to stop, too.
pub fn hold_bound(scan: BorrowedFd<'_>, name: &CStr, tie: Tie) -> Result<Option<OwnedFd>> {
    let Some(held) = hold(scan, name)? else { return Ok(None) };
    // One that is wanted down may be one that is to run once.
    let waits = is_there(scan, name, NEEDING)? && (tie == Tie::Need || is_there(scan, name, LEAVING)?);
    Ok(waits.then_some(held))
}

/// Tells the supervisor of a service to look again; one that is not there need not.
pub fn tell(scan: BorrowedFd<'_>, name: &CStr) -> Result<()> {
    match fifo::open_write_itself(scan, state(scan, name, path(Part::Main, File::Control)).path()) {
        Ok(control) => file::write_once(&control, &[LOOK]).map(drop),
        Err(Errno::NXIO | Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
        Err(errno) => Err(errno),
    }
}
