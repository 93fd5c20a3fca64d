//! A supervisor of several service directories in one process: the engine as later programs will use it.
#![no_main]

use core::ffi::c_int;
use svbox::report::{Failure, Reporter};
use svbox::supervisor::Engine;
use svbox::sys::args::Args;
use svbox::sys::stdio;

svbox::entry!(run);

fn run(args: Args) -> c_int {
    stdio::fill(true);
    supervise(args.skip(1)).map_or(1, |()| 0)
}

fn supervise(dirs: Args) -> Result<(), Failure> {
    let report = Reporter { program: b"engine", subject: None, waits: true };
    let mut engine = Engine::new(dirs.len(), &report)?;
    for dir in dirs.iter() {
        engine.add(dir, Reporter { subject: Some(dir.to_bytes()), ..report })?;
    }
    engine.run();
    Ok(())
}
