//! TAI64N labels: moments as runit and daemontools write them, seconds of the wall clock plus a constant.
//!
//! Leap seconds are never counted; the constant holds the ten seconds of 1970 (supervise protocol, section 4).

use crate::sys::time;

/// 2^62 plus ten seconds: the label of 1970.
const EPOCH: u64 = 0x4000_0000_0000_000a;

/// A moment on the wall clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tai {
    /// Seconds since 1970 plus the constant.
    pub seconds: u64,
    /// Nanoseconds of the second.
    pub nanoseconds: u32,
}

impl Tai {
    /// This moment.
    pub fn now() -> Self {
        let (seconds, nanoseconds) = time::wall();
        Self { seconds: EPOCH.wrapping_add(seconds.cast_unsigned()), nanoseconds }
    }

    /// The twelve bytes of the label: both parts big-endian.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (seconds, nanoseconds) = bytes.split_at_mut(8);
        seconds.copy_from_slice(&self.seconds.to_be_bytes());
        nanoseconds.copy_from_slice(&self.nanoseconds.to_be_bytes());
        bytes
    }

    /// Reads the twelve bytes of a label.
    pub fn from_bytes(bytes: &[u8; 12]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *bytes;
        Self {
            seconds: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            nanoseconds: u32::from_be_bytes([i, j, k, l]),
        }
    }

    /// The label as text: `@` and 24 hexadecimal digits.
    pub fn to_text(self) -> [u8; 25] {
        let mut text = [b'@'; 25];
        let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        let nibbles = self.to_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, nibble) in text.iter_mut().skip(1).zip(nibbles) {
            *place = digit(nibble);
        }
        text
    }

    /// Whole seconds from `earlier` to this; 0 if it is still to come.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        let seconds = self.seconds.saturating_sub(earlier.seconds);
        if self.nanoseconds < earlier.nanoseconds { seconds.saturating_sub(1) } else { seconds }
    }
}
