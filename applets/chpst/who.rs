//! The user and groups that an option names.

use super::unable::Unable;
use core::cell::OnceCell;
use core::ffi::CStr;
use svbox::account::{self, number};
use svbox::sys::exec::Environment;
use svbox::sys::{Errno, capability, identity};
use svbox::text::{Cut, Text};

/// What an option says, and what that was found to be.
pub struct Who {
    text: &'static CStr,
    /// Whether it is the name of an account and nothing else.
    plain: bool,
    ids: OnceCell<Ids>,
}

/// A user, and groups of which the first is the main one.
struct Ids {
    user: u32,
    groups: Vec<u32>,
}

/// Why there are no ids.
enum Unfound {
    /// No such name.
    Unknown,
    /// No such numbers.
    Invalid,
    /// There is no memory for them.
    Memory,
    /// A file cannot be read.
    System(Errno),
}

impl From<Errno> for Unfound {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

impl Who {
    /// `user`, `user:group[:group...]` or `:uid:gid[:gid...]`.
    pub const fn new(text: &'static CStr) -> Self {
        Self { text, plain: false, ids: OnceCell::new() }
    }

    /// The name of an account.
    pub const fn account(text: &'static CStr) -> Self {
        Self { text, plain: true, ids: OnceCell::new() }
    }

    /// Looks it up, unless it has been found before.
    pub fn look_up(&self) -> Result<(), Unable> {
        self.ids().map(drop)
    }

    fn ids(&self) -> Result<&Ids, Unable> {
        if let Some(ids) = self.ids.get() {
            return Ok(ids);
        }
        let ids = self.find().map_err(|why| self.unable(&why))?;
        Ok(self.ids.get_or_init(|| ids))
    }

    fn find(&self) -> Result<Ids, Unfound> {
        let text = self.text.to_bytes();
        if self.plain {
            let found = account::user(text)?.ok_or(Unfound::Unknown)?;
            let mut groups = Vec::new();
            add(&mut groups, found.gid)?;
            return Ok(Ids { user: found.uid, groups });
        }
        let mut parts = text.parts(b':');
        let user = parts.next().unwrap_or(b"");
        match text.first() {
            Some(b':') => of_numbers(&mut parts),
            _ => of_names(user, &mut parts),
        }
    }

    fn unable(&self, why: &Unfound) -> Unable {
        let text = self.text.to_bytes();
        match why {
            Unfound::Memory => Unable::memory(Errno::NOMEM),
            Unfound::Unknown if self.plain => Unable::because(b"unknown account: ", text),
            Unfound::Unknown => Unable::because(b"unknown user/group: ", text),
            Unfound::Invalid => Unable::because(b"invalid uid/gids: ", text.get(1..).unwrap_or(b"")),
            Unfound::System(errno) if self.plain => {
                Unable::to(b"unable to get password file entry", b"")(*errno)
            }
            Unfound::System(errno) => Unable::to(b"unable to get password/group file entry", b"")(*errno),
        }
    }

    /// Sets `UID` and `GID`.
    pub fn put_into(&self, environment: &mut Environment) -> Result<(), Unable> {
        let ids = self.ids()?;
        let mut set = |name, id: u32| {
            let mut digits = Text::<16>::new();
            environment.set(name, digits.number(id.into()).bytes()).map_err(Unable::memory)
        };
        set(b"GID", ids.groups.first().copied().unwrap_or(0))?;
        set(b"UID", ids.user)
    }

    /// Makes the process theirs, for good.
    pub fn become_it(&self) -> Result<(), Unable> {
        let ids = self.ids()?;
        identity::set_groups(&ids.groups).map_err(Unable::to(b"unable to setgroups", b""))?;
        if let Some(group) = ids.groups.first() {
            identity::set_group(*group).map_err(Unable::to(b"unable to setgid", b""))?;
        }
        identity::set_user(ids.user).map_err(Unable::to(b"unable to setuid", b""))?;
        // Whoever changes from one user to another without being root keeps what allows that.
        let regained = ids.user != 0 && capability::may_change_ids().unwrap_or(true);
        if regained { Err(Unable::because(b"user and group could be regained", b"")) } else { Ok(()) }
    }
}

fn of_numbers(parts: &mut Parts<'_>) -> Result<Ids, Unfound> {
    let user = parts.next().and_then(number).ok_or(Unfound::Invalid)?;
    let groups = collect(parts, |part| number(part).ok_or(Unfound::Invalid))?;
    if groups.is_empty() { Err(Unfound::Invalid) } else { Ok(Ids { user, groups }) }
}

/// As in busybox, digits that are no name are a number.
fn of_names(user: &[u8], groups: &mut Parts<'_>) -> Result<Ids, Unfound> {
    let found = unless_number(user, account::user(user))?;
    let mut groups = collect(groups, named_group)?;
    let uid = found.map(|account| account.uid).or_else(|| number(user)).ok_or(Unfound::Unknown)?;
    if groups.is_empty() {
        let account = match found {
            Some(account) => account,
            None => account::user_by_number(uid)?.ok_or(Unfound::Unknown)?,
        };
        add(&mut groups, account.gid)?;
    }
    Ok(Ids { user: uid, groups })
}

fn named_group(name: &[u8]) -> Result<u32, Unfound> {
    unless_number(name, account::group(name))?.or_else(|| number(name)).ok_or(Unfound::Unknown)
}

/// Where there is no file nothing has a name, and a number needs none.
fn unless_number<T>(name: &[u8], found: Result<Option<T>, Errno>) -> Result<Option<T>, Errno> {
    if found.as_ref().err() == Some(&Errno::NOENT) && number(name).is_some() { Ok(None) } else { found }
}

/// What stands between colons.
type Parts<'t> = dyn Iterator<Item = &'t [u8]> + 't;

fn collect(parts: &mut Parts<'_>, one: fn(&[u8]) -> Result<u32, Unfound>) -> Result<Vec<u32>, Unfound> {
    let mut list = Vec::new();
    for part in parts {
        add(&mut list, one(part)?)?;
    }
    Ok(list)
}

fn add(list: &mut Vec<u32>, group: u32) -> Result<(), Unfound> {
    list.try_reserve(1).map_err(|_| Unfound::Memory)?;
    list.push(group);
    Ok(())
}
