//! A fresh directory, and everything that is started in it: gone when the test is over.

use super::{bin_dir, until};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

/// The variable by which processes of a sandbox are known.
pub(super) const MARK: &str = "SVBOX_TEST_SANDBOX";

/// What the names of all sandboxes begin with.
const PREFIX: &str = "svbox-test.";

/// A directory of a test's own.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    /// An empty one.
    pub fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix(PREFIX).tempdir().unwrap() }
    }

    /// An empty one in memory, where nothing can be run: for what would wait for a disk most of the time.
    pub fn in_memory() -> Self {
        Self { dir: tempfile::Builder::new().prefix(PREFIX).tempdir_in("/dev/shm").unwrap() }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A path in it.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path().join(path)
    }

    /// Writes a file, making the directories on the way.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a shell script, complete and executable from the moment it has its name.
    pub fn script(&self, path: impl AsRef<Path>, body: &str) -> PathBuf {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let new = path.with_extension("new-script");
        let mut file = fs::File::create(&new).unwrap();
        writeln!(file, "#!/bin/sh\n{body}").unwrap();
        file.set_permissions(fs::Permissions::from_mode(0o755)).unwrap();
        drop(file);
        fs::rename(new, &path).unwrap();
        path
    }

    /// The text of a file; empty if it is not there.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        String::from_utf8_lossy(&fs::read(self.join(path)).unwrap_or_default()).into_owned()
    }

    /// How many lines a file has.
    pub fn lines(&self, path: impl AsRef<Path>) -> usize {
        self.read(path).lines().count()
    }

    /// A program under test, or any other, to be run in the sandbox with its programs first in `PATH`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        // Looked up here: the standard library would use the caller's PATH.
        let ours = bin_dir().join(program.as_ref());
        let mut command = if ours.exists() { Command::new(&ours) } else { Command::new(program.as_ref()) };
        command
            .current_dir(self.path())
            .env("PATH", format!("{}:{path}", bin_dir().display()))
            .env(MARK, self.path())
            .env_remove("SVDIR")
            .env_remove("SVWAIT")
            .env_remove("SVDELAY")
            .env_remove("RUNSVDIR")
            .stdin(Stdio::null());
        command
    }

    /// Starts a program whose standard error goes to the file `stderr.NUMBER` of the sandbox.
    pub fn start(&self, mut command: Command) -> Running {
        let number = (0..).find(|number| !self.join(format!("stderr.{number}")).exists()).unwrap();
        let stderr = self.join(format!("stderr.{number}"));
        command.stderr(fs::File::create(&stderr).unwrap());
        Running { child: command.spawn().unwrap(), stderr }
    }

    /// Runs a program to its end.
    pub fn output(&self, program: &str, args: &[&str]) -> Output {
        self.command(program).args(args).output().unwrap()
    }

    /// The processes of the sandbox that live.
    pub fn processes(&self) -> Vec<i32> {
        let mark = format!("{MARK}={}", self.path().display());
        let marked = |pid: &i32| {
            // A process that is just becoming another program shows no environment, but it is somewhere. In another
            // sandbox, which is the first thing to be looked at because it costs least, it is none of ours.
            match fs::read_link(format!("/proc/{pid}/cwd")).ok().as_deref().and_then(sandbox_of) {
                Some(sandbox) => sandbox == self.path(),
                None => {
                    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                    environ.split(|&byte| byte == 0).any(|entry| entry == mark.as_bytes())
                }
            }
        };
        let all =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        all.filter(marked).collect()
    }

    /// The processes of the sandbox with this command name.
    pub fn named(&self, name: &str) -> Vec<i32> {
        let is = |pid: &i32| {
            // A child that becomes another program lets its parent go on before it has another name; at that
            // moment it has no command line.
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            !line.is_empty() && comm.trim() == name
        };
        self.processes().into_iter().filter(is).collect()
    }

    /// The processes of the sandbox with this text in their command line.
    pub fn running(&self, text: &str) -> Vec<i32> {
        let is = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).replace('\0', " ").contains(text)
        };
        self.processes().into_iter().filter(is).collect()
    }
}

impl Sandbox {
    /// Says in the output of a test that fails what was there: processes and what they do, and what supervisors say.
    fn describe(&self) {
        for pid in self.processes() {
            let of = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let text = |name: &str| String::from_utf8_lossy(&of(name)).replace('\0', " ").trim().to_owned();
            let stack = text("stack").replace('\n', "");
            eprintln!("process {}: {}\n    {stack}", text("stat"), text("cmdline"));
            for line in
                text("status").lines().filter(|line| line.starts_with("Sig") || line.starts_with("Shd"))
            {
                eprintln!("    {line}");
            }
        }
        let named =
            |entry: &fs::DirEntry, start: &str| entry.file_name().to_string_lossy().starts_with(start);
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().collect::<Vec<_>>();
        for entry in entries(self.path()) {
            if named(&entry, "stderr.") {
                let said = fs::read(entry.path()).unwrap_or_default();
                let said = said.get(..said.len().min(2000)).unwrap_or_default();
                eprintln!("{}: {}", entry.path().display(), String::from_utf8_lossy(said));
            }
            for state in ["supervise/stat", "supervise/status", "log/supervise/stat"] {
                if let Ok(bytes) = fs::read(entry.path().join(state)) {
                    eprintln!("{}: {}", entry.path().join(state).display(), bytes.escape_ascii());
                }
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let kill = |pid: i32| {
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        };
        let dead = || {
            let left = self.processes();
            left.iter().copied().for_each(kill);
            left.is_empty()
        };
        if std::thread::panicking() {
            self.describe();
            while !dead() {}
        } else {
            until("the end of everything that was started", dead);
        }
    }
}

/// The sandbox in which a directory is.
fn sandbox_of(dir: &Path) -> Option<&Path> {
    let is_one =
        |dir: &&Path| dir.file_name().is_some_and(|name| name.as_bytes().starts_with(PREFIX.as_bytes()));
    dir.ancestors().find(is_one)
}

/// A program that was started. Killed and collected when dropped.
pub struct Running {
    child: Child,
    stderr: PathBuf,
}

impl Running {
    /// Its process number.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// What it, and what it started, wrote to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap()).into_owned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Whether it has not ended.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        until("the end of a program", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
