//! The socket: where it is, whose, and what was there before.

use super::*;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

/// What a socklog says that does not begin to listen.
fn refused(sandbox: &Sandbox, args: &[&str]) -> (Option<i32>, String) {
    let mut running = sandbox.start(socklog(sandbox, args));
    (running.ended().code(), running.stderr())
}

fn mode(sandbox: &Sandbox) -> u32 {
    fs::metadata(sandbox.join("log")).unwrap().permissions().mode() & 0o777
}

/// It listens where `umask` is 027.
fn with_umask<'s>(sandbox: &'s Sandbox, args: &str) -> Live<'s> {
    let mut command = sandbox.command("sh");
    command.args(["-c", &format!("umask 027; exec socklog {args}")]).envs(IDS);
    if !rustix::process::geteuid().is_root() {
        command.env_remove("UID").env_remove("GID");
    }
    Live::run(sandbox, command)
}

#[test]
fn everybody_can_send_unless_the_umask_is_kept() {
    let sandbox = Sandbox::new();
    with_umask(&sandbox, "unix log").end();
    assert_eq!(mode(&sandbox), 0o777);
    with_umask(&sandbox, "-U unix log").end();
    assert_eq!(mode(&sandbox), 0o750);
}

#[test]
fn it_says_where_it_listens() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("socklog");
    command.args(["unix", "./log"]).env_remove("UID").env_remove("GID");
    let socklog = Live::run(&sandbox, command);
    let said = socklog.running.stderr();
    assert_eq!(said.lines().last(), Some("listening on ./log, starting."));
}

#[test]
fn the_socket_stays_and_the_next_one_takes_its_place() {
    let sandbox = Sandbox::new();
    for text in ["one", "two"] {
        let socklog = Live::start(&sandbox, &["unix", "log"]);
        socklog.send(&[text.as_bytes()]);
        socklog.until_written(&format!("{text}\n"));
        socklog.end();
        assert!(fs::metadata(sandbox.join("log")).unwrap().file_type().is_socket());
        assert!(!sandbox.join("log.new").exists());
        let socket = UnixDatagram::unbound().unwrap();
        let refused = socket.send_to(b"x", sandbox.join("log")).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}

#[test]
fn there_is_a_socket_at_all_times() {
    if only_svbox("one rename") {
        return;
    }
    let sandbox = Sandbox::new();
    drop(UnixDatagram::bind(sandbox.join("log")).unwrap());
    let first = fs::metadata(sandbox.join("log")).unwrap().ino();
    // What it does with the path is all that can be seen of that.
    let mut strace = sandbox.command("strace");
    strace.args(["-D", "-o", "trace", "-e", "trace=/.*(unlink|rename|bind).*"]);
    strace.args(["socklog", "unix", "log"]).env_remove("UID").env_remove("GID");
    let socklog = Live::run(&sandbox, strace);
    assert_ne!(fs::metadata(sandbox.join("log")).unwrap().ino(), first);
    socklog.send(&[b"x"]);
    socklog.until_written("x\n");
    socklog.end();
    until("the whole trace", || sandbox.read("trace").contains("+++ exited"));
    let trace = sandbox.read("trace");
    assert!(trace.lines().any(|line| line.starts_with("rename") && line.contains("\"log\"")), "{trace}");
    assert!(!trace.lines().any(|line| line.starts_with("unlink") && line.contains("\"log\"")), "{trace}");
}

#[test]
fn nothing_but_a_socket_is_taken_away() {
    if only_svbox("only sockets") {
        return;
    }
    let in_use = (Some(111), "socklog: fatal: bind(): address already used\n".to_owned());
    for name in ["log", "log.new"] {
        let sandbox = Sandbox::new();
        sandbox.write(name, "precious");
        assert_eq!(refused(&sandbox, &["unix", "log"]), in_use, "{name}");
        assert_eq!(sandbox.read(name), "precious");
        fs::remove_file(sandbox.join(name)).unwrap();
        fs::create_dir(sandbox.join(name)).unwrap();
        assert_eq!(refused(&sandbox, &["unix", "log"]), in_use, "{name}");
        fs::remove_dir(sandbox.join(name)).unwrap();
        symlink("nowhere", sandbox.join(name)).unwrap();
        assert_eq!(refused(&sandbox, &["unix", "log"]), in_use, "{name}");
        assert!(fs::symlink_metadata(sandbox.join(name)).unwrap().is_symlink());
    }
}

#[test]
fn what_a_killed_one_has_left_is_no_trouble() {
    let sandbox = Sandbox::new();
    for name in ["log", "log.new"] {
        drop(UnixDatagram::bind(sandbox.join(name)).unwrap());
    }
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    socklog.send(&[b"x"]);
    socklog.until_written("x\n");
}

#[test]
fn a_directory_that_is_missing_is_an_error() {
    let sandbox = Sandbox::new();
    let error = "socklog: fatal: bind(): file does not exist\n".to_owned();
    assert_eq!(refused(&sandbox, &["unix", "missing/log"]), (Some(111), error));
}

#[test]
fn a_path_can_be_as_long_as_sockets_have_it() {
    if only_svbox("long path") {
        return;
    }
    let sandbox = Sandbox::new();
    for len in [103, 104, 107] {
        let path = "x".repeat(len);
        // There is an old one too.
        for _ in 0..2 {
            let socklog = Live::start(&sandbox, &["unix", &path]);
            let socket = UnixDatagram::unbound().unwrap();
            let short = sandbox.join("short");
            let _ = fs::remove_file(&short);
            symlink(&path, &short).unwrap();
            socket.send_to(b"x", short).unwrap();
            socklog.until_written("x\n");
            socklog.end();
        }
    }
    let path = "x".repeat(108);
    let error = format!("socklog: fatal: {path}: name too long\n");
    assert_eq!(refused(&sandbox, &["unix", &path]), (Some(111), error));
}
