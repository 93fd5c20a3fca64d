//! A process 1 of a test's own: it is the first of a PID namespace, and sees an `/etc/runit`, a `/run` and a `/dev`
//! that belong to the sandbox.

use super::{Running, Sandbox, against_runit, until, until_some};
use rustix::fs::OFlags;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the namespace needs before process 1 starts. A machine without `/etc/runit` gets one. The scripts are copies:
/// what is open for writing here, a child of another test has open for a moment as well, and then it cannot be run.
const PREPARE: &str = "
    cp -a etc copy; rm -r etc; mv copy etc
    test -d /etc/runit || {
        mkdir all-etc; mount --bind /etc all-etc; mount -t tmpfs etc /etc
        ln -s \"$PWD\"/all-etc/* /etc; mkdir /etc/runit
    }
    : >null; mount --bind /dev/null null
    mount --bind run /run; mount --bind etc /etc/runit; mount -t tmpfs dev /dev
    : >/dev/null; mount --bind null /dev/null";

/// Shows the numbers of the descriptors that are inherited here, in order of their text. The tests' own are among
/// them: those of whatever runs the suite.
pub const DESCRIPTORS: &str = "sh -c 'for fd in /proc/$$/fd/*; do test ! -e $fd || echo ${fd##*/}; done'";

/// A life that has not begun.
pub struct Boot {
    pub sandbox: Sandbox,
    before: String,
    program: String,
}

/// How it ended.
#[derive(Debug, PartialEq)]
pub enum End {
    /// The machine would be off, or halted.
    Off,
    /// It would start again.
    Again,
    /// Process 1 has exited.
    Exited(i32),
    /// It has been killed.
    Killed(i32),
}

impl Boot {
    /// A life whose stages 1 and 3 do nothing, and whose stage 2 stays.
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.join("run")).unwrap();
        fs::create_dir(sandbox.join("etc")).unwrap();
        let boot = Self { sandbox, before: String::new(), program: "runit".into() };
        boot.script("1", "").script("2", "exec sleep 1000000").script("3", "")
    }

    /// Writes a script into `/etc/runit`.
    pub fn script(self, name: &str, body: &str) -> Self {
        self.sandbox.script(Path::new("etc").join(name), body);
        self
    }

    /// A file below `/etc/runit` or `/run`, with a mode.
    pub fn file(self, path: &str, mode: u32) -> Self {
        let path = at(&self.sandbox, path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    /// A fifo below `/run`, by which scripts wait for [`First::go`].
    pub fn gate(self, name: &str) -> Self {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, self.sandbox.join("run").join(name), mode).unwrap();
        self
    }

    /// Shell commands that are done in the namespace, before process 1 is process 1.
    pub fn before(mut self, act: &str) -> Self {
        self.before = act.into();
        self
    }

    /// Another program, or command line, to be process 1.
    pub fn program(mut self, program: &str) -> Self {
        self.program = program.into();
        self
    }

    /// Process 1 may not end the machine.
    pub fn powerless(self) -> Self {
        self.program("setpriv --bounding-set -sys_boot runit")
    }

    /// Begins it, and waits for the first message.
    #[track_caller]
    pub fn start(self) -> First {
        let first = self.start_under(&[]);
        until("the first message", || first.running.stderr().contains(": booting.\n"));
        first
    }

    /// Begins it under a program that stays outside of the namespace. Waits for process 1, which may not be itself
    /// yet.
    #[track_caller]
    pub fn start_under(self, outer: &[&str]) -> First {
        let mut command = match outer {
            [] => self.sandbox.command("unshare"),
            [outer, args @ ..] => {
                let mut command = self.sandbox.command(outer);
                command.args(args).arg("unshare");
                command
            }
        };
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        // A life can be so short that nobody would find out who lived it.
        let known = "until test -e known; do sleep 0.01; done";
        let script =
            format!("{DESCRIPTORS} >run/given\n{PREPARE}\n{}\n{known}\nexec {}", self.before, self.program);
        command.args(["--pid", "--mount", "--fork", "--mount-proc", "sh", "-ec", &script]);
        let mut running = self.sandbox.start(command);
        let pid = until_some("process 1", || {
            assert!(running.lives(), "no namespace: {}", running.stderr());
            self.sandbox.processes().into_iter().find(|pid| is_first(*pid))
        });
        self.sandbox.write("known", "");
        First { running, pid, sandbox: self.sandbox }
    }
}

/// Whether a process is the first of a namespace below this one.
fn is_first(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ids = field(&status, "NSpid:");
    ids.split_whitespace().count() > 1 && ids.split_whitespace().last() == Some("1")
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
}

/// Where a path below `/etc/runit` or `/run` lies.
fn at(sandbox: &Sandbox, path: &str) -> PathBuf {
    match path.strip_prefix("/etc/runit/") {
        Some(name) => sandbox.join("etc").join(name),
        None => sandbox.join("run").join(path.strip_prefix("/run/").unwrap()),
    }
}

/// A process 1. It and all that it started end when this is dropped.
pub struct First {
    running: Running,
    /// Its number outside of the namespace.
    pub pid: i32,
    pub sandbox: Sandbox,
}

impl First {
    /// What has been said since the first message, without what is about the console that is not there.
    pub fn said(&self) -> String {
        let stderr = self.running.stderr();
        let (_, said) = stderr.split_once(": booting.\n").unwrap_or_default();
        said.replace("- runit: warning: unable to open /dev/console: file does not exist\n", "")
    }

    /// Waits until something is said.
    #[track_caller]
    pub fn until_said(&self, text: &str) {
        self.until_said_times(text, 1);
    }

    /// Waits until something is said so often.
    #[track_caller]
    pub fn until_said_times(&self, text: &str, times: usize) {
        until(&format!("{times} times \"{text}\" in {:?}", self.said()), || {
            self.said().matches(text).count() >= times
        });
    }

    /// Everything on standard error, from the start.
    pub fn stderr(&self) -> String {
        self.running.stderr()
    }

    /// The text of a file below `/etc/runit` or `/run`; empty if it is not there.
    pub fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.at(path)).unwrap_or_default()).into_owned()
    }

    /// Waits until there is a file.
    #[track_caller]
    pub fn until_there(&self, path: &str) {
        until(path, || self.at(path).exists());
    }

    /// The mode of a file, if it is there.
    pub fn mode(&self, path: &str) -> Option<u32> {
        Some(fs::metadata(self.at(path)).ok()?.permissions().mode() & 0o7777)
    }

    /// Makes a file, if it is not there, and gives it a mode.
    pub fn set(&self, path: &str, mode: u32) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Where a file below `/etc/runit` or `/run` lies.
    pub fn at(&self, path: &str) -> PathBuf {
        at(&self.sandbox, path)
    }

    /// Lets a script that reads from a [`Boot::gate`] go on.
    #[track_caller]
    pub fn go(&self, gate: &str) {
        const NONBLOCK: i32 = OFlags::NONBLOCK.bits().cast_signed();
        let path = self.sandbox.join("run").join(gate);
        until(&format!("a reader of {gate}"), || {
            fs::OpenOptions::new().write(true).custom_flags(NONBLOCK).open(&path).is_ok()
        });
    }

    /// Sends a signal, by name or number, to process 1.
    #[track_caller]
    pub fn signal(&self, signal: &str) {
        assert!(self.signal_if_there(signal), "signal {signal}");
    }

    /// The same, if it has not ended; gives whether that was so.
    pub fn signal_if_there(&self, signal: &str) -> bool {
        let pid = self.pid.to_string();
        Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", signal, &pid]).status().unwrap().success()
    }

    /// A line of its `/proc/PID/status`.
    pub fn field(&self, name: &str) -> String {
        field(&fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default(), name).to_owned()
    }

    /// Waits until it sleeps and no signal is left for it to see, or until it is gone. runit blocks some that it does
    /// not look at.
    #[track_caller]
    pub fn until_idle(&self) {
        // INT, CHLD, CONT and PWR.
        let seen = if against_runit() { 1 << 1 | 1 << 16 | 1 << 17 | 1 << 29 } else { u64::MAX };
        until("process 1 to sleep", || {
            let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
            let left = u64::from_str_radix(field(&status, "ShdPnd:"), 16).unwrap_or_default() & seen;
            left == 0 && !field(&status, "State:").starts_with(['R', 'D', 't'])
        });
    }

    /// The numbers of its descriptors, without those of this process that are inherited by everything.
    pub fn descriptors(&self) -> Vec<i32> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap();
        let number = |name: &str| name.parse().unwrap();
        let all = entries.map(|entry| number(entry.unwrap().file_name().to_str().unwrap()));
        let given = self.read("/run/given");
        let mut numbers: Vec<i32> =
            all.filter(|fd| *fd < 3 || !given.lines().any(|line| number(line) == *fd)).collect();
        numbers.sort_unstable();
        numbers
    }

    /// How many children it has, dead ones too, and how many of them are dead.
    pub fn children(&self) -> (usize, usize) {
        let parent = self.pid.to_string();
        let (mut all, mut dead) = (0, 0);
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            if field(&status, "PPid:") == parent {
                all += 1;
                dead += usize::from(field(&status, "State:").starts_with('Z'));
            }
        }
        (all, dead)
    }

    /// A command that is run beside it, in its namespaces.
    pub fn command(&self, program: &str) -> Command {
        self.command_under(&[], program)
    }

    /// The same, under a program that stays outside.
    pub fn command_under(&self, outer: &[&str], program: &str) -> Command {
        let mut command = self.sandbox.command(outer.first().unwrap_or(&"nsenter"));
        if let [_, args @ ..] = outer {
            command.args(args).arg("nsenter");
        }
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--target", &self.pid.to_string(), "--pid", "--mount", "--", program]);
        command
    }

    /// Whether it has not ended.
    pub fn lives(&mut self) -> bool {
        self.running.lives()
    }

    /// Waits for the end.
    #[track_caller]
    pub fn ended(&mut self) -> End {
        let status = self.running.ended();
        match (status.code(), status.signal()) {
            (Some(code), _) => End::Exited(code),
            // A PID namespace tells its parent so.
            (None, Some(2)) => End::Off,
            (None, Some(1)) => End::Again,
            (None, signal) => End::Killed(signal.unwrap()),
        }
    }
}
