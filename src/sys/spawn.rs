//! Starting a program in a child process.
//!
//! The child borrows our memory until it runs the program, as with vfork(2): nothing is copied, and we go on
//! when the program has been loaded. What cannot be done is reported from within the child.

use super::process::Pid;
use super::signal::Mask;
use super::{AsRawFd, BorrowedFd, Errno, OwnedFd, Result, again, ffi, process, vfork};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use rustix::fd::FromRawFd;

/// The most arguments that a program is given.
const MOST_ARGS: usize = 7;

/// Arguments as `execve` takes them.
pub(super) struct ArgList<'a> {
    pointers: [*const c_char; MOST_ARGS + 1],
    borrowed: PhantomData<&'a CStr>,
}

impl<'a> ArgList<'a> {
    /// The list of these, of which there are seven at most.
    pub fn new(args: &[&'a CStr]) -> Self {
        debug_assert!(args.len() <= MOST_ARGS);
        let mut pointers = [core::ptr::null(); MOST_ARGS + 1];
        for (slot, arg) in pointers.iter_mut().take(MOST_ARGS).zip(args) {
            *slot = arg.as_ptr();
        }
        Self { pointers, borrowed: PhantomData }
    }

    /// Adds one more behind them, unless there is no room.
    #[cfg(feature = "policy")]
    fn add(&mut self, arg: &'a CStr) {
        if let Some(slot) = self.pointers.iter_mut().take(MOST_ARGS).find(|slot| slot.is_null()) {
            *slot = arg.as_ptr();
        }
    }

    pub fn pointer(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// What a program finds besides what all have.
#[derive(Clone, Copy)]
pub struct More<'a> {
    /// More descriptors, and the number that each has there, which none but itself of these has here.
    pub descriptors: &'a [(BorrowedFd<'a>, c_int)],
    /// One more argument, behind the others, of 255 bytes at most and without a NUL. What is empty is none.
    #[cfg(feature = "policy")]
    pub argument: &'a [u8],
    /// What it finds in its environment besides ours, or in the place of it: `NAME=VALUE`. What is empty is none.
    #[cfg(feature = "policy")]
    pub variables: [Option<&'a CStr>; 2],
}

impl<'a> More<'a> {
    /// Nothing.
    pub const NONE: Self = Self::with(&[]);

    /// These descriptors.
    pub const fn with(descriptors: &'a [(BorrowedFd<'a>, c_int)]) -> Self {
        Self {
            descriptors,
            #[cfg(feature = "policy")]
            argument: &[],
            #[cfg(feature = "policy")]
            variables: [None; 2],
        }
    }
}

/// What a child does before the program runs, and with what.
pub struct Spawn<'a> {
    /// The program: a path, never searched for.
    pub path: &'a CStr,
    /// Its arguments, the name first; seven at most.
    pub args: &'a [&'a CStr],
    /// The directory it starts in.
    pub directory: Option<BorrowedFd<'a>>,
    /// A directory below that one.
    pub below: Option<&'a CStr>,
    /// Its standard input, if not ours.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Its standard output, if not ours.
    pub stdout: Option<BorrowedFd<'a>>,
    /// What else it finds.
    pub more: &'a More<'a>,
    /// The signals it finds blocked.
    pub mask: &'a Mask,
    /// Whether it leads a session of its own.
    pub session: bool,
    /// The exit code of a child that could not run the program.
    pub failure_code: u8,
    /// Called in the child before the descriptors above and the mask are put in place, with the same limits as `failed`.
    pub ready: Option<&'a dyn Fn()>,
    /// Called in the child that could not run the program. It shares our memory and must not change it,
    /// allocate, or wait for anybody.
    pub failed: &'a dyn Fn(Step, Errno),
}

/// What a child that could not run the program was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Putting a descriptor in its place.
    Descriptor,
    /// Entering the directory.
    Directory,
    /// Running the program.
    Run,
}

impl Spawn<'_> {
    /// Starts the program; gives the process number of the child, whether or not the program could be run.
    pub fn start(&self) -> Result<Pid> {
        self.start_as(child)
    }

    /// The same for one that leads a process group of its own, and leads no session.
    #[cfg(feature = "policy")]
    pub fn start_group(&self) -> Result<Pid> {
        debug_assert!(!self.session, "who leads a session leads a group");
        self.start_as(leader)
    }

    fn start_as(&self, child: vfork::Child) -> Result<Pid> {
        let arg = core::ptr::from_ref(self).cast_mut().cast::<c_void>();
        // SAFETY: this thread, the only one, is held until the child has called execve or _exit, so `self` outlives
        // the child's use of it. The child only reads our memory.
        let pid = unsafe { vfork::start(child, arg) }?;
        Pid::from_raw(pid).ok_or(Errno::CHILD)
    }

    fn prepare_and_run(&self) -> (Step, Errno) {
        if self.session {
            // A new child leads no process group, so this cannot fail.
            let _ = rustix::process::setsid();
        }
        for (fd, place) in [(self.stdin, 0), (self.stdout, 1)] {
            if let Some(fd) = fd
                && let Err(errno) = put(fd, place)
            {
                return (Step::Descriptor, errno);
            }
        }
        if let Err(errno) = self.enter() {
            return (Step::Directory, errno);
        }
        if let Some(ready) = self.ready {
            ready();
        }
        // Last, for they may take the places of ours.
        for (fd, place) in self.more.descriptors {
            if let Err(errno) = put_above(*fd, *place) {
                return (Step::Descriptor, errno);
            }
        }
        #[cfg(feature = "in-process")]
        super::limit::restore_files();
        self.mask.set();
        (Step::Run, replace(self.path, self.args, self.more))
    }

    fn enter(&self) -> Result<()> {
        if let Some(directory) = self.directory {
            rustix::process::fchdir(directory)?;
        }
        match self.below {
            Some(below) => rustix::process::chdir(below),
            None => Ok(()),
        }
    }
}

extern "C" fn child(arg: *mut c_void) -> ! {
    // SAFETY: `start` passes a `Spawn` that it borrows until we have called execve or _exit.
    let spawn = unsafe { &*arg.cast::<Spawn>() };
    let (step, errno) = spawn.prepare_and_run();
    (spawn.failed)(step, errno);
    process::exit(spawn.failure_code)
}

#[cfg(feature = "policy")]
extern "C" fn leader(arg: *mut c_void) -> ! {
    // A new child leads no session, so this cannot fail.
    let _ = process::lead_group();
    child(arg)
}

fn put(fd: BorrowedFd<'_>, place: c_int) -> Result<()> {
    debug_assert!(fd.as_raw_fd() > 2, "standard descriptors are filled at start-up");
    match place {
        0 => rustix::stdio::dup2_stdin(fd),
        _ => rustix::stdio::dup2_stdout(fd),
    }
}

fn put_above(fd: BorrowedFd<'_>, place: c_int) -> Result<()> {
    if fd.as_raw_fd() == place {
        return super::file::keep_over_exec(fd);
    }
    // SAFETY: the child has a table of descriptors of its own, in which nothing else refers to this number.
    let mut there = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(place) });
    again(|| rustix::io::dup2(fd, &mut there))
}

/// The longest argument that [`More`] takes.
#[cfg(feature = "policy")]
const LONGEST_ARGUMENT: usize = 255;

/// Text with a NUL behind it; nothing if there is one in it, or too little room.
#[cfg(feature = "policy")]
fn ended<'r>(room: &'r mut [u8], text: &[u8]) -> &'r CStr {
    if let Some(start) = room.get_mut(..text.len()) {
        start.copy_from_slice(text);
    }
    super::c_str(room).unwrap_or(c"")
}

/// Replaces this process by the program. Comes back only to say why it could not.
#[cfg_attr(not(feature = "policy"), allow(unused_variables))]
pub fn replace(path: &CStr, args: &[&CStr], more: &More<'_>) -> Errno {
    #[cfg(feature = "policy")]
    if !more.argument.is_empty() || more.variables.iter().flatten().any(|variable| !variable.is_empty()) {
        return replace_with(path, args, more);
    }
    replace_by(path, &ArgList::new(args))
}

fn replace_by(path: &CStr, list: &ArgList<'_>) -> Errno {
    // SAFETY: an ArgList can only be built as an array of pointers to NUL-terminated strings that are still
    // borrowed, with a null pointer last; the environment is the kernel's own.
    unsafe { ffi::execve(path, list.pointer(), ffi::environment()) }
}

/// Room for the pointer to a variable, or the null pointer behind the last one.
#[cfg(feature = "policy")]
type Slot = core::mem::MaybeUninit<*const c_char>;

/// The same with an argument and variables of its own. Kept apart, and for a usual environment with a small list: it is the
/// stack of a supervisor that is used here, and keeps the pages that have been touched.
#[cfg(feature = "policy")]
#[inline(never)]
fn replace_with(path: &CStr, args: &[&CStr], more: &More<'_>) -> Errno {
    const USUAL: usize = 128;
    let mut room = [0; LONGEST_ARGUMENT + 1];
    let mut list = ArgList::new(args);
    if !more.argument.is_empty() {
        list.add(ended(&mut room, more.argument));
    }
    let variables = more.variables.map(|text| text.filter(|text| !text.is_empty()));
    if variables.iter().all(Option::is_none) {
        return replace_by(path, &list);
    }
    replace_among(path, &list, &variables, &mut [Slot::uninit(); USUAL + 1])
        .unwrap_or_else(|| replace_among_many(path, &list, &variables))
}

#[cfg(feature = "policy")]
#[inline(never)]
fn replace_among_many(path: &CStr, list: &ArgList<'_>, variables: &[Option<&CStr>]) -> Errno {
    const MOST: usize = 8192;
    replace_among(path, list, variables, &mut [Slot::uninit(); MOST + 1]).unwrap_or(Errno::TOOBIG)
}

/// What sd_watchdog_enabled(3) looks at. Whatever we have found there is about ourselves, and a program with variables of
/// its own would take it for its own.
#[cfg(feature = "policy")]
const ABOUT_US: &[u8] = b"WATCHDOG_";

/// Replaces this process by the program with variables besides ours, or in the place of those. `None` if there is no room
/// for all of them.
#[cfg(feature = "policy")]
#[inline(never)]
fn replace_among(
    path: &CStr,
    list: &ArgList<'_>,
    variables: &[Option<&CStr>],
    pointers: &mut [Slot],
) -> Option<Errno> {
    let name = |entry: &CStr| entry.to_bytes().iter().position(|&byte| byte == b'=');
    let is_replaced = |entry: &CStr| {
        let name = name(entry).and_then(|end| entry.to_bytes().get(..=end));
        let is_ours = |variable: &CStr| name.is_some_and(|name| variable.to_bytes().starts_with(name));
        entry.to_bytes().starts_with(ABOUT_US) || variables.iter().flatten().any(|known| is_ours(known))
    };
    let mut free = pointers.iter_mut();
    let mut put = |entry| free.next().map(|place| _ = place.write(entry)).is_some();
    let fits =
        super::args::environment().filter(|entry| !is_replaced(entry)).all(|entry| put(entry.as_ptr()))
            && variables.iter().flatten().all(|variable| put(variable.as_ptr()))
            && put(core::ptr::null());
    // SAFETY: as in `replace_by`; the environment is an array that begins with pointers to NUL-terminated strings that
    // stay or are borrowed, with a null pointer behind them, where it ends for the kernel.
    fits.then(|| unsafe { ffi::execve(path, list.pointer(), pointers.as_ptr().cast()) })
}
