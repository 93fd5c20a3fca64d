//! Namespaces, and the processes that stand around a program in a PID namespace of its own.
//!
//! Outside stays a process that hands on the signals it gets and ends as what is inside does. Inside, the program is
//! process 1 itself, or a child of one that collects whatever is left behind and ends with the last of it.

use super::REPORT;
use super::unable::Unable;
use core::mem::ManuallyDrop;
use svbox::report::FATAL;
use svbox::sys::namespace::{self, Kinds};
use svbox::sys::poll::{self, Direction};
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::{AsFd, Errno, OwnedFd, capability, fifo, file, identity};
use svbox::text::Text;

/// What the program is in its PID namespace; the stronger is the larger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inside {
    /// Process 1, and what is mounted is not touched.
    Only,
    /// Process 1.
    First,
    /// One of a group of processes that ends with the last of them.
    Group,
}

/// Leaves the namespace of the kind with this place among them.
pub fn unshare(index: usize) -> Result<(), Unable> {
    let Some(kind) = namespace::NAMED.get(index) else { return Ok(()) };
    let (user, group) = identity::effective();
    namespace::unshare(*kind).map_err(refused())?;
    match *kind == Kinds::NEWUSER {
        true => map_own_ids(user, group).map_err(Unable::to(b"unable to map ids", b"")),
        false => Ok(()),
    }
}

/// Kernels can be built without any of the kinds.
fn refused() -> impl Fn(Errno) -> Unable {
    Unable::known(b"unable to set namespaces", b"", &[Errno::INVAL])
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

/// The process outside, as the program that is process 1 sees it.
pub struct Outside {
    /// Ends with it.
    ended: ManuallyDrop<OwnedFd>,
    /// Tells it by its end that the program runs.
    _starting: ManuallyDrop<OwnedFd>,
}

impl Outside {
    /// Ends this process with the one outside. A change of ids forgets that.
    pub fn tie(&self) -> Result<(), Unable> {
        process::set_parent_death_signal(Signal::KILL)
            .map_err(Unable::to(b"unable to set parent death signal", b""))?;
        // It may have ended before.
        if file::read_some(&*self.ended, &mut [0]) == Ok(Some(0)) {
            process::exit(FATAL);
        }
        Ok(())
    }
}

/// Goes on as a process in a PID namespace of its own; `own_mounts` says whether those of others can be hidden. What
/// comes back, if anything, is to be tied to when the ids are what they are to be.
pub fn enter(inside: Inside, own_mounts: bool, verbose: bool) -> Result<Option<Outside>, Unable> {
    if inside != Inside::Only && own_mounts {
        namespace::hide_processes().map_err(Unable::to(b"unable to unmount /proc", b""))?;
    }
    namespace::unshare(Kinds::NEWPID).map_err(refused())?;
    let refused = Unable::to(b"unable to start a process", b"");
    // Ignored, it would let children vanish unseen.
    signal::default(Signal::CHILD);
    let before = Mask::all().block();
    // Whatever fails, the process ends, and what it has open with it.
    let channels = ManuallyDrop::new(Channels::open().map_err(&refused)?);
    let child = process::fork().map_err(&refused)?;
    let Channels { signals, ended, held, started, starting } = ManuallyDrop::into_inner(channels);
    if let Some(child) = child {
        drop(starting);
        stand_outside(child, &signals, &started);
    }
    drop((held, started));
    let outside = Outside { ended: ManuallyDrop::new(ended), _starting: ManuallyDrop::new(starting) };
    outside.tie()?;
    if inside == Inside::Group {
        stand_around(outside, signals, verbose).map_err(refused)?;
        before.set();
        return Ok(None);
    }
    before.set();
    Ok(Some(outside))
}

/// What the processes outside and inside know of each other by.
struct Channels {
    signals: Signals,
    ended: OwnedFd,
    held: OwnedFd,
    started: OwnedFd,
    starting: OwnedFd,
}

impl Channels {
    fn open() -> Result<Self, Errno> {
        let (ended, held) = fifo::pipe_nonblocking()?;
        let (started, starting) = fifo::pipe_nonblocking()?;
        Ok(Self { signals: Signals::open(&Mask::all())?, ended, held, started, starting })
    }
}

/// Leaves process 1 where it is, and goes on as its child.
fn stand_around(outside: Outside, signals: Signals, verbose: bool) -> Result<(), Errno> {
    // The program gets its signals from process 1.
    drop(ManuallyDrop::into_inner(outside._starting));
    let (disarmed, disarming) = fifo::pipe()?;
    if process::fork()?.is_some() {
        drop(disarmed);
        // The program could make use of what this process may do, which is more.
        capability::disarm();
        drop(disarming);
        stand_inside(&signals, verbose);
    }
    drop(disarming);
    file::read_some(&disarmed, &mut [0]).map(drop)
}

fn stand_outside(child: Pid, signals: &Signals, started: &OwnedFd) -> ! {
    let mut ended_by = None;
    loop {
        match process::reap_one(child) {
            Ok(None) => {}
            Ok(Some(ended)) => process::exit(ended_by.unwrap_or_else(|| ended.as_code())),
            Err(_) => process::exit(FATAL),
        }
        each_signal(signals, |number| {
            let is = |signal: Signal| signal.as_raw() == number;
            let mut sent = number;
            // Process 1 overhears what it has no handler for, and the program cannot have one before it runs.
            let is_starting = file::read_some(started, &mut [0]) == Ok(None);
            if is_starting && !HARMLESS.iter().any(|signal| is(*signal)) {
                sent = Signal::KILL.as_raw();
                ended_by = u8::try_from(number).ok().map(|number| 128 | number);
            }
            // QUIT it could overhear as well, but is to end everything at once.
            if is(Signal::QUIT) {
                sent = Signal::KILL.as_raw();
            }
            let _ = process::relay(Some(child), sent);
        });
    }
}

/// The signals that do not end a program which has no handler for them.
const HARMLESS: [Signal; 6] =
    [Signal::CONT, Signal::URG, Signal::WINCH, Signal::TSTP, Signal::TTIN, Signal::TTOU];

fn stand_inside(signals: &Signals, verbose: bool) -> ! {
    say(verbose, b"start", None);
    let mut last = 0;
    loop {
        match process::reap_any() {
            Ok(Some((pid, ended))) => {
                last = ended.as_code();
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
