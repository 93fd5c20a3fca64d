//! The processes of the machine, as `/proc` shows them, and how they belong together (proc_pid_stat(5)).

use crate::sys::dir::{self, Names};
use crate::sys::process::{self, Pid};
use crate::sys::signal::Signal;
use crate::sys::{AsFd, Errno, Result, file};
use crate::text::{Cut, Text, parse};

/// No line of descent is longer; a walk along one that changes meanwhile has an end.
const GENERATIONS: usize = 1024;

/// What is known of a process.
#[derive(Clone, Copy)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Its parent, if that is not process 1 or outside.
    pub parent: Option<Pid>,
    /// The leader of its process group, which need not be there any more.
    pub group: Option<Pid>,
    /// Whether it has ended and only waits for its parent to know.
    pub has_ended: bool,
}

/// What is known of this one.
pub fn look(pid: Pid) -> Result<Process> {
    let mut path = path(pid);
    let path = path.push(b"/stat").c_str().ok_or(Errno::NAMETOOLONG)?;
    let mut text = [0; 512];
    let text = file::read_text(file::CWD, path, &mut text)?;
    // The second field is the command in parentheses and may hold anything.
    let mut fields = text.behind(b')').parts(b' ').skip(1);
    let state = fields.next().ok_or(Errno::PROTO)?;
    let [parent, group] = [(); 2].map(|()| fields.next().and_then(pid_of));
    // Threads can go on without the first of them.
    let threads = fields.nth(14).and_then(parse).unwrap_or(0);
    Ok(Process { pid, parent, group, has_ended: matches!(state, b"Z" | b"X" | b"x") && threads <= 1 })
}

/// Every process that has not ended.
pub struct Processes(Names);

impl Processes {
    /// Those that there are now. Where nothing can be known, [`Processes::end`] says so; and a `/proc` of another namespace
    /// has none: a number that is ours there is somebody else's here.
    #[inline(never)]
    pub fn list() -> Self {
        let opened = match file::read_link(file::CWD, c"/proc/self", &mut [0; 32]) {
            Ok(own) if pid_of(own) != Some(process::own()) => Err(Errno::NOENT),
            // We are not in it at all.
            Err(Errno::NOENT) => Err(Errno::NOENT),
            _ => dir::open(file::CWD, c"/proc").map_err(|_| Errno::SRCH),
        };
        Self(Names::of(opened))
    }

    /// The next one.
    #[inline(never)]
    pub fn next_process(&mut self) -> Option<Process> {
        while let Some(name) = self.0.next_name() {
            let process = pid_of(name.to_bytes()).and_then(|pid| look(pid).ok());
            if let Some(process) = process.filter(|process| !process.has_ended) {
                return Some(process);
            }
        }
        None
    }

    /// Why there are no more of them: an error, unless all have been seen.
    pub fn end(&self) -> Result<()> {
        self.0.end()
    }
}

/// The child of `of` from which a process descends, or which it is.
pub fn branch(process: &Process, of: Pid) -> Option<Pid> {
    let mut current = *process;
    for _ in 0..GENERATIONS {
        let parent = current.parent?;
        if parent == of {
            return Some(current.pid);
        }
        current = look(parent).ok()?;
    }
    None
}

/// Sends a signal to a process that may be anybody's child, if `is` still holds of it then: its number could be
/// another one's by now.
pub fn signal(pid: Pid, signal: Signal, is: impl Fn(Pid) -> bool) -> Result<()> {
    match process::hold(pid) {
        // Held first and looked at afterwards: what is looked at is then the process that is held.
        Ok(held) if is(pid) => process::kill_held(held.as_fd(), signal),
        // Linux has such holds since 5.3.
        Err(Errno::NOSYS) if is(pid) => process::kill(pid, signal),
        Ok(_) | Err(Errno::NOSYS) => Err(Errno::SRCH),
        Err(errno) => Err(errno),
    }
}

/// `/proc/N`.
pub fn path(pid: Pid) -> Text<32> {
    let mut path = Text::new();
    path.push(b"/proc/").number(u64::from(process::number(pid)));
    path
}

/// A process by its number; not 0.
pub fn pid_of(digits: &[u8]) -> Option<Pid> {
    parse(digits).and_then(|number| i32::try_from(number).ok()).and_then(Pid::from_raw)
}
