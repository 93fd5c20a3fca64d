//! Making the changes, one after the other, and running the program.

use super::plan::{Change, Plan};
use super::{REPORT, env_dir, inner, lock, program};
use core::ffi::CStr;
use svbox::sys::args::Args;
use svbox::sys::exec::Environment;
use svbox::sys::stdio::{self, Becomes};
use svbox::sys::{AsFd, Errno, OwnedFd, file, process, schedule};

/// Why the program is not run: what could not be done, on what.
pub struct Unable {
    /// The text of the message, whole.
    what: &'static [u8],
    /// What follows it.
    on: &'static [u8],
    why: Option<Errno>,
}

impl Unable {
    /// `WHATON`, without a reason of the system's.
    pub const fn because(what: &'static [u8], on: &'static [u8]) -> Self {
        Self { what, on, why: None }
    }

    /// `WHATON: WHY`
    pub fn to(what: &'static [u8], on: &'static [u8]) -> impl Fn(Errno) -> Self {
        move |why| Self { what, on, why: Some(why) }
    }

    /// There is no memory.
    pub fn memory(_: Errno) -> Self {
        Self::because(b"out of memory.", b"")
    }

    /// Says so.
    pub fn tell(&self) {
        REPORT.fatal(&[self.what, self.on], self.why);
    }
}

/// What changes are made on, and what they leave to later ones.
struct State<'p> {
    plan: &'p Plan,
    environment: Environment,
    /// Standard error as it was.
    stderr: Option<OwnedFd>,
    /// What says that the process outside has ended, in a child that must not outlive it.
    outside: Option<OwnedFd>,
}

/// Makes the changes and runs the program. Comes back only to say why that could not be done.
pub fn carry_out(plan: &Plan, args: Args) -> Unable {
    let mut state = State { plan, environment: Environment::inherited(), stderr: None, outside: None };
    let done = plan.changes().iter().try_for_each(|change| state.make(change));
    let unable = match done.and_then(|()| state.tie()) {
        Ok(()) => program::run(args, plan.argv0, &state.environment),
        Err(unable) => unable,
    };
    if let Some(stderr) = state.stderr {
        let _ = stdio::replace_stderr(stderr);
    }
    unable
}

impl State<'_> {
    fn make(&mut self, change: &Change) -> Result<(), Unable> {
        let (plan, verbose) = (self.plan, self.plan.verbose);
        match change {
            Change::Session => self.session(),
            Change::EnvDir(dir, strict) => env_dir::read(&mut self.environment, dir, *strict, verbose)?,
            Change::Namespaces(kinds) => inner::unshare(*kinds, plan.has_root())?,
            Change::Root(root) => self.change_root(root)?,
            Change::Directory(dir) => enter(dir)?,
            Change::Nice(0) => {}
            Change::Nice(increment) => {
                schedule::add_nice(*increment).map_err(Unable::to(b"unable to set nice level", b""))?;
            }
            Change::Alarm(seconds) => schedule::alarm(*seconds),
            Change::Inside(inside) => self.outside = inner::enter(*inside, verbose)?,
            Change::IdVariables(who) => who.put_into(&mut self.environment)?,
            Change::Ids(who) => who.become_it()?,
            Change::Lock(path, wait) => lock::take(path, *wait)?,
            Change::Standard(number) => self.standard(*number)?,
            Change::Limit(limit) => limit.set(verbose)?,
        }
        Ok(())
    }

    /// Failure is no reason to stop: whoever leads a group of processes, like a job of a shell, has to be told
    /// from outside.
    fn session(&self) {
        if let (Err(errno), true) = (process::new_session(), self.plan.verbose) {
            REPORT.warn(&[b"unable to start a new session"], Some(errno));
        }
    }

    fn change_root(&self, root: &'static CStr) -> Result<(), Unable> {
        for change in self.plan.changes() {
            if let Change::IdVariables(who) | Change::Ids(who) = change {
                // What is unknown here may be known inside.
                let _ = who.look_up();
            }
        }
        enter(root)?;
        process::change_root().map_err(Unable::to(b"unable to change root directory", b""))
    }

    fn standard(&mut self, number: u8) -> Result<(), Unable> {
        let what: &[u8] = match number {
            0 => b"unable to close stdin",
            1 => b"unable to close stdout",
            _ => b"unable to close stderr",
        };
        if number == 2 {
            self.stderr = file::above(stdio::stderr(), 3).ok();
        }
        let null = if self.plan.null { Some(file::open_null(false)) } else { None };
        let null = null.transpose().map_err(Unable::to(what, b""))?;
        let becomes = null.as_ref().map_or(Becomes::Closed, |null| Becomes::File(null.as_fd()));
        stdio::change(number.into(), &becomes).map_err(Unable::to(what, b""))
    }

    /// Sees to it that the program does not outlive the process outside; a change of ids forgets that.
    fn tie(&self) -> Result<(), Unable> {
        self.outside.as_ref().map_or(Ok(()), inner::tie)
    }
}

fn enter(dir: &'static CStr) -> Result<(), Unable> {
    process::enter(dir).map_err(Unable::to(b"unable to change directory: ", dir.to_bytes()))
}
