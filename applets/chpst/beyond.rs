//! Changes that runit does not have, as far as one call does not make them.

use super::state::Unable;
use core::ffi::CStr;
use svbox::sys::file::{self, CWD};
use svbox::sys::process::{self, Pid};
use svbox::sys::signal::Signal;
use svbox::sys::{AsFd, AsRawFd, Errno, OwnedFd, dir, heap, limit, namespace};

/// Where control groups are, alone or, behind it, beside those of version 1.
const CONTROL_GROUPS: [&CStr; 2] = [c"/sys/fs/cgroup", c"/sys/fs/cgroup/unified"];

/// Joins the control group at a path as `/proc/PID/cgroup` has it; what is missing on the way is made.
pub fn join_control_group(path: &'static CStr) -> Result<(), Unable> {
    let join = || {
        let mut place = hierarchy()?;
        for name in path.to_bytes().split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            let name = heap::keep(&[name])?;
            if name == c"." || name == c".." {
                return Err(Errno::INVAL);
            }
            match file::make_directory(place.as_fd(), name, 0o755) {
                Ok(()) | Err(Errno::EXIST) => {}
                // One that is there may be in a place where none can be made.
                Err(errno) if !file::exists(place.as_fd(), name).unwrap_or(false) => return Err(errno),
                Err(_) => {}
            }
            place = dir::open(place.as_fd(), name)?;
        }
        // 0 is whoever writes it.
        file::put_at(place.as_fd(), c"cgroup.procs", b"0")
    };
    join().map_err(Unable::to(b"unable to join control group: ", path.to_bytes()))
}

fn hierarchy() -> Result<OwnedFd, Errno> {
    for path in CONTROL_GROUPS {
        let place = dir::open(CWD, path)?;
        if namespace::is_control_group(place.as_fd())? {
            return Ok(place);
        }
    }
    Err(Errno::NODEV)
}

/// Puts a tree that cannot be changed over itself.
pub fn make_read_only(path: &'static CStr) -> Result<(), Unable> {
    namespace::make_read_only(path).map_err(Unable::to(b"unable to make read-only: ", path.to_bytes()))?;
    enter_mounts()
}

/// Mounts what only we see over the usual places of temporary files.
pub fn mount_temporary() -> Result<(), Unable> {
    let mount = |path: &'static CStr| {
        namespace::mount_temporary(path).map_err(Unable::to(b"unable to mount: ", path.to_bytes()))
    };
    mount(c"/tmp")?;
    // It may be missing, or be another name of the first.
    match file::link_stat(CWD, c"/var/tmp") {
        Ok(stat) if file::is_directory(&stat) => mount(c"/var/tmp")?,
        Ok(_) | Err(_) => {}
    }
    enter_mounts()
}

/// Enters root and current directory anew: as they are, the new mounts lie over them, unseen.
fn enter_mounts() -> Result<(), Unable> {
    let refused = Unable::to(b"unable to enter new mounts", b"");
    let current = process::current().map_err(&refused)?;
    namespace::enter_root().map_err(refused)?;
    process::enter(&current).map_err(|errno| match heap::keep(&[current.as_bytes()]) {
        Ok(current) => Unable::to(b"unable to change directory: ", current.to_bytes())(errno),
        Err(errno) => Unable::memory(errno),
    })
}

/// Sets a limit exactly.
pub fn set_limit(index: usize, soft: u64, hard: Option<u64>) -> Result<(), Unable> {
    let Some(resource) = limit::RESOURCES.get(index) else { return Ok(()) };
    let name = limit::NAMES.split(|&byte| byte == b' ').nth(index).unwrap_or(b"");
    limit::set(*resource, soft, hard).map_err(Unable::to(b"unable to set limit: ", name))
}

/// Has a signal sent when the parent ends; `parent` is who it was at first.
pub fn die_with_parent(signal: Signal, parent: Option<Pid>) -> Result<(), Unable> {
    let refused = Unable::to(b"unable to set parent death signal", b"");
    process::set_parent_death_signal(signal).map_err(&refused)?;
    if process::parent() == parent {
        return Ok(());
    }
    // It has ended before that.
    process::kill(process::own(), signal).map_err(refused)
}

/// Leaves of the descriptors above the standard ones only these, and a lock, to the program.
pub fn close_descriptors(kept: &[u32], lock: Option<&OwnedFd>) -> Result<(), Unable> {
    let refused = Unable::to(b"unable to close descriptors", b"");
    let mut next = 3;
    let mut all = Vec::new();
    for number in kept {
        process::keep_over_exec(*number).map_err(Unable::to(b"unable to keep descriptors", b""))?;
        all.push(*number);
    }
    all.extend(lock.map(|lock| lock.as_raw_fd().cast_unsigned()));
    // Each in turn is the smallest that is left.
    while let Some(number) = all.iter().copied().filter(|number| *number >= next).min() {
        if number > next {
            process::close_over_exec(next, number - 1).map_err(&refused)?;
        }
        next = number + 1;
    }
    process::close_over_exec(next, u32::MAX).map_err(refused)
}
