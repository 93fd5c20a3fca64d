//! Signals: blocked, and read from a descriptor like everything else.

use super::process::Pid;
use super::{AsFd, BorrowedFd, OwnedFd, Result, ffi, file};
use rustix::fd::FromRawFd;
pub use rustix::process::Signal;

/// A set of signals.
#[derive(Clone, Copy)]
pub struct Mask(ffi::SigSet);

impl Mask {
    /// Every signal there is.
    pub const fn all() -> Self {
        Self(ffi::SigSet([0xff; ffi::SET_BYTES]))
    }

    /// The set of these.
    pub fn of(signals: &[Signal]) -> Self {
        signals.iter().fold(Self(ffi::SigSet::NONE), |set, signal| set.with(*signal))
    }

    /// Makes this the set of blocked signals.
    pub fn set(&self) {
        ffi::mask(ffi::SIG_SETMASK, &self.0);
    }

    /// Blocks these as well, and gives the set that was blocked before.
    pub fn block(&self) -> Self {
        Self(ffi::mask(ffi::SIG_BLOCK, &self.0))
    }

    /// The set with one signal more.
    pub fn with(self, signal: Signal) -> Self {
        self.change(signal, |bits, bit| bits | bit)
    }

    /// The set without one signal.
    pub fn without(self, signal: Signal) -> Self {
        self.change(signal, |bits, bit| bits & !bit)
    }

    fn change(mut self, signal: Signal, change: fn(usize, usize) -> usize) -> Self {
        let bit = usize::try_from(signal.as_raw() - 1).unwrap_or(0);
        // The kernel's layout on every target here: bit n-1 of an array of words; the words are native.
        let word = usize::BITS as usize;
        let (index, shift) = (bit / word, bit % word);
        let (words, _) = self.0.0.as_chunks_mut::<{ size_of::<usize>() }>();
        if let Some(bytes) = words.get_mut(index) {
            *bytes = change(usize::from_ne_bytes(*bytes), 1 << shift).to_ne_bytes();
        }
        self
    }
}

/// The signal of a number, which need not have a name.
pub fn numbered(number: i32) -> Option<Signal> {
    const LAST: i32 = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 127 } else { 64 };
    // SAFETY: the kernel has signals of all these numbers. Those that C libraries keep for themselves mean nothing to a
    // program with one thread.
    (1..=LAST).contains(&number).then(|| unsafe { Signal::from_raw_unchecked(number) })
}

/// The names of signals, without the `SIG` before them.
pub const NAMES: &[u8] = b"hup int quit ill trap abrt bus fpe kill usr1 segv usr2 pipe alrm term chld cont stop tstp ttin ttou urg xcpu xfsz vtalrm prof winch io pwr sys";
/// The signals in the same order.
pub const NAMED: [Signal; 30] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::ILL,
    Signal::TRAP,
    Signal::ABORT,
    Signal::BUS,
    Signal::FPE,
    Signal::KILL,
    Signal::USR1,
    Signal::SEGV,
    Signal::USR2,
    Signal::PIPE,
    Signal::ALARM,
    Signal::TERM,
    Signal::CHILD,
    Signal::CONT,
    Signal::STOP,
    Signal::TSTP,
    Signal::TTIN,
    Signal::TTOU,
    Signal::URG,
    Signal::XCPU,
    Signal::XFSZ,
    Signal::VTALARM,
    Signal::PROF,
    Signal::WINCH,
    Signal::IO,
    Signal::POWER,
    Signal::SYS,
];

/// Gives a signal its default action. A signal that was ignored before would stay so in each program we start,
/// and an ignored SIGCHLD would let children vanish unseen.
pub fn default(signal: Signal) {
    ffi::default_action(signal.as_raw());
}

/// What the kernel hands on with a signal: 128 bytes, of which the first are the same everywhere but for their order.
#[repr(C, align(8))]
struct Info([i32; 32]);

/// The words of the kind of sending, the sender, and the value: see sigaction(2).
const CODE: usize = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 1 } else { 2 };
const SENDER: usize = if cfg!(target_pointer_width = "64") { 4 } else { 3 };
const VALUE: usize = SENDER + 2;
/// Sent with a value.
const QUEUED: i32 = -1;

/// Sends a signal by its number and with a value, which [`Signals::next_note`] gives there.
pub fn send_note(to: Pid, number: i32, value: i32) -> Result<()> {
    let mut info = Info([0; 32]);
    let sender = super::process::own().as_raw_nonzero().get();
    for (at, word) in [(0, number), (CODE, QUEUED), (SENDER, sender), (VALUE, value)] {
        if let Some(place) = info.0.get_mut(at) {
            *place = word;
        }
    }
    let to = to.as_raw_nonzero().get().cast_unsigned() as usize;
    let arguments = [to, number.cast_unsigned() as usize, (&raw const info) as usize, 0, 0];
    // SAFETY: the kernel reads a structure of this size, which lives through the call.
    unsafe { ffi::system_call(ffi::number::RT_SIGQUEUEINFO, arguments) }.map(drop)
}

/// Blocked signals, to be read when the descriptor says that there are some.
pub struct Signals(OwnedFd);

impl Signals {
    /// Opens a descriptor for the signals of the set, which are to be blocked.
    pub fn open(mask: &Mask) -> Result<Self> {
        let fd = ffi::signalfd(&mask.0)?;
        // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next signal that came, with its number; `None` if there is none now.
    pub fn next(&self) -> Option<i32> {
        let mut info = [0; 128];
        match file::read_some(&self.0, &mut info) {
            Ok(Some(128)) => info.first_chunk().map(|number| i32::from_ne_bytes(*number)),
            Ok(_) | Err(_) => None,
        }
    }

    /// The same, and the value that was sent with it, if there was one.
    pub fn next_note(&self) -> Option<(i32, Option<i32>)> {
        // See signalfd(2): the number, an error, the kind of sending, and the value further down.
        const VALUE: usize = 44;
        let mut info = [0; 128];
        let word =
            |info: &[u8; 128], at: usize| info.get(at..)?.first_chunk().map(|word| i32::from_ne_bytes(*word));
        match file::read_some(&self.0, &mut info) {
            Ok(Some(128)) => {
                let value = word(&info, VALUE).filter(|_| word(&info, 8) == Some(QUEUED));
                word(&info, 0).map(|number| (number, value))
            }
            Ok(_) | Err(_) => None,
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
