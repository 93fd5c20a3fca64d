//! What a service says of itself in the words of sd_notify(3): lines `NAME=VALUE`.

use crate::text::{Cut, place};

/// The lines that are whole words.
const WORDS: &[u8] = b"READY=1 RELOADING=1 STOPPING=1 WATCHDOG=1 WATCHDOG=trigger";

/// One line that means something to a supervisor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word<'t> {
    /// `READY=1`: it is ready, or has read its files again.
    Ready,
    /// `RELOADING=1`: it reads its files again.
    Reloading,
    /// `STOPPING=1`: it is about to end.
    Stopping,
    /// `STATUS=`: what it is at, for people.
    Status(&'t [u8]),
    /// `WATCHDOG=1`: it is alive.
    Alive,
    /// `WATCHDOG=trigger`: it is not well.
    Unwell,
}

/// The lines of a message that mean something, in order. A NUL that ends it is none of its bytes, nor is CR of its lines.
pub fn words(message: &[u8]) -> impl Iterator<Item = Word<'_>> {
    message.strip_suffix(b"\0").unwrap_or(message).parts(b'\n').filter_map(word)
}

fn word(line: &[u8]) -> Option<Word<'_>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match place(WORDS, line) {
        Some(0) => Some(Word::Ready),
        Some(1) => Some(Word::Reloading),
        Some(2) => Some(Word::Stopping),
        Some(3) => Some(Word::Alive),
        Some(_) => Some(Word::Unwell),
        None => line.strip_prefix(b"STATUS=").map(Word::Status),
    }
}
