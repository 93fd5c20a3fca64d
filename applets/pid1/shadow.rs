//! Services that cannot keep their state: a directory of links stands in for each, in which only `supervise` is real.

use super::place::{is_service, make as make_directory};
use core::ffi::CStr;
#[cfg(feature = "policy")]
use svbox::service::template;
use svbox::sys::{AsFd, Errno, OwnedFd, Result, dir, file};
use svbox::text::Text;

const SUPERVISE: &CStr = c"supervise";
/// Where a template keeps the state of its instances.
const INSTANCES: &CStr = c"instances";
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
    if is_template(name) || template_of(services, name).is_some() {
        return Ok(keeps(&service, INSTANCES));
    }
    let with_log = match dir::open(service.as_fd(), LOG) {
        Ok(log) => keeps(&log, SUPERVISE),
        Err(_) => true,
    };
    Ok(with_log && keeps(&service, SUPERVISE))
}

/// Whether the directory of its state is in this one and can be written to, or can be made there.
fn keeps(service: &OwnedFd, state: &CStr) -> bool {
    match file::stat(service.as_fd(), state) {
        Ok(_) => file::may_write(service.as_fd(), state).is_ok(),
        Err(_) => {
            // A link that leads nowhere is made to lead somewhere by runsv.
            file::may_write(service.as_fd(), c".").is_ok() || file::link_stat(service.as_fd(), state).is_ok()
        }
    }
}

/// The name of the template of which a service is an instance, if it is one.
#[cfg(feature = "policy")]
fn template_of(services: &OwnedFd, name: &CStr) -> Option<Text<256>> {
    let argument = template::argument(services.as_fd(), name.to_bytes())?;
    let mut text = Text::new();
    text.push(name.to_bytes().strip_suffix(argument)?);
    Some(text)
}

#[cfg(feature = "policy")]
fn is_template(name: &CStr) -> bool {
    template::is_template(name.to_bytes())
}

#[cfg(not(feature = "policy"))]
fn template_of(_: &OwnedFd, _: &CStr) -> Option<Text<256>> {
    None
}

#[cfg(not(feature = "policy"))]
fn is_template(_: &CStr) -> bool {
    false
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
    if name == SUPERVISE || name == INSTANCES { Ok(()) } else { remove_tree(shadow, name, DEEPEST) }
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
    let template = template_of(services, name);
    if keeps_state(services, name)? {
        return match template {
            Some(_) => link_instance(services, scan, name),
            None => link(services, scan, name),
        };
    }
    let service = dir::open(services.as_fd(), name)?;
    let Some(template) = template else {
        return make_shadow(&service, scan, name, if is_template(name) { INSTANCES } else { SUPERVISE });
    };
    let template = template.c_str().ok_or(Errno::NAMETOOLONG)?;
    make_shadow(&service, scan, template, INSTANCES)?;
    make_link(scan, template, name)
}

fn make_shadow(service: &OwnedFd, scan: &OwnedFd, name: &CStr, state: &CStr) -> Result<()> {
    let shadow = open_made(scan, name)?;
    link_all(service, &shadow, state)?;
    match dir::open(service.as_fd(), LOG) {
        Ok(log) => link_all(&log, &open_made(&shadow, LOG)?, SUPERVISE),
        Err(_) => Ok(()),
    }
}

/// Links an instance to its template, as it is linked in the services directory.
fn link_instance(services: &OwnedFd, scan: &OwnedFd, name: &CStr) -> Result<()> {
    let (mut path, mut text) = (Path::new(), [0; 1024]);
    let target = file::read_link(services.as_fd(), name, &mut text)?;
    if !target.starts_with(b"/") {
        path.push(path_of(services)?.bytes()).push(b"/");
    }
    make_link(scan, path.push(target).c_str().ok_or(Errno::NAMETOOLONG)?, name)
}

fn open_made(at: &OwnedFd, name: &CStr) -> Result<OwnedFd> {
    make_directory(at.as_fd(), name)?;
    dir::open_itself(at.as_fd(), name)
}

/// Links everything in a directory but its state, and a directory of its logger.
fn link_all(from: &OwnedFd, to: &OwnedFd, state: &CStr) -> Result<()> {
    each(from, &mut |name| {
        let is_log = name == LOG && file::is_directory_at(from.as_fd(), name);
        if name == SUPERVISE || name == state || is_log { Ok(()) } else { link(from, to, name) }
    })
}

/// Makes a link by the same name that leads to the original by its whole path, unless there is one.
fn link(from: &OwnedFd, to: &OwnedFd, name: &CStr) -> Result<()> {
    let mut path = path_of(from)?;
    make_link(to, path.push(b"/").push(name.to_bytes()).c_str().ok_or(Errno::NAMETOOLONG)?, name)
}

fn make_link(at: &OwnedFd, text: &CStr, name: &CStr) -> Result<()> {
    match file::symlink(at.as_fd(), text, name) {
        Err(Errno::EXIST) => Ok(()),
        other => other,
    }
}

/// The whole path of an open directory.
pub fn path_of(open: &OwnedFd) -> Result<Path> {
    use svbox::sys::AsRawFd;
    let (mut link, mut path, mut text) = (Text::<32>::new(), Path::new(), [0; 4096]);
    link.push(b"/proc/self/fd/").number(open.as_raw_fd().unsigned_abs().into());
    let link = link.c_str().ok_or(Errno::NAMETOOLONG)?;
    path.push(file::read_link(file::CWD, link, &mut text)?);
    Ok(path)
}
