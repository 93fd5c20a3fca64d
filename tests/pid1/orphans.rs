//! Orphans: all are collected.

use super::*;

/// Makes orphans, 200 a second for two seconds, who write down whose they have become; then waits.
pub const ORPHANS: &str = "i=0; while [ $i -lt 400 ]; do
        (sh -c 'echo >>/out/orphans' &)
        i=$((i + 1)); sleep 0.005
    done; echo >/out/made; until test -e /out/leave; do sleep 0.01; done; exit 8";

/// Waits until all have been made and have ended, and nothing is left of them.
#[track_caller]
pub fn are_collected(sandbox: &Sandbox, container: &Contained<'_>, pid: i32) {
    until_lines(sandbox, "out/made", 1);
    until_lines(sandbox, "out/orphans", 400);
    let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    until("no more children than there should be", || children().split_whitespace().count() <= 2);
    until("no zombie", || container.processes().1.is_empty());
}

#[test]
fn two_hundred_orphans_a_second_are_collected_beside_a_command() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&["sh", "-c", ORPHANS]);
    let pid = container.started();
    are_collected(&sandbox, &container, pid);
    sandbox.write("out/leave", "");
    ends(&mut container, 8, "pid1: command has ended: exit 8");
    assert_eq!(sandbox.read("out/orphans").lines().count(), 400);
}

#[test]
fn an_orphan_becomes_a_child_of_process_1_and_its_end_is_not_the_commands() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    // In a group and session of its own, so that it is seen to be collected wherever it is.
    let orphan = "until [ $(cut -d\\  -f4 /proc/$$/stat) = 1 ]; do :; done; echo $$ >/out/orphan; exit 77";
    let script =
        format!("(setsid sh -c '{orphan}' &); until test -e /out/leave; do sleep 0.01; done; exit 2");
    let mut container = Container::new(&sandbox).start(&["sh", "-c", &script]);
    until_lines(&sandbox, "out/orphan", 1);
    let orphan = sandbox.read("out/orphan");
    let path = container.path("/proc").join(orphan.trim());
    until("its collection", || !path.exists());
    assert!(container.lives());
    sandbox.write("out/leave", "");
    ends(&mut container, 2, "pid1: command has ended: exit 2");
}

#[test]
fn a_crowd_of_orphans_at_once_is_collected() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    // They end together, so that one signal tells of many.
    let script = "pipe my $r, my $w; for (1 .. 500) { next if fork; close $w; sysread $r, my $x, 1; exit }
        if (my $child = fork) { waitpid $child, 0 } else { exec 'sh', '-c', 'exit 0' }
        open my $ready, '>', '/out/ready'; print $ready qq(\\n); exit";
    let script =
        format!("perl -e '{}'; until test -e /out/leave; do sleep 0.01; done", script.replace('\'', "\""));
    let mut container = Container::new(&sandbox).start(&["sh", "-c", &script]);
    until_lines(&sandbox, "out/ready", 1);
    until("no zombie, and none of the crowd", || {
        let (live, zombies) = container.processes();
        zombies.is_empty() && live.len() <= 3
    });
    sandbox.write("out/leave", "");
    ends(&mut container, 0, "pid1: command has ended: exit 0");
}

#[test]
fn orphans_of_services_are_collected() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run("(setsid sh -c 'echo $$ >/out/orphan' &)\nexec sleep 1000000");
    let container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/orphan", 1);
    let path = container.path("/proc").join(sandbox.read("out/orphan").trim());
    until("its collection", || !path.exists());
}
