//! The files of a service directory, as paths from it. Modes are before the umask.

use crate::sys;
use core::ffi::CStr;

/// Which of the two processes of a service directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The service itself.
    Main,
    /// Its log service, in `log/`.
    Log,
}

/// Mode of `supervise/` when it has to be made.
pub const SUPERVISE_MODE: u32 = 0o700;
/// Mode of the fifos `control` and `ok` and of `lock`.
pub const PRIVATE_MODE: u32 = 0o600;
/// Mode of `status`, `stat` and `pid`.
pub const PUBLIC_MODE: u32 = 0o644;

/// The longest text of a `supervise` link that is resolved when its target is missing.
pub const LONGEST_LINK: usize = 4096;

/// A file that has a place in the main service's directory and one in the log service's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum File {
    /// The directory that holds the others.
    Supervise,
    /// Held by the supervisor, for its life, by flock(2).
    Lock,
    /// Fifo for commands, one byte each.
    Control,
    /// Fifo that has a reader while the supervisor lives.
    Ok,
    /// The 20 bytes.
    Status,
    /// The state in words.
    Stat,
    /// The process number as text.
    Pid,
    /// Where a new [`File::Status`] is written.
    StatusNew,
    /// Where a new [`File::Stat`] is written.
    StatNew,
    /// Where a new [`File::Pid`] is written.
    PidNew,
    /// Existence means "do not start by itself".
    Down,
}

/// The path of a file of one part, from the service directory.
pub fn path(part: Part, file: File) -> &'static CStr {
    let log = match file {
        File::Supervise => c"log/supervise",
        File::Lock => c"log/supervise/lock",
        File::Control => c"log/supervise/control",
        File::Ok => c"log/supervise/ok",
        File::Status => c"log/supervise/status",
        File::Stat => c"log/supervise/stat",
        File::Pid => c"log/supervise/pid",
        File::StatusNew => c"log/supervise/status.new",
        File::StatNew => c"log/supervise/stat.new",
        File::PidNew => c"log/supervise/pid.new",
        File::Down => c"log/down",
    };
    match part {
        Part::Log => log,
        Part::Main => log.to_bytes_with_nul().get(4..).and_then(sys::c_str).unwrap_or(log),
    }
}
