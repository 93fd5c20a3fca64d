//! Telling readers: `pid`, `stat` and `status`, each replaced whole, and only if it says something new.

use crate::report::Reporter;
use crate::service::machine::{State, Want};
use crate::service::names::{File, PUBLIC_MODE, Part, path};
use crate::service::policy::{FIRST_RETRY, LAST_RETRY};
use crate::service::status::{self, LEN, Status};
use crate::sys::file::{self, Replacing};
use crate::sys::time::{Duration, Instant};
use crate::sys::{AsFd, Errno, OwnedFd};
use crate::tai::Tai;
use crate::text::{Cut, Text};

/// What readers have been told last, and when to try again after a file could not be replaced.
pub struct Published {
    pid: Option<u32>,
    /// `status`, and what `stat` knows better: down from exit.
    state: Option<([u8; LEN], Want)>,
    retry: Option<(Instant, Duration)>,
    /// Nobody is to be told any more.
    #[cfg(feature = "policy")]
    silent: bool,
}

/// One thing to tell, and in whose name to complain.
pub struct News<'a> {
    /// The service directory.
    pub dir: &'a OwnedFd,
    /// Which of its processes.
    pub part: Part,
    /// Where complaints go; `None` for silence: it is another try.
    pub report: Option<&'a Reporter<'a>>,
    /// The state.
    pub state: &'a State,
    /// The time it is published with.
    pub since: Tai,
    /// The process; 0 for none.
    pub pid: u32,
    /// Whether nobody can have been told before: nothing shows yet that a supervisor is here.
    pub first: bool,
}

impl Published {
    /// Nothing has been told. runit has one "pid has changed" mark for both parts, so `log/supervise/pid` is not
    /// there before the log service's first start.
    pub fn nothing(part: Part) -> Self {
        let pid = match part {
            Part::Main => None,
            Part::Log => Some(0),
        };
        Self {
            pid,
            state: None,
            retry: None,
            #[cfg(feature = "policy")]
            silent: false,
        }
    }

    /// From here on nobody is told anything.
    #[cfg(feature = "policy")]
    pub fn fall_silent(&mut self) {
        (self.silent, self.retry) = (true, None);
    }

    /// When to try again, if a file could not be replaced.
    pub fn retry(&self) -> Option<Instant> {
        self.retry.map(|(at, _)| at)
    }

    /// Replaces the files whose content has changed. They do not wait for each other: one that cannot be
    /// replaced says so and is tried again later.
    pub fn tell(&mut self, news: &News<'_>, now: Instant) {
        #[cfg(feature = "policy")]
        if self.silent {
            return;
        }
        let mut done = true;
        if self.pid != Some(news.pid) {
            let mut text = Text::<16>::new();
            if news.pid != 0 {
                text.number(u64::from(news.pid)).push(b"\n");
            }
            let told = news.replace(File::Pid, File::PidNew, text.bytes()) == Told::Yes;
            self.pid = if told { Some(news.pid) } else { None };
            done &= told;
        }
        let bytes = Status::of(news.state, news.since, news.pid).to_bytes();
        let state = Some((bytes, news.state.want));
        if self.state != state {
            // Both are tried, whatever becomes of the first.
            let words = status::words(news.state);
            let stat = news.replace(File::Stat, File::StatNew, words.bytes());
            let status = news.replace(File::Status, File::StatusNew, &bytes);
            let told = match status {
                Told::Full => news.make_do(words.bytes(), &bytes),
                Told::Yes | Told::No => stat == Told::Yes && status == Told::Yes,
            };
            self.state = if told { state } else { None };
            done &= told;
        }
        self.retry = if done { None } else { Some(self.next_retry(now, news.report.is_none())) };
    }

    /// Each try that fails doubles the distance to the next one; a change of the service starts anew.
    fn next_retry(&self, now: Instant, again: bool) -> (Instant, Duration) {
        let pause = match self.retry {
            Some((_, last)) if again => (last * 2).min(LAST_RETRY),
            _ => FIRST_RETRY,
        };
        (now.after(pause), pause)
    }
}

/// Whether a file was replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
    /// The disk is full.
    Full,
}

impl News<'_> {
    /// On a full disk an old file can be the only room for a new one. `status` is what programs read, so that gets
    /// the room of `stat`, and `stat` that of the old `status`.
    #[inline(never)]
    fn make_do(&self, words: &[u8], bytes: &[u8]) -> bool {
        let silent = News { report: None, ..*self };
        if file::open_emptied(self.dir.as_fd(), path(self.part, File::Stat), PUBLIC_MODE).is_err() {
            return false;
        }
        silent.replace(File::Status, File::StatusNew, bytes) == Told::Yes
            && silent.replace(File::Stat, File::StatNew, words) == Told::Yes
    }

    fn replace(&self, old: File, new: File, bytes: &[u8]) -> Told {
        let (old, new) = (path(self.part, old), path(self.part, new));
        let done = file::replace(self.dir.as_fd(), old, new, PUBLIC_MODE, bytes, self.first);
        if let (Err(trouble), Some(report)) = (done, self.report) {
            let (new, old) = (new.to_bytes(), old.to_bytes());
            match trouble {
                Replacing::Open(errno) => report.warn_of(b"unable to open ", new, errno),
                Replacing::Write(errno) => report.warn_of(b"unable to write ", new, errno),
                Replacing::Short => report.warn(&[b"unable to write ", new, b": partial write."], None),
                Replacing::Rename(errno) => {
                    report.warn(&[b"unable to rename ", new.behind(b'/'), b" to ", old], Some(errno))
                }
            }
        }
        match done {
            Ok(()) => Told::Yes,
            Err(Replacing::Open(Errno::NOSPC) | Replacing::Write(Errno::NOSPC) | Replacing::Short) => {
                Told::Full
            }
            Err(_) => Told::No,
        }
    }
}
