//! What can be counted: descriptors, memory, wake-ups.

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The numbers of the descriptors of a process, and what they are of.
fn descriptors(pid: i32) -> BTreeMap<i32, PathBuf> {
    let number = |path: &Path| path.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let all = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().map(|entry| entry.unwrap().path());
    all.map(|path| (number(&path), fs::read_link(&path).unwrap_or_default())).collect()
}

/// The same without those that whoever runs the suite has left open for everybody.
fn own(container: &Contained<'_>, pid: i32) -> BTreeMap<i32, PathBuf> {
    let inherited = descriptors(container.parent());
    descriptors(pid)
        .into_iter()
        .filter(|(number, target)| *number < 3 || inherited.get(number) != Some(target))
        .collect()
}

/// How often the process has been given a processor.
fn time_slices(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// A container with a service that cannot keep its state and a command, both up.
fn at_rest(sandbox: &Sandbox) -> (Contained<'_>, i32) {
    sandbox.service("service/one").run("echo >>/out/up; exec sleep 1000000").script("log/run", "exec cat");
    let command = "trap 'echo >>/out/usr1' USR1; echo >>/out/up; until test -e /out/leave; do sleep 1000000 & wait; done";
    let container = Container::new(sandbox).read_only(true).start(&["sh", "-c", command]);
    until_lines(sandbox, "out/up", 2);
    let pid = container.started();
    (container, pid)
}

#[test]
fn process_1_holds_few_descriptors_and_never_more() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let (container, pid) = at_rest(&sandbox);
    let before = own(&container, pid);
    // 0, 1 and 2, and what tells of signals.
    assert_eq!(before.len(), 4, "{before:?}");
    for number in 1..100 {
        container.signal(10);
        until_lines(&sandbox, "out/usr1", number);
    }
    let runsvdir = named(&container, "runsvdir")[0];
    kill(runsvdir, rustix::process::Signal::KILL);
    until("another runsvdir", || named(&container, "runsvdir").first().is_some_and(|pid| *pid != runsvdir));
    let output = container.run(&["sh", "-c", "for i in $(seq 100); do (sh -c : &); done"]);
    assert!(output.status.success());
    until("the same descriptors", || own(&container, pid) == before);
}

#[test]
fn what_pid1_starts_has_the_three_descriptors_only() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let (container, pid) = at_rest(&sandbox);
    let first_three = |pid| own(&container, pid).into_iter().take(3).collect::<Vec<_>>();
    let children = named(&container, "sh");
    let command = children.into_iter().find(|child| status_of(*child, "PPid") == Some(pid.to_string()));
    assert_eq!(own(&container, command.unwrap()).into_iter().collect::<Vec<_>>(), first_three(pid));
    assert_eq!(first_three(named(&container, "runsvdir")[0]), first_three(pid));
}

#[test]
fn process_1_has_four_pages_to_itself() {
    if only_svbox("containers") || std::env::var_os("SVBOX_PROGRAM").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let (container, pid) = at_rest(&sandbox);
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let private = smaps.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let kilobytes: usize = private.trim().trim_end_matches(" kB").parse().unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    // Only the program with the layout of scripts/svbox.ld is that small.
    if maps.lines().filter(|line| line.ends_with("/svbox")).count() == 2 {
        assert!(kilobytes <= 16, "{kilobytes} KiB\n{maps}");
    }
    drop(container);
}

#[test]
fn nothing_wakes_up_while_nothing_happens() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let (container, pid) = at_rest(&sandbox);
    let mut tree = [named(&container, "runsvdir"), named(&container, "runsv")].concat();
    assert_eq!(tree.len(), 2);
    tree.push(pid);
    let slices = || tree.iter().map(|pid| time_slices(*pid)).collect::<Vec<_>>();
    // The last publication may still be under way, and a new directory is looked at again after a second.
    let mut before = slices();
    until("two seconds without a wake-up", || {
        std::thread::sleep(Duration::from_secs(2));
        core::mem::replace(&mut before, slices()) == before
    });
    // Not to wait for something: this is how long nothing may happen.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(slices(), before);
}

#[test]
fn a_child_that_the_system_refuses_is_fatal() {
    if only_svbox("containers") || only_root() {
        return;
    }
    // A user of its own, because the limit counts all processes of a user.
    let lonely = Some(USER + 1);
    let sandbox = Sandbox::new();
    let program = ["/usr/bin/prlimit", "--nproc=1", "/program/pid1"];
    let mut container = Container::new(&sandbox).user(lonely).program(&program).start(&["true"]);
    assert_eq!(container.ended(), Some(111), "{}", container.stderr());
    assert!(last_line(&container).starts_with("pid1: fatal: unable to start"), "{}", container.stderr());
    sandbox.service("service/one").run(FOREVER);
    let mut container = Container::new(&sandbox).user(lonely).program(&program).start(&[]);
    assert_eq!(container.ended(), Some(111), "{}", container.stderr());
    assert!(last_line(&container).starts_with("pid1: fatal: unable to start"), "{}", container.stderr());
}
