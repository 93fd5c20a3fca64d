//! What a service says of itself in the words of sd_notify(3): lines `NAME=VALUE`.

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

/// The lines of a message that mean something, in order.
pub fn words(message: &[u8]) -> impl Iterator<Item = Word<'_>> {
    message.split(|&byte| byte == b'\n').filter_map(word)
}

fn word(line: &[u8]) -> Option<Word<'_>> {
    match line {
        b"READY=1" => Some(Word::Ready),
        b"RELOADING=1" => Some(Word::Reloading),
        b"STOPPING=1" => Some(Word::Stopping),
        b"WATCHDOG=1" => Some(Word::Alive),
        b"WATCHDOG=trigger" => Some(Word::Unwell),
        _ => line.strip_prefix(b"STATUS=").map(Word::Status),
    }
}
