//! Datagrams: to other machines, and from them or from other processes of this one.

use super::region::Region;
use super::{AsFd, AsRawFd, BorrowedFd, Errno, OwnedFd, Result, again, ffi};
use core::ffi::CStr;
use core::net::{IpAddr, SocketAddr};
use rustix::io::IoSlice;
use rustix::net::{
    self, AddressFamily, SendAncillaryBuffer, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    sendmsg_addr, socket_with, sockopt,
};

fn datagrams(family: AddressFamily) -> Result<OwnedFd> {
    socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

fn family(address: &SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}

/// A socket from which datagrams are sent, never waiting.
pub struct Datagrams(OwnedFd);

impl Datagrams {
    /// One that can reach this address.
    pub fn open(to: &SocketAddr) -> Result<Self> {
        datagrams(family(to)).map(Self)
    }

    /// Sends one that consists of these parts.
    pub fn send<const N: usize>(&self, to: &SocketAddr, parts: [&[u8]; N]) -> Result<()> {
        let parts = parts.map(IoSlice::new);
        let mut nothing = SendAncillaryBuffer::default();
        again(|| sendmsg_addr(&self.0, to, &parts, &mut nothing, SendFlags::NOSIGNAL)).map(drop)
    }
}

/// The longest path that a socket can have.
pub const LONGEST_PATH: usize = 107;

/// Whether somebody receives datagrams at a path.
pub fn check(path: &CStr) -> Result<()> {
    let socket = datagrams(AddressFamily::UNIX)?;
    let address = SocketAddrUnix::new(path)?;
    again(|| net::connect(&socket, &address))
}

/// A socket at which datagrams arrive, never waiting for them.
pub struct Receiver(OwnedFd);

/// One that has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrived<'a> {
    /// What it says.
    pub bytes: &'a [u8],
    /// Whether there was more of it than room.
    pub cut: bool,
    /// The machine it came from; `None` from this one by a path.
    pub from: Option<IpAddr>,
}

impl Receiver {
    /// One for datagrams of this machine, which needs a path.
    pub fn local() -> Result<Self> {
        datagrams(AddressFamily::UNIX).map(Self)
    }

    /// Gives it a new path.
    pub fn take_path(&self, path: &CStr) -> Result<()> {
        net::bind(&self.0, &SocketAddrUnix::new(path)?)
    }

    /// One for datagrams of other machines, which needs an address of this kind.
    pub fn distant(address: &SocketAddr) -> Result<Self> {
        datagrams(family(address)).map(Self)
    }

    /// Gives it an address and port. An address of IPv6 is for IPv6 only.
    pub fn take_address(&self, address: &SocketAddr) -> Result<()> {
        if address.is_ipv6() {
            sockopt::set_ipv6_v6only(&self.0, true)?;
        }
        net::bind(&self.0, address)
    }

    /// Takes what has arrived, [`MOST`] datagrams at most, and calls `each` for every one; gives how many there were.
    pub fn receive(&self, room: &mut Room, each: &mut dyn FnMut(Arrived<'_>)) -> Result<usize> {
        const TRUNCATED: u32 = 0x20;
        let mut names = [Name::NONE; MOST];
        let mut pieces = [Piece::NONE; MOST];
        let mut slots = [Slot::NONE; MOST];
        let rows = room.memory.chunks_exact_mut(room.each);
        for (((slot, piece), name), row) in slots.iter_mut().zip(&mut pieces).zip(&mut names).zip(rows) {
            *piece = Piece { start: row.as_mut_ptr(), len: row.len() };
            slot.name = (&raw mut *name).cast();
            slot.pieces = &raw mut *piece;
        }
        let count = again(|| take(&self.0, &mut slots));
        let count = if count == Err(Errno::AGAIN) { 0 } else { count? };
        let rows = room.memory.chunks_exact(room.each);
        for ((slot, name), row) in slots.iter().zip(&names).zip(rows).take(count) {
            let len = usize::try_from(slot.len).unwrap_or(0).min(row.len());
            let bytes = row.get(..len).unwrap_or(row);
            each(Arrived { bytes, cut: slot.flags & TRUNCATED != 0, from: name.ip() });
        }
        Ok(count)
    }

    /// How many datagrams the kernel had no room for, since the beginning; 0 where it does not tell. See the count of
    /// `SO_MEMINFO` in socket(7) and sock_diag(7).
    pub fn lost(&self) -> u32 {
        const SOL_SOCKET: usize =
            if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0xffff } else { 1 };
        const SO_MEMINFO: usize = 55;
        let mut counts = [0_u32; 9];
        let mut len = u32::try_from(size_of_val(&counts)).unwrap_or(0);
        let socket = self.0.as_raw_fd().unsigned_abs() as usize;
        let arguments =
            [socket, SOL_SOCKET, SO_MEMINFO, counts.as_mut_ptr() as usize, (&raw mut len) as usize];
        // SAFETY: the kernel writes `len` bytes to `counts` at most, which are all of it, and a number to `len`.
        let told = unsafe { ffi::system_call(ffi::number::GETSOCKOPT, arguments) };
        told.map_or(0, |_| counts[8])
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How many datagrams are received at once: as many as wait at a path by default, and some more.
pub const MOST: usize = 16;

/// Memory for them.
pub struct Room {
    memory: Region,
    each: usize,
}

impl Room {
    /// For so many bytes of each, at least one.
    pub fn new(each: usize) -> Result<Self> {
        let each = each.max(1);
        let len = each.checked_mul(MOST).ok_or(Errno::NOMEM)?;
        Ok(Self { memory: Region::new(len)?, each })
    }

    /// Gives the memory back.
    pub fn forget(&mut self) {
        self.memory.forget();
    }
}

/// An address as the kernel gives it: the family, and what the family needs.
#[repr(C, align(4))]
#[derive(Clone, Copy)]
struct Name([u8; NAME]);
const NAME: usize = 28;

impl Name {
    const NONE: Self = Self([0; NAME]);

    fn ip(&self) -> Option<IpAddr> {
        const INET: u16 = 2;
        const INET6: u16 = 10;
        match u16::from_ne_bytes(*self.0.first_chunk()?) {
            INET => self.0.get(4..)?.first_chunk::<4>().map(|ip| IpAddr::from(*ip)),
            INET6 => self.0.get(8..)?.first_chunk::<16>().map(|ip| IpAddr::from(*ip)),
            _ => None,
        }
    }
}

/// `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Piece {
    start: *mut u8,
    len: usize,
}

impl Piece {
    const NONE: Self = Self { start: core::ptr::null_mut(), len: 0 };
}

/// `struct mmsghdr`, as the kernel has it: a `struct msghdr` and the number of bytes.
#[repr(C)]
#[derive(Clone, Copy)]
struct Slot {
    name: *mut u8,
    name_len: u32,
    pieces: *mut Piece,
    pieces_len: usize,
    control: *mut u8,
    control_len: usize,
    flags: u32,
    // On a machine with words of 64 bits there is room behind the flags: the header is a structure of its own.
    padding: [u32; PADDING],
    len: u32,
}

const PADDING: usize = if cfg!(target_pointer_width = "64") { 1 } else { 0 };

impl Slot {
    const NONE: Self = Self {
        name: core::ptr::null_mut(),
        name_len: NAME as u32,
        pieces: core::ptr::null_mut(),
        pieces_len: 1,
        control: core::ptr::null_mut(),
        control_len: 0,
        flags: 0,
        padding: [0; PADDING],
        len: 0,
    };
}

/// recvmmsg(2): fills slots with datagrams that are there; gives how many.
fn take(socket: &OwnedFd, slots: &mut [Slot; MOST]) -> Result<usize> {
    let socket = socket.as_raw_fd().unsigned_abs() as usize;
    let arguments = [socket, slots.as_mut_ptr() as usize, MOST, 0, 0];
    // SAFETY: there are `MOST` slots. In each, `name` is the address of `name_len` bytes, and `pieces` that of one piece,
    // which names `len` bytes that are borrowed alone; or they are null, and the call fails. All of it outlives the call.
    unsafe { ffi::system_call(ffi::number::RECVMMSG, arguments) }
}
