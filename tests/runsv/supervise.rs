//! What runsv makes or finds in `supervise/` before it starts anything: the directory, the lock and the fifos.

use super::*;
use rustix::fs::FlockOperation;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

/// Kind, mode and name of everything in a directory.
fn listing(dir: &Path) -> Vec<String> {
    let line = |name: String| {
        // One that is about to be renamed may be gone by now.
        let about = fs::symlink_metadata(dir.join(&name)).ok()?;
        let kind = if about.file_type().is_fifo() { "fifo" } else { "file" };
        Some(format!("{kind} {:04o} {name}", about.mode() & 0o7777))
    };
    names(dir).into_iter().filter_map(line).collect()
}

fn expected_listing(umask: u32) -> Vec<String> {
    let all = [
        ("fifo", 0o600, "control"),
        ("file", 0o600, "lock"),
        ("fifo", 0o600, "ok"),
        ("file", 0o644, "pid"),
        ("file", 0o644, "stat"),
        ("file", 0o644, "status"),
    ];
    all.map(|(kind, mode, name)| format!("{kind} {:04o} {name}", mode & !umask)).into()
}

#[test]
fn supervise_has_the_files_and_modes_of_runit_under_any_umask() {
    for umask in [0o022, 0o000, 0o027, 0o077, 0o177] {
        let sandbox = Sandbox::new();
        let service = sandbox.service("masked").run_forever().down();
        let _runsv = start_behind(&service, &format!("umask {umask:o}"), "");
        until("a supervisor", || service.is_supervised());
        assert_eq!(listing(&service.join("supervise")), expected_listing(umask), "umask {umask:o}");
        let mode = fs::metadata(service.join("supervise")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o700 & !umask, "umask {umask:o}");
    }
}

#[test]
fn the_supervise_of_the_log_service_is_no_different() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("masked").run_forever().logged();
    let _runsv = start_behind(&service, "umask 022", "");
    until_some("the log's files", || {
        let supervise = service.join("log/supervise");
        (supervise.exists() && listing(&supervise) == expected_listing(0o022)).then_some(())
    });
    assert_eq!(fs::metadata(service.join("log/supervise")).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn nothing_is_written_to_the_lock() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    assert_eq!(fs::metadata(service.join("supervise/lock")).unwrap().len(), 0);
}

#[test]
fn what_the_lock_holds_is_left_alone() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/lock", "kept");
    let _runsv = service.supervise();
    assert_eq!(service.read("supervise/lock"), "kept");
}

#[test]
fn existing_modes_in_supervise_are_left_alone() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    drop(service.supervise());
    let modes = [("", 0o750), ("lock", 0o640), ("control", 0o620), ("ok", 0o622)];
    let path = |name: &str| service.join("supervise").join(name);
    for (name, mode) in modes {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    until("the end of the first", || !service.is_supervised());
    let _runsv = service.supervise();
    for (name, mode) in modes {
        assert_eq!(fs::metadata(path(name)).unwrap().mode() & 0o7777, mode, "supervise/{name}");
    }
}

#[test]
fn an_existing_fifo_is_used_and_not_replaced() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    drop(service.supervise());
    let inodes = || {
        ["lock", "control", "ok"]
            .map(|name| fs::metadata(service.join("supervise").join(name)).unwrap().ino())
    };
    let before = inodes();
    until("the end of the first", || !service.is_supervised());
    let _runsv = service.supervise();
    assert_eq!(inodes(), before);
}

#[test]
fn other_files_in_supervise_are_left_alone() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/mine", "kept");
    let mut runsv = service.supervise();
    service.until_up();
    service.send(b"x");
    runsv.ended();
    assert_eq!(service.read("supervise/mine"), "kept");
}

#[test]
fn a_file_instead_of_supervise_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise", "text");
    assert_fatal(&service, "unable to open supervise/lock: not a directory");
    assert_eq!(service.read("supervise"), "text");
}

#[test]
fn a_file_instead_of_the_supervise_of_the_log_service_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged().file("log/supervise", "text");
    assert_fatal(&service, "unable to open log/supervise/lock: not a directory");
}

#[test]
fn a_supervise_that_is_a_link_to_a_directory_is_used() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("elsewhere")).unwrap();
    let service = sandbox.service("plain").run_forever().down();
    symlink(sandbox.join("elsewhere"), service.join("supervise")).unwrap();
    let _runsv = service.supervise();
    assert_eq!(names(sandbox.join("elsewhere")), ["control", "lock", "ok", "pid", "stat", "status"]);
    assert!(service.join("supervise").is_symlink());
}

#[test]
fn the_missing_target_of_an_absolute_link_is_made() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink(sandbox.join("elsewhere"), service.join("supervise")).unwrap();
    let _runsv = start_behind(&service, "umask 022", "");
    until("a supervisor", || service.is_supervised());
    assert_eq!(fs::metadata(sandbox.join("elsewhere")).unwrap().mode() & 0o7777, 0o700);
}

#[test]
fn the_missing_target_of_a_relative_link_is_made_from_the_service_directory() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("deep/plain").run_forever();
    symlink("../elsewhere", service.join("supervise")).unwrap();
    let _runsv = service.supervise();
    assert!(sandbox.join("deep/elsewhere/status").exists());
}

#[test]
fn the_missing_target_of_a_relative_link_in_log_is_made_from_log() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("deep/plain").run_forever().logged();
    symlink("../elsewhere", service.join("log/supervise")).unwrap();
    let _runsv = service.supervise();
    assert!(service.join("elsewhere/status").exists());
}

#[test]
fn a_link_to_a_directory_in_a_missing_one_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink("missing/elsewhere", service.join("supervise")).unwrap();
    assert_fatal(&service, "unable to open supervise/lock: file does not exist");
    assert!(!service.join("missing").exists());
}

#[test]
fn a_link_in_log_to_a_directory_in_a_missing_one_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    symlink("missing/elsewhere", service.join("log/supervise")).unwrap();
    assert_fatal(&service, "unable to open log/supervise/lock: file does not exist");
}

#[test]
fn only_one_level_of_links_is_followed_to_a_missing_target() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink("second", service.join("supervise")).unwrap();
    symlink("third", service.join("second")).unwrap();
    assert_fatal(&service, "unable to open supervise/lock: file does not exist");
    assert!(!service.join("third").exists());
}

#[test]
fn a_supervise_that_is_a_link_to_itself_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink("supervise", service.join("supervise")).unwrap();
    assert_fatal(&service, "unable to open supervise/lock: symbolic link loop");
}

#[test]
fn the_target_of_supervise_can_be_as_long_as_a_path() {
    if only_svbox("long link") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let target = format!("{}elsewhere", "./".repeat(2000));
    symlink(target, service.join("supervise")).unwrap();
    let _runsv = service.supervise();
    assert!(service.join("elsewhere/status").exists());
}

#[test]
fn the_target_of_supervise_can_be_255_bytes_long() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink(format!("{}x", "./".repeat(127)), service.join("supervise")).unwrap();
    let _runsv = service.supervise();
    assert!(service.join("x/status").exists());
}

#[test]
fn a_lock_that_is_a_directory_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    fs::create_dir_all(service.join("supervise/lock")).unwrap();
    assert_fatal(&service, "unable to open supervise/lock: is a directory");
}

#[test]
fn a_second_runsv_is_refused_and_disturbs_nothing() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let mut runsv = service.supervise();
    let (pid, log) = (service.until_up(), until_log_up(&service));
    let inodes = || {
        names(service.join("supervise"))
            .into_iter()
            .map(|name| (fs::metadata(service.join("supervise").join(&name)).unwrap().ino(), name))
            .collect::<Vec<_>>()
    };
    let before = inodes();
    assert_fatal(&service, "unable to lock supervise/lock: temporary failure");
    assert_eq!(inodes(), before);
    assert!(runsv.lives());
    assert_eq!((service.status().pid(), service.log_status().pid()), (pid, log));
}

#[test]
fn a_lock_held_by_any_other_program_is_respected() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let lock = fs::File::create(sandbox.write("plain/supervise/lock", "")).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    assert_fatal(&service, "unable to lock supervise/lock: temporary failure");
    assert_eq!(names(service.join("supervise")), ["lock"]);
    drop(lock);
    let _runsv = service.supervise();
}

#[test]
fn runsv_holds_a_lock_that_flock_sees() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let _runsv = service.supervise();
    for path in ["supervise/lock", "log/supervise/lock"] {
        let lock = fs::File::open(service.join(path)).unwrap();
        let got = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared);
        assert_eq!(got, Err(rustix::io::Errno::WOULDBLOCK), "{path}");
    }
}

#[test]
fn a_log_locked_by_another_does_not_make_runsv_deaf() {
    if only_svbox("log lock") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let lock = fs::File::create(sandbox.write("plain/log/supervise/lock", "")).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    let mut runsv = service.start();
    until("an end or a start", || !runsv.lives() || service.is_supervised());
    if runsv.lives() {
        runsv.signal(rustix::process::Signal::TERM);
        assert_eq!(runsv.ended().code(), Some(0));
    } else {
        assert_eq!(
            runsv.stderr(),
            "runsv plain: fatal: unable to lock log/supervise/lock: temporary failure\n"
        );
        assert_eq!(runsv.ended().code(), Some(111));
    }
}

#[test]
fn a_file_instead_of_the_control_fifo_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/control", "");
    assert_fatal(&service, "supervise/control exists but is not a fifo");
}

#[test]
fn a_directory_instead_of_the_control_fifo_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/control/x", "");
    assert_fatal(&service, "supervise/control exists but is not a fifo");
}

#[test]
fn a_control_fifo_that_is_a_dangling_link_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/lock", "");
    symlink("nowhere", service.join("supervise/control")).unwrap();
    assert_fatal(&service, "unable to stat supervise/control: file does not exist");
}

#[test]
fn a_control_that_is_a_link_to_a_fifo_is_used() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/lock", "");
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, sandbox.join("fifo"), fifo, 0o600.into(), 0).unwrap();
    symlink(sandbox.join("fifo"), service.join("supervise/control")).unwrap();
    let mut runsv = service.supervise();
    fs::write(sandbox.join("fifo"), "x").unwrap();
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn a_file_instead_of_the_control_fifo_of_the_log_service_is_fatal() {
    if only_svbox("log control") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged().file("log/supervise/control", "");
    assert_fatal(&service, "log/supervise/control exists but is not a fifo");
}

#[test]
fn the_type_of_ok_is_not_checked() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/ok", "");
    let mut runsv = service.start();
    until("a status", || service.join("supervise/status").exists());
    service.until_up();
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn an_ok_that_is_a_dangling_link_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/lock", "");
    symlink("nowhere", service.join("supervise/ok")).unwrap();
    assert_fatal(&service, "unable to read supervise/ok: file does not exist");
}

#[test]
fn an_ok_of_the_log_service_that_is_a_dangling_link_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged().file("log/supervise/lock", "");
    symlink("nowhere", service.join("log/supervise/ok")).unwrap();
    assert_fatal(&service, "unable to read log/supervise/ok: file does not exist");
}
