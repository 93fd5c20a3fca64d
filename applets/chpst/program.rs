//! Running the program in our place.

use super::super::search::search;
use super::unable::Unable;
use core::ffi::CStr;
use svbox::sys::args::Args;
use svbox::sys::exec::{Arguments, Environment, replace};

/// Runs it under the name `argv0`, if there is one. Comes back only to say why it could not.
pub fn run(args: Args, argv0: Option<&'static CStr>, environment: &Environment) -> Unable {
    let Some(name) = args.get(0) else { return Unable::because(b"unable to run: ", b"") };
    match Arguments::new(args, argv0) {
        Ok(arguments) => Unable::to(b"unable to run: ", name.to_bytes())(search(name, &|path| {
            replace(path, &arguments, environment)
        })),
        Err(errno) => Unable::memory(errno),
    }
}
