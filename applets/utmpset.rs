//! utmpset: notes that nobody is logged in on a terminal line any more, for what runs after a getty.
//!
//! Exits 0 if it has noted that, 1 for a wrong command line, and 111 for everything else.

use super::Applet;
use super::logins::{self, NotAdded, UTMP, WTMP};
use svbox::cli::{Call, Spec};
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::{Errno, Result, file, time};
use svbox::utmp::{Field, Kind, LONGEST_LINE, Record};

pub fn applet() -> Applet {
    Applet {
        text: b"\
utmpset [-w] line

Note in utmp that nobody is logged in on a line, the name of a terminal without
/dev/, any more.

  -w    note it in wtmp too
  -V    print the version and the usage",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"wV")),
        run,
    }
}

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
fn reporter() -> Reporter<'static> {
    Reporter { program: b"utmpset", subject: None, waits: true }
}

fn run(call: &Call) -> core::result::Result<u8, Failure> {
    let (mut with_wtmp, mut version) = (false, false);
    call.each(&mut |letter, _| match letter {
        b'w' => with_wtmp = true,
        _ => version = true,
    });
    if version {
        return Err(super::tell_version(b"utmpset"));
    }
    let line = call.operands().get(0).ok_or(Failure::Usage)?.to_bytes();
    if line.len() > LONGEST_LINE {
        reporter().fatal(&[b"unable to logout line ", line, b" in utmp: name too long"], None);
        return Err(Failure::Said(FATAL));
    }
    let (now, _) = time::wall();
    let is_noted = note(line, now)?;
    let is_added = !with_wtmp || add(line, now)?;
    Ok(if is_noted && is_added { 0 } else { FATAL })
}

/// Clears what utmp has of the line; gives whether somebody was logged in there.
fn note(line: &[u8], now: i64) -> core::result::Result<bool, Failure> {
    let fd = logins::open_utmp(file::open_read_write)
        .map_err(|errno| fatal(&[b"unable to open ", UTMP.to_bytes()], errno))?;
    logins::lock(&fd, true).map_err(|errno| fatal(&[b"unable to lock: ", UTMP.to_bytes()], errno))?;
    let mut found = false;
    let done: Result<u64> = logins::each(&fd, &mut |mut record, at| {
        if record.text(Field::Line) == line && !record.text(Field::User).is_empty() {
            record.set_kind(Kind::Dead);
            record.set_text(Field::User, b"");
            record.set_text(Field::Host, b"");
            record.set_seconds(now);
            file::write_at(&fd, &record.0, at)?;
            found = true;
        }
        Ok(false)
    });
    let noted = found && done.is_ok();
    if !noted {
        reporter().warn(&[b"unable to logout line ", line, b" in utmp: no such entry"], None);
    }
    Ok(noted)
}

/// Adds the logout to wtmp; gives whether it is there, or is not wanted there.
fn add(line: &[u8], now: i64) -> core::result::Result<bool, Failure> {
    let mut record = Record::new(Kind::Dead);
    record.set_text(Field::Line, line);
    record.set_seconds(now);
    match logins::add_to_wtmp(&record, true) {
        Ok(()) => Ok(true),
        Err(NotAdded::Open(errno)) => Err(fatal(&[b"unable to open ", WTMP.to_bytes()], errno)),
        Err(NotAdded::Lock(errno)) => Err(fatal(&[b"unable to lock ", WTMP.to_bytes()], errno)),
        Err(NotAdded::Write(errno)) => {
            reporter().warn(&[b"unable to logout line ", line, b" in wtmp"], Some(errno));
            Ok(false)
        }
    }
}

fn fatal(what: &[&[u8]], errno: Errno) -> Failure {
    reporter().fatal(what, Some(errno));
    Failure::Said(FATAL)
}
