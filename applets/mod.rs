//! The programs. Each is a file here with its manual page beside it, and a row of the table below.

#[cfg(feature = "chainload")]
// Some of its programs without the others leave parts of it unused.
#[cfg_attr(not(feature = "default"), allow(dead_code, unused_imports))]
mod chpst;
#[cfg(feature = "doctor")]
mod doctor;
#[cfg(any(feature = "uncat", feature = "tryto"))]
mod feed;
#[cfg(feature = "process-1")]
#[cfg_attr(not(feature = "default"), allow(dead_code, unused_imports))]
mod init;
#[cfg(any(feature = "utmpset", feature = "ending"))]
#[cfg_attr(not(feature = "default"), allow(dead_code))]
mod logins;
mod multicall;
mod output;
#[cfg(feature = "pid1")]
#[cfg_attr(not(feature = "default"), allow(dead_code, unused_variables))]
mod pid1;
#[cfg(any(feature = "sv", feature = "svc", feature = "svok", feature = "svstat"))]
mod place;
#[cfg(any(feature = "svlogd", feature = "socklog", feature = "uncat", feature = "tryto"))]
// svlogd needs all of it.
#[cfg_attr(not(feature = "svlogd"), allow(dead_code))]
mod queue;
#[cfg(feature = "runsv")]
mod runsv;
#[cfg(feature = "runsvchdir")]
mod runsvchdir;
#[cfg(feature = "runsvdir")]
mod runsvdir;
#[cfg(any(feature = "chainload", feature = "pid1", feature = "uncat", feature = "tryto"))]
#[cfg_attr(not(feature = "default"), allow(dead_code))]
mod search;
#[cfg(feature = "ending")]
#[cfg_attr(not(feature = "default"), allow(dead_code))]
mod shutdown;
#[cfg(feature = "socklog")]
mod socklog;
#[cfg(feature = "socklog-check")]
mod socklog_check;
#[cfg(feature = "sv")]
mod sv;
#[cfg(feature = "svc")]
mod svc;
#[cfg(feature = "svlogd")]
mod svlogd;
#[cfg(feature = "svok")]
mod svok;
#[cfg(feature = "svstat")]
mod svstat;
#[cfg(feature = "switch_root")]
mod switch_root;
#[cfg(feature = "tryto")]
mod tryto;
#[cfg(feature = "uncat")]
mod uncat;
#[cfg(feature = "utmpset")]
mod utmpset;
#[cfg(any(feature = "svlogd", feature = "shutdown"))]
mod zone;

use core::ffi::CStr;
use svbox::cli::{Call, Complaint, Spec, base_name};
use svbox::report::Failure;
use svbox::sys::args::{self, Args};
use svbox::sys::{process, stdio};
use svbox::text::Text;
#[cfg(feature = "process-1")]
use svbox::text::place;

pub use multicall::dispatch;

/// What the multicall knows of a program.
pub struct Applet {
    /// The usage line, which begins with the name that calls it; an empty line; and what it is for and its options.
    pub text: &'static [u8],
    /// Whether the usage line shows the name as it was called, path included, or its last part only.
    pub usage_path: bool,
    /// The exit code for a wrong command line.
    pub misuse: u8,
    /// The same when it is called by a name that is not its own; 0 if that makes no difference.
    pub alias_misuse: u8,
    /// Whether it is of chpst's kind: it runs a program in its place, which finds standard descriptors closed that the
    /// caller has closed; and a `d` in front of its name is passed over.
    pub runs_program: bool,
    /// The options; `None` if it takes its arguments as they are.
    pub spec: Option<Spec>,
    /// Does the work; gives the exit code.
    pub run: fn(&Call) -> Result<u8, Failure>,
}

/// Defines the list of all programs: a function and not a table, which would consist of pointers.
macro_rules! programs {
    ($($feature:literal $applet:path,)*) => {
        /// The program at this place among those of this build, in the order they are listed.
        #[inline(never)]
        #[allow(unused_mut, unused_assignments, unused_variables)]
        pub fn program(place: usize) -> Option<Applet> {
            let mut next = 0;
            $(
                #[cfg(feature = $feature)]
                {
                    if place == next {
                        return Some($applet());
                    }
                    next += 1;
                }
            )*
            None
        }
    };
}

programs! {
    "runsv" runsv::applet,
    "runsvdir" runsvdir::applet,
    "runsvchdir" runsvchdir::applet,
    "sv" sv::applet,
    "svlogd" svlogd::applet,
    "chpst" chpst::chpst,
    "softlimit" chpst::softlimit,
    "setlock" chpst::setlock,
    "setuidgid" chpst::setuidgid,
    "envuidgid" chpst::envuidgid,
    "envdir" chpst::envdir,
    "pgrphack" chpst::pgrphack,
    "svc" svc::applet,
    "svok" svok::applet,
    "svstat" svstat::applet,
    "init" init::init,
    "runit" init::runit,
    "runit-init" init::runit_init,
    "telinit" init::telinit,
    "pid1" pid1::applet,
    "utmpset" utmpset::applet,
    "shutdown" shutdown::shutdown,
    "halt" shutdown::halt,
    "poweroff" shutdown::poweroff,
    "reboot" shutdown::reboot,
    "switch_root" switch_root::applet,
    "socklog" socklog::applet,
    "socklog-check" socklog_check::applet,
    "uncat" uncat::applet,
    "tryto" tryto::applet,
}

impl Applet {
    /// Every program of this build, in the order they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..).map_while(program)
    }

    /// The place of the program of that name.
    #[inline(never)]
    pub fn place(name: &[u8]) -> Option<usize> {
        Self::all().position(|applet| applet.name() == name)
    }

    /// The name that calls it.
    pub fn name(&self) -> &'static [u8] {
        up_to(self.text, b' ')
    }

    /// Whether it is to be the machine's process 1, and is process 1.
    #[cfg(feature = "process-1")]
    pub fn is_process_1(&self) -> bool {
        place(b"init runit runit-init telinit pid1", self.name()).is_some() && svbox::sys::power::is_ours()
    }

    /// Without init nothing is.
    #[cfg(not(feature = "process-1"))]
    pub fn is_process_1(&self) -> bool {
        false
    }

    fn is_of_chpst(&self) -> bool {
        cfg!(feature = "chainload") && self.runs_program
    }

    /// The place of the program of that name, or of what follows a `d` in it where the name may have one.
    fn called(base: &[u8]) -> Option<usize> {
        let is_of_chpst = |place: &usize| program(*place).is_some_and(|applet| applet.is_of_chpst());
        match (Self::place(base), base) {
            (None, [b'd', short @ ..]) if cfg!(feature = "chainload") => {
                Self::place(short).filter(is_of_chpst)
            }
            (place, _) => place,
        }
    }

    /// Its name in the usage line.
    fn shown(&self, argv0: &'static CStr) -> &'static [u8] {
        let base = base_name(argv0);
        match self.usage_path {
            true => argv0.to_bytes(),
            false if self.is_of_chpst() => base.strip_prefix(b"d").unwrap_or(base),
            false => base,
        }
    }

    /// Runs it; gives the exit code.
    pub fn call(&self, argv0: &'static CStr, args: Args) -> u8 {
        stdio::fill(!self.is_of_chpst());
        let ended = match Call::read(argv0, args, self.spec) {
            Ok(call) => (self.run)(&call),
            Err(Complaint::Help) => return multicall::help(self),
            Err(complaint) => complain(argv0, complaint),
        };
        match ended {
            Ok(code) | Err(Failure::Said(code)) => code,
            Err(Failure::Usage) => {
                let name = self.shown(argv0);
                let (mut usage, mut misuse) = (up_to(self.text, b'\n'), self.misuse);
                usage = usage.get(self.name().len()..).unwrap_or(usage);
                if self.alias_misuse > 0 && base_name(argv0) != self.name() {
                    (usage, misuse) = (ALIAS_USAGE, self.alias_misuse);
                }
                let _ = stdio::write_parts(stdio::stderr(), &[b"usage: ", name, usage, b"\n\n"]);
                misuse
            }
        }
    }

    /// Gives the process the program's name where the kernel was told another one: `ps` and `pidof` go by it.
    fn name_process(&self) {
        let executed = args::executed().map(base_name);
        let mut name = Text::<16>::new();
        if let Some(name) = name.push(self.name()).c_str().filter(|name| executed != Some(name.to_bytes())) {
            process::set_name(name);
        }
    }
}

/// What follows a name that is not the program's own in the usage line: the one program that has others is an init
/// script then.
const ALIAS_USAGE: &[u8] = b" [-w sec] command";

/// Prints a program's version on standard error, where runit's have it; the usage follows.
#[cfg(any(
    feature = "svlogd",
    feature = "utmpset",
    feature = "socklog",
    feature = "socklog-check",
    feature = "uncat",
    feature = "tryto"
))]
fn tell_version(name: &[u8]) -> Failure {
    let _ = stdio::write_parts(stdio::stderr(), &[b"svbox ", name, multicall::VERSION.as_bytes()]);
    Failure::Usage
}

/// A text up to the first byte that is this one or smaller: a line ends a word too.
fn up_to(text: &'static [u8], end: u8) -> &'static [u8] {
    let len = text.iter().position(|&byte| byte <= end).unwrap_or(text.len());
    text.get(..len).unwrap_or(text)
}

/// Says what is wrong with an option, in getopt's words.
fn complain(argv0: &CStr, complaint: Complaint) -> Result<u8, Failure> {
    let (text, option): (&[u8], _) = match complaint {
        Complaint::Help => return Err(Failure::Usage),
        Complaint::Illegal(option) => (b": illegal option -- ", option),
        Complaint::NoValue(option) => (b": option requires an argument -- ", option),
    };
    let _ = stdio::write_parts(stdio::stderr(), &[base_name(argv0), text, option, b"\n"]);
    Err(Failure::Usage)
}
