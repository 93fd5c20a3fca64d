//! switch_root: leaves an initramfs: makes another file system the root, removes the old one's content, which takes up
//! memory, and runs the new root's init as process 1.
//!
//! Exits 100 for a wrong command line, and 111 when something is not as it should be; then nothing has been changed.
//! Behind the point from which there is no way back what fails is warned of, and only an init that cannot be run is the
//! end, with 111. Nothing is allocated.

use super::{Applet, complain};
use core::ffi::CStr;
use svbox::cli::{Call, Complaint};
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::args::Args;
use svbox::sys::exec::{self, Arguments, Environment};
use svbox::sys::file::{self, CWD};
use svbox::sys::{AsFd, Errno, OwnedFd, Result as Done, c_str, dir, mount, process, stdio};
use svbox::text::{Cut, Text};

pub fn applet() -> Applet {
    Applet {
        text: b"\
switch_root [-c console] new_root new_init [arg ...]

Make the file system that is mounted on new_root the root, move /dev, /proc,
/sys and /run there, delete the old root, which is an initramfs, and run
new_init in the place of this process, which has to be process 1.

  -c console             make it standard input, output and error",
        usage_path: false,
        misuse: 100,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run,
    }
}

/// What moves along, if something is mounted there.
const MOUNTS: &[u8] = b"/dev /proc /sys /run";

fn run(call: &Call) -> Result<u8, Failure> {
    let (console, operands) = match options(call.operands()) {
        Ok(options) => options,
        Err(complaint) => return complain(call.argv0, complaint),
    };
    let (Some(path), Some(init)) = (operands.get(0), operands.get(1)) else { return Err(Failure::Usage) };
    let roots = Roots::find(path)?;
    roots.check(init)?;
    roots.switch()?;

    MOUNTS.parts(b' ').for_each(|path| roots.move_along(path));
    warn_if(b"unable to change to ", b"/", process::enter(c"/"));
    Eraser { top: &roots.old, device: roots.old_device, lifted: 0, changed: false, telling: false }.erase();
    if let Some(console) = console {
        warn_if(b"unable to open console ", console.to_bytes(), open_console(console));
    }
    let failed = |errno| unable(b"unable to run: ", init.to_bytes(), errno);
    let arguments = Arguments::new(operands.skip(1), None).map_err(failed)?;
    Err(failed(exec::replace(init, &arguments, &Environment::inherited())))
}

/// The console, if one is named, and what comes behind the options.
// Taken apart here, and without a copy: `Call::each` gives values without the NUL that the kernel needs.
fn options(mut args: Args) -> Result<(Option<&'static CStr>, Args), Complaint> {
    let mut console = None;
    while let Some((word, rest)) = args.split_first() {
        (console, args) = match word.to_bytes() {
            b"--" => return Ok((console, rest)),
            b"-c" => {
                let (value, rest) = rest.split_first().ok_or(Complaint::NoValue(b"c"))?;
                (Some(value), rest)
            }
            [b'-', b'c', ..] => (tail(word, 2), rest),
            [b'-', b'-', long @ ..] => return Err(Complaint::Illegal(long)),
            [b'-', letters @ ..] if !letters.is_empty() => {
                return Err(Complaint::Illegal(letters.get(..1).unwrap_or(letters)));
            }
            _ => break,
        };
    }
    Ok((console, args))
}

/// What follows the first bytes of a text.
fn tail(text: &CStr, from: usize) -> Option<&CStr> {
    c_str(text.to_bytes_with_nul().get(from..)?)
}

/// The root as it is and the one that is to be.
struct Roots<'a> {
    path: &'a [u8],
    old: OwnedFd,
    old_device: u64,
    new: OwnedFd,
    new_device: u64,
}

impl<'a> Roots<'a> {
    /// Sees to it that these are an initramfs that can be deleted and something else that stays.
    fn find(path: &'a CStr) -> Result<Self, Failure> {
        let shown = path.to_bytes();
        if !process::is_first() {
            return Err(fatal(&[b"not process 1"], None));
        }
        let old = dir::open(CWD, c"/").map_err(|errno| unable(b"unable to open ", b"/", errno))?;
        let new = file::open_place(CWD, path).map_err(|errno| unable(b"unable to open ", shown, errno))?;
        let (old_device, new_device) = (device(&old, c"."), device(&new, c"."));
        let why: &[u8] = if new_device == device(&new, c"..") {
            b": not a mount point"
        } else if new_device == old_device {
            b": in the same file system as /"
        } else if !mount::is_in_memory(&old) {
            b": / is neither a ramfs nor a tmpfs"
        } else {
            return Ok(Self { path: shown, old, old_device, new, new_device });
        };
        Err(fatal(&[shown, why], None))
    }

    /// Sees to it that the program can be run, and that the new root can be entered, by doing so and coming back: links
    /// lead elsewhere there.
    fn check(&self, init: &CStr) -> Result<(), Failure> {
        self.enter(&self.new)?;
        let runs = file::check_run(CWD, init);
        self.enter(&self.old)?;
        runs.map_err(|errno| fatal(&[b"unable to run in ", self.path, b": ", init.to_bytes()], Some(errno)))
    }

    fn enter(&self, root: &OwnedFd) -> Result<(), Failure> {
        let entered = process::enter_open(root.as_fd()).and_then(|()| process::change_root());
        entered.map_err(|errno| unable(CHANGE_ROOT, self.path, errno))
    }

    /// Puts the new root over the old one. This comes before anything is deleted, and before other mounts are moved: it
    /// is what can still fail, and if it does not there is no way back.
    fn switch(&self) -> Result<(), Failure> {
        let moved = process::enter_open(self.new.as_fd()).and_then(|()| mount::move_to(c".", c"/"));
        moved.map_err(|errno| unable(b"unable to move to /: ", self.path, errno))?;
        // What is mounted in the old root can only be reached from there.
        let entered = process::change_root().and_then(|()| process::enter_open(self.old.as_fd()));
        warn_if(CHANGE_ROOT, self.path, entered);
        Ok(())
    }

    /// Moves what is mounted on a directory of the old root to the same in the new one, or takes it away if there is no
    /// such directory, or something mounted on it already.
    fn move_along(&self, path: &[u8]) {
        let mut text = Text::<16>::new();
        let Some(there) = text.push(path).c_str() else { return };
        let Some(here) = tail(there, 1) else { return };
        if [0, self.old_device].contains(&device(&self.old, here)) {
            return;
        }
        let is_free = |stat: &file::Stat| file::is_directory(stat) && stat.st_dev == self.new_device;
        if file::stat(CWD, there).is_ok_and(|stat| is_free(&stat)) {
            let moved = mount::move_to(here, there);
            warn_if(b"unable to move to the new root: ", path, moved);
            if moved.is_ok() {
                return;
            }
        }
        warn_if(b"unable to unmount ", path, mount::detach(here));
    }
}

/// Removes all that is in one file system.
///
/// Only the top and one directory in it are ever open: a directory in the latter that is not empty is moved to the top,
/// and comes up there by and by. So neither depth nor width takes any memory.
struct Eraser<'a> {
    top: &'a OwnedFd,
    device: u64,
    /// How many directories have been moved to the top: the name of the last one.
    lifted: u64,
    /// Whether something has been removed or moved since the top was opened.
    changed: bool,
    /// Whether what is left now stays, and is to be told of.
    telling: bool,
}

/// Far more than there are directories in each other. Somebody who makes files all the time is not to keep us for ever.
const MOST_PASSES: u32 = 1 << 20;

impl Eraser<'_> {
    fn erase(&mut self) {
        let _ = (0..MOST_PASSES).all(|_| self.pass());
        self.telling = true;
        self.pass();
    }

    /// Goes through the top once; gives whether that has changed anything.
    fn pass(&mut self) -> bool {
        self.changed = false;
        // Opened anew: what has been read of a directory is not read again.
        let listed = dir::open(self.top.as_fd(), c".").and_then(|top| self.empty(&top, true));
        self.note(c"/", listed.and(Err(Errno::BUSY)));
        self.changed
    }

    /// Removes what is in a directory: the top or one in it.
    #[inline(never)]
    fn empty(&mut self, dir: &OwnedFd, at_top: bool) -> Done<()> {
        dir::each_name(dir, |name, is_directory| {
            let removed = match (is_directory, at_top) {
                (false, _) => file::remove(dir.as_fd(), name),
                (true, true) => self.directory(name),
                (true, false) => self.lift(dir, name),
            };
            self.note(name, removed);
        })
    }

    /// Removes a directory at the top with what is in it, unless it is of another file system.
    fn directory(&mut self, name: &CStr) -> Done<()> {
        let dir = dir::open_itself(self.top.as_fd(), name)?;
        if device(&dir, c".") != self.device {
            return Err(Errno::BUSY);
        }
        self.empty(&dir, false)?;
        file::remove_directory(self.top.as_fd(), name)
    }

    /// Removes a directory if it is empty, or moves it to the top.
    fn lift(&mut self, dir: &OwnedFd, name: &CStr) -> Done<()> {
        let mut done = file::remove_directory(dir.as_fd(), name);
        // At the top the name can be that of another one. A file of that name will be gone at the next pass.
        while done == Err(Errno::NOTEMPTY) {
            self.lifted += 1;
            let mut new = Text::<24>::new();
            let new = new.number(self.lifted).c_str().ok_or(Errno::NAMETOOLONG)?;
            done = file::rename_to(dir.as_fd(), name, self.top.as_fd(), new);
        }
        done
    }

    /// What is mounted in the old root stays, and so do the directories that lead there.
    fn note(&mut self, name: &CStr, done: Done<()>) {
        self.changed |= done.is_ok();
        if self.telling && !matches!(done, Err(Errno::BUSY | Errno::NOTEMPTY)) {
            warn_if(b"unable to remove from the old root: ", name.to_bytes(), done);
        }
    }
}

/// The device of a file, a link not followed; 0, which is none, if it is not there.
#[inline(never)]
fn device(at: &OwnedFd, path: &CStr) -> u64 {
    file::link_stat(at.as_fd(), path).map_or(0, |stat| stat.st_dev)
}

fn open_console(path: &CStr) -> Done<()> {
    // Not a standard descriptor itself, should one be closed.
    let console = file::above(file::open_read_write(path)?, 3)?;
    (0..3).try_for_each(|number| stdio::change(number, Some(console.as_fd())))
}

const CHANGE_ROOT: &[u8] = b"unable to change the root directory to ";

#[inline(never)]
fn warn_if(what: &[u8], on: &[u8], done: Done<()>) {
    if let Err(errno) = done {
        report().warn_of(what, on, errno);
    }
}

#[inline(never)]
fn unable(what: &[u8], on: &[u8], errno: Errno) -> Failure {
    fatal(&[what, on], Some(errno))
}

#[inline(never)]
fn fatal(parts: &[&[u8]], why: Option<Errno>) -> Failure {
    report().fatal(parts, why);
    Failure::Said(FATAL)
}

// Made anew: as a constant it would be memory that each process has to itself.
fn report() -> Reporter<'static> {
    Reporter { program: b"switch_root", subject: None, waits: true }
}
