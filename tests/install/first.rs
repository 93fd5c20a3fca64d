//! The same under runit as process 1, which starts runsvdir as its stage 2.

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn is_svbox(pid: i32) -> bool {
    let file = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    file == fs::canonicalize(svbox()).unwrap()
}

/// runit's process 1 with its own runsvdir on one service, whose names have become links to svbox.
fn switched() -> (First, i32) {
    let boot = Boot::new().program("/usr/sbin/runit");
    let (bin, scan) = (boot.sandbox.join("bin"), boot.sandbox.join("scan"));
    fs::create_dir(&bin).unwrap();
    for name in ["runsv", "runsvdir"] {
        symlink(Path::new("/usr/bin").join(name), bin.join(name)).unwrap();
    }
    let stage = format!("PATH={}:$PATH exec runsvdir -P {}", bin.display(), scan.display());
    let first = boot.script("2", &stage).start();
    let pid = first.sandbox.service("scan/one").run_forever().until_up();
    for name in ["runsv", "runsvdir"] {
        fs::remove_file(bin.join(name)).unwrap();
        symlink(svbox(), bin.join(name)).unwrap();
    }
    (first, pid)
}

fn runsvdir(first: &First) -> i32 {
    until_some("one runsvdir", || match first.sandbox.named("runsvdir")[..] {
        [pid] => Some(pid),
        _ => None,
    })
}

#[test]
fn the_runsvdir_that_is_stage_2_starts_the_new_supervisors() {
    if only_svbox("multicall") {
        return;
    }
    let (first, pid) = switched();
    let service = first.sandbox.service("scan/one");
    assert!(service.sv(&["status"]).status.success());
    assert!(service.sv(&["-w", "60", "exit"]).status.success());
    service.until_up_again(pid);
    until("the new supervisor", || matches!(first.sandbox.named("runsv")[..], [pid] if is_svbox(pid)));
    assert!(!is_svbox(runsvdir(&first)));
}

#[test]
fn the_end_of_that_runsvdir_however_it_comes_is_the_end_of_the_machine() {
    if only_svbox("multicall") {
        return;
    }
    for signal in [Signal::TERM, Signal::KILL] {
        let (mut first, _) = switched();
        kill(runsvdir(&first), signal);
        assert_eq!(first.ended(), End::Off);
        assert!(first.said().contains("enter stage: /etc/runit/3"), "{}", first.said());
    }
}
