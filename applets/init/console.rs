//! What process 1 says, and where.

use svbox::report::Reporter;
use svbox::sys::{AsFd, OwnedFd, Result, stdio, terminal};

const REPORT: Reporter<'_> = Reporter { program: b"- runit", subject: None, waits: false };

/// The console, which may come and go.
pub struct Console {
    /// Whether there can be one.
    use_it: bool,
}

impl Console {
    /// That of a machine becomes standard input, output and error, if there is one. In a container these are what its
    /// manager has given.
    pub fn attach(is_machine: bool) -> Self {
        if is_machine && let Ok(console) = terminal::open_console(false) {
            for number in 0..3 {
                let _ = stdio::change(number, Some(console.as_fd()));
            }
        }
        Self { use_it: is_machine }
    }

    /// Standard input, output and error for a program: written to it waits, as programs expect.
    pub fn for_program(&self) -> Result<Option<OwnedFd>> {
        if self.use_it { terminal::open_console(true).map(Some) } else { Ok(None) }
    }

    /// `- runit: PARTS`
    pub fn say(&self, parts: &[&[u8]]) {
        self.reporter().say(b"", parts, None);
    }

    /// The way to say anything else. The console is opened anew: it may have hung up, or not have been there before.
    pub fn reporter(&self) -> &'static Reporter<'static> {
        if self.use_it
            && let Ok(console) = terminal::open_console(false)
        {
            let _ = stdio::replace_stderr(&console);
        }
        &REPORT
    }
}
