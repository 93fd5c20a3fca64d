//! Datagrams to other machines.

use super::{OwnedFd, Result, again};
use core::net::SocketAddr;
use rustix::io::IoSlice;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, sendmsg_addr, socket_with,
};

/// A socket from which datagrams are sent, never waiting.
pub struct Datagrams(OwnedFd);

impl Datagrams {
    /// One that can reach this address.
    pub fn open(to: &SocketAddr) -> Result<Self> {
        let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        socket_with(family, SocketType::DGRAM, flags, None).map(Self)
    }

    /// Sends one that consists of these parts.
    pub fn send<const N: usize>(&self, to: &SocketAddr, parts: [&[u8]; N]) -> Result<()> {
        let parts = parts.map(IoSlice::new);
        let mut nothing = SendAncillaryBuffer::default();
        again(|| sendmsg_addr(&self.0, to, &parts, &mut nothing, SendFlags::NOSIGNAL)).map(drop)
    }
}
