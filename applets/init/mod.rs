//! init: process 1, from the kernel's start of it to the end of the machine; and the program that asks it for that end.
//!
//! Process 1 does not end. Asked by another process, it exits 0 when the request is made or the command line wrong, as
//! runit's does, and 111 when the system refuses.

mod ask;
mod child;
mod console;
mod first;
mod last;
mod patience;
pub mod request;
mod side;
mod stage;
mod watchdog;

use super::Applet;
use first::Left;
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::{file, power, process};

#[cfg(feature = "runit")]
pub fn runit() -> Applet {
    Applet {
        text: b"\
runit

Be process 1: stages 1, 2 and 3 in /etc/runit, then the end of the machine.",
        usage_path: true,
        misuse: FATAL,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run: |call| {
            if process::is_first() {
                return be_first(call);
            }
            let report = Reporter { program: b"- runit", subject: None, waits: true };
            report.fatal(&[b"must be run as process no 1."], None);
            Err(Failure::Said(FATAL))
        },
    }
}

#[cfg(feature = "init")]
pub fn init() -> Applet {
    asking(b"init 0|6\n\nAs process 1, be runit; otherwise the same as runit-init.")
}

#[cfg(feature = "runit-init")]
pub fn runit_init() -> Applet {
    asking(
        b"\
runit-init 0|6

Ask process 1 to switch the machine off (0) or to start it again (6). Other words:

  1, s, S    change to the set of services \"single\"
  q, Q       have it look at /etc/runit/watchdog again
  u, U       have it become the program that has its path now

  -V         print the version and the usage",
    )
}

#[cfg(feature = "telinit")]
pub fn telinit() -> Applet {
    asking(b"telinit 0|6\n\nThe same as runit-init.")
}

fn asking(text: &'static [u8]) -> Applet {
    // runit's exits 0 after it has shown how it is to be called.
    Applet {
        text,
        usage_path: true,
        misuse: 0,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run: run_or_ask,
    }
}

fn run_or_ask(call: &Call) -> Result<u8, Failure> {
    if process::is_first() { be_first(call) } else { ask::run(call) }
}

/// A container without stages is one for pid1.
fn be_first(call: &Call) -> Result<u8, Failure> {
    let left = Left::read(call.operands());
    #[cfg(feature = "pid1")]
    if left.is_none() && !power::is_ours() && file::link_stat(file::CWD, stage::Stage::One.path()).is_err() {
        return super::pid1::run_with(call.operands());
    }
    Ok(first::run(left.as_ref()))
}
