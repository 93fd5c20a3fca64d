//! A socket of this machine to which others send datagrams, and who they are.

use super::{AsFd, AsRawFd, BorrowedFd, Errno, OwnedFd, Result, again, ffi};
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use rustix::net::sockopt::set_socket_passcred;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// The socket. It never waits.
pub struct Inbox(OwnedFd);

/// What has come.
pub struct Datagram<'b> {
    /// As much of it as there was room for.
    pub bytes: &'b [u8],
    /// Whether that is not all.
    pub is_cut: bool,
    /// Who has sent it.
    pub sender: Sender,
}

/// Who has sent a datagram, as the kernel says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sender {
    /// The process; 0 for one of another PID namespace.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
}

/// The kernel's `struct user_msghdr`.
#[repr(C)]
struct Header {
    name: *mut c_void,
    name_len: c_int,
    parts: *mut Part,
    parts_len: usize,
    control: *mut c_void,
    control_len: usize,
    flags: c_int,
}

/// The kernel's `struct iovec`.
#[repr(C)]
struct Part {
    start: *mut c_void,
    len: usize,
}

/// A `struct cmsghdr` with a `struct ucred` behind it, and no room for anything else: descriptors that come along are
/// closed by the kernel.
#[repr(C, align(8))]
struct Control {
    len: usize,
    level: c_int,
    kind: c_int,
    pid: u32,
    uid: u32,
    gid: u32,
}

/// The longest `struct sockaddr_un`.
pub const ADDRESS: usize = 110;
/// Its length if nothing follows the family.
const UNNAMED: usize = 2;

const SOL_SOCKET: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0xffff } else { 1 };
const SCM_CREDENTIALS: c_int = 2;
const MSG_TRUNC: c_int = 0x20;
const MSG_CMSG_CLOEXEC: usize = 0x4000_0000;

impl Inbox {
    /// A new one under a name of the kernel's choice, in the abstract name space: see unix(7), "autobind".
    pub fn new() -> Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        set_socket_passcred(&socket, true)?;
        let inbox = Self(socket);
        let family = AddressFamily::UNIX.as_raw();
        let arguments = [inbox.number(), (&raw const family).expose_provenance(), UNNAMED, 0, 0];
        // SAFETY: the kernel reads the two bytes of the family.
        unsafe { ffi::system_call(ffi::number::BIND, arguments) }?;
        Ok(inbox)
    }

    fn number(&self) -> usize {
        usize::try_from(self.0.as_raw_fd()).unwrap_or(usize::MAX)
    }

    /// Its abstract name, without the NUL in front.
    pub fn name<'r>(&self, room: &'r mut [u8; ADDRESS]) -> Result<&'r [u8]> {
        let mut len = c_int::try_from(ADDRESS).unwrap_or(0);
        let (at, len_at) = (room.as_mut_ptr().expose_provenance(), (&raw mut len).expose_provenance());
        // SAFETY: the kernel writes at most as many bytes as `room` has, and their number.
        unsafe { ffi::system_call(ffi::number::GETSOCKNAME, [self.number(), at, len_at, 0, 0]) }?;
        let all = room.get(UNNAMED..usize::try_from(len).unwrap_or(0)).unwrap_or(&[]);
        all.strip_prefix(&[0]).ok_or(Errno::ADDRNOTAVAIL)
    }

    /// The next datagram that has come; `None` if none has. Of the room no more is touched than it takes.
    pub fn receive<'b>(&self, room: &'b mut [MaybeUninit<u8>]) -> Option<Datagram<'b>> {
        let mut part = Part { start: room.as_mut_ptr().cast(), len: room.len() };
        let mut control = Control { len: 0, level: 0, kind: 0, pid: 0, uid: u32::MAX, gid: 0 };
        let mut header = Header {
            name: core::ptr::null_mut(),
            name_len: 0,
            parts: &raw mut part,
            parts_len: 1,
            control: (&raw mut control).cast(),
            control_len: size_of::<Control>(),
            flags: 0,
        };
        let socket = self.number();
        let at = (&raw mut header).expose_provenance();
        // SAFETY: the kernel writes to `room`, `control` and `header`, within the lengths given, and all outlive the
        // call. Every value of their bytes is a valid one.
        let got =
            again(|| unsafe { ffi::system_call(ffi::number::RECVMSG, [socket, at, MSG_CMSG_CLOEXEC, 0, 0]) })
                .ok()?;
        let is_known = (control.level, control.kind) == (SOL_SOCKET, SCM_CREDENTIALS);
        let sender = if is_known {
            Sender { pid: control.pid, uid: control.uid }
        } else {
            Sender { pid: 0, uid: u32::MAX }
        };
        let start = room.get(..got)?.as_ptr().cast();
        // SAFETY: the kernel has just written so many bytes there, within `room`, which stays borrowed.
        let bytes = unsafe { core::slice::from_raw_parts(start, got) };
        Some(Datagram { bytes, is_cut: header.flags & MSG_TRUNC != 0, sender })
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
