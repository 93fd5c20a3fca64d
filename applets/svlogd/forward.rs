//! Lines that are sent to another machine, one datagram each, as runit sends them.

use svbox::log::config::Target;
use svbox::sys::net::Datagrams;

/// The way to the other machine.
#[derive(Default)]
pub struct Forward {
    socket: Option<Datagrams>,
}

impl Forward {
    /// Sends a line in parts; an error is what the log says of it.
    pub fn send(&mut self, to: &Target, parts: [&[u8]; 5]) -> Result<(), &'static [u8]> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => {
                Datagrams::open(&to.address).map_err(|_| b"warning: no udp socket available: ".as_slice())?
            }
        };
        let sent = socket.send(&to.address, parts);
        self.socket = Some(socket);
        sent.map_err(|_| b"warning: failure sending through udp: ".as_slice())
    }
}
