//! The environment that the container's manager has given, kept as an environment directory for `chpst -e`.

use super::place::make;
use svbox::cli::has;
use svbox::sys::args;
use svbox::sys::exec::Environment;
use svbox::sys::{AsFd, Errno, OwnedFd, Result, dir, file};
use svbox::text::{Cut, Text};

/// Keeps each variable as a file in `env` of the state directory.
pub fn keep(state: &OwnedFd) -> Result<()> {
    make(state.as_fd(), c"env")?;
    let list = dir::open_itself(state.as_fd(), c"env")?;
    let _ = dir::each_name(&list, |name, _| _ = file::remove(list.as_fd(), name));
    args::environment().try_for_each(|entry| {
        let at = entry.to_bytes().iter().position(|&byte| byte == b'=');
        match at.and_then(|at| entry.to_bytes().split_at_checked(at)) {
            Some((name, value)) if !has(name, b'/') && !name.starts_with(b".") => {
                keep_one(&list, name, value.get(1..).unwrap_or(&[]))
            }
            _ => Ok(()),
        }
    })
}

/// A newline stands as a NUL in such a file, which ends with its first line.
fn keep_one(list: &OwnedFd, name: &[u8], value: &[u8]) -> Result<()> {
    let mut text = Text::<256>::new();
    let Some(name) = text.push(name).c_str().filter(|name| !name.is_empty()) else { return Ok(()) };
    let file = match file::open_first(list.as_fd(), name, 0o600) {
        // Of two by one name the first counts, as for getenv(3).
        Err(Errno::EXIST) => return Ok(()),
        file => file?,
    };
    for (index, line) in value.parts(b'\n').enumerate() {
        if index > 0 {
            file::write_all(&file, b"\0")?;
        }
        file::write_all(&file, line)?;
    }
    // Trailing blanks are no part of a value, but where a line ends by a newline they count for less still.
    file::write_all(&file, b"\n")
}

/// An environment of `PATH` alone.
pub fn clean() -> core::result::Result<Environment, Errno> {
    let path = args::variable(b"PATH").unwrap_or(b"/bin:/usr/bin");
    let mut environment = Environment::inherited();
    environment.clear()?;
    environment.set(b"PATH", path)?;
    Ok(environment)
}
