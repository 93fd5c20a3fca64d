//! Locks on whole files, as `flock(2)` has them: they exclude runit's programs too.

use super::{AsFd, Result, again};
use rustix::fs::FlockOperation;

/// Takes the lock alone, at once or not at all: `EAGAIN` if somebody has it.
pub fn try_exclusive(fd: impl AsFd) -> Result<()> {
    again(|| rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive))
}

/// Takes the lock alone, and waits for it if `wait`; otherwise as above.
pub fn exclusive(fd: impl AsFd, wait: bool) -> Result<()> {
    let how = if wait { FlockOperation::LockExclusive } else { FlockOperation::NonBlockingLockExclusive };
    again(|| rustix::fs::flock(&fd, how))
}
