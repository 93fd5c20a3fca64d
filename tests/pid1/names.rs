//! The names by which it can be called.

use super::*;

/// A stage 1 in the new root.
const STAGE: &str =
    "mkdir etc/runit; printf '#!/bin/sh\\necho >/out/stage; exec sleep 1000000\\n' >etc/runit/1
    chmod 755 etc/runit/1";

#[test]
fn init_and_runit_are_pid1_in_a_container_without_stages() {
    if only_svbox("containers") {
        return;
    }
    for name in ["init", "runit"] {
        let sandbox = Sandbox::new();
        let program = format!("/program/{name}");
        let mut container =
            Container::new(&sandbox).program(&[&program]).start(&["--", "sh", "-c", "exit 7"]);
        assert_eq!(container.ended(), Some(7), "{name}: {}", container.stderr());
        assert!(last_line(&container).ends_with(": command has ended: exit 7"), "{}", container.stderr());
        let mut container = Container::new(&sandbox).program(&[&program]).start(&[]);
        assert_eq!(container.ended(), Some(100), "{name}: {}", container.stderr());
        sandbox.service("service/one").run("echo >/out/up; exec sleep 1000000");
        let mut container = Container::new(&sandbox).program(&[&program]).start(&["-t", "1000"]);
        until_lines(&sandbox, "out/up", 1);
        container.signal(15);
        assert_eq!(container.ended(), Some(0), "{name}: {}", container.stderr());
        assert!(last_line(&container).ends_with(": stopped: signal 15"), "{}", container.stderr());
    }
}

#[test]
fn svbox_runs_it_by_name() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["pid1", "init", "runit"] {
        let program = ["/program/svbox", name];
        let mut container = Container::new(&sandbox).program(&program).start(&["--", "sh", "-c", "exit 7"]);
        assert_eq!(container.ended(), Some(7), "{name}: {}", container.stderr());
    }
}

#[test]
fn with_a_stage_1_init_and_runit_run_that_and_pid1_does_not() {
    if only_svbox("containers") {
        return;
    }
    for name in ["init", "runit"] {
        let sandbox = Sandbox::new();
        let program = format!("/program/{name}");
        let _container =
            Container::new(&sandbox).setup(STAGE).program(&[&program]).start(&["sh", "-c", "exit 7"]);
        until_lines(&sandbox, "out/stage", 1);
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).setup(STAGE).start(&["sh", "-c", "exit 7"]);
    ends(&mut container, 7, "pid1: command has ended: exit 7");
    assert!(!sandbox.join("out/stage").exists());
}
