//! The watchdog of the machine, which process 1 keeps content if it is told to.
//!
//! The file `/etc/runit/watchdog` names the device and how many seconds it waits, `/dev/watchdog 60` if it is empty.
//! At the end the device is left as it is: a reboot that hangs is ended by it.

use super::console::Console;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{Errno, OwnedFd, file, watchdog};
use svbox::text::{Text, decimal, parse};

const FILE: &core::ffi::CStr = c"/etc/runit/watchdog";
const DEVICE: &[u8] = b"/dev/watchdog";
const TIMEOUT: u16 = 60;
/// The longest file that is understood.
const MOST: usize = 256;

/// A device that waits for us.
pub struct Watchdog {
    device: OwnedFd,
    /// It hears from us twice in the time that it waits.
    every: Duration,
    due: Instant,
}

/// What the file says.
#[derive(PartialEq, Eq, Debug)]
struct Settings<'a> {
    device: &'a [u8],
    timeout: u16,
}

impl Watchdog {
    /// Looks for the file again: opens the device if it is wanted and not open, lets it go if it is no longer wanted.
    pub fn look(current: Option<Self>, console: &Console) -> Option<Self> {
        let mut text = [0; MOST];
        let file = match file::open_read(file::CWD, FILE) {
            Ok(file) => file,
            Err(Errno::NOENT) => {
                if let Some(watchdog) = current {
                    let _ = watchdog::disarm(&watchdog.device);
                    console.say(&[b"watchdog given up."]);
                }
                return None;
            }
            // Nothing is known then.
            Err(_) => return current,
        };
        if current.is_some() {
            return current;
        }
        let len = file::read_full(&file, &mut text).unwrap_or(0);
        let Some(settings) = Settings::read(text.get(..len).unwrap_or(&[])) else {
            console.reporter().warn(&[FILE.to_bytes(), b": not a device and its seconds"], None);
            return None;
        };
        Self::open(&settings, console)
    }

    fn open(settings: &Settings<'_>, console: &Console) -> Option<Self> {
        let mut path = Text::<MOST>::new();
        let device = match watchdog::open_device(path.push(settings.device).c_str()?) {
            Ok(device) => device,
            Err(errno) => {
                console.reporter().warn_of(b"unable to open watchdog ", settings.device, errno);
                return None;
            }
        };
        // Some wait for a time of their own.
        let waits = watchdog::set_timeout(&device, settings.timeout).unwrap_or_else(|errno| {
            console.reporter().warn_of(b"unable to set timeout of watchdog ", settings.device, errno);
            // It keeps its own; if that is not known, better too often than too late.
            watchdog::timeout(&device).unwrap_or(2)
        });
        let mut digits = [0; 20];
        console.say(&[
            b"watchdog ",
            settings.device,
            b": ",
            decimal(waits.into(), &mut digits),
            b" seconds.",
        ]);
        let every = Duration::from_millis(u64::from(waits.max(1)) * 500);
        Some(Self { device, every, due: Instant::now() })
    }

    /// When it has to hear from us next.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Lets it hear from us if it is time.
    pub fn pet_if_due(&mut self, now: Instant) {
        if self.due <= now {
            let _ = watchdog::pet(&self.device);
            self.due = now.after(self.every);
        }
    }
}

impl<'a> Settings<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let device = words.next().unwrap_or(DEVICE);
        let timeout = match words.next() {
            None => TIMEOUT,
            Some(word) => u16::try_from(parse(word)?).ok().filter(|seconds| *seconds > 0)?,
        };
        (device.starts_with(b"/") && words.next().is_none()).then_some(Self { device, timeout })
    }
}
