//! Users and groups, as the files `/etc/passwd` and `/etc/group` have them: no other source is asked, and no code
//! but ours runs for it. Lines that are not what passwd(5) and group(5) describe are passed over.

use crate::sys::file::{self, CWD};
use crate::sys::{Errno, Result};
use crate::text::{Cut, parse};
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
    find_user(&|found, _| found == name)
}

/// The first account of that user.
pub fn user_by_number(uid: u32) -> Result<Option<Account>> {
    find_user(&|_, found| found.uid == uid)
}

/// The group of that name.
pub fn group(name: &[u8]) -> Result<Option<u32>> {
    let mut gid = None;
    find(c"/etc/group", &mut |line| {
        gid = fields(line).filter(|(found, _)| *found == name).and_then(|(_, [gid, _])| number(gid));
        gid.is_some()
    })?;
    Ok(gid)
}

fn find_user(is_it: &dyn Fn(&[u8], Account) -> bool) -> Result<Option<Account>> {
    let mut account = None;
    find(c"/etc/passwd", &mut |line| {
        account = fields(line).and_then(|(name, [uid, gid])| {
            let account = Account { uid: number(uid)?, gid: number(gid)? };
            is_it(name, account).then_some(account)
        });
        account.is_some()
    })?;
    Ok(account)
}

/// A number that can be an id: all but the highest one, which the kernel takes for none.
pub fn number(digits: &[u8]) -> Option<u32> {
    u32::try_from(parse(digits)?).ok().filter(|id| *id != u32::MAX)
}

/// The name a line begins with, and the two fields behind the password: an empty one if there is none.
fn fields(line: &[u8]) -> Option<(&[u8], [&[u8]; 2])> {
    let mut fields = line.parts(b':');
    let name = fields.next().filter(|name| is_name(name))?;
    let first = fields.nth(1)?;
    Some((name, [first, fields.next().unwrap_or(b"")]))
}

/// Whether a line that begins so is an account: not a comment, nor what stands for the accounts of another source.
fn is_name(name: &[u8]) -> bool {
    !matches!(name, [] | [b'+' | b'-' | b'#', ..])
}

/// How much of a line is looked at: what is of interest stands at its beginning, members of a group at its end.
const ROOM: usize = 4096;

/// Goes through the lines of a file until `take` has what it looks for.
fn find(path: &CStr, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<()> {
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
            if !core::mem::take(&mut in_rest) && take(line) {
                return Ok(());
            }
        }
        let left = text.len();
        if count == 0 || left == ROOM {
            if count > 0 {
                // The last field may have been cut off.
                text = text.get(..memchr::memrchr(b':', text).unwrap_or(0)).unwrap_or(&[]);
            }
            if !in_rest && take(text) || count == 0 {
                return Ok(());
            }
            (in_rest, len) = (true, 0);
        } else {
            buffer.copy_within(len - left..len, 0);
            len = left;
        }
    }
}
