//! What everybody is told.

use super::wall;
use svbox::sys::args::Args;
use svbox::sys::power::End;
use svbox::text::Text;

/// What is going to happen, and what is to be said of it.
pub struct Notice {
    pub end: Option<End>,
    /// The words of the message.
    pub message: Args,
}

type Written = Text<1024>;

impl Notice {
    /// Tells everybody that it happens in so many minutes.
    pub fn tell(&self, minutes: u64) {
        let mut text = begin();
        text.push(match self.end {
            Some(End::PowerOff) => b"The system is going down for power off ".as_slice(),
            Some(End::Halt) => b"The system is going down for halt ",
            Some(End::Reboot) => b"The system is going down for reboot ",
            None => b"The system is going down to single user mode ",
        });
        match minutes {
            0 => text.push(b"NOW!"),
            1 => text.push(b"in 1 minute!"),
            _ => text.push(b"in ").number(minutes).push(b" minutes!"),
        };
        text.push(b"\r\n");
        self.finish(text);
    }

    /// Tells everybody that it does not.
    pub fn take_back(&self) {
        let mut text = begin();
        text.push(b"The shutdown has been cancelled.\r\n");
        wall::tell(text.bytes());
    }

    /// Tells everybody the message, if there is one.
    pub fn message(&self) {
        if !self.message.is_empty() {
            self.finish(begin());
        }
    }

    fn finish(&self, mut text: Written) {
        for (place, word) in self.message.iter().enumerate() {
            if place > 0 {
                text.push(b" ");
            }
            for byte in word.to_bytes() {
                // What would do something to a terminal.
                text.push(if byte.is_ascii_control() { b"?" } else { core::slice::from_ref(byte) });
            }
        }
        text.push(if self.message.is_empty() { b"" } else { b"\r\n" });
        wall::tell(text.bytes());
    }
}

fn begin() -> Written {
    let mut text = Written::new();
    text.push(b"\r\n\x07Broadcast message from shutdown:\r\n");
    text
}
