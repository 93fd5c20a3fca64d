//! Signals: blocked, and read from a descriptor like everything else.

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
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
