//! A whole system of a test's own, for programs that change what belongs to the machine: a root directory, and a PID
//! namespace in which process 1 is a script of the test's. What a program breaks there is nobody's.

use super::{Sandbox, bin_dir, change_namespaces, svbox};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A root directory, in the directory `root` of a sandbox.
pub struct Root<'s> {
    sandbox: &'s Sandbox,
}

/// Builds the root out of the machine's, in a mount namespace of its own, and becomes process 1 in it.
const ENTER: &str = r#"set -e
script=$1
shift
cd root
for dir in bin sbin lib lib32 lib64; do
    if test -L /$dir; then cp -P /$dir $dir; elif test -d /$dir; then mkdir -p $dir; mount --rbind /$dir $dir; fi
done
mount --rbind /usr usr
for dir; do mkdir -p ".$dir"; mount --bind "$dir" ".$dir"; done
touch dev/null dev/ptmx
mount --bind /dev/null dev/null
mount --rbind /dev/pts dev/pts
mount -t proc proc proc
exec chroot . /bin/sh -c "$script"
"#;

impl Sandbox {
    /// A root directory with what every system has, and nothing in it.
    pub fn root(&self) -> Root<'_> {
        for dir in ["usr", "dev/pts", "proc", "run", "tmp", "etc/runit", "var/log"] {
            fs::create_dir_all(self.join("root").join(dir)).unwrap();
        }
        let _ = std::os::unix::fs::symlink("/run", self.join("root/var/run"));
        Root { sandbox: self }
    }
}

impl Root<'_> {
    /// A path in it, as it is seen from outside.
    pub fn join(&self, path: &str) -> PathBuf {
        self.sandbox.join("root").join(path.trim_start_matches('/'))
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The bytes of a file, if it is there.
    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.join(path)).ok()
    }

    /// Whether a path exists.
    pub fn has(&self, path: &str) -> bool {
        fs::symlink_metadata(self.join(path)).is_ok()
    }

    /// A shell script as process 1 of a system with this root; the programs under test are in its `PATH`.
    pub fn command(&self, script: &str) -> Command {
        let options = ["--mount", "--pid", "--fork", "--kill-child"];
        let mut command = change_namespaces(self.sandbox, &options, "sh");
        let programs = fs::canonicalize(svbox()).unwrap();
        command.args(["-c", ENTER, "sh", script]).arg(bin_dir()).arg(programs.parent().unwrap());
        command
    }

    /// Runs it to its end, which has to come.
    pub fn output(&self, script: &str) -> Output {
        let path = self.sandbox.join("stdout");
        let mut command = self.command(script);
        command.stdout(fs::File::create(&path).unwrap());
        let mut running = self.sandbox.start(command);
        let status = running.ended();
        Output { status, stdout: fs::read(path).unwrap(), stderr: running.stderr().into_bytes() }
    }
}

impl AsRef<Path> for Root<'_> {
    fn as_ref(&self) -> &Path {
        self.sandbox.path()
    }
}
