//! Builds without `in-process` have no fleet: the type has no value, and what is done with one is no code.

use crate::sys::process::{Ended, Pid};
use crate::sys::signal::Mask;
use crate::sys::time::{Duration, Instant};
use crate::sys::{AsFd, BorrowedFd, Errno, Result};
use core::ffi::CStr;

/// What there is none of.
pub enum Fleet {}

/// The number of a unit: there is none either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Number {}

#[allow(missing_docs)]
impl Fleet {
    pub fn new(_: Mask, _: bool) -> Result<Self> {
        Err(Errno::NOSYS)
    }

    pub fn scans(&mut self, _: impl AsFd) {
        match *self {}
    }

    pub fn add(&mut self, _: BorrowedFd<'_>, _: &CStr) -> Option<Number> {
        match *self {}
    }

    #[cfg(feature = "policy")]
    pub fn cannot_keep(_: BorrowedFd<'_>, _: &CStr) -> bool {
        false
    }

    #[cfg(feature = "pid1")]
    pub fn tell_of_end(&mut self, _: Number, _: Option<Pid>) {
        match *self {}
    }

    pub fn leave(&mut self, _: Number) {
        match *self {}
    }

    pub fn end(&mut self, _: Option<Duration>) {
        match *self {}
    }

    pub fn is_hopeless(&self) -> bool {
        match *self {}
    }

    #[cfg(feature = "policy")]
    pub fn enter_again(&mut self, _: Number, _: BorrowedFd<'_>, _: &CStr) -> bool {
        match *self {}
    }

    pub fn hear(&mut self) {
        match *self {}
    }

    pub fn bury(&mut self, _: Pid, _: Ended) -> bool {
        match *self {}
    }

    pub fn settle(&mut self, _: impl FnMut(Number)) {
        match *self {}
    }

    pub fn next_timer(&self) -> Option<Instant> {
        match *self {}
    }
}

impl AsFd for Fleet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match *self {}
    }
}
