//! runsv: supervises one service and its log service.
//!
//! Exits 0 when it was told to exit and has, 1 for a wrong command line, and 111 when start-up fails.

use super::Applet;
use core::mem::ManuallyDrop;
use svbox::cli::Call;
use svbox::report::{Failure, Reporter};
use svbox::supervisor::Engine;

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

/// Has runsv end with the service when that has ended for good: how runsvdir asks for it in a container.
#[cfg(feature = "pid1")]
pub const ESSENTIAL: &core::ffi::CStr = c"--essential";

fn run(call: &Call) -> Result<u8, Failure> {
    let operands = call.operands();
    #[cfg(feature = "pid1")]
    let is_essential = operands.get(0) == Some(ESSENTIAL);
    #[cfg(feature = "pid1")]
    let operands = operands.skip(usize::from(is_essential));
    let (Some(dir), 1) = (operands.get(0), operands.len()) else { return Err(Failure::Usage) };
    let report = Reporter { program: b"runsv", subject: Some(dir.to_bytes()), waits: true };

    // Never taken apart: at the end of the process the kernel closes everything.
    let mut engine = ManuallyDrop::new(Engine::new(1, &report)?);
    engine.add(dir, report)?;
    #[cfg(feature = "pid1")]
    if is_essential {
        engine.leave_with_services();
    }
    engine.run();
    #[cfg(feature = "pid1")]
    if is_essential {
        return Ok(engine.code());
    }
    Ok(0)
}
