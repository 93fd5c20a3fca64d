//! Process 1 becomes the program that has its path now.

use super::*;

const GOING_ON: &str = concat!("svbox ", env!("CARGO_PKG_VERSION"), ": going on.\n");

/// A stage 2 that collects nothing and says who it is.
const STAGE_2: &str =
    "echo $$ >>/run/stage2; trap 'exit 0' TERM; : >/run/ready; while :; do sleep 0.01; done";

#[track_caller]
fn ready() -> First {
    let first = Boot::new().script("2", STAGE_2).start();
    first.until_there("/run/ready");
    first.until_idle();
    first
}

#[test]
fn it_goes_on_with_stage_2_as_it_is() {
    if only_svbox("again") {
        return;
    }
    let mut first = ready();
    for times in 1..=3 {
        first.signal("59");
        first.until_said_times(GOING_ON, times);
        first.until_idle();
    }
    assert_eq!(first.descriptors().len(), 4);
    let orphans = "for i in 1 2 3 4 5 6 7 8 9 10; do (sh -c 'sleep 0.01 &' &); done";
    assert!(first.command("sh").args(["-c", orphans]).status().unwrap().success());
    until("no zombie", || first.children().1 == 0);
    stop(&first);
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/stage2").lines().count(), 1);
    let said = first.said().replace(&format!("- runit: {GOING_ON}"), "");
    assert_eq!(said, life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn a_request_on_its_way_is_not_lost() {
    if only_svbox("again") {
        return;
    }
    let mut first = ready();
    first.set("/run/runit.stopit", 0o100);
    // The request may come before, while the program is loaded, or after it has been looked at for the first time.
    let _ = first.command("sh").args(["-c", "kill -59 1; kill -CONT 1"]).status().unwrap();
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn a_stage_2_that_ends_meanwhile_is_noticed() {
    if only_svbox("again") {
        return;
    }
    for _ in 0..20 {
        let mut first = ready();
        let both = "pid=$(cat /run/stage2); kill -59 1; kill -TERM $pid";
        let code = first.command("sh").args(["-c", both]).status().unwrap().code();
        // The end of the machine can be quicker than that of the shell, which is killed then.
        assert!(matches!(code, Some(0 | 137) | None), "{code:?}");
        assert_eq!(first.ended(), End::Off);
    }
}

#[test]
fn outside_of_stage_2_it_stays_what_it_is() {
    if only_svbox("again") {
        return;
    }
    let mut first = Boot::new().gate("gate").script("1", "read go </run/gate || :").script("2", "").start();
    first.until_said("enter stage: /etc/runit/1");
    first.signal("59");
    first.until_said("warning: signals only work in stage 2.");
    first.go("gate");
    assert_eq!(first.ended(), End::Off);
    assert!(!first.said().contains("going on"));
}

#[test]
fn what_cannot_be_run_changes_nothing() {
    if only_svbox("again") {
        return;
    }
    let start = "mkdir /run/bin; cp \"$(readlink -f \"$(command -v runit)\")\" /run/bin/runit";
    let mut first = Boot::new().before(start).program("/run/bin/runit").script("2", STAGE_2).start();
    first.until_there("/run/ready");
    assert!(first.command("rm").arg("/run/bin/runit").status().unwrap().success());
    first.signal("59");
    first.until_said("fatal: unable to run /run/bin/runit: file does not exist");
    stop(&first);
    assert_eq!(first.ended(), End::Off);
}

#[test]
fn telinit_asks_for_it() {
    if only_svbox("again") {
        return;
    }
    let mut first = ready();
    for (times, word) in [(1, "u"), (2, "U")] {
        assert!(first.command("telinit").arg(word).status().unwrap().success());
        first.until_said_times(GOING_ON, times);
    }
    assert!(first.lives());
}
