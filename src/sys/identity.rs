//! The user and the groups a process works as. Ids are 32 bits; the highest number is none.

use super::{Errno, Result};
use rustix::process::{Gid, Uid};
use rustix::thread;

/// Makes these the supplementary groups, and no others.
pub fn set_groups(groups: &[u32]) -> Result<()> {
    let mut list = Vec::new();
    list.try_reserve(groups.len()).map_err(|_| Errno::NOMEM)?;
    list.extend(groups.iter().map(|group| Gid::from_raw(*group)));
    thread::set_thread_groups(&list)
}

/// Makes this the group: the real one, the effective one and the saved one.
pub fn set_group(group: u32) -> Result<()> {
    let group = Gid::from_raw(group);
    thread::set_thread_res_gid(group, group, group)
}

/// Makes this the user, in the same way.
pub fn set_user(user: u32) -> Result<()> {
    let user = Uid::from_raw(user);
    thread::set_thread_res_uid(user, user, user)
}

/// The effective user and group.
pub fn effective() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}
