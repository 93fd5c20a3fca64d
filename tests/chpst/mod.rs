//! chpst and its six personalities, from the outside: what they make of their command line, and the state in which
//! the program finds itself.

mod descriptors;
mod differential;
mod env_dir;
mod exec;
mod follow;
mod fuzz;
mod limits;
mod locks;
mod nice;
mod options;
mod order;
mod personalities;
mod root;
mod session;
mod users;

use crate::kit::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

/// Exit code, standard output, standard error.
type Told = (Option<i32>, String, String);

/// Runs a command to its end, which is made if it does not come by itself.
#[track_caller]
fn told(command: &mut Command) -> Told {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = child.id().cast_signed();
    let (ended, end) = mpsc::channel::<()>();
    let guard = thread::spawn(move || {
        if end.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
            kill(pid, rustix::process::Signal::KILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    guard.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Writes executable files, by another process: what is open for writing here, a child of another test has open for
/// a moment as well, and then it cannot be run.
#[track_caller]
fn executable(sandbox: &Sandbox, files: &[(&str, &str)]) {
    let write = "while test $# != 0; do mkdir -p \"${1%/*}\"; printf '%s\\n' \"$2\" >\"$1\"; chmod 755 \"$1\"; shift 2; done";
    let files = files.iter().flat_map(|(path, text)| [format!("./{path}"), (*text).to_owned()]);
    assert_eq!(told(sandbox.command("sh").args(["-ec", write, "sh"]).args(files)), success(""));
}

/// Runs chpst, or a personality, with these arguments.
#[track_caller]
fn run(sandbox: &Sandbox, name: &str, args: &[impl AsRef<OsStr>]) -> Told {
    told(sandbox.command(name).args(args))
}

#[track_caller]
fn chpst(sandbox: &Sandbox, args: &[impl AsRef<OsStr>]) -> Told {
    run(sandbox, "chpst", args)
}

/// What a program that succeeds has printed.
#[track_caller]
fn printed(told: Told) -> String {
    assert_eq!((told.0, told.2.as_str()), (Some(0), ""), "it printed {:?}", told.1);
    told.1
}

fn success(stdout: &str) -> Told {
    (Some(0), stdout.into(), String::new())
}

fn fatal(message: &str) -> Told {
    (Some(111), String::new(), format!("chpst: fatal: {message}\n"))
}

/// A usage error, and what is said before the usage.
fn misuse(complaint: &str, usage: &str) -> Told {
    (Some(100), String::new(), format!("{complaint}{usage}"))
}

/// The usage of chpst under this name.
fn usage(name: &str) -> String {
    let options = if against_runit() {
        "[-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-n nice] [-l|-L lock] \
        [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-t n]"
    } else {
        "[-vVPFI012N] [-u [:]user[:group]] [-U [:]user[:group]] [-b argv0] [-e dir] [-/ root] [-C pwd] [-n nice] \
        [-A sec] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-r n] [-t n] [-a n] [-s n]"
    };
    format!("usage: {name} {options} prog\n\n")
}

/// Whether a test is to be passed over because only root can do what it needs.
fn only_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("passed over: this user may not change ids, roots and mounts");
    }
    !is_root
}

/// What a program runs as.
#[derive(Debug, PartialEq)]
struct Ids {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl Ids {
    fn new(uid: u32, gid: u32, groups: &[u32]) -> Self {
        Self { uid, gid, groups: groups.into() }
    }

    /// Those in a `/proc/PID/status`, in which nothing of other ids may be left.
    #[track_caller]
    fn of(status: &str) -> Self {
        let numbers = |name: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.split_whitespace().map(|number| number.parse().unwrap()).collect()
        };
        let one = |name: &str| {
            let all = numbers(name);
            assert!(all.len() == 4 && all.iter().all(|id| *id == all[0]), "{name} {all:?}");
            all[0]
        };
        Self { uid: one("Uid:"), gid: one("Gid:"), groups: numbers("Groups:") }
    }
}

const STATUS: [&str; 2] = ["cat", "/proc/self/status"];
const LIMITS: [&str; 2] = ["cat", "/proc/self/limits"];

/// Soft and hard limits by their names in `/proc/PID/limits`.
fn limits(text: &str) -> BTreeMap<String, (String, String)> {
    let limit = |line: &str| {
        let (name, values) = line.split_at_checked(26)?;
        let mut values = values.split_whitespace().map(str::to_owned);
        Some((name.trim().to_owned(), (values.next()?, values.next()?)))
    };
    text.lines().skip(1).filter_map(limit).collect()
}

/// A shell, in a mount namespace of its own, that does something and then becomes a program.
fn after(sandbox: &Sandbox, act: &str, program: &[impl AsRef<OsStr>]) -> Command {
    let mut command = sandbox.command("unshare");
    command.args(["--mount", "sh", "-ec", &format!("{act}\nexec \"$@\""), "sh"]).args(program);
    command
}

/// Gives the machine other account files, for what runs [`after`] it.
const ACCOUNTS: &str = "mount --bind passwd /etc/passwd; mount --bind group /etc/group";

/// Writes the account files that [`ACCOUNTS`] puts in place.
fn write_accounts(sandbox: &Sandbox) {
    sandbox.write(
        "passwd",
        "root:x:0:0::/:/bin/sh\n\
        a line without colons\n\
        \n\
        one:x:11:12::/:/bin/sh\n\
        one:x:21:22::/:/bin/sh\n\
        short:x:5\n\
        wide:x:4294967307:5::/:\n\
        minus:x:-1:5::/:\n\
        7:x:70:71::/:/bin/sh\n\
        other:x:31:32::/:/bin/sh\n\
        last:x:41:42::/:/bin/sh",
    );
    sandbox.write(
        "group",
        "root:x:0:\n\
        many:x:80:one,other\n\
        9:x:90:\n\
        more:x:85:one\n\
        end:x:82:",
    );
}

/// Runs a program where only those accounts are known.
#[track_caller]
fn known(sandbox: &Sandbox, program: &[impl AsRef<OsStr>]) -> Told {
    write_accounts(sandbox);
    told(&mut after(sandbox, ACCOUNTS, program))
}
