//! Starting the runsv of a service directory.

use core::ffi::CStr;
use svbox::report::Reporter;
#[cfg(feature = "pid1")]
use svbox::sys::process;
use svbox::sys::process::Pid;
use svbox::sys::signal::Mask;
use svbox::sys::spawn::{More, Spawn};
use svbox::sys::{AsFd, Errno, OwnedFd, args, file};
use svbox::text::{Cut, Text};

/// The exit code of a child that cannot run runsv.
const CANNOT_RUN: u8 = 100;
/// Where programs are looked for without `PATH`.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";
/// Ourselves; with runsv's name as first argument we are runsv.
const OURSELVES: &CStr = c"/proc/self/exe";

/// How each runsv is started.
pub struct Starter {
    pub report: Reporter<'static>,
    /// The signals it finds blocked.
    pub mask: Mask,
    /// Whether it leads a session of its own.
    pub session: bool,
    /// Whether process 1 of a container has started us.
    #[cfg(feature = "pid1")]
    container: bool,
    /// Where runsv was found last; may be out of date.
    found: Text<4096>,
}

impl Starter {
    #[cfg_attr(not(feature = "pid1"), allow(unused_variables))]
    pub fn new(report: Reporter<'static>, mask: Mask, session: bool, container: bool) -> Self {
        Self {
            report,
            mask,
            session,
            #[cfg(feature = "pid1")]
            container,
            found: Text::new(),
        }
    }

    /// Whether the end waits until every service has stopped, as that of process 1 does.
    #[cfg(feature = "pid1")]
    pub fn is_container(&self) -> bool {
        self.container
    }

    /// Without pid1 there are none.
    #[cfg(not(feature = "pid1"))]
    pub fn is_container(&self) -> bool {
        false
    }

    /// Whom runsv has to tell of the end of the service directory `name` in `dir`: the process 1 of a container that has
    /// started us, if the service is essential.
    #[cfg(feature = "pid1")]
    pub fn essential_to(&self, dir: &OwnedFd, name: &CStr) -> Option<Pid> {
        let mut path = Text::<320>::new();
        let path = path.push(name.to_bytes()).push(b"/essential").c_str();
        let is_essential = self.container && path.is_some_and(|path| file::is_there(dir.as_fd(), path));
        if is_essential { process::parent() } else { None }
    }

    /// Starts runsv for the service directory `name` in `dir`.
    pub fn start(&mut self, dir: &OwnedFd, name: &CStr) -> Result<Pid, Errno> {
        let report = &self.report;
        let failed = |_, errno| report.fatal_of(b"unable to start runsv ", name.to_bytes(), errno);
        #[cfg(feature = "pid1")]
        let mut number = Text::<16>::new();
        #[cfg(feature = "pid1")]
        let args: &[&CStr] = match self.essential_to(dir, name) {
            Some(pid) => {
                let number = number.number(process::number(pid).into()).c_str().unwrap_or(c"");
                &[c"runsv", crate::applets::runsv::ESSENTIAL, number, name]
            }
            None => &[c"runsv", name],
        };
        #[cfg(not(feature = "pid1"))]
        let args = &[c"runsv", name];
        Spawn {
            // Another runsv knows nothing of containers.
            path: if self.is_container() { OURSELVES } else { find(dir, &mut self.found) },
            args,
            directory: Some(dir.as_fd()),
            below: None,
            stdin: None,
            stdout: None,
            more: &More::NONE,
            mask: &self.mask,
            session: self.session,
            failure_code: CANNOT_RUN,
            ready: None,
            failed: &failed,
        }
        .start()
    }
}

/// The program runsv: the one in `PATH`, as runit has it, or else ourselves.
fn find<'f>(dir: &OwnedFd, found: &'f mut Text<4096>) -> &'f CStr {
    if !found.c_str().is_some_and(|path| !path.is_empty() && file::may_run(dir.as_fd(), path)) {
        search(dir, found);
    }
    match found.c_str().is_some_and(|path| !path.is_empty()) {
        true => found.c_str().unwrap_or(OURSELVES),
        false if !cfg!(feature = "runsv") => c"runsv",
        false if file::may_run(dir.as_fd(), OURSELVES) => OURSELVES,
        // Where /proc is missing this has to be absolute: the child is somewhere else.
        false => args::executed().unwrap_or(OURSELVES),
    }
}

/// Puts the path of the first runsv in `PATH` into `found`; nothing if there is none. Relative parts start at the
/// scan directory, where the child will be when it runs the program.
fn search(dir: &OwnedFd, found: &mut Text<4096>) {
    let path = args::variable(b"PATH").unwrap_or(DEFAULT_PATH);
    for part in path.parts(b':') {
        *found = Text::new();
        found.push(if part.is_empty() { b"." } else { part }).push(b"/runsv");
        if found.c_str().is_some_and(|path| file::may_run(dir.as_fd(), path)) {
            return;
        }
    }
    *found = Text::new();
}
