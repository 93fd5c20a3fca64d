//! A supervisor that is only played: its fifos and a status of the test's own.

use super::{Sandbox, until};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat, open};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A text in which the age of [`Say::RUN`] and [`Say::DOWN`] is what it was, however long the machine took.
pub fn steady(text: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(text).into_owned();
    for late in 13..60 {
        text = text.replace(&format!(" {late}s"), " 12s").replace(&format!(" {late} seconds"), " 12 seconds");
    }
    text
}

/// A service directory with a `supervise` that looks alive.
pub struct Fake {
    dir: PathBuf,
    _ok: OwnedFd,
    control: OwnedFd,
}

/// What a status says.
#[derive(Clone, Copy)]
pub struct Say {
    pub age: u64,
    pub pid: u32,
    pub paused: u8,
    pub want: u8,
    pub term: u8,
    pub state: u8,
}

impl Say {
    pub const RUN: Self = Self { age: 12, pid: 4242, paused: 0, want: b'u', term: 0, state: 1 };
    pub const DOWN: Self = Self { age: 12, pid: 0, paused: 0, want: b'd', term: 0, state: 0 };

    fn bytes(self) -> [u8; 20] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let at = now - self.age * 1000;
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&(0x4000_0000_0000_000a + at / 1000).to_be_bytes());
        bytes[8..12].copy_from_slice(&((at % 1000) as u32 * 1_000_000).to_be_bytes());
        bytes[12..16].copy_from_slice(&self.pid.to_le_bytes());
        bytes[16..].copy_from_slice(&[self.paused, self.want, self.term, self.state]);
        bytes
    }
}

impl Sandbox {
    /// Plays the supervisor of a service directory.
    pub fn fake(&self, name: &str, say: Say) -> Fake {
        let dir = self.join(name);
        fs::create_dir_all(dir.join("supervise")).unwrap();
        let hold = |file: &str| {
            let path = dir.join("supervise").join(file);
            mkfifoat(CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
            open(&path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).unwrap()
        };
        let fake = Fake { _ok: hold("ok"), control: hold("control"), dir: dir.clone() };
        fake.say(say);
        fake
    }
}

impl Fake {
    /// Is there no longer. A child that another test is just making may have the fifo open for a moment.
    pub fn end(self) {
        let path = self.dir.join("supervise/ok");
        drop(self);
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        until("no supervisor", || open(&path, flags, Mode::empty()).is_err());
    }

    /// Writes another status.
    pub fn say(&self, say: Say) {
        self.write(&say.bytes());
    }

    /// Writes any bytes as status.
    pub fn write(&self, status: &[u8]) {
        fs::write(self.dir.join("supervise/status.new"), status).unwrap();
        fs::rename(self.dir.join("supervise/status.new"), self.dir.join("supervise/status")).unwrap();
    }

    /// What has been sent since the last look.
    pub fn heard(&self) -> String {
        let mut bytes = [0; 4096];
        let count = rustix::io::read(&self.control, &mut bytes).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }
}
