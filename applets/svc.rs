//! svc: sends commands to the supervisors of services, by letters (daemontools).
//!
//! Exits 0, also after warnings, or 100 for a wrong command line.

use super::Applet;
use super::place::Place;
use core::ffi::CStr;
use svbox::cli::{Call, Spec};
use svbox::report::{Failure, Reporter};
use svbox::service::client::NotSent;

pub fn applet() -> Applet {
    Applet {
        text: b"\
svc [-udopchaitkx12q] dir ...

Send commands to services, in order: u up, d down, o once, x exit, p pause,
c continue, h HUP, a ALRM, i INT, t TERM, k KILL, 1 USR1, 2 USR2, q QUIT.",
        usage_path: false,
        misuse: 100,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"udopchaitkx12q")),
        run,
    }
}

fn run(call: &Call) -> Result<u8, Failure> {
    let mut bytes = Vec::new();
    call.each(&mut |letter, _| bytes.push(letter));
    for dir in call.operands().iter() {
        send(dir, &bytes);
    }
    Ok(0)
}

fn send(dir: &'static CStr, bytes: &[u8]) {
    let report = Reporter { program: b"svc", subject: None, waits: true };
    let name = dir.to_bytes();
    let place = Place::at(dir);
    if let Err(errno) = place.enter() {
        return report.warn_of(b"unable to chdir to ", name, errno);
    }
    match place.send(bytes) {
        Ok(()) => {}
        Err(NotSent::NotRunning) => {
            report.warn(&[b"unable to control ", name, b": supervise not running"], None)
        }
        Err(NotSent::Open(errno)) => report.warn_of(b"unable to control ", name, errno),
        Err(NotSent::Write(errno)) => report.warn_of(b"error writing commands to ", name, errno),
    }
}
