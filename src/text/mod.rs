//! Bytes on the stack, and numbers: no allocation, no failure but "does not fit".

use core::ffi::CStr;

/// Bytes that are put together on the stack, with a NUL behind them.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    whole: bool,
}

impl<const N: usize> Text<N> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { bytes: [0; N], len: 0, whole: true }
    }

    /// Adds bytes. If they do not fit with the NUL nothing more is added, and [`Text::c_str`] gives `None`.
    pub fn push(&mut self, part: &[u8]) -> &mut Self {
        let end = self.len + part.len();
        match self.bytes.get_mut(self.len..end) {
            Some(room) if end < N && self.whole => {
                room.copy_from_slice(part);
                self.len = end;
            }
            _ => self.whole = false,
        }
        self
    }

    /// Adds a number in decimal.
    pub fn number(&mut self, number: u64) -> &mut Self {
        let mut digits = [0; 20];
        self.push(decimal(number, &mut digits))
    }

    /// What has been put together.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// The same as a C string, if all of it did fit and no NUL is in it.
    pub fn c_str(&self) -> Option<&CStr> {
        if !self.whole {
            return None;
        }
        CStr::from_bytes_with_nul(self.bytes.get(..=self.len)?).ok()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes a number in decimal into the end of `digits` and gives that end.
pub fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        if let Some(digit) = digits.get_mut(start) {
            *digit = b'0' + (number % 10).to_le_bytes()[0];
        }
        number /= 10;
        if number == 0 {
            return digits.get(start..).unwrap_or(&[]);
        }
    }
}

/// Reads a decimal number: digits and nothing else, at least one, and small enough.
pub fn parse(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}
