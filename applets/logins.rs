//! The files in which logins are noted, utmp and wtmp: what utmpset, shutdown and halt have in common.

use core::ffi::CStr;
use svbox::sys::poll::either;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, Errno, OwnedFd, Result, file, lock};
use svbox::utmp::{Record, SIZE};

/// Who is logged in now.
pub const UTMP: &CStr = c"/var/run/utmp";
/// The same on systems that have no link there.
const RUN_UTMP: &CStr = c"/run/utmp";
/// All that ever happened.
pub const WTMP: &CStr = c"/var/log/wtmp";

/// Opens utmp; what fails is told of `UTMP`.
pub fn open_utmp(open: impl Fn(&CStr) -> Result<OwnedFd>) -> Result<OwnedFd> {
    open(RUN_UTMP).or_else(|_| open(UTMP))
}

/// How long others are waited for, who need a moment, and how soon they are looked at again.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Takes both locks of a file, to keep others from writing: those of runit's kind, and the C libraries. Whoever may read
/// the file can hold them for ever: so with `wait` it goes on without them after a while, and otherwise at once.
pub fn lock(fd: impl AsFd, wait: bool) -> Result<()> {
    let over = Instant::now().after(PATIENCE);
    loop {
        match lock::try_exclusive(&fd).and_then(|()| lock::try_records(&fd)) {
            Err(_) if !wait => return Ok(()),
            Err(Errno::AGAIN) if Instant::now() >= over => return Ok(()),
            Err(Errno::AGAIN) => drop(either([None, None], Some(Instant::now().after(PAUSE)))),
            done => return done,
        }
    }
}

/// Calls `each` for every record with the place it has in the file, until that gives true; a short last one is none.
/// Gives the place behind the last record it has seen.
pub fn each(fd: impl AsFd, each: &mut dyn FnMut(Record, u64) -> Result<bool>) -> Result<u64> {
    let mut at = 0;
    loop {
        let mut record = Record([0; SIZE]);
        if file::read_at(&fd, &mut record.0, at)? < SIZE || each(record, at)? {
            return Ok(at);
        }
        at += SIZE as u64;
    }
}

/// What adding a record failed at.
pub enum NotAdded {
    Open(Errno),
    Lock(Errno),
    Write(Errno),
}

/// Adds a record to wtmp: all of it or nothing. A machine that has no such file does not want one.
pub fn add_to_wtmp(record: &Record, wait: bool) -> core::result::Result<(), NotAdded> {
    let fd = match file::open_end(WTMP) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(NotAdded::Open(errno)),
    };
    lock(&fd, wait).map_err(NotAdded::Lock)?;
    let before = file::stat_open(&fd).map_err(NotAdded::Write)?.st_size.max(0).unsigned_abs();
    file::write_all(&fd, &record.0).map_err(|errno| {
        let _ = file::truncate(&fd, before);
        NotAdded::Write(errno)
    })
}
