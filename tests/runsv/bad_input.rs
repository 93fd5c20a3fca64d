//! Broken services, and directories that change or vanish under a living runsv.

use super::*;
use rustix::process::Signal;
use std::os::unix::fs::{PermissionsExt, symlink};

/// Checks that a `run` that cannot be executed is told of, and tried again.
#[track_caller]
fn assert_cannot_start(service: &Service<'_>, reason: &str) {
    let mut runsv = service.supervise();
    until("two tries", || runsv.stderr().lines().count() >= 2);
    let text = format!("runsv {}: fatal: unable to start ./run: {reason}", service.name);
    assert!(runsv.stderr().lines().all(|line| line == text), "{}", runsv.stderr());
    assert!(runsv.lives());
}

#[test]
fn a_missing_run_is_told_of() {
    let sandbox = Sandbox::new();
    assert_cannot_start(&sandbox.service("plain"), "file does not exist");
}

#[test]
fn a_run_that_is_not_executable_is_told_of() {
    let sandbox = Sandbox::new();
    assert_cannot_start(&sandbox.service("plain").file("run", "#!/bin/sh\n"), "access denied");
}

#[test]
fn a_directory_instead_of_run_is_told_of() {
    let sandbox = Sandbox::new();
    assert_cannot_start(&sandbox.service("plain").file("run/x", ""), "access denied");
}

#[test]
fn a_run_with_a_bad_interpreter_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("");
    fs::write(service.join("run"), "#!/no/such/interpreter\n").unwrap();
    assert_cannot_start(&service, "file does not exist");
}

#[test]
fn a_run_of_unknown_format_is_told_of() {
    for text in ["", "echo no shell is asked\n", "\u{7f}ELF"] {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run("");
        fs::write(service.join("run"), text).unwrap();
        let runsv = service.supervise();
        until_said(&service, &runsv, "fatal: unable to start ./run: exec format error");
    }
}

#[test]
fn a_run_that_is_a_dangling_link_or_a_loop_is_told_of() {
    for (target, reason) in [("nowhere", "file does not exist"), ("run", "symbolic link loop")] {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain");
        symlink(target, service.join("run")).unwrap();
        let runsv = service.supervise();
        until_said(&service, &runsv, &format!("fatal: unable to start ./run: {reason}"));
    }
}

#[test]
fn a_run_that_is_being_written_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain");
    fs::copy("/bin/sleep", service.join("run")).unwrap();
    let open = fs::OpenOptions::new().append(true).open(service.join("run")).unwrap();
    let runsv = service.supervise();
    until_said(&service, &runsv, "fatal: unable to start ./run: text busy");
    drop(open);
}

#[test]
fn a_run_is_not_looked_for_in_path() {
    let sandbox = Sandbox::new();
    sandbox.script("bin/run", "echo >../found");
    let service = sandbox.service("plain");
    let mut command = sandbox.command("runsv");
    command.arg("plain").env("PATH", sandbox.join("bin"));
    let runsv = sandbox.start(command);
    until_said(&service, &runsv, "fatal: unable to start ./run: file does not exist");
    assert!(!sandbox.join("found").exists());
}

#[test]
fn a_run_that_appears_later_is_started() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain");
    let runsv = service.supervise();
    until_said(&service, &runsv, "fatal: unable to start ./run: file does not exist");
    let service = service.run_forever();
    until_asleep(&service);
}

#[test]
fn a_run_that_is_replaced_counts_from_the_next_start() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo old >>runs\nexec sleep 1000000");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    let service = service.run("echo new >>runs\nexec sleep 1000000");
    until_heard(&service);
    assert_eq!(service.status().pid(), pid);
    service.send(b"t");
    until_asleep_again(&service, pid);
    assert_eq!(service.read("runs"), "old\nnew\n");
}

#[test]
fn a_service_directory_that_is_renamed_is_still_served() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    let log = until_log_up(&service);
    fs::rename(service.join(""), sandbox.join("renamed")).unwrap();
    let service = sandbox.service("renamed");
    service.send(b"t");
    service.send_log(b"t");
    until_asleep_again(&service, pid);
    until("another log service", || service.log_status().pid() != log);
    until_log_up(&service);
    assert_eq!((service.lines("starts"), runsv.stderr().as_str()), (2, ""));
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn a_service_directory_that_is_removed_is_warned_of_until_term() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    fs::remove_dir_all(service.join("")).unwrap();
    assert!(runsv.lives());
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    until_said(&service, &runsv, "warning: unable to open supervise/pid.new: file does not exist");
    until_said(&service, &runsv, "fatal: unable to start ./run: file does not exist");
    runsv.signal(Signal::TERM);
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn a_supervise_that_is_removed_does_not_stop_supervision() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    fs::remove_dir_all(service.join("supervise")).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    service.until_lines("starts", 2);
    until_said(&service, &runsv, "warning: unable to open supervise/pid.new: file does not exist");
    runsv.signal(Signal::TERM);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn files_of_supervise_that_are_removed_come_back_with_the_next_update() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let runsv = service.supervise();
    let pid = until_asleep(&service);
    for name in ["pid", "stat", "status"] {
        fs::remove_file(service.join("supervise").join(name)).unwrap();
    }
    service.send(b"k");
    until("files of another process", || {
        let written = service.read("supervise/pid").trim().parse().is_ok_and(|next: i32| next != pid);
        written && service.stat() == "run" && service.join("supervise/status").exists()
    });
    service.until_up_again(pid);
    assert_eq!(runsv.stderr(), "");
}

/// Checks that with a directory of this name in `supervise` runsv warns, and the service is served all the same.
#[track_caller]
fn assert_served_without(blocked: &str, warning: &str) {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).file(&format!("supervise/{blocked}/x"), "");
    let mut runsv = service.supervise();
    service.until_lines("starts", 1);
    until_said(&service, &runsv, &format!("warning: {warning}: is a directory"));
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn files_that_cannot_be_opened_are_warned_of() {
    assert_served_without("pid.new", "unable to open supervise/pid.new");
    assert_served_without("stat.new", "unable to open supervise/stat.new");
    assert_served_without("status.new", "unable to open supervise/status.new");
}

#[test]
fn files_that_cannot_be_renamed_are_warned_of() {
    assert_served_without("pid", "unable to rename pid.new to supervise/pid");
    assert_served_without("stat", "unable to rename stat.new to supervise/stat");
    assert_served_without("status", "unable to rename status.new to supervise/status");
}

#[test]
fn files_of_the_log_service_that_cannot_be_written_are_warned_of() {
    for (blocked, warning) in [
        ("stat.new", "unable to open log/supervise/stat.new"),
        ("status", "unable to rename status.new to log/supervise/status"),
    ] {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox).logged().file(&format!("log/supervise/{blocked}/x"), "");
        let mut runsv = service.supervise();
        until_asleep(&service);
        until_said(&service, &runsv, &format!("warning: {warning}: is a directory"));
        service.send(b"x");
        assert_eq!(runsv.ended().code(), Some(0));
    }
}

/// Fills a file system to the last byte.
fn fill(dir: &Path) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(dir.join("filler")).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

#[test]
fn on_a_full_disk_the_old_status_stays_and_the_service_is_served() {
    let sandbox = Sandbox::new();
    let Some(_mount) = sandbox.tmpfs("full", "size=256k") else { return };
    let service = sandbox.service("full/plain").run_forever().down();
    let mut runsv = service.supervise();
    let mut letters = [b"p", b"c"].into_iter().cycle();
    until("a warning", || {
        fill(&sandbox.join("full"));
        service.send(letters.next().unwrap());
        // Panics if it is short.
        service.status();
        runsv.stderr().lines().any(|line| {
            line == "runsv full/plain: warning: unable to write supervise/status.new: out of disk space"
        })
    });
    fs::remove_file(sandbox.join("full/filler")).unwrap();
    service.send(b"uc");
    let pid = until_asleep(&service);
    until_told(&service, "run", [0, b'u', 0, 1]);
    assert_eq!(service.read("supervise/pid"), format!("{pid}\n"));
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn without_room_for_new_files_the_service_is_served() {
    let sandbox = Sandbox::new();
    let Some(_mount) = sandbox.tmpfs("full", "nr_inodes=64") else { return };
    let service = sandbox.service("full/plain").run_forever();
    let mut runsv = service.supervise();
    let pid = until_asleep(&service);
    until("no room", || fs::write(sandbox.join(format!("full/{}", now().as_nanos())), "").is_err());
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    until_said(&service, &runsv, "warning: unable to open supervise/pid.new: out of disk space");
    until("another process", || !sandbox.named("sleep").contains(&pid) && !sandbox.named("sleep").is_empty());
    runsv.signal(Signal::TERM);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn a_new_directory_in_the_place_of_a_removed_one_can_have_its_own_runsv() {
    let sandbox = Sandbox::new();
    let old = counted(&sandbox);
    let _old = old.supervise();
    until_asleep(&old);
    fs::remove_dir_all(old.join("")).unwrap();
    let new = counted(&sandbox);
    let mut runsv = new.supervise();
    until_asleep(&new);
    new.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn a_service_directory_without_write_permission_is_enough_with_a_supervise() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/x", "");
    fs::set_permissions(service.join(""), fs::Permissions::from_mode(0o500)).unwrap();
    let _runsv = start_obeying_modes(&service);
    until("a supervisor", || service.is_supervised());
    service.until_up();
    fs::set_permissions(service.join(""), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_supervise_without_write_permission_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("supervise/x", "");
    fs::set_permissions(service.join("supervise"), fs::Permissions::from_mode(0o500)).unwrap();
    let mut runsv = start_obeying_modes(&service);
    assert_eq!(runsv.ended().code(), Some(111));
    assert_eq!(runsv.stderr(), "runsv plain: fatal: unable to open supervise/lock: access denied\n");
}

#[test]
fn on_a_full_disk_the_status_gets_the_room_that_the_words_had() {
    let sandbox = Sandbox::new();
    let Some(_mount) = sandbox.tmpfs("full", "size=64k") else { return };
    let service = sandbox.service("full/plain").run_forever();
    let _runsv = service.supervise();
    let before = until_asleep(&service);
    fill(&sandbox.join("full"));
    service.send(b"k");
    until("the new process in the status", || {
        let status = service.status();
        status.pid() != 0 && status.pid() != before
    });
}
