//! What `status`, `stat` and `pid` say, byte for byte.

use super::*;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

/// Which file it is that has this name now.
fn inode(service: &Service<'_>, name: &str) -> u64 {
    fs::metadata(service.join("supervise").join(name)).unwrap().ino()
}

fn pid_file(service: &Service<'_>) -> String {
    service.read("supervise/pid")
}

#[test]
fn a_service_that_is_down_says_so() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down();
    let _runsv = service.supervise();
    assert_eq!(service.status().0[12..], [0, 0, 0, 0, 0, b'd', 0, 0]);
    assert_eq!(service.read("supervise/stat"), "down\n");
    assert_eq!(pid_file(&service), "");
}

#[test]
fn a_service_that_runs_says_so() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    assert_eq!(service.status().0[16..], [0, b'u', 0, 1]);
    assert_eq!(service.status().0[12..16], pid.to_le_bytes());
    assert_eq!(service.read("supervise/stat"), "run\n");
    assert_eq!(pid_file(&service), format!("{pid}\n"));
}

#[test]
fn the_process_number_is_that_of_run() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo $$ >me\nexec sleep 1000000");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    assert_eq!(service.read("me"), format!("{pid}\n"));
}

#[test]
fn a_service_that_finishes_says_so_with_the_number_of_finish() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("exit").finish("echo $$ >me\nexec sleep 1000000");
    let _runsv = service.supervise();
    service.until_lines("me", 1);
    until("its number", || service.read("me") == format!("{}\n", service.status().pid()));
    until_told(&service, "finish", [0, b'u', 0, 2]);
    assert_eq!(pid_file(&service), service.read("me"));
}

#[test]
fn the_time_of_finish_is_the_start_of_run() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run(UNTIL_GO).finish("exec sleep 1000000");
    let _runsv = service.supervise();
    let started = label(service.until_shown(Shown::Run));
    go(&service);
    assert_eq!(label(service.until_shown(Shown::Finish)), started);
    until("its process", || service.status().pid() != 0);
    assert_eq!(label(service.status()), started);
}

#[test]
fn wanted_down_while_it_finishes_it_says_so() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("exit").finish("exec sleep 1000000");
    let _runsv = service.supervise();
    service.until_shown(Shown::Finish);
    service.send(b"d");
    until_told(&service, "finish, want down", [0, b'd', 0, 2]);
    service.send(b"x");
    until_told(&service, "finish, want exit", [0, b'd', 0, 2]);
}

#[test]
fn a_paused_service_says_so_until_it_is_continued() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    service.send(b"p");
    until_told(&service, "run, paused", [1, b'u', 0, 1]);
    service.send(b"c");
    until_told(&service, "run", [0, b'u', 0, 1]);
}

#[test]
fn a_service_that_got_term_says_so_until_it_has_ended() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    let pid = service.until_up();
    service.send(b"t");
    until_told(&service, "run, got TERM", [0, b'u', 1, 1]);
    service.send(b"k");
    service.until_up_again(pid);
    until_told(&service, "run", [0, b'u', 0, 1]);
}

#[test]
fn a_stubborn_service_wanted_down_says_so() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"d");
    until_told(&service, "run, got TERM, want down", [0, b'd', 1, 1]);
    service.send(b"k");
    until_told(&service, "down", [0, b'd', 0, 0]);
}

#[test]
fn a_stubborn_service_of_a_runsv_told_to_exit_says_so() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"x");
    until_told(&service, "run, got TERM, want exit", [0, b'd', 1, 1]);
}

#[test]
fn all_that_can_be_said_is_said_in_order() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"dp");
    until_told(&service, "run, paused, got TERM, want down", [1, b'd', 1, 1]);
    service.send(b"x");
    until_told(&service, "run, paused, got TERM, want exit", [1, b'd', 1, 1]);
}

#[test]
fn a_service_told_to_run_once_is_wanted_down() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down();
    let _runsv = service.supervise();
    service.send(b"o");
    until_told(&service, "run, want down", [0, b'd', 0, 1]);
}

#[test]
fn the_pause_outlives_the_process() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    service.send(b"pd");
    let status = until_told(&service, "down, paused", [1, b'd', 0, 0]);
    assert_eq!(status.pid(), 0);
}

#[test]
fn a_start_ends_the_pause() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down();
    let _runsv = service.supervise();
    service.send(b"p");
    until_told(&service, "down, paused", [1, b'd', 0, 0]);
    service.send(b"u");
    until_told(&service, "run", [0, b'u', 0, 1]);
}

#[test]
fn a_start_of_finish_ends_the_pause() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().finish("exec sleep 1000000");
    let _runsv = service.supervise();
    service.until_up();
    service.send(b"p");
    until_told(&service, "run, paused", [1, b'u', 0, 1]);
    service.send(b"k");
    until("finish", || service.status().shown() == Shown::Finish && service.status().pid() != 0);
    until_told(&service, "finish", [0, b'u', 0, 2]);
}

#[test]
fn between_two_fast_runs_a_service_is_down_and_wanted_up() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("exit");
    let _runsv = service.supervise();
    until("an end", || service.status().shown() == Shown::Down && !service.stat().is_empty());
    let status = until_told(&service, "down", [0, b'u', 0, 0]);
    assert_eq!(status.pid(), 0);
}

#[test]
fn without_a_process_the_pid_file_is_empty() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    service.send(b"d");
    until_told(&service, "down", [0, b'd', 0, 0]);
    assert_eq!(pid_file(&service), "");
    assert_eq!(fs::metadata(service.join("supervise/pid")).unwrap().len(), 0);
}

#[test]
fn the_time_of_run_is_its_start_by_the_wall_clock() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let before = now();
    let _runsv = service.supervise();
    let status = service.until_shown(Shown::Run);
    assert_eq!(status.0[..4], [0x40, 0, 0, 0]);
    assert!(status.nanoseconds() < 1_000_000_000);
    assert!(before <= label(status) && label(status) <= now(), "{:?}", label(status));
}

#[test]
fn the_time_of_down_is_first_that_of_runsv() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down();
    let before = now();
    let _runsv = service.supervise();
    let status = service.status();
    assert!(before <= label(status) && label(status) <= now(), "{:?}", label(status));
}

#[test]
fn the_time_of_down_is_the_end_of_the_process() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    let before = now();
    service.send(b"d");
    let status = service.until_shown(Shown::Down);
    assert!(before <= label(status) && label(status) <= now(), "{:?}", label(status));
}

#[test]
fn commands_do_not_change_the_time() {
    let sandbox = Sandbox::new();
    let service = stubborn(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    let started = label(service.until_shown(Shown::Run));
    service.send(b"pcoutd");
    let status = until_told(&service, "run, got TERM, want down", [0, b'd', 1, 1]);
    assert_eq!(label(status), started);
}

#[test]
fn commands_to_a_service_that_is_down_do_not_change_the_time() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down();
    let _runsv = service.supervise();
    let before = label(service.status());
    service.send(b"dp");
    assert_eq!(label(until_told(&service, "down, paused", [1, b'd', 0, 0])), before);
}

#[test]
fn the_nanoseconds_are_real() {
    if only_svbox("real nanoseconds") {
        return;
    }
    let rounded = |_| {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run_forever().down();
        let _runsv = service.supervise();
        service.status().nanoseconds() % 1000 == 500
    };
    // Real ones end like this once in a thousand times, all of them once in 10^12.
    assert!(!(0..4).all(rounded));
}

#[test]
fn an_update_is_a_new_file_and_the_old_one_stays_whole() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down();
    let _runsv = service.supervise();
    let before = ["stat", "status"].map(|name| inode(&service, name));
    let mut old = fs::File::open(service.join("supervise/status")).unwrap();
    service.send(b"p");
    until_told(&service, "down, paused", [1, b'd', 0, 0]);
    // The old file is still open, so its number cannot be used again.
    assert_ne!(inode(&service, "status"), before[1]);
    let mut bytes = Vec::new();
    old.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes[12..], [0, 0, 0, 0, 0, b'd', 0, 0]);
}

#[test]
fn nothing_but_the_six_files_is_left_after_many_updates() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    pour(&service, &b"pc".repeat(50));
    until_heard(&service);
    until_told(&service, "run", [0, b'u', 0, 1]);
    // The last update may still be under way.
    until("nothing but the six files", || {
        names(service.join("supervise")) == ["control", "lock", "ok", "pid", "stat", "status"]
    });
}

#[test]
fn a_reader_never_sees_less_than_a_whole_status() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    let pid = service.until_up();
    for _ in 0..20 {
        pour(&service, &b"pc".repeat(20));
        for _ in 0..200 {
            // Panics if it is short.
            assert_eq!(service.status().pid(), pid);
        }
    }
}

#[test]
fn the_pid_file_is_written_only_when_the_process_is_another() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    let _kept = fs::File::open(service.join("supervise/pid")).unwrap();
    let before = inode(&service, "pid");
    until_heard(&service);
    assert_eq!(inode(&service, "pid"), before);
}

#[test]
fn signals_that_change_nothing_update_nothing() {
    let sandbox = Sandbox::new();
    let traps = "trap 'echo >>got' HUP USR1 USR2 ALRM\necho >>ready\nwhile :; do sleep 0.01; done";
    let service = sandbox.service("plain").run(traps);
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.until_up();
    let files = ["stat", "status"].map(|name| fs::File::open(service.join("supervise").join(name)).unwrap());
    for (at, byte) in [b"h", b"1", b"2", b"a"].into_iter().enumerate() {
        service.send(byte);
        service.until_lines("got", at + 1);
    }
    let inodes = files.map(|file| file.metadata().unwrap().ino());
    assert_eq!(["stat", "status"].map(|name| inode(&service, name)), inodes);
}

#[test]
fn the_last_status_stays_when_runsv_has_left() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    let mut runsv = service.supervise();
    service.until_up();
    service.send(b"x");
    runsv.ended();
    assert_eq!(service.status().0[12..], [0, 0, 0, 0, 0, b'd', 0, 0]);
    assert_eq!(service.read("supervise/stat"), "down\n");
    assert_eq!(names(service.join("supervise")), ["control", "lock", "ok", "pid", "stat", "status"]);
}

#[test]
fn the_files_of_the_log_service_speak_of_it() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down().logged();
    let _runsv = service.supervise();
    let pid = until_log_up(&service);
    assert_eq!(service.log_status().0[12..16], pid.to_le_bytes());
    assert_eq!(service.log_status().0[16..], [0, b'u', 0, 1]);
    assert_eq!(service.read("log/supervise/stat"), "run\n");
    assert_eq!(service.read("log/supervise/pid"), format!("{pid}\n"));
    assert_eq!(service.status().0[12..], [0, 0, 0, 0, 0, b'd', 0, 0]);
    assert_eq!(service.read("supervise/pid"), "");
}

#[test]
fn a_log_service_told_to_go_down_says_so() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run_forever()
        .script("log/run", "trap '' TERM\necho >>ready\nexec sleep 1000000");
    let _runsv = service.supervise();
    service.until_lines("log/ready", 1);
    service.send_log(b"pd");
    until("its status", || service.log_status().0[16..] == [1, b'd', 1, 1]);
    assert_eq!(service.read("log/supervise/stat"), "run, paused, got TERM, want down\n");
    service.send_log(b"k");
    until("its end", || service.log_status().0[12..] == [0, 0, 0, 0, 1, b'd', 0, 0]);
    assert_eq!(service.read("log/supervise/stat"), "down, paused\n");
}
