//! Without inotify.

use super::*;
use std::os::unix::fs::symlink;

/// A runsvdir on `scan` that cannot have an inotify instance.
fn without_inotify(sandbox: &Sandbox) -> Running {
    let mut command = traced(sandbox, "inotify_init,inotify_init1:error=EMFILE", "runsvdir");
    command.arg("scan");
    sandbox.start(command)
}

#[test]
fn without_inotify_there_is_one_warning_and_links_are_seen_by_looking() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    let runsvdir = without_inotify(&sandbox);
    one.until_up();
    scan.unlink("one");
    scan.link(&two);
    two.until_up();
    until("the end of the first", || !one.is_supervised());
    let warnings = if against_runit() { 0 } else { 1 };
    assert_eq!(runsvdir.stderr().lines().count(), warnings, "{}", runsvdir.stderr());
    assert_eq!(count(&runsvdir.stderr(), "runsvdir scan: warning: "), warnings);
}

#[test]
fn without_inotify_a_switched_link_is_seen_even_if_both_directories_are_equally_old() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    set_of(&sandbox, "old", &[&one]);
    set_of(&sandbox, "new", &[&two]);
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for name in ["old", "new"] {
        fs::File::open(sandbox.join(name)).unwrap().set_modified(time).unwrap();
    }
    symlink("old", sandbox.join("scan")).unwrap();
    let _runsvdir = without_inotify(&sandbox);
    one.until_up();
    switch(&sandbox.join("scan"), "new");
    two.until_up();
    until("the end of the first", || !one.is_supervised());
}

#[test]
fn without_inotify_a_missing_directory_is_picked_up() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let runsvdir = without_inotify(&sandbox);
    until("the warning", || runsvdir.stderr().contains("unable to stat scan: file does not exist"));
    sandbox.scan().link(&one);
    one.until_up();
}

#[test]
fn with_the_instances_of_the_user_used_up_links_are_seen_by_looking() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    let mut command = sandbox.command("unshare");
    let body = "echo 0 >/proc/sys/user/max_inotify_instances && exec runsvdir scan";
    command.args(["--user", "--map-root-user", "sh", "-c", body]);
    let _runsvdir = sandbox.start(command);
    one.until_up();
    scan.link(&two);
    two.until_up();
}
