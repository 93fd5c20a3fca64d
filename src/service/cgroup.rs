//! The cgroup of a service whose `kill-scope` is `tree`: below that of its supervisor, where cgroup v2 lets us make one.
//! Its name tells the service directory, so that a later supervisor finds it again (cgroups(7)).

use super::processes::{self, pid_of};
use crate::sys::dir::{self, Names};
use crate::sys::process::{self, Pid};
use crate::sys::signal::Signal;
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, Result, file};
use crate::text::{Cut, Text, place_between};
use core::ffi::CStr;

/// Where cgroup v2 is mounted: beside the hierarchies of v1, or alone.
const ROOTS: [&CStr; 2] = [c"/sys/fs/cgroup/unified", c"/sys/fs/cgroup"];
const MODE: u32 = 0o755;
/// The longest path of a cgroup that is understood.
const LONGEST: usize = 1024;
/// How much of a service's name is in that of its cgroup.
const NAME: usize = 150;
/// How a mark begins.
const MARK: &[u8] = b".svbox-";
/// So many levels of cgroups below that of a service are removed with it.
const MOST_BELOW: usize = 8;
const PROCS: &CStr = c"cgroup.procs";
const KILL: &CStr = c"cgroup.kill";

type Path = Text<LONGEST>;

/// The end of the name of a service's cgroup: which directory the service is.
pub type Mark = Text<64>;

/// The mark of a service directory.
pub fn mark(dir: impl AsFd) -> Result<Mark> {
    let stat = file::stat_open(dir)?;
    let mut mark = Mark::new();
    mark.push(MARK).number(stat.st_dev).push(b"-").number(stat.st_ino);
    Ok(mark)
}

/// Whether a process is in the cgroup of this mark, or below it.
pub fn holds(mark: &Mark, pid: Pid) -> bool {
    path_of_process(pid).is_ok_and(|path| has_part(&path, mark.bytes()))
}

/// Whether one of the cgroups on the way has a name with this end.
#[inline(never)]
fn has_part(path: &Path, end: &[u8]) -> bool {
    path.bytes().parts(b'/').any(|part| part.ends_with(end))
}

/// The cgroup of a service.
pub struct Cgroup {
    dir: OwnedFd,
    mark: Mark,
}

impl Cgroup {
    /// Opens that of the service directory `dir`, making it if need be. Where it cannot be made, or all in it cannot be
    /// killed at once (Linux 5.14), there is none.
    pub fn make(dir: BorrowedFd<'_>, service: &[u8]) -> Result<Self> {
        let path = path_of(c"/proc/self/cgroup")?;
        let mark = mark(dir)?;
        // Whoever is among the processes of the service would end with them.
        if has_part(&path, mark.bytes()) {
            return Err(Errno::BUSY);
        }
        let home =
            open(path.bytes()).filter(|home| file::is_writable(home.as_fd(), PROCS)).ok_or(Errno::ACCESS)?;
        // What is mounted may be from outside of our namespace, with others in a cgroup of that path.
        let mut is_ours = false;
        each(&home, &mut |pid| is_ours |= pid == process::own())?;
        if !is_ours {
            return Err(Errno::ACCESS);
        }
        let mut name = Text::<{ NAME + 64 }>::new();
        name.push(called_in(service)).push(mark.bytes());
        let name = name.c_str().ok_or(Errno::NAMETOOLONG)?;
        match file::make_directory(home.as_fd(), name, MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let cgroup = dir::open(home.as_fd(), name)?;
        if !file::is_writable(cgroup.as_fd(), KILL) {
            let _ = file::remove_directory(home.as_fd(), name);
            return Err(Errno::OPNOTSUPP);
        }
        Ok(Self { dir: cgroup, mark })
    }

    /// Opens that of the service `service`, of which this is a process, unless we are in it too. Its directory may have been
    /// another one then, of the same name.
    pub fn of(pid: Pid, dir: BorrowedFd<'_>, service: &[u8]) -> Option<Self> {
        let path = path_of_process(pid).ok()?;
        let ours = path_of(c"/proc/self/cgroup").ok()?;
        // Ours may be that of a service as well; and so may one above, of which it is no more than a guest.
        let (mut len, mut deepest) = (0, None);
        for part in path.bytes().parts(b'/') {
            len += part.len();
            if let Some((called, marked)) = named(part).filter(|_| !has_part(&ours, part)) {
                deepest = Some((called, marked, len));
            }
            len += 1;
        }
        let (called, marked, end) = deepest?;
        if marked != mark(dir).ok()?.bytes() && called != called_in(service) {
            return None;
        }
        let mut mark = Mark::new();
        mark.push(marked);
        Some(Self { dir: open(path.bytes().get(..end)?)?, mark })
    }

    /// This process is in it from here on. Called in a child that shares our memory.
    pub fn enter(&self) -> Result<()> {
        file::put_at(self.dir.as_fd(), PROCS, b"0")
    }

    /// Sends KILL to all that are in it, also to what they are just making.
    pub fn kill(&self) -> Result<()> {
        file::put_at(self.dir.as_fd(), KILL, b"1")
    }

    /// Whether nobody is in it, or below it. What cannot be found out is not so.
    pub fn is_empty(&self) -> bool {
        let mut text = [0; 256];
        match file::read_text(self.dir.as_fd(), c"cgroup.events", &mut text) {
            Ok(text) => place_between(text, b'\n', b"populated 0").is_some(),
            // It has been removed.
            Err(errno) => matches!(errno, Errno::NOENT | Errno::NODEV),
        }
    }

    /// Sends a signal to each that is in it, but not below it.
    pub fn signal(&self, signal: Signal) {
        let _ = each(&self.dir, &mut |pid| _ = processes::signal(pid, signal, |pid| holds(&self.mark, pid)));
    }

    /// Removes it, if it is empty, and what the service has made below it.
    pub fn remove(&self) {
        self.clear();
        let Ok(parent) = dir::open(self.dir.as_fd(), c"..") else { return };
        remove_each(&parent, self.mark.bytes());
    }

    /// Removes what the service has made below it: where there are cgroups with controllers, no process can be put above.
    pub fn clear(&self) {
        clear(&self.dir, MOST_BELOW);
    }
}

/// Calls `each` with the processes in a cgroup that this one can see.
#[inline(never)]
fn each(dir: &OwnedFd, each: &mut dyn FnMut(Pid)) -> Result<()> {
    let list = file::open_read(dir.as_fd(), PROCS)?;
    let mut text = [0; 1024];
    let mut kept = 0;
    loop {
        let room = text.get_mut(kept..).unwrap_or(&mut []);
        let len = kept + file::read_some(&list, room)?.unwrap_or(0);
        let read = text.get(..len).unwrap_or(&[]);
        let whole = read.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let (lines, rest) = read.split_at_checked(whole).unwrap_or((&[], &[]));
        lines.parts(b'\n').filter_map(pid_of).for_each(&mut *each);
        if len == kept {
            return Ok(());
        }
        kept = rest.len();
        text.copy_within(whole..len, 0);
    }
}

/// What the name of a service's cgroup says of it: how the service is called, and the mark.
fn named(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = name.iter().rposition(|&byte| byte == b'.')?;
    name.split_at_checked(at).filter(|(_, mark)| mark.starts_with(MARK))
}

/// What the name of its cgroup says of a service with this path.
fn called_in(service: &[u8]) -> &[u8] {
    let name = service.behind(b'/');
    name.get(..NAME).unwrap_or(name)
}

fn clear(dir: &OwnedFd, levels: usize) {
    let Some(levels) = levels.checked_sub(1) else { return };
    let mut names = Names::of(dir::open(dir.as_fd(), c"."));
    while let Some(name) = names.next_name() {
        if let Ok(below) = dir::open_itself(dir.as_fd(), name) {
            clear(&below, levels);
        }
    }
    remove_each(dir, b"");
}

/// Removes those with this end, if they are empty.
#[inline(never)]
fn remove_each(dir: &OwnedFd, end: &[u8]) {
    let mut names = Names::of(dir::open(dir.as_fd(), c"."));
    while let Some(name) = names.next_name() {
        if name.to_bytes().ends_with(end) {
            let _ = file::remove_directory(dir.as_fd(), name);
        }
    }
}

/// The path of a process's cgroup, from the mount point.
fn path_of(process: &CStr) -> Result<Path> {
    let mut text = [0; LONGEST];
    // That of v2 has the number 0 and no name.
    let mut lines = file::read_text(file::CWD, process, &mut text)?.parts(b'\n');
    let path = lines.find_map(|line| line.strip_prefix(b"0::")).ok_or(Errno::NOENT)?;
    let mut whole = Text::new();
    whole.push(path);
    Ok(whole)
}

fn path_of_process(pid: Pid) -> Result<Path> {
    path_of(processes::path(pid).push(b"/cgroup").c_str().ok_or(Errno::NAMETOOLONG)?)
}

/// Opens the cgroup of this path.
fn open(path: &[u8]) -> Option<OwnedFd> {
    ROOTS.iter().find_map(|root| {
        let mut whole = Text::<{ LONGEST + 32 }>::new();
        let opened = dir::open(file::CWD, whole.push(root.to_bytes()).push(path).c_str()?).ok()?;
        file::stat(opened.as_fd(), PROCS).ok().map(|_| opened)
    })
}
