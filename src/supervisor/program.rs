//! Starting the programs of a service directory that are svbox's own.

use super::World;
use super::unit::Place;
use crate::sys::process::Pid;
use crate::sys::spawn::{More, Spawn};
use crate::sys::{AsFd, BorrowedFd, Result};
use core::ffi::CStr;

/// Exit code of one that cannot be run.
pub const CANNOT_RUN: u8 = 111;

/// Starts one in the service directory, with what a service inherits and this standard output, if not ours. It leads a
/// process group, so that what it has started can be killed with it. `aloud`: that it cannot be run is said.
pub fn start(
    path: &CStr,
    args: &[&CStr],
    stdout: Option<BorrowedFd<'_>>,
    aloud: bool,
    place: &Place,
    world: &World,
) -> Result<Pid> {
    let failed = |_, errno| {
        if aloud {
            place.report.fatal_of(b"unable to run ", path.to_bytes(), errno);
        }
    };
    Spawn {
        path,
        args,
        directory: Some(place.dir.as_fd()),
        below: None,
        stdin: None,
        stdout,
        more: &More { argument: place.argument(), ..More::NONE },
        mask: &world.services,
        session: false,
        failure_code: CANNOT_RUN,
        ready: None,
        failed: &failed,
    }
    .start_group()
}
