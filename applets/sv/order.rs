//! The commands of sv: full words first, then first letters, as runit matches them.

use svbox::cli::has;
use svbox::text::Cut;

/// What a command does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// The bytes for the supervisor, zeros behind them; none for `status` and `check`.
    bytes: [u8; 3],
    /// Whether it asks if the service is as it should be (`check`).
    pub checks: bool,
    /// Whether it waits without being asked to.
    pub waits: bool,
    /// Whether KILL is sent when the time is over.
    pub kills: bool,
    /// Whether it ends the supervisor.
    pub exits: bool,
    /// Whether it asks what the service waits for.
    #[cfg(feature = "policy")]
    pub explains: bool,
}

impl Order {
    const STATUS: Self = Self {
        bytes: [0; 3],
        checks: false,
        waits: false,
        kills: false,
        exits: false,
        #[cfg(feature = "policy")]
        explains: false,
    };

    const fn send(bytes: [u8; 3]) -> Self {
        Self { bytes, ..Self::STATUS }
    }

    const fn wait(bytes: [u8; 3]) -> Self {
        Self { waits: true, ..Self::send(bytes) }
    }

    const fn force(bytes: [u8; 3]) -> Self {
        Self { kills: true, ..Self::wait(bytes) }
    }

    const fn and_exit(self) -> Self {
        Self { exits: true, ..self }
    }

    /// The order a word stands for; an init script knows fewer words that begin with `s`.
    pub fn read(word: &[u8], lsb: bool) -> Option<Self> {
        if let Some(at) = WORDS.parts(b' ').position(|known| known == word) {
            return MEANINGS.get(at).copied();
        }
        #[cfg(feature = "policy")]
        if word == b"why" {
            return Some(Self { explains: true, ..Self::STATUS });
        }
        match word {
            [b's', ..] => (!lsb).then_some(Self::STATUS),
            [b'x' | b'e', ..] => Some(Self::send(*b"x\0\0").and_exit()),
            [b'X' | b'E', ..] => Some(Self::force(*b"x\0\0").and_exit()),
            [b'D', ..] => Some(Self::force(*b"d\0\0")),
            [b'T', ..] => Some(Self::force(*b"tc\0")),
            [letter, ..] => has(LETTERS, *letter).then_some(Self::send([*letter, 0, 0])),
            [] => None,
        }
    }

    /// The bytes for the supervisor.
    pub fn sends(&self) -> &[u8] {
        let len = self.bytes.iter().position(|&byte| byte == 0).unwrap_or(self.bytes.len());
        self.bytes.get(..len).unwrap_or(&[])
    }

    /// Whether it asks a process to end.
    #[cfg(feature = "policy")]
    pub fn stops(&self) -> bool {
        self.bytes.iter().any(|byte| b"dxt".contains(byte))
    }

    /// Whether it makes sense to wait for a supervisor that is about to appear: the order starts the service.
    pub fn may_appear(&self) -> bool {
        matches!(self.sends(), b"u" | b"o")
    }
}

/// The words that are matched whole, and in the same order what they stand for.
const WORDS: &[u8] =
    b"start stop restart reload try-restart shutdown check force-stop force-reload force-restart \
    force-shutdown status";
const MEANINGS: [Order; 12] = [
    Order::wait(*b"u\0\0"),
    Order::wait(*b"d\0\0"),
    Order::wait(*b"tcu"),
    Order::wait(*b"h\0\0"),
    Order::wait(*b"tc\0"),
    Order::wait(*b"x\0\0").and_exit(),
    Order { checks: true, ..Order::wait(*b"\0\0\0") },
    Order::force(*b"d\0\0"),
    Order::force(*b"tc\0"),
    Order::force(*b"tcu"),
    Order::force(*b"x\0\0").and_exit(),
    Order::STATUS,
];

/// The letters that are sent as they are.
const LETTERS: &[u8] = b"udopchaiq12kt";
