//! `supervise/status` and `supervise/stat`, both ways (supervise protocol, sections 4 and 5).

use super::machine::{Phase, State, Want};
use crate::tai::Tai;
use crate::text::Text;

/// The length of `status`.
pub const LEN: usize = 20;

/// The three states that readers know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// No process.
    Down,
    /// `./run`.
    Run,
    /// `./finish`.
    Finish,
    /// A state of some other supervisor; runit's `sv` shows its data without a word for it.
    Unknown(u8),
}

impl Shown {
    /// What readers are told of a phase.
    pub fn of(phase: Phase) -> Self {
        match phase {
            Phase::Down | Phase::Resting | Phase::Preparing | Phase::Waiting | Phase::Failed => Self::Down,
            Phase::Starting | Phase::Up | Phase::Stopping => Self::Run,
            Phase::Finishing => Self::Finish,
        }
    }
}

/// What `status` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// When `./run` was started, or when the service went down.
    pub since: Tai,
    /// The process; 0 for none.
    pub pid: u32,
    /// STOP was sent and no CONT after it.
    pub paused: bool,
    /// `u` if the service is wanted up, `d` if not; "exit" reads as down here.
    pub want: u8,
    /// TERM was sent and the process has not ended.
    pub term: bool,
    /// The state.
    pub shown: Shown,
}

impl Status {
    /// What readers are told of a service.
    pub fn of(state: &State, since: Tai, pid: u32) -> Self {
        Self {
            since,
            pid,
            paused: state.paused,
            want: if state.want == Want::Up { b'u' } else { b'd' },
            term: state.term,
            shown: Shown::of(state.phase),
        }
    }

    /// Whether there is a process, or what a one-shot has done.
    pub fn is_up(&self) -> bool {
        self.pid != 0 || cfg!(feature = "policy") && self.shown == Shown::Run
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let (label, rest) = bytes.split_at_mut(12);
        let (pid, rest) = rest.split_at_mut(4);
        label.copy_from_slice(&self.since.to_bytes());
        pid.copy_from_slice(&self.pid.to_le_bytes());
        let state = match self.shown {
            Shown::Down => 0,
            Shown::Run => 1,
            Shown::Finish => 2,
            Shown::Unknown(byte) => byte,
        };
        rest.copy_from_slice(&[u8::from(self.paused), self.want, u8::from(self.term), state]);
        bytes
    }

    /// Reads the bytes of the file.
    pub fn from_bytes(bytes: &[u8; LEN]) -> Self {
        let [label @ .., p0, p1, p2, p3, paused, want, term, state] = bytes;
        let shown = match state {
            0 => Shown::Down,
            1 => Shown::Run,
            2 => Shown::Finish,
            &other => Shown::Unknown(other),
        };
        Self {
            since: Tai::from_bytes(label),
            pid: u32::from_le_bytes([*p0, *p1, *p2, *p3]),
            paused: *paused != 0,
            want: *want,
            term: *term != 0,
            shown,
        }
    }
}

/// The line of `stat`.
pub fn words(state: &State) -> Text<48> {
    let mut line = Text::new();
    line.push(match Shown::of(state.phase) {
        Shown::Down | Shown::Unknown(_) => b"down",
        Shown::Run => b"run",
        Shown::Finish => b"finish",
    });
    if state.paused {
        line.push(b", paused");
    }
    if state.term {
        line.push(b", got TERM");
    }
    if Shown::of(state.phase) != Shown::Down {
        line.push(match state.want {
            Want::Up => b"",
            Want::Once | Want::Down => b", want down",
            Want::Exit => b", want exit",
        });
    }
    line.push(b"\n");
    line
}
