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

/// The soft limit of open files as we found it, if we have raised it; 0 if not. It is less than 2³¹, and not every
/// processor has atomic numbers wider than a word.
#[cfg(feature = "in-process")]
static FILES: core::sync::atomic::AtomicUsize = core::sync::atomic::AtomicUsize::new(0);

/// Raises the soft limit of open files to the hard one, for this process alone; gives that.
#[cfg(feature = "in-process")]
pub fn raise_files() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    // What is not granted is not missed before it is needed.
    if setrlimit(Resource::Nofile, raised).is_ok() {
        let found = before.current.and_then(|soft| usize::try_from(soft).ok()).unwrap_or(0);
        FILES.store(found, core::sync::atomic::Ordering::Relaxed);
    }
    before.maximum.unwrap_or(u64::MAX)
}

/// In a child: what we have raised is as we found it.
#[cfg(feature = "in-process")]
pub(super) fn restore_files() {
    let soft = FILES.load(core::sync::atomic::Ordering::Relaxed);
    if soft > 0 {
        let _ = set(Resource::Nofile, soft as u64, None);
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
