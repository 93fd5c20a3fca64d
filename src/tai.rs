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
        Self::at(seconds, nanoseconds)
    }

    /// A moment of the wall clock: seconds since 1970, and nanoseconds.
    pub fn at(seconds: i64, nanoseconds: u32) -> Self {
        Self { seconds: EPOCH.wrapping_add(seconds.cast_unsigned()), nanoseconds }
    }

    /// The same with the microseconds that runit's logger knows: a thousand times those, plus 500 nanoseconds.
    pub fn in_microseconds(self) -> Self {
        Self { nanoseconds: self.nanoseconds / 1000 * 1000 + 500, ..self }
    }

    /// The time from `earlier` to this; none if that is still to come.
    pub fn since(self, earlier: Self) -> time::Duration {
        let Some(seconds) = self.seconds.checked_sub(earlier.seconds) else { return time::Duration::ZERO };
        let since = |nanoseconds| time::Duration::new(0, nanoseconds);
        time::Duration::new(seconds, self.nanoseconds).saturating_sub(since(earlier.nanoseconds))
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.seconds.wrapping_sub(EPOCH).cast_signed()
    }

    /// The moment one nanosecond later.
    pub fn next(self) -> Self {
        match self.nanoseconds {
            0..999_999_999 => Self { nanoseconds: self.nanoseconds + 1, ..self },
            _ => Self { seconds: self.seconds.wrapping_add(1), nanoseconds: 0 },
        }
    }

    /// The moment `by` earlier.
    pub fn before(self, by: time::Duration) -> Self {
        let (mut seconds, mut nanoseconds) = (self.seconds.saturating_sub(by.as_secs()), self.nanoseconds);
        if nanoseconds < by.subsec_nanos() {
            seconds = seconds.saturating_sub(1);
            nanoseconds += 1_000_000_000;
        }
        Self { seconds, nanoseconds: nanoseconds - by.subsec_nanos() }
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
        let digits = text.iter_mut().skip(1);
        let label = self.to_bytes();
        for (place, index) in digits.zip(0_usize..) {
            let byte = label.get(index / 2).copied().unwrap_or(0);
            let nibble = if index % 2 == 0 { byte >> 4 } else { byte & 15 };
            *place = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
        text
    }

    /// Whole seconds from `earlier` to this; 0 if it is still to come.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        let seconds = self.seconds.saturating_sub(earlier.seconds);
        if self.nanoseconds < earlier.nanoseconds { seconds.saturating_sub(1) } else { seconds }
    }
}
