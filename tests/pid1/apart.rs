//! Not as process 1.

use super::*;

/// A container in which a shell is process 1 and waits for a pid1 below it, whose arguments follow.
fn below(sandbox: &Sandbox) -> Container<'_> {
    let script = "/program/pid1 \"$@\" & pid=$!; trap \"kill -TERM $pid\" TERM
        until wait $pid; code=$?; ! kill -0 $pid 2>/dev/null; do :; done
        wait $pid; echo $code >/out/code; until test -e /out/end; do sleep 0.01; done";
    Container::new(sandbox).program(&["/bin/sh", "-c", script, "sh"])
}

/// The number, here, of the pid1 that is not process 1.
#[track_caller]
fn pid1(container: &Contained<'_>) -> i32 {
    until_some("a pid1", || named(container, "pid1").first().copied())
}

/// The parent of a process.
fn parent(pid: i32) -> i32 {
    status_of(pid, "PPid").unwrap().parse().unwrap()
}

#[test]
fn it_takes_on_the_orphans_below_it_all_the_same() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "(setsid sh -c 'echo $$ >/out/orphan; until test -e /out/go; do sleep 0.01; done' &)
        until test -e /out/leave; do sleep 0.01; done; exit 6";
    let container = below(&sandbox).start(&["sh", "-c", script]);
    let pid = pid1(&container);
    until_lines(&sandbox, "out/orphan", 1);
    let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    until("the orphan below it", || children().split_whitespace().count() == 2);
    assert!(children().split_whitespace().all(|child| parent(child.parse().unwrap()) == pid));
    sandbox.write("out/go", "");
    until("its collection", || children().split_whitespace().count() == 1);
    sandbox.write("out/leave", "");
    until("its code", || sandbox.read("out/code") == "6\n");
    assert_eq!(last_line(&container), "pid1: command has ended: exit 6");
}

#[test]
fn it_runs_services_and_stops_them_and_leaves_strangers_alone() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let stray =
        "(setsid sh -c 'trap \"echo told >/out/told\" TERM; echo >>/out/up; while :; do sleep 0.01; done' &)";
    sandbox.service("service/one").run(&format!(
        "{stray}
        trap 'echo bye >/out/bye; exit' TERM; echo >>/out/up; while :; do sleep 0.01; done"
    ));
    let container = below(&sandbox).start(&[]);
    let pid = pid1(&container);
    until_lines(&sandbox, "out/up", 2);
    kill(pid, rustix::process::Signal::TERM);
    until("its code", || sandbox.read("out/code") == "0\n");
    assert_eq!(last_line(&container), "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/bye"), "bye\n");
    assert!(!sandbox.join("out/told").exists(), "a process that it may not signal");
    assert!(named(&container, "setsid").is_empty() && named(&container, "sh").len() >= 2);
}

#[test]
fn it_kills_what_does_not_stop_in_time() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/deaf").run(DEAF);
    let container = below(&sandbox).start(&["-t", "0"]);
    let pid = pid1(&container);
    until_lines(&sandbox, "out/deaf", 1);
    kill(pid, rustix::process::Signal::TERM);
    until("its code", || sandbox.read("out/code") == "137\n");
    assert_eq!(
        last_line(&container),
        "pid1: stopped: signal 15; not all had stopped in time and were killed"
    );
}
