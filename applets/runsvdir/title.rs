//! The last words on standard error, in the title that `ps` shows: what daemontools calls readproctitle.

use svbox::report::Reporter;
use svbox::sys::args::Title;
use svbox::sys::poll::Poll;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{OwnedFd, Result, fifo, file, stdio};

/// The shortest title, and how much of its beginning stays.
const SHORTEST: usize = 7;
const FIXED: usize = 5;
/// How often a dot is added, so that old words drift out.
const DOT: Duration = Duration::from_secs(900);

/// The title and the pipe that is everybody's standard error.
pub struct TitleLog {
    title: Title,
    pipe: OwnedFd,
    dot: Instant,
    /// What was our standard error.
    #[cfg(feature = "in-process")]
    before: Option<OwnedFd>,
}

impl TitleLog {
    /// Makes a pipe our standard error, and the title a window on it.
    pub fn start(title: Title, report: &Reporter, poll: &Poll, token: u64) -> Option<Self> {
        if title.len() < SHORTEST {
            return disabled(report, b"log must have at least seven characters.");
        }
        let Ok((read, write)) = fifo::pipe() else {
            return disabled(report, b"unable to create pipe for log.");
        };
        #[cfg(feature = "in-process")]
        let before = file::duplicate(stdio::stderr()).ok();
        if prepare(&read, &write, poll, token).is_err() {
            return disabled(report, b"unable to set filedescriptor for log.");
        }
        let mut log = Self {
            title,
            pipe: read,
            dot: Instant::now().after(DOT),
            #[cfg(feature = "in-process")]
            before,
        };
        log.shift(b".");
        Some(log)
    }

    /// From here on what is said goes where it went before: nobody will look at the title of what is about to end.
    #[cfg(feature = "in-process")]
    pub fn give_back(&self) {
        if let Some(before) = &self.before {
            let _ = stdio::replace_stderr(before);
        }
    }

    /// When the next dot is due.
    pub fn next_dot(&self) -> Instant {
        self.dot
    }

    /// Adds a dot if it is time to.
    pub fn dot_if_due(&mut self, now: Instant) {
        if self.dot <= now {
            self.shift(b".");
            self.dot = now.after(DOT);
        }
    }

    /// Moves what has been said into the title.
    pub fn read(&mut self) {
        let mut bytes = [0; 256];
        if let Ok(Some(count)) = file::read_some(&self.pipe, &mut bytes) {
            self.shift(bytes.get(..count).unwrap_or(&[]));
        }
    }

    /// Moves the window on by some bytes.
    fn shift(&mut self, new: &[u8]) {
        let len = self.title.len();
        let by = new.len();
        for place in FIXED..len {
            let from = place + by;
            let byte = match from.checked_sub(len) {
                None => self.title.get(from),
                Some(index) => {
                    new.get(index).map_or(b' ', |&byte| if byte < b' ' || byte == 0x7f { b' ' } else { byte })
                }
            };
            self.title.set(place, byte);
        }
    }
}

/// Standard error waits for us if it is full, as it would for any reader; we never wait for it.
fn prepare(read: &OwnedFd, write: &OwnedFd, poll: &Poll, token: u64) -> Result<()> {
    file::set_nonblocking(read)?;
    poll.add(read, token)?;
    stdio::replace_stderr(write)
}

fn disabled(report: &Reporter, why: &[u8]) -> Option<TitleLog> {
    report.warn(&[why], None);
    report.warn_that(b"log service disabled.");
    None
}
