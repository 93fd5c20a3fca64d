//! Limits of resources, see getrlimit(2).

use super::Result;
pub use rustix::process::Resource;
use rustix::process::{Rlimit, getrlimit, setrlimit};

/// The limits of the kernel by the names that prlimit(1) has for them.
pub const NAMES: &[u8] =
    b"as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack";
/// The limits in the same order.
pub const RESOURCES: [Resource; 16] = [
    Resource::As,
    Resource::Core,
    Resource::Cpu,
    Resource::Data,
    Resource::Fsize,
    Resource::Locks,
    Resource::Memlock,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Nofile,
    Resource::Nproc,
    Resource::Rss,
    Resource::Rtprio,
    Resource::Rttime,
    Resource::Sigpending,
    Resource::Stack,
];

/// Sets the soft limit, not above the hard one; gives whether it had to be lowered for that. `None` is the hard limit.
pub fn lower_soft(resource: Resource, wanted: Option<u64>) -> Result<bool> {
    let now = getrlimit(resource);
    let hard = now.maximum.unwrap_or(u64::MAX);
    let soft = wanted.unwrap_or(hard).min(hard);
    setrlimit(resource, Rlimit { current: finite(soft), maximum: now.maximum })?;
    Ok(wanted.is_some_and(|wanted| wanted > hard))
}

/// A limit of this process as it was.
#[derive(Clone, Copy)]
pub struct Before(Resource, Rlimit);

/// Raises the soft limit to the hard one; gives what it was.
pub fn raise(resource: Resource) -> Before {
    let before = getrlimit(resource);
    // What is not granted is not missed before it is needed.
    let _ = setrlimit(resource, Rlimit { current: before.maximum, maximum: before.maximum });
    Before(resource, before)
}

impl Before {
    /// The hard limit, as far as it can be told.
    pub fn hard(&self) -> u64 {
        self.1.maximum.unwrap_or(u64::MAX)
    }

    /// Makes it the limit of this process again.
    pub fn restore(&self) {
        let _ = setrlimit(self.0, self.1);
    }
}

/// Sets the soft limit, and the hard one if there is one: exactly, or not at all. `u64::MAX` is no limit.
pub fn set(resource: Resource, soft: u64, hard: Option<u64>) -> Result<()> {
    let maximum = hard.map_or_else(|| getrlimit(resource).maximum, finite);
    setrlimit(resource, Rlimit { current: finite(soft), maximum })
}

fn finite(limit: u64) -> Option<u64> {
    (limit != u64::MAX).then_some(limit)
}
