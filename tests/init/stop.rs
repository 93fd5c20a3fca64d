//! How stage 2 is ended on request.

use super::*;

/// A stage 2 that does this on TERM.
fn on_term(act: &str) -> String {
    format!("trap '{act}' TERM; : >/run/ready; while :; do sleep 0.01; done")
}

#[track_caller]
fn ready(body: &str) -> First {
    let first = Boot::new().script("2", body).start();
    first.until_there("/run/ready");
    first.until_idle();
    first
}

#[test]
fn stage_2_gets_term_and_may_take_its_time() {
    let mut first = ready(&on_term("echo term >>/run/heard; sleep 0.5; echo bye >>/run/heard; exit 0"));
    stop(&first);
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/heard"), "term\nbye\n");
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn how_stage_2_ends_then_does_not_matter() {
    for act in ["exit 111", "exit 1", "trap - TERM; kill -TERM $$", "kill -SEGV $$"] {
        let mut first = ready(&on_term(act));
        stop(&first);
        assert_eq!(first.ended(), End::Off, "{act}");
        let said = first.said().replace(&life("!2"), "").replace(&life("#2"), "");
        assert_eq!(said, life("+1 -1 +2 -2 +3 -3 off"), "{act}");
    }
}

#[test]
fn a_stage_2_that_does_not_go_is_killed_after_five_seconds() {
    let mut first = ready(&on_term("echo term >>/run/heard"));
    let started = Instant::now();
    stop(&first);
    first.until_said("not terminated");
    assert!(started.elapsed() >= Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/heard"), "term\n");
    assert_eq!(first.said(), life("+1 -1 +2 kill -2 +3 -3 off"));
}

#[test]
fn how_long_stage_2_has_can_be_said() {
    if only_svbox("stage 2's timeout-kill") {
        return;
    }
    for (text, least, said) in [
        ("7000\n", 7, ""),
        ("soon", 5, "- runit: warning: ignoring /etc/runit/timeout-kill: bad value: soon\n"),
    ] {
        let body = on_term("echo term >>/run/heard");
        let before = format!("printf '{text}' >/etc/runit/timeout-kill");
        let mut first = Boot::new().script("2", &body).before(&before).start();
        first.until_there("/run/ready");
        first.until_idle();
        let started = Instant::now();
        stop(&first);
        first.until_said("not terminated");
        assert!(started.elapsed() >= Duration::from_secs(least), "{:?}", started.elapsed());
        assert_eq!(first.ended(), End::Off);
        assert!(first.said().contains(said), "{}", first.said());
    }
}

#[test]
fn stage_2_can_have_all_the_time_it_wants() {
    if only_svbox("stage 2's timeout-kill") {
        return;
    }
    let body = on_term("sleep 6; exit 0");
    let mut first = Boot::new().script("2", &body).before("echo 0 >/etc/runit/timeout-kill").start();
    first.until_there("/run/ready");
    stop(&first);
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn while_it_waits_orphans_are_collected_and_a_second_request_changes_nothing() {
    let first = ready(&on_term(": >/run/heard"));
    stop(&first);
    first.until_there("/run/heard");
    let orphans = "i=0; while test $i -lt 50; do (:) & i=$((i+1)); done";
    assert!(first.command("sh").args(["-c", orphans]).status().unwrap().success());
    until("the end of the orphans", || first.children() == (1, 0));
    if !against_runit() {
        assert!(!first.said().contains("not terminated"), "it took more than the time of stage 2");
    }
    // Not by `stop`: runit does not look before it is over.
    first.set("/run/runit.stopit", 0o100);
    first.signal("CONT");
    first.until_said("enter stage: /etc/runit/3");
    assert_eq!(first.said().matches("not terminated").count(), 1);
}

#[test]
fn nothing_but_the_program_of_stage_2_gets_term() {
    let body = "sh -c 'trap \"echo term >>/run/other\" TERM; : >/run/near; while :; do sleep 0.01; done' &
        until test -e /run/near; do sleep 0.01; done; : >/run/ready; exec sleep 1000000";
    let mut first = Boot::new().script("2", body).gate("gate").script("3", "read go </run/gate || :").start();
    first.until_there("/run/ready");
    first.until_idle();
    stop(&first);
    first.until_said("enter stage: /etc/runit/3");
    assert!(first.sandbox.running("trap").iter().any(|pid| *pid != first.pid), "it still runs");
    first.go("gate");
    assert_eq!(first.ended(), End::Off);
    assert!(!first.at("/run/other").exists());
}

/// The calls by which process 1 waits, from the one that sends TERM to stage 2 up to its end.
#[track_caller]
fn waits(first: &First) -> String {
    let pid = first.pid.to_string();
    let calls = "trace=kill,pidfd_send_signal,poll,ppoll,nanosleep,clock_nanosleep,wait4,waitid,epoll_wait,epoll_pwait";
    let mut strace = first.sandbox.command("strace");
    strace.args(["-qq", "-o", "trace", "-e", "signal=none", "-e", calls, "-p", &pid]);
    let _strace = first.sandbox.start(strace);
    until("strace", || first.field("TracerPid:") != "0");
    stop(first);
    first.until_said("enter stage: /etc/runit/3");
    let trace = first.sandbox.read("trace");
    let (_, trace) = trace.split_once("SIGTERM").unwrap_or_else(|| panic!("no TERM: {trace}"));
    trace.to_owned()
}

#[test]
fn stage_3_follows_at_once() {
    if only_svbox("prompt") {
        return;
    }
    // By default stage 2 dies of TERM.
    let first = Boot::new().gate("gate").script("3", "read go </run/gate || :").start();
    in_stage_2(&first);
    let trace = waits(&first);
    // Nothing on the way ran into its time limit, and nothing slept.
    assert!(!trace.contains("sleep(") && !trace.contains("Timeout"), "{trace}");
}

/// A stage 2 that has been asked to end, and takes its time.
#[track_caller]
fn leaving() -> First {
    let body = on_term(": >/run/heard; read go </run/gate; exit 0");
    let first = Boot::new().gate("gate").script("2", &body).start();
    first.until_there("/run/ready");
    stop(&first);
    first.until_there("/run/heard");
    first.until_idle();
    first
}

#[test]
fn nothing_is_said_of_signals_while_stage_2_ends() {
    if only_svbox("prompt") {
        return;
    }
    let mut first = leaving();
    stop(&first);
    first.until_idle();
    first.signal("INT");
    first.until_idle();
    first.go("gate");
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn the_signals_without_a_name_count_while_stage_2_ends() {
    if only_svbox("numbered signals") {
        return;
    }
    let mut first = leaving();
    first.signal("39");
    first.until_idle();
    first.go("gate");
    assert_eq!(first.ended(), End::Again);
}
