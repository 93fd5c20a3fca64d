//! Why a program is not run.

use super::REPORT;
use svbox::sys::Errno;

/// What could not be done. One word: it is handed on in fifty places.
pub struct Unable(&'static Reason);

/// What, on what, and why.
struct Reason {
    /// The text of the message, whole.
    what: &'static [u8],
    /// What follows it.
    on: &'static [u8],
    why: Option<Errno>,
    /// Whether that is because the kernel does not know of such a thing.
    unknown: bool,
}

const NO_MEMORY: &Reason = &Reason { what: b"out of memory.", on: b"", why: None, unknown: false };

impl Unable {
    /// `WHATON`, without a reason of the system's.
    pub fn because(what: &'static [u8], on: &'static [u8]) -> Self {
        Self::new(what, on, None, None)
    }

    /// `WHATON: WHY`
    pub fn to(what: &'static [u8], on: &'static [u8]) -> impl Fn(Errno) -> Self {
        move |why| Self::new(what, on, Some(why), None)
    }

    /// The same for what not every kernel knows: the errors that say so in any case, and here.
    pub fn known(what: &'static [u8], on: &'static [u8], here: &'static [Errno]) -> impl Fn(Errno) -> Self {
        move |why| Self::new(what, on, Some(why), Some(here))
    }

    /// There is no memory.
    pub fn memory(_: Errno) -> Self {
        Self(NO_MEMORY)
    }

    #[inline(never)]
    fn new(
        what: &'static [u8],
        on: &'static [u8],
        why: Option<Errno>,
        unknown: Option<&'static [Errno]>,
    ) -> Self {
        let says_so = |why| {
            matches!(why, Errno::NOSYS | Errno::OPNOTSUPP) || unknown.is_some_and(|here| here.contains(&why))
        };
        let unknown = unknown.is_some() && why.is_some_and(says_so);
        let mut reason = Vec::new();
        if reason.try_reserve_exact(1).is_err() {
            return Self(NO_MEMORY);
        }
        reason.push(Reason { what, on, why, unknown });
        Self(reason.leak().first().unwrap_or(NO_MEMORY))
    }

    /// Whether the kernel does not know of it.
    pub fn is_unknown(&self) -> bool {
        self.0.unknown
    }

    /// Says so, and that it does not matter.
    pub fn warn(&self) {
        REPORT.warn(&[self.0.what, self.0.on], self.0.why);
    }

    /// Says so.
    pub fn tell(&self) {
        REPORT.fatal(&[self.0.what, self.0.on], self.0.why);
    }
}
