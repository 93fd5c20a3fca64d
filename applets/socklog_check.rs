//! socklog-check: tells whether somebody receives messages at a path.
//!
//! Exits 0 if so, 1 for a wrong command line, and 111 if not.

use super::{Applet, tell_version};
use core::ffi::CStr;
use svbox::cli::{Call, Spec};
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::net;

pub fn applet() -> Applet {
    Applet {
        text: b"\
socklog-check [-v] [unix [address]]

Tell whether somebody receives messages at address (default /dev/log).

  -v    say so, too
  -V    print the version and the usage",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"vV")),
        run,
    }
}

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
fn reporter() -> Reporter<'static> {
    Reporter { program: b"socklog-check", subject: None, waits: true }
}

fn run(call: &Call) -> Result<u8, Failure> {
    let (mut verbose, mut version) = (false, false);
    call.each(&mut |letter, _| match letter {
        b'v' => verbose = true,
        _ => version = true,
    });
    if version {
        return Err(tell_version(b"socklog-check"));
    }
    let words = call.operands();
    if !words.get(0).map_or(b"unix".as_slice(), CStr::to_bytes).starts_with(b"u") {
        return Err(Failure::Usage);
    }
    let path = words.get(1).unwrap_or(c"/dev/log");
    if let Err(errno) = net::check(path) {
        reporter().warn_of(b"unable to connect socket: ", path.to_bytes(), errno);
        return Err(Failure::Said(FATAL));
    }
    if verbose {
        reporter().say(b"info: ", &[b"successfully connected to ", path.to_bytes()], None);
    }
    Ok(0)
}
