//! The one form of a message, the wording of system errors, and how a program ends.

use crate::sys::Errno;
use crate::sys::stdio::{self, Parts};
use crate::text::Cut;

/// Says things on standard error in the name of a program and, where there is one, of what it works on.
#[derive(Clone, Copy)]
pub struct Reporter<'a> {
    /// The program's name with what follows it before the severity, e.g. `runsv`.
    pub program: &'a [u8],
    /// What it works on, e.g. the service directory.
    pub subject: Option<&'a [u8]>,
    /// Whether it may wait for whoever reads standard error. A supervisor does not: a message that has no room
    /// there is dropped.
    pub waits: bool,
}

impl Reporter<'_> {
    /// `PROGRAM SUBJECT: warning: PARTS: WHY`
    pub fn warn(&self, parts: &[&[u8]], why: Option<Errno>) {
        self.say(b"warning: ", parts, why);
    }

    /// `PROGRAM SUBJECT: fatal: PARTS: WHY`
    pub fn fatal(&self, parts: &[&[u8]], why: Option<Errno>) {
        self.say(b"fatal: ", parts, why);
    }

    /// What most messages are: `PROGRAM SUBJECT: warning: TEXTNAME: WHY`
    // Kept apart, like the next two: there are many calls, and a list of parts is long in each.
    #[inline(never)]
    pub fn warn_of(&self, text: &[u8], name: &[u8], why: Errno) {
        self.warn(&[text, name], Some(why));
    }

    /// `PROGRAM SUBJECT: warning: TEXT`
    #[inline(never)]
    pub fn warn_that(&self, text: &[u8]) {
        self.warn(&[text], None);
    }

    /// `PROGRAM SUBJECT: fatal: TEXTNAME: WHY`
    #[inline(never)]
    pub fn fatal_of(&self, text: &[u8], name: &[u8], why: Errno) {
        self.fatal(&[text, name], Some(why));
    }

    /// `PROGRAM SUBJECT: SEVERITYPARTS: WHY`
    #[inline(never)]
    pub fn say(&self, severity: &[u8], parts: &[&[u8]], why: Option<Errno>) {
        let between = |yes, text: &'static [u8]| if yes { text } else { b"" };
        let mut message = Parts::new();
        message
            .push(self.program)
            .push(between(self.subject.is_some(), b" "))
            .push(self.subject.unwrap_or(b""));
        message.push(between(!self.program.is_empty(), b": ")).push(severity);
        for part in parts {
            message.push(part);
        }
        if let Some(errno) = why {
            message.push(b": ").push(describe(errno));
        }
        // There is nowhere to complain about standard error.
        message.push(b"\n");
        let _ = if self.waits { message.write(stdio::stderr()) } else { stdio::try_stderr(&message) };
    }
}

/// Why a program ends without having done its work. Made where the message has been printed or is implied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The command line is wrong: the usage text, and the program's own exit code for that.
    Usage,
    /// A message has been printed; the exit code.
    Said(u8),
}

/// The exit code of a program that the system refuses something it cannot do without.
pub const FATAL: u8 = 111;

/// runit's words for an error of the system: English, fixed, and not those of the C library.
pub fn describe(errno: Errno) -> &'static [u8] {
    let at = NUMBERS.iter().position(|&number| i32::from(number) == errno.raw_os_error());
    // The texts lie end to end, each with a newline behind it: a table of pointers would be four times as large
    // as the numbers, and in a program that is loaded anywhere it would have to be relocated.
    at.and_then(|at| TEXTS.parts(b'\n').nth(at)).unwrap_or(b"unknown error")
}

/// Defines the numbers and, in the same order, the texts.
macro_rules! words {
    ($($name:ident $text:literal)*) => {
        const NUMBERS: [u16; [$($text),*].len()] = [$(Errno::$name.raw_os_error() as u16),*];
        const TEXTS: &[u8] = concat!($($text, "\n"),*).as_bytes();
    };
}

words! {
    INTR "interrupted system call"
    NOMEM "out of memory"
    NOENT "file does not exist"
    TXTBSY "text busy"
    IO "input/output error"
    EXIST "file already exists"
    TIMEDOUT "timed out"
    INPROGRESS "operation in progress"
    AGAIN "temporary failure"
    PIPE "broken pipe"
    PERM "permission denied"
    ACCESS "access denied"
    NXIO "device not configured"
    PROTO "protocol error"
    ISDIR "is a directory"
    CONNREFUSED "connection refused"
    NOTDIR "not a directory"
    SRCH "no such process"
    TOOBIG "argument list too long"
    NOEXEC "exec format error"
    BADF "file descriptor not open"
    CHILD "no child processes"
    DEADLK "operation would cause deadlock"
    FAULT "bad address"
    NOTBLK "not a block device"
    BUSY "device busy"
    XDEV "cross-device link"
    NODEV "device does not support operation"
    INVAL "invalid argument"
    NFILE "system cannot open more files"
    MFILE "process cannot open more files"
    NOTTY "not a tty"
    FBIG "file too big"
    NOSPC "out of disk space"
    SPIPE "unseekable descriptor"
    ROFS "read-only file system"
    MLINK "too many links"
    DOM "input out of range"
    RANGE "output out of range"
    ALREADY "operation already in progress"
    NOTSOCK "not a socket"
    DESTADDRREQ "destination address required"
    MSGSIZE "message too long"
    PROTOTYPE "incorrect protocol type"
    NOPROTOOPT "protocol not available"
    PROTONOSUPPORT "protocol not supported"
    SOCKTNOSUPPORT "socket type not supported"
    OPNOTSUPP "operation not supported"
    PFNOSUPPORT "protocol family not supported"
    AFNOSUPPORT "address family not supported"
    ADDRINUSE "address already used"
    ADDRNOTAVAIL "address not available"
    NETDOWN "network down"
    NETUNREACH "network unreachable"
    NETRESET "network reset"
    CONNABORTED "connection aborted"
    CONNRESET "connection reset"
    NOBUFS "out of buffer space"
    ISCONN "already connected"
    NOTCONN "not connected"
    SHUTDOWN "socket shut down"
    TOOMANYREFS "too many references"
    LOOP "symbolic link loop"
    NAMETOOLONG "file name too long"
    HOSTDOWN "host down"
    HOSTUNREACH "host unreachable"
    NOTEMPTY "directory not empty"
    USERS "too many users"
    DQUOT "disk quota exceeded"
    STALE "stale NFS file handle"
    REMOTE "too many levels of remote in path"
    NOLCK "no locks available"
    NOSYS "system call not available"
    NOSTR "not a stream device"
    TIME "timer expired"
    NOSR "out of stream resources"
    NOMSG "no message of desired type"
    BADMSG "bad message type"
    IDRM "identifier removed"
    NONET "machine not on network"
    NOLINK "link severed"
    ADV "advertise error"
    SRMNT "srmount error"
    COMM "communication error"
    MULTIHOP "multihop attempted"
    REMCHG "remote address changed"
}
