//! The control bytes (supervise protocol, section 8).

use crate::sys::signal::Signal;

/// What can be asked of a supervisor through `supervise/control`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// `u`: start, and restart when it ends.
    Up,
    /// `d`: stop, and do not restart.
    Down,
    /// `o`: start, and do not restart.
    Once,
    /// `x`: stop, then the supervisor ends.
    Exit,
    /// `t`: TERM.
    Term,
    /// `k`: KILL.
    Kill,
    /// `p`: STOP.
    Pause,
    /// `c`: CONT.
    Cont,
    /// `h`: HUP.
    Hup,
    /// `a`: ALRM.
    Alarm,
    /// `i`: INT.
    Interrupt,
    /// `q`: QUIT.
    Quit,
    /// `1`: USR1.
    Usr1,
    /// `2`: USR2.
    Usr2,
}

impl Command {
    /// Every command.
    pub const ALL: [Self; 14] = [
        Self::Up,
        Self::Down,
        Self::Once,
        Self::Exit,
        Self::Term,
        Self::Kill,
        Self::Pause,
        Self::Cont,
        Self::Hup,
        Self::Alarm,
        Self::Interrupt,
        Self::Quit,
        Self::Usr1,
        Self::Usr2,
    ];

    /// The command a byte stands for; `None` for a byte that has no meaning and is ignored.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.byte() == byte)
    }

    /// The byte; also the name of the program in `control/` that is consulted.
    pub fn byte(self) -> u8 {
        match self {
            Self::Up => b'u',
            Self::Down => b'd',
            Self::Once => b'o',
            Self::Exit => b'x',
            Self::Term => b't',
            Self::Kill => b'k',
            Self::Pause => b'p',
            Self::Cont => b'c',
            Self::Hup => b'h',
            Self::Alarm => b'a',
            Self::Interrupt => b'i',
            Self::Quit => b'q',
            Self::Usr1 => b'1',
            Self::Usr2 => b'2',
        }
    }

    /// The signal it sends; `None` for a command that is about what is wanted.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Self::Up | Self::Down | Self::Once | Self::Exit => None,
            Self::Term => Some(Signal::TERM),
            Self::Kill => Some(Signal::KILL),
            Self::Pause => Some(Signal::STOP),
            Self::Cont => Some(Signal::CONT),
            Self::Hup => Some(Signal::HUP),
            Self::Alarm => Some(Signal::ALARM),
            Self::Interrupt => Some(Signal::INT),
            Self::Quit => Some(Signal::QUIT),
            Self::Usr1 => Some(Signal::USR1),
            Self::Usr2 => Some(Signal::USR2),
        }
    }
}
