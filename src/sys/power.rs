//! The end of the machine, and what comes before it. See reboot(2).

use super::Result;
use rustix::system::{RebootCommand, reboot};

/// What the kernel says of itself.
pub use rustix::system::uname;

/// What becomes of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It is switched off.
    PowerOff,
    /// It stops, and stays on.
    Halt,
    /// It starts again.
    Reboot,
}

/// Ends it now; nothing is written out. In a PID namespace of its own process 1 is killed instead: by HUP for a reboot,
/// otherwise by INT.
pub fn end(end: End) -> Result<()> {
    reboot(match end {
        End::PowerOff => RebootCommand::PowerOff,
        End::Halt => RebootCommand::Halt,
        End::Reboot => RebootCommand::Restart,
    })
}

/// Has the kernel send ctrl-alt-del to process 1, as INT, instead of obeying it. Gives whether it does: to nobody in a PID
/// namespace of its own, and to nobody who may not end the machine.
pub fn hear_ctrl_alt_del() -> bool {
    reboot(RebootCommand::CadOff).is_ok()
}

/// Whether this is process 1, and that of the machine.
pub fn is_ours() -> bool {
    super::process::is_first() && hear_ctrl_alt_del()
}

/// Writes out everything that waits to be written.
pub fn sync() {
    rustix::fs::sync();
}
