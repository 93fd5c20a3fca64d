//! Which programs the names of runit are: all of them should be this one.

use super::tree::{Identity, path};
use super::{Findings, Path, Tree, words};
use svbox::sys::Errno;

const PLACES: &[u8] = b"/usr/local/sbin/ /usr/local/bin/ /usr/sbin/ /usr/bin/ /sbin/ /bin/";
const NAMES: &[u8] = b"runsv runsvdir runsvchdir sv svlogd chpst utmpset";

/// Which file is svbox: the one that runs, or where the machine does not, the first in its places.
#[inline(never)]
pub fn ours(tree: &Tree, findings: &mut Findings) -> Option<Identity> {
    let of = |file: Path| tree.look(&file).map(|look| look.identity).ok();
    if tree.is_here() {
        return of(path(&[b"/proc/self/exe"]));
    }
    let found = words(PLACES).find_map(|place| of(path(&[place, b"svbox"])));
    if found.is_none() {
        findings.error(b"", b"there is no svbox: install it", b"");
    }
    found
}

#[inline(never)]
pub fn examine(tree: &Tree, ours: Option<Identity>, findings: &mut Findings) {
    for place in words(PLACES) {
        // A directory that is a link has the names of another.
        if !is_link(tree, &path(&[place.strip_suffix(b"/").unwrap_or(place)])) {
            words(NAMES).for_each(|name| one(tree, ours, path(&[place, name]), findings));
        }
    }
}

#[inline(never)]
fn one(tree: &Tree, ours: Option<Identity>, file: Path, findings: &mut Findings) {
    match tree.look(&file) {
        Ok(look) if ours.is_none_or(|ours| ours == look.identity) => {}
        Ok(_) => findings.warning(file.bytes(), b" is not svbox: make it a link to svbox", b""),
        Err(Errno::NOENT) if is_link(tree, &file) => {
            findings.error(file.bytes(), b" leads nowhere: make it a link to svbox", b"");
        }
        Err(Errno::NOENT | Errno::NOTDIR) => {}
        Err(errno) => findings.unseen(file.bytes(), errno),
    }
}

fn is_link(tree: &Tree, path: &Path) -> bool {
    tree.link(path, &mut [0; 4096]).is_ok()
}
