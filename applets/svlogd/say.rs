//! What svlogd says on standard error. The name in front does not follow argv[0].

use svbox::report::Reporter;
use svbox::sys::Errno;

/// The usual messages. None of them waits for whoever reads standard error.
pub const REPORT: Reporter<'_> = Reporter { program: b"svlogd", subject: None, waits: false };

/// Something that could not be done and will be tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// What was tried.
    pub what: &'static [u8],
    /// Why it failed.
    pub why: Errno,
}

impl Trouble {
    /// Makes one of an error.
    pub fn with(what: &'static [u8]) -> impl Fn(Errno) -> Self {
        move |why| Self { what, why }
    }

    /// `svlogd: pausing: unable to WHAT: DIR: WHY`
    pub fn say(self, dir: &[u8]) {
        REPORT.say(b"pausing: unable to ", &[self.what, b": ", dir], Some(self.why));
    }
}

/// `svlogd: warning: unable to WHAT: DIR: WHY`
pub fn unable(what: &[u8], dir: &[u8], why: Errno) {
    REPORT.warn(&[b"unable to ", what, b": ", dir], Some(why));
}

/// What is said with -v.
pub fn info(verbose: bool, parts: &[&[u8]]) {
    if verbose {
        REPORT.say(b"info: ", parts, None);
    }
}
