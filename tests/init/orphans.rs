//! Every orphan is collected, at all times.

use super::*;

/// Leaves a thousand orphans behind, which end when they like, and comes back when all are orphans.
const THOUSAND: &str = "(i=0; while test $i -lt 1000; do (:) & i=$((i+1)); done)";

#[test]
fn a_thousand_orphans_are_collected_in_each_stage() {
    let body = |gate: &str| format!("{THOUSAND}; : >/run/made-{gate}; read go </run/{gate} || :");
    let boot =
        ["1", "2", "3"].iter().fold(Boot::new(), |boot, name| boot.gate(name).script(name, &body(name)));
    let mut first = boot.start();
    for stage in ["1", "2", "3"] {
        first.until_there(&format!("/run/made-{stage}"));
        until("the end of the orphans", || first.children() == (1, 0));
        first.go(stage);
    }
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn orphans_are_collected_while_stage_2_is_not_there() {
    if only_svbox("orphans") {
        return;
    }
    let first = Boot::new().script("2", "exit 111").start();
    first.until_said("killing all processes in stage 2...");
    assert!(first.command("sh").args(["-c", THOUSAND]).status().unwrap().success());
    until("the end of the orphans", || first.children() == (0, 0));
    assert_eq!(first.said(), life("+1 -1 +2 !2 all"));
}

#[test]
fn the_end_of_an_orphan_is_not_taken_for_that_of_a_stage() {
    let body = "(sh -c 'exit 111' & sh -c 'kill -SEGV $$' & sh -c 'exit 100' & :); read go </run/gate || :";
    let mut first = Boot::new().gate("gate").script("1", body).script("2", "").start();
    first.until_said("enter stage: /etc/runit/1");
    until("the end of the orphans", || first.children() == (1, 0));
    first.go("gate");
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}
