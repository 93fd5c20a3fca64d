//! Bytes on the stack, and numbers: no allocation, no failure but "does not fit".

pub mod address;

use crate::sys;
use core::ffi::CStr;

/// Bytes that are put together on the stack, with a NUL behind them.
pub type Text<const N: usize> = Buffer<[u8; N]>;

/// The same in memory of any size: what a [`Text`] can do is compiled once, for this.
#[derive(Clone, Copy)]
pub struct Buffer<B: ?Sized> {
    len: usize,
    whole: bool,
    bytes: B,
}

impl<const N: usize> Text<N> {
    /// Nothing yet.
    // Kept apart, like what follows: there are many calls.
    #[inline(never)]
    pub const fn new() -> Self {
        Self { len: 0, whole: true, bytes: [0; N] }
    }

    /// Adds bytes. If they do not fit with the NUL nothing more is added, and [`Text::c_str`] gives `None`.
    #[inline(never)]
    pub fn push(&mut self, part: &[u8]) -> &mut Self {
        self.any().append(part);
        self
    }

    /// Adds a number in decimal.
    #[inline(always)]
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.any().append_number(number);
        self
    }

    /// Forgets what lies behind the first `len` bytes.
    #[inline(always)]
    pub fn truncate(&mut self, len: usize) {
        self.any().cut(len);
    }

    /// What has been put together.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        let any: &Buffer<[u8]> = self;
        any.all()
    }

    /// The same as a C string, if all of it did fit and no NUL is in it.
    #[inline(never)]
    pub fn c_str(&self) -> Option<&CStr> {
        let any: &Buffer<[u8]> = self;
        any.with_nul()
    }

    #[inline(always)]
    fn any(&mut self) -> &mut Buffer<[u8]> {
        self
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl Buffer<[u8]> {
    #[inline(never)]
    fn all(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    #[inline(never)]
    fn append(&mut self, part: &[u8]) {
        let end = self.len + part.len();
        self.whole &= end < self.bytes.len();
        if let (true, Some(room)) = (self.whole, self.bytes.get_mut(self.len..end)) {
            room.copy_from_slice(part);
            self.len = end;
        }
    }

    #[inline(never)]
    fn append_number(&mut self, number: u64) {
        self.append(decimal(number, &mut [0; 20]));
    }

    #[inline(never)]
    fn cut(&mut self, len: usize) {
        if let Some(rest) = self.bytes.get_mut(len..self.len.max(len)) {
            rest.fill(0);
        }
        self.len = self.len.min(len);
    }

    #[inline(never)]
    fn with_nul(&self) -> Option<&CStr> {
        if !self.whole {
            return None;
        }
        sys::c_str(&self.bytes).filter(|text| text.count_bytes() == self.len)
    }
}

/// Taking texts apart at a byte. The library does that, too, with code of its own at each place.
pub trait Cut {
    /// What is between such bytes, before the first, and behind the last.
    fn parts(&self, at: u8) -> Parts<'_>;
    /// What is before the first such byte: all, if there is none.
    fn before(&self, at: u8) -> &[u8];
    /// What is behind the last such byte: all, if there is none.
    fn behind(&self, at: u8) -> &[u8];
}

/// The parts of a text.
#[derive(Clone)]
pub struct Parts<'t> {
    rest: Option<&'t [u8]>,
    at: u8,
}

impl Cut for [u8] {
    fn parts(&self, at: u8) -> Parts<'_> {
        Parts { rest: Some(self), at }
    }

    #[inline(never)]
    fn before(&self, at: u8) -> &[u8] {
        self.parts(at).next().unwrap_or(self)
    }

    #[inline(never)]
    fn behind(&self, at: u8) -> &[u8] {
        let start = self.iter().rposition(|&byte| byte == at).map_or(0, |last| last + 1);
        self.get(start..).unwrap_or(self)
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = &'t [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'t [u8]> {
        let rest = self.rest?;
        let end = rest.iter().position(|&byte| byte == self.at);
        self.rest = end.and_then(|end| rest.get(end + 1..));
        rest.get(..end.unwrap_or(rest.len()))
    }
}

/// What a terminal would not just show, as a question mark.
#[cfg(feature = "policy")]
pub fn shown(byte: u8) -> u8 {
    if byte < b' ' || byte == 0x7f { b'?' } else { byte }
}

/// A number that is another one for other bytes: FNV-1a.
#[cfg(feature = "policy")]
pub fn spread(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
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

/// Where a word stands in a list of words with spaces between them. Such a list needs no table of pointers, which in a
/// program that is loaded anywhere would have to be relocated, in memory that each process has to itself.
pub fn place(words: &[u8], word: &[u8]) -> Option<usize> {
    place_between(words, b' ', word)
}

/// The same for a list with other bytes between the words.
#[inline(never)]
pub fn place_between(words: &[u8], between: u8, word: &[u8]) -> Option<usize> {
    words.parts(between).position(|known| known == word)
}

/// The word at a place of a list in which each has a NUL behind it.
#[inline(never)]
pub fn nth(words: &'static [u8], at: usize) -> Option<&'static CStr> {
    let start: usize = words.parts(0).take(at).map(|word| word.len() + 1).sum();
    sys::c_str(words.get(start..)?)
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
