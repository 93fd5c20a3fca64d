//! Process 1 of a container, from the outside: what its manual page says, in namespaces and under `runc`.

mod apart;
mod command;
mod counts;
mod environment;
mod essential;
mod late;
mod matrix;
mod names;
mod needs;
mod options;
mod orphans;
mod replaced;
mod signals;
mod stand_in;
mod state;
mod stop;
mod terminal;

use crate::kit::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Somebody without any rights.
const USER: u32 = 10_001;

/// A service that stays until it is killed by TERM.
const FOREVER: &str = "exec sleep 1000000";

/// A service that ignores TERM.
const DEAF: &str = "trap '' TERM; echo >>/out/deaf; while :; do sleep 0.1; done";

/// Whether a test needs the real root and this is not it.
fn only_root() -> bool {
    let real = rustix::process::geteuid().is_root();
    if !real {
        eprintln!("passed over: not root");
    }
    !real
}

/// The last line that process 1 has said.
fn last_line(container: &Contained<'_>) -> String {
    container.stderr().lines().next_back().unwrap_or_default().to_owned()
}

/// Waits for the end, and sees how it went and what was said last.
#[track_caller]
fn ends(container: &mut Contained<'_>, code: i32, line: &str) {
    let seen = container.ended();
    assert_eq!((seen, last_line(container).as_str()), (Some(code), line), "{}", container.stderr());
}

/// Waits until a service keeps its state in its own directory, and is up; gives the number of its process there.
#[track_caller]
fn up(sandbox: &Sandbox, name: &str) -> i32 {
    sandbox.service(name).until_up()
}

/// A file of the sandbox in which everybody may write is full of lines.
#[track_caller]
fn until_lines(sandbox: &Sandbox, file: &str, count: usize) {
    until(&format!("{count} lines in {file}"), || sandbox.read(file).lines().count() >= count);
}

/// A directory that everybody may write to.
fn for_everybody(sandbox: &Sandbox, dir: &str) {
    fs::create_dir_all(sandbox.join(dir)).unwrap();
    fs::set_permissions(sandbox.join(dir), fs::Permissions::from_mode(0o777)).unwrap();
}

/// A value of `/proc/PID/status`.
fn status_of(pid: i32, key: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(value.trim().into())
}

/// The processes of a container with this command name.
fn named(container: &Contained<'_>, name: &str) -> Vec<i32> {
    let is = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
            && fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
    };
    container.processes().0.into_iter().filter(is).collect()
}
