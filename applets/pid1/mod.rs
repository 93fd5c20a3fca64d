//! pid1: process 1 of a container. Runs a command, or the services of a scan directory, or both.
//!
//! Exits with the command's code, or 128 and the number of the signal that has killed it; with that of an essential
//! service that has ended for good; 0 after an orderly stop of services, 137 if some had to be killed; 100 for a wrong
//! command line, 111 when the services cannot be run, 126 and 127 when the command cannot.

mod child;
mod container;
mod patience;
mod place;
mod shadow;
mod variables;

use super::Applet;
use core::ffi::CStr;
use svbox::cli::{self, Call, Spec};
use svbox::report::{Failure, Reporter};
use svbox::sys::args::Args;
use svbox::sys::time::Duration;
use svbox::sys::{heap, power};
use svbox::text::parse;

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
fn reporter() -> Reporter<'static> {
    Reporter { program: b"pid1", subject: None, waits: false }
}
const SPEC: Spec = Spec(b"E dt");
const MISUSE: u8 = 100;

pub fn applet() -> Applet {
    Applet {
        text: b"\
pid1 [-d dir] [-t seconds] [-E] [--] [command [arg ...]]

Be process 1 of a container: run a command, or the services of a scan directory, or both; see pid1(8).

  -d dir      the scan directory; one without services is where state is kept
  -t seconds  how long all may take to stop: 10
  -E          services have an environment of PATH only",
        usage_path: false,
        misuse: MISUSE,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run: |call: &Call| run_with(call.operands()),
    }
}

/// The same with a command line that was another program's.
pub fn run_with(args: Args) -> Result<u8, Failure> {
    let mut options = Err(Failure::Usage);
    if let Ok(used) = cli::each(SPEC, args, &mut |_, _| {}) {
        options = Options::of(&mut |found| _ = cli::each(SPEC, args, found), args.skip(used));
    }
    run(options)
}

/// What is on the command line.
struct Options {
    directory: Option<&'static CStr>,
    /// How long everything may take to stop, if that was said.
    patience: Option<Duration>,
    clean: bool,
    command: Args,
}

impl Options {
    fn of(each: &mut dyn FnMut(cli::Found<'_>), command: Args) -> Result<Self, Failure> {
        let mut options = Self { directory: None, patience: None, clean: false, command };
        let mut failed = false;
        each(&mut |letter, value| match (letter, value) {
            (b'd', Some(value)) => {
                options.directory = heap::keep(&[value]).ok();
                failed |= options.directory.is_none();
            }
            (b't', Some(value)) => {
                options.patience = parse(value).map(Duration::from_secs);
                failed |= options.patience.is_none();
            }
            _ => options.clean = true,
        });
        if failed { Err(Failure::Usage) } else { Ok(options) }
    }
}

fn run(options: Result<Options, Failure>) -> Result<u8, Failure> {
    if options.is_err() && power::is_ours() {
        container::switch_off();
    }
    container::run(&options?)
}
