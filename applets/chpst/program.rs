//! Running the program in our place.

use super::unable::Unable;
use core::ffi::CStr;
use svbox::cli::has;
use svbox::sys::Errno;
use svbox::sys::args::{self, Args};
use svbox::sys::exec::{Arguments, Environment, replace};
use svbox::text::Text;

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

/// Tries each place where our own `PATH` says that it can be. Where it must not be run is remembered and passed over.
fn search(name: &CStr, run: &dyn Fn(&CStr) -> Errno) -> Errno {
    if has(name.to_bytes(), b'/') {
        return run(name);
    }
    let mut remembered = Errno::NOENT;
    for directory in args::variable(b"PATH").unwrap_or(b"/bin:/usr/bin").split(|&byte| byte == b':') {
        let mut path = Text::<4096>::new();
        let directory = if directory.is_empty() { b"." } else { directory };
        match path.push(directory).push(b"/").push(name.to_bytes()).c_str().map_or(Errno::NAMETOOLONG, run) {
            Errno::NOENT => {}
            errno @ (Errno::ACCESS | Errno::PERM | Errno::ISDIR) => remembered = errno,
            other => return other,
        }
    }
    remembered
}
