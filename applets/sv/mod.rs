//! sv: shows and changes the state of services.
//!
//! Exits 0 when all was done, 1 to 99 for that many services that failed, and 100 for a wrong command line or when
//! it cannot go on. Called by another name it is the init script of the service of that name, and exits as the LSB
//! has it: 0 done, 1 failed, 2 usage, 3 down, 4 unknown, 151 cannot go on.

#[cfg(feature = "policy")]
mod instance;
mod order;
#[cfg(feature = "policy")]
mod own;
mod show;
#[cfg(feature = "policy")]
mod strays;
mod wait;
#[cfg(feature = "policy")]
mod why;

use super::Applet;
use super::output::Output;
use super::place::{Finder, Place};
use argh::FromArgs;
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use order::Order;
use svbox::cli::{Call, Raw, Spec};
use svbox::report::{Failure, Reporter};
use svbox::service::client::{NoStatus, NotSent};
use svbox::service::names::Part;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{self, Errno, args, file, stdio};
use svbox::text;
use wait::{Appearing, Waiter};

pub fn applet() -> Applet {
    Applet {
        text: b"\
sv [-v] [-w sec] command service ...

Control and show services: start, stop, restart, status and more, see sv(8); or
u, d, o, x, p, c, h, a, i, q, 1, 2, t, k.

  -v, --verbose      wait for the effect, and say so
  -w, --wait sec     seconds to wait at most (default 7, or $SVWAIT); implies -v
  -d, --delay usec   time between two runs of ./check (default 420000, or $SVDELAY)
  -V, --version      print version and usage",
        usage_path: false,
        misuse: 100,
        alias_misuse: 2,
        runs_program: false,
        spec: Some(Spec(b"vV wd vVwd verbose version wait delay")),
        run,
    }
}

/// The options of sv.
#[derive(FromArgs)]
struct Options {
    #[argh(switch, short = 'v')]
    verbose: bool,
    #[argh(option, short = 'w')]
    wait: Option<Raw>,
    #[argh(option, short = 'd')]
    delay: Option<Raw>,
    #[argh(switch, short = 'V')]
    version: bool,
}

/// What governs one call.
struct Sv {
    /// Called as an init script.
    lsb: bool,
    output: Output,
    /// How many services failed; as an init script, the exit code.
    failed: u32,
    limit: Duration,
    /// Whether more is shown of each service.
    #[cfg(feature = "policy")]
    verbose: bool,
    /// Whether the limit was said on the command line or in the environment.
    #[cfg(feature = "policy")]
    limit_was_said: bool,
    delay: Duration,
}

fn run(call: &Call) -> Result<u8, Failure> {
    let lsb = call.base() != b"sv";
    let opts: Options = call.options()?;
    if opts.version {
        let version = concat!("svbox sv ", env!("CARGO_PKG_VERSION"), "\n");
        let _ = file::write_all(stdio::stderr(), version.as_bytes());
        return Err(Failure::Usage);
    }
    let seconds = number("-w", opts.wait.as_ref(), "SVWAIT", 7, lsb)?;
    let micros = number("-d", opts.delay.as_ref(), "SVDELAY", 420_000, lsb)?;

    let (command, services) = call.operands().split_first().ok_or(Failure::Usage)?;
    let order = Order::read(command.to_bytes(), lsb).ok_or(Failure::Usage)?;
    if services.is_empty() && !lsb {
        return Err(Failure::Usage);
    }
    let own = lsb.then(|| base_as_c_str(call));
    let services = services.skip(if lsb { services.len() } else { 0 });
    let mut sv = Sv {
        lsb,
        output: Output::new(),
        failed: 0,
        limit: Duration::from_secs(seconds),
        #[cfg(feature = "policy")]
        verbose: opts.verbose,
        #[cfg(feature = "policy")]
        limit_was_said: opts.wait.is_some()
            || args::variable(b"SVWAIT").is_some_and(|value| !value.is_empty()),
        delay: Duration::from_micros(micros),
    };
    let waits = order.waits || opts.verbose || opts.wait.is_some();
    sv.carry_out(&order, waits, services.iter().chain(own));
    sv.end()
}

/// The service an init script is for.
fn base_as_c_str(call: &Call) -> &'static CStr {
    let skip = call.argv0.count_bytes() - call.base().len();
    call.argv0.to_bytes_with_nul().get(skip..).and_then(sys::c_str).unwrap_or(c"")
}

/// The value of an option, or of a variable if it is set and not empty, or the usual one.
fn number(option: &str, value: Option<&Raw>, variable: &str, usual: u64, lsb: bool) -> Result<u64, Failure> {
    let (name, digits) = match value {
        Some(Raw(digits)) => (option, *digits),
        None => match args::variable(variable.as_bytes()) {
            None | Some(b"") => return Ok(usual),
            Some(digits) => (variable, digits),
        },
    };
    text::parse(digits).ok_or_else(|| {
        let report = Reporter { program: b"", subject: None, waits: true };
        report.fatal(&[b"unable to use ", name.as_bytes(), b": not a number: ", digits], None);
        Failure::Said(if lsb { 2 } else { 100 })
    })
}

/// Sends an order's bytes, if it has any.
fn send(place: &Place, order: &Order) -> Result<(), NotSent> {
    match order.sends() {
        b"" => Ok(()),
        bytes => place.send(bytes),
    }
}

impl Sv {
    fn carry_out(&mut self, order: &Order, waits: bool, services: impl Iterator<Item = &'static CStr>) {
        let began = Instant::now();
        let usual = began.after(self.limit);
        let finder = Finder::new();
        // Never taken apart: at the end of the process the kernel closes everything.
        let mut waiters = ManuallyDrop::new(Vec::new());
        for name in services {
            #[cfg_attr(not(feature = "policy"), allow(unused_mut))]
            let mut place = finder.find(name.to_bytes());
            #[cfg(feature = "policy")]
            let waits = waits | self.appears(order, &mut place, &finder);
            #[cfg(feature = "policy")]
            if order.explains {
                self.why(&place);
                continue;
            }
            if order.sends().is_empty() && !order.checks {
                self.status(&place);
                continue;
            }
            // What was there before, to tell a new process from the old one.
            let before = if waits { place.status(Part::Main).ok() } else { None };
            match send(&place, order) {
                Ok(()) if waits => {
                    // A supervisor that is starting hears commands before it says that it is there.
                    let lately = before.is_none() && order.may_appear();
                    let appearing = if lately { Appearing::Lately } else { Appearing::Was };
                    waiters.push(Waiter::new(
                        place,
                        before,
                        appearing,
                        self.over(order, &place, began, usual),
                    ));
                }
                Ok(()) => {}
                // Anything else will not change by waiting.
                Err(NotSent::NotRunning | NotSent::Open(Errno::NOENT))
                    if waits && order.may_appear() && place.exists() =>
                {
                    waiters.push(Waiter::new(place, before, Appearing::NotYet, usual));
                }
                Err(trouble) => self.not_sent(&place, order, trouble),
            }
        }
        if !waiters.is_empty() {
            self.wait(order, &mut waiters);
        }
    }

    /// Makes the service an order is for if it is an instance of a template; gives whether it is about to appear.
    #[cfg(feature = "policy")]
    fn appears(&mut self, order: &Order, place: &mut Place, finder: &Finder) -> bool {
        if !order.may_appear() {
            return false;
        }
        match instance::make(place) {
            Ok(true) => *place = finder.find(place.name()),
            Ok(false) => return false,
            Err(errno) => {
                self.warn(&[b"unable to link ", place.name(), b" to its template"], errno);
                return false;
            }
        }
        true
    }

    /// When a service is not waited for any longer: one that has a deadline of its own to end is given that, unless a time
    /// was said.
    #[cfg_attr(not(feature = "policy"), allow(unused_variables, clippy::unused_self))]
    fn over(&self, order: &Order, place: &Place, began: Instant, usual: Instant) -> Instant {
        #[cfg(feature = "policy")]
        if !self.limit_was_said && order.stops() {
            return own::deadline(order, place).map_or(usual, |deadline| usual.max(began.after(deadline)));
        }
        usual
    }

    /// Counts a failure; as an init script, sets the exit code.
    fn fail(&mut self, lsb_code: u32) {
        self.failed = if self.lsb { lsb_code } else { self.failed + 1 };
    }

    fn end(mut self) -> Result<u8, Failure> {
        let fatal = if self.lsb { 151 } else { 100 };
        self.output.flush().map_err(|errno| {
            let report = Reporter { program: b"", subject: None, waits: true };
            report.fatal_of(b"unable to write to standard output", b"", errno);
            Failure::Said(fatal)
        })?;
        Ok(u8::try_from(self.failed.min(99)).unwrap_or(99))
    }

    fn line(&mut self, kind: &[u8], place: &Place, text: &[u8], why: Option<Errno>) {
        self.output.put(kind).put(place.name()).put(b": ").put(text).why(why).put(b"\n");
    }

    /// Says why there is no status; for an order that ends the supervisor its absence is success.
    fn no_status(&mut self, place: &Place, order: Option<&Order>, why: NoStatus) {
        if why == NoStatus::NotRunning {
            return self.not_running(place, order);
        }
        // As an init script a status that cannot be read is "unknown".
        self.fail(if order.is_none() { 4 } else { 1 });
        match (why, place.enter()) {
            (NoStatus::Ok(_), Err(errno)) => self.no_directory(place, errno),
            (_, _) => {
                let (what, errno) = why.words();
                self.line(b"warning: ", place, what, errno);
            }
        }
    }

    fn no_directory(&mut self, place: &Place, errno: Errno) {
        if self.lsb {
            self.failed = 1;
        }
        self.line(b"fail: ", place, b"unable to change to service directory", Some(errno));
    }

    fn not_running(&mut self, place: &Place, order: Option<&Order>) {
        if order.is_some_and(|order| order.exits) {
            return self.line(b"ok: ", place, b"runsv not running", None);
        }
        self.fail(1);
        self.line(b"fail: ", place, b"runsv not running", None);
    }

    fn not_sent(&mut self, place: &Place, order: &Order, why: NotSent) {
        let (what, errno): (&[u8], _) = match why {
            NotSent::NotRunning => return self.not_running(place, Some(order)),
            NotSent::Open(errno) => (b"unable to open supervise/control", errno),
            NotSent::Write(errno) => (b"unable to write to supervise/control", errno),
        };
        self.fail(1);
        match (why, place.enter()) {
            (NotSent::Open(_), Err(errno)) => self.no_directory(place, errno),
            (_, _) => self.line(b"warning: ", place, what, Some(errno)),
        }
    }
}
