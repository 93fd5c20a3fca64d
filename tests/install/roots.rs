//! Root directories as two distributions have them, with Debian's programs of runit in both.

use crate::kit::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A root directory of a sandbox.
pub struct Root<'s> {
    pub sandbox: &'s Sandbox,
}

/// The services that are there, all switched on.
pub const SERVICES: [&str; 2] = ["agetty-tty1", "web"];

impl<'s> Root<'s> {
    /// As Void has it: everything in one directory, stages and services of its own, state and the scan directory below
    /// `/run`.
    pub fn void(sandbox: &'s Sandbox) -> Self {
        let root = Self::bare(sandbox, &[("bin", "usr/bin"), ("sbin", "usr/bin"), ("usr/sbin", "bin")]);
        for name in ["chpst", "runsv", "runsvdir", "sv", "svlogd"] {
            root.copy(&format!("/usr/bin/{name}"), &format!("usr/bin/{name}"));
        }
        for name in ["runsvchdir", "utmpset", "runit"] {
            root.copy(&format!("/usr/sbin/{name}"), &format!("usr/bin/{name}"));
        }
        root.copy("/lib/runit/runit-init", "usr/bin/runit-init");
        for name in ["halt", "shutdown", "pause", "vlogger", "modules-load", "zzz", "setsid"] {
            root.script(&format!("usr/bin/{name}"), "exit 0");
        }
        for (name, text) in [("init", "runit-init"), ("poweroff", "halt"), ("reboot", "halt"), ("ZZZ", "zzz")]
        {
            root.link(&format!("usr/bin/{name}"), text);
        }
        root.stages();
        for name in ["functions", "core-services/00-pseudofs.sh", "shutdown.d/10-sv-stop.sh"] {
            root.write(&format!("etc/runit/{name}"), "true\n");
        }
        for name in ["reboot", "stopit"] {
            root.link(&format!("etc/runit/{name}"), &format!("/run/runit/{name}"));
        }
        root.link("var/service", "../run/runit/runsvdir/current");
        root.write("usr/share/man/man8/sv.8", "of runit\n");
        root
    }

    /// As Debian has it: what its package has, with what runit-init adds.
    pub fn debian(sandbox: &'s Sandbox) -> Self {
        let root = Self::bare(sandbox, &[("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib")]);
        let listed = Command::new("dpkg").args(["-L", "runit", "runit-helper"]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        // Small machines leave manual pages and the like out.
        for path in listed.lines().filter(|path| fs::symlink_metadata(path).is_ok()) {
            root.copy(path, path.trim_start_matches('/'));
        }
        for page in ["sv", "runit"] {
            root.write(&format!("usr/share/man/man8/{page}.8.gz"), "of runit\n");
        }
        for name in ["halt", "poweroff", "reboot", "shutdown"] {
            root.link(&format!("usr/sbin/{name}"), "/lib/runit/shutdown");
        }
        root.link("usr/sbin/init", "/lib/runit/runit-init");
        root.stages();
        root
    }

    fn bare(sandbox: &'s Sandbox, links: &[(&str, &str)]) -> Self {
        let root = Self { sandbox };
        for dir in ["usr/bin", "usr/sbin", "usr/lib", "etc/runit", "etc/sv", "var", "run"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        for (path, text) in links {
            let _ = fs::remove_dir(root.join(path));
            root.link(path, text);
        }
        root
    }

    fn stages(&self) {
        for name in ["1", "2", "3", "ctrlaltdel"] {
            if !self.join("etc/runit").join(name).exists() {
                self.script(&format!("etc/runit/{name}"), "exit 0");
            }
        }
        for service in SERVICES {
            self.script(&format!("etc/sv/{service}/run"), "exec sleep 1000000");
            self.script(&format!("etc/sv/{service}/log/run"), "exec svlogd -tt ../logged");
            fs::create_dir(self.join(&format!("etc/sv/{service}/logged"))).unwrap();
            self.link(&format!("etc/runit/runsvdir/default/{service}"), &format!("../../../sv/{service}"));
        }
        if fs::symlink_metadata(self.join("etc/runit/runsvdir/current")).is_err() {
            self.link("etc/runit/runsvdir/current", "default");
        }
    }

    /// A path in it, as it is seen from outside.
    pub fn join(&self, path: &str) -> PathBuf {
        self.sandbox.join("machine").join(path)
    }

    fn script(&self, path: &str, body: &str) {
        self.sandbox.script(Path::new("machine").join(path), body);
    }

    fn write(&self, path: &str, text: &str) {
        self.sandbox.write(Path::new("machine").join(path), text);
    }

    fn link(&self, path: &str, text: &str) {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(text, path).unwrap();
    }

    /// Copies a file or a link of this machine; makes a directory. Files by another process: what is open for writing
    /// here, a child of another test has open for a moment as well, and then it cannot be run.
    fn copy(&self, from: &str, to: &str) {
        let to = self.join(to);
        let found = fs::symlink_metadata(from).unwrap();
        if found.is_dir() {
            return fs::create_dir_all(to).unwrap();
        }
        if to.symlink_metadata().is_err() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            assert!(Command::new("cp").arg("-dp").arg(from).arg(to).status().unwrap().success(), "{from}");
        }
    }

    /// Everything that is in it: what each file is. For directories only whether they are there, except below `etc`,
    /// where nothing may be done at all.
    pub fn all(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        self.add(Path::new(""), &mut found);
        found
    }

    fn add(&self, dir: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(self.sandbox.join("machine").join(dir)).unwrap() {
            let entry = entry.unwrap();
            let name = dir.join(entry.file_name());
            let stat = entry.metadata().unwrap();
            let mut text = if stat.is_dir() {
                self.add(&name, found);
                "directory".to_owned()
            } else if stat.is_symlink() {
                format!("-> {}", fs::read_link(entry.path()).unwrap().display())
            } else {
                format!("{:o} {:x?}", stat.permissions().mode(), digest(&fs::read(entry.path()).unwrap()))
            };
            if name.starts_with("etc") {
                text += &format!(" {} {} {}", stat.ino(), stat.mtime(), stat.mtime_nsec());
            }
            found.insert(name.display().to_string(), text);
        }
    }
}

fn digest(bytes: &[u8]) -> (usize, u64) {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    (bytes.len(), hasher.finish())
}
