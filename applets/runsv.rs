//! runsv: supervises one service and its log service.
//!
//! Exits 0 when it was told to exit and has, 1 for a wrong command line, and 111 when start-up fails.

use super::Applet;
use core::mem::ManuallyDrop;
use svbox::cli::Call;
use svbox::report::{Failure, Reporter};
use svbox::supervisor::Engine;
#[cfg(feature = "pid1")]
use svbox::{
    sys::{args::Args, process::Pid},
    text::parse,
};

pub fn applet() -> Applet {
    Applet {
        text: b"\
runsv dir

Supervise the service of a directory, and its log service.",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run,
    }
}

/// What tells runsv whom it has to tell that its service has ended for good: how runsvdir asks for it in a container.
#[cfg(feature = "pid1")]
pub const ESSENTIAL: &core::ffi::CStr = c"--essential";

fn run(call: &Call) -> Result<u8, Failure> {
    let operands = call.operands();
    #[cfg(feature = "pid1")]
    let (essential_to, operands) = essential(operands);
    let (Some(dir), 1) = (operands.get(0), operands.len()) else { return Err(Failure::Usage) };
    let report = Reporter { program: b"runsv", subject: Some(dir.to_bytes()), waits: true };

    // Never taken apart: at the end of the process the kernel closes everything.
    let mut engine = ManuallyDrop::new(Engine::new(1, &report)?);
    engine.add(dir, report)?;
    #[cfg(feature = "pid1")]
    engine.tell_of_ends(essential_to);
    engine.run();
    Ok(0)
}

/// Takes the option apart, and the process number behind it.
#[cfg(feature = "pid1")]
fn essential(operands: Args) -> (Option<Pid>, Args) {
    let number = operands.get(1).and_then(|number| parse(number.to_bytes()));
    let pid = number.and_then(|number| Pid::from_raw(i32::try_from(number).ok()?));
    match pid.filter(|_| operands.get(0) == Some(ESSENTIAL)) {
        Some(pid) => (Some(pid), operands.skip(2)),
        None => (None, operands),
    }
}
