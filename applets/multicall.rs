//! Finding the program that is meant: by the name of the call, through symbolic links, or as first argument.

use super::output::Output;
use super::{Applet, program};
use core::ffi::{CStr, c_int};
use svbox::cli::{base_name, last_part};
use svbox::report::Reporter;
use svbox::sys::args::{self, Args};
use svbox::sys::{AsFd, BorrowedFd, Errno, OwnedFd, file, process, stdio};
use svbox::text::{Text, place};

/// A text of builds that have the doctor.
#[cfg(feature = "doctor")]
macro_rules! with_doctor {
    ($text:literal) => {
        $text
    };
}
#[cfg(not(feature = "doctor"))]
macro_rules! with_doctor {
    ($text:literal) => {
        ""
    };
}

/// The name under which the program to run is the first argument.
const OWN_NAME: &[u8] = b"svbox";
const MISUSE: u8 = 100;
pub const VERSION: &str = concat!(" ", env!("CARGO_PKG_VERSION"), "\n");
pub const REPORT: Reporter<'_> = Reporter { program: OWN_NAME, subject: None, waits: true };
const HELP: &str = concat!(
    "\
usage: svbox program [arg ...]
       svbox --list
       svbox --install [-s] dir
",
    with_doctor!("       svbox --doctor [root]\n"),
    "       svbox --help | --version

A link with the name of a program is that program, and any other the init script
of the service of that name.

  --list             print their names
  --install dir      link each in dir; -s: by symbolic links
",
    with_doctor!("  --doctor root      say what to do about this machine, or an image below root\n"),
);

/// Runs the program that is meant; gives the exit code.
pub fn dispatch(args: Args) -> c_int {
    let argv0 = args.get(0).unwrap_or(c"svbox");
    let code = match base_name(argv0) {
        OWN_NAME => multicall(args.skip(1)),
        base => {
            let place = Applet::called(base).or_else(linked).or_else(|| Applet::place(b"sv"));
            start(place, argv0, args.skip(1))
        }
    };
    c_int::from(code)
}

/// Runs the program of a place, if it is one.
#[inline(never)]
fn start(at: Option<usize>, argv0: &'static CStr, args: Args) -> u8 {
    let Some(applet) = at.and_then(program) else { return no_program(argv0) };
    applet.name_process();
    // Process 1 gets words from the kernel that are not meant for it.
    let first = args.get(0).filter(|_| !applet.is_process_1());
    match first.and_then(|word| place(b"--version --help", word.to_bytes())) {
        Some(0) => print(&[b"svbox ", applet.name(), VERSION.as_bytes()]),
        Some(_) => help(&applet),
        None => applet.call(argv0, args),
    }
}

/// Prints what a program is for.
pub fn help(applet: &Applet) -> u8 {
    print(&[b"usage: ", applet.text, b"\n"])
}

fn no_program(name: &CStr) -> u8 {
    REPORT.fatal(&[b"no such program: ", name.to_bytes()], None);
    MISUSE
}

/// The program that the links lead to from the name that was executed, if it is one by name.
#[inline(never)]
fn linked() -> Option<usize> {
    let mut path = Text::<PATH_MAX>::new();
    path.push(args::executed()?.to_bytes());
    for _ in 0..MOST_LINKS {
        let mut text = [0; PATH_MAX];
        let text = file::read_link(file::CWD, path.c_str()?, &mut text).ok()?;
        let parent =
            if text.starts_with(b"/") { 0 } else { path.bytes().len() - last_part(path.bytes()).len() };
        path.truncate(parent);
        path.push(text);
        let place = Applet::place(last_part(path.bytes()));
        if place.is_some() {
            return place;
        }
    }
    None
}

/// As many links in a row as the kernel follows.
const MOST_LINKS: usize = 40;
const PATH_MAX: usize = 4096;

const OPTIONS: &[u8] = concat!("--list --install --help --version", with_doctor!(" --doctor")).as_bytes();

fn multicall(args: Args) -> u8 {
    stdio::fill(true);
    let Some(first) = args.get(0) else { return usage() };
    match place(OPTIONS, first.to_bytes()) {
        Some(0) => list(),
        Some(1) => install(args.skip(1)),
        Some(2) => print(&[HELP.as_bytes()]),
        Some(3) => print(&[b"svbox", VERSION.as_bytes()]),
        #[cfg(feature = "doctor")]
        Some(_) => super::doctor::doctor(args.skip(1)).unwrap_or_else(usage),
        _ => start(Applet::place(first.to_bytes()), first, args.skip(1)),
    }
}

fn usage() -> u8 {
    let _ = file::write_all(stdio::stderr(), HELP.as_bytes());
    MISUSE
}

// Kept apart, like the others below, for its large buffers: each page of the stack that start-up touches stays.
#[inline(never)]
fn print(parts: &[&[u8]]) -> u8 {
    let mut output = Output::new();
    for part in parts {
        output.put(part);
    }
    written(&mut output)
}

#[inline(never)]
fn list() -> u8 {
    let mut output = Output::new();
    for applet in Applet::all() {
        output.put(applet.name()).put(b"\n");
    }
    written(&mut output)
}

fn written(output: &mut Output) -> u8 {
    match output.flush() {
        Ok(()) => 0,
        Err(errno) => {
            REPORT.fatal_of(b"unable to write to standard output", b"", errno);
            1
        }
    }
}

/// Makes links; each that fails is reported and the others are made all the same.
#[inline(never)]
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
    Applet::all().fold(0, |code, applet| code | installer.install(applet.name()))
}

struct Installer<'a> {
    shown: &'a CStr,
    dir: OwnedFd,
    /// What links are made of: the path of this program, or the text of symbolic links.
    source: Text<PATH_MAX>,
    symbolic: bool,
}

impl<'a> Installer<'a> {
    fn new(shown: &'a CStr, symbolic: bool) -> Result<Self, (&'static [u8], Errno)> {
        let unknown = |errno| (b"find own path for".as_slice(), errno);
        let dir =
            file::open_place(file::CWD, shown).map_err(|errno| (b"open directory".as_slice(), errno))?;
        let mut text = [0; PATH_MAX];
        let own = file::read_link(file::CWD, c"/proc/self/exe", &mut text).map_err(unknown)?;
        let (mut path, mut beside) = (Text::new(), Text::new());
        path.push(own);
        beside.push(last_part(own));
        // A link beside the program stays right when the whole tree moves: an image is built somewhere else.
        let here = identity(dir.as_fd(), &beside);
        let is_beside = here.is_some() && here == identity(file::CWD, &path);
        let source = if symbolic && is_beside { beside } else { path };
        Ok(Self { shown, dir, source, symbolic })
    }

    /// Puts a link in the place of whatever has the name; gives the exit code.
    #[inline(never)]
    fn install(&self, name: &[u8]) -> u8 {
        // Of its own name it would lead to itself, and the program, or a link to it, would be gone.
        let done = if self.source.bytes() == name { Ok(()) } else { self.link(name) };
        if let Err(errno) = done {
            let slash: &[u8] = if self.shown.to_bytes().ends_with(b"/") { b"" } else { b"/" };
            REPORT.warn(&[b"unable to link ", self.shown.to_bytes(), slash, name], Some(errno));
        }
        u8::from(done.is_err())
    }

    fn link(&self, name: &[u8]) -> Result<(), Errno> {
        let at = self.dir.as_fd();
        let own = u64::from(process::number(process::own()));
        let (mut new, mut old) = (Text::<64>::new(), Text::<64>::new());
        let new = new.push(b".").push(name).push(b".").number(own).c_str().ok_or(Errno::NAMETOOLONG)?;
        let name = old.push(name).c_str().ok_or(Errno::NAMETOOLONG)?;
        let source = self.source.c_str().ok_or(Errno::NAMETOOLONG)?;
        if self.symbolic {
            file::symlink(at, source, new)?;
        } else {
            file::link(at, source, new)?;
        }
        let done = file::rename(at, new, name);
        // Left over if it failed, and also if both names were links to one file already.
        let _ = file::remove(at, new);
        done
    }
}

fn identity(at: BorrowedFd<'_>, path: &Text<PATH_MAX>) -> Option<(u64, u64)> {
    let stat = file::stat(at, path.c_str()?).ok()?;
    Some((stat.st_dev, stat.st_ino))
}
