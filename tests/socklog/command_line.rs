//! Options, words, and what is wrong with them.

use super::*;

const USAGE: &str = "usage: ./socklog [-rRU] [unix|inet|ucspi] [args]\n\n";

/// The exit code, and what is said, of a socklog that is called by a path.
fn run(args: &[&str]) -> (Option<i32>, String) {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink(program("socklog"), sandbox.join("socklog")).unwrap();
    let mut command = Command::new("./socklog");
    command.current_dir(sandbox.path()).args(args).env_remove("UID").env_remove("GID");
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.stdout, b"");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_wrong_command_line_is_answered_with_the_usage() {
    let rows = [
        ("foo", ""),
        ("./log", ""),
        ("u", ""),
        ("uz", ""),
        ("unix a b", ""),
        ("inet 127.0.0.1 1025 x", ""),
        ("-x", "socklog: illegal option -- x\n"),
    ];
    for (args, before) in rows {
        let args: Vec<_> = args.split(' ').collect();
        assert_eq!(run(&args), (Some(1), format!("{before}{USAGE}")), "{args:?}");
    }
}

#[test]
fn a_wrong_length_is_too() {
    if only_svbox("long options") {
        return;
    }
    for args in [
        &["--length", "0"][..],
        &["--length=x"],
        &["--length=1048577"],
        &["klog", "a", "b"],
        &["inet6", "::", "1", "x"],
    ] {
        assert_eq!(run(args), (Some(1), USAGE.to_owned()), "{args:?}");
    }
}

#[test]
fn the_version_comes_with_the_usage() {
    let (code, said) = run(&["-V"]);
    assert_eq!(code, Some(1));
    assert!(said.ends_with(USAGE), "{said}");
    let own = concat!("svbox socklog ", env!("CARGO_PKG_VERSION"), "\n");
    assert!(against_runit() || said.starts_with(own), "{said}");
}

#[test]
fn the_first_letters_of_the_word_count() {
    for word in ["un", "unix", "unixx"] {
        let sandbox = Sandbox::new();
        let socklog = Live::start(&sandbox, &[word, "log"]);
        socklog.send(&[b"x"]);
        socklog.until_written("x\n");
    }
}

#[test]
fn ports_and_addresses_are_looked_at() {
    let rows = [("inet 127.0.0.1 x", "bad port number: x"), ("inet 127.0.0.1 -1", "bad port number: -1")];
    for (args, error) in rows {
        let args: Vec<_> = args.split(' ').collect();
        assert_eq!(run(&args), (Some(111), format!("socklog: fatal: {error}\n")), "{args:?}");
    }
    assert_eq!(run(&["inet", "0", ""]), (Some(111), "socklog: fatal: bad port number: \n".to_owned()));
}

#[test]
fn only_whole_numbers_are_ports_and_only_whole_addresses_addresses() {
    if only_svbox("numbers") {
        return;
    }
    let rows = [
        ("inet 0 514x", "bad port number: 514x"),
        ("inet 0 65536", "bad port number: 65536"),
        ("inet 1.2.3 5514", "inet_aton(): invalid argument"),
        ("inet 1.2.3.4.5 5514", "inet_aton(): invalid argument"),
        ("inet ::1 5514", "inet_aton(): invalid argument"),
        ("inet6 1.2.3.4 5514", "inet_pton(): invalid argument"),
        ("inet6 ::x 5514", "inet_pton(): invalid argument"),
    ];
    for (args, error) in rows {
        let args: Vec<_> = args.split(' ').collect();
        assert_eq!(run(&args), (Some(111), format!("socklog: fatal: {error}\n")), "{args:?}");
    }
}
