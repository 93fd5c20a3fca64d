//! svok: tells whether a supervisor is running in a service directory (daemontools).
//!
//! Exits 0 if there is one, 100 if not or for a wrong command line, and 111 when it cannot be found out.

use super::Applet;
use super::place::Place;
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::service::names::Part;
use svbox::sys::Errno;

pub fn applet() -> Applet {
    Applet {
        text: b"\
svok dir

Exit 0 if a supervisor runs in a directory, else 100.",
        usage_path: false,
        misuse: 100,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run,
    }
}

fn run(call: &Call) -> Result<u8, Failure> {
    let Some(dir) = call.operands().get(0) else { return Err(Failure::Usage) };
    let report = Reporter { program: b"svok", subject: None, waits: true };
    let place = Place::at(dir);
    if let Err(errno) = place.enter() {
        report.fatal_of(b"unable to chdir to ", dir.to_bytes(), errno);
        return Err(Failure::Said(FATAL));
    }
    match place.hold(Part::Main) {
        Ok(_) => Ok(0),
        Err(Errno::NOENT | Errno::NXIO) => Ok(100),
        Err(errno) => {
            report.fatal(&[b"unable to open ", dir.to_bytes(), b"/supervise/ok"], Some(errno));
            Err(Failure::Said(FATAL))
        }
    }
}
