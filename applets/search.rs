//! Finding a program by its name.

use core::ffi::CStr;
use svbox::cli::has;
use svbox::sys::{Errno, args};
use svbox::text::Text;

/// Tries each place where our own `PATH` says that it can be. Where it must not be run is remembered and passed over.
pub fn search(name: &CStr, run: &dyn Fn(&CStr) -> Errno) -> Errno {
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
