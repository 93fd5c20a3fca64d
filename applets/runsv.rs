//! runsv: supervises one service and its log service.
//!
//! Exits 0 when it was told to exit and has, 1 for a wrong command line, and 111 when start-up fails.

use super::Applet;
use svbox::cli::Call;
use svbox::report::{Failure, Reporter};
use svbox::supervisor::{Engine, Unit};

pub const APPLET: Applet =
    Applet { name: "runsv", usage: "dir", usage_path: true, misuse: 1, spec: None, run };

fn run(call: &Call) -> Result<u8, Failure> {
    let [dir] = call.operands() else { return Err(Failure::Usage) };
    let report = Reporter { program: b"runsv", subject: dir.to_bytes(), waits: true };

    let mut engine = Engine::new(&report)?;
    let unit = Unit::open(0, dir, report, engine.world())?;
    engine.run(&mut [unit]);
    Ok(0)
}
