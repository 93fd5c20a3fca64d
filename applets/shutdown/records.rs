//! What wtmp and utmp are told of the machine itself.

use crate::applets::logins::{self, NotAdded, UTMP, WTMP};
use svbox::report::Reporter;
use svbox::sys::power::uname;
use svbox::sys::{Errno, Result, file, time};
use svbox::utmp::{Field, Kind, Record};

/// Notes that the machine is being shut down; gives whether that worked.
pub fn note_shutdown(report: &Reporter<'_>) -> bool {
    let added = logins::add_to_wtmp(&of_machine(Kind::RunLevel, b"shutdown", b"~~"), false);
    added.map_err(|why| tell(report, why)).is_ok()
}

/// Notes that it was started: in wtmp, and in utmp, which has one such record at most.
pub fn note_boot(report: &Reporter<'_>) -> bool {
    let record = of_machine(Kind::Boot, b"reboot", b"~");
    let added = logins::add_to_wtmp(&record, false).map_err(|why| tell(report, why));
    let put =
        put_into_utmp(&record).map_err(|errno| report.warn_of(b"unable to write ", UTMP.to_bytes(), errno));
    added.is_ok() && put.is_ok()
}

fn tell(report: &Reporter<'_>, why: NotAdded) {
    let (text, errno) = match why {
        NotAdded::Open(errno) => (b"unable to open ".as_slice(), errno),
        NotAdded::Lock(errno) => (b"unable to lock ".as_slice(), errno),
        NotAdded::Write(errno) => (b"unable to write ".as_slice(), errno),
    };
    report.warn_of(text, WTMP.to_bytes(), errno);
}

fn of_machine(kind: Kind, user: &[u8], line: &[u8]) -> Record {
    let (seconds, nanoseconds) = time::wall();
    let mut record = Record::new(kind);
    record.set_text(Field::User, user);
    record.set_text(Field::Line, line);
    record.set_text(Field::Id, b"~~");
    record.set_text(Field::Host, uname().release().to_bytes());
    record.set_seconds(seconds);
    record.set_microseconds(nanoseconds / 1000);
    record
}

fn put_into_utmp(new: &Record) -> Result<()> {
    let fd = match logins::open_utmp(file::open_read_write) {
        Err(Errno::NOENT) => return Ok(()),
        opened => opened?,
    };
    logins::lock(&fd, false)?;
    let place = logins::each(&fd, &mut |record, _| Ok(record.is(Kind::Boot)))?;
    file::write_at(&fd, &new.0, place)
}
