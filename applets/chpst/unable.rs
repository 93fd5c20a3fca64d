//! Why a program is not run.

use super::REPORT;
use svbox::sys::Errno;

/// What could not be done, on what, and why.
pub struct Unable {
    /// The text of the message, whole.
    what: &'static [u8],
    /// What follows it.
    on: &'static [u8],
    why: Option<Errno>,
    /// Whether that is because the kernel does not know of such a thing.
    unknown: bool,
}

impl Unable {
    /// `WHATON`, without a reason of the system's.
    pub const fn because(what: &'static [u8], on: &'static [u8]) -> Self {
        Self { what, on, why: None, unknown: false }
    }

    /// `WHATON: WHY`
    pub fn to(what: &'static [u8], on: &'static [u8]) -> impl Fn(Errno) -> Self {
        move |why| Self { what, on, why: Some(why), unknown: false }
    }

    /// The same for what not every kernel knows: the errors that say so in any case, and here.
    pub fn known(what: &'static [u8], on: &'static [u8], here: &'static [Errno]) -> impl Fn(Errno) -> Self {
        move |why| {
            let unknown = matches!(why, Errno::NOSYS | Errno::OPNOTSUPP) || here.contains(&why);
            Self { what, on, why: Some(why), unknown }
        }
    }

    /// There is no memory.
    pub fn memory(_: Errno) -> Self {
        Self::because(b"out of memory.", b"")
    }

    /// Whether the kernel does not know of it.
    pub fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// Says so, and that it does not matter.
    pub fn warn(&self) {
        REPORT.warn(&[self.what, self.on], self.why);
    }

    /// Says so.
    pub fn tell(&self) {
        REPORT.fatal(&[self.what, self.on], self.why);
    }
}
