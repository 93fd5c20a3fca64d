//! Where the services of a container are, and where their state is kept.

use super::{Options, reporter, shadow, variables};
use core::ffi::CStr;
use svbox::report::{FATAL, Failure};
use svbox::sys::exec::Environment;
use svbox::sys::{AsFd, Errno, OwnedFd, args, dir, file, heap};
use svbox::text::{Cut, Text};

/// Where a scan directory is looked for.
const USUAL: &[u8] = b"/etc/service /service /var/service";
/// Where state is kept if nothing else is said.
const STATE: &CStr = c"/run/svbox";

/// The scan directory that is run.
pub struct Place {
    pub scan: &'static CStr,
    /// Whether it stands in for another one.
    stands_in: bool,
}

impl Place {
    /// Finds the services, and makes a scan directory of links where they cannot keep their state themselves. `None` if
    /// there are no services.
    pub fn find(options: &Options) -> Result<Option<Self>, Failure> {
        let Some(found) = Found::new(options) else { return Ok(None) };
        let services = dir::open(file::CWD, found.services).map_err(|errno| {
            reporter().fatal_of(b"unable to open directory ", found.services.to_bytes(), errno);
            Failure::Said(FATAL)
        })?;
        // Beside services that are read-only there is no room for it.
        let (path, state) = match open_state(found.state) {
            Err(_) if found.is_beside => (STATE, open_state(STATE)),
            state => (found.state, state),
        };
        if let Err(errno) = state.as_ref().map_err(|errno| *errno).and_then(variables::keep) {
            reporter().warn_of(b"unable to keep the environment in ", path.to_bytes(), errno);
        }
        if shadow::all_keep_state(&services) {
            return Ok(Some(Self { scan: found.services, stands_in: false }));
        }
        let scan = state.and_then(|state| shadowed(&services, &state));
        scan.map(|scan| Some(Self { scan, stands_in: true })).map_err(|errno| {
            reporter().fatal_of(b"unable to keep the state of services in ", path.to_bytes(), errno);
            Failure::Said(FATAL)
        })
    }

    /// Tells `sv` where the services are, if it is not where their state is.
    pub fn tell(&self, environment: &mut Environment) -> Result<(), Errno> {
        if self.stands_in { environment.set(b"SVDIR", self.scan.to_bytes()) } else { Ok(()) }
    }
}

fn open_state(path: &CStr) -> Result<OwnedFd, Errno> {
    make(file::CWD, path)?;
    file::may_write(file::CWD, path)?;
    dir::open(file::CWD, path)
}

// Kept apart for the path, which has its pages of the stack only where there are stand-ins.
#[inline(never)]
fn shadowed(services: &OwnedFd, state: &OwnedFd) -> Result<&'static CStr, Errno> {
    make(state.as_fd(), c"service")?;
    let scan = dir::open_itself(state.as_fd(), c"service")?;
    shadow::clear(services, &scan)?;
    shadow::make(services, &scan)?;
    heap::keep(&[shadow::path_of(&scan)?.bytes()])
}

/// Makes a directory, unless it is there.
pub fn make(at: svbox::sys::BorrowedFd<'_>, path: &CStr) -> Result<(), Errno> {
    match file::make_directory(at, path, 0o755) {
        Err(Errno::EXIST) => Ok(()),
        // A read-only root says so first.
        Err(_) if file::is_directory_at(at, path) => Ok(()),
        other => other,
    }
}

/// What was found.
struct Found {
    services: &'static CStr,
    state: &'static CStr,
    /// Whether that is a directory beside the services.
    is_beside: bool,
}

impl Found {
    fn new(options: &Options) -> Option<Self> {
        let given = options.directory;
        if let Some(services) = given.filter(|path| has_services(path)) {
            let state = heap::keep(&[services.to_bytes(), b"/.svbox"]).ok()?;
            return Some(Self { services, state, is_beside: true });
        }
        let services = match args::variable(b"SVDIR").and_then(|path| heap::keep(&[path]).ok()) {
            Some(path) => Some(path),
            None => USUAL.parts(b' ').find_map(|path| {
                let mut text = Text::<16>::new();
                let there = text.push(path).c_str().is_some_and(is_directory);
                there.then(|| heap::keep(&[path]).ok())?
            }),
        };
        // Without a command there may be services later.
        let services = services.filter(|path| options.command.is_empty() || has_services(path))?;
        Some(Self { services, state: given.unwrap_or(STATE), is_beside: false })
    }
}

fn is_directory(path: &CStr) -> bool {
    file::is_directory_at(file::CWD, path)
}

fn has_services(path: &CStr) -> bool {
    let Ok(list) = dir::open(file::CWD, path) else { return false };
    let mut has = false;
    let _ = dir::each_name(&list, |name, _| has |= is_service(&list, name) && has_program(&list, name));
    has
}

/// Whether a service has something to run. What an earlier life has kept has not: in `env` a variable may have the name,
/// in `service` a service.
fn has_program(list: &OwnedFd, name: &CStr) -> bool {
    let is_there = |program| {
        let mut path = Text::<264>::new();
        let path = path.push(name.to_bytes()).push(program).c_str();
        path.is_some_and(|path| file::stat(list.as_fd(), path).is_ok_and(|stat| file::is_regular(&stat)))
    };
    name != c"env" && (is_there(b"/run".as_slice()) || is_there(b"/setup"))
}

/// Whether a name in a scan directory is that of a service.
pub fn is_service(list: &OwnedFd, name: &CStr) -> bool {
    let is_hidden = name.to_bytes().starts_with(b".");
    !is_hidden && file::is_directory_at(list.as_fd(), name)
}
