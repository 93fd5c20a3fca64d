//! The user and group that socklog works as once it listens: `UID` and `GID`, as `chpst -U` sets them.

use super::{fatal, reporter};
use svbox::account::number;
use svbox::report::Failure;
use svbox::sys::{Errno, args, capability, identity};

/// Who to be. What is not given stays.
pub struct Rights {
    pub user: Option<u32>,
    pub group: Option<u32>,
}

impl Rights {
    /// What the environment says.
    pub fn read() -> Result<Self, Failure> {
        Ok(Self { group: id(b"GID", b"bad gid: ")?, user: id(b"UID", b"bad uid: ")? })
    }

    /// Gives up everything else, for good.
    pub fn drop_others(&self) -> Result<(), Failure> {
        if let Some(group) = self.group {
            identity::set_groups(&[group])
                .and_then(|()| identity::set_group(group))
                .map_err(|errno| fatal(b"unable to setgid", b"", Some(errno)))?;
        }
        if let Some(user) = self.user {
            identity::set_user(user).map_err(|errno| fatal(b"unable to setuid", b"", Some(errno)))?;
            // Whoever changes from one user to another without being root keeps what allows that.
            if user != 0 && capability::may_change_ids().unwrap_or(true) {
                return Err(fatal(b"unable to setuid", b"", Some(Errno::PERM)));
            }
        }
        self.warn_of_root();
        Ok(())
    }

    /// Whoever asks for root's rights has them; who forgets to ask for others is told.
    fn warn_of_root(&self) {
        let (user, group) = identity::effective();
        for (name, given, id) in [(b"UID", self.user, user), (b"GID", self.group, group)] {
            if given.is_none() && id == 0 {
                reporter().warn(&[name, b" is not set: root's is kept"], None);
            }
        }
    }
}

/// The number that a variable has.
fn id(variable: &[u8], wrong: &[u8]) -> Result<Option<u32>, Failure> {
    let Some(text) = args::variable(variable) else { return Ok(None) };
    number(text).map(Some).ok_or_else(|| fatal(wrong, text, None))
}
