//! Users and groups, as the files `/etc/passwd` and `/etc/group` have them: no other source is asked, and no code
//! but ours runs for it. Lines that are not what passwd(5) and group(5) describe are passed over.

use crate::sys::file::{self, CWD};
use crate::sys::{Errno, Result};
use crate::text::parse;
use core::ffi::CStr;

/// What an account stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
}

/// The account of that name.
pub fn user(name: &[u8]) -> Result<Option<Account>> {
    find(c"/etc/passwd", |line| account(line).filter(|(found, _)| *found == name).map(|(_, account)| account))
}

/// The first account of that user.
pub fn user_by_number(uid: u32) -> Result<Option<Account>> {
    find(c"/etc/passwd", |line| {
        account(line).filter(|(_, account)| account.uid == uid).map(|(_, account)| account)
    })
}

/// The group of that name.
pub fn group(name: &[u8]) -> Result<Option<u32>> {
    find(c"/etc/group", |line| {
        let mut fields = line.split(|&byte| byte == b':');
        let found = fields.next()?;
        let gid = number(fields.nth(1)?)?;
        (found == name && is_name(name)).then_some(gid)
    })
}

/// A number that can be an id: all but the highest one, which the kernel takes for none.
pub fn number(digits: &[u8]) -> Option<u32> {
    u32::try_from(parse(digits)?).ok().filter(|id| *id != u32::MAX)
}

fn account(line: &[u8]) -> Option<(&[u8], Account)> {
    let mut fields = line.split(|&byte| byte == b':');
    let name = fields.next().filter(|name| is_name(name))?;
    let uid = number(fields.nth(1)?)?;
    let gid = number(fields.next()?)?;
    Some((name, Account { uid, gid }))
}

/// Whether a line that begins so is an account: not a comment, nor what stands for the accounts of another source.
fn is_name(name: &[u8]) -> bool {
    !matches!(name, [] | [b'+' | b'-' | b'#', ..])
}

/// How much of a line is looked at: what is of interest stands at its beginning, members of a group at its end.
const ROOM: usize = 4096;

/// The first line of a file in which `pick` finds something.
fn find<T>(path: &CStr, pick: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>> {
    let fd = file::open_read(CWD, path)?;
    let mut buffer = [0; ROOM];
    let mut len = 0;
    // Whether what comes next is the rest of a line that did not fit.
    let mut in_rest = false;
    loop {
        let count = file::read_some(&fd, buffer.get_mut(len..).unwrap_or(&mut []))?.ok_or(Errno::AGAIN)?;
        len += count;
        let mut text = buffer.get(..len).unwrap_or(&[]);
        while let Some((line, rest)) = memchr::memchr(b'\n', text).and_then(|end| text.split_at_checked(end))
        {
            text = rest.get(1..).unwrap_or(&[]);
            if let (false, Some(found)) = (core::mem::take(&mut in_rest), pick(line)) {
                return Ok(Some(found));
            }
        }
        if count == 0 || text.len() == ROOM {
            if count > 0 {
                // The last field may have been cut off.
                text = text.get(..memchr::memrchr(b':', text).unwrap_or(0)).unwrap_or(&[]);
            }
            if let (false, Some(found)) = (in_rest, pick(text)) {
                return Ok(Some(found));
            }
            if count == 0 {
                return Ok(None);
            }
            (in_rest, len) = (true, 0);
        } else {
            let left = text.len();
            buffer.copy_within(len - left..len, 0);
            len = left;
        }
    }
}
