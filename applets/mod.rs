//! The programs. Each is a file here with its manual page beside it, and a row of the table below.

mod multicall;
#[cfg(feature = "runsv")]
mod runsv;

use core::ffi::CStr;
use svbox::cli::{Call, Complaint, Spec, base_name};
use svbox::report::Failure;
use svbox::sys::args::{self, Args};
use svbox::sys::{process, stdio};
use svbox::text::Text;

pub use multicall::dispatch;

/// What the multicall knows of a program.
pub struct Applet {
    /// The name that calls it.
    pub name: &'static str,
    /// What follows the name in the usage line.
    pub usage: &'static str,
    /// Whether the usage line shows the name as it was called, path included, or its last part only.
    pub usage_path: bool,
    /// The exit code for a wrong command line.
    pub misuse: u8,
    /// The options; `None` if it takes its arguments as they are.
    pub spec: Option<Spec>,
    /// Does the work; gives the exit code.
    pub run: fn(&Call) -> Result<u8, Failure>,
}

/// Every program of this build, in the order they are listed.
pub const APPLETS: &[&Applet] = &[
    #[cfg(feature = "runsv")]
    &runsv::APPLET,
];

impl Applet {
    /// The program of that name.
    pub fn named(name: &[u8]) -> Option<&'static Self> {
        APPLETS.iter().find(|applet| applet.name.as_bytes() == name).copied()
    }

    /// Runs it; gives the exit code.
    pub fn call(&self, argv0: &'static CStr, args: Args) -> u8 {
        stdio::fill();
        let ended = match Call::read(self.name, argv0, args, self.spec) {
            Ok(call) => (self.run)(&call),
            Err(complaint) => {
                complain(argv0, complaint);
                Err(Failure::Usage)
            }
        };
        match ended {
            Ok(code) | Err(Failure::Said(code)) => code,
            Err(Failure::Usage) => {
                let name = if self.usage_path { argv0.to_bytes() } else { base_name(argv0) };
                let _ = stdio::write_parts(stdio::stderr(), &[b"usage: ", name, b" ", self.usage.as_bytes(), b"\n\n"]);
                self.misuse
            }
        }
    }

    /// Gives the process the program's name where the kernel was told another one: `ps` and `pidof` go by it.
    fn name_process(&self) {
        let executed = args::executed().map(base_name);
        let mut name = Text::<16>::new();
        if let Some(name) = name.push(self.name.as_bytes()).c_str().filter(|name| executed != Some(name.to_bytes())) {
            process::set_name(name);
        }
    }
}

fn complain(argv0: &CStr, complaint: Complaint) {
    let (text, letter): (&[u8], _) = match complaint {
        Complaint::Illegal(letter) => (b": illegal option -- ", letter),
        Complaint::NoValue(letter) => (b": option requires an argument -- ", letter),
    };
    let _ = stdio::write_parts(stdio::stderr(), &[base_name(argv0), text, &[letter], b"\n"]);
}
