//! Templates: `NAME@`, of which `NAME@ARGUMENT` is an instance.

use super::*;
use std::os::unix::fs::symlink;

/// A template in the sandbox whose programs write down what they are given, and then do this.
fn template<'s>(sandbox: &'s Sandbox, body: &str) -> Service<'s> {
    sandbox
        .service("tty@")
        .run(&format!("echo $# $1 >>ran-${{1%% *}}\n{body}"))
        .finish("echo $# $1 $2 $3 >>finished-$3")
}

fn instance<'s>(sandbox: &'s Sandbox, argument: &str) -> Service<'s> {
    sandbox.scan();
    symlink("../tty@", sandbox.join(format!("scan/tty@{argument}"))).unwrap();
    seen(sandbox, argument)
}

/// The state of one, for looking at it as a service.
fn seen<'s>(sandbox: &'s Sandbox, argument: &str) -> Service<'s> {
    Service { sandbox, name: format!("tty@/instances/{argument}") }
}

/// What `sv` says of instances, in the scan directory.
fn sv(sandbox: &Sandbox, args: &[&str]) -> std::process::Output {
    sandbox.command("sv").args(args).env("SVDIR", sandbox.join("scan")).output().unwrap()
}

fn until_pid(service: &Service<'_>) -> i32 {
    until_some("a process", || {
        let bytes = fs::read(service.join("supervise/status")).ok().filter(|bytes| bytes.len() == 20)?;
        Some(i32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]])).filter(|pid| *pid != 0)
    })
}

#[test]
fn each_link_to_it_is_a_service_of_its_own_with_its_argument() {
    if only_svbox("own files") {
        return;
    }
    for options in [&[] as &[&str], &["--in-process"]] {
        let sandbox = Sandbox::new();
        template(&sandbox, "exec sleep 1000000");
        let scan = sandbox.scan();
        let (one, two) = (instance(&sandbox, "one"), instance(&sandbox, "two words"));
        let mut runsvdir = scan.start(options, &[]);
        let pids = [until_pid(&one), until_pid(&two)];
        assert_ne!(pids[0], pids[1]);
        until("both to have run", || sandbox.lines("tty@/ran-one") + sandbox.lines("tty@/ran-two") == 2);
        assert_eq!(sandbox.read("tty@/ran-one"), "1 one\n");
        assert_eq!(
            fs::read_dir(sandbox.join("tty@"))
                .unwrap()
                .flatten()
                .filter(|entry| entry.file_name() == "supervise")
                .count(),
            0
        );
        // Each is told for itself.
        assert!(sv(&sandbox, &["-w", "60", "stop", "tty@one"]).status.success());
        assert_eq!(sandbox.read("tty@/finished-one"), "3 -1 15 one\n");
        assert_eq!(until_pid(&two), pids[1]);
        let status = sv(&sandbox, &["status", "tty@one", "tty@two words"]);
        let lines = String::from_utf8(status.stdout).unwrap();
        assert!(
            lines.starts_with("down: tty@one: ")
                && lines.contains(&format!("\nrun: tty@two words: (pid {}) ", pids[1])),
            "{lines}"
        );
        // Scans leave them as they are.
        scan.link(&sandbox.service("other").run_forever());
        sandbox.service("other").until_up();
        assert_eq!(until_pid(&two), pids[1]);
        // One goes, the other stays.
        scan.unlink("tty@two words");
        until("its end", || !two.is_supervised());
        assert!(one.is_supervised());
        runsvdir.signal(rustix::process::Signal::HUP);
        assert_eq!(runsvdir.ended().code(), Some(111));
    }
}

#[test]
fn a_template_itself_is_no_service() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    scan.link(&template(&sandbox, "exec sleep 1000000"));
    let other = sandbox.service("other").run_forever();
    scan.link(&other);
    let _runsvdir = scan.start(&[], &[]);
    other.until_up();
    assert!(!sandbox.join("tty@/supervise").exists());
}

#[test]
fn starting_one_that_is_not_there_makes_the_link() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    template(&sandbox, "exec sleep 1000000");
    let _runsvdir = sandbox.scan().start(&[], &[]);
    // There is no such template in the services directory.
    assert!(!sv(&sandbox, &["-w", "0", "start", "tty@new"]).status.success());
    sandbox.scan().link(&Service { sandbox: &sandbox, name: "tty@".into() });
    let started = sv(&sandbox, &["-w", "60", "start", "tty@new"]);
    assert!(String::from_utf8_lossy(&started.stdout).starts_with("ok: run: tty@new: (pid "), "{started:?}");
    assert_eq!(fs::read_link(sandbox.join("scan/tty@new")).unwrap().to_str(), Some("tty@"));
    // This would be a template.
    assert_eq!(sv(&sandbox, &["start", "tty@new@"]).status.code(), Some(1));
    assert!(fs::symlink_metadata(sandbox.join("scan/tty@new@")).is_err());
    until("it to have run", || sandbox.read("tty@/ran-new") == "1 new\n");
    // To look at one, or to stop it, does not make it.
    for command in ["status", "stop"] {
        assert!(!sv(&sandbox, &["-w", "0", command, "tty@other"]).status.success());
        assert!(fs::symlink_metadata(sandbox.join("scan/tty@other")).is_err());
    }
}

#[test]
fn all_programs_of_it_have_the_argument() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = template(&sandbox, "until test -e die; do sleep 0.01; done; rm die; exit 3")
        .file("check-interval", "10")
        .script("check", "echo $# $1 >>checked")
        .script("control/u", "echo $# :$1: $2 >>controlled")
        .script("notify", "echo $# $* >>notified")
        .script("log/run", "echo $# $1 >>../log-ran\nexec cat >/dev/null")
        .script("log/finish", "");
    instance(&sandbox, "a");
    let mut runsvdir = sandbox.scan().start(&[], &[]);
    service.until_lines("checked", 1);
    service.until_lines("log-ran", 1);
    sandbox.write("tty@/die", "");
    service.until_lines("notified", 1);
    service.until_lines("finished-a", 1);
    assert_eq!(service.read("checked").lines().next(), Some("1 a"));
    assert_eq!(service.read("controlled").lines().next(), Some("2 :: a"));
    assert_eq!(service.read("notified"), "5 died 3 0 1 a\n");
    assert_eq!(service.read("log-ran"), "1 a\n");
    assert_eq!(service.read("finished-a"), "3 3 0 a\n");
    assert!(sandbox.join("tty@/instances/a/log/supervise/status").exists());
    runsvdir.signal(rustix::process::Signal::HUP);
    runsvdir.ended();
}

#[test]
fn the_state_can_be_elsewhere_and_a_one_shot_is_one_for_each() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("tty@").script("setup", "echo $1 >>setups").file("kill-scope", "tree");
    symlink(sandbox.join("state"), service.join("instances")).unwrap();
    instance(&sandbox, "a");
    instance(&sandbox, "b");
    let mut runsvdir = sandbox.scan().start(&[], &[]);
    for argument in ["a", "b"] {
        let ready = sandbox.join(format!("state/{argument}/supervise/ready"));
        until("it is up", || ready.exists());
        let status = sv(&sandbox, &["check", &format!("tty@{argument}")]);
        assert!(status.status.success(), "{status:?}");
    }
    assert_eq!(service.lines("setups"), 2);
    runsvdir.signal(rustix::process::Signal::HUP);
    runsvdir.ended();
}

#[test]
fn a_link_that_only_looks_like_one_is_a_service() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let service = sandbox.service("plain").run("echo $# >>ran; exec sleep 1000000");
    let at = sandbox.service("mail@host").run("echo $# >>ran; exec sleep 1000000");
    symlink("../plain", sandbox.join("scan/tty@one")).unwrap();
    scan.link(&at);
    let _runsvdir = scan.start(&[], &[]);
    for service in [&service, &at] {
        service.until_up();
        service.until_lines("ran", 1);
        assert_eq!(service.read("ran"), "0\n");
    }
}

#[test]
fn arguments_are_told_apart_whatever_they_are() {
    if only_svbox("own files") {
        return;
    }
    // FNV-1a of 32 bits is the same for both.
    for options in [&[] as &[&str], &["--in-process"]] {
        let sandbox = Sandbox::new();
        template(&sandbox, "exec sleep 1000000");
        let scan = sandbox.scan();
        let (one, two) = (instance(&sandbox, "liquid"), instance(&sandbox, "costarring"));
        let mut runsvdir = scan.start(options, &[]);
        assert_ne!(until_pid(&one), until_pid(&two));
        runsvdir.signal(rustix::process::Signal::HUP);
        runsvdir.ended();
    }
}

#[test]
fn the_log_service_of_one_is_found_by_its_name_too() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let template = template(&sandbox, "exec sleep 1000000");
    let _template = template.script("log/run", "echo $# $1 >>ran; exec cat >/dev/null");
    let one = instance(&sandbox, "one");
    let mut runsvdir = sandbox.scan().start(&[], &[]);
    until_pid(&one);
    until("its log service", || one.join("log/supervise/status").exists() && one.log_status().pid() != 0);
    let log = one.log_status().pid();
    let path = sandbox.join("scan/tty@one/log/");
    for name in ["tty@one/log", path.to_str().unwrap()] {
        let output = sv(&sandbox, &["status", name]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with(&format!("run: {name}: (pid {log}) ")), "{said:?}");
    }
    assert!(sv(&sandbox, &["-w", "60", "restart", "tty@one/log"]).status.success());
    until("another process", || one.log_status().pid() != log);
    let svstat = sandbox.output("svstat", &["scan/tty@one/log"]);
    assert!(String::from_utf8_lossy(&svstat.stdout).starts_with("scan/tty@one/log: up (pid "), "{svstat:?}");
    runsvdir.signal(rustix::process::Signal::HUP);
    runsvdir.ended();
}
