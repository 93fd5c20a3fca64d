//! Finding the program that is meant: by the name of the call, through symbolic links, or as first argument.

use super::{APPLETS, Applet};
use core::ffi::{CStr, c_int};
use std::ffi::CString;
use svbox::cli::base_name;
use svbox::report::Reporter;
use svbox::sys::args::{self, Args};
use svbox::sys::{AsFd, BorrowedFd, Errno, OwnedFd, file, process, stdio};

/// The name under which the program to run is the first argument.
const OWN_NAME: &[u8] = b"svbox";
const MISUSE: u8 = 100;
const REPORT: Reporter<'_> = Reporter { program: OWN_NAME, subject: b"", waits: true };
const HELP: &str = "\
usage: svbox program [arg ...]
       svbox --list
       svbox --install [-s] dir
       svbox --help | --version

A link to svbox with the name of a program is that program. A link with any other
name is sv for the service of that name, as an init script: name command.

  --list             print the names of the programs
  --install dir      make a hard link for each program in dir
  --install -s dir   make symbolic links
  --help             print this text
  --version          print the version
";

/// Runs the program that is meant; gives the exit code.
pub fn dispatch(args: Args) -> c_int {
    let argv0 = args.get(0).unwrap_or(c"svbox");
    let code = match base_name(argv0) {
        OWN_NAME => multicall(args.skip(1)),
        base => match Applet::named(base).or_else(linked).or_else(|| Applet::named(b"sv")) {
            Some(applet) => start(applet, argv0, args.skip(1)),
            None => no_program(argv0),
        },
    };
    c_int::from(code)
}

fn start(applet: &'static Applet, argv0: &'static CStr, args: Args) -> u8 {
    applet.name_process();
    match args.get(0).map(CStr::to_bytes) {
        Some(b"--version") => version(applet.name),
        _ => applet.call(argv0, args),
    }
}

fn no_program(name: &CStr) -> u8 {
    REPORT.fatal(&[b"no such program: ", name.to_bytes()], None);
    MISUSE
}

/// The program that the links lead to from the name that was executed, if it is one by name.
fn linked() -> Option<&'static Applet> {
    let mut path = args::executed()?.to_owned();
    for _ in 0..MOST_LINKS {
        let mut text = [0; PATH_MAX];
        let text = file::read_link(file::CWD, &path, &mut text).ok()?;
        let start = if text.starts_with(b"/") { b"".as_slice() } else { directory_of(path.to_bytes()) };
        path = CString::new([start, text].concat()).ok()?;
        if let Some(applet) = Applet::named(base_name(&path)) {
            return Some(applet);
        }
    }
    None
}

/// As many links in a row as the kernel follows.
const MOST_LINKS: usize = 40;
const PATH_MAX: usize = 4096;

/// All of a path before its last part.
fn directory_of(path: &[u8]) -> &[u8] {
    path.strip_suffix(path.rsplit(|&byte| byte == b'/').next().unwrap_or(b"")).unwrap_or(b"")
}

fn multicall(args: Args) -> u8 {
    stdio::fill();
    let Some(first) = args.get(0) else { return usage() };
    match first.to_bytes() {
        b"--list" => list(),
        b"--install" => install(args.skip(1)),
        b"--help" => print(HELP),
        b"--version" => version(""),
        name => match Applet::named(name) {
            Some(applet) => start(applet, first, args.skip(1)),
            None => no_program(first),
        },
    }
}

fn usage() -> u8 {
    let _ = file::write_all(stdio::stderr(), HELP.as_bytes());
    MISUSE
}

fn print(text: &str) -> u8 {
    match file::write_all(stdio::stdout(), text.as_bytes()) {
        Ok(()) => 0,
        Err(errno) => {
            REPORT.fatal(&[b"unable to write to standard output"], Some(errno));
            1
        }
    }
}

fn version(applet: &str) -> u8 {
    let between = if applet.is_empty() { "" } else { " " };
    print(&["svbox", between, applet, " ", env!("CARGO_PKG_VERSION"), "\n"].concat())
}

fn list() -> u8 {
    print(&APPLETS.iter().flat_map(|applet| [applet.name, "\n"]).collect::<String>())
}

/// Makes links; each that fails is reported and the others are made all the same.
fn install(args: Args) -> u8 {
    let (symbolic, dir) = match (args.get(0).map(CStr::to_bytes), args.len()) {
        (Some(b"-s"), 2) => (true, args.get(1)),
        (Some(word), 1) if word != b"-s" => (false, args.get(0)),
        _ => (false, None),
    };
    let Some(dir) = dir else { return usage() };
    let installer = match Installer::new(dir, symbolic) {
        Ok(installer) => installer,
        Err((what, errno)) => {
            REPORT.fatal(&[b"unable to ", what, b" ", dir.to_bytes()], Some(errno));
            return 1;
        }
    };
    let failed = APPLETS.iter().filter(|applet| !installer.install(applet.name)).count();
    u8::from(failed > 0)
}

struct Installer<'a> {
    shown: &'a CStr,
    dir: OwnedFd,
    /// What links are made of: the path of this program, or the text of symbolic links.
    source: CString,
    symbolic: bool,
}

impl<'a> Installer<'a> {
    fn new(shown: &'a CStr, symbolic: bool) -> Result<Self, (&'static [u8], Errno)> {
        let dir = file::open_place(file::CWD, shown).map_err(|errno| (b"open directory".as_slice(), errno))?;
        let mut text = [0; PATH_MAX];
        let own = file::read_link(file::CWD, c"/proc/self/exe", &mut text).map_err(|errno| (b"find own path for".as_slice(), errno))?;
        let path = CString::new(own).map_err(|_| (b"find own path for".as_slice(), Errno::INVAL))?;
        // A link beside the program stays right when the whole tree moves: an image is built somewhere else.
        let beside = CString::new(base_name(&path)).unwrap_or_default();
        let same = |at: BorrowedFd<'_>, name: &CStr| file::stat(at, name).ok().map(|stat| (stat.st_dev, stat.st_ino));
        let is_beside = same(dir.as_fd(), &beside).is_some_and(|here| Some(here) == same(file::CWD, &path));
        let source = if symbolic && is_beside { beside } else { path };
        Ok(Self { shown, dir, source, symbolic })
    }

    /// Puts a link in the place of whatever has the name; gives whether that worked.
    fn install(&self, name: &str) -> bool {
        let done = self.link(name);
        if let Err(errno) = done {
            let slash: &[u8] = if self.shown.to_bytes().ends_with(b"/") { b"" } else { b"/" };
            REPORT.warn(&[b"unable to link ", self.shown.to_bytes(), slash, name.as_bytes()], Some(errno));
        }
        done.is_ok()
    }

    fn link(&self, name: &str) -> Result<(), Errno> {
        let at = self.dir.as_fd();
        let new = CString::new(format!(".{name}.{}", process::own().as_raw_nonzero())).map_err(|_| Errno::INVAL)?;
        let name = CString::new(name).map_err(|_| Errno::INVAL)?;
        if self.symbolic {
            file::symlink(at, &self.source, &new)?;
        } else {
            file::link(at, &self.source, &new)?;
        }
        let done = file::rename(at, &new, &name);
        // Left over if it failed, and also if both names were links to one file already.
        let _ = file::remove(at, &new);
        done
    }
}
