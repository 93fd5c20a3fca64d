//! Waiting for a command to take effect, with real services.

use super::{run, stderr, stdout, sv, told};
use crate::kit::*;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Long enough for any machine.
const LONG: &str = "-w60";

#[track_caller]
fn ok(output: &Output, starts: &str) {
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(output), stderr(output));
    assert!(stdout(output).starts_with(starts), "{}", stdout(output));
}

#[test]
fn up_down_and_exit_come_back_when_it_is_so() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().down();
    let mut runsv = service.supervise();
    ok(&run(&sandbox, &[LONG, "up", "s"]), "ok: run: s: (pid ");
    assert_eq!(service.status().shown(), Shown::Run);
    ok(&run(&sandbox, &[LONG, "down", "s"]), "ok: down: s: ");
    assert_eq!(service.status().shown(), Shown::Down);
    assert_eq!(
        told(&run(&sandbox, &[LONG, "exit", "s"])),
        (Some(0), "ok: s: runsv not running\n".to_owned())
    );
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(
        told(&run(&sandbox, &[LONG, "exit", "s"])),
        (Some(0), "ok: s: runsv not running\n".to_owned())
    );
    assert_eq!(told(&run(&sandbox, &["down", "s"])), (Some(1), "fail: s: runsv not running\n".to_owned()));
}

#[test]
fn restart_is_done_when_another_process_is_there() {
    if only_svbox("same second") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever();
    let _runsv = service.supervise();
    for word in ["restart", "try-restart", "force-reload", "force-restart"] {
        let before = service.until_up();
        let output = run(&sandbox, &[LONG, word, "s"]);
        ok(&output, "ok: run: s: (pid ");
        assert_ne!(service.status().pid(), before, "{word}");
        assert!(stdout(&output).contains(&format!("(pid {})", service.status().pid())));
    }
}

/// Until the service has its trap, and the status shows it: runit's `sv down` is content with the status of before.
fn until_it_ignores_term(service: &Service) {
    service.until_lines("ready", 1);
    service.until_up();
}

#[test]
fn a_service_that_does_not_obey_is_told_of_when_the_time_is_over() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run("trap '' TERM\necho >ready\nwhile :; do sleep 0.1; done");
    let _runsv = service.supervise();
    until_it_ignores_term(&service);
    let began = Instant::now();
    let output = run(&sandbox, &["-w1", "down", "s"]);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("timeout: run: s: (pid "), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("s, want down, got TERM\n"), "{}", stdout(&output));
}

#[test]
fn force_kills_what_does_not_obey() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run("trap '' TERM\necho >ready\nwhile :; do sleep 0.1; done");
    let _runsv = service.supervise();
    until_it_ignores_term(&service);
    let output = run(&sandbox, &["-w1", "force-stop", "s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("kill: run: s: (pid "), "{}", stdout(&output));
    service.until_shown(Shown::Down);
}

#[test]
fn start_waits_for_a_supervisor_that_is_not_there_yet() {
    if only_svbox("appears") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().down();
    let waiting = sv(&sandbox).args([LONG, "start", "s"]).stdout(Stdio::piped()).spawn().unwrap();
    until("an sv that waits", || sandbox.named("sv").len() == 1);
    let _runsv = service.supervise();
    ok(&waiting.wait_with_output().unwrap(), "ok: run: s: (pid ");
}

#[test]
fn start_does_not_wait_for_a_directory_that_is_missing_nor_longer_than_it_may() {
    if only_svbox("appears") {
        return;
    }
    let sandbox = Sandbox::new();
    let line = "fail: s: unable to change to service directory: file does not exist\n";
    assert_eq!(told(&run(&sandbox, &[LONG, "start", "s"])), (Some(1), line.to_owned()));
    sandbox.service("s");
    let line = "warning: s: unable to open supervise/control: file does not exist\n";
    assert_eq!(told(&run(&sandbox, &["-w1", "start", "s"])), (Some(1), line.to_owned()));
    assert_eq!(told(&run(&sandbox, &["start", "s", "-w1"])).0, Some(2));
}

#[test]
fn check_asks_whether_the_service_is_as_it_is_wanted() {
    if only_svbox("2.3 check") {
        return;
    }
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    let rows = [
        (Say::RUN, Some(0), "ok: run: s: (pid 4242) 12s\n"),
        (Say::DOWN, Some(0), "ok: down: s: 12s, normally up\n"),
        (Say { want: b'u', ..Say::DOWN }, Some(1), "timeout: down: s: 12s, normally up, want up\n"),
        (Say { want: b'd', ..Say::RUN }, Some(1), "timeout: run: s: (pid 4242) 12s, want down\n"),
        (Say { state: 2, ..Say::RUN }, Some(1), "timeout: finish: s: (pid 4242) 12s\n"),
    ];
    for (say, code, line) in rows {
        fake.say(say);
        assert_eq!(told(&run(&sandbox, &["-w0", "check", "s"])), (code, line.to_owned()));
        assert_eq!(fake.heard(), "");
    }
}

#[test]
fn a_service_with_a_check_is_up_when_that_passes() {
    let sandbox = Sandbox::new();
    let check = "echo tried >>tries; echo lost; test \"$(wc -l <tries)\" -ge 3";
    let service = sandbox.service("s").run_forever().script("check", check);
    let _runsv = service.supervise();
    let output = run(&sandbox, &["-w60", "-v", "start", "s"]);
    ok(&output, "ok: run: s: (pid ");
    assert_eq!(stdout(&output).lines().count(), 1, "{}", stdout(&output));
    assert_eq!(service.lines("tries"), 3);
}

#[test]
fn a_check_that_is_killed_or_cannot_be_run_has_not_passed() {
    if only_svbox("check script") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().script("check", "kill -KILL $$");
    let _runsv = service.supervise();
    service.until_up();
    assert_eq!(run(&sandbox, &["-w1", "start", "s"]).status.code(), Some(1));
    std::fs::remove_file(service.join("check")).unwrap();
    let service = service.file("check", "no program");
    let output = run(&sandbox, &["-w1", "start", "s"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("warning: unable to run s/check: access denied\n"),
        "{}",
        stderr(&output)
    );
    drop(service);
}

#[test]
fn a_check_that_hangs_is_killed_when_the_time_is_over() {
    if only_svbox("check script") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().script("check", "exec sleep 999999");
    let _runsv = service.supervise();
    service.until_up();
    let output = run(&sandbox, &["-w1", "start", "s"]);
    assert!(stdout(&output).starts_with("timeout: run: s: "), "{}", stdout(&output));
    until("the end of the check", || sandbox.running("sleep 999999").is_empty());
}

#[test]
fn what_it_has_started_is_killed_with_it() {
    if only_svbox("check's group") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().script("check", "sleep 999999; :");
    let _runsv = service.supervise();
    service.until_up();
    let output = run(&sandbox, &["-w1", "check", "s"]);
    assert!(stdout(&output).starts_with("timeout: run: s: "), "{}", stdout(&output));
    until("the end of the check", || sandbox.running("sleep 999999").is_empty());
}

#[test]
fn whatever_ends_sv_ends_its_checks() {
    if only_svbox("check's group") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().script("check", "sleep 999999; :");
    let _runsv = service.supervise();
    service.until_up();
    for signal in [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM] {
        // What is started in the background ignores some of them.
        let mut command = sandbox.command("env");
        command.args(["--default-signal", "sv", LONG, "check", "./s"]);
        let mut running = sandbox.start(command);
        until("the check", || !sandbox.running("sleep 999999").is_empty());
        running.signal(signal);
        assert_eq!(running.ended().signal(), Some(signal.as_raw()));
        until("the end of the check", || sandbox.running("sleep 999999").is_empty());
    }
}

#[test]
fn a_signal_that_is_ignored_does_not_end_it() {
    if only_svbox("check's group") {
        return;
    }
    let sandbox = Sandbox::new();
    let check = "echo >>tries; test -e passes || exec sleep 999999";
    let service = sandbox.service("s").run_forever().script("check", check);
    let _runsv = service.supervise();
    service.until_up();
    let mut command = sandbox.command("sh");
    command.args(["-c", "trap '' HUP; exec sv \"$@\"", "sh", LONG, "check", "./s"]);
    let mut sv = sandbox.start(command);
    until("the check", || !sandbox.running("sleep 999999").is_empty());
    sv.signal(Signal::HUP);
    until("another try", || service.lines("tries") > 1);
    sandbox.write("s/passes", "");
    sv.signal(Signal::HUP);
    assert_eq!(sv.ended().code(), Some(0));
}

#[test]
fn services_are_waited_for_together() {
    let sandbox = Sandbox::new();
    let services: Vec<_> = (0..5).map(|n| sandbox.service(&format!("s{n}")).run_forever().down()).collect();
    let _runsvs: Vec<_> = services.iter().map(Service::supervise).collect();
    let output = run(&sandbox, &[LONG, "up", "s0", "missing", "s1", "s2", "s3", "s4"]);
    assert_eq!(output.status.code(), Some(1));
    let ready = stdout(&output).lines().filter(|line| line.starts_with("ok: run: s")).count();
    assert_eq!(ready, 5, "{}", stdout(&output));
}

#[test]
fn a_name_with_a_slash_behind_it_is_waited_for_as_well() {
    if only_svbox("trailing slash") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever().down();
    let _runsv = service.supervise();
    ok(&run(&sandbox, &[LONG, "up", "s/"]), "ok: run: s/: (pid ");
}

#[test]
fn start_waits_for_a_supervisor_that_hears_already_and_does_not_say_so_yet() {
    if only_svbox("appears") {
        return;
    }
    let sandbox = Sandbox::new();
    let fake = sandbox.fake("s", Say::RUN);
    let there = sandbox.join("s/supervise/ok");
    let later = sandbox.join("s/supervise/later");
    std::fs::rename(&there, &later).unwrap();
    let child = sv(&sandbox).args([LONG, "start", "s"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut heard = String::new();
    until("the command", || {
        heard += &fake.heard();
        heard == "u"
    });
    std::fs::rename(&later, &there).unwrap();
    ok(&child.wait_with_output().unwrap(), "ok: run: s: (pid ");
}

#[test]
fn more_services_than_descriptors_can_be_waited_for() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..24).map(|number| format!("s{number}")).collect();
    let services: Vec<_> = names.iter().map(|name| sandbox.service(name).run_forever()).collect();
    let _supervisors: Vec<_> = services.iter().map(Service::supervise).collect();
    let before: Vec<i32> = services.iter().map(Service::until_up).collect();
    let mut few = sandbox.command("prlimit");
    few.args(["--nofile=14", "--"]).arg(program("sv")).args([LONG, "restart"]);
    let output = few.env("SVDIR", sandbox.path()).args(&names).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    if only_svbox("same second") {
        return;
    }
    for (service, before) in services.iter().zip(before) {
        assert_ne!(service.status().pid(), before);
    }
}

#[test]
fn a_service_without_a_name_is_no_service() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("", Say::RUN);
    for word in ["status", "up", "d"] {
        let text = "fail: : unable to change to service directory: file does not exist\n";
        assert_eq!(told(&run(&sandbox, &[word, ""])), (Some(1), text.to_owned()), "{word}");
    }
}
