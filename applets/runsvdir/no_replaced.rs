//! Builds without `policy` take a directory that was replaced for another service, as runit does.

use super::services::Services;
use core::ffi::CStr;
use svbox::supervisor::Fleet;
use svbox::sys::OwnedFd;
use svbox::sys::file::Identity;

/// Nothing is known of names.
#[derive(Clone, Copy)]
pub struct Called;

pub fn called(_: &OwnedFd, _: &CStr) -> Called {
    Called
}

#[allow(clippy::unused_self)]
impl Services {
    pub fn may_replace(&mut self, _: Called, _: &OwnedFd) -> bool {
        false
    }

    pub fn replace(&mut self, _: Called, _: Identity, _: (&OwnedFd, &CStr), _: &mut Option<Fleet>) -> bool {
        false
    }
}
