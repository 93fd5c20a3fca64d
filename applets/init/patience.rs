//! How long stage 2 may take to end: the file `/etc/runit/timeout-kill`, in milliseconds as in a service directory.

use super::console::Console;
use core::ffi::CStr;
use svbox::sys::time::Duration;
use svbox::sys::{Errno, file};
use svbox::text::{Cut, parse};

const FILE: &CStr = c"/etc/runit/timeout-kill";
/// Without such a file (runit).
const DEFAULT: Duration = Duration::from_secs(5);
/// The longest file that is understood.
const MOST: usize = 64;

/// How long to wait between TERM and KILL; `None`: for ever.
pub fn patience(console: &Console) -> Option<Duration> {
    let mut text = [0; MOST];
    let text = match file::read_text(file::CWD, FILE, &mut text) {
        Ok(text) => text,
        Err(Errno::NOENT) => return Some(DEFAULT),
        Err(errno) => {
            console.reporter().warn_of(b"unable to read ", FILE.to_bytes(), errno);
            return Some(DEFAULT);
        }
    };
    let line = text.before(b'\n');
    match parse(line.trim_ascii()) {
        // As in s6, 0 is no limit.
        Some(0) => None,
        Some(within) => Some(Duration::from_millis(within)),
        None => {
            console.reporter().warn(&[b"ignoring ", FILE.to_bytes(), b": bad value: ", line], None);
            Some(DEFAULT)
        }
    }
}
