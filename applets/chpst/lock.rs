//! A lock on a file, which lasts as long as the program or whatever it leaves the descriptor to.

use super::unable::Unable;
use core::ffi::CStr;
use svbox::sys::file::{self, CWD};
use svbox::sys::{OwnedFd, lock};

/// Makes the file if need be, and locks it. The program inherits the descriptor.
pub fn take(path: &'static CStr, wait: bool) -> Result<OwnedFd, Unable> {
    let name = path.to_bytes();
    let file = file::open_append(CWD, path, 0o600).map_err(Unable::to(b"unable to open lock: ", name))?;
    lock::exclusive(&file, wait)
        .and_then(|()| file::keep_over_exec(&file))
        .map_err(Unable::to(b"unable to lock: ", name))?;
    Ok(file)
}
