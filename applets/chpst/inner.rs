//! Namespaces, and the processes that stand around a program in a PID namespace of its own.
//!
//! Outside stays a process that hands on the signals it gets and ends as what is inside does. Inside, the program is
//! process 1 itself, or a child of one that collects whatever is left behind and ends with the last of it.

use super::REPORT;
use super::state::Unable;
use svbox::report::FATAL;
use svbox::sys::namespace::{self, Kinds};
use svbox::sys::poll::{self, Direction};
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::{AsFd, Errno, OwnedFd, fifo, file, identity};
use svbox::text::Text;

/// What the program is in its PID namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// One of a group of processes that ends with the last of them.
    Group,
    /// Process 1.
    First,
    /// Process 1, and what is mounted is not touched.
    Only,
}

/// Leaves the namespaces of these kinds. With one of its own, what is mounted stays here; where the root of that is
/// not a mount itself, as in a changed root, this holds for what is inside `rooted`, another one.
pub fn unshare(kinds: Kinds, rooted: bool) -> Result<(), Unable> {
    let refused = Unable::to(b"unable to set namespaces", b"");
    if kinds.contains(Kinds::NEWUSER) {
        let (user, group) = identity::effective();
        namespace::unshare(Kinds::NEWUSER).map_err(&refused)?;
        map_own_ids(user, group).map_err(&refused)?;
    }
    namespace::unshare(kinds.difference(Kinds::NEWUSER)).map_err(&refused)?;
    if !kinds.contains(Kinds::NEWNS) {
        return Ok(());
    }
    match namespace::make_private() {
        Err(Errno::INVAL) if rooted => Ok(()),
        other => other.map_err(Unable::to(b"unable to make mounts private", b"")),
    }
}

/// In a new user namespace, gives our user and group the numbers that they have outside.
fn map_own_ids(user: u32, group: u32) -> Result<(), Errno> {
    // Without this an unprivileged process must not say which group it is; kernels before 3.19 know nothing of it.
    match file::put(c"/proc/self/setgroups", b"deny") {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    for (path, id) in [(c"/proc/self/uid_map", user), (c"/proc/self/gid_map", group)] {
        let mut line = Text::<64>::new();
        line.number(id.into()).push(b" ").number(id.into()).push(b" 1");
        file::put(path, line.bytes())?;
    }
    Ok(())
}

/// Goes on as a process in a PID namespace of its own, without the `/proc` of another. What comes back, if anything,
/// is to be given to [`tie`] when the ids are what they are to be.
pub fn enter(inside: Inside, verbose: bool) -> Result<Option<OwnedFd>, Unable> {
    if inside != Inside::Only {
        namespace::detach(c"/proc").map_err(Unable::to(b"unable to unmount /proc", b""))?;
    }
    namespace::unshare(Kinds::NEWPID).map_err(Unable::to(b"unable to set namespaces", b""))?;
    let refused = Unable::to(b"unable to start a process", b"");
    // Ignored, it would let children vanish unseen.
    signal::default(Signal::CHILD);
    let before = Mask::all().block();
    let signals = Signals::open(&Mask::all()).map_err(&refused)?;
    let (outside, held) = fifo::pipe_nonblocking().map_err(&refused)?;
    if let Some(child) = process::fork().map_err(&refused)? {
        stand_outside(child, &signals);
    }
    drop(held);
    tie(&outside)?;
    if inside != Inside::Group {
        before.set();
        return Ok(Some(outside));
    }
    if process::fork().map_err(&refused)?.is_some() {
        stand_inside(&signals, verbose);
    }
    before.set();
    Ok(None)
}

/// Ends this process with the one outside.
pub fn tie(outside: &OwnedFd) -> Result<(), Unable> {
    process::set_parent_death_signal(Signal::KILL)
        .map_err(Unable::to(b"unable to set parent death signal", b""))?;
    // It may have ended before.
    if file::read_some(outside, &mut [0]) == Ok(Some(0)) {
        process::exit(FATAL);
    }
    Ok(())
}

fn stand_outside(child: Pid, signals: &Signals) -> ! {
    loop {
        match process::reap_one(child) {
            Ok(None) => {}
            Ok(Some(ended)) => process::exit(code(ended)),
            Err(_) => process::exit(FATAL),
        }
        each_signal(signals, |number| {
            // Process 1 hears of QUIT what it could not overhear: everything ends at once.
            let number = if number == Signal::QUIT.as_raw() { Signal::KILL.as_raw() } else { number };
            let _ = process::relay(Some(child), number);
        });
    }
}

fn stand_inside(signals: &Signals, verbose: bool) -> ! {
    say(verbose, b"start", None);
    let mut last = 0;
    loop {
        match process::reap_any() {
            Ok(Some((pid, ended))) => {
                last = code(ended);
                say(verbose, b"exit", Some(pid));
            }
            Ok(None) => each_signal(signals, |number| {
                let _ = process::relay(None, number);
            }),
            Err(_) => {
                say(verbose, b"done", None);
                process::exit(last)
            }
        }
    }
}

/// Waits for signals, and calls `act` with each but CHLD.
fn each_signal(signals: &Signals, mut act: impl FnMut(i32)) {
    poll::either([Some((signals.as_fd(), Direction::In)), None], None);
    while let Some(number) = signals.next() {
        if number != Signal::CHILD.as_raw() {
            act(number);
        }
    }
}

fn say(verbose: bool, what: &[u8], pid: Option<Pid>) {
    if !verbose {
        return;
    }
    let mut process = Text::<32>::new();
    if let Some(pid) = pid {
        process.push(b"pid ").number(process::number(pid).into()).push(b": ");
    }
    REPORT.say(b"pid1: ", &[process.bytes(), what], None);
}

/// The exit code that stands for how a process ended, as in a shell.
fn code(ended: Ended) -> u8 {
    ended.code().unwrap_or(128 | ended.signal_byte() & 0x7f)
}
