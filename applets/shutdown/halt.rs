//! halt, poweroff and reboot: the end of the machine now.

use super::{ask, only_root, records};
use crate::applets::Applet;
use core::ffi::CStr;
use svbox::cli::{Call, Spec};
use svbox::report::{Failure, Reporter};
use svbox::sys::Errno;
use svbox::sys::file::{self, CWD};
use svbox::sys::power::{self, End};

/// What stands for the long names that have no letter.
const HALT: u8 = 0x80;
const REBOOT: u8 = 0x81;

#[cfg(feature = "halt")]
pub fn halt() -> Applet {
    applet(
        b"\
halt [-nfdwBhip]

Switch the machine off; with --halt, or by force, halt it and leave it on.

  -f, --force      at once, without process 1
  -n, --no-sync    do not write out what is not on disk yet
  -d, --no-wtmp    do not note it in wtmp
  -w, --wtmp-only  only note it in wtmp
  -B               only note the start of the machine, in wtmp and utmp
  --halt, --poweroff (-p), --reboot    what to do, whatever the name
  -h, -i, --no-wall    for compatibility",
        |call| run(call, b"halt", [End::PowerOff, End::Halt]),
    )
}

#[cfg(feature = "poweroff")]
pub fn poweroff() -> Applet {
    applet(b"poweroff [-nfdwBhip]\n\nSwitch the machine off; see halt(8).", |call| {
        run(call, b"poweroff", [End::PowerOff; 2])
    })
}

#[cfg(feature = "reboot")]
pub fn reboot() -> Applet {
    applet(b"reboot [-nfdwBhip]\n\nStart the machine again; see halt(8).", |call| {
        run(call, b"reboot", [End::Reboot; 2])
    })
}

fn applet(text: &'static [u8], run: fn(&Call) -> Result<u8, Failure>) -> Applet {
    Applet {
        text,
        usage_path: false,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(
            b"nfdwBhip  nfdwp\x80\x81\x82 no-sync force no-wtmp wtmp-only poweroff halt reboot no-wall",
        )),
        run,
    }
}

#[derive(Default)]
struct Options {
    no_sync: bool,
    force: bool,
    no_wtmp: bool,
    /// Only a record is to be written: with this letter.
    only: Option<u8>,
    end: Option<End>,
}

impl Options {
    fn take(&mut self, letter: u8) {
        match letter {
            b'n' => self.no_sync = true,
            b'f' => self.force = true,
            b'd' => self.no_wtmp = true,
            b'w' | b'B' => self.only = Some(letter),
            b'p' => self.end = Some(End::PowerOff),
            HALT => self.end = Some(End::Halt),
            REBOOT => self.end = Some(End::Reboot),
            // -h, -i: what sysvinit's does with disks.
            _ => {}
        }
    }
}

/// A request for once: in a directory that is empty after the next start.
const NO_SYNC_DIRECTORY: &CStr = c"/run/runit";
const NO_SYNC: &CStr = c"/run/runit/nosync";

/// What a name asks for, and what by force.
type Ends = [End; 2];

fn run(call: &Call, name: &'static [u8], [end, forced]: Ends) -> Result<u8, Failure> {
    let report = Reporter { program: name, subject: None, waits: true };
    let mut options = Options::default();
    call.each(&mut |letter, _| options.take(letter));
    only_root(&report)?;
    match options.only {
        Some(b'B') => return Ok(u8::from(!records::note_boot(&report))),
        Some(_) => return Ok(u8::from(!records::note_shutdown(&report))),
        None => {}
    }
    if options.force {
        return force(options.end.unwrap_or(forced), !options.no_sync, &report);
    }
    if options.no_sync {
        ask_for_no_sync(&report)?;
    }
    let asked = ask(options.end.unwrap_or(end), !options.no_wtmp, !options.no_sync, &report);
    if asked.is_err() && options.no_sync {
        let _ = file::remove(CWD, NO_SYNC);
    }
    asked
}

fn force(end: End, synced: bool, report: &Reporter<'_>) -> Result<u8, Failure> {
    if synced {
        power::sync();
    }
    match power::end(end) {
        Ok(()) => Ok(0),
        Err(errno) => Err(fatal(report, b"unable to end the system", b"", errno)),
    }
}

fn ask_for_no_sync(report: &Reporter<'_>) -> Result<(), Failure> {
    match file::make_directory(CWD, NO_SYNC_DIRECTORY, 0o755) {
        Ok(()) | Err(Errno::EXIST) => file::open_new(CWD, NO_SYNC, 0o644).map(drop),
        Err(errno) => Err(errno),
    }
    .map_err(|errno| fatal(report, b"unable to create ", NO_SYNC.to_bytes(), errno))
}

fn fatal(report: &Reporter<'_>, text: &[u8], name: &[u8], errno: Errno) -> Failure {
    report.fatal_of(text, name, errno);
    Failure::Said(1)
}
