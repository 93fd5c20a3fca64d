//! Changes that runit does not have, as far as one call does not make them.

use super::long;
use super::unable::Unable;
use core::ffi::CStr;
use svbox::sys::file::{self, CWD};
use svbox::sys::landlock::Rules;
use svbox::sys::process::{self, Pid};
use svbox::sys::schedule;
use svbox::sys::signal::Signal;
use svbox::sys::{AsFd, AsRawFd, Errno, OwnedFd, capability, dir, heap, limit, namespace};
use svbox::text::Cut;

pub fn start_session() -> Result<(), Unable> {
    process::new_session().map_err(Unable::known(b"unable to start a new session", b"", &[]))
}

/// Joins the control group at a path as `/proc/PID/cgroup` has it; what is missing on the way is made.
pub fn join_control_group(path: &'static CStr) -> Result<(), Unable> {
    let join = || {
        let mut place = hierarchy()?;
        for name in path.to_bytes().parts(b'/').filter(|name| !name.is_empty()) {
            let name = heap::keep(&[name])?;
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
    join().map_err(Unable::known(b"unable to join control group: ", path.to_bytes(), &[Errno::NODEV]))
}

/// Where control groups are: alone, or beside those of version 1.
fn hierarchy() -> Result<OwnedFd, Errno> {
    let at = |path: &CStr| {
        let place = dir::open(CWD, path).ok()?;
        namespace::is_control_group(place.as_fd()).ok()?.then_some(place)
    };
    at(c"/sys/fs/cgroup").or_else(|| at(c"/sys/fs/cgroup/unified")).ok_or(Errno::NODEV)
}

/// Has the kernel end this process sooner, or later, when memory is short.
pub fn set_oom_score(score: &CStr) -> Result<(), Unable> {
    let refused = Unable::known(b"unable to set oom_score_adj", b"", &[Errno::NOENT]);
    file::put(c"/proc/self/oom_score_adj", score.to_bytes()).map_err(refused)
}

pub fn set_io_priority(class: usize, level: usize) -> Result<(), Unable> {
    schedule::set_io_priority(class, level).map_err(Unable::known(b"unable to set io priority", b"", &[]))
}

pub fn set_policy(policy: usize, priority: i32) -> Result<(), Unable> {
    schedule::set_policy(policy, priority).map_err(Unable::known(b"unable to set scheduler", b"", &[]))
}

pub fn bind(list: &[u8]) -> Result<(), Unable> {
    let Some(processors) = long::processors(list) else { return Ok(()) };
    processors.bind().map_err(Unable::known(b"unable to set cpus", b"", &[]))
}

/// Puts a tree that cannot be changed over itself.
pub fn make_read_only(path: &'static CStr) -> Result<(), Unable> {
    let refused = Unable::known(b"unable to make read-only: ", path.to_bytes(), &[]);
    namespace::make_read_only(path).map_err(refused)?;
    enter_mounts()
}

/// Mounts what only we see over the usual places of temporary files.
pub fn mount_temporary() -> Result<(), Unable> {
    let mount = |path: &'static CStr| {
        let refused = Unable::known(b"unable to mount: ", path.to_bytes(), &[Errno::NODEV]);
        namespace::mount_temporary(path).map_err(refused)
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
    let name = limit::NAMES.parts(b' ').nth(index).unwrap_or(b"");
    limit::set(*resource, soft, hard).map_err(Unable::known(b"unable to set limit: ", name, &[]))
}

pub fn bound(kept: u64) -> Result<(), Unable> {
    capability::bound(kept).map_err(Unable::known(b"unable to set bounding set", b"", &[Errno::INVAL]))
}

pub fn set_ambient(wanted: u64, only: bool) -> Result<(), Unable> {
    let refused = Unable::known(b"unable to set ambient capabilities", b"", &[Errno::INVAL]);
    capability::set_ambient(wanted, only).map_err(refused)
}

pub fn set_no_new_privileges() -> Result<(), Unable> {
    process::set_no_new_privileges().map_err(Unable::known(
        b"unable to set no_new_privs",
        b"",
        &[Errno::INVAL],
    ))
}

pub fn restrict(rules: &Rules) -> Result<(), Unable> {
    rules.restrict().map_err(Unable::known(b"unable to restrict with landlock", b"", &[]))
}

/// Has a signal sent when the parent ends; `parent` is who it was at first.
pub fn die_with_parent(signal: Signal, parent: Option<Pid>) -> Result<(), Unable> {
    let refused = Unable::known(b"unable to set parent death signal", b"", &[]);
    process::set_parent_death_signal(signal).map_err(&refused)?;
    if process::parent() == parent {
        return Ok(());
    }
    // It has ended before that.
    process::kill(process::own(), signal).map_err(refused)
}

/// Sees to it that descriptors of the caller are there for the program.
pub fn keep_descriptors(kept: &[u32]) -> Result<(), Unable> {
    let refused = Unable::to(b"unable to keep descriptors", b"");
    kept.iter().try_for_each(|number| process::keep_over_exec(*number)).map_err(refused)
}

/// Leaves of the descriptors above the standard ones only these, and a lock, to the program.
pub fn close_descriptors(kept: &[u32], lock: Option<&OwnedFd>) -> Result<(), Unable> {
    let refused = Unable::known(b"unable to close descriptors", b"", &[]);
    let lock = lock.map(|lock| lock.as_raw_fd().cast_unsigned());
    let mut next = 3;
    // Each in turn is the smallest that is left.
    while let Some(number) = kept.iter().copied().chain(lock).filter(|number| *number >= next).min() {
        if number > next {
            process::close_over_exec(next, number - 1).map_err(&refused)?;
        }
        next = number + 1;
    }
    process::close_over_exec(next, u32::MAX).map_err(refused)
}
