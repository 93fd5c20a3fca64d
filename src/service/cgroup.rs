//! The cgroup of a service whose `kill-scope` is `tree`: below that of its supervisor, where cgroup v2 lets us make one.
//! Its name tells the service directory, so that a later supervisor finds it again (cgroups(7)).

use super::processes::{self, pid_of};
use crate::sys::process::Pid;
use crate::sys::signal::Signal;
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, Result, dir, file};
use crate::text::Text;
use core::ffi::CStr;

/// Where cgroup v2 is mounted: beside the hierarchies of v1, or alone.
const ROOTS: [&CStr; 2] = [c"/sys/fs/cgroup/unified", c"/sys/fs/cgroup"];
const MODE: u32 = 0o755;
/// The longest path of a cgroup that is understood.
const LONGEST: usize = 1024;
/// How much of a service's name is in that of its cgroup.
const NAME: usize = 150;
const PROCS: &CStr = c"cgroup.procs";
const KILL: &CStr = c"cgroup.kill";

/// The end of the name of a service's cgroup: which directory the service is.
pub type Mark = Text<64>;

/// The mark of a service directory.
pub fn mark(dir: impl AsFd) -> Result<Mark> {
    let stat = file::stat_open(dir)?;
    let mut mark = Mark::new();
    mark.push(b".svbox-").number(stat.st_dev).push(b"-").number(stat.st_ino);
    Ok(mark)
}

/// Whether a process is in the cgroup of this mark, or below it.
pub fn holds(mark: &Mark, pid: Pid) -> bool {
    path_of_process(pid)
        .is_ok_and(|path| path.bytes().split(|&byte| byte == b'/').any(|part| part.ends_with(mark.bytes())))
}

/// The cgroup of a service.
pub struct Cgroup(OwnedFd);

impl Cgroup {
    /// Opens that of the service directory `dir`, making it if need be. Where it cannot be made, or all in it cannot be
    /// killed at once (Linux 5.14), there is none.
    pub fn make(dir: BorrowedFd<'_>, service: &[u8]) -> Result<Self> {
        let path = path_of(c"/proc/self/cgroup")?;
        let home =
            open(path.bytes()).filter(|home| file::is_writable(home.as_fd(), PROCS)).ok_or(Errno::ACCESS)?;
        let mut name = Text::<{ NAME + 64 }>::new();
        let service = service.rsplit(|&byte| byte == b'/').next().unwrap_or(&[]);
        name.push(service.get(..NAME).unwrap_or(service)).push(mark(dir)?.bytes());
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
        Ok(Self(cgroup))
    }

    /// Opens that in which a process is, if it is of this mark.
    pub fn of(pid: Pid, mark: &Mark) -> Option<Self> {
        let path = path_of_process(pid).ok()?;
        open(path.bytes()).filter(|_| path.bytes().ends_with(mark.bytes())).map(Self)
    }

    /// This process is in it from here on. Called in a child that shares our memory.
    pub fn enter(&self) -> Result<()> {
        file::put_at(self.0.as_fd(), PROCS, b"0")
    }

    /// Sends KILL to all that are in it, also to what they are just making.
    pub fn kill(&self) -> Result<()> {
        file::put_at(self.0.as_fd(), KILL, b"1")
    }

    /// Whether nobody is in it, or below it.
    pub fn is_empty(&self) -> bool {
        let mut text = [0; 256];
        let read = file::open_read(self.0.as_fd(), c"cgroup.events")
            .and_then(|events| file::read_full(&events, &mut text));
        let mut lines = text.get(..read.unwrap_or(0)).unwrap_or(&[]).split(|&byte| byte == b'\n');
        // One that has been removed has nobody in it.
        !lines.any(|line| line == b"populated 1")
    }

    /// Sends a signal to each that is in it, but not below it.
    pub fn signal(&self, signal: Signal, mark: &Mark) {
        let _ = self.each(|pid| _ = processes::signal(pid, signal, |pid| holds(mark, pid)));
    }

    fn each(&self, mut each: impl FnMut(Pid)) -> Result<()> {
        let list = file::open_read(self.0.as_fd(), PROCS)?;
        let mut text = [0; 1024];
        let mut kept = 0;
        loop {
            let room = text.get_mut(kept..).unwrap_or(&mut []);
            let len = kept + file::read_some(&list, room)?.unwrap_or(0);
            let read = text.get(..len).unwrap_or(&[]);
            let whole = read.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let (lines, rest) = read.split_at_checked(whole).unwrap_or((&[], &[]));
            lines.split(|&byte| byte == b'\n').filter_map(pid_of).for_each(&mut each);
            if len == kept {
                return Ok(());
            }
            kept = rest.len();
            text.copy_within(whole..len, 0);
        }
    }

    /// Removes it, if it is empty. What it was opened by goes on meaning it.
    pub fn remove(&self, service: BorrowedFd<'_>) {
        let Ok(mark) = mark(service) else { return };
        let Ok(parent) = dir::open(self.0.as_fd(), c"..") else { return };
        let Ok(listing) = dir::open(parent.as_fd(), c".") else { return };
        let _ = dir::each_name(&listing, |name, _| {
            if name.to_bytes().ends_with(mark.bytes()) {
                let _ = file::remove_directory(parent.as_fd(), name);
            }
        });
    }
}

/// The path of a process's cgroup, from the mount point.
fn path_of(process: &CStr) -> Result<Text<LONGEST>> {
    let mut text = [0; LONGEST];
    let len = file::read_full(&file::open_read(file::CWD, process)?, &mut text)?;
    // That of v2 has the number 0 and no name.
    let mut lines = text.get(..len).unwrap_or(&[]).split(|&byte| byte == b'\n');
    let path = lines.find_map(|line| line.strip_prefix(b"0::")).ok_or(Errno::NOENT)?;
    let mut whole = Text::new();
    whole.push(path);
    Ok(whole)
}

fn path_of_process(pid: Pid) -> Result<Text<LONGEST>> {
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
