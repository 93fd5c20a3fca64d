//! Service directories that were replaced: another directory has the same name, and if the name is a link, that has the
//! same text. The service goes on, and its supervisor goes into the new directory.

use super::services::{Runsv, Service, Services, State};
use core::ffi::CStr;
use svbox::supervisor::Fleet;
use svbox::sys::Errno;
use svbox::sys::file::{self, Identity};
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::{AsFd, OwnedFd};
use svbox::text::{Text, spread};

/// What a name is, apart from the directory that it stands for: a number that differs for different names, and for
/// different texts of a link.
pub type Called = u64;

/// The number of a name in the scan directory.
pub fn called(dir: &OwnedFd, name: &CStr) -> Called {
    let mut text = [0; 512];
    let link = file::read_link(dir.as_fd(), name, &mut text).unwrap_or(&[]);
    spread(name.to_bytes()) ^ spread(link).rotate_left(1)
}

/// Whether a child runs the same program as we do: another runsv does not know what WINCH is to mean. And whether it looks
/// for its service in this directory: it may have been started in another one, of which this has taken the place.
fn can_find(pid: Pid, dir: &OwnedFd) -> bool {
    let its = |name: &[u8]| {
        let mut path = Text::<32>::new();
        let path = path.push(b"/proc/").number(process::number(pid).into()).push(name).c_str();
        path.map_or(Err(Errno::NOENT), |path| file::stat(file::CWD, path))
    };
    file::is_same(its(b"/exe"), file::stat(file::CWD, c"/proc/self/exe"))
        && file::is_same(its(b"/cwd"), file::stat_open(dir))
}

impl Services {
    /// A directory that is not known has this name. Gives whether it may have taken the place of one that the scan has not
    /// seen so far: whether it has, shows when the scan has seen all.
    pub fn may_replace(&mut self, called: Called, dir: &OwnedFd) -> bool {
        self.replaced(called, dir).is_some()
    }

    /// When the scan has seen all: gives whether such a directory, `identity`, has done so. Then the service goes on there.
    pub fn replace(
        &mut self,
        called: Called,
        identity: Identity,
        (dir, name): (&OwnedFd, &CStr),
        fleet: &mut Option<Fleet>,
    ) -> bool {
        let scan = self.scan;
        let Some(old) = self.replaced(called, dir) else { return false };
        let is_there = match (&old.state, fleet) {
            (State::Running(Runsv::Here(index), _), Some(fleet)) => {
                fleet.enter_again(*index, dir.as_fd(), name)
            }
            (State::Running(Runsv::Child(pid), _), _) => process::kill(*pid, Signal::WINCH).is_ok(),
            _ => return false,
        };
        // What could not go there tries it again at the next scan.
        if is_there {
            old.identity = identity;
        }
        old.seen = scan;
        true
    }

    /// The service of this name whose directory the scan has not seen, if its supervisor can go into another one.
    fn replaced(&mut self, called: Called, dir: &OwnedFd) -> Option<&mut Service> {
        let scan = self.scan;
        let is = |service: &&mut Service| {
            service.called == called && service.seen != scan && service.can_move(dir)
        };
        self.list.items().iter_mut().find(is)
    }
}

impl Service {
    fn can_move(&self, dir: &OwnedFd) -> bool {
        match &self.state {
            State::Running(Runsv::Here(_), _) => true,
            State::Running(Runsv::Child(pid), _) => can_find(*pid, dir),
            State::Not(_) | State::Leaving(_) | State::Foreign(_) => false,
        }
    }
}
