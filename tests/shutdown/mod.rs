//! shutdown, halt, poweroff and reboot: in a root directory of the test's own, where process 1 is a script that writes
//! down what it hears.

mod command_line;
// Its pure parts, which use the library only.
#[allow(dead_code)]
#[path = "../../applets/shutdown/grammar.rs"]
mod grammar;
mod halt;
mod pending;
#[allow(dead_code)]
#[path = "../../applets/shutdown/time.rs"]
mod time;
mod wall;

use crate::kit::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use svbox::utmp::{Field, Kind, Record, SIZE};

/// A system with the files of requests, none of which is made, and with both files of logins.
fn system(sandbox: &Sandbox) -> Root<'_> {
    let root = sandbox.root();
    for file in ["etc/runit/stopit", "etc/runit/reboot", "etc/runit/halt"] {
        root.write(file, "");
        fs::set_permissions(root.join(file), fs::Permissions::from_mode(0o000)).unwrap();
    }
    root.write("run/utmp", "");
    root.write("var/log/wtmp", "");
    root
}

/// What became of a command.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    code: Option<i32>,
    said: String,
    /// The requests that are made.
    requests: String,
    /// Whether process 1 was signalled.
    heard: bool,
}

impl Outcome {
    fn of(root: &Root, code: Option<i32>) -> Self {
        let is_made = |name: &&str| {
            let mode = |path| fs::metadata(root.join(path)).map_or(0, |stat| stat.permissions().mode());
            mode(&format!("etc/runit/{name}")) & 0o100 != 0
        };
        let made: Vec<_> = ["stopit", "reboot", "halt"].into_iter().filter(is_made).collect();
        Self {
            code,
            said: steady(&root.read("tmp/said").unwrap_or_default()),
            requests: made.join(" "),
            heard: root.has("tmp/heard"),
        }
    }

    fn asked(requests: &str) -> Self {
        Self { code: Some(0), said: String::new(), requests: requests.to_owned(), heard: true }
    }

    /// Nothing was done.
    fn refused(code: i32, said: &str) -> Self {
        Self { code: Some(code), said: said.to_owned(), requests: String::new(), heard: false }
    }
}

/// A script for process 1 that writes down its signals.
fn script(commands: &str) -> String {
    format!("trap 'echo >>/tmp/heard' CONT\n{commands}")
}

/// Runs one command under process 1, to its end.
fn run(root: &Root, command: &str) -> Outcome {
    let _ = fs::remove_file(root.join("tmp/heard"));
    let output = root.output(&script(&format!("{command} 2>/tmp/said; code=$?; : ; exit $code")));
    assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    Outcome::of(root, output.status.code())
}

fn records(root: &Root, path: &str) -> Vec<Record> {
    let bytes = root.read(path).unwrap();
    assert_eq!(bytes.len() % SIZE, 0);
    bytes.chunks(SIZE).map(|chunk| Record(chunk.try_into().unwrap())).collect()
}

fn login(line: &str) -> Record {
    let mut record = Record::new(Kind::User);
    record.set_text(Field::Line, line.as_bytes());
    record.set_text(Field::User, b"somebody");
    record
}

/// What `last` prints of wtmp, without the lines of its own.
fn last(sandbox: &Sandbox, root: &Root) -> String {
    let path = root.join("var/log/wtmp");
    let output = sandbox.output("last", &["-x", "-f", path.to_str().unwrap()]);
    steady(&output.stdout)
}
