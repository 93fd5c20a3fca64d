//! Standard output in few writes, in order with what goes to standard error.
// A build without the programs that show services needs only some of this.
#![cfg_attr(not(any(feature = "sv", feature = "svstat")), allow(dead_code))]

use svbox::report::describe;
use svbox::sys::{Errno, Result, file, stdio};
use svbox::text::decimal;

/// Text that is on its way to standard output.
pub struct Output {
    text: [u8; PORTION],
    len: usize,
    result: Result<()>,
}

/// Enough for some hundred services in one write.
const PORTION: usize = 8 << 10;

impl Output {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { text: [0; PORTION], len: 0, result: Ok(()) }
    }

    /// Adds text.
    #[inline(never)]
    pub fn put(&mut self, part: &[u8]) -> &mut Self {
        if self.len + part.len() > PORTION {
            let _ = self.flush();
        }
        match self.text.get_mut(self.len..self.len + part.len()) {
            Some(room) => {
                room.copy_from_slice(part);
                self.len += part.len();
            }
            None => self.result = self.result.and(file::write_all(stdio::stdout(), part)),
        }
        self
    }

    /// Adds a number in decimal.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.put(decimal(number, &mut [0; 20]))
    }

    /// Adds what the system says of an error, if there is one, behind a colon.
    pub fn why(&mut self, why: Option<Errno>) -> &mut Self {
        if let Some(errno) = why {
            self.put(b": ").put(describe(errno));
        }
        self
    }

    /// Writes what is there; gives the first error there ever was.
    #[inline(never)]
    pub fn flush(&mut self) -> Result<()> {
        let text = self.text.get(..self.len).unwrap_or(&[]);
        self.result = self.result.and(file::write_all(stdio::stdout(), text));
        self.len = 0;
        self.result
    }
}
