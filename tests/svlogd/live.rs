//! A svlogd at work.

use crate::kit::*;
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;
use std::fs;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::process::Command;

/// A svlogd with a pipe for its input.
pub struct Live {
    pub svlogd: Running,
    pub input: Option<PipeWriter>,
    /// The end that svlogd reads from.
    pub output: PipeReader,
}

impl Live {
    /// Starts svlogd with these arguments.
    pub fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = sandbox.command("svlogd");
        command.args(args);
        Self::run(sandbox, command)
    }

    /// Starts a program that is svlogd or becomes it.
    pub fn run(sandbox: &Sandbox, mut command: Command) -> Self {
        let (output, input) = std::io::pipe().unwrap();
        fcntl_setfl(&input, OFlags::NONBLOCK).unwrap();
        command.stdin(output.try_clone().unwrap());
        Self { svlogd: sandbox.start(command), input: Some(input), output }
    }

    /// Starts another on the same pipe when it has ended.
    pub fn go_on(&mut self, sandbox: &Sandbox, args: &[&str]) {
        let mut command = sandbox.command("svlogd");
        command.args(args).stdin(self.output.try_clone().unwrap());
        self.svlogd = sandbox.start(command);
    }

    /// Writes to it, waiting for room.
    #[track_caller]
    pub fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref();
        let mut input = self.input.as_ref().unwrap();
        until("room in the pipe", || {
            match input.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            bytes.is_empty()
        });
    }

    /// Waits until it has read everything.
    #[track_caller]
    pub fn until_read(&self) {
        until("an empty pipe", || rustix::io::ioctl_fionread(&self.output).unwrap() == 0);
    }

    pub fn signal(&self, signal: Signal) {
        if against_runit() {
            // It sleeps through what comes between its look at the signals and its wait for input.
            until("an idle svlogd", || "STZ".contains(self.state()));
        }
        self.svlogd.signal(signal);
    }

    /// The letter that `/proc` has for what it does.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.svlogd.pid())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    /// Stops it until it is told to go on.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        until("a stop", || self.state() == 'T');
    }

    /// Waits for a message.
    #[track_caller]
    pub fn until_said(&self, message: &str) {
        self.until_said_times(1, message);
    }

    #[track_caller]
    pub fn until_said_times(&self, times: usize, message: &str) {
        let line = format!("svlogd: {message}");
        until(&format!("{line:?}"), || {
            self.stderr().lines().filter(|said| said.starts_with(&line)).count() >= times
        });
    }

    pub fn stderr(&self) -> String {
        self.svlogd.stderr()
    }

    /// Waits for its end; gives the exit code.
    #[track_caller]
    pub fn ended(&mut self) -> Option<i32> {
        self.svlogd.ended().code()
    }

    /// Ends its input and waits for its end; gives the exit code and what it said.
    #[track_caller]
    pub fn end(mut self) -> (Option<i32>, String) {
        self.input = None;
        (self.ended(), self.stderr())
    }

    /// The same when the writing end is somewhere else.
    pub fn output_left(&mut self, input: PipeWriter) -> String {
        self.input = Some(input);
        String::from_utf8(self.left()).unwrap()
    }

    /// What it has left in the pipe when it has ended.
    pub fn left(&mut self) -> Vec<u8> {
        self.input = None;
        let mut left = Vec::new();
        self.output.read_to_end(&mut left).unwrap();
        left
    }
}
