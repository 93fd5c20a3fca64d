//! What a service waits for: the command `why`, and the warnings of `status`.

use super::super::output::Output;
use super::{Place, Sv};
use core::ffi::CStr;
use svbox::service::cycle;
use svbox::service::needs::{self, NEEDED, NEEDS, Standing, TIES, Tie, WANTS, below};
use svbox::service::status::{Shown, Status};
use svbox::sys::table::Table;
use svbox::sys::{AsFd, BorrowedFd, Errno, Result, file};
use svbox::tai::Tai;
use svbox::text::Text;

/// The most services that an answer is about; memory is taken for those that it is.
const MOST: usize = 1 << 14;

/// The services that are still to be asked about, and those that have been.
struct Asked {
    names: Table<Text<256>>,
}

impl Asked {
    fn add(&mut self, name: &CStr) {
        if !self.names.list().iter().any(|known| known.bytes() == name.to_bytes()) {
            let mut text = Text::new();
            text.push(name.to_bytes());
            // What does not find room is not explained.
            let _ = self.names.push(text);
        }
    }
}

impl Sv {
    /// Prints what a service waits for, and what those wait for, each in a line.
    pub fn why(&mut self, place: &Place) {
        if let Err(why) = place.status(svbox::service::names::Part::Main) {
            return self.no_status(place, None, why);
        }
        match self.explain(place) {
            Ok(false) => self.line(b"", place, b"waits for nothing", None),
            Ok(true) => self.fail(1),
            Err(errno) => {
                self.fail(1);
                self.line(b"warning: ", place, b"unable to look at needs and wants", Some(errno));
            }
        }
    }

    /// Gives whether it waits for anything.
    fn explain(&mut self, place: &Place) -> Result<bool> {
        let (scan, name) = place.open_scan().ok_or(Errno::INVAL)??;
        let mut asked = Asked { names: Table::new(MOST)? };
        asked.add(name.c_str().ok_or(Errno::NAMETOOLONG)?);
        let (mut at, mut waits) = (0, false);
        while let Some(name) = asked.names.list().get(at).copied() {
            let waits_too =
                explain_one(scan.as_fd(), name.c_str().unwrap_or(c""), &mut asked, &mut self.output)?;
            waits |= waits_too && at == 0;
            at += 1;
        }
        Ok(waits)
    }
}

/// Puts the line of one service, if it waits for anything; gives whether it does.
fn explain_one(scan: BorrowedFd<'_>, name: &CStr, asked: &mut Asked, output: &mut Output) -> Result<bool> {
    match needs::standing(scan, name)? {
        Standing::Leaving(status) => explain_stop(scan, name, &status, asked, output),
        Standing::Down(status) if status.shown == Shown::Down && status.want == b'u' => {
            explain_start(scan, name, asked, output)
        }
        Standing::Missing
        | Standing::Unsupervised
        | Standing::Ready(_)
        | Standing::Starting(_)
        | Standing::Failed(_)
        | Standing::Down(_) => Ok(false),
    }
}

/// What a start waits for.
fn explain_start(scan: BorrowedFd<'_>, name: &CStr, asked: &mut Asked, output: &mut Output) -> Result<bool> {
    let mut any = false;
    for &(dir, tie) in &TIES {
        let mut others = needs::names(scan, below(name, dir).path());
        while let Some(other) = others.next_name() {
            let standing = needs::standing(scan, other)?;
            let is_met = match tie {
                Tie::Need => standing.is_ready(),
                Tie::Want => !standing.is_coming(),
            };
            if !is_met {
                begin(name, b"down, wanted up", any, output);
                any = true;
                put_standing(other, &standing, output);
                asked.add(other);
            }
        }
        others.end()?;
    }
    if any {
        if let Some(circle) = cycle::of(scan, name)? {
            output.put(b"; a cycle: ").put(circle.bytes());
        }
        output.put(b"\n");
    }
    Ok(any)
}

/// Who has to stop before.
fn explain_stop(
    scan: BorrowedFd<'_>,
    name: &CStr,
    status: &Status,
    asked: &mut Asked,
    output: &mut Output,
) -> Result<bool> {
    let what: &[u8] = if status.want == b'u' { b"about to stop" } else { b"wanted down" };
    let mut any = false;
    let directory = file::open_place(scan, name)?;
    let mut marks = needs::marks(scan, needs::state(scan, name, NEEDED).path());
    while let Some(other) = marks.next_name() {
        let Some(tie) = needs::tie(scan, other, name, directory.as_fd())? else { continue };
        if needs::hold_bound(scan, other, tie)?.is_some() {
            begin(name, what, any, output);
            any = true;
            put_standing(other, &needs::standing(scan, other)?, output);
            asked.add(other);
        }
    }
    marks.end()?;
    if any {
        output.put(b" to stop\n");
    }
    Ok(any)
}

/// Puts what is before the name of one that is waited for.
fn begin(name: &CStr, what: &[u8], again: bool, output: &mut Output) {
    if again {
        output.put(b", ");
    } else {
        output.put(name.to_bytes()).put(b": ").put(what).put(b": waits for ");
    }
}

/// Puts a name and, in parentheses, how that stands.
fn put_standing(name: &CStr, standing: &Standing, output: &mut Output) {
    output.put(name.to_bytes());
    let (what, status): (&[u8], Option<&Status>) = match standing {
        Standing::Missing => (b"missing", None),
        Standing::Unsupervised => (b"not supervised", None),
        Standing::Failed(_) => (b"failed", None),
        Standing::Leaving(_) => (b"stopping", None),
        Standing::Ready(status) | Standing::Starting(status) if status.term => (b"stopping", None),
        Standing::Ready(status) => (b"up for ", Some(status)),
        Standing::Starting(status) => (b"starting, not ready for ", Some(status)),
        Standing::Down(status) if status.shown == Shown::Finish => (b"finishing", None),
        Standing::Down(status) => (b"down for ", Some(status)),
    };
    output.put(b" (").put(what);
    if let Some(status) = status {
        output.number(Tai::now().seconds_since(status.since)).put(b"s");
        if status.shown == Shown::Down && status.want != b'u' {
            output.put(b", wanted down");
        }
    }
    output.put(b")");
}

/// Adds what is wrong with what a service needs that is down: it is missing, or needs the service itself.
pub fn put_warnings(place: &Place, status: &Status, output: &mut Output) {
    let waits = status.want == b'u';
    if status.shown != Shown::Down
        || place.open_names(NEEDS).is_err() && (!waits || place.open_names(WANTS).is_err())
    {
        return;
    }
    let Some(Ok((scan, name))) = place.open_scan() else { return };
    let (scan, name) = (scan.as_fd(), name.c_str().unwrap_or(c""));
    put_missing(scan, name, output);
    if waits && let Ok(Some(circle)) = cycle::of(scan, name) {
        output.put(b", warning: needs: a cycle: ").put(circle.bytes());
    }
}

fn put_missing(scan: BorrowedFd<'_>, name: &CStr, output: &mut Output) {
    // What cannot be found out is no warning.
    let mut names = needs::names(scan, below(name, NEEDS).path());
    while let Some(other) = names.next_name() {
        if !needs::is_service(scan, other) {
            output.put(b", warning: needs ").put(other.to_bytes()).put(b", which is missing");
        }
    }
}
