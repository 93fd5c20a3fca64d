//! The command line.

use super::*;
use std::os::unix::process::CommandExt;
use std::process::Output;

fn complaint(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// The session and the process group of a process.
fn session_and_group(pid: i32) -> (String, String) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut fields = stat.rsplit_once(") ").unwrap().1.split(' ');
    let group = fields.nth(2).unwrap().into();
    (fields.next().unwrap().into(), group)
}

#[test]
fn without_a_directory_it_shows_its_usage_with_the_name_it_was_called_by() {
    let sandbox = Sandbox::new();
    let output = sandbox.command("runsvdir").arg0("some/where/runsvdir").output().unwrap();
    assert_eq!(complaint(&output), (Some(1), usage("some/where/runsvdir")));
}

#[test]
fn options_without_a_directory_are_a_usage_error() {
    let sandbox = Sandbox::new();
    for option in ["-P", "--"] {
        let output = sandbox.command("runsvdir").arg0("runsvdir").arg(option).output().unwrap();
        assert_eq!(complaint(&output), (Some(1), usage("runsvdir")), "{option}");
    }
}

#[test]
fn a_usage_error_writes_nothing_to_standard_output() {
    let sandbox = Sandbox::new();
    assert!(sandbox.output("runsvdir", &[]).stdout.is_empty());
}

#[test]
fn an_unknown_option_is_a_usage_error() {
    if only_svbox("options") {
        return;
    }
    let sandbox = Sandbox::new();
    for args in [&["-x"][..], &["-x", "scan"], &["-s"]] {
        let output = sandbox.command("runsvdir").arg0("runsvdir").args(args).output().unwrap();
        assert_eq!(complaint(&output), (Some(1), usage("runsvdir")), "{args:?}");
    }
}

#[test]
fn a_directory_that_is_named_like_an_unknown_option_works() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    set_of(&sandbox, "-x", &[&service]);
    let _runsvdir = start_on(&sandbox, "-x");
    service.until_up();
}

#[test]
fn a_directory_that_begins_with_a_dash_can_be_given_with_a_path() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    set_of(&sandbox, "-P", &[&service]);
    let _runsvdir = start_on(&sandbox, "./-P");
    service.until_up();
}

#[test]
fn two_dashes_are_skipped() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let runsvdir = scan.start(&["--"], &[]);
    service.until_up();
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn two_dashes_make_the_next_word_the_directory() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    set_of(&sandbox, "-P", &[&service]);
    let mut command = sandbox.command("runsvdir");
    command.args(["--", "-P"]);
    let _runsvdir = sandbox.start(command);
    service.until_up();
}

#[test]
fn two_dashes_may_follow_an_option() {
    if only_svbox("options") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let _runsvdir = scan.start(&["-P", "--"], &[]);
    service.until_up();
}

#[test]
fn with_p_each_supervisor_leads_its_own_session() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    scan.link(&two);
    let _runsvdir = scan.start(&["-P"], &[]);
    for service in [&one, &two] {
        let (pid, leader) = (service.until_up(), supervisor(&sandbox, &service.name).to_string());
        let own = (leader.clone(), leader);
        assert_eq!(session_and_group(supervisor(&sandbox, &service.name)), own);
        assert_eq!(session_and_group(pid), own, "the service is in the session of its supervisor");
    }
}

#[test]
fn without_p_everything_is_in_the_session_and_process_group_of_runsvdir() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let runsvdir = scan.start(&[], &[]);
    let pid = service.until_up();
    let own = session_and_group(runsvdir.pid());
    assert_eq!(session_and_group(supervisor(&sandbox, "one")), own);
    assert_eq!(session_and_group(pid), own);
}

#[test]
fn the_directory_may_be_absolute() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    sandbox.scan().link(&service);
    let _runsvdir = start_on(&sandbox, sandbox.join("scan"));
    service.until_up();
}

#[test]
fn arguments_behind_the_log_are_ignored() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let mut runsvdir = scan.start(&[], &["log: .....", "more", "-x"]);
    service.until_up();
    assert!(runsvdir.lives());
}

#[test]
fn called_through_the_multicall_name_it_has_its_own_name_all_the_same() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    sandbox.scan().link(&service);
    let mut command = sandbox.command("svbox");
    command.args(["runsvdir", "scan"]);
    let runsvdir = sandbox.start(command);
    service.until_up();
    assert_eq!(status_of(runsvdir.pid(), "Name").as_deref(), Some("runsvdir"));
}

#[test]
fn its_command_name_is_its_own() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let runsvdir = scan.start(&[], &[]);
    service.until_up();
    assert_eq!(status_of(runsvdir.pid(), "Name").as_deref(), Some("runsvdir"));
}

#[test]
fn a_directory_that_can_be_used_is_not_talked_about() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&service);
    let mut runsvdir = scan.start(&[], &[]);
    service.until_up();
    end_all(&sandbox, &mut runsvdir);
    assert_eq!(runsvdir.stderr(), "");
}
