//! A service directory that is replaced by another one of its name: the service goes on in that.

use super::*;
use rustix::process::Signal;

/// Puts the service directory `next` in the place of `old`, in one step, and has the scan directory looked through: what
/// links lead to is not watched.
pub fn replace(sandbox: &Sandbox, runsvdir: &Running, old: &str, next: &str) {
    let (old, next) = (sandbox.join(old), sandbox.join(next));
    rustix::fs::renameat_with(rustix::fs::CWD, next, rustix::fs::CWD, old, rustix::fs::RenameFlags::EXCHANGE)
        .unwrap();
    runsvdir.signal(Signal::ALARM);
}

const WAYS: [&[&str]; 2] = [&[], &["--in-process"]];

#[test]
fn the_daemon_is_not_touched_and_the_next_start_is_from_the_new_one() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        for linked in [true, false] {
            let sandbox = Sandbox::new();
            let scan = sandbox.scan();
            let path = if linked { "one" } else { "scan/one" };
            let service = sandbox.service(path).run("exec sleep 111111").logged();
            sandbox.service("next").run("exec sleep 222222").finish("echo >>finished").logged();
            if linked {
                scan.link(&service);
            }
            let mut runsvdir = scan.start(options, &[]);
            let pid = service.until_up();
            let logger = until_some("a logger", || Some(service.log_status().pid()).filter(|pid| *pid != 0));
            replace(&sandbox, &runsvdir, path, "next");
            until("a supervisor in the new one", || service.is_supervised());
            assert_eq!((service.status().pid(), service.status().term()), (pid, false));
            until("the log's supervisor", || service.join("log/supervise/status").exists());
            assert_eq!(service.log_status().pid(), logger);
            assert_eq!(sandbox.running("222222"), [0; 0]);
            // Commands, the finish script and the next start are the new one's.
            assert!(service.sv(&["-w", "60", "restart"]).status.success());
            service.until_lines("finished", 1);
            until("the new program", || !sandbox.running("sleep 222222").is_empty());
            assert!(sandbox.running("sleep 111111").is_empty());
            assert_eq!(times_said(&runsvdir, "service directory was replaced, going on in the new one"), 1);
            runsvdir.signal(Signal::HUP);
            runsvdir.ended();
            until("the end", || sandbox.processes().is_empty());
        }
    }
}

#[test]
fn a_supervisor_that_is_killed_then_is_followed_by_one_that_knows_the_daemon() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let service = sandbox.service("one").run("echo >>starts; exec sleep 1000000");
    sandbox.service("next").run("echo >>starts; exec sleep 1000000");
    scan.link(&service);
    let mut runsvdir = scan.start(&["--in-process"], &[]);
    let pid = service.until_up();
    service.until_lines("starts", 1);
    replace(&sandbox, &runsvdir, "one", "next");
    until("a supervisor in the new one", || service.is_supervised());
    runsvdir.signal(Signal::KILL);
    runsvdir.ended();
    let mut runsvdir = scan.start(&["--in-process"], &[]);
    until("a supervisor", || service.is_supervised());
    assert_eq!((service.status().pid(), service.lines("starts")), (pid, 0));
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
}

#[test]
fn one_that_somebody_else_supervises_is_left_to_that() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let service = sandbox.service("one").run("exec sleep 1000000");
    let next = sandbox.service("next").run("exec sleep 1000001");
    scan.link(&service);
    let runsvdir = scan.start(&[], &[]);
    let pid = service.until_up();
    until("the program", || sandbox.running("sleep 1000000") == [pid]);
    let _other = next.supervise();
    let other = next.until_up();
    replace(&sandbox, &runsvdir, "one", "next");
    until("that it is told", || {
        runsvdir.stderr().contains("runsv one: warning: unable to lock supervise/lock")
    });
    assert_eq!(sandbox.running("sleep 1000000"), [pid]);
    assert_eq!(service.status().pid(), other);
}

#[test]
fn what_shows_that_it_is_ready_is_shown_there_too() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        let sandbox = Sandbox::new();
        let scan = sandbox.scan();
        let run = "echo >&3; exec sleep 1000000";
        let service = sandbox.service("one").run(run).file("notification-fd", "3").logged();
        sandbox.service("next").run(run).file("notification-fd", "3").logged();
        scan.link(&service);
        let runsvdir = scan.start(options, &[]);
        until("that it is ready", || service.join("supervise/ready").exists());
        replace(&sandbox, &runsvdir, "one", "next");
        // The logger comes last.
        let is_there = || service.join("log/supervise/ok").exists();
        until("the same there", || service.is_supervised() && is_there());
        assert!(service.sv(&["-w", "60", "check"]).status.success());
        assert!(service.join("supervise/ready").exists());
    }
}

#[test]
fn the_files_of_the_new_one_are_not_about_its_logger() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        let sandbox = Sandbox::new();
        let scan = sandbox.scan();
        let service = sandbox.service("one").run_forever().file("restart", "never").logged();
        sandbox.service("next").run_forever().file("restart", "never").logged();
        scan.link(&service);
        let runsvdir = scan.start(options, &[]);
        service.until_up();
        let logger = until_some("a logger", || Some(service.log_status().pid()).filter(|pid| *pid != 0));
        replace(&sandbox, &runsvdir, "one", "next");
        until("the log's supervisor", || service.join("log/supervise/ok").exists());
        kill(logger, Signal::KILL);
        until("another one", || ![0, logger].contains(&service.log_status().pid()));
    }
}

#[test]
fn a_directory_that_has_another_name_is_not_mistaken_for_one_that_was_replaced() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        let sandbox = Sandbox::new();
        let scan = sandbox.scan();
        // In one of these orders the new one is seen before the old one.
        let old: Vec<_> =
            (0..8).map(|number| sandbox.service(&format!("scan/s{number}")).run_forever()).collect();
        (0..8).for_each(|number| _ = sandbox.service(&format!("next{number}")).run_forever());
        let mut runsvdir = scan.start(options, &[]);
        let pids: Vec<_> = old.iter().map(Service::until_up).collect();
        runsvdir.signal(Signal::STOP);
        for (number, old) in old.iter().enumerate() {
            fs::rename(old.join(""), sandbox.join(format!("scan/t{number}"))).unwrap();
            fs::rename(sandbox.join(format!("next{number}")), old.join("")).unwrap();
        }
        runsvdir.signal(Signal::CONT);
        for (number, pid) in pids.iter().enumerate() {
            assert_ne!(old[number].until_up(), *pid);
            let renamed = Service { sandbox: &sandbox, name: format!("scan/t{number}") };
            assert_eq!((renamed.status().pid(), renamed.status().term()), (*pid, false));
        }
        runsvdir.signal(Signal::HUP);
        runsvdir.ended();
        until("the end", || sandbox.processes().is_empty());
    }
}

#[test]
fn a_state_that_is_elsewhere_stays_where_it_is() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        let sandbox = Sandbox::new();
        let scan = sandbox.scan();
        let service = sandbox.service("one").run("exec sleep 111111");
        let next = sandbox.service("next").run("exec sleep 222222");
        for service in [&service, &next] {
            std::os::unix::fs::symlink(sandbox.join("state"), service.join("supervise")).unwrap();
        }
        scan.link(&service);
        let mut runsvdir = scan.start(options, &[]);
        let pid = service.until_up();
        replace(&sandbox, &runsvdir, "one", "next");
        let said = "service directory was replaced, going on in the new one";
        until("that it goes on", || times_said(&runsvdir, said) == 1);
        assert_eq!((service.status().pid(), runsvdir.stderr().lines().count()), (pid, 1));
        assert!(service.sv(&["-w", "60", "restart"]).status.success());
        until("the new program", || !sandbox.running("sleep 222222").is_empty());
        runsvdir.signal(Signal::HUP);
        runsvdir.ended();
    }
}

#[test]
fn a_logger_that_is_not_there_any_more_is_let_go() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let service = sandbox.service("one").run("echo >>starts; exec sleep 1000000").logged();
    sandbox.service("next").run("echo >>starts; exec sleep 1000000");
    scan.link(&service);
    let mut runsvdir = scan.start(&[], &[]);
    service.until_up();
    let logger = until_some("a logger", || Some(service.log_status().pid()).filter(|pid| *pid != 0));
    replace(&sandbox, &runsvdir, "one", "next");
    until("a supervisor in the new one", || service.is_supervised());
    assert!(sandbox.processes().contains(&logger));
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    service.until_lines("starts", 1);
    until("the end of the logger", || !sandbox.processes().contains(&logger));
    // And one that is made later is found.
    let service = service.logged();
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    until("the new logger", || {
        service.join("log/supervise/status").exists() && service.log_status().pid() != 0
    });
    runsvdir.signal(Signal::HUP);
    runsvdir.ended();
    assert!(!runsvdir.stderr().contains("unable"), "{}", runsvdir.stderr());
}

#[test]
fn a_supervisor_from_another_scan_directory_does_not_look_there() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        let sandbox = Sandbox::new();
        let service = sandbox.service("sv/web").run("exec sleep 111111");
        sandbox.service("sv/next").run("exec sleep 222222");
        let other = sandbox.service("sv/other").run("exec sleep 333333");
        for scan in ["a", "b"] {
            fs::create_dir(sandbox.join(scan)).unwrap();
            std::os::unix::fs::symlink("../sv/web", sandbox.join(scan).join("web")).unwrap();
        }
        std::os::unix::fs::symlink("a", sandbox.join("scan")).unwrap();
        let mut command = sandbox.command("runsvdir");
        command.args(options).arg("scan");
        let mut runsvdir = sandbox.start(command);
        let pid = service.until_up();
        // The same services by another directory, and then the first one gets others.
        std::os::unix::fs::symlink("b", sandbox.join("new")).unwrap();
        fs::rename(sandbox.join("new"), sandbox.join("scan")).unwrap();
        runsvdir.signal(Signal::ALARM);
        until("a look at it", || sandbox.join("b/.forced-rescan").exists());
        fs::remove_file(sandbox.join("a/web")).unwrap();
        std::os::unix::fs::symlink("../sv/other", sandbox.join("a/web")).unwrap();
        assert_eq!(service.until_up(), pid);
        replace(&sandbox, &runsvdir, "sv/web", "sv/next");
        until("a supervisor in the new one", || service.is_supervised());
        assert!(!other.join("supervise").exists());
        if options.is_empty() {
            // Its supervisor would not find it: it ends, and another one starts.
            until("the new program", || !sandbox.running("sleep 222222").is_empty());
        }
        runsvdir.signal(Signal::HUP);
        runsvdir.ended();
    }
}

#[test]
fn in_another_scan_directory_the_same_name_is_another_service() {
    if only_svbox("own files") {
        return;
    }
    for options in WAYS {
        let sandbox = Sandbox::new();
        let old = sandbox.service("a/web").run("exec sleep 111111");
        let new = sandbox.service("b/web").run("exec sleep 222222");
        std::os::unix::fs::symlink("a", sandbox.join("scan")).unwrap();
        let mut command = sandbox.command("runsvdir");
        command.args(options).arg("scan");
        let mut runsvdir = sandbox.start(command);
        old.until_up();
        std::os::unix::fs::symlink("b", sandbox.join("new")).unwrap();
        fs::rename(sandbox.join("new"), sandbox.join("scan")).unwrap();
        new.until_up();
        until("the end of the old one", || !old.is_supervised() && sandbox.running("111111").is_empty());
        runsvdir.signal(Signal::HUP);
        runsvdir.ended();
    }
}
