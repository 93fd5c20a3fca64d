//! Starting what process 1 runs: the stages, and the programs of ctrl-alt-del and power failure.

use super::console::Console;
use core::ffi::CStr;
use svbox::report::FATAL;
use svbox::sys::process::Pid;
use svbox::sys::signal::Mask;
use svbox::sys::spawn::{More, Spawn};
use svbox::sys::{AsFd, Result, terminal};

/// Starts a program in a session of its own with nothing blocked, and with the console as its terminal if `controls`.
/// One that cannot be run is a child that exits 111.
pub fn start(path: &CStr, controls: bool, console: &Console) -> Result<Pid> {
    let report = console.reporter();
    let terminal = match console.for_program() {
        Ok(terminal) => terminal,
        Err(errno) if controls => {
            report.warn_of(b"unable to open /dev/console", b"", errno);
            None
        }
        Err(_) => None,
    };
    let terminal = terminal.as_ref().map(AsFd::as_fd);
    let more = terminal.map(|terminal| (terminal, 2));
    let ready = || {
        if let Some(terminal) = terminal.filter(|_| controls) {
            // Without it there is no job control, and nothing else is missing.
            let _ = terminal::control(terminal);
        }
        report.say(b"", &[b"enter stage: ", path.to_bytes()], None);
    };
    Spawn {
        path,
        args: &[path],
        directory: None,
        below: None,
        stdin: terminal,
        stdout: terminal,
        more: &More::with(more.as_slice()),
        mask: &Mask::of(&[]),
        session: true,
        failure_code: FATAL,
        ready: Some(&ready),
        failed: &|_, errno| report.fatal_of(b"unable to start child: ", path.to_bytes(), errno),
    }
    .start()
}
