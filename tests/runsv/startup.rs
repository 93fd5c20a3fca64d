//! The command line, and what runsv finds in the service directory before it starts anything.

use super::*;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;

#[track_caller]
fn assert_usage(output: &Output, argv0: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), format!("usage: {argv0} dir\n\n"));
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}

#[test]
fn without_an_argument_runsv_shows_its_usage_with_the_path_it_was_called_by() {
    let sandbox = Sandbox::new();
    let path = program("runsv");
    assert_usage(&sandbox.output("runsv", &[]), path.to_str().unwrap());
}

#[test]
fn with_two_arguments_runsv_shows_its_usage_and_touches_neither() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let output = sandbox.command("runsv").arg0("../x/runsv").args(["one", "two"]).output().unwrap();
    assert_usage(&output, "../x/runsv");
    assert_eq!((names(one.join("")), names(two.join(""))), (vec!["run".into()], vec!["run".into()]));
}

#[test]
fn what_looks_like_options_is_counted_as_arguments() {
    let sandbox = Sandbox::new();
    sandbox.service("one").run_forever();
    for args in [&["-h", "one"], &["--", "one"], &["one", ""]] {
        assert_usage(&sandbox.command("runsv").arg0("runsv").args(args).output().unwrap(), "runsv");
    }
}

#[test]
fn a_directory_whose_name_looks_like_an_option_is_a_directory() {
    for name in ["-h", "-V", "--", "-"] {
        let sandbox = Sandbox::new();
        let service = sandbox.service(name).run_forever();
        let _runsv = service.supervise();
        service.until_up();
    }
}

#[test]
fn an_option_is_a_directory_that_does_not_exist() {
    let sandbox = Sandbox::new();
    for name in ["-h", "-V", "--", "-x", "-"] {
        let output = sandbox.output("runsv", &[name]);
        let text = format!("runsv {name}: fatal: unable to change to directory: file does not exist\n");
        assert_eq!(
            (String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()),
            (&*text, Some(111))
        );
    }
}

/// Checks that a directory of this name cannot be entered, and that the name is repeated byte for byte.
#[track_caller]
fn assert_cannot_enter(sandbox: &Sandbox, dir: &OsStr, reason: &str) {
    let output = sandbox.command("runsv").arg(dir).output().unwrap();
    let mut expected = b"runsv ".to_vec();
    expected.extend_from_slice(dir.as_bytes());
    expected.extend_from_slice(format!(": fatal: unable to change to directory: {reason}\n").as_bytes());
    assert!(output.stderr == expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(111));
}

#[test]
fn a_directory_that_is_missing_is_fatal() {
    let sandbox = Sandbox::new();
    assert_cannot_enter(&sandbox, OsStr::new("no/such"), "file does not exist");
}

#[test]
fn an_empty_argument_is_a_missing_directory() {
    let sandbox = Sandbox::new();
    assert_cannot_enter(&sandbox, OsStr::new(""), "file does not exist");
}

#[test]
fn a_file_instead_of_a_directory_is_fatal() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    assert_cannot_enter(&sandbox, OsStr::new("file"), "not a directory");
}

#[test]
fn a_loop_of_links_instead_of_a_directory_is_fatal() {
    let sandbox = Sandbox::new();
    symlink("loop", sandbox.join("loop")).unwrap();
    assert_cannot_enter(&sandbox, OsStr::new("loop"), "symbolic link loop");
}

#[test]
fn an_argument_that_is_not_utf_8_is_repeated_as_it_is() {
    let sandbox = Sandbox::new();
    assert_cannot_enter(&sandbox, OsStr::from_bytes(b"\xff\x80\n\t\x1b[31m\xc3"), "file does not exist");
}

#[test]
fn an_argument_as_long_as_the_kernel_takes_is_repeated_whole() {
    let sandbox = Sandbox::new();
    let long = OsString::from_vec(vec![b'x'; 128 * 1024 - 1]);
    assert_cannot_enter(&sandbox, &long, "file name too long");
}

#[test]
fn a_directory_name_that_is_not_utf_8_can_be_supervised() {
    let sandbox = Sandbox::new();
    let name = OsStr::from_bytes(b"\xff\xfe name");
    sandbox.script(Path::new(name).join("run"), "echo >up\nexec sleep 1000000");
    let mut command = sandbox.command("runsv");
    command.arg(name);
    let _runsv = sandbox.start(command);
    until("its start", || sandbox.join(name).join("up").exists());
}

#[test]
fn a_directory_without_permission_is_fatal() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("closed");
    fs::set_permissions(service.join(""), fs::Permissions::from_mode(0o000)).unwrap();
    let mut runsv = start_obeying_modes(&service);
    assert_eq!(runsv.ended().code(), Some(111));
    assert_eq!(runsv.stderr(), "runsv closed: fatal: unable to change to directory: access denied\n");
    fs::set_permissions(service.join(""), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn the_current_directory_can_be_supervised() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("here").run_forever();
    let mut command = sandbox.command("runsv");
    command.arg(".").current_dir(service.join(""));
    let _runsv = sandbox.start(command);
    until("a supervisor", || service.is_supervised());
    service.until_up();
}

#[test]
fn messages_name_the_directory_as_given() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").file("supervise", "");
    let path = format!("{}/plain/.//", sandbox.path().display());
    let output = sandbox.output("runsv", &[&path]);
    let text = format!("runsv {path}: fatal: unable to open supervise/lock: not a directory\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), text);
    assert_eq!(names(service.join("")), ["supervise"]);
}

#[test]
fn nothing_is_started_when_runsv_fails() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo >ran").script("log/run", "echo >../ran");
    fs::create_dir_all(service.join("supervise")).unwrap();
    symlink("nowhere", service.join("supervise/ok")).unwrap();
    service.fails();
    assert!(sandbox.processes().is_empty());
    assert!(!service.join("ran").exists());
}

#[test]
fn a_status_is_there_as_soon_as_ok_has_a_reader() {
    for _ in 0..20 {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run_forever().logged();
        let _runsv = service.start();
        let end = std::time::Instant::now() + DEADLINE;
        while !service.is_supervised() {
            assert!(std::time::Instant::now() < end, "no supervisor");
        }
        // These panic when there is no status of 20 bytes.
        service.status();
        service.log_status();
    }
}

#[test]
fn a_log_that_is_not_a_directory_is_warned_of_and_done_without() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("log", "");
    let runsv = service.supervise();
    let pid = service.until_up();
    assert_eq!(runsv.stderr(), "runsv plain: warning: ./log: not a directory.\n");
    assert_eq!(descriptor(pid, 1), descriptor(runsv.pid(), 1));
}

#[test]
fn a_log_that_cannot_be_looked_at_is_warned_of_and_done_without() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink("log", service.join("log")).unwrap();
    let runsv = service.supervise();
    service.until_up();
    assert_eq!(runsv.stderr(), "runsv plain: warning: unable to stat() ./log: : symbolic link loop\n");
}

#[test]
fn a_log_that_is_a_dangling_link_is_no_log() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink("nowhere", service.join("log")).unwrap();
    let runsv = service.supervise();
    service.until_up();
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn a_log_that_is_a_link_to_a_directory_is_used() {
    let sandbox = Sandbox::new();
    sandbox.script("logger/run", "exec cat >>got");
    let service = sandbox.service("plain").run("echo hello\nexec sleep 1000000");
    symlink("../logger", service.join("log")).unwrap();
    let _runsv = service.supervise();
    until("its line", || sandbox.read("logger/got") == "hello\n");
    assert!(sandbox.join("logger/supervise/status").exists());
}

#[test]
fn a_service_with_a_down_file_is_not_started() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).down();
    let _runsv = service.supervise();
    until_told(&service, "down", [0, b'd', 0, 0]);
    until_heard(&service);
    assert_eq!(service.lines("starts"), 0);
    service.send(b"u");
    service.until_up();
}

#[test]
fn anything_called_down_keeps_a_service_down() {
    type Make = fn(&Path);
    let kinds: [Make; 3] = [
        |down| fs::create_dir(down).unwrap(),
        |down| symlink("run", down).unwrap(),
        |down| {
            fs::write(down, "").unwrap();
            fs::set_permissions(down, fs::Permissions::from_mode(0o000)).unwrap();
        },
    ];
    for make in kinds {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run_forever();
        make(&service.join("down"));
        let _runsv = service.supervise();
        assert_eq!(service.status().want(), 'd');
    }
}

#[test]
fn a_down_that_is_a_dangling_link_does_not_count() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever();
    symlink("nowhere", service.join("down")).unwrap();
    let _runsv = service.supervise();
    service.until_up();
}

#[test]
fn a_down_file_made_later_does_not_count() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox);
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    fs::write(service.join("down"), "").unwrap();
    service.send(b"t");
    service.until_up_again(pid);
}

#[test]
fn the_log_service_is_started_before_the_main_one() {
    let sandbox = Sandbox::new();
    let wait = "while test ! -e log/started; do sleep 0.01; done";
    let service = sandbox
        .service("plain")
        .run_forever()
        .script("control/u", wait)
        .script("log/run", "echo >started\nexec cat >/dev/null");
    let _runsv = service.supervise();
    service.until_up();
}

#[test]
fn a_read_only_directory_with_a_link_out_of_it_can_be_supervised() {
    let sandbox = Sandbox::new();
    let Some(mount) = sandbox.tmpfs("ro", "size=1m") else { return };
    let service = sandbox.service("ro/plain").run_forever();
    symlink(sandbox.join("elsewhere"), service.join("supervise")).unwrap();
    mount.read_only();
    let runsv = service.supervise();
    service.until_up();
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn a_read_only_directory_without_supervise_is_fatal() {
    let sandbox = Sandbox::new();
    let Some(mount) = sandbox.tmpfs("ro", "size=1m") else { return };
    let service = sandbox.service("ro/plain").run_forever();
    mount.read_only();
    assert_fatal(&service, "unable to open supervise/lock: file does not exist");
}

#[test]
fn a_read_only_supervise_is_fatal() {
    let sandbox = Sandbox::new();
    let Some(mount) = sandbox.tmpfs("ro", "size=1m") else { return };
    let service = sandbox.service("ro/plain").run_forever().file("supervise/lock", "");
    mount.read_only();
    assert_fatal(&service, "unable to open supervise/lock: read-only file system");
}

#[test]
fn a_term_during_start_up_leaves_nothing_behind() {
    for _ in 0..20 {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run_forever().logged();
        let mut runsv = service.start();
        runsv.signal(rustix::process::Signal::TERM);
        let status = runsv.ended();
        // Before the handler is there the signal is simply deadly.
        let killed = std::os::unix::process::ExitStatusExt::signal(&status) == Some(15);
        assert!(killed || status.code() == Some(0), "{status}");
        assert_eq!(sandbox.processes(), []);
    }
}

#[test]
fn too_few_descriptors_are_fatal_and_told_of() {
    // With fewer a program that is linked dynamically does not even begin.
    for limit in 4..14 {
        let sandbox = Sandbox::new();
        let service = sandbox.service("plain").run_forever().down().logged();
        let mut runsv = start_behind(&service, &format!("ulimit -n {limit}"), "");
        until("an end or a start", || !runsv.lives() || service.is_supervised());
        if runsv.lives() {
            continue;
        }
        // Warnings may come before.
        let said = runsv.stderr();
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(runsv.ended().code(), Some(111), "{limit}: {said}");
        assert!(last.starts_with("runsv plain: fatal: unable to "), "{limit}: {said}");
        assert!(last.ends_with(": process cannot open more files"), "{limit}: {said}");
    }
}
