//! svbox-service(7) names every file of a service directory.

use super::named;
use crate::kit::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The paths that the page is about.
fn described() -> BTreeSet<String> {
    let page = named("svbox-service");
    let items = page.section("FILES").into_iter().filter_map(|line| line.strip_prefix(".It Pa "));
    items.flat_map(|item| item.split(" , ")).map(plain).collect()
}

/// A path without what says that it is a directory, or here.
fn plain(path: &str) -> String {
    path.strip_prefix("./").unwrap_or(path).trim_end_matches('/').to_owned()
}

/// A program under test, with a record of the files it names.
fn recorded(sandbox: &Sandbox, name: &str) -> Command {
    let mut command = sandbox.command("strace");
    command.args(["-qq", "-e", "trace=%file", "-e", "signal=none", "-o"]).arg(sandbox.join(name));
    // What it starts has files of its own.
    command.args(["-D", "-b", "execve"]).arg(program(name));
    command
}

/// The paths in the service directory `s` that a program has named. Those of the log service's state are as those of
/// the service's own, and so are those of the directory above it.
fn looked_at(trace: &str) -> BTreeSet<String> {
    let paths = trace.lines().filter_map(|line| line.split('"').nth(1)).map(plain);
    let inside =
        paths.filter(|path| Path::new(path).is_relative() && !["", ".", "s", "s/."].contains(&path.as_str()));
    let own = |path: String| path.trim_start_matches("s/").trim_start_matches("../").to_owned();
    inside.map(|path| own(path).replace("log/supervise/", "supervise/")).collect()
}

#[test]
fn it_has_every_file_that_the_supervisor_and_sv_look_at() {
    let sandbox = Sandbox::new();
    // What is not in the directory is not asked for.
    let service = sandbox
        .service("s")
        .run("trap '' HUP ALRM INT QUIT USR1 USR2\nexec sleep 1000000")
        .finish("exit 0")
        .file("control/nothing", "")
        .file("restart", "always")
        .file("timeout-kill", "60000")
        .logged();
    let mut command = recorded(&sandbox, "runsv");
    command.arg("s");
    let mut runsv = sandbox.start(command);
    let first = service.until_up();
    assert!(recorded(&sandbox, "sv").args(["-w", "60", "check", "./s"]).output().unwrap().status.success());
    service.send(b"12haiqpct");
    let second = service.until_up_again(first);
    service.send(b"k");
    service.until_up_again(second);
    service.send(b"dx");
    runsv.ended();
    let seen: BTreeSet<_> = ["runsv", "sv"].iter().flat_map(|name| looked_at(&sandbox.read(name))).collect();
    let described = described();
    let own = if against_runit() { &[][..] } else { &["restart", "timeout-kill"] };
    let common = ["check", "down", "finish", "supervise/status.new", "control/u", "control/1", "control/k"];
    for path in common.iter().chain(own) {
        assert!(seen.contains(*path), "{path} was not looked at: {seen:?}");
    }
    let missing: Vec<_> = seen.difference(&described).collect();
    assert!(missing.is_empty(), "{missing:?} is not described: {described:?}");
}
