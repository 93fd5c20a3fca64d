//! runsvchdir: every row of what it does, side by side with runit's where that does the same.

mod hard;

use crate::kit::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Exit code, standard output, standard error.
type Told = (Option<i32>, String, String);

/// Runs a command to its end. Messages are given without the directory that the program has been called in.
fn told(command: &mut Command) -> Told {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let directory = format!("{}/", bin_dir().display());
    (output.status.code(), text(&output.stdout), text(&output.stderr).replace(&directory, ""))
}

/// The program, to work on the directory `levels` of a sandbox; `None` where it cannot be made to.
fn program(sandbox: &Sandbox) -> Option<Command> {
    if !against_runit() {
        let mut command = sandbox.command("runsvchdir");
        command.env("RUNSVDIR", "levels");
        return Some(command);
    }
    // Debian's knows one directory only.
    let fixed = "/etc/runit/runsvdir";
    if !rustix::process::geteuid().is_root() || !Path::new(fixed).is_dir() {
        eprintln!("passed over: this user may not mount over {fixed}");
        return None;
    }
    let mut command = sandbox.command("unshare");
    let script = format!("mount --bind levels {fixed}; exec runsvchdir \"$@\"");
    command.args(["--mount", "sh", "-ec", &script, "sh"]);
    Some(command)
}

/// A directory of the runlevels `one`, `two` and `three`.
struct Levels {
    sandbox: Sandbox,
}

impl Levels {
    /// One without a current runlevel.
    fn bare() -> Self {
        Self::of(Sandbox::new(), &["one", "two", "three"])
    }

    /// One of these runlevels.
    fn of(sandbox: Sandbox, levels: &[&str]) -> Self {
        for level in levels {
            fs::create_dir_all(sandbox.join("levels").join(level)).unwrap();
        }
        Self { sandbox }
    }

    /// One in which `one` is the current runlevel.
    fn new() -> Self {
        let levels = Self::bare();
        levels.link("one", "current");
        levels
    }

    fn link(&self, text: &str, name: &str) {
        symlink(text, self.sandbox.join("levels").join(name)).unwrap();
    }

    /// What a link says; nothing if it is not there.
    fn says(&self, name: &str) -> Option<String> {
        let text = fs::read_link(self.sandbox.join("levels").join(name)).ok()?;
        Some(text.to_str().unwrap().to_owned())
    }

    /// All names, with what links say.
    fn all(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sandbox.join("levels")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| self.says(&name).map_or(name.clone(), |text| format!("{name} -> {text}")))
            .collect();
        names.sort();
        names
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Told {
        told(program(&self.sandbox).unwrap().args(args))
    }

    /// Switches, and gives what the two links say then.
    #[track_caller]
    fn switch(&self, name: &str) -> [Option<String>; 2] {
        assert_eq!(self.run(&[name]), now_current(name));
        let left = self.all();
        assert!(!left.iter().any(|name| name.contains(".new")), "{left:?}");
        ["current", "previous"].map(|link| self.says(link))
    }

    /// Runs it and sees to it that it fails with this message and that nothing has changed.
    #[track_caller]
    fn refuses(&self, name: &str, message: &str) {
        let before = self.all();
        assert_eq!(self.run(&[name]), fatal(message));
        assert_eq!(self.all(), before, "{name}");
    }
}

fn links(current: &str, previous: &str) -> [Option<String>; 2] {
    [current, previous].map(|text| Some(text.to_owned()))
}

fn now_current(name: &str) -> Told {
    (Some(0), format!("runsvchdir: {name}: now current.\n"), String::new())
}

fn fatal(message: &str) -> Told {
    (Some(111), String::new(), format!("runsvchdir: fatal: {message}\n"))
}

/// Whether the program cannot be run here.
fn passed_over() -> bool {
    program(&Sandbox::new()).is_none()
}

#[test]
fn without_a_name_it_says_how_it_is_called() {
    let sandbox = Sandbox::new();
    let path = bin_dir().join("runsvchdir").display().to_string();
    for argv0 in [&path, "runsvchdir"] {
        let output = sandbox.command("runsvchdir").arg0(argv0).output().unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("usage: {argv0} dir\n\n"));
    }
}

#[test]
fn messages_begin_with_the_name_as_it_was_called_but_for_those_of_success() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    let path = bin_dir().join("runsvchdir").display().to_string();
    let output = levels.sandbox.command(&path).arg(".x").output().unwrap();
    let message = format!("{path}: fatal: .x: must not start with a dot.\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), message);
    assert_eq!(levels.run(&["two"]), now_current("two"));
}

#[test]
fn a_name_must_not_start_with_a_dot() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    fs::create_dir(levels.sandbox.join("levels/.hidden")).unwrap();
    for name in [".hidden", ".", "..", "./two", "../levels/two"] {
        levels.refuses(name, &format!("{name}: must not start with a dot."));
    }
}

#[test]
fn a_name_with_a_dot_is_refused_before_anything_is_looked_at() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("runsvchdir");
    command.env("RUNSVDIR", "missing");
    assert_eq!(told(command.arg(".x")), fatal(".x: must not start with a dot."));
}

#[test]
fn what_is_not_there_or_no_directory_is_refused() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    levels.sandbox.write("levels/file", "");
    levels.link("gone", "dangling");
    let long = "x".repeat(300);
    for (name, why) in [
        ("missing", "missing: file does not exist"),
        ("", ": file does not exist"),
        ("-V", "-V: file does not exist"),
        ("dangling", "dangling: file does not exist"),
        ("file/x", "unable to stat: file/x: not a directory"),
        (&long, &format!("unable to stat: {long}: file name too long")),
    ] {
        levels.refuses(name, why);
    }
    let separator = if against_runit() { "" } else { ": " };
    levels.refuses("file", &format!("file{separator}not a directory."));
}

#[test]
fn the_current_one_is_named_and_nothing_is_changed() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    levels.link("two", "previous");
    levels.link("one", "alias");
    let before = levels.all();
    for name in ["one", "one/", "current", "alias"] {
        assert_eq!(levels.run(&[name]), (Some(0), format!("runsvchdir: {name}: current.\n"), String::new()));
        assert_eq!(levels.all(), before);
    }
}

#[test]
fn a_switch_makes_current_of_the_name_and_previous_of_current() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    assert_eq!(levels.switch("two"), links("two", "one"));
    assert_eq!(levels.switch("three"), links("three", "two"));
    assert_eq!(levels.switch("one"), links("one", "three"));
}

#[test]
fn further_arguments_are_ignored() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    assert_eq!(levels.run(&["two", "three", "-x"]), now_current("two"));
    assert_eq!(levels.says("current").as_deref(), Some("two"));
}

#[test]
fn an_absolute_name_is_kept() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    let elsewhere = levels.sandbox.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let name = elsewhere.to_str().unwrap();
    assert_eq!(levels.switch(name), links(name, "one"));
    assert_eq!(levels.switch("two"), links("two", name));
    // The directory that everything is in has only slashes at its end.
    if !only_svbox("slashes") {
        assert_eq!(levels.switch("/"), links("/", "two"));
        assert_eq!(levels.switch("one"), links("one", "/"));
        assert_eq!(levels.switch("///"), links("/", "one"));
    }
}

#[test]
fn what_a_name_leads_to_is_current_under_that_name() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    levels.link("three", "alias");
    assert_eq!(levels.switch("alias"), links("alias", "one"));
}

#[test]
fn slashes_at_the_end_are_not_kept() {
    if only_svbox("slashes") {
        return;
    }
    let levels = Levels::new();
    assert_eq!(levels.switch("two/"), links("two", "one"));
    assert_eq!(levels.switch("three///"), links("three", "two"));
}

#[test]
fn a_link_that_was_left_behind_is_replaced() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    levels.link("three", "current.new");
    levels.link("three", "previous");
    if !against_runit() {
        levels.link("three", ".previous.new");
    }
    assert_eq!(levels.switch("two"), links("two", "one"));
}

#[test]
fn what_cannot_be_removed_is_an_error() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    fs::create_dir(levels.sandbox.join("levels/current.new")).unwrap();
    levels.refuses("two", "unable to unlink: current.new: is a directory");
    fs::remove_dir(levels.sandbox.join("levels/current.new")).unwrap();
    fs::create_dir(levels.sandbox.join("levels/previous")).unwrap();
    let before = levels.all();
    assert_eq!(levels.run(&["two"]), fatal("unable to unlink: previous: is a directory"));
    if !only_svbox("cleaned up") {
        assert_eq!(levels.all(), before);
    }
}

#[test]
fn previous_switches_back_and_forth() {
    if only_svbox("switch back") {
        return;
    }
    let levels = Levels::new();
    assert_eq!(levels.switch("two"), links("two", "one"));
    assert_eq!(levels.switch("previous"), links("one", "two"));
    assert_eq!(levels.switch("previous/"), links("two", "one"));
    assert_eq!(levels.switch("three"), links("three", "two"));
    assert_eq!(levels.switch("previous"), links("two", "three"));
}

#[test]
fn a_link_that_was_left_behind_can_be_switched_to() {
    if only_svbox("switch back") {
        return;
    }
    let levels = Levels::new();
    levels.link("three", "current.new");
    assert_eq!(levels.switch("current.new"), links("three", "one"));
}

#[test]
fn a_name_that_leads_through_the_links_themselves_is_refused() {
    if only_svbox("switch back") {
        return;
    }
    let levels = Levels::new();
    levels.link("two", "previous");
    fs::create_dir(levels.sandbox.join("levels/one/below")).unwrap();
    levels.link("previous", "back");
    let absolute = levels.sandbox.join("levels/previous");
    for name in ["back", "current/below", absolute.to_str().unwrap()] {
        levels.refuses(name, &format!("{name}: leads through current or previous."));
    }
    // Also without a previous one, and without any.
    fs::remove_file(&absolute).unwrap();
    levels.refuses("current/below", "current/below: leads through current or previous.");
    let levels = Levels::bare();
    levels.link("two", "current.new");
    levels.link("current.new", "back");
    let mut before = levels.all();
    assert_eq!(levels.run(&["back"]), fatal("back: leads through current or previous."));
    before.retain(|name| !name.starts_with("current.new"));
    assert_eq!(levels.all(), before);
}

#[test]
fn a_current_that_is_not_there_is_made() {
    if only_svbox("first link") {
        return;
    }
    let levels = Levels::bare();
    levels.link("three", "previous");
    assert_eq!(levels.switch("two"), links("two", "three"));
    // One that leads nowhere is none either, but it is the one before.
    fs::remove_dir(levels.sandbox.join("levels/two")).unwrap();
    assert_eq!(levels.switch("one"), links("one", "two"));
}

#[test]
fn a_current_that_cannot_be_followed_is_an_error() {
    if passed_over() {
        return;
    }
    let levels = Levels::bare();
    levels.link("current", "current");
    levels.refuses("two", "unable to stat: current: symbolic link loop");
}

#[test]
fn a_current_that_is_no_link_stays() {
    if only_svbox("real directory") {
        return;
    }
    let levels = Levels::bare();
    fs::create_dir(levels.sandbox.join("levels/current")).unwrap();
    levels.refuses("two", "current: not a symbolic link.");
    assert_eq!(
        levels.run(&["current"]),
        (Some(0), "runsvchdir: current: current.\n".to_owned(), String::new())
    );
    fs::remove_dir(levels.sandbox.join("levels/current")).unwrap();
    levels.sandbox.write("levels/current", "");
    levels.refuses("two", "current: not a symbolic link.");
}

#[test]
fn the_directory_is_that_of_the_variable() {
    if only_svbox("RUNSVDIR") {
        return;
    }
    let levels = Levels::new();
    let run = |value: &str, from: &str| {
        let mut command = levels.sandbox.command("runsvchdir");
        told(command.env("RUNSVDIR", value).current_dir(levels.sandbox.join(from)).arg("two"))
    };
    let absolute = levels.sandbox.join("levels");
    for (value, from) in [("../levels", "levels"), (absolute.to_str().unwrap(), ".")] {
        assert_eq!(run(value, from), now_current("two"));
        levels.switch("one");
    }
    let long = format!("levels{}", "/".repeat(5000));
    for (value, why) in [
        ("", "file does not exist"),
        ("missing", "file does not exist"),
        ("/dev/null", "not a directory"),
        (&long, "file name too long"),
    ] {
        assert_eq!(run(value, "."), fatal(&format!("unable to chdir: {value}: {why}")));
    }
}

#[test]
fn without_the_variable_it_is_runits() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("passed over: this user may not mount");
        return;
    }
    let levels = Levels::new();
    let run = |prepare: &str| {
        let mut command = levels.sandbox.command("unshare");
        told(command.args(["--mount", "sh", "-ec", &format!("{prepare}; exec runsvchdir two")]))
    };
    // The dynamic linker finds the libraries without what is in there.
    let missing = "unable to chdir: /etc/runit/runsvdir: file does not exist";
    assert_eq!(run("mount -t tmpfs tmpfs /etc"), fatal(missing));
    let there =
        "mount -t tmpfs tmpfs /etc; mkdir -p /etc/runit/runsvdir; mount --bind levels /etc/runit/runsvdir";
    assert_eq!(run(there), now_current("two"));
    assert_eq!(levels.says("current").as_deref(), Some("two"));
}
