//! What follows a stage, by how it ended.

use super::*;

/// Lives with these scripts, in which stage 2 ends by itself unless it is one of them.
#[track_caller]
fn lives(scripts: &[(&str, String)], short: &str) {
    let boot = scripts.iter().fold(Boot::new().script("2", ""), |boot, (name, body)| boot.script(name, body));
    let mut first = boot.start();
    assert_eq!(first.ended(), End::Off, "{scripts:?}");
    assert_eq!(first.said(), life(short), "{scripts:?}");
}

fn exits(code: u8) -> String {
    format!("exit {code}")
}

fn dies(signal: &str) -> String {
    format!("kill -{signal} $$")
}

#[test]
fn the_first_message_names_the_version() {
    let first = Boot::new().start();
    let line = first.stderr().lines().next().unwrap_or_default().to_owned();
    assert!(line.starts_with("- runit: ") && line.ends_with(": booting."), "{line}");
    if !against_runit() {
        assert_eq!(line, format!("- runit: svbox {}: booting.", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn the_stages_are_run_one_after_the_other() {
    let mut first = Boot::new()
        .script("1", "sleep 0.1; echo one >>/run/order")
        .script("2", "sleep 0.1; echo two >>/run/order")
        .script("3", "sleep 0.1; echo three >>/run/order")
        .start();
    assert_eq!(first.ended(), End::Off);
    assert_eq!(first.read("/run/order"), "one\ntwo\nthree\n");
    assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"));
}

#[test]
fn a_stage_1_that_fails_is_followed_by_stage_2() {
    for code in [1, 99, 101, 111, 255] {
        lives(&[("1", exits(code))], "+1 !1 -1 +2 -2 +3 -3 off");
    }
}

#[test]
fn a_stage_1_that_exits_100_is_followed_by_stage_3() {
    lives(&[("1", exits(100))], "+1 !1 -1 skip +3 -3 off");
}

#[test]
fn a_stage_1_that_crashes_is_followed_by_stage_3() {
    if only_svbox("stage signal") {
        return;
    }
    for signal in ["SEGV", "KILL", "TERM", "PIPE"] {
        lives(&[("1", dies(signal))], "+1 #1 -1 skip +3 -3 off");
    }
}

#[test]
fn a_stage_2_that_ends_is_followed_by_stage_3() {
    lives(&[("2", exits(0))], "+1 -1 +2 -2 +3 -3 off");
    for code in [1, 100, 110, 112, 255] {
        lives(&[("2", exits(code))], "+1 -1 +2 !2 -2 +3 -3 off");
    }
}

/// A stage 2 that fails so the first two times is started again, five seconds later each time.
#[track_caller]
fn again(kinds: &[(String, &str)]) {
    let script = |how: &str| {
        format!("cut -d ' ' -f 1 /proc/uptime >>/run/starts; test $(wc -l </run/starts) = 3 && exit 0; {how}")
    };
    // All at once, as each takes ten seconds.
    let firsts: Vec<First> =
        kinds.iter().map(|(how, _)| Boot::new().script("2", &script(how)).start()).collect();
    for (mut first, (how, told)) in firsts.into_iter().zip(kinds) {
        assert_eq!(first.ended(), End::Off, "{how}");
        let failed = format!("+2 {told} all restarting");
        assert_eq!(first.said(), life(&format!("+1 -1 {failed} {failed} +2 -2 +3 -3 off")), "{how}");
        let starts = first.read("/run/starts");
        let starts: Vec<f64> = starts.lines().map(|line| line.parse().unwrap()).collect();
        // Two digits are shown.
        let pauses = starts.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(pauses.clone().all(|pause| pause > 4.98), "{how}: {starts:?}");
    }
}

#[test]
fn a_stage_2_that_exits_111_is_started_again() {
    again(&[(exits(111), "!2")]);
}

#[test]
fn a_stage_2_that_crashes_is_started_again() {
    if only_svbox("stage signal") {
        return;
    }
    again(&[(dies("SEGV"), "#2"), (dies("KILL"), "#2"), (dies("TERM"), "#2")]);
}

#[test]
fn before_that_what_is_left_of_its_process_group_is_killed_and_nothing_else() {
    let body = "test -e /run/second && exec sleep 1000000
        : >/run/second
        setsid sh -c 'echo $$ >/run/apart; exec sleep 1000000' &
        sh -c 'trap \"\" TERM HUP; : >/run/near; while :; do sleep 1000000; done' &
        until test -s /run/apart && test -e /run/near; do sleep 0.01; done
        exit 111";
    let first = Boot::new().script("2", body).start();
    first.until_said("restarting.");
    in_stage_2(&first);
    assert!(!first.sandbox.running("trap").iter().any(|pid| *pid != first.pid), "the near one is left");
    let apart = first.read("/run/apart");
    let alive = first.command("kill").args(["-0", apart.trim()]).status().unwrap();
    assert!(alive.success(), "the one in another session is gone");
}

#[test]
fn a_stage_3_that_fails_is_the_last() {
    for code in [1, 100, 111] {
        lives(&[("3", exits(code))], "+1 -1 +2 -2 +3 !3 -3 off");
    }
}

#[test]
fn a_stage_3_that_crashes_is_the_last() {
    if only_svbox("stage signal") {
        return;
    }
    for signal in ["SEGV", "KILL", "TERM"] {
        lives(&[("3", dies(signal))], "+1 -1 +2 -2 +3 #3 -3 off");
    }
}

#[test]
fn at_the_end_everything_else_is_killed() {
    let body = "setsid sh -c 'trap \"\" TERM HUP INT; : >/run/up; while :; do sleep 1000000; done' &
        until test -e /run/up; do sleep 0.01; done";
    let mut first = Boot::new().script("3", body).script("2", "").start();
    assert_eq!(first.ended(), End::Off);
    until("the end of all", || first.sandbox.processes().is_empty());
}

#[test]
fn who_may_not_end_the_machine_exits() {
    if only_svbox("refused end") {
        return;
    }
    let rows = [
        ("1", exits(0), 0),
        ("1", exits(1), 111),
        ("1", exits(100), 111),
        ("1", dies("KILL"), 111),
        ("2", exits(3), 111),
        ("3", exits(1), 111),
        ("3", dies("SEGV"), 111),
    ];
    for (name, body, code) in rows {
        let mut first = Boot::new().script("2", "").script(name, &body).powerless().start();
        assert_eq!(first.ended(), End::Exited(code), "{name}: {body}");
        let said = first.said();
        assert!(said.contains("power off...\n"), "{said}");
    }
}

#[test]
fn a_requested_end_counts_as_success() {
    if only_svbox("refused end") {
        return;
    }
    let mut first = Boot::new().powerless().start();
    in_stage_2(&first);
    stop(&first);
    assert_eq!(first.ended(), End::Exited(0));
}
