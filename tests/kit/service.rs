//! Service directories and scan directories of a sandbox.

use super::{Running, Sandbox, until, until_some};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

/// The 20 bytes of `supervise/status` (supervise protocol, section 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub [u8; 20]);

/// The last byte of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    Down,
    Run,
    Finish,
}

impl Status {
    pub fn seconds(&self) -> u64 {
        u64::from_be_bytes(self.0[..8].try_into().unwrap())
    }

    pub fn nanoseconds(&self) -> u32 {
        u32::from_be_bytes(self.0[8..12].try_into().unwrap())
    }

    pub fn pid(&self) -> i32 {
        i32::from_le_bytes(self.0[12..16].try_into().unwrap())
    }

    pub fn paused(&self) -> bool {
        self.0[16] == 1
    }

    /// `u` or `d`.
    pub fn want(&self) -> char {
        char::from(self.0[17])
    }

    pub fn term(&self) -> bool {
        self.0[18] == 1
    }

    pub fn shown(&self) -> Shown {
        match self.0[19] {
            0 => Shown::Down,
            1 => Shown::Run,
            2 => Shown::Finish,
            other => panic!("state {other}"),
        }
    }
}

/// A service directory of a sandbox.
pub struct Service<'s> {
    pub sandbox: &'s Sandbox,
    /// Its name, which is its path from the sandbox.
    pub name: String,
}

impl Sandbox {
    /// A service directory that does not have a `run` yet.
    pub fn service(&self, name: &str) -> Service<'_> {
        fs::create_dir_all(self.join(name)).unwrap();
        Service { sandbox: self, name: name.into() }
    }

    /// A scan directory `scan`, empty.
    pub fn scan(&self) -> Scan<'_> {
        fs::create_dir_all(self.join("scan")).unwrap();
        Scan { sandbox: self }
    }
}

impl Service<'_> {
    /// A path in the service directory.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sandbox.join(&self.name).join(path)
    }

    /// Writes an executable shell script into it; its current directory will be the service directory.
    pub fn script(self, path: &str, body: &str) -> Self {
        self.sandbox.script(Path::new(&self.name).join(path), body);
        self
    }

    pub fn run(self, body: &str) -> Self {
        self.script("run", body)
    }

    /// A `run` that stays until it is killed by TERM.
    pub fn run_forever(self) -> Self {
        self.run("exec sleep 1000000")
    }

    pub fn finish(self, body: &str) -> Self {
        self.script("finish", body)
    }

    pub fn down(self) -> Self {
        self.file("down", "")
    }

    /// A log service whose `run` appends what it reads to the file `logged` of the service directory.
    pub fn logged(self) -> Self {
        self.script("log/run", "exec cat >>../logged")
    }

    /// Writes a plain file into it.
    pub fn file(self, path: &str, text: &str) -> Self {
        self.sandbox.write(Path::new(&self.name).join(path), text);
        self
    }

    /// The text of a file in it; empty if it is not there.
    pub fn read(&self, path: &str) -> String {
        self.sandbox.read(Path::new(&self.name).join(path))
    }

    /// How many lines a file in it has.
    pub fn lines(&self, path: &str) -> usize {
        self.read(path).lines().count()
    }

    /// Starts runsv for it, without waiting for anything.
    pub fn start(&self) -> Running {
        let mut runsv = self.sandbox.command("runsv");
        runsv.arg(&self.name);
        self.sandbox.start(runsv)
    }

    /// Starts runsv for it, and waits until it is there for everybody.
    pub fn supervise(&self) -> Running {
        let runsv = self.start();
        until("a supervisor", || self.is_supervised());
        runsv
    }

    /// Runs a runsv that fails to start, to its end.
    pub fn fails(&self) -> Output {
        self.sandbox.output("runsv", &[&self.name])
    }

    /// Whether `supervise/ok` has a reader.
    pub fn is_supervised(&self) -> bool {
        open_fifo(&self.join("supervise/ok")).is_ok()
    }

    /// Sends command bytes to the service.
    pub fn send(&self, bytes: &[u8]) {
        open_fifo(&self.join("supervise/control")).unwrap().write_all(bytes).unwrap();
    }

    /// Sends command bytes to its log service.
    pub fn send_log(&self, bytes: &[u8]) {
        open_fifo(&self.join("log/supervise/control")).unwrap().write_all(bytes).unwrap();
    }

    /// How many commands its supervisor has not read yet.
    pub fn unread(&self) -> u64 {
        let control = self.join("supervise/control");
        let fifo = std::fs::OpenOptions::new().read(true).write(true).open(control).unwrap();
        rustix::io::ioctl_fionread(&fifo).unwrap()
    }

    /// Its status. The file is replaced whole, so it is never short.
    pub fn status(&self) -> Status {
        status_in(&self.join("supervise"))
    }

    /// Its log service's status.
    pub fn log_status(&self) -> Status {
        status_in(&self.join("log/supervise"))
    }

    /// `supervise/stat` without the newline.
    pub fn stat(&self) -> String {
        self.read("supervise/stat").trim_end_matches('\n').into()
    }

    /// Waits for a state; gives the status then.
    #[track_caller]
    pub fn until_shown(&self, shown: Shown) -> Status {
        until_some(&format!("{}: {shown:?}", self.name), || {
            let bytes = fs::read(self.join("supervise/status")).ok()?;
            let status = Status(bytes.try_into().ok()?);
            (status.shown() == shown).then_some(status)
        })
    }

    /// Waits until a process of it is up; gives its number.
    #[track_caller]
    pub fn until_up(&self) -> i32 {
        self.until_shown(Shown::Run).pid()
    }

    /// Waits until another process than this is up; gives its number.
    #[track_caller]
    pub fn until_up_again(&self, before: i32) -> i32 {
        until_some("another process", || {
            let status = self.status();
            (status.shown() == Shown::Run && status.pid() != before).then_some(status.pid())
        })
    }

    /// Waits until a file in it has so many lines.
    #[track_caller]
    pub fn until_lines(&self, file: &str, count: usize) {
        until(&format!("{count} lines in {file}"), || self.lines(file) >= count);
    }

    /// Runs `sv` with these arguments and the service directory behind them.
    pub fn sv(&self, args: &[&str]) -> Output {
        let path = self.join("");
        let mut all = args.to_vec();
        all.push(path.to_str().unwrap());
        self.sandbox.output("sv", &all)
    }
}

fn status_in(supervise: &Path) -> Status {
    let bytes = fs::read(supervise.join("status")).unwrap();
    Status(bytes.as_slice().try_into().unwrap_or_else(|_| panic!("a status of {} bytes", bytes.len())))
}

/// Opens a fifo for writing without waiting for a reader.
fn open_fifo(path: &Path) -> std::io::Result<fs::File> {
    const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(path)
}

/// A scan directory.
pub struct Scan<'s> {
    pub sandbox: &'s Sandbox,
}

impl Scan<'_> {
    /// Links a service into it by its own name.
    pub fn link(&self, service: &Service<'_>) {
        let name = Path::new(&service.name).file_name().unwrap();
        symlink(service.join("").as_path(), self.sandbox.join("scan").join(name)).unwrap();
    }

    /// Takes a name out of it.
    pub fn unlink(&self, name: &str) {
        fs::remove_file(self.sandbox.join("scan").join(name)).unwrap();
    }

    /// Starts runsvdir on it, with options before and a title behind.
    pub fn start(&self, options: &[&str], title: &[&str]) -> Running {
        let mut runsvdir = self.sandbox.command("runsvdir");
        runsvdir.args(options).arg("scan").args(title);
        self.sandbox.start(runsvdir)
    }
}
