//! `kill-scope` where the supervisor is late, or what it sees of the machine is not its own.

use super::between::pass_checks;
use super::dag::has_ended;
use super::scope::{Given, can_adopt, cgroup_of, cgroups};
use super::*;
use rustix::process::Signal;

#[test]
fn a_supervisor_that_comes_too_late_kills_all_the_same() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = "trap exit TERM\n(trap '' TERM; exec sleep 1000000) & echo $! >>stray\nsleep 1000000 & wait";
    let service = counted(&sandbox, run).file("kill-scope", "group").file("timeout-kill", "300");
    let runsv = service.supervise();
    service.until_lines("stray", 1);
    let stray: i32 = service.read("stray").trim().parse().unwrap();
    let pid = service.until_up();
    service.send(b"d");
    until("the end of the service", || has_ended(pid));
    runsv.signal(Signal::STOP);
    // As long as it waits for what it has killed.
    (0..9).for_each(|number| pass_checks(&sandbox, &format!("clock{number}")));
    runsv.signal(Signal::CONT);
    until("the end of what it has left", || has_ended(stray));
    service.until_shown(Shown::Down);
}

#[test]
fn with_a_proc_of_others_nobody_else_is_killed() {
    if only_svbox("own files") || !can_adopt() || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let service = service.file("kill-scope", "tree").file("timeout-kill", "200");
    // In the /proc of the machine, to which its numbers mean others, process 2 is kthreadd, from which many descend.
    let act = "runsv one & sleep 1000000 & stranger=$!
        until test -s one/supervise/pid; do sleep 0.01; done
        sv -w 60 stop ./one >stopped; kill $stranger && echo alive >>seen; sv -w 60 exit ./one; echo over >>seen";
    let mut command = sandbox.command("unshare");
    command.args([
        "-m",
        "sh",
        "-c",
        "mount -t tmpfs none /sys/fs/cgroup; exec unshare -pf sh -c \"$0\"",
        act,
    ]);
    let _all = sandbox.start(command);
    until("the end", || sandbox.read("seen").ends_with("over\n"));
    assert_eq!(sandbox.read("seen"), "alive\nover\n");
    service.until_shown(Shown::Down);
}

#[test]
fn no_service_leaves_the_cgroup_of_a_supervisor_that_sees_another_as_the_root() {
    if only_svbox("own files") || cgroups().is_none() || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().file("kill-scope", "tree");
    let given = Given::new(&sandbox, 0);
    let act = format!("echo 0 >{}/cgroup.procs && exec unshare -C runsv one", given.0.display());
    let mut command = sandbox.command("sh");
    command.args(["-c", &act]);
    let mut runsv = sandbox.start(command);
    assert_eq!(cgroup_of(service.until_up()), given.0);
    service.send(b"x");
    runsv.ended();
}
