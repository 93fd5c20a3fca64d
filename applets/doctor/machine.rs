//! What is not about a service: the kernel's file systems, places that have to be writable, and the stages of process 1.

use super::services::program;
use super::tree::path;
use super::{Findings, Tree};
use svbox::sys::{AsFd, Errno, file, mount};

pub fn examine(tree: &Tree, findings: &mut Findings) {
    if tree.is_here() {
        kernel(tree, findings);
        writable(tree, b"/run", findings);
        writable(tree, b"/var/log", findings);
    }
    stages(tree, findings);
}

fn kernel(tree: &Tree, findings: &mut Findings) {
    if !tree.is_directory(b"/proc/self") {
        findings.error(b"/proc", b" is not mounted: mount -t proc proc /proc", b"");
    }
    let groups = tree.find(&path(&[b"/sys/fs/cgroup"]));
    if !groups.is_ok_and(mount::is_control_groups) {
        findings.note(b"chpst --cgroup", b" needs control groups: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
    }
}

/// Warns of a directory on a file system that cannot be written to.
fn writable(tree: &Tree, dir: &[u8], findings: &mut Findings) {
    if is_read_only(tree, dir) {
        findings.warning(dir, b" is read-only: mount what can be written to", b"");
    }
}

/// Whether no user could write to a directory.
pub fn is_read_only(tree: &Tree, dir: &[u8]) -> bool {
    let found = tree.find(&path(&[dir]));
    found.is_ok_and(|dir| file::may_write(dir.as_fd(), c".") == Err(Errno::ROFS))
}

/// Where there is one, all are needed.
fn stages(tree: &Tree, findings: &mut Findings) {
    let stage = |name| path(&[b"/etc/runit/", &[name]]);
    let is_there = b"123".iter().any(|name| tree.find(&stage(*name)).is_ok());
    if is_there {
        for name in b"123" {
            program(tree, stage(*name).bytes(), true, findings);
        }
        program(tree, b"/etc/runit/ctrlaltdel", false, findings);
    }
}
