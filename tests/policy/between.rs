//! What comes in between: a stop that is called off, a supervisor that is killed, a pause, files that come late.

use super::ready::{is_ready, telling};
use super::*;
use rustix::process::{Pid, Signal, kill_process};

/// A service whose `control/t` has taken over before TERM, and `d` has called for that.
#[track_caller]
fn until_about_to_stop(service: &Service<'_>) {
    service.send(b"d");
    until("that it is to stop", || service.status().want() == 'd');
}

/// Kills a supervisor; gives the next.
#[track_caller]
pub(super) fn replace(service: &Service<'_>, mut runsv: Running) -> Running {
    runsv.signal(Signal::KILL);
    runsv.ended();
    service.supervise()
}

/// Another service whose `./check` is asked so often that so much time has passed for the first.
#[track_caller]
pub(super) fn pass_checks(sandbox: &Sandbox, name: &str) {
    let clock = sandbox.service(name).run_forever().file("check-interval", "100");
    let clock = clock.script("check", "echo >>asked; exit 1");
    let _runsv = clock.supervise();
    clock.until_lines("asked", 12);
}

#[test]
fn ready_said_while_a_stop_has_not_begun_counts_when_it_is_called_off() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).script("control/t", "exit 0");
    let _runsv = service.supervise();
    service.until_lines("up", 1);
    let pid = service.until_up();
    until_about_to_stop(&service);
    sandbox.write("one/go", "");
    until("that it is ready", || is_ready(&service));
    assert!(service.sv(&["-w", "60", "start"]).status.success());
    assert_eq!((service.until_up(), is_ready(&service)), (pid, true));
}

#[test]
fn one_whose_stop_is_called_off_has_to_become_ready_in_time_all_the_same() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).script("control/t", "echo >>asked; test $(wc -l <asked) = 1");
    let service = service.file("timeout-ready", "2000");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    until_about_to_stop(&service);
    service.until_lines("asked", 1);
    assert_eq!(runsv.stderr(), "");
    service.send(b"u");
    until_said(&service, &runsv, "service does not become ready in time, stopping it");
    service.until_lines("up", 2);
}

#[test]
fn an_end_after_a_stop_that_was_called_off_is_a_death() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().file("restart", "never").script("control/t", "exit 0");
    let _runsv = service.supervise();
    let pid = service.until_up();
    until_about_to_stop(&service);
    service.send(b"u");
    until("that it stays", || service.status().want() == 'u');
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    until("a death", || service.join("supervise/deaths").exists());
    until("that it is down", || service.status().shown() == Shown::Down);
}

#[test]
fn one_that_was_not_ready_is_heard_by_the_next_supervisor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    let pid = service.until_up();
    let _runsv = replace(&service, runsv);
    assert!(!is_ready(&service));
    sandbox.write("one/go", "");
    until("that it is ready", || is_ready(&service));
    assert_eq!(service.until_up(), pid);
}

#[test]
fn one_that_was_not_ready_has_its_time_again_under_the_next_supervisor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let slow = telling(&sandbox, 3).file("timeout-ready", "3600000");
    let runsv = slow.supervise();
    slow.until_lines("up", 1);
    slow.file("timeout-ready", "200");
    let service = Service { sandbox: &sandbox, name: "one".into() };
    let runsv = replace(&service, runsv);
    until_said(&service, &runsv, "service does not become ready in time, stopping it");
    service.until_lines("up", 2);
}

#[test]
fn so_has_a_setup_that_hangs() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").script("setup", "echo >>setups; exec sleep 1000000");
    let service = service.file("timeout-ready", "3600000");
    let runsv = service.supervise();
    service.until_lines("setups", 1);
    service.until_up();
    let service = service.file("timeout-ready", "200");
    let runsv = replace(&service, runsv);
    until_said(&service, &runsv, "service does not become ready in time, stopping it");
    service.until_lines("setups", 2);
}

#[test]
fn what_has_only_its_finish_left_is_not_asked_by_the_next_supervisor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().file("check-interval", "100");
    let service = service
        .script("check", "echo >>asked; exit 1")
        .finish("echo >>end; until test -e go; do sleep 0.01; done");
    let runsv = service.supervise();
    service.until_lines("asked", 1);
    service.send(b"d");
    service.until_lines("end", 1);
    let _runsv = replace(&service, runsv);
    let before = service.lines("asked");
    sandbox.write("one/go", "");
    down(&service);
    pass_checks(&sandbox, "clock");
    assert_eq!(service.lines("asked"), before);
}

#[test]
fn what_it_did_not_answer_before_it_was_ready_does_not_count() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).file("check-interval", "100").file("check-fails", "4");
    // The first two after that fail as well.
    let check = "echo >>asked; test -e supervise/ready || exit 1; test -e bad && exit 1
        echo >>later; test $(wc -l <later) -gt 2";
    let service = service.script("check", check);
    let runsv = service.supervise();
    service.until_lines("asked", 6);
    sandbox.write("one/go", "");
    service.until_lines("later", 6);
    assert_eq!((runsv.stderr().as_str(), is_ready(&service)), ("", true));
    sandbox.write("one/bad", "");
    until_said(&service, &runsv, "service does not answer, stopping it");
}

#[test]
fn that_it_is_ready_is_shown_later_if_it_cannot_be_now_and_said_once() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    fs::create_dir(service.join("supervise/ready")).unwrap();
    sandbox.write("one/go", "");
    let trouble = "unable to open supervise/ready: is a directory";
    until_said(&service, &runsv, trouble);
    pass_checks(&sandbox, "clock");
    assert_eq!(times_said(&runsv, trouble), 1);
    fs::remove_dir(service.join("supervise/ready")).unwrap();
    until("that it is ready", || service.join("supervise/ready").is_file());
    assert_eq!(times_said(&runsv, trouble), 1);
}

#[test]
fn a_pause_is_no_failure_to_answer() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().file("check-interval", "100").file("check-fails", "2");
    let service = service.script("check", "echo >>asked; ! test -e bad");
    let runsv = service.supervise();
    until("that it is ready", || is_ready(&service));
    let pid = service.until_up();
    service.send(b"p");
    until("a pause", || service.status().0[16] == 1);
    sandbox.write("one/bad", "");
    let asked = service.lines("asked");
    service.until_lines("asked", asked + 6);
    assert_eq!((runsv.stderr().as_str(), service.until_up()), ("", pid));
    service.send(b"c");
    until_said(&service, &runsv, "service does not answer, stopping it");
}

#[test]
fn a_file_that_comes_while_it_runs_does_not_make_it_unready() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let _runsv = service.supervise();
    let pid = service.until_up();
    let service = service.file("notification-fd", "3").file("timeout-ready", "100");
    assert!(service.sv(&["-w", "60", "start"]).status.success());
    assert!(is_ready(&service));
    pass_checks(&sandbox, "clock");
    assert_eq!(service.until_up(), pid);
}

#[test]
fn u_ends_a_pause_of_the_restart_file() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "test -e go || exit 1\nexec sleep 1000000")
        .file("restart", "always delay=1h max=1h");
    let _runsv = service.supervise();
    until("a death", || service.join("supervise/deaths").exists());
    until("that it is down", || service.status().shown() == Shown::Down);
    sandbox.write("one/go", "");
    assert!(service.sv(&["-w", "60", "start"]).status.success());
    service.until_lines("starts", 2);
}

#[test]
fn u_while_finish_runs_takes_the_failure_back() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "test -e go || exit 1\nexec sleep 1000000")
        .file("restart", "always delay=0 limit=1/1h");
    let service =
        service.finish("echo >>end; test $(wc -l <end) = 1 || until test -e go; do sleep 0.01; done");
    let runsv = service.supervise();
    service.until_lines("end", 2);
    until("its finish", || service.status().shown() == Shown::Finish);
    // The pause shows that what came before it was heard.
    service.send(b"up");
    until("a pause", || service.status().0[16] == 1);
    sandbox.write("one/go", "");
    service.until_up_again(0);
    assert_eq!(times_said(&runsv, "service has failed, not starting it again"), 0);
}

#[test]
fn one_that_is_not_ready_in_time_has_died() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).file("timeout-ready", "200").file("restart", "never");
    let _runsv = service.supervise();
    until("a death", || service.join("supervise/deaths").exists());
    until("that it is down", || service.status().shown() == Shown::Down && service.status().want() == 'd');
    assert_eq!(service.lines("up"), 1);
}

#[test]
fn the_deaths_are_kept_over_failures_and_supervisors() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit $(wc -l <starts)").file("restart", "always delay=0 limit=1/1h");
    let runsv = service.supervise();
    let codes = || -> Vec<String> {
        let deaths = fs::read_to_string(service.join("supervise/deaths")).unwrap_or_default();
        deaths.lines().map(|line| line.split(' ').nth(1).unwrap().into()).collect()
    };
    until("that it has failed", || service.join("supervise/failed").exists());
    assert_eq!(codes(), ["1", "2"]);
    service.send(b"u");
    until("two more", || codes() == ["1", "2", "3", "4"] && service.join("supervise/failed").exists());
    let _runsv = replace(&service, runsv);
    until("two more", || codes() == ["1", "2", "3", "4", "5", "6"]);
}

#[test]
fn one_that_runs_has_not_failed_for_the_next_supervisor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().file("restart", "always");
    let mut runsv = service.supervise();
    let pid = service.until_up();
    runsv.signal(Signal::KILL);
    runsv.ended();
    sandbox.write("one/supervise/failed", "");
    let _runsv = service.supervise();
    until("that it is taken back", || !service.join("supervise/failed").exists());
    assert_eq!(service.until_up(), pid);
}
