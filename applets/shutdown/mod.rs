//! shutdown, halt, poweroff and reboot: the end of the machine, announced or at once.
//!
//! They exit 0 when process 1 has been asked, 1 for a wrong command line and when something cannot be done, and 2 for
//! whoever is not root.

#[cfg(feature = "shutdown")]
mod grammar;
mod halt;
#[cfg(feature = "shutdown")]
mod notice;
#[cfg(feature = "shutdown")]
mod pending;
mod records;
#[cfg(feature = "shutdown")]
mod shut;
#[cfg(feature = "shutdown")]
mod time;
#[cfg(feature = "shutdown")]
mod wait;
#[cfg(feature = "shutdown")]
mod wall;

#[cfg(feature = "halt")]
pub use halt::halt;
#[cfg(feature = "poweroff")]
pub use halt::poweroff;
#[cfg(feature = "reboot")]
pub use halt::reboot;
#[cfg(feature = "shutdown")]
pub use shut::shutdown;
#[cfg(feature = "shutdown")]
use shut::{fatal, reporter};

use crate::applets::init::request;
use svbox::report::{Failure, Reporter};
use svbox::sys::power::{self, End};
use svbox::sys::{identity, stdio};

/// Whoever is not root is told so.
fn only_root(report: &Reporter<'_>) -> Result<(), Failure> {
    if let (0, _) = identity::effective() {
        return Ok(());
    }
    let _ = stdio::write_parts(stdio::stderr(), &[report.program, b": must be superuser.\n"]);
    Err(Failure::Said(2))
}

/// Asks process 1 for the end of the machine, which wtmp is told of.
fn ask(end: End, noted: bool, synced: bool, report: &Reporter<'_>) -> Result<u8, Failure> {
    if noted {
        // The machine is not kept running by that.
        records::note_shutdown(report);
    }
    if synced {
        power::sync();
    }
    request::ask(end, report).map_err(|_| Failure::Said(1))?;
    Ok(0)
}
