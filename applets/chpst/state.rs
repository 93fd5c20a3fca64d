//! Making the changes, one after the other, and running the program.

use super::inner::{self, Outside};
use super::plan::{Asked, Change, Plan};
use super::unable::Unable;
use super::{REPORT, beyond, env_dir, lock, program};
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use svbox::sys::args::Args;
use svbox::sys::exec::Environment;
use svbox::sys::landlock::{Rules, Strength};
use svbox::sys::namespace;
use svbox::sys::process::{self, Pid};
use svbox::sys::stdio;
use svbox::sys::{AsFd, AsRawFd, Errno, OwnedFd, capability, file, schedule};

/// What changes are made on, and what they leave to later ones.
pub struct State<'p> {
    plan: &'p Plan,
    environment: Environment,
    /// Standard error as it was.
    stderr: Option<OwnedFd>,
    /// What has been opened for the three standard descriptors.
    opened: [Option<OwnedFd>; 3],
    mounts: Mounts,
    /// Who our parent was before anything could happen to it.
    parent: Option<Pid>,
    lock: Option<OwnedFd>,
    /// What may still be done with files.
    rules: Option<(Rules, Strength)>,
    /// The process outside, in a child that must not outlive it.
    outside: Option<Outside>,
}

/// Whose affair what is mounted is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mounts {
    /// That of everybody in our mount namespace.
    Others,
    /// Ours, but it would be handed on to other namespaces.
    Shared,
    /// Ours alone.
    Ours,
}

/// Makes the changes and runs the program. Comes back only to say why that could not be done.
pub fn carry_out(plan: &Plan, args: Args) -> Unable {
    // Never taken apart, like the plan.
    let mut state = ManuallyDrop::new(State::new(plan));
    let done =
        state.check_kept().and_then(|()| plan.asked().iter().try_for_each(|asked| state.make_or_pass(asked)));
    let unable = match done.and_then(|()| state.outside.as_ref().map_or(Ok(()), Outside::tie)) {
        Ok(()) => program::run(args, plan.argv0, &state.environment),
        Err(unable) => unable,
    };
    if let Some(stderr) = &state.stderr {
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
            mounts: Mounts::Others,
            parent: if dies_with_parent { process::parent() } else { None },
            lock: None,
            rules: None,
            outside: None,
        }
    }

    /// Descriptors that are to be kept have to be open before any of ours could have their numbers.
    fn check_kept(&self) -> Result<(), Unable> {
        for change in self.plan.changes() {
            if let Change::CloseDescriptors(kept) = change {
                beyond::keep_descriptors(kept)?;
            }
        }
        Ok(())
    }

    fn make_or_pass(&mut self, asked: &Asked) -> Result<(), Unable> {
        match self.make(&asked.change, asked.lenient) {
            Err(unable) if asked.lenient && unable.is_unknown() => {
                unable.warn();
                Ok(())
            }
            other => other,
        }
    }

    fn make(&mut self, change: &Change, lenient: bool) -> Result<(), Unable> {
        let verbose = self.plan.verbose;
        match change {
            Change::Session => self.session(),
            Change::NewSession => beyond::start_session()?,
            Change::Open(number, path) => self.open(*number, path)?,
            Change::ClearVariables => self.environment.clear().map_err(Unable::memory)?,
            Change::EnvDir(dir, strict) => env_dir::read(&mut self.environment, dir, *strict, verbose)?,
            Change::Variable(name, Some(value)) => {
                self.environment.set(name, value).map_err(Unable::memory)?
            }
            Change::Variable(name, None) => self.environment.unset(name).map_err(Unable::memory)?,
            Change::ControlGroup(path) => beyond::join_control_group(path)?,
            Change::OomScore(score) => beyond::set_oom_score(score)?,
            Change::IoPriority(class, level) => beyond::set_io_priority(*class, *level)?,
            Change::Policy(policy, priority) => beyond::set_policy(*policy, *priority)?,
            Change::Processors(list) => beyond::bind(list)?,
            Change::Namespace(index) => self.leave_namespace(*index)?,
            Change::Root(root) => self.change_root(root)?,
            Change::ReadOnly(path) => self.own_mounts().and_then(|()| beyond::make_read_only(path))?,
            Change::PrivateTemporary => self.own_mounts().and_then(|()| beyond::mount_temporary())?,
            Change::Directory(dir) => enter(dir)?,
            Change::Nice(increment) => add_nice(*increment)?,
            Change::Alarm(seconds) => schedule::alarm(*seconds),
            Change::Inside(inside) => self.go_inside(*inside)?,
            Change::IdVariables(who) => who.put_into(&mut self.environment)?,
            Change::ExactLimit(index, soft, hard) => beyond::set_limit(*index, *soft, *hard)?,
            Change::Bounding(kept) => beyond::bound(*kept)?,
            Change::Ids(who) => {
                self.keep_capabilities()?;
                who.become_it()?;
            }
            Change::Lock(path, wait) => self.lock = Some(lock::take(path, *wait)?),
            Change::Umask(mask) => process::set_umask(*mask),
            Change::Standard(number) => self.standard(*number)?,
            Change::Limit(limit) => limit.set(verbose)?,
            Change::Ambient(wanted) => {
                let only = self.plan.changes().any(|change| matches!(change, Change::Ids(_)));
                beyond::set_ambient(*wanted, only)?;
            }
            // The process outside has a parent, and hands the signal on.
            Change::ParentDeath(_) if self.outside.is_some() => {}
            Change::ParentDeath(signal) => beyond::die_with_parent(*signal, self.parent)?,
            Change::NoNewPrivileges => beyond::set_no_new_privileges()?,
            Change::Landlock(path, write) => self.allow(path, *write, lenient)?,
            Change::Restrict => self.rules.as_ref().map_or(Ok(()), |(rules, _)| beyond::restrict(rules))?,
            Change::CloseDescriptors(kept) => beyond::close_descriptors(kept, self.lock.as_ref())?,
        }
        Ok(())
    }

    /// Failure is no reason to stop: whoever leads a group of processes, like a job of a shell, has to be told
    /// from outside.
    fn session(&self) {
        if let (Err(errno), true) = (process::new_session(), self.plan.verbose) {
            REPORT.warn_of(b"unable to start a new session", b"", errno);
        }
    }

    fn open(&mut self, number: u8, path: &'static CStr) -> Result<(), Unable> {
        let opened = if number == 0 { file::open_input(path) } else { file::open_output(path) };
        // Without /dev/null to stand in for a closed one it could have a standard number itself.
        let opened = opened.and_then(|fd| if fd.as_raw_fd() > 2 { Ok(fd) } else { file::above(&fd, 3) });
        let opened = opened.map_err(Unable::to(b"unable to open: ", path.to_bytes()))?;
        if let Some(place) = self.opened.get_mut(usize::from(number)) {
            *place = Some(opened);
        }
        Ok(())
    }

    fn leave_namespace(&mut self, index: usize) -> Result<(), Unable> {
        inner::unshare(index)?;
        if index != namespace::MOUNT {
            return Ok(());
        }
        self.mounts = match namespace::make_private() {
            Ok(()) => Mounts::Ours,
            // The root is no mount, as in a changed root. Perhaps the next one is.
            Err(Errno::INVAL) if self.plan.changes().any(|change| matches!(change, Change::Root(_))) => {
                Mounts::Shared
            }
            Err(errno) => return Err(Unable::to(b"unable to make mounts private", b"")(errno)),
        };
        Ok(())
    }

    fn change_root(&mut self, root: &'static CStr) -> Result<(), Unable> {
        for change in self.plan.changes() {
            if let Change::IdVariables(who) | Change::Ids(who) = change {
                // What is unknown here may be known inside.
                let _ = who.look_up();
            }
        }
        enter(root)?;
        process::change_root().map_err(Unable::to(b"unable to change root directory", b""))?;
        if self.mounts == Mounts::Shared {
            namespace::make_private().map_err(Unable::to(b"unable to make mounts private", b""))?;
            self.mounts = Mounts::Ours;
        }
        Ok(())
    }

    /// What is mounted for others must not be changed.
    fn own_mounts(&self) -> Result<(), Unable> {
        match self.mounts {
            Mounts::Ours => Ok(()),
            Mounts::Others | Mounts::Shared => {
                Err(Unable::known(b"no mount namespace", b"", &[])(Errno::NOSYS))
            }
        }
    }

    fn go_inside(&mut self, inside: inner::Inside) -> Result<(), Unable> {
        for change in self.plan.changes() {
            if let Change::ParentDeath(signal) = change {
                beyond::die_with_parent(*signal, self.parent)?;
            }
        }
        self.outside = inner::enter(inside, self.mounts == Mounts::Ours, self.plan.verbose)?;
        Ok(())
    }

    /// Those that the program is to have must outlive the change of the user.
    fn keep_capabilities(&self) -> Result<(), Unable> {
        match self.plan.changes().any(|change| matches!(change, Change::Ambient(_))) {
            true => capability::keep().map_err(Unable::to(b"unable to keep capabilities", b"")),
            false => Ok(()),
        }
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
        stdio::change(number.into(), file.as_ref().map(AsFd::as_fd)).map_err(Unable::to(what, b""))
    }

    fn allow(&mut self, path: &'static CStr, write: bool, lenient: bool) -> Result<(), Unable> {
        let refused = Unable::known(b"unable to allow with landlock: ", path.to_bytes(), &[]);
        if self.rules.is_none() {
            self.rules = Some(Rules::new().map_err(&refused)?);
        }
        let Some((rules, strength)) = &self.rules else { return Ok(()) };
        if *strength == Strength::Partial {
            let partial =
                Unable::known(b"unable to forbid truncation with landlock", b"", &[])(Errno::OPNOTSUPP);
            if !lenient {
                return Err(partial);
            }
            partial.warn();
        }
        rules.allow(path, write).map_err(refused)
    }
}

fn enter(dir: &'static CStr) -> Result<(), Unable> {
    process::enter(dir).map_err(Unable::to(b"unable to change directory: ", dir.to_bytes()))
}

/// Nothing is nothing, also where it would not be allowed.
fn add_nice(increment: i32) -> Result<(), Unable> {
    if increment == 0 {
        return Ok(());
    }
    schedule::add_nice(increment).map_err(Unable::to(b"unable to set nice level", b""))
}
