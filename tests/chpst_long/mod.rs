//! The long options of chpst: what each one does is seen from inside the program that was run.
//!
//! What must hold is what the manual page says. Where something is refused, the program has not been run.

mod capabilities;
mod cgroup;
mod descriptors;
mod inner;
mod landlock;
mod limits;
mod mounts;
mod namespaces;
mod order;
mod schedule;
mod supported;
mod sweep;
mod values;
mod variables;

use crate::kit::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Somebody without any rights.
const USER: u32 = 1000;

/// How a command is called by somebody.
type Caller = fn(&Sandbox) -> Command;

/// Those who may call.
const CALLERS: [Caller; 2] = [root, user];

/// chpst, called by root.
fn root(sandbox: &Sandbox) -> Command {
    let mut command = as_root(sandbox);
    command.arg(reachable(sandbox));
    command
}

/// chpst, called by somebody without any rights.
fn user(sandbox: &Sandbox) -> Command {
    let mut command = as_user(sandbox);
    command.arg(reachable(sandbox));
    command
}

/// A program to be named, called by root: the one of a user namespace if the suite is run by another user.
fn as_root(sandbox: &Sandbox) -> Command {
    if rustix::process::geteuid().is_root() {
        return sandbox.command("env");
    }
    let mut command = sandbox.command("unshare");
    command.args(["--user", "--map-root-user", "--"]);
    command
}

/// A program to be named, called by somebody without any rights.
fn as_user(sandbox: &Sandbox) -> Command {
    if !rustix::process::geteuid().is_root() {
        return sandbox.command("env");
    }
    let mut command = sandbox.command("setpriv");
    let id = USER.to_string();
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"]);
    command
}

/// A chpst that everybody can reach.
fn reachable(sandbox: &Sandbox) -> PathBuf {
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let chpst = sandbox.join("bin/chpst");
    if !rustix::process::geteuid().is_root() {
        return program("chpst");
    }
    if !chpst.exists() {
        fs::create_dir_all(sandbox.join("bin")).unwrap();
        // A copy is large; a link is not possible from another file system.
        if fs::hard_link(svbox(), &chpst).is_err() {
            copy(sandbox, svbox().to_str().unwrap(), "bin/chpst");
        }
    }
    chpst
}

/// Copies a program. Another test's child would inherit the descriptor if it was written here, and nobody could run it.
fn copy(sandbox: &Sandbox, from: &str, to: &str) {
    assert!(sandbox.command("cp").args(["-L", from, to]).status().unwrap().success());
}

/// Whether a test needs the real root and this is not it.
fn only_root() -> bool {
    let real = rustix::process::geteuid().is_root();
    if !real {
        eprintln!("passed over: not root");
    }
    !real
}

/// A shell command in which `"$@"` is chpst, its options, and what it runs; called like the command that is given.
fn through(sandbox: &Sandbox, chpst: &Command, script: &str) -> Command {
    let mut command = sandbox.command("sh");
    command.args(["-c", script, "sh"]).arg(chpst.get_program()).args(chpst.get_args());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Code, standard output, standard error.
fn told(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs it with these arguments; gives what the program says if all went well, in silence.
#[track_caller]
fn seen(mut command: Command, args: &[&str]) -> String {
    let (code, said, complaint) = told(&command.args(args).output().unwrap());
    assert_eq!((code, complaint.as_str()), (Some(0), ""), "{args:?}: {said}");
    said
}

/// Runs a shell script under these options; gives what it says if all went well.
#[track_caller]
fn script(command: Command, options: &[&str], script: &str) -> String {
    seen(command, &[options, &["sh", "-c", script]].concat())
}

/// A program that leaves a trace, wherever it can leave one.
const TRACE: [&str; 3] = ["sh", "-c", "echo ran; echo ran >ran"];

/// Checks that these options are refused with this message, and that no program is run.
#[track_caller]
fn refused(sandbox: &Sandbox, mut command: Command, options: &[&str], message: &str) {
    let output = command.args(options).args(TRACE).output().unwrap();
    assert_eq!(
        told(&output),
        (Some(111), String::new(), format!("chpst: fatal: {message}\n")),
        "{options:?}"
    );
    assert!(!sandbox.join("ran").exists(), "{options:?}: the program was run");
}

/// A line of `/proc/self/status`, without its name.
#[track_caller]
fn status(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
}

/// A set of capabilities in `/proc/self/status`.
#[track_caller]
fn set(text: &str, name: &str) -> u64 {
    u64::from_str_radix(&status(text, name), 16).unwrap()
}

/// What root may ever have here.
fn own_bound(sandbox: &Sandbox) -> u64 {
    set(&seen(root(sandbox), &LOOK), "CapBnd")
}

/// What is run only to look at itself.
const LOOK: [&str; 2] = ["cat", "/proc/self/status"];

/// A chpst, by root, in a root directory that is no mount, with `sh` and `ls` beside it.
fn chrooted(sandbox: &Sandbox) -> Command {
    let chpst = reachable(sandbox);
    let fill = "mkdir -p root/bin root/proc; cp -L /bin/sh /bin/ls /bin/cat root/bin
        for library in $(ldd /bin/sh /bin/ls /bin/cat \"$1\" | grep -o '/[^ :]*' | sort -u); do
            mkdir -p root/${library%/*}; cp -L $library root/$library
        done";
    assert!(sandbox.command("sh").args(["-c", fill, "sh"]).arg(&chpst).status().unwrap().success());
    copy(sandbox, chpst.to_str().unwrap(), "root/chpst");
    let mut command = sandbox.command("unshare");
    command.args(["--user", "--map-root-user", "--root"]).arg(sandbox.join("root")).arg("/chpst");
    command
}
