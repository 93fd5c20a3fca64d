//! What has been found: a line each on standard output, with what to do behind the last colon.

use super::super::multicall::REPORT;
use super::super::output::Output;
use svbox::report::{FATAL, describe};
use svbox::sys::Errno;

pub struct Findings {
    output: Output,
    /// How many lines ask for something to be done.
    count: u64,
    /// How many services have been looked at.
    pub services: u64,
    /// How often something could not be looked at by this user.
    unseen: u64,
}

impl Findings {
    pub fn new() -> Self {
        Self { output: Output::new(), count: 0, services: 0, unseen: 0 }
    }

    /// Something does not work.
    #[inline(never)]
    pub fn error(&mut self, subject: &[u8], text: &[u8], last: &[u8]) {
        self.count += 1;
        self.say(b"error: ", subject, text, last);
    }

    /// Something may not work, or is not as it should be.
    #[inline(never)]
    pub fn warning(&mut self, subject: &[u8], text: &[u8], last: &[u8]) {
        self.count += 1;
        self.say(b"warning: ", subject, text, last);
    }

    /// Something is worth knowing, and nothing has to be done about it.
    #[inline(never)]
    pub fn note(&mut self, subject: &[u8], text: &[u8]) {
        self.say(b"note: ", subject, text, b"");
    }

    /// Something could not be looked at. Where that is for lack of rights, only how often is told, at the end.
    #[inline(never)]
    pub fn unseen(&mut self, what: &[u8], errno: Errno) {
        match errno {
            Errno::ACCESS | Errno::PERM => self.unseen += 1,
            _ => self.warning(what, b" cannot be looked at: ", describe(errno)),
        }
    }

    /// Names can have anything in them; a finding is one line all the same.
    #[inline(never)]
    fn say(&mut self, severity: &[u8], subject: &[u8], text: &[u8], last: &[u8]) {
        for part in [severity, subject, text, last] {
            for byte in part {
                self.output.put(&[if byte.is_ascii_control() { b'?' } else { *byte }]);
            }
        }
        self.output.put(b"\n");
    }

    /// Says how much has been looked at; gives the exit code.
    pub fn end(mut self) -> u8 {
        let (services, unseen) = (self.services, self.unseen);
        self.output.put(b"note: services looked at: ").number(services);
        if unseen > 0 {
            self.output.put(b"; not allowed to look at: ").number(unseen).put(b": run it as root");
        }
        self.output.put(b"\n");
        match self.output.flush() {
            Ok(()) => u8::from(self.count > 0),
            Err(errno) => {
                REPORT.fatal_of(b"unable to write to standard output", b"", errno);
                FATAL
            }
        }
    }
}
