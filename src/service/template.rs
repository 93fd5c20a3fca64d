//! Templates: a link `NAME@ARGUMENT` to a service directory `NAME@` is a service of its own, whose programs are given the
//! argument, and whose state is kept in `instances/ARGUMENT` of that directory.

use crate::sys::{BorrowedFd, file};
use crate::text::{Cut, Text};
use core::ffi::CStr;

/// Where the state of each is kept.
pub const INSTANCES: &CStr = c"instances";
/// The longest path and the longest text of a link that are understood.
const LONGEST: usize = 1024;

/// Whether a name is that of a template itself, which is no service.
pub fn is_template(name: &[u8]) -> bool {
    name.ends_with(b"@")
}

/// The argument in the path of a service directory below `at`, if that is a link to a template.
pub fn argument<'n>(at: BorrowedFd<'_>, path: &'n [u8]) -> Option<&'n [u8]> {
    if memchr::memchr(b'@', path).is_some() { linked(at, path) } else { None }
}

/// The same, for what may be one. Kept apart for its large buffers: pages of the stack that start-up touches stay with the
/// process.
#[inline(never)]
fn linked<'n>(at: BorrowedFd<'_>, path: &'n [u8]) -> Option<&'n [u8]> {
    let name = base(path);
    let mut link = Text::<LONGEST>::new();
    let link = link.push(trimmed(path)).c_str()?;
    let mut text = [0; LONGEST];
    let target = file::read_link(at, link, &mut text).ok()?;
    let template = base(target);
    let argument = name.strip_prefix(template).filter(|_| is_template(template))?;
    (!matches!(argument, b"" | b"." | b"..")).then_some(argument)
}

/// The last part of a path.
fn base(path: &[u8]) -> &[u8] {
    trimmed(path).behind(b'/')
}

fn trimmed(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    path.get(..end).unwrap_or(&[])
}
