//! Locks on whole files: as `flock(2)` has them, which exclude runit's programs too; and as `fcntl(2)` has them, which
//! exclude the C libraries.

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

/// Takes the lock of `fcntl(2)` on all of a file that is open for writing, at once or not at all.
pub fn try_records(fd: impl AsFd) -> Result<()> {
    again(|| rustix::fs::fcntl_lock(&fd, FlockOperation::NonBlockingLockExclusive))
}
