//! How a supervisor is started: what it is called, and what it inherits.

use super::*;
use std::path::PathBuf;

/// A run script that finds its programs without a `PATH`.
const RUN: &str = "PATH=/bin:/usr/bin\nexec sleep 1000000";

/// A runsvdir with one service, whose fake supervisor only waits; gives the supervisor.
fn waiting_supervisor(sandbox: &Sandbox, command: &mut Command) -> (Running, i32) {
    fs::create_dir_all(sandbox.join("scan/one")).unwrap();
    let mut ready = std::mem::replace(command, sandbox.command("true"));
    ready.arg("scan");
    let running = sandbox.start(ready);
    let pid = until_some("the supervisor", || sandbox.running("sleep 7654321").first().copied());
    (running, pid)
}

const WAIT: &str = "exec sleep 7654321";

fn descriptor(pid: i32, number: i32) -> PathBuf {
    fs::read_link(format!("/proc/{pid}/fd/{number}")).unwrap()
}

fn descriptors(pid: i32) -> Vec<i32> {
    let all = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let mut numbers: Vec<i32> =
        all.map(|each| each.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// What a program that is started in a sandbox has open, in any case.
fn inherited(sandbox: &Sandbox) -> Vec<i32> {
    let mut command = sandbox.command("sleep");
    command.arg("1000000");
    descriptors(sandbox.start(command).pid())
}

/// A signal set of `/proc/PID/status`.
fn signals(pid: i32, key: &str) -> u64 {
    named_signals(&status_of(pid, key).unwrap())
}

/// `env` with these options in front of a runsvdir with a fake supervisor that waits.
fn through_env(sandbox: &Sandbox, options: &[&str]) -> Command {
    let runsvdir = with_fake_runsv(sandbox, WAIT);
    let mut command = sandbox.command("env");
    runsvdir.get_envs().for_each(|(key, value)| _ = command.env(key, value.unwrap_or_default()));
    command.args(options).arg(program("runsvdir"));
    command
}

#[test]
fn a_relative_part_of_path_does_not_hide_a_runsv_that_is_there() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    // It is there from the sandbox, but not from the scan directory, where runsv is started.
    sandbox.script("bin/runsv", "exit 1");
    let mut command = sandbox.command("runsvdir");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("bin:{}:{path}", bin_dir().display())).arg("scan");
    let runsvdir = sandbox.start(command);
    service.until_up();
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn a_supervisor_is_called_runsv_with_the_bare_name() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    let _runsvdir = start_on(&sandbox, sandbox.join("scan"));
    one.until_up();
    let runsv = supervisor(&sandbox, "one");
    assert_eq!(fs::read(format!("/proc/{runsv}/cmdline")).unwrap(), line_of("one"));
    assert_eq!(status_of(runsv, "Name").as_deref(), Some("runsv"));
}

#[test]
fn a_supervisor_starts_in_the_scan_directory() {
    let sandbox = Sandbox::new();
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut with_fake_runsv(&sandbox, WAIT));
    let cwd = fs::read_link(format!("/proc/{runsv}/cwd")).unwrap();
    assert_eq!(cwd, fs::canonicalize(sandbox.join("scan")).unwrap());
}

#[test]
fn the_first_runsv_of_path_is_taken() {
    let sandbox = Sandbox::new();
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut with_fake_runsv(&sandbox, WAIT));
    assert!(sandbox.processes().contains(&runsv));
    assert_eq!(supervisors(&sandbox), []);
}

#[test]
fn without_a_runsv_in_path_it_starts_itself() {
    if only_svbox("itself") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run(RUN);
    sandbox.scan().link(&one);
    let mut command = sandbox.command("runsvdir");
    command.env("PATH", sandbox.join("empty")).arg("scan");
    let runsvdir = sandbox.start(command);
    one.until_up();
    let runsv = supervisor(&sandbox, "one");
    assert_eq!(fs::read(format!("/proc/{runsv}/cmdline")).unwrap(), line_of("one"));
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn with_an_empty_path_or_none_services_are_started_too() {
    if only_svbox("itself") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run(RUN), sandbox.service("two").run(RUN));
    set_of(&sandbox, "first", &[&one]);
    set_of(&sandbox, "second", &[&two]);
    let mut command = sandbox.command("runsvdir");
    command.env("PATH", "").arg("first");
    let _first = sandbox.start(command);
    let mut command = sandbox.command("runsvdir");
    command.env_remove("PATH").arg("second");
    let _second = sandbox.start(command);
    one.until_up();
    two.until_up();
}

#[test]
fn started_by_the_multicall_name_it_starts_itself_as_runsv() {
    if only_svbox("itself") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run(RUN);
    sandbox.scan().link(&one);
    let mut command = sandbox.command("svbox");
    command.env("PATH", sandbox.join("empty")).args(["runsvdir", "scan"]);
    let _runsvdir = sandbox.start(command);
    one.until_up();
    assert_eq!(status_of(supervisor(&sandbox, "one"), "Name").as_deref(), Some("runsv"));
}

#[test]
fn a_runsv_in_path_that_is_not_executable_is_passed_over() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    sandbox.write("broken/runsv", "#!/bin/sh\n");
    let mut command = sandbox.command("runsvdir");
    let path = format!("{}:{}", sandbox.join("broken").display(), bin_dir().display());
    command.env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap_or_default())).arg("scan");
    let _runsvdir = sandbox.start(command);
    one.until_up();
}

#[test]
fn a_runsv_that_cannot_be_run_is_reported_and_tried_again() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("scan/one")).unwrap();
    let mut command = with_fake_runsv(&sandbox, "");
    fs::write(sandbox.join("fake/runsv"), "no program").unwrap();
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    let text = "runsvdir scan: fatal: unable to start runsv one: exec format error\n";
    until("two reports", || count(&runsvdir.stderr(), text) >= 2);
    sandbox.script("fake/runsv", WAIT);
    until("the supervisor", || !sandbox.running("sleep 7654321").is_empty());
}

#[test]
fn standard_descriptors_are_passed_on() {
    let sandbox = Sandbox::new();
    let mut command = with_fake_runsv(&sandbox, WAIT);
    command.stdout(fs::File::create(sandbox.join("stdout")).unwrap());
    command.stdin(fs::File::open(sandbox.write("stdin", "")).unwrap());
    let (runsvdir, runsv) = waiting_supervisor(&sandbox, &mut command);
    for number in 0..3 {
        assert_eq!(descriptor(runsv, number), descriptor(runsvdir.pid(), number));
    }
}

#[test]
fn no_descriptor_of_its_own_is_passed_on() {
    let sandbox = Sandbox::new();
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut with_fake_runsv(&sandbox, WAIT));
    // A program that starts has others for a moment.
    until("no other descriptor", || descriptors(runsv) == inherited(&sandbox));
}

#[test]
fn foreign_descriptors_are_passed_on() {
    let sandbox = Sandbox::new();
    sandbox.write("foreign", "");
    let envs = with_fake_runsv(&sandbox, WAIT);
    let mut command = sandbox.command("sh");
    envs.get_envs().for_each(|(key, value)| _ = command.env(key, value.unwrap_or_default()));
    command.args(["-c", "exec 7<foreign 8<foreign; exec \"$0\" \"$@\""]).arg(program("runsvdir"));
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut command);
    assert_eq!(descriptor(runsv, 7), fs::canonicalize(sandbox.join("foreign")).unwrap());
    assert_eq!(descriptor(runsv, 8), fs::canonicalize(sandbox.join("foreign")).unwrap());
}

#[test]
fn closed_standard_descriptors_do_no_harm() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    std::os::unix::fs::symlink("nowhere", sandbox.join("scan/broken")).unwrap();
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec <&- >&- 2>&-; exec runsvdir scan"]);
    let mut runsvdir = sandbox.start(command);
    one.until_up();
    scan.unlink("one");
    until("its end", || !one.is_supervised());
    assert!(runsvdir.lives());
}

#[test]
fn the_environment_is_passed_on_as_it_is() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let runsvdir = scan.start(&[], &[]);
    one.until_up();
    let environment = |pid: i32| fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert_eq!(environment(supervisor(&sandbox, "one")), environment(runsvdir.pid()));
}

#[test]
fn a_supervisor_starts_with_nothing_blocked_and_nothing_ignored() {
    let sandbox = Sandbox::new();
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut with_fake_runsv(&sandbox, WAIT));
    assert_eq!((signals(runsv, "SigBlk"), signals(runsv, "SigIgn")), (0, 0));
}

#[test]
fn hup_term_alrm_and_chld_are_not_blocked_in_a_supervisor_even_if_they_were() {
    if only_svbox("mask") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = through_env(&sandbox, &["--block-signal"]);
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut command);
    for signal in [Signal::HUP, Signal::TERM, Signal::ALARM, Signal::CHILD] {
        assert_eq!(signals(runsv, "SigBlk") & 1 << (signal.as_raw() - 1), 0, "{signal:?}");
    }
}

#[test]
fn hup_term_and_alrm_have_their_default_action_in_a_supervisor() {
    let sandbox = Sandbox::new();
    let mut command = through_env(&sandbox, &["--ignore-signal=HUP,TERM,ALRM"]);
    let (_runsvdir, runsv) = waiting_supervisor(&sandbox, &mut command);
    assert_eq!(signals(runsv, "SigIgn"), 0);
}

#[test]
fn term_works_even_if_it_was_ignored_and_blocked_before() {
    if only_svbox("mask") {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["--ignore-signal=TERM", "--block-signal=TERM"];
    let (mut runsvdir, _) = waiting_supervisor(&sandbox, &mut through_env(&sandbox, &options));
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
}
