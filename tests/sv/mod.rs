//! sv: its words, its lines, its waiting, its codes.

mod codes;
mod lines;
mod lsb;
mod waiting;
mod words;

use crate::kit::*;
use std::process::{Command, Output};

/// `sv` in a sandbox whose services directory is the sandbox itself.
fn sv(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command("sv");
    command.env("SVDIR", sandbox.path());
    command
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Output {
    sv(sandbox).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    steady(&output.stdout)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The exit code and standard output.
fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), stdout(output))
}
