//! The one form of a message, the wording of system errors, and how a program ends.

use crate::sys::{Errno, stdio};

/// Says things on standard error in the name of a program and, where there is one, of what it works on.
#[derive(Clone, Copy)]
pub struct Reporter<'a> {
    /// The program's name with what follows it before the severity, e.g. `runsv`.
    pub program: &'a [u8],
    /// What it works on, e.g. the service directory; empty for nothing.
    pub subject: &'a [u8],
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

    fn say(&self, severity: &[u8], parts: &[&[u8]], why: Option<Errno>) {
        if !self.waits && !stdio::stderr_has_room() {
            return;
        }
        let mut message: [&[u8]; stdio::MOST_PARTS] = [b""; stdio::MOST_PARTS];
        let named = !self.program.is_empty();
        let head: [&[u8]; 5] = [
            self.program,
            if self.subject.is_empty() { b"" } else { b" " },
            self.subject,
            if named { b": " } else { b"" },
            severity,
        ];
        let tail: [&[u8]; 3] = match why {
            Some(errno) => [b": ", describe(errno).as_bytes(), b"\n"],
            None => [b"", b"", b"\n"],
        };
        for (place, part) in message.iter_mut().zip(head.iter().chain(parts).chain(&tail)) {
            *place = part;
        }
        // There is nowhere to complain about standard error.
        let _ = stdio::write_parts(stdio::stderr(), &message);
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
pub fn describe(errno: Errno) -> &'static str {
    match errno {
        Errno::INTR => "interrupted system call",
        Errno::NOMEM => "out of memory",
        Errno::NOENT => "file does not exist",
        Errno::TXTBSY => "text busy",
        Errno::IO => "input/output error",
        Errno::EXIST => "file already exists",
        Errno::TIMEDOUT => "timed out",
        Errno::INPROGRESS => "operation in progress",
        Errno::AGAIN => "temporary failure",
        Errno::PIPE => "broken pipe",
        Errno::PERM => "permission denied",
        Errno::ACCESS => "access denied",
        Errno::NXIO => "device not configured",
        Errno::PROTO => "protocol error",
        Errno::ISDIR => "is a directory",
        Errno::CONNREFUSED => "connection refused",
        Errno::NOTDIR => "not a directory",
        Errno::SRCH => "no such process",
        Errno::TOOBIG => "argument list too long",
        Errno::NOEXEC => "exec format error",
        Errno::BADF => "file descriptor not open",
        Errno::CHILD => "no child processes",
        Errno::DEADLK => "operation would cause deadlock",
        Errno::FAULT => "bad address",
        Errno::NOTBLK => "not a block device",
        Errno::BUSY => "device busy",
        Errno::XDEV => "cross-device link",
        Errno::NODEV => "device does not support operation",
        Errno::INVAL => "invalid argument",
        Errno::NFILE => "system cannot open more files",
        Errno::MFILE => "process cannot open more files",
        Errno::NOTTY => "not a tty",
        Errno::FBIG => "file too big",
        Errno::NOSPC => "out of disk space",
        Errno::SPIPE => "unseekable descriptor",
        Errno::ROFS => "read-only file system",
        Errno::MLINK => "too many links",
        Errno::DOM => "input out of range",
        Errno::RANGE => "output out of range",
        Errno::ALREADY => "operation already in progress",
        Errno::NOTSOCK => "not a socket",
        Errno::DESTADDRREQ => "destination address required",
        Errno::MSGSIZE => "message too long",
        Errno::PROTOTYPE => "incorrect protocol type",
        Errno::NOPROTOOPT => "protocol not available",
        Errno::PROTONOSUPPORT => "protocol not supported",
        Errno::SOCKTNOSUPPORT => "socket type not supported",
        Errno::OPNOTSUPP => "operation not supported",
        Errno::PFNOSUPPORT => "protocol family not supported",
        Errno::AFNOSUPPORT => "address family not supported",
        Errno::ADDRINUSE => "address already used",
        Errno::ADDRNOTAVAIL => "address not available",
        Errno::NETDOWN => "network down",
        Errno::NETUNREACH => "network unreachable",
        Errno::NETRESET => "network reset",
        Errno::CONNABORTED => "connection aborted",
        Errno::CONNRESET => "connection reset",
        Errno::NOBUFS => "out of buffer space",
        Errno::ISCONN => "already connected",
        Errno::NOTCONN => "not connected",
        Errno::SHUTDOWN => "socket shut down",
        Errno::TOOMANYREFS => "too many references",
        Errno::LOOP => "symbolic link loop",
        Errno::NAMETOOLONG => "file name too long",
        Errno::HOSTDOWN => "host down",
        Errno::HOSTUNREACH => "host unreachable",
        Errno::NOTEMPTY => "directory not empty",
        Errno::USERS => "too many users",
        Errno::DQUOT => "disk quota exceeded",
        Errno::STALE => "stale NFS file handle",
        Errno::REMOTE => "too many levels of remote in path",
        Errno::NOLCK => "no locks available",
        Errno::NOSYS => "system call not available",
        Errno::NOSTR => "not a stream device",
        Errno::TIME => "timer expired",
        Errno::NOSR => "out of stream resources",
        Errno::NOMSG => "no message of desired type",
        Errno::BADMSG => "bad message type",
        Errno::IDRM => "identifier removed",
        Errno::NONET => "machine not on network",
        Errno::NOLINK => "link severed",
        Errno::ADV => "advertise error",
        Errno::SRMNT => "srmount error",
        Errno::COMM => "communication error",
        Errno::MULTIHOP => "multihop attempted",
        Errno::REMCHG => "remote address changed",
        _ => "unknown error",
    }
}
