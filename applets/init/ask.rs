//! runit-init: asks process 1 for the end of the machine, or for another set of services.
//!
//! Exits 0 when it has asked, also after a usage message, as runit's does; 111 when it could not.

use super::first::AGAIN;
use super::request::{ask, signal};
use core::ffi::CStr;
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::power::End;
use svbox::sys::signal::Signal;
use svbox::sys::spawn::{More, replace};
use svbox::sys::{file, stdio};

const REPORT: Reporter<'_> = Reporter { program: b"init", subject: None, waits: true };

/// The link that names the running set of services, and the directory of all sets.
const SINGLE: &CStr = c"/etc/runit/runsvdir/single";

pub fn run(call: &Call) -> Result<u8, Failure> {
    match call.operands().get(0).map_or(b"".as_slice(), CStr::to_bytes) {
        b"0" => ask(End::PowerOff, &REPORT)?,
        b"6" => ask(End::Reboot, &REPORT)?,
        b"q" | b"Q" => signal(Signal::HUP.as_raw(), &REPORT)?,
        b"u" | b"U" => signal(AGAIN, &REPORT)?,
        b"1" | b"s" | b"S" => return single(),
        b"-V" => {
            let version = concat!("svbox runit-init ", env!("CARGO_PKG_VERSION"), "\n\n");
            let _ = file::write_all(stdio::stderr(), version.as_bytes());
            return Err(Failure::Usage);
        }
        _ => return Err(Failure::Usage),
    }
    Ok(0)
}

/// Changes to the set of services for one user, if there is one.
fn single() -> Result<u8, Failure> {
    if !cfg!(feature = "runsvchdir") || !file::is_there(file::CWD, SINGLE) {
        REPORT.fatal(&[b"no services for a single user: ", SINGLE.to_bytes()], None);
        return Err(Failure::Said(FATAL));
    }
    let errno = replace(c"/proc/self/exe", &[c"runsvchdir", c"single"], &More::NONE);
    REPORT.fatal_of(b"unable to run ", b"runsvchdir", errno);
    Err(Failure::Said(FATAL))
}
