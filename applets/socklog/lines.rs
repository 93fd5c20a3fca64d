//! Messages as lines on their way out: written when there are no more for now, by few calls.

use super::super::queue::Queue;
use super::{fatal, reporter};
use svbox::log::syslog::{Message, each_part};
use svbox::report::Failure;
use svbox::sys::poll::{Direction, either};
use svbox::sys::{AsFd, BorrowedFd, Errno, OwnedFd, Result as SysResult, fifo, file, stdio};
use svbox::text::decimal;

/// Whether messages are written as they came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    No,
    Also,
    Only,
}

/// How a message becomes a line.
#[derive(Clone, Copy)]
pub struct Form {
    pub raw: Raw,
    pub without_time: bool,
}

/// What stands between a prefix and what follows it.
const COLON: &[u8] = b": ";
/// Stands for what is missing of a message.
const CUT: &[u8] = b"...";

/// How many bytes the lines of a message can have, prefixes and names left out: each byte can become two, twice.
pub fn most(len: usize) -> usize {
    len.saturating_mul(4).saturating_add(NAMES)
}
/// Room for the names of facility and priority, and for what ends lines.
const NAMES: usize = 64;

/// As many bytes as a pipe takes at once by default: more need not come together.
pub const ENOUGH: usize = 64 << 10;

/// Lines that have not been written.
pub struct Lines {
    form: Form,
    queue: Queue,
}

impl Lines {
    /// None yet, with room for lines of this many bytes on top of those that are [`ENOUGH`].
    pub fn new(form: Form, room: usize) -> Result<Self, Failure> {
        let queue = Queue::new(room.saturating_add(ENOUGH));
        Ok(Self { form, queue: queue.map_err(|errno| fatal(b"unable to get memory", b"", Some(errno)))? })
    }

    /// Adds a message: as it came, and converted, with what stands before it. What is `cut` says so.
    pub fn message(&mut self, prefixes: &[Option<&[u8]>], bytes: &[u8], cut: bool) {
        if self.form.raw != Raw::No {
            self.text(bytes);
            self.end(cut);
        }
        if self.form.raw != Raw::Only {
            self.converted(prefixes, bytes);
            self.end(cut);
        }
    }

    /// Adds the beginning of a message that is so long that its end is still to come; the beginning alone is what there
    /// is of it as it came, unless there is nothing else.
    pub fn beginning(&mut self, prefixes: &[Option<&[u8]>], bytes: &[u8]) {
        if self.form.raw != Raw::No {
            self.text(bytes);
        }
        if self.form.raw == Raw::Also {
            self.end(true);
        }
        if self.form.raw != Raw::Only {
            self.converted(prefixes, bytes);
        }
    }

    fn converted(&mut self, prefixes: &[Option<&[u8]>], bytes: &[u8]) {
        for prefix in prefixes.iter().flatten() {
            self.text(prefix);
            self.queue.push(COLON);
        }
        let mut message = Message::read(bytes);
        if self.form.without_time {
            message = message.without_time();
        }
        if let Some((facility, priority)) = message.kind {
            for part in [facility, b".", priority, COLON, message.kept] {
                self.queue.push(part);
            }
        }
        self.text(message.text);
    }

    /// Adds a part of a line.
    pub fn text(&mut self, text: &[u8]) {
        each_part(text, &mut |part| self.queue.push(part));
    }

    /// Ends a line.
    pub fn end(&mut self, cut: bool) {
        self.queue.push(if cut { CUT } else { b"" });
        self.queue.push(b"\n");
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Writes what the descriptor takes now, or, where that can be said of none, everything.
    pub fn write(&mut self, to: &Out) -> Result<(), Failure> {
        while !self.queue.is_empty() {
            match file::write_once(to.fd(), self.queue.bytes()) {
                Ok(count) => self.queue.advance(count),
                Err(Errno::AGAIN) => break,
                Err(errno) => return Err(fatal(b"unable to write", b"", Some(errno))),
            }
        }
        Ok(())
    }

    /// Writes everything, however long that takes.
    pub fn write_all(&mut self, to: &Out) -> Result<(), Failure> {
        self.write(to)?;
        while !self.queue.is_empty() {
            either([Some((to.fd(), Direction::Out)), None], None);
            self.write(to)?;
        }
        Ok(())
    }

    /// Gives memory back that is not in use.
    pub fn forget(&mut self) {
        self.queue.forget();
    }

    /// What has not been written by now is lost.
    pub fn give_up(&self) {
        if !self.queue.is_empty() {
            let waiting = u64::try_from(self.len()).unwrap_or(u64::MAX);
            reporter().warn(&[b"data loss: bytes not written: ", decimal(waiting, &mut [0; 20])], None);
        }
    }
}

/// Where lines go: a standard descriptor; if that is a pipe, by a descriptor of its own that never waits, so that
/// signals are heard while the pipe is full, and others that have it are not disturbed.
pub struct Out {
    standard: BorrowedFd<'static>,
    own: Option<OwnedFd>,
}

impl Out {
    /// Standard output. To be opened before rights are dropped.
    pub fn standard_output() -> Self {
        let reopened = |()| fifo::open_write(file::CWD, c"/proc/self/fd/1");
        Self { standard: stdio::stdout(), own: is_pipe(stdio::stdout()).and_then(reopened).ok() }
    }

    /// Standard error, as it is.
    pub fn standard_error() -> Self {
        Self { standard: stdio::stderr(), own: None }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.own.as_ref().map_or(self.standard, AsFd::as_fd)
    }
}

fn is_pipe(fd: BorrowedFd<'_>) -> SysResult<()> {
    if file::is_fifo(&file::stat_open(fd)?) { Ok(()) } else { Err(Errno::SPIPE) }
}
