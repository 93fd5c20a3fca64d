//! svbox --doctor: looks at a machine, or at the root directory of one that does not run, and says what is wrong with its
//! services and what to do about it.
//!
//! Nothing is changed, nothing is run and nothing is waited for. Exits 0 if there is nothing to do, 1 if there is, and
//! 111 if it could not look at all.

mod findings;
mod machine;
mod names;
mod processes;
mod services;
mod tree;

use findings::Findings;
use services::Scan;
use svbox::report::FATAL;
use svbox::sys::Errno;
use svbox::sys::args::Args;
use svbox::text::Cut;
use tree::{Path, Tree};

/// Where services are linked, where no runsvdir says so.
const USUAL: &[u8] =
    b"/etc/service /service /var/service /run/runit/runsvdir/current /etc/runit/runsvdir/current";

/// Looks, and gives the exit code; `None` for a wrong command line.
#[inline(never)]
pub fn doctor(args: Args) -> Option<u8> {
    let root = match args.len() {
        0 => None,
        1 => args.get(0),
        _ => return None,
    };
    let tree = match Tree::new(root) {
        Ok(tree) => tree,
        Err(errno) => {
            let root = root.map_or(b"/".as_slice(), core::ffi::CStr::to_bytes);
            super::multicall::REPORT.fatal_of(b"unable to open directory ", root, errno);
            return Some(FATAL);
        }
    };
    let mut findings = Findings::new();
    examine(&tree, &mut findings);
    Some(findings.end())
}

fn examine(tree: &Tree, findings: &mut Findings) {
    let ours = names::ours(tree, findings);
    machine::examine(tree, findings);
    names::examine(tree, ours, findings);
    let running = if tree.is_here() { processes::examine(tree, ours, findings) } else { 0 };
    if running > 0 {
        return;
    }
    match words(USUAL).find(|path| tree.is_directory(path)) {
        Some(dir) => {
            if !tree.is_here() {
            } else if tree.is_directory(b"/proc/1") {
                findings.error(b"", b"no runsvdir is running: runsvdir -P ", dir);
            } else {
                findings.unseen(b"/proc", Errno::ACCESS);
            }
            Scan { tree, dir, is_scanned: false }.examine(findings);
        }
        None => {
            findings.error(b"", b"there is no scan directory: mkdir /etc/service, or what it leads to", b"")
        }
    }
}

/// The words of a list with a blank between them.
fn words(list: &'static [u8]) -> impl Iterator<Item = &'static [u8]> {
    list.parts(b' ')
}
