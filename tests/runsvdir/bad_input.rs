//! What the machine refuses.

use super::*;
use std::os::unix::fs::PermissionsExt;

const USER: u32 = 61_001;
/// Of its own, because the limit counts all processes of a user.
const LONELY_USER: u32 = 61_002;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A service that can be supervised by anybody.
fn for_anybody<'s>(sandbox: &'s Sandbox, name: &str) -> Service<'s> {
    let service = sandbox.service(name).run_forever();
    mode(&service.join(""), 0o777);
    service
}

const FORKS: &str = "fork,vfork,clone,clone3:error=EAGAIN";

#[test]
fn a_refused_fork_is_warned_about_and_tried_again() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    let mut command = traced(&sandbox, &format!("{FORKS}:when=1..2"), "runsvdir");
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    one.until_up();
    let text = "runsvdir scan: warning: unable to fork for one: temporary failure\n";
    assert_eq!(count(&runsvdir.stderr(), text), 2);
}

#[test]
fn a_refused_fork_for_a_known_service_is_tried_again_too() {
    if only_svbox("retry") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    let mut command = traced(&sandbox, &format!("{FORKS}:when=2"), "runsvdir");
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    let pid = one.until_up();
    one.send(b"x");
    one.until_up_again(pid);
    assert!(runsvdir.stderr().contains("unable to fork for one: temporary failure\n"));
}

#[test]
fn a_user_with_too_many_processes_gets_its_services_when_there_is_room() {
    let sandbox = Sandbox::new();
    let one = for_anybody(&sandbox, "one");
    sandbox.scan().link(&one);
    let runsvdir = unprivileged(&sandbox, "runsvdir", LONELY_USER);
    let mut command = sandbox.command("prlimit");
    runsvdir.get_envs().for_each(|(key, value)| _ = command.env(key, value.unwrap_or_default()));
    command.arg("--nproc=0:").arg(runsvdir.get_program()).args(runsvdir.get_args()).arg("scan");
    let runsvdir = sandbox.start(command);
    until("the warning", || {
        runsvdir.stderr().contains("runsvdir scan: warning: unable to fork for one: temporary failure\n")
    });
    limit(&sandbox, LONELY_USER, runsvdir.pid(), "nproc=1000:");
    one.until_up();
}

#[test]
fn without_descriptors_nothing_is_stopped_and_new_links_are_seen_when_there_are_some() {
    if only_svbox("retry") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    let runsvdir = scan.start(&[], &[]);
    let pid = one.until_up();
    limit(&sandbox, 0, runsvdir.pid(), "nofile=3:");
    scan.link(&two);
    let text = "runsvdir scan: warning: unable to open directory scan: process cannot open more files\n";
    until("the warning", || runsvdir.stderr().contains(text));
    limit(&sandbox, 0, runsvdir.pid(), "nofile=1000:");
    two.until_up();
    assert_eq!((one.status().pid(), one.status().term()), (pid, false));
}

#[test]
fn a_directory_that_may_not_be_listed_is_warned_about() {
    let sandbox = Sandbox::new();
    let one = for_anybody(&sandbox, "one");
    sandbox.scan().link(&one);
    mode(&sandbox.join("scan"), 0o311);
    let mut command = unprivileged(&sandbox, "runsvdir", USER);
    command.arg("scan");
    let mut runsvdir = sandbox.start(command);
    let text = "runsvdir scan: warning: unable to open directory scan: access denied\n";
    until("the warning", || runsvdir.stderr().contains(text));
    assert!(runsvdir.lives());
    assert!(!one.join("supervise").exists());
}

#[test]
fn a_directory_that_may_be_listed_later_is_picked_up() {
    if only_svbox("retry") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = for_anybody(&sandbox, "one");
    sandbox.scan().link(&one);
    mode(&sandbox.join("scan"), 0o311);
    let mut command = unprivileged(&sandbox, "runsvdir", USER);
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    until("the warning", || runsvdir.stderr().contains("unable to open directory scan"));
    mode(&sandbox.join("scan"), 0o755);
    one.until_up();
}

#[test]
fn services_are_kept_while_the_directory_may_not_be_listed() {
    let sandbox = Sandbox::new();
    let one = for_anybody(&sandbox, "one");
    sandbox.scan().link(&one);
    let mut command = unprivileged(&sandbox, "runsvdir", USER);
    command.arg("scan");
    let runsvdir = sandbox.start(command);
    let pid = one.until_up();
    mode(&sandbox.join("scan"), 0o311);
    runsvdir.signal(Signal::ALARM);
    until("the warning", || runsvdir.stderr().contains("unable to open directory scan: access denied\n"));
    assert_eq!((one.status().pid(), one.status().term()), (pid, false));
    assert!(one.is_supervised());
}

#[test]
fn a_directory_that_may_not_be_entered_is_warned_about() {
    let sandbox = Sandbox::new();
    sandbox.scan();
    mode(&sandbox.join("scan"), 0o644);
    let mut command = unprivileged(&sandbox, "runsvdir", USER);
    command.arg("scan");
    let mut runsvdir = sandbox.start(command);
    let text = "runsvdir scan: warning: unable to change directory to scan: access denied\n";
    until("the warning", || runsvdir.stderr().contains(text));
    assert!(runsvdir.lives());
}

#[test]
fn a_plain_file_as_directory_is_warned_about_and_replaced_by_a_directory_later() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.write("file", "");
    let runsvdir = start_on(&sandbox, "file");
    let text = "runsvdir file: warning: unable to change directory to file: not a directory\n";
    until("the warning", || runsvdir.stderr().starts_with(text));
    fs::remove_file(sandbox.join("file")).unwrap();
    set_of(&sandbox, "file", &[&one]);
    one.until_up();
}

#[test]
fn a_path_below_a_plain_file_is_warned_about() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    let runsvdir = start_on(&sandbox, "file/scan");
    let text = "runsvdir file/scan: warning: unable to stat file/scan: not a directory\n";
    until("the warning", || runsvdir.stderr().starts_with(text));
}

#[test]
fn a_directory_that_is_a_loop_of_links_is_warned_about() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("loop", sandbox.join("loop")).unwrap();
    let runsvdir = start_on(&sandbox, "loop");
    let text = "runsvdir loop: warning: unable to stat loop: symbolic link loop\n";
    until("the warning", || runsvdir.stderr().contains(text));
}

#[test]
fn where_the_label_cannot_be_written_alrm_causes_a_scan_all_the_same() {
    let sandbox = Sandbox::new();
    let one = for_anybody(&sandbox, "one");
    sandbox.scan().link(&one);
    std::os::unix::fs::symlink("../late", sandbox.join("scan/late")).unwrap();
    mode(&sandbox.join("scan"), 0o555);
    let mut command = unprivileged(&sandbox, "runsvdir", USER);
    command.arg("scan");
    let mut runsvdir = sandbox.start(command);
    one.until_up();
    let new = for_anybody(&sandbox, "new");
    fs::rename(new.join(""), sandbox.join("late")).unwrap();
    runsvdir.signal(Signal::ALARM);
    until("the scan", || sandbox.join("late/supervise").exists());
    assert!(runsvdir.lives());
    assert!(!sandbox.join("scan/.forced-rescan").exists());
}

#[test]
fn a_service_that_may_not_be_entered_does_not_keep_another_that_was_taken_out() {
    let sandbox = Sandbox::new();
    let one = for_anybody(&sandbox, "one");
    let scan = sandbox.scan();
    scan.link(&one);
    let hidden = sandbox.join("hidden");
    fs::create_dir_all(hidden.join("service")).unwrap();
    mode(&hidden, 0o000);
    std::os::unix::fs::symlink(hidden.join("service"), sandbox.join("scan/hidden")).unwrap();
    let mut command = unprivileged(&sandbox, "runsvdir", USER);
    command.arg("scan");
    let _runsvdir = sandbox.start(command);
    one.until_up();
    scan.unlink("one");
    until("the end of the service", || !one.is_supervised());
    mode(&hidden, 0o700);
}
