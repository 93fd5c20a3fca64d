//! The loop: wait, receive all that is there, write it.

use super::lines::{ENOUGH, Lines, Out, most};
use super::{Options, fatal, reporter};
use core::mem::ManuallyDrop;
use svbox::log::syslog::datagram;
use svbox::report::Failure;
use svbox::sys::net::{MOST, Receiver, Room};
use svbox::sys::poll::{Direction, either};
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, heap};
use svbox::text::address::{LONGEST, address};
use svbox::text::decimal;

/// How long after the beginning of a burst it is looked what was lost, and its memory given back.
const REST: Duration = Duration::from_secs(1);

/// Everything there is.
struct Server {
    receiver: Receiver,
    room: Room,
    lines: Lines,
    out: Out,
    signals: Signals,
    /// When to look what was lost.
    rest: Option<Instant>,
    /// How much is known to be lost.
    lost: u32,
}

/// Writes what is received until TERM or INT; gives the exit code.
pub fn run(opts: &Options, out: Out, receiver: Receiver) -> Result<u8, Failure> {
    let no_memory = |errno| fatal(b"unable to get memory", b"", Some(errno));
    let room = Room::new(opts.length).map_err(no_memory)?;
    // For all that is received at once.
    let lines = Lines::new(opts.form, MOST.saturating_mul(most(opts.length) + LONGEST))?;
    let signals = Signals::open(&Mask::of(&HEARD))
        .map_err(|errno| fatal(b"unable to wait for signals", b"", Some(errno)))?;
    // Never taken apart: at the end of the process the kernel closes everything.
    let server = Server { receiver, room, lines, out, signals, rest: None, lost: 0 };
    heap::seal();
    ManuallyDrop::new(server).run()
}

/// What is heard.
const HEARD: [Signal; 2] = [Signal::TERM, Signal::INT];

/// Has the signals wait that are to be read: from before it says that it listens.
pub fn block() {
    HEARD.into_iter().for_each(signal::default);
    Mask::of(&HEARD).block();
}

impl Server {
    fn run(&mut self) -> Result<u8, Failure> {
        loop {
            let is_blocked = self.lines.len() > 0;
            let work = if is_blocked {
                (self.out.fd(), Direction::Out)
            } else {
                (self.receiver.as_fd(), Direction::In)
            };
            let [ready, signal] =
                either([Some(work), Some((self.signals.as_fd(), Direction::In))], self.rest);
            if signal && self.signals.next().is_some() {
                return self.finish();
            }
            if ready {
                if !is_blocked {
                    self.receive()?;
                }
                self.lines.write(&self.out)?;
            }
            self.rest();
        }
    }

    /// Takes all messages that are there, as far as they need to be written together.
    fn receive(&mut self) -> Result<(), Failure> {
        let Self { receiver, room, lines, .. } = self;
        loop {
            let received = receiver.receive(room, &mut |arrived| {
                let from = arrived.from.as_ref().map(address);
                if let Some(message) = datagram(arrived.bytes) {
                    lines.message(&[from.as_ref().map(|from| from.bytes())], message, arrived.cut);
                }
            });
            let count = received.map_err(|errno| fatal(b"recvfrom()", b"", Some(errno)))?;
            if count > 1 && self.rest.is_none() {
                self.rest = Some(Instant::now().after(REST));
            }
            if count < MOST || lines.len() >= ENOUGH {
                return Ok(());
            }
        }
    }

    /// Does what is due after a burst.
    fn rest(&mut self) {
        if self.rest.is_some_and(|at| at <= Instant::now()) {
            self.rest = None;
            self.say_lost();
            self.room.forget();
            self.lines.forget();
        }
    }

    /// Says how many messages the kernel had no room for since the last time.
    fn say_lost(&mut self) {
        let all = self.receiver.lost();
        let new = all.wrapping_sub(self.lost);
        self.lost = all;
        if new > 0 {
            reporter().warn(&[b"messages lost: ", decimal(u64::from(new), &mut [0; 20])], None);
        }
    }

    /// Writes what is there already, as far as that can be done now.
    fn finish(&mut self) -> Result<u8, Failure> {
        if self.lines.len() == 0 {
            self.receive()?;
        }
        self.lines.write(&self.out)?;
        self.lines.give_up();
        self.say_lost();
        Ok(0)
    }
}
