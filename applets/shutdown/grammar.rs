//! What the command line of shutdown asks for: the union of Debian's and Void's.

use svbox::cli::Spec;
use svbox::sys::power::End;
use svbox::text::parse;

/// Options without a value, and with one.
pub const SPEC: Spec = Spec(b"rhHPkcfF t");

/// The options that were given.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Options {
    end: Option<End>,
    halt: bool,
    cancel: bool,
    /// Only a message is to be sent.
    pub message_only: bool,
    /// The file that says "no check of file systems at the next start" is wanted.
    pub fast_boot: bool,
    /// The file that says "check them in any case".
    pub force_check: bool,
}

/// When it is to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// In so many minutes.
    In(u32),
    /// When clocks show this hour and minute.
    At(u8, u8),
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Job {
    /// The one that waits is not to happen.
    Cancel,
    /// This, then. Without an end the machine is left to a single user.
    Shutdown(Option<End>, When),
}

impl Options {
    /// Takes an option.
    pub fn take(&mut self, letter: u8) {
        match letter {
            b'r' => self.end = Some(End::Reboot),
            b'H' => self.end = Some(End::Halt),
            b'P' => self.end = Some(End::PowerOff),
            b'h' => self.halt = true,
            b'k' => self.message_only = true,
            b'c' => self.cancel = true,
            b'f' => self.fast_boot = true,
            b'F' => self.force_check = true,
            // -t: how long sysvinit's waits between two signals.
            _ => {}
        }
    }

    /// Whether no time is to be given.
    pub fn is_cancel(&self) -> bool {
        self.cancel
    }

    /// What they ask for, together with the word for the time; `None` if that is not to be understood.
    pub fn job(&self, time: Option<&[u8]>) -> Option<Job> {
        if self.cancel {
            return Some(Job::Cancel);
        }
        // To other letters -h adds nothing: Debian's -rh is -r, and sysvinit's -hH is -H.
        let end = self.end.or(self.halt.then_some(End::PowerOff));
        let when = match time {
            Some(word) => When::read(word)?,
            None => end.map(|_| When::In(0))?,
        };
        Some(Job::Shutdown(end, when))
    }
}

/// Nineteen years; more is a mistake.
const MOST_MINUTES: u64 = 10_000_000;

impl When {
    fn read(word: &[u8]) -> Option<Self> {
        match word {
            b"now" => Some(Self::In(0)),
            [b'+', minutes @ ..] => {
                let minutes = parse(minutes).filter(|minutes| *minutes <= MOST_MINUTES)?;
                u32::try_from(minutes).ok().map(Self::In)
            }
            [hour @ .., b':', tens, ones] if hour.len() <= 2 => {
                let number = |digits, most| {
                    parse(digits).filter(|number| *number <= most)?.to_le_bytes().first().copied()
                };
                Some(Self::At(number(hour, 23)?, number(&[*tens, *ones], 59)?))
            }
            _ => None,
        }
    }
}
