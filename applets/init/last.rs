//! The end of the machine, after stage 3.

use super::console::Console;
use super::request::{HALT, NO_SYNC, REBOOT};
use svbox::sys::Errno;
use svbox::sys::power::{self, End};
use svbox::sys::process::{self, Ended, Pid};
use svbox::sys::signal::Signal;

/// The kind of end that is asked for by files.
pub fn asked() -> End {
    if REBOOT.is_made() {
        End::Reboot
    } else if HALT.is_made() {
        End::Halt
    } else {
        End::PowerOff
    }
}

/// Kills everything else.
pub fn kill_all(console: &Console) {
    console.say(&[b"sending KILL signal to all processes..."]);
    let _ = process::relay(None, Signal::KILL.as_raw());
}

/// Begins to end the machine, in a child: what the kernel does to the process that asks for it must not be done to process
/// 1, nor may process 1 wait for a disk. If there can be no child, says why there is no end.
pub fn begin(end: End, synced: bool, console: &Console) -> Result<Pid, Errno> {
    match process::fork() {
        Ok(Some(child)) => Ok(child),
        Ok(None) => process::exit(refusal(attempt(end, synced, console))),
        Err(_) => Err(attempt(end, synced, console)),
    }
}

/// Gives why it did not work.
fn attempt(end: End, synced: bool, console: &Console) -> Errno {
    let text: &[u8] = match end {
        End::Reboot => b"system reboot.",
        End::PowerOff => b"power off...",
        End::Halt => b"system halt.",
    };
    console.say(&[text]);
    if synced && !NO_SYNC.exists() {
        power::sync();
    }
    power::end(end).err().unwrap_or(Errno::IO)
}

/// The exit code that stands for an error.
fn refusal(errno: Errno) -> u8 {
    u8::try_from(errno.raw_os_error()).unwrap_or(u8::MAX)
}

/// Why a child that has ended has not ended the machine. The kernel ends it, as if all were well, when a machine that was
/// to be switched off does not obey.
pub fn why(ended: Ended) -> Option<Errno> {
    let code = ended.code().filter(|code| *code > 0)?;
    Some(Errno::from_raw_os_error(code.into()))
}
