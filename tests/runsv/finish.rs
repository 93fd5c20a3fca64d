//! `./finish`: when it runs, what it is told and what comes after it.

use super::*;
use rustix::process::Signal;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Writes its arguments to `told`.
const TELL: &str = "echo \"$#: $*\" >>told";

/// What finish was told after one run of this script.
fn told_after(run: &str) -> String {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run(run).finish(TELL).down();
    let _runsv = service.supervise();
    service.send(b"o");
    service.until_lines("told", 1);
    service.read("told").trim_end().into()
}

#[test]
fn finish_is_told_the_exit_code() {
    for code in [0, 1, 7, 100, 111, 127, 128, 255] {
        assert_eq!(told_after(&format!("exit {code}")), format!("2: {code} 0"));
    }
}

#[test]
fn finish_is_told_the_signal() {
    for (name, number) in [("KILL", 9), ("TERM", 15), ("HUP", 1), ("USR1", 10), ("ALRM", 14)] {
        let script = format!("exec env --default-signal sh -c 'kill -{name} $$'");
        assert_eq!(told_after(&script), format!("2: -1 {number}"));
    }
}

#[test]
fn finish_is_told_of_a_signal_that_can_dump_core() {
    // Whether it does is up to the machine.
    let told = told_after("ulimit -c 0\nexec env --default-signal sh -c 'kill -ABRT $$'");
    assert!(["2: -1 6", "2: -1 134"].contains(&&*told), "{told}");
}

#[test]
fn finish_is_told_of_a_run_that_could_not_be_executed() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").file("run", "").finish(TELL).down();
    let _runsv = service.supervise();
    service.send(b"o");
    service.until_lines("told", 1);
    assert_eq!(service.read("told"), "2: 111 0\n");
}

#[test]
fn the_first_argument_of_finish_is_its_path() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("exit 200");
    // `./finish 200 0` sleeps for so long.
    symlink("/bin/sleep", service.join("finish")).unwrap();
    let _runsv = service.supervise();
    let pid = until_some("finish", || {
        let status = service.status();
        (status.shown() == Shown::Finish && status.pid() != 0).then_some(status.pid())
    });
    until("its program", || command_name(pid) == "finish");
    assert_eq!(arguments(pid), ["./finish", "200", "0"]);
}

#[test]
fn run_starts_again_when_finish_has_ended() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("echo run >>order\ntest $(wc -l <order) = 3 && exec sleep 1000000")
        .finish("echo finish >>order");
    let _runsv = service.supervise();
    service.until_lines("order", 3);
    until_asleep(&service);
    assert_eq!(service.read("order"), "run\nfinish\nrun\n");
}

#[test]
fn finish_runs_after_d_and_the_service_stays_down() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish(TELL);
    let _runsv = service.supervise();
    until_asleep(&service);
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!((service.read("told").as_str(), service.lines("starts")), ("2: -1 15\n", 1));
}

#[test]
fn finish_runs_after_x_and_is_awaited() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish(&format!("{UNTIL_GO}\n{TELL}"));
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"x");
    until_told(&service, "finish, want exit", [0, b'd', 0, 2]);
    assert!(runsv.lives());
    go(&service);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.read("told"), "2: -1 15\n");
}

#[test]
fn finish_runs_after_a_term_to_runsv() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish(TELL);
    let mut runsv = service.supervise();
    until_asleep(&service);
    runsv.signal(Signal::TERM);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.read("told"), "2: -1 15\n");
}

#[test]
fn finish_does_not_run_for_a_service_that_was_down() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish(TELL).down();
    let mut runsv = service.supervise();
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.read("told"), "");
}

#[test]
fn how_finish_ends_does_not_matter() {
    for end in ["exit 1", "exit 111", "kill -9 $$"] {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run("echo >>starts").finish(&format!("{TELL}\n{end}"));
        let runsv = service.supervise();
        service.until_lines("starts", 2);
        assert_eq!((service.read("told").lines().next(), runsv.stderr().as_str()), (Some("2: 0 0"), ""));
    }
}

#[test]
fn d_from_within_finish_keeps_the_service_down() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").finish("printf d >supervise/control");
    let _runsv = service.supervise();
    until_told(&service, "down", [0, b'd', 0, 0]);
    until_heard(&service);
    assert_eq!(service.lines("starts"), 1);
}

#[test]
fn x_from_within_finish_ends_runsv() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").finish("printf x >supervise/control");
    let mut runsv = service.supervise();
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.lines("starts"), 1);
}

#[test]
fn the_wish_before_finish_counts_after_it_too() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish(UNTIL_GO);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    service.send(b"d");
    until_told(&service, "finish, want down", [0, b'd', 0, 2]);
    service.send(b"u");
    until_told(&service, "finish", [0, b'u', 0, 2]);
    go(&service);
    until_asleep_again(&service, pid);
    assert_eq!(service.lines("starts"), 2);
}

#[test]
fn a_finish_made_while_run_runs_is_used() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    until_asleep(&service);
    let service = service.finish(TELL);
    service.send(b"d");
    service.until_lines("told", 1);
}

#[test]
fn a_finish_taken_away_while_run_runs_is_not_missed() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).finish(TELL);
    let runsv = service.supervise();
    until_asleep(&service);
    fs::remove_file(service.join("finish")).unwrap();
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(runsv.stderr(), "");
}

/// Checks that a finish that cannot be executed is told of, and counts as done.
#[track_caller]
fn assert_cannot_finish(service: &Service<'_>, reason: &str) {
    let runsv = service.supervise();
    service.until_lines("starts", 2);
    let text = format!("runsv {}: fatal: unable to start ./finish: {reason}", service.name);
    assert_eq!(runsv.stderr().lines().next(), Some(&*text));
}

#[test]
fn a_finish_that_is_not_executable_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").file("finish", "#!/bin/sh\n");
    assert_cannot_finish(&service, "access denied");
}

#[test]
fn a_directory_instead_of_finish_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").file("finish/x", "");
    assert_cannot_finish(&service, "access denied");
}

#[test]
fn a_finish_of_unknown_format_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").finish("");
    fs::write(service.join("finish"), "").unwrap();
    assert_cannot_finish(&service, "exec format error");
}

#[test]
fn a_finish_with_a_bad_interpreter_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").finish("");
    fs::write(service.join("finish"), "#!/no/such/interpreter\n").unwrap();
    assert_cannot_finish(&service, "file does not exist");
}

#[test]
fn a_finish_that_is_a_dangling_link_is_not_there() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts");
    symlink("nowhere", service.join("finish")).unwrap();
    let runsv = service.supervise();
    service.until_lines("starts", 2);
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn a_finish_that_cannot_be_read_is_not_there() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >>starts").finish(TELL);
    fs::set_permissions(service.join("finish"), fs::Permissions::from_mode(0o111)).unwrap();
    let runsv = start_obeying_modes(&service);
    service.until_lines("starts", 2);
    assert_eq!((service.read("told").as_str(), runsv.stderr().as_str()), ("", ""));
}

#[test]
fn the_log_service_has_no_finish() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged().script("log/finish", "echo >>../finished");
    let _runsv = service.supervise();
    let log = until_log_up(&service);
    service.send_log(b"t");
    until("another log service", || {
        let status = service.log_status();
        status.shown() == Shown::Run && status.pid() != log
    });
    assert!(!service.join("finished").exists());
}

#[test]
fn no_second_finish_runs_beside_the_first() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("exit").finish(&format!("echo >>finishes\n{UNTIL_GO}"));
    let _runsv = service.supervise();
    service.until_lines("finishes", 1);
    service.send(b"dududotu");
    until_heard(&service);
    assert_eq!(service.lines("finishes"), 1);
}
