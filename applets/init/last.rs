//! The end of the machine, after stage 3.

use super::console::Console;
use super::request::{HALT, NO_SYNC, REBOOT};
use svbox::sys::power::{self, End};
use svbox::sys::process;
use svbox::sys::signal::Signal;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{Errno, poll};

/// How long a machine that could not be switched off has before it is stopped instead (runit).
const OFF: Duration = Duration::from_secs(2);

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

/// Ends the machine, in a child: what the kernel does to the process that asks for it must not be done to process 1.
/// Comes back, in process 1, to say why there is no end; `None` if that is not known.
pub fn end(end: End, console: &Console) -> Option<Errno> {
    match process::fork() {
        Ok(Some(child)) => wait_for(child),
        Ok(None) => process::exit(refusal(attempt(end, console))),
        Err(_) => Some(attempt(end, console)),
    }
}

/// Gives why it did not work.
fn attempt(end: End, console: &Console) -> Errno {
    let text: &[u8] = match end {
        End::Reboot => b"system reboot.",
        End::PowerOff => b"power off...",
        End::Halt => b"system halt.",
    };
    console.say(&[text]);
    if !NO_SYNC.exists() {
        power::sync();
    }
    let errno = power::end(end).err().unwrap_or(Errno::IO);
    if end == End::PowerOff && errno != Errno::PERM {
        poll::either([None, None], Some(Instant::now().after(OFF)));
        return attempt(End::Halt, console);
    }
    errno
}

/// The exit code that stands for an error.
fn refusal(errno: Errno) -> u8 {
    u8::try_from(errno.raw_os_error()).unwrap_or(u8::MAX)
}

fn wait_for(child: process::Pid) -> Option<Errno> {
    let ended = process::wait_one(child).ok()?;
    ended.code().map(|code| Errno::from_raw_os_error(code.into()))
}
