//! Making the changes, one after the other, and running the program.

use super::plan::{Asked, Change, Plan};
use super::{REPORT, beyond, env_dir, inner, lock, program};
use core::ffi::CStr;
use svbox::sys::args::Args;
use svbox::sys::exec::Environment;
use svbox::sys::landlock::{Rules, Strength};
use svbox::sys::namespace::Kinds;
use svbox::sys::process::{self, Pid};
use svbox::sys::stdio::{self, Becomes};
use svbox::sys::{AsFd, Errno, OwnedFd, capability, file, schedule};

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

    /// Says so, and that it does not matter.
    fn warn(&self) {
        REPORT.warn(&[self.what, self.on], self.why);
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
    /// What has been opened for the three standard descriptors.
    opened: [Option<OwnedFd>; 3],
    /// Whether what is mounted is ours alone.
    own_mounts: bool,
    /// Who our parent was before anything could happen to it.
    parent: Option<Pid>,
    lock: Option<OwnedFd>,
    /// What may still be done with files.
    rules: Option<Rules>,
    /// What says that the process outside has ended, in a child that must not outlive it.
    outside: Option<OwnedFd>,
}

/// Makes the changes and runs the program. Comes back only to say why that could not be done.
pub fn carry_out(plan: &Plan, args: Args) -> Unable {
    let mut state = State::new(plan);
    let done = plan.asked().iter().try_for_each(|asked| state.make_or_pass(asked));
    let unable = match done.and_then(|()| state.tie()) {
        Ok(()) => program::run(args, plan.argv0, &state.environment),
        Err(unable) => unable,
    };
    if let Some(stderr) = state.stderr {
        let _ = stdio::replace_stderr(stderr);
    }
    unable
}

impl<'p> State<'p> {
    fn new(plan: &'p Plan) -> Self {
        let dies_with_parent = plan.changes().any(|change| matches!(change, Change::ParentDeath(_)));
        Self {
            plan,
            environment: Environment::inherited(),
            stderr: None,
            opened: [None, None, None],
            own_mounts: false,
            parent: if dies_with_parent { process::parent() } else { None },
            lock: None,
            rules: None,
            outside: None,
        }
    }

    fn make_or_pass(&mut self, asked: &Asked) -> Result<(), Unable> {
        match self.make(&asked.change, asked.lenient) {
            Err(unable)
                if asked.lenient && unable.why.is_some_and(|why| asked.change.is_unsupported(why)) =>
            {
                unable.warn();
                Ok(())
            }
            other => other,
        }
    }

    fn make(&mut self, change: &Change, lenient: bool) -> Result<(), Unable> {
        let (plan, verbose) = (self.plan, self.plan.verbose);
        match change {
            Change::Session => self.session(),
            Change::EnvDir(dir, strict) => env_dir::read(&mut self.environment, dir, *strict, verbose)?,
            Change::Namespaces(kinds) => {
                let rooted = plan.changes().any(|change| matches!(change, Change::Root(_)));
                inner::unshare(*kinds, rooted)?;
                self.own_mounts = kinds.contains(Kinds::NEWNS);
            }
            Change::Root(root) => self.change_root(root)?,
            Change::Directory(dir) => enter(dir)?,
            Change::Nice(0) => {}
            Change::Nice(increment) => {
                schedule::add_nice(*increment).map_err(Unable::to(b"unable to set nice level", b""))?;
            }
            Change::Alarm(seconds) => schedule::alarm(*seconds),
            Change::Inside(inside) => {
                self.outside = inner::enter(*inside, verbose)?;
                self.parent = process::parent();
            }
            Change::IdVariables(who) => who.put_into(&mut self.environment)?,
            Change::Ids(who) => {
                if plan.changes().any(|change| matches!(change, Change::Ambient(_))) {
                    capability::keep().map_err(Unable::to(b"unable to keep capabilities", b""))?;
                }
                who.become_it()?;
            }
            Change::Lock(path, wait) => self.lock = Some(lock::take(path, *wait)?),
            Change::Standard(number) => self.standard(*number)?,
            Change::Limit(limit) => limit.set(verbose)?,
            Change::NewSession => {
                process::new_session().map_err(Unable::to(b"unable to start a new session", b""))?;
            }
            Change::Open(number, path) => self.open(*number, path)?,
            Change::ClearVariables => self.environment.clear().map_err(Unable::memory)?,
            Change::Variable(name, Some(value)) => {
                self.environment.set(name, value).map_err(Unable::memory)?
            }
            Change::Variable(name, None) => self.environment.unset(name).map_err(Unable::memory)?,
            Change::ControlGroup(path) => beyond::join_control_group(path)?,
            Change::OomScore(score) => {
                file::put(c"/proc/self/oom_score_adj", score.to_bytes())
                    .map_err(Unable::to(b"unable to set oom_score_adj", b""))?;
            }
            Change::IoPriority(class, level) => {
                schedule::set_io_priority(*class, *level)
                    .map_err(Unable::to(b"unable to set io priority", b""))?;
            }
            Change::Policy(policy, priority) => {
                schedule::set_policy(*policy, *priority)
                    .map_err(Unable::to(b"unable to set scheduler", b""))?;
            }
            Change::Processors(processors) => {
                processors.bind().map_err(Unable::to(b"unable to set cpus", b""))?;
            }
            Change::ReadOnly(path) => {
                self.mounts()?;
                beyond::make_read_only(path)?;
            }
            Change::PrivateTemporary => {
                self.mounts()?;
                beyond::mount_temporary()?;
            }
            Change::ExactLimit(index, soft, hard) => beyond::set_limit(*index, *soft, *hard)?,
            Change::Bounding(kept) => {
                capability::bound(*kept).map_err(Unable::to(b"unable to set bounding set", b""))?;
            }
            Change::Umask(mask) => process::set_umask(*mask),
            Change::Ambient(wanted) => {
                let only = plan.changes().any(|change| matches!(change, Change::Ids(_)));
                capability::set_ambient(*wanted, only)
                    .map_err(Unable::to(b"unable to set ambient capabilities", b""))?;
            }
            Change::ParentDeath(signal) => beyond::die_with_parent(*signal, self.parent)?,
            Change::NoNewPrivileges => {
                process::set_no_new_privileges().map_err(Unable::to(b"unable to set no_new_privs", b""))?;
            }
            Change::Landlock(path, write) => self.allow(path, *write, lenient)?,
            Change::Restrict => {
                let restricted = self.rules.as_ref().map_or(Ok(()), Rules::restrict);
                restricted.map_err(Unable::to(b"unable to restrict with landlock", b""))?;
            }
            Change::CloseDescriptors(kept) => beyond::close_descriptors(kept, self.lock.as_ref())?,
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
        let mut file = self.opened.get_mut(usize::from(number)).and_then(Option::take);
        if file.is_none() && self.plan.null {
            file = Some(file::open_null(false).map_err(Unable::to(what, b""))?);
        }
        let becomes = file.as_ref().map_or(Becomes::Closed, |file| Becomes::File(file.as_fd()));
        stdio::change(number.into(), &becomes).map_err(Unable::to(what, b""))
    }

    fn open(&mut self, number: u8, path: &'static CStr) -> Result<(), Unable> {
        let opened = if number == 0 { file::open_input(path) } else { file::open_output(path) };
        let opened = opened.map_err(Unable::to(b"unable to open: ", path.to_bytes()))?;
        if let Some(place) = self.opened.get_mut(usize::from(number)) {
            *place = Some(opened);
        }
        Ok(())
    }

    /// What is mounted for all must not be changed.
    fn mounts(&self) -> Result<(), Unable> {
        if self.own_mounts { Ok(()) } else { Err(Unable::to(b"no mount namespace", b"")(Errno::NOSYS)) }
    }

    fn allow(&mut self, path: &'static CStr, write: bool, lenient: bool) -> Result<(), Unable> {
        let refused = Unable::to(b"unable to allow with landlock: ", path.to_bytes());
        let rules = match &self.rules {
            Some(rules) => rules,
            None => {
                let (rules, strength) = Rules::new().map_err(&refused)?;
                if strength == Strength::Partial {
                    let partial =
                        Unable::to(b"unable to forbid truncation with landlock", b"")(Errno::OPNOTSUPP);
                    if !lenient {
                        return Err(partial);
                    }
                    partial.warn();
                }
                self.rules.insert(rules)
            }
        };
        rules.allow(path, write).map_err(refused)
    }

    /// Sees to it that the program does not outlive the process outside; a change of ids forgets that.
    /// Another signal at its end may have been asked for.
    fn tie(&self) -> Result<(), Unable> {
        if self.plan.changes().any(|change| matches!(change, Change::ParentDeath(_))) {
            return Ok(());
        }
        self.outside.as_ref().map_or(Ok(()), inner::tie)
    }
}

fn enter(dir: &'static CStr) -> Result<(), Unable> {
    process::enter(dir).map_err(Unable::to(b"unable to change directory: ", dir.to_bytes()))
}
