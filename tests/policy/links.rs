//! Links in the place of files that a supervisor is going to make in `supervise`.

use super::socket::{say, saying};
use super::*;
use std::os::unix::fs::symlink;

/// Leads these names of `supervise` to the file `elsewhere` of the sandbox, which holds something.
fn lead_away(service: &Service<'_>, names: &[&str]) {
    service.sandbox.write("elsewhere", "precious\n");
    fs::create_dir_all(service.join("supervise")).unwrap();
    for name in names {
        symlink(service.sandbox.join("elsewhere"), service.join("supervise").join(name)).unwrap();
    }
}

#[track_caller]
fn assert_untouched(service: &Service<'_>, names: &[&str]) {
    assert_eq!(service.sandbox.read("elsewhere"), "precious\n");
    for name in names {
        let stat = fs::symlink_metadata(service.join("supervise").join(name)).unwrap();
        assert!(stat.is_file(), "{name}: {stat:?}");
    }
}

#[test]
fn what_a_link_leads_to_is_not_written_and_the_link_goes() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    lead_away(&service, &["pid.new", "stat.new", "status.new", "message.new", "deaths.new"]);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    say(&service, "STATUS=at work");
    until("its words", || service.read("supervise/message") == "at work\n");
    let pid = rustix::process::Pid::from_raw(service.until_up()).unwrap();
    assert_untouched(&service, &["pid", "stat", "status", "message"]);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    service.until_lines("up", 2);
    assert!(service.read("supervise/deaths").ends_with(" -1 9\n"));
    down(&service);
    assert_untouched(&service, &["pid", "stat", "status", "deaths"]);
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn nor_that_of_a_one_shot_or_a_log_service() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").script("setup", "exit 0").logged();
    lead_away(&service, &["ready.new"]);
    fs::create_dir(service.join("log/supervise")).unwrap();
    for name in ["pid.new", "stat.new", "status.new"] {
        symlink(sandbox.join("elsewhere"), service.join("log/supervise").join(name)).unwrap();
    }
    let _runsv = service.supervise();
    until("that it is ready", || !service.read("supervise/ready").is_empty());
    let pid = until_some("a logger", || Some(service.log_status().pid()).filter(|pid| *pid != 0));
    service.send_log(b"t");
    until("another logger", || ![0, pid].contains(&service.log_status().pid()));
    assert_untouched(&service, &["ready", "../log/supervise/stat", "../log/supervise/status"]);
}

#[test]
fn on_a_full_disk_no_link_is_emptied() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_mount) = sandbox.tmpfs("full", "size=256k") else { return };
    let service = sandbox.service("full/one").run_forever().down();
    let runsv = service.supervise();
    until("no room", || fs::write(sandbox.join(format!("full/{}", now().as_nanos())), [b'x'; 4096]).is_err());
    fs::remove_file(service.join("supervise/stat")).unwrap();
    lead_away(&service, &["stat"]);
    until("no room", || fs::write(sandbox.join(format!("full/{}", now().as_nanos())), [b'x'; 4096]).is_err());
    // When it has said so once more, it has done all that it does the first time.
    let mut letters = [b"p", b"c"].into_iter().cycle();
    until("two warnings", || {
        service.send(letters.next().unwrap());
        times_said(&runsv, "unable to write supervise/status.new: out of disk space") >= 2
    });
    assert_eq!(sandbox.read("elsewhere"), "precious\n");
}
