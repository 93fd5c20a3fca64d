//! Starting the command and the services.

use super::super::search::{in_place, search};
use super::reporter;
use core::ffi::CStr;
use svbox::report::FATAL;
use svbox::sys::args::Args;
use svbox::sys::exec::{Arguments, Environment, replace, replace_by};
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Mask;
use svbox::sys::{Errno, Result, stdio, terminal};

/// What a shell says of a command that is not there, and of one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Ourselves; with runsvdir's name as first argument we are runsvdir.
const OURSELVES: &CStr = c"/proc/self/exe";

/// Starts the command as the leader of a process group, in the foreground of the terminal if there is one.
pub fn command(words: Args, environment: &Environment, mask: &Mask) -> Result<Pid> {
    let name = words.get(0).ok_or(Errno::INVAL)?;
    let arguments = Arguments::new(words, None)?;
    in_place(None, &|| {
        let _ = process::lead_group();
        // Without a terminal there is no foreground.
        let _ = terminal::take_foreground(stdio::stdin());
        mask.set();
        let errno = search(name, &|path| replace(path, &arguments, environment));
        reporter().fatal_of(b"unable to run ", name.to_bytes(), errno);
        if errno == Errno::NOENT { NOT_FOUND } else { NOT_RUN }
    })
}

/// Starts runsvdir for a scan directory.
pub fn services(scan: &CStr, environment: &Environment, mask: &Mask) -> Result<Pid> {
    let list = [c"runsvdir", c"-P", c"--container", scan];
    in_place(None, &|| {
        let _ = process::new_session();
        mask.set();
        let errno = replace_by(OURSELVES, &list, environment);
        reporter().fatal_of(b"unable to run ", b"runsvdir", errno);
        FATAL
    })
}
