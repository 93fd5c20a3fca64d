//! What the machine may do to process 1.

use super::*;
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_hundred_thousand_signals_do_not_stop_it() {
    let mut first = Boot::new().script("ctrlaltdel", "").start();
    in_stage_2(&first);
    let inside =
        "i=0; while test $i -lt 10000; do kill -CONT 1; kill -INT 1; kill -HUP 1; kill -QUIT 1; kill -CHLD 1
        i=$((i+1)); done";
    let mut storm = first.command("sh").args(["-c", inside]).spawn().unwrap();
    // Without TERM and PWR, which end what is no machine.
    let outside = [Signal::CONT, Signal::INT, Signal::HUP, Signal::CHILD, Signal::USR1];
    for _ in 0..50_000 / outside.len() {
        for signal in &outside {
            kill_process(Pid::from_raw(first.pid).unwrap(), *signal).unwrap();
        }
    }
    assert!(storm.wait().unwrap().success());
    first.until_idle();
    assert!(first.lives() && !first.said().contains("leave stage: /etc/runit/2"), "{}", first.said());
    // The end of the last ctrlaltdel has the request looked at too.
    let count = |word: &str| first.said().matches(&life(word)).count();
    until("the end of the last ctrlaltdel", || count("ctrl") == count("-ctrlaltdel"));
    stop(&first);
    assert_eq!(first.ended(), End::Off);
    assert!(first.said().ends_with(&life("-2 +3 -3 off")), "{}", first.said());
}

#[test]
fn a_storm_of_all_signals_in_each_stage_does_not_stop_it() {
    let storm = "i=0; while test $i -lt 500; do for s in 1 3 4 5 6 7 8 9 10 11 12 13 14 17 19 20 21 22 23; do
        kill -$s 1; done; i=$((i+1)); done";
    let boot = ["1", "2", "3"].iter().fold(Boot::new(), |boot, name| boot.script(name, storm));
    let mut first = boot.start();
    assert_eq!(first.ended(), End::Off);
    let said = first.said().replace(&life("only"), "");
    assert_eq!(said, life("+1 -1 +2 -2 +3 -3 off"));
}

/// What makes descriptors.
const DESCRIPTORS: &str = "openat,?open,pipe2,?pipe,dup,dup3,pidfd_open,socket:error=EMFILE";

#[test]
fn a_stage_for_which_there_is_no_child_is_tried_again() {
    // One life for each stage, all at once.
    let lives: Vec<(&str, First, Running)> = ["2", "3"]
        .iter()
        .map(|stage| {
            let before = if *stage == "2" { "1" } else { "2" };
            let first =
                Boot::new().script("2", "").gate("gate").script(before, "read go </run/gate || :").start();
            first.until_said(&format!("enter stage: /etc/runit/{before}"));
            let strace = refuse(&first.sandbox, first.pid, CHILDREN);
            first.go("gate");
            (*stage, first, strace)
        })
        .collect();
    for (stage, mut first, strace) in lives {
        first.until_said("unable to fork");
        let message =
            format!("- runit: fatal: unable to fork for \"/etc/runit/{stage}\" pausing: temporary failure\n");
        assert!(first.said().contains(&message), "{}", first.said());
        drop(strace);
        assert_eq!(first.ended(), End::Off);
        let said = first.said().replace(&message, "");
        assert_eq!(said, life("+1 -1 +2 -2 +3 -3 off"));
    }
}

#[test]
fn a_request_while_there_is_no_child_is_heard() {
    if only_svbox("forks") {
        return;
    }
    let mut first = Boot::new().gate("gate").script("1", "read go </run/gate || :").start();
    first.until_said("enter stage: /etc/runit/1");
    let strace = refuse(&first.sandbox, first.pid, CHILDREN);
    first.go("gate");
    first.until_said("unable to fork");
    first.signal("39");
    first.until_idle();
    drop(strace);
    assert_eq!(first.ended(), End::Again);
}

#[test]
fn without_a_child_for_it_the_end_comes_all_the_same() {
    let mut first = Boot::new().gate("gate").script("2", "").script("3", "read go </run/gate || :").start();
    first.until_said("enter stage: /etc/runit/3");
    let _strace = refuse(&first.sandbox, first.pid, CHILDREN);
    first.go("gate");
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn without_descriptors_to_open_it_goes_on() {
    let mut first = Boot::new().script("ctrlaltdel", ": >/run/ran").start();
    in_stage_2(&first);
    let _strace = refuse(&first.sandbox, first.pid, DESCRIPTORS);
    first.signal("INT");
    first.until_there("/run/ran");
    first.until_said("leave stage: /etc/runit/ctrlaltdel");
    stop(&first);
    assert_eq!(first.ended(), End::Off);
    // How long stage 2 may take cannot be read then.
    let unread = "- runit: warning: unable to read /etc/runit/timeout-kill: process cannot open more files\n";
    let said = first.said().replace(unread, "");
    assert_eq!(said, life("+1 -1 +2 ctrl +ctrlaltdel -ctrlaltdel -2 +3 -3 off"));
}

#[test]
fn without_proc_and_run_it_lives() {
    let boot = Boot::new().before("umount /run; mount -t tmpfs -o ro none /run").script("2", "");
    let mut first = boot.start();
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
    let mut first =
        Boot::new().before("umount -l /proc").program("/bin/sh -c 'exec runit'").script("2", "").start();
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}
