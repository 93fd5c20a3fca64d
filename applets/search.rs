//! Finding a program by its name, and children that run one.

use core::ffi::CStr;
use svbox::cli::has;
use svbox::report::FATAL;
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Mask;
use svbox::sys::spawn::{More, Spawn};
use svbox::sys::{BorrowedFd, Errno, Result, args};
use svbox::text::{Cut, Text};

/// Tries each place where our own `PATH` says that it can be. Where it must not be run is remembered and passed over.
pub fn search(name: &CStr, run: &dyn Fn(&CStr) -> Errno) -> Errno {
    if has(name.to_bytes(), b'/') {
        return run(name);
    }
    let mut remembered = Errno::NOENT;
    for directory in args::variable(b"PATH").unwrap_or(b"/bin:/usr/bin").parts(b':') {
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

/// Makes a child, with another standard input if one is given, that runs a program by itself, and ends with the code
/// that `run` gives if it cannot. That is called with our memory, which it must not change.
pub fn in_place(stdin: Option<BorrowedFd<'_>>, run: &dyn Fn() -> u8) -> Result<Pid> {
    Spawn {
        path: c"",
        args: &[],
        directory: None,
        below: None,
        stdin,
        stdout: None,
        more: &More::NONE,
        mask: &Mask::all(),
        session: false,
        failure_code: FATAL,
        ready: Some(&|| process::exit(run())),
        failed: &|_, _| {},
    }
    .start()
}
