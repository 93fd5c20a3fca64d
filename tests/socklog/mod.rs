//! socklog and socklog-check, from the outside.

mod burst;
mod check;
mod command_line;
mod differential;
mod full;
mod inet;
mod lines;
mod path;
mod rights;
mod services;
mod signals;
mod stream;

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

/// A socklog that runs, and what it writes.
struct Live<'s> {
    sandbox: &'s Sandbox,
    running: Running,
}

/// The user and group of tests as root: nobody has to be warned.
const IDS: [(&str, &str); 2] = [("UID", "65534"), ("GID", "65534")];

/// A command that receives messages, with an environment in which it is nobody's if we are root.
fn socklog(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = sandbox.command("socklog");
    command.args(args).env_remove("UID").env_remove("GID");
    if rustix::process::geteuid().is_root() {
        command.envs(IDS);
    }
    command
}

impl<'s> Live<'s> {
    /// Starts it with these arguments, and waits until it listens. Its output is in `out`.
    #[track_caller]
    fn start(sandbox: &'s Sandbox, args: &[&str]) -> Self {
        Self::run(sandbox, socklog(sandbox, args))
    }

    /// The same for a command.
    #[track_caller]
    fn run(sandbox: &'s Sandbox, mut command: Command) -> Self {
        command.stdout(fs::File::create(sandbox.join("out")).unwrap());
        Self::run_to(sandbox, command)
    }

    /// The same with another output.
    #[track_caller]
    fn run_to(sandbox: &'s Sandbox, command: Command) -> Self {
        let running = sandbox.start(command);
        until("a socklog that listens", || running.stderr().contains("starting."));
        Self { sandbox, running }
    }

    /// Sends messages to the path `log`, each when there is room for it.
    fn send(&self, messages: &[&[u8]]) {
        let socket = UnixDatagram::unbound().unwrap();
        for message in messages {
            assert_eq!(socket.send_to(message, self.sandbox.join("log")).unwrap(), message.len());
        }
    }

    /// What it has written so far.
    fn written(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.sandbox.join("out")).unwrap()).into_owned()
    }

    /// Waits until it has written exactly this.
    #[track_caller]
    fn until_written(&self, text: &str) {
        let end = std::time::Instant::now() + DEADLINE;
        while self.written() != text {
            let written = self.written();
            let is_over = std::time::Instant::now() > end || !text.starts_with(&written);
            assert!(!is_over, "{written:?} and not {text:?}");
            std::thread::yield_now();
        }
    }

    /// Ends it; gives what it has said since it began to listen.
    #[track_caller]
    fn end(mut self) -> String {
        self.running.signal(Signal::TERM);
        assert_eq!(self.running.ended().code(), Some(0));
        let said = self.running.stderr();
        said.split_once("starting.\n").unwrap().1.to_owned()
    }
}

/// What comes of messages with these options.
#[track_caller]
fn lines_of(options: &[&str], messages: &[&[u8]], expected: &str) {
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &[options, &["unix", "log"]].concat());
    socklog.send(messages);
    socklog.until_written(expected);
    assert_eq!(socklog.end(), "");
}
