//! Stages that cannot be run.

use super::*;

/// What can be wrong with a stage, and what is said then.
const WRONG: &[(&str, &str)] = &[
    ("rm /etc/runit/STAGE", "file does not exist"),
    ("chmod 644 /etc/runit/STAGE", "access denied"),
    ("rm /etc/runit/STAGE; mkdir /etc/runit/STAGE", "access denied"),
    ("echo '#!/missing' >/etc/runit/STAGE", "file does not exist"),
    (": >/etc/runit/STAGE", "exec format error"),
    ("ln -sf missing /etc/runit/STAGE", "file does not exist"),
    ("ln -sf STAGE /etc/runit/STAGE", "symbolic link loop"),
];

/// The messages of a life, as [`life`] has it, in which a stage cannot be started.
fn life_without(short: &str, stage: &str, why: &str) -> String {
    let unable = format!("- runit: fatal: unable to start child: /etc/runit/{stage}: {why}\n");
    let entered = life(&format!("+{stage}"));
    life(short).replace(&entered, &format!("{entered}{unable}"))
}

#[test]
fn a_stage_that_cannot_be_run_has_failed() {
    if only_svbox("missing stage") {
        return;
    }
    for (wrong, why) in WRONG {
        for (stage, short) in [("1", "+1 !1 -1 +2 -2 +3 -3 off"), ("3", "+1 -1 +2 -2 +3 !3 -3 off")] {
            let wrong = wrong.replace("STAGE", stage);
            // Without stage 1 it is a container, and its process 1 another program.
            if wrong == "rm /etc/runit/1" {
                continue;
            }
            let mut first = Boot::new().script("2", "").before(&wrong).start();
            assert_eq!(first.ended(), End::Off, "{wrong}");
            assert_eq!(first.said(), life_without(short, stage, why), "{wrong}");
        }
    }
}

#[test]
fn a_stage_2_that_cannot_be_run_is_tried_again() {
    if only_svbox("missing stage") {
        return;
    }
    let boot = |wrong: &&(&str, &str)| Boot::new().before(&wrong.0.replace("STAGE", "2")).start();
    let firsts: Vec<First> = WRONG.iter().map(|wrong| boot(&wrong)).collect();
    for first in &firsts {
        let mend = "rm -rf /etc/runit/2; printf '#!/bin/sh\\n' >/etc/runit/two; chmod 755 /etc/runit/two
            mv /etc/runit/two /etc/runit/2";
        first.until_said("killing all processes in stage 2...");
        assert!(first.command("sh").args(["-c", mend]).status().unwrap().success());
    }
    for (mut first, (wrong, why)) in firsts.into_iter().zip(WRONG) {
        assert_eq!(first.ended(), End::Off, "{wrong}");
        let expected =
            format!("{}{}", life_without("+1 -1 +2 !2 all restarting", "2", why), life("+2 -2 +3 -3 off"));
        assert_eq!(first.said(), expected, "{wrong}");
    }
}

#[test]
fn a_machine_without_any_stage_can_be_ended() {
    if only_svbox("missing stage") {
        return;
    }
    let mut first = Boot::new().before("rm /etc/runit/[23]; chmod 0 /etc/runit/1").powerless().start();
    first.until_said("killing all processes in stage 2...");
    first.signal("38");
    assert_eq!(first.ended(), End::Exited(111));
}

#[test]
fn in_runit_a_stage_that_cannot_be_run_has_ended() {
    if !against_runit() {
        return;
    }
    let mut first = Boot::new().before("rm /etc/runit/2").start();
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life_without("+1 -1 +2 -2 +3 -3 off", "2", "file does not exist"));
}

#[test]
fn a_request_in_the_pause_is_not_lost() {
    let mut first = Boot::new().script("2", "exit 111").start();
    first.until_said("killing all processes in stage 2...");
    stop(&first);
    first.until_said("enter stage: /etc/runit/3");
    assert_eq!(first.ended(), End::Off);
}
