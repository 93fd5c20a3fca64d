//! Bytes on their way to a file: in order, each once.

use svbox::sys::Result;
use svbox::sys::region::Region;

/// What has not been written yet.
pub struct Queue {
    room: Region,
    start: usize,
    end: usize,
}

impl Queue {
    /// An empty one for this many bytes.
    pub fn new(most: usize) -> Result<Self> {
        Ok(Self { room: Region::new(most)?, start: 0, end: 0 })
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// How many bytes are in it.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// How many more it takes.
    pub fn free(&self) -> usize {
        self.room.len() - self.len()
    }

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        self.room.get(self.start..self.end).unwrap_or(&[])
    }

    /// Adds bytes, for which there is room.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.room.len() - self.end < bytes.len() {
            self.draw_up();
        }
        if let Some(place) = self.room.get_mut(self.end..self.end + bytes.len()) {
            copy(place, bytes);
            self.end += bytes.len();
        }
    }

    /// Takes the first `count` bytes out.
    pub fn advance(&mut self, count: usize) {
        self.start += count;
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Makes what is in it the beginning of the room.
    pub fn draw_up(&mut self) {
        self.room.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
    }

    /// The room behind what is in it, to be filled and then [`Queue::grow`]n into.
    pub fn rest(&mut self) -> &mut [u8] {
        self.room.get_mut(self.end..).unwrap_or(&mut [])
    }

    /// Counts in what has been put at the beginning of [`Queue::rest`].
    pub fn grow(&mut self, count: usize) {
        self.end = (self.end + count).min(self.room.len());
    }

    /// Gives the memory back if it is not in use.
    pub fn forget(&mut self) {
        if self.is_empty() {
            self.room.forget();
        }
    }
}

/// Copies bytes to a place of the same length. Stamps and lines are short; the C library prepares for what is long, and
/// spends half of the program's time with that.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        8..=16 => copy_ends::<8>(to, from),
        17..=32 => copy_ends::<16>(to, from),
        33..=64 => copy_ends::<32>(to, from),
        65..=128 => copy_ends::<64>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last so many bytes, which meet or overlap.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}
