//! The second between the end of a short run and the next start.

use super::*;
use rustix::process::Signal;

/// A little under a second: the stamps are of the wall clock, which may be slewed against the pause.
const PAUSE: Duration = Duration::from_millis(998);

/// Writes the time as the first thing that a script does.
const START: &str = "date +%s%N >>starts";
/// Writes the time as the last thing that it does.
const END: &str = "date +%s%N >>ends";

fn stamps(service: &Service<'_>, file: &str) -> Vec<Duration> {
    service.read(file).lines().map(|line| Duration::from_nanos(line.parse().unwrap())).collect()
}

/// Checks that every start was a second after the end before it. A run that was killed has no end.
#[track_caller]
fn assert_paced(service: &Service<'_>) {
    let starts = stamps(service, "starts");
    for end in stamps(service, "ends") {
        let Some(start) = starts.iter().find(|&&start| start > end) else { continue };
        let gap = *start - end;
        assert!(gap >= PAUSE, "started again after {gap:?}");
    }
}

/// A service that ends as soon as it is started.
fn flapping(sandbox: &Sandbox) -> Service<'_> {
    sandbox.service("flapping").run(&format!("{START}\n{END}"))
}

#[test]
fn a_service_that_dies_at_once_is_started_again_after_a_second() {
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("starts", 3);
    assert_paced(&service);
}

#[test]
fn a_service_that_dies_soon_is_started_again_a_second_after_its_death() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run(&format!("{START}\nsleep 0.4\n{END}"));
    let _runsv = service.supervise();
    service.until_lines("starts", 2);
    assert_paced(&service);
}

#[test]
fn a_service_that_is_told_to_end_soon_is_started_again_after_a_second() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run(&format!("trap '{END}; exit' TERM\n{START}\nwhile :; do sleep 0.01; done"));
    let _runsv = service.supervise();
    service.until_lines("starts", 1);
    service.send(b"t");
    service.until_lines("starts", 2);
    assert_paced(&service);
}

#[test]
fn a_service_stopped_soon_and_wanted_again_is_started_after_a_second() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run(&format!("trap '{END}; exit' TERM\n{START}\nwhile :; do sleep 0.01; done"));
    let _runsv = service.supervise();
    service.until_lines("starts", 1);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    service.send(b"u");
    service.until_lines("starts", 2);
    assert_paced(&service);
}

#[test]
fn a_short_finish_after_a_short_run_is_followed_by_a_second() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run(START).finish(END);
    let _runsv = service.supervise();
    service.until_lines("starts", 2);
    assert_paced(&service);
}

#[test]
fn a_log_service_that_dies_at_once_is_started_again_after_a_second() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run_forever()
        .script("log/run", "date +%s%N >>../starts\ndate +%s%N >>../ends");
    let _runsv = service.supervise();
    service.until_lines("starts", 2);
    assert_paced(&service);
}

#[test]
fn commands_do_not_shorten_the_pause_before_a_start() {
    // A flood stands still while runit sleeps; its own pause is held by the other tests here.
    if only_svbox("pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    until("three starts", || {
        pour(&service, b"utkpchaiq12?u");
        service.lines("starts") >= 3
    });
    assert_paced(&service);
}

#[test]
fn d_and_u_do_not_shorten_the_distance_of_two_runs() {
    // A flood stands still while runit sleeps; its own pause is held by the other tests here.
    if only_svbox("pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    until("three starts", || {
        pour(&service, b"du");
        service.lines("starts") >= 3
    });
    assert_paced(&service);
}

#[test]
fn signals_of_other_children_do_not_shorten_the_pause() {
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let runsv = service.supervise();
    until("two starts", || {
        runsv.signal(Signal::CHILD);
        service.lines("starts") >= 2
    });
    assert_paced(&service);
}

#[test]
fn the_second_counts_for_a_run_that_cannot_be_executed_too() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain");
    let before = std::time::Instant::now();
    let runsv = service.supervise();
    until("three tries", || runsv.stderr().lines().count() >= 3);
    assert!(before.elapsed() >= Duration::from_secs(2));
}

#[test]
fn in_the_pause_commands_are_obeyed() {
    if only_svbox("pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    // A start ends the flag, so this is seen only before one.
    until("a flag in the pause", || {
        let status = service.status();
        match (status.shown(), status.paused()) {
            (Shown::Down, false) => service.send(b"p"),
            // It came too late.
            (Shown::Run, true) => service.send(b"c"),
            (Shown::Down | Shown::Run | Shown::Finish, _) => {}
        }
        status.shown() == Shown::Down && status.paused() && status.want() == 'u'
    });
}

#[test]
fn d_in_the_pause_leaves_the_service_down() {
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    service.until_shown(Shown::Down);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    let starts = service.lines("starts");
    service.send(b"o");
    service.until_lines("starts", starts + 1);
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(service.lines("starts"), starts + 1);
}

#[test]
fn of_two_commands_in_the_pause_the_last_one_counts() {
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    service.until_shown(Shown::Down);
    service.send(b"du");
    let starts = service.lines("starts");
    service.until_lines("starts", starts + 2);
    assert_eq!(service.status().want(), 'u');
}

#[test]
fn sv_down_and_up_in_the_pause_leaves_the_service_up() {
    if only_svbox("pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox);
    let _runsv = service.supervise();
    service.until_shown(Shown::Down);
    assert!(service.sv(&["down"]).status.success());
    assert!(service.sv(&["up"]).status.success());
    let starts = service.lines("starts");
    service.until_lines("starts", starts + 2);
    assert_eq!(service.status().want(), 'u');
}

#[test]
fn x_and_term_in_the_pause_end_runsv() {
    for by_signal in [false, true] {
        let sandbox = Sandbox::new();
        let service = flapping(&sandbox);
        let mut runsv = service.supervise();
        service.until_shown(Shown::Down);
        if by_signal {
            runsv.signal(Signal::TERM);
        } else {
            service.send(b"x");
        }
        assert_eq!(runsv.ended().code(), Some(0));
        // A run that was ended, because the pause was just over, may leave its `date` behind.
        until("the end of all", || sandbox.processes().is_empty());
    }
}

#[test]
fn in_the_pause_of_the_main_service_its_log_is_served() {
    if only_svbox("pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = flapping(&sandbox).logged();
    let _runsv = service.supervise();
    until_log_up(&service);
    let mut pause_begun = 0;
    until("a command to the log obeyed in a pause", || {
        let starts = service.lines("starts");
        let log_paused = service.log_status().paused();
        if service.status().shown() == Shown::Down && starts != pause_begun {
            service.send_log(if log_paused { b"c" } else { b"p" });
            pause_begun = starts;
            let end = std::time::Instant::now() + Duration::from_millis(500);
            while std::time::Instant::now() < end && service.log_status().paused() == log_paused {}
        }
        service.log_status().paused() != log_paused
            && service.status().shown() == Shown::Down
            && service.lines("starts") == starts
    });
}
