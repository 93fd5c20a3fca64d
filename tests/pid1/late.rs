//! What does not stop in time is killed.

use super::stop::left_behind;
use super::*;
use std::time::{Duration, Instant};

/// What is added to the last line when something had to be killed.
const KILLED: &str = "; not all had stopped in time and were killed";

/// Asks for the end of a container in which somebody ignores that; gives how long it took.
#[track_caller]
fn kills(sandbox: &Sandbox, args: &[&str]) -> Duration {
    let mut container = Container::new(sandbox).start(args);
    until_lines(sandbox, "out/deaf", 1);
    container.started();
    let asked = Instant::now();
    container.signal(15);
    let code = container.ended();
    let took = asked.elapsed();
    assert_eq!(code, Some(137), "{}", container.stderr());
    assert_eq!(last_line(&container), format!("pid1: stopped: signal 15{KILLED}"));
    took
}

#[test]
fn a_service_that_ignores_term_is_killed_when_the_time_is_over() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/deaf").run(DEAF);
    let took = kills(&sandbox, &["-t", "2"]);
    assert!(took >= Duration::from_secs(2), "killed after {took:?}");
}

#[test]
fn without_t_the_time_is_ten_seconds() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/deaf").run(DEAF);
    let took = kills(&sandbox, &[]);
    assert!(took >= Duration::from_secs(10), "killed after {took:?}");
}

#[test]
fn with_no_time_at_all_everything_is_killed_at_once() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/deaf").run(DEAF);
    kills(&sandbox, &["-t0"]);
}

#[test]
fn a_command_beside_services_that_ignores_term_is_killed_when_the_time_is_over() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let took = kills(&sandbox, &["-t", "1", "sh", "-c", DEAF]);
    assert!(took >= Duration::from_secs(1), "killed after {took:?}");
}

#[test]
fn what_is_left_behind_and_ignores_term_is_killed_when_the_time_is_over() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(&format!("{}\n{FOREVER}", left_behind(DEAF)));
    let took = kills(&sandbox, &["-t", "1"]);
    assert!(took >= Duration::from_secs(1), "killed after {took:?}");
}

#[test]
fn a_logger_that_does_not_end_is_killed_when_the_time_is_over() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER).script("log/run", DEAF);
    let took = kills(&sandbox, &["-t", "1"]);
    assert!(took >= Duration::from_secs(1), "killed after {took:?}");
}

#[test]
fn a_command_that_has_ended_and_services_that_do_not_make_137() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/deaf").run(DEAF);
    let command = "until test -e /out/deaf; do sleep 0.01; done; exit 7";
    let mut container = Container::new(&sandbox).start(&["-t", "0", "sh", "-c", command]);
    ends(&mut container, 137, &format!("pid1: command has ended: exit 7{KILLED}"));
}

#[test]
fn a_second_request_does_not_give_more_time() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/deaf").run(DEAF);
    let mut container = Container::new(&sandbox).start(&["-t", "1"]);
    until_lines(&sandbox, "out/deaf", 1);
    // Of two signals that wait together the lower number is taken first, whichever was sent first.
    container.signal(2);
    // Each of these would begin the time anew, and it would never be over.
    let pid = container.pid();
    until("the end", || {
        let _ = std::process::Command::new("kill").args(["-15", &pid.to_string()]).output();
        !container.lives()
    });
    ends(&mut container, 137, &format!("pid1: stopped: signal 2{KILLED}"));
}
