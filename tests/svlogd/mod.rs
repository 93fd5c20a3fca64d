//! svlogd, from the outside: what it makes of its input, of its directories, of signals and of failure.

mod bulk;
mod config;
mod counts;
mod differential;
mod dropping;
mod files;
mod flaws;
mod full_disk;
mod hup;
mod left_behind;
mod lines;
mod live;
mod options;
mod processor;
mod pruning;
mod queue;
mod reopened;
mod rotation;
mod select;
mod signals;
mod spin;
mod stamps;
mod udp;

use crate::kit::*;
use live::Live;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A log directory of a sandbox.
struct Log<'s> {
    sandbox: &'s Sandbox,
    name: String,
}

/// Makes a log directory with this configuration; with none if the text is empty.
fn log<'s>(sandbox: &'s Sandbox, name: &str, config: impl AsRef<[u8]>) -> Log<'s> {
    fs::create_dir_all(sandbox.join(name)).unwrap();
    let log = Log { sandbox, name: name.into() };
    if !config.as_ref().is_empty() {
        log.write("config", config);
    }
    log
}

impl Log<'_> {
    fn join(&self, file: &str) -> PathBuf {
        self.sandbox.join(&self.name).join(file)
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.join(file), bytes).unwrap();
    }

    /// What is in a file; nothing if it is not there.
    fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.join(file)).unwrap_or_default()
    }

    fn read(&self, file: &str) -> String {
        String::from_utf8_lossy(&self.bytes(file)).into_owned()
    }

    fn current(&self) -> String {
        self.read("current")
    }

    /// Waits until the live log is exactly this.
    #[track_caller]
    fn until_current(&self, text: &str) {
        // A file that is not there is not an empty one.
        until(&format!("`current` with {text:?}"), || {
            fs::read(self.join("current")).is_ok_and(|bytes| bytes == text.as_bytes())
        });
    }

    fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.join(file)).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(&self, file: &str, mode: u32) {
        fs::set_permissions(self.join(file), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The names of everything in the directory, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.join("")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The names of the old logs, the oldest first, whatever has become of them.
    fn old(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| name.starts_with('@') && name.len() == 27).collect()
    }

    /// The names of the old logs that end so, the oldest first.
    fn ending(&self, end: &str) -> Vec<String> {
        self.old().into_iter().filter(|name| name.ends_with(end)).collect()
    }

    /// The only old log.
    #[track_caller]
    fn only_old(&self) -> String {
        let [name] = <[String; 1]>::try_from(self.old()).unwrap();
        name
    }

    /// The texts of the old logs, the oldest first.
    fn old_texts(&self) -> Vec<String> {
        self.old().iter().map(|name| self.read(name)).collect()
    }

    /// How long the old logs are, and the live one behind them.
    fn sizes(&self) -> Vec<usize> {
        let files = self.old().into_iter().chain(["current".into()]);
        files.map(|name| self.bytes(&name).len()).collect()
    }

    /// Everything that is logged, the oldest first.
    fn whole(&self) -> Vec<u8> {
        let files = self.old().into_iter().chain(["current".into()]);
        files.flat_map(|name| self.bytes(&name)).collect()
    }

    /// Waits for so many old logs with this ending, and no others.
    #[track_caller]
    fn until_old(&self, count: usize, end: &str) -> Vec<String> {
        until_some(&format!("{count} old logs with {end}"), || {
            let old = self.old();
            (old.len() == count && old.iter().all(|name| name.ends_with(end))).then_some(old)
        })
    }
}

/// Runs svlogd with these arguments on this input; gives the exit code and what it said.
#[track_caller]
fn feed(sandbox: &Sandbox, args: &[&str], input: impl AsRef<[u8]>) -> (Option<i32>, String) {
    let mut live = Live::start(sandbox, args);
    live.say(input);
    live.end()
}

/// Runs svlogd on this input where it has nothing to complain about.
#[track_caller]
fn fed(sandbox: &Sandbox, args: &[&str], input: impl AsRef<[u8]>) {
    assert_eq!(feed(sandbox, args, input), (Some(0), String::new()));
}

/// What all svlogds that find no directory say last.
const NONE: &str = "svlogd: fatal: no functional log directories.\n";

/// So many numbered lines of so many bytes each, the newline included.
fn lines(count: usize, length: usize) -> String {
    (0..count).map(|number| format!("{number:0width$}\n", width = length - 1)).collect()
}

/// A text in which each time in a name is `T`.
fn without_times(text: &str) -> String {
    let mut parts = text.split('@');
    let mut plain: String = parts.next().unwrap().into();
    for part in parts {
        let is_name = part.get(..24).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        plain += if is_name { "@T" } else { "@" };
        plain += if is_name { &part[24..] } else { part };
    }
    plain
}

/// The name of an old log of another time: so many seconds after 2000 began.
fn name_at(seconds: u64, end: &str) -> String {
    format!("@{:016x}{:08x}{end}", 0x4000_0000_386d_438a_u64 + seconds, 500)
}

/// Seconds after 2000 that nobody's clock will show soon.
const FUTURE: u64 = 3_000_000_000;

/// svlogd without root's right to pass over modes.
fn obeying_modes(sandbox: &Sandbox, args: &[&str]) -> Command {
    if !rustix::process::geteuid().is_root() {
        let mut command = sandbox.command("svlogd");
        command.args(args);
        return command;
    }
    let mut setpriv = sandbox.command("setpriv");
    setpriv.args(["--bounding-set", "-dac_override,-dac_read_search", "svlogd"]).args(args);
    setpriv
}

/// svlogd, started by a shell that does something to itself before.
fn behind(sandbox: &Sandbox, before: &str, redirections: &str, args: &[&str]) -> Command {
    let mut shell = sandbox.command("sh");
    shell.args(["-c", &format!("{before}\nexec svlogd \"$@\" {redirections}"), "sh"]).args(args);
    shell
}

/// Logs this, waits for it, and makes an old log of it.
#[track_caller]
fn rotate(live: &mut Live, log: &Log<'_>, text: &str) {
    let rotated = || log.old().into_iter().filter(|name| !name.ends_with(".t")).collect::<Vec<_>>();
    let before = rotated();
    live.say(text);
    log.until_current(text);
    live.signal(Signal::ALARM);
    until("a rotation", || rotated().iter().any(|name| !before.contains(name)));
    log.until_current("");
}

/// A directory and a svlogd on it, talkative, that has logged a line `a` already.
fn at_work<'s>(sandbox: &'s Sandbox, config: &str) -> (Log<'s>, Live) {
    let log = log(sandbox, "d", config);
    let mut live = Live::start(sandbox, &["-v", "d"]);
    live.say("a\n");
    until("the first line", || log.current().ends_with("a\n"));
    (log, live)
}

/// A command that waits for the file `go` of the sandbox.
const UNTIL_GO: &str = "echo >>../begun; while test ! -e ../go; do sleep 0.01; done";
/// A command that notes what it was given, and hands it on.
const NOTED: &str = "tee -a ../order";

/// Waits until a processor that waits has been started so many times.
fn begun(sandbox: &Sandbox, count: usize) {
    until("the start of a processor", || sandbox.lines("begun") >= count);
}
