//! Running a program in our own place, with other arguments or another environment.

use super::args::{self, Args};
use super::spawn::ArgList;
use super::{Errno, Result, ffi, heap};
use core::ffi::{CStr, c_char};

/// The environment that a program is to have: strings that stay, `NAME=VALUE`.
pub struct Environment {
    /// With a null pointer last; `None` as long as it is ours.
    changed: Option<Vec<*const c_char>>,
}

impl Environment {
    /// Ours.
    pub const fn inherited() -> Self {
        Self { changed: None }
    }

    /// Takes all variables away.
    pub fn clear(&mut self) -> Result<()> {
        self.list(0)?.truncate(0);
        self.list(1).map(|list| list.push(core::ptr::null()))
    }

    /// Sets a variable in the place of what has its name.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<()> {
        let entry = heap::keep(&[name, b"=", value])?.as_ptr();
        self.unset(name)?;
        let list = self.list(1)?;
        let end = list.len().saturating_sub(1);
        list.insert(end, entry);
        Ok(())
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &[u8]) -> Result<()> {
        let list = self.list(0)?;
        list.retain(|&entry| {
            // SAFETY: each pointer of the list that is not null is to a NUL-terminated string that stays.
            let has_name = || is_named(unsafe { CStr::from_ptr(entry) }.to_bytes(), name);
            entry.is_null() || !has_name()
        });
        Ok(())
    }

    /// The list as one that can be changed, with room for so many more.
    fn list(&mut self, room: usize) -> Result<&mut Vec<*const c_char>> {
        let list = match &mut self.changed {
            Some(list) => list,
            none => none.insert(own()?),
        };
        list.try_reserve(room).map_err(|_| Errno::NOMEM)?;
        Ok(list)
    }

    fn pointer(&self) -> *const *const c_char {
        self.changed.as_ref().map_or_else(ffi::environment, |list| list.as_ptr())
    }
}

/// Our environment, copied.
fn own() -> Result<Vec<*const c_char>> {
    let entries = args::environment;
    let mut list = Vec::new();
    list.try_reserve(entries().count() + 1).map_err(|_| Errno::NOMEM)?;
    list.extend(entries().map(CStr::as_ptr));
    list.push(core::ptr::null());
    Ok(list)
}

fn is_named(entry: &[u8], name: &[u8]) -> bool {
    entry.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="))
}

/// The arguments that a program is to have, its name first.
pub struct Arguments {
    list: *const *const c_char,
}

impl Arguments {
    /// These, or, with an `argv0`, that one in the place of the first.
    pub fn new(args: Args, argv0: Option<&'static CStr>) -> Result<Self> {
        // Without any there is no null pointer behind them.
        args.get(0).ok_or(Errno::INVAL)?;
        let Some(argv0) = argv0 else { return Ok(Self { list: args.pointer() }) };
        let mut list = Vec::new();
        list.try_reserve(args.len() + 2).map_err(|_| Errno::NOMEM)?;
        list.push(argv0.as_ptr());
        list.extend(args.skip(1).iter().map(CStr::as_ptr));
        list.push(core::ptr::null());
        Ok(Self { list: list.leak().as_ptr() })
    }
}

/// Replaces this process by the program at `path`. Comes back only to say why it could not.
pub fn replace(path: &CStr, arguments: &Arguments, environment: &Environment) -> Errno {
    // SAFETY: both can only be built as arrays of pointers to NUL-terminated strings that stay, with a null pointer
    // last; the arrays stay as well, or live in what is borrowed.
    unsafe { ffi::execve(path, arguments.list, environment.pointer()) }
}

/// The same with a few arguments that need not stay.
pub fn replace_by(path: &CStr, args: &[&CStr], environment: &Environment) -> Errno {
    let list = ArgList::new(args);
    // SAFETY: an ArgList can only be built as an array of pointers to NUL-terminated strings that are still borrowed,
    // with a null pointer last; the environment as above.
    unsafe { ffi::execve(path, list.pointer(), environment.pointer()) }
}
