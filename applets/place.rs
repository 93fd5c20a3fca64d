//! Where a service is looked for, and its files as paths: what sv, svc, svok and svstat share.
// A build with only some of them needs only some of this.
#![cfg_attr(not(all(feature = "sv", feature = "svstat")), allow(dead_code))]

use core::ffi::CStr;
use svbox::service::client::{self, NoStatus, NotSent};
use svbox::service::names::{File, Part, path};
#[cfg(feature = "policy")]
use svbox::service::needs;
use svbox::service::status::Status;
#[cfg(feature = "policy")]
use svbox::service::template;
use svbox::sys::{Errno, OwnedFd, Result, args, dir, file};
use svbox::text::{Cut, Text};

/// The services directory of this build, or what is used in the field; the first that is there. Before all comes the
/// one that pid1 makes where services cannot keep their state.
const USUAL: &str = match option_env!("SVBOX_SERVICE_DIR") {
    Some(dir) => dir,
    None => "/run/svbox/service /etc/service /var/service /run/runit/service /run/it/service /service",
};

const PATH_MAX: usize = 4096;

/// A service directory.
#[derive(Clone, Copy)]
pub struct Place {
    name: &'static [u8],
    /// The directory that the name is in; `None` if the name is a path.
    parent: Option<&'static [u8]>,
    /// If it is an instance of a template, or the log service of one: the instance in the name, and its argument.
    #[cfg(feature = "policy")]
    instance: Option<(&'static [u8], &'static [u8])>,
}

/// Where services are named from.
pub struct Finder(&'static [u8]);

impl Finder {
    /// `$SVDIR`, or the services directory of this machine.
    pub fn new() -> Self {
        Self(args::variable(b"SVDIR").unwrap_or_else(services_directory))
    }

    /// The service a name on the command line stands for: a path if it begins with `/` or `.` or ends with `/`,
    /// otherwise a name in the services directory.
    pub fn find(&self, name: &'static [u8]) -> Place {
        let is_path = matches!(name, [b'/' | b'.', ..] | [.., b'/']);
        Place::new(name, if is_path { None } else { Some(self.0) })
    }
}

fn services_directory() -> &'static [u8] {
    let mut usual = USUAL.as_bytes().parts(b' ');
    usual.find(|path| is_directory(path)).unwrap_or(b"/etc/service")
}

#[inline(never)]
fn is_directory(path: &[u8]) -> bool {
    let mut text = Text::<PATH_MAX>::new();
    let path = text.push(path).c_str();
    path.is_some_and(|path| file::is_directory_at(file::CWD, path))
}

/// A path for the kernel. One that is empty names nothing; one that does not fit names too much.
#[inline(never)]
fn c_str(path: &Text<PATH_MAX>) -> Result<&CStr> {
    match path.c_str() {
        Some(path) if path.is_empty() => Err(Errno::NOENT),
        Some(path) => Ok(path),
        None => Err(Errno::NAMETOOLONG),
    }
}

/// What is an instance of a template at this path, and its argument.
#[cfg(feature = "policy")]
fn instance(name: &'static [u8], parent: Option<&'static [u8]>) -> Option<(&'static [u8], &'static [u8])> {
    let length =
        template::argument(file::CWD, Place { name, parent, instance: None }.path(c"").bytes())?.len();
    Some((name, name.get(name.len().checked_sub(length)?..)?))
}

/// Where a supervisor keeps its state.
#[cfg(feature = "policy")]
const SUPERVISE: &CStr = c"supervise";

/// Whether a file is part of the state of a service.
#[cfg(feature = "policy")]
fn is_state(file: &CStr) -> bool {
    let file = file.to_bytes();
    file.strip_prefix(b"log/").unwrap_or(file).starts_with(b"supervise")
}

impl Place {
    /// The service at a path, as daemontools' programs take it: always from the current directory.
    pub fn at(path: &'static CStr) -> Self {
        Self::new(path.to_bytes(), None)
    }

    #[cfg(not(feature = "policy"))]
    fn new(name: &'static [u8], parent: Option<&'static [u8]>) -> Self {
        Self { name, parent }
    }

    #[cfg(feature = "policy")]
    fn new(name: &'static [u8], parent: Option<&'static [u8]>) -> Self {
        let mut place = Self { name, parent, instance: None };
        if memchr::memchr(b'@', name).is_some() {
            let end = name.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
            let whole = name.get(..end).unwrap_or(&[]);
            let log = whole.strip_suffix(b"/log").and_then(|service| instance(service, parent));
            place.instance = instance(whole, parent).or(log);
        }
        place
    }

    /// The services directory and the name in it; `None` if the name is a path.
    #[cfg(all(feature = "policy", feature = "sv"))]
    pub fn in_services_directory(&self) -> Option<(&'static [u8], &'static [u8])> {
        self.parent
            .filter(|parent| !parent.is_empty() && memchr::memchr(b'/', self.name).is_none())
            .map(|parent| (parent, self.name))
    }

    /// Whether it is the log service of the service directory that it is in, which has a supervisor.
    #[cfg(all(feature = "policy", feature = "sv"))]
    pub fn is_log(&self) -> bool {
        matches!(self.look(c"../supervise/ok"), Ok(Some(_)))
    }

    /// Opens the directory in which `supervise` is.
    #[cfg(feature = "policy")]
    pub fn open_state(&self) -> Result<OwnedFd> {
        let mut path = self.path(SUPERVISE);
        path.truncate(path.bytes().len().saturating_sub(SUPERVISE.count_bytes()));
        file::open_place(file::CWD, c_str(&path)?)
    }

    /// What a template's programs are given.
    #[cfg(feature = "policy")]
    pub fn argument(&self) -> &'static [u8] {
        self.instance.map_or(&[], |(_, argument)| argument)
    }

    /// The name as it was given.
    pub fn name(&self) -> &'static [u8] {
        self.name
    }

    /// Puts together the path of a file in the directory.
    #[inline(never)]
    fn path(&self, file: &CStr) -> Text<PATH_MAX> {
        let mut text = Text::new();
        match self.parent {
            // An empty SVDIR names no directory: it must not come to mean the root.
            Some(b"") => return text,
            _ if self.name.is_empty() => return text,
            Some(parent) => text.push(parent).push(b"/"),
            None => &mut text,
        };
        #[cfg(feature = "policy")]
        if let Some((instance, argument)) = self.instance.filter(|_| is_state(file)) {
            text.push(instance).push(b"/").push(template::INSTANCES.to_bytes()).push(b"/").push(argument);
            text.push(self.name.strip_prefix(instance).unwrap_or(&[])).push(b"/").push(file.to_bytes());
            return text;
        }
        text.push(self.name).push(b"/").push(file.to_bytes());
        text
    }

    /// Whether the directory can be entered.
    pub fn enter(&self) -> Result<()> {
        let stat = self.stat(c".")?;
        if file::is_directory(&stat) { Ok(()) } else { Err(Errno::NOTDIR) }
    }

    /// Whether the directory is there.
    pub fn exists(&self) -> bool {
        self.enter().is_ok()
    }

    /// Opens `supervise/ok`, if there is a supervisor.
    pub fn hold(&self, part: Part) -> Result<OwnedFd> {
        client::hold(file::CWD, c_str(&self.path(path(part, File::Ok)))?)
    }

    /// What its supervisor says of one part.
    pub fn status(&self, part: Part) -> core::result::Result<Status, NoStatus> {
        let (ok, status) = (self.path(path(part, File::Ok)), self.path(path(part, File::Status)));
        let ok = c_str(&ok).map_err(NoStatus::Ok)?;
        client::status(file::CWD, ok, c_str(&status).map_err(NoStatus::Open)?)
    }

    /// Sends command bytes.
    pub fn send(&self, bytes: &[u8]) -> core::result::Result<(), NotSent> {
        let control = self.path(path(Part::Main, File::Control));
        client::send(file::CWD, c_str(&control).map_err(NotSent::Open)?, bytes)
    }

    /// Opens the directory as a place to start a program in.
    pub fn open(&self) -> Result<OwnedFd> {
        file::open_place(file::CWD, c_str(&self.path(c"."))?)
    }

    /// Opens `supervise`, to be told of its changes.
    pub fn open_supervise(&self) -> Result<OwnedFd> {
        dir::open(file::CWD, c_str(&self.path(c"supervise"))?)
    }

    /// The directory that it is in, opened, and its name there; `None` if that is no name.
    #[cfg(feature = "policy")]
    pub fn open_scan(&self) -> Option<Result<(OwnedFd, Text<256>)>> {
        let (dir, name) = needs::split(self.named()?)?;
        let (mut path, mut text) = (Text::<PATH_MAX>::new(), Text::new());
        match (self.parent, dir) {
            (Some(parent), _) => path.push(parent),
            (None, b"") => path.push(b"."),
            (None, dir) => path.push(dir),
        };
        text.push(name);
        Some(c_str(&path).and_then(|path| file::open_place(file::CWD, path)).map(|scan| (scan, text)))
    }

    /// The path by the name of the service: what stands for the current directory is where the shell says that is, if that is
    /// true.
    #[cfg(feature = "policy")]
    fn named(&self) -> Option<&'static [u8]> {
        let mut path = self.name;
        while let Some(before) = path.strip_suffix(b"/").or_else(|| path.strip_suffix(b"/.")) {
            path = before;
        }
        if path != b"." {
            return Some(path);
        }
        let (shell, here) = (args::variable(b"PWD")?, file::stat(file::CWD, c"."));
        let mut text = Text::<PATH_MAX>::new();
        let there = c_str(text.push(shell)).and_then(|path| file::stat(file::CWD, path));
        file::is_same(there, here).then_some(shell)
    }

    /// Opens the directory of names `./NAME`.
    #[cfg(feature = "policy")]
    pub fn open_names(&self, name: &CStr) -> Result<OwnedFd> {
        dir::open(file::CWD, c_str(&self.path(name))?)
    }

    /// Opens `./NAME` to be read, and nothing that it leads to.
    #[cfg(feature = "policy")]
    pub fn open_file(&self, name: &CStr) -> Result<OwnedFd> {
        file::open_read_itself(file::CWD, c_str(&self.path(name))?)
    }

    /// What `./NAME` is, if it is there.
    pub fn look(&self, name: &CStr) -> Result<Option<file::Stat>> {
        match self.stat(name) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    #[inline(never)]
    fn stat(&self, name: &CStr) -> Result<file::Stat> {
        file::stat(file::CWD, c_str(&self.path(name))?)
    }
}
