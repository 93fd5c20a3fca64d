//! File systems of a test's own, where the user may mount.

use super::Sandbox;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs over a directory of a sandbox, until it is dropped.
pub struct Mount {
    at: PathBuf,
}

impl Sandbox {
    /// Mounts a fresh tmpfs there. Says why not, and gives nothing, where that is not allowed.
    pub fn tmpfs(&self, dir: &str, options: &str) -> Option<Mount> {
        let at = self.join(dir);
        std::fs::create_dir_all(&at).unwrap();
        let made = mount(&["-t", "tmpfs", "-o", options, "tmpfs"], &at);
        if !made {
            eprintln!("passed over: this user may not mount a tmpfs");
        }
        made.then_some(Mount { at })
    }
}

impl Mount {
    /// From now on nothing can be written.
    pub fn read_only(&self) {
        self.remount("ro");
    }

    /// Other options from now on.
    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(mount(&["-o", &options], &self.at), "{}: {options}", self.at.display());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: what was started in it may still be there.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

fn mount(args: &[&str], at: &Path) -> bool {
    Command::new("mount").args(args).arg(at).output().is_ok_and(|output| output.status.success())
}
