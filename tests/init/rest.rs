//! Process 1 at rest: what it holds, and that it sleeps.

use super::*;

#[test]
fn at_rest_it_holds_four_descriptors_and_no_event_adds_one() {
    if only_svbox("at rest") {
        return;
    }
    let first = Boot::new().script("ctrlaltdel", "").start();
    in_stage_2(&first);
    assert_eq!(first.descriptors(), [0, 1, 2, 3]);
    let target = fs::read_link(format!("/proc/{}/fd/3", first.pid)).unwrap();
    assert_eq!(target.to_str(), Some("anon_inode:[signalfd]"));
    let events = "i=0; while test $i -lt 1000; do kill -CONT 1; kill -HUP 1; (:) & i=$((i+1)); done";
    assert!(first.command("sh").args(["-c", events]).status().unwrap().success());
    for times in 1..=10 {
        first.signal("INT");
        first.until_said_times("leave stage: /etc/runit/ctrlaltdel", times);
    }
    until("the end of all children", || first.children() == (1, 0));
    first.until_idle();
    assert_eq!(first.descriptors(), [0, 1, 2, 3]);
}

#[test]
fn it_sleeps_without_a_time_limit() {
    if only_svbox("at rest") {
        return;
    }
    let first = Boot::new().start();
    in_stage_2(&first);
    let mut strace = first.sandbox.command("strace");
    strace.args(["-qq", "-o", "trace", "-p", &first.pid.to_string()]);
    let _strace = first.sandbox.start(strace);
    until("strace", || first.field("TracerPid:") != "0");
    first.signal("CONT");
    // The last line is the call that it is in, and has no end yet.
    let endless = |line: &str| {
        (line.starts_with("poll(") && line.ends_with(", -1"))
            || (line.starts_with("ppoll(") && line.contains(", NULL, NULL"))
    };
    until("a sleep after the signal that nothing but a signal ends", || {
        let trace = first.sandbox.read("trace");
        let after = trace.split_once("\nread(3").map(|(_, after)| after.to_owned());
        after.is_some_and(|after| !after.ends_with('\n') && after.lines().last().is_some_and(endless))
    });
}

#[test]
fn it_has_little_memory_of_its_own() {
    if only_svbox("at rest") || std::env::var_os("SVBOX_PROGRAM").is_none() {
        eprintln!("passed over: it takes the static program");
        return;
    }
    let first = Boot::new().start();
    in_stage_2(&first);
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", first.pid)).unwrap();
    // What is clean is the program's file, which all of svbox has in common.
    let private = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let private: u64 = private.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(private <= 16, "{private} KiB");
}
