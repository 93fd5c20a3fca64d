//! Services that cannot keep their state: a directory of links stands in for each, in which only `supervise` is real.

use super::place::{is_service, make as make_directory};
use core::ffi::CStr;
use svbox::sys::{AsFd, Errno, OwnedFd, Result, dir, file};
use svbox::text::Text;

const SUPERVISE: &CStr = c"supervise";
const LOG: &CStr = c"log";

type Path = Text<4096>;

/// Whether every service in a directory can keep its state in its own.
pub fn all_keep_state(services: &OwnedFd) -> bool {
    let mut all = true;
    let listed = dir::each_name(services, |name, _| {
        all &= !is_service(services, name) || keeps_state(services, name).unwrap_or(false);
    });
    all && listed.is_ok()
}

fn keeps_state(services: &OwnedFd, name: &CStr) -> Result<bool> {
    let service = dir::open(services.as_fd(), name)?;
    let with_log = match dir::open(service.as_fd(), LOG) {
        Ok(log) => keeps_own(&log),
        Err(_) => true,
    };
    Ok(with_log && keeps_own(&service))
}

/// Whether `supervise` is in this directory and can be written to, or can be made there.
fn keeps_own(service: &OwnedFd) -> bool {
    match file::stat(service.as_fd(), SUPERVISE) {
        Ok(_) => file::may_write(service.as_fd(), SUPERVISE).is_ok(),
        Err(_) => {
            // A link that leads nowhere is made to lead somewhere by runsv.
            file::may_write(service.as_fd(), c".").is_ok()
                || file::link_stat(service.as_fd(), SUPERVISE).is_ok()
        }
    }
}

/// Takes everything out of a scan directory that an earlier life has left but the state of services that still need it
/// there.
pub fn clear(services: &OwnedFd, scan: &OwnedFd) -> Result<()> {
    each(scan, &mut |name| {
        let stays = is_service(services, name) && !keeps_state(services, name)?;
        if !stays || !is_real_directory(scan, name)? {
            return remove_tree(scan, name, DEEPEST);
        }
        let shadow = dir::open_itself(scan.as_fd(), name)?;
        each(&shadow, &mut |entry| {
            if entry == LOG && is_real_directory(&shadow, LOG)? {
                let log = dir::open_itself(shadow.as_fd(), LOG)?;
                return each(&log, &mut |entry| strip(&log, entry));
            }
            strip(&shadow, entry)
        })
    })
}

/// Takes a name out of a stand-in, unless it is that of the state.
fn strip(shadow: &OwnedFd, name: &CStr) -> Result<()> {
    if name == SUPERVISE { Ok(()) } else { remove_tree(shadow, name, DEEPEST) }
}

/// What is made here is not as deep.
const DEEPEST: u32 = 8;

/// Removes a name and everything below it.
fn remove_tree(at: &OwnedFd, name: &CStr, deepest: u32) -> Result<()> {
    if is_real_directory(at, name)? {
        let tree = dir::open_itself(at.as_fd(), name)?;
        let below = deepest.checked_sub(1).ok_or(Errno::NOTEMPTY)?;
        each(&tree, &mut |entry| remove_tree(&tree, entry, below))?;
        return file::remove_directory(at.as_fd(), name);
    }
    file::remove(at.as_fd(), name)
}

fn is_real_directory(at: &OwnedFd, name: &CStr) -> Result<bool> {
    file::link_stat(at.as_fd(), name).map(|stat| file::is_directory(&stat))
}

/// Calls `act` with every name in a directory; ends with the first error.
fn each(list: &OwnedFd, act: &mut dyn FnMut(&CStr) -> Result<()>) -> Result<()> {
    // A descriptor that has been read to its end stays there.
    let list = dir::open(list.as_fd(), c".")?;
    let mut done = Ok(());
    let listed = dir::each_name(&list, |name, _| {
        if done.is_ok() {
            done = act(name);
        }
    });
    done.and(listed)
}

/// Fills a scan directory with a stand-in for each service that is not in it yet.
pub fn make(services: &OwnedFd, scan: &OwnedFd) -> Result<()> {
    each(services, &mut |name| {
        if is_service(services, name) { stand_in(services, scan, name) } else { Ok(()) }
    })
}

fn stand_in(services: &OwnedFd, scan: &OwnedFd, name: &CStr) -> Result<()> {
    if keeps_state(services, name)? {
        return link(services, scan, name);
    }
    let service = dir::open(services.as_fd(), name)?;
    let shadow = open_made(scan, name)?;
    link_all(&service, &shadow)?;
    match dir::open(service.as_fd(), LOG) {
        Ok(log) => link_all(&log, &open_made(&shadow, LOG)?),
        Err(_) => Ok(()),
    }
}

fn open_made(at: &OwnedFd, name: &CStr) -> Result<OwnedFd> {
    make_directory(at.as_fd(), name)?;
    dir::open_itself(at.as_fd(), name)
}

/// Links everything in a directory but its state, and a directory of its logger.
fn link_all(from: &OwnedFd, to: &OwnedFd) -> Result<()> {
    each(from, &mut |name| {
        let is_log =
            name == LOG && file::stat(from.as_fd(), name).is_ok_and(|stat| file::is_directory(&stat));
        if name == SUPERVISE || is_log { Ok(()) } else { link(from, to, name) }
    })
}

/// Makes a link by the same name that leads to the original by its whole path, unless there is one.
fn link(from: &OwnedFd, to: &OwnedFd, name: &CStr) -> Result<()> {
    let mut path = path_of(from)?;
    let path = path.push(b"/").push(name.to_bytes()).c_str().ok_or(Errno::NAMETOOLONG)?;
    match file::symlink(to.as_fd(), path, name) {
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

/// The path of an open directory.
fn path_of(open: &OwnedFd) -> Result<Path> {
    use svbox::sys::AsRawFd;
    let (mut link, mut path, mut text) = (Text::<32>::new(), Path::new(), [0; 4096]);
    link.push(b"/proc/self/fd/").number(open.as_raw_fd().unsigned_abs().into());
    let link = link.c_str().ok_or(Errno::NAMETOOLONG)?;
    path.push(file::read_link(file::CWD, link, &mut text)?);
    Ok(path)
}
