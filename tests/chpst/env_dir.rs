//! -e: the environment from a directory.

use super::*;
use rustix::fs::{CWD, Mode, mkfifoat};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

/// The whole environment of a program, by bytes, without what the sandbox needs.
#[track_caller]
fn environment(sandbox: &Sandbox, args: &[&str]) -> Vec<String> {
    let mut command = sandbox.command("chpst");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("OLD", "old").env("KEEP", "keep");
    let output = command.args(args).args(["env", "-0"]).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.escape_ascii().to_string()), (Some(0), String::new()));
    let mut all: Vec<_> =
        output.stdout.split(|byte| *byte == 0).map(|entry| entry.escape_ascii().to_string()).collect();
    all.sort();
    all.retain(|entry| !["", "KEEP=keep", "PATH=/usr/bin:/bin"].contains(&entry.as_str()));
    all
}

#[test]
fn a_variable_is_the_first_line_without_blanks_at_its_end() {
    let rows: &[(&[u8], &[u8])] = &[
        (b"v1", b"v1"),
        (b"v1\n", b"v1"),
        (b"v1\nsecond\n", b"v1"),
        (b"trail \t \n", b"trail"),
        (b"trail \t ", b"trail"),
        (b" lead", b" lead"),
        (b"in the  middle", b"in the  middle"),
        (b"   ", b""),
        (b"\nx", b""),
        (b"\n", b""),
        (b" \t\n", b""),
        (b"cr\r\n", b"cr\r"),
        (b"trail\x0b\x0c \r \n", b"trail\x0b\x0c \r"),
        (b"a\0b\0c", b"a\nb\nc"),
        (b"a\0b\nc\0d", b"a\nb"),
        (b"\0", b"\n"),
        (b"\0\0", b"\n\n"),
        // A NUL is no blank, and what becomes of it isn't either.
        (b"a \0", b"a \n"),
        (b"a\0 \t\nq", b"a\n"),
        (b"x=y", b"x=y"),
        (b"\xff\xfe", b"\xff\xfe"),
        (b"\xc2\xa0", b"\xc2\xa0"),
    ];
    for (content, expected) in rows {
        let sandbox = Sandbox::new();
        sandbox.write("env/A", content);
        let expected = [b"A=", *expected].concat().escape_ascii().to_string();
        assert_eq!(
            environment(&sandbox, &["-e", "env"]),
            [expected, "OLD=old".into()],
            "{}",
            content.escape_ascii()
        );
    }
}

#[test]
fn an_empty_file_removes_the_variable() {
    let sandbox = Sandbox::new();
    sandbox.write("env/OLD", "");
    sandbox.write("env/NEVER", "");
    assert_eq!(environment(&sandbox, &["-e", "env"]), Vec::<String>::new());
}

#[test]
fn a_file_takes_the_place_of_a_variable() {
    let sandbox = Sandbox::new();
    sandbox.write("env/OLD", "new");
    sandbox.write("env/OLDER", "x");
    sandbox.write("env/OL", "y");
    assert_eq!(environment(&sandbox, &["-e", "env"]), ["OL=y", "OLD=new", "OLDER=x"]);
}

#[test]
fn an_empty_directory_changes_nothing() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    assert_eq!(environment(&sandbox, &["-e", "env"]), ["OLD=old"]);
}

#[test]
fn names_that_begin_with_a_dot_are_passed_over() {
    let sandbox = Sandbox::new();
    sandbox.write("env/.A", "a");
    sandbox.write("env/..B", "b");
    sandbox.write("env/C.", "c");
    sandbox.write("env/.dir/D", "d");
    assert_eq!(environment(&sandbox, &["-v", "-e", "env"]), ["C.=c", "OLD=old"]);
}

#[test]
fn names_are_any_bytes_but_an_equals_sign() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    for name in [b"a b".as_slice(), b"\xff\xfe", b"new\nline", b"-x", b"1"] {
        fs::write(sandbox.join("env").join(OsStr::from_bytes(name)), "v").unwrap();
    }
    let expected = ["-x=v", "1=v", "OLD=old", "\\xff\\xfe=v", "a b=v", "new\\nline=v"];
    assert_eq!(environment(&sandbox, &["-e", "env"]), expected);
}

#[test]
fn a_name_with_an_equals_sign_is_refused() {
    if only_svbox("equals sign") {
        return;
    }
    for name in ["A=B", "=A", "A="] {
        let sandbox = Sandbox::new();
        sandbox.write(format!("env/{name}"), "x");
        for call in [&["chpst", "-e", "env", "echo", "ran"][..], &["envdir", "env", "echo", "ran"]] {
            let (code, stdout, stderr) = run(&sandbox, call[0], &call[1..]);
            assert_eq!((code, stdout.as_str()), (Some(111), ""), "{call:?}");
            assert!(stderr.starts_with("chpst: fatal: ") && stderr.contains(name), "{stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
        }
    }
}

#[test]
fn a_file_may_be_of_any_size() {
    let sandbox = Sandbox::new();
    sandbox.write("env/SHORT", ["short \n".into(), "x".repeat(1_000_000)].concat());
    sandbox.write("env/LONG", "y".repeat(100_000));
    sandbox.write("env/BLANK", ["z".into(), " ".repeat(1_000_000), "\n".into()].concat());
    sandbox.write("env/LINES", ["\n".to_owned(), "a\n".repeat(500_000)].concat());
    let show = "echo ${#SHORT} ${#LONG} ${#BLANK} ${#LINES},${LINES-unset}";
    assert_eq!(chpst(&sandbox, &["-e", "env", "sh", "-c", show]), success("5 100000 1 0,\n"));
}

#[test]
fn a_megabyte_of_nul_is_a_megabyte_of_newlines() {
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "\0".repeat(1_000_000));
    // More than the kernel lets a variable have.
    assert_eq!(chpst(&sandbox, &["-e", "env", "true"]), fatal("unable to run: true: argument list too long"));
    sandbox.write("env/A", "\0".repeat(100_000));
    assert_eq!(chpst(&sandbox, &["-e", "env", "sh", "-c", "echo ${#A}"]), success("100000\n"));
}

#[test]
fn there_may_be_a_thousand_files() {
    let sandbox = Sandbox::new();
    for number in 0..1000 {
        sandbox.write(format!("env/V{number}"), number.to_string());
    }
    let expected: Vec<_> = (0..1000).map(|number| format!("V{number}={number}")).collect();
    let mut shown = environment(&sandbox, &["-e", "env"]);
    shown.retain(|entry| entry != "OLD=old");
    shown.sort_by_key(|entry| entry[1..].split('=').next().unwrap().parse::<u32>().unwrap());
    assert_eq!(shown, expected);
}

#[test]
fn directories_in_it_are_passed_over_and_told_of_if_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "a");
    sandbox.write("env/sub/B", "b");
    let show = ["sh", "-c", "echo $A $B"];
    assert_eq!(chpst(&sandbox, &[&["-e", "env"], &show[..]].concat()), success("a\n"));
    for (dir, warned) in [("env", "env/sub"), ("env/", "env//sub"), ("./env", "./env/sub")] {
        let warning = format!("chpst: warning: unable to read {warned}: is a directory\n");
        let expected = (Some(0), "a\n".into(), warning);
        assert_eq!(chpst(&sandbox, &[&["-v", "-e", dir], &show[..]].concat()), expected);
    }
}

#[test]
fn a_link_to_a_directory_is_a_directory() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    symlink("/", sandbox.join("env/sub")).unwrap();
    let warning = "chpst: warning: unable to read env/sub: is a directory\n";
    assert_eq!(chpst(&sandbox, &["-ve", "env", "true"]), (Some(0), String::new(), warning.into()));
}

#[test]
fn links_are_followed_from_where_they_are() {
    let sandbox = Sandbox::new();
    sandbox.write("values/a", "a");
    fs::create_dir(sandbox.join("env")).unwrap();
    symlink("../values/a", sandbox.join("env/A")).unwrap();
    symlink("env", sandbox.join("link")).unwrap();
    assert_eq!(environment(&sandbox, &["-e", "link"]), ["A=a", "OLD=old"]);
}

#[test]
fn a_link_to_nothing_removes_the_variable_as_an_empty_file_does() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    symlink("missing", sandbox.join("env/OLD")).unwrap();
    assert_eq!(environment(&sandbox, &["-e", "env"]), Vec::<String>::new());
}

#[test]
fn a_link_to_itself_is_fatal() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    symlink("LOOP", sandbox.join("env/LOOP")).unwrap();
    assert_eq!(chpst(&sandbox, &["-e", "env", "true"]), fatal("unable to read env/LOOP: symbolic link loop"));
}

#[test]
fn a_fifo_without_writer_is_an_empty_file() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    mkfifoat(CWD, sandbox.join("env/OLD"), Mode::from_raw_mode(0o600)).unwrap();
    assert_eq!(environment(&sandbox, &["-e", "env"]), Vec::<String>::new());
}

#[test]
fn a_directory_that_is_none_is_fatal() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    symlink("loop", sandbox.join("loop")).unwrap();
    for (dir, why) in [
        ("missing", "file does not exist"),
        ("file", "not a directory"),
        ("file/env", "not a directory"),
        ("", "file does not exist"),
        ("loop", "symbolic link loop"),
    ] {
        let expected = fatal(&format!("unable to switch to directory: {dir}: {why}"));
        assert_eq!(chpst(&sandbox, &["-e", dir, "true"]), expected);
    }
}

#[test]
fn what_may_not_be_read_is_fatal() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let secret = sandbox.write("env/SECRET", "s");
    sandbox.write("env/A", "a");
    let mode =
        |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let refused = |name: &str, message: &str| {
        let args: &[&str] = if name == "chpst" { &["-e", "env", "true"] } else { &["env", "true"] };
        assert_eq!(told(unprivileged(&sandbox, name, 65534).args(args)), fatal(message));
    };
    for name in ["chpst", "envdir"] {
        mode(&secret, 0o600);
        refused(name, "unable to read env/SECRET: access denied");
        for (bits, message) in [
            (0o700, "unable to switch to directory: env: access denied"),
            (0o744, "unable to switch to directory: env: access denied"),
            (0o711, "unable to open directory: env: access denied"),
        ] {
            mode(&sandbox.join("env"), bits);
            refused(name, message);
        }
        mode(&sandbox.join("env"), 0o755);
    }
}

#[test]
fn the_way_back_from_the_directory_must_be_open() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "a");
    fs::create_dir(sandbox.join("closed")).unwrap();
    fs::set_permissions(sandbox.join("closed"), fs::Permissions::from_mode(0o711)).unwrap();
    let mut command = unprivileged(&sandbox, "chpst", 65534);
    command.current_dir(sandbox.join("closed")).args(["-e", "../env", "true"]);
    // svbox does not go away to begin with.
    let expected = match against_runit() {
        true => fatal("unable to open current working directory: access denied"),
        false => (Some(0), String::new(), String::new()),
    };
    assert_eq!(told(&mut command), expected);
}

#[test]
fn the_program_runs_where_chpst_was_started() {
    let sandbox = Sandbox::new();
    sandbox.write("deep/env/A", "a");
    let here = fs::canonicalize(sandbox.path()).unwrap();
    let show = ["sh", "-c", "pwd -P; ls /proc/$$/fd"];
    let shown = printed(chpst(&sandbox, &[&["-e", "deep/env"], &show[..]].concat()));
    let plain = printed(chpst(&sandbox, &show));
    assert_eq!(shown, plain, "where it is, and what is open");
    assert!(shown.starts_with(&format!("{}\n", here.display())), "{shown}");
}

#[test]
fn a_start_directory_that_is_gone_will_do() {
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "a");
    let env = sandbox.join("env");
    let script =
        format!("mkdir gone; cd gone; rmdir ../gone; exec chpst -e {} sh -c 'echo $A'", env.display());
    // Some shells say that they have lost their way.
    let (code, stdout, _) = run(&sandbox, "sh", &["-c", &script]);
    assert_eq!((code, stdout.as_str()), (Some(0), "a\n"));
}

#[test]
fn a_path_in_it_is_for_the_program_and_not_to_find_it() {
    let sandbox = Sandbox::new();
    executable(&sandbox, &[("bin/tool", "#!/bin/sh\necho tool")]);
    sandbox.write("env/PATH", format!("{}:/usr/bin:/bin", sandbox.join("bin").display()));
    let with = |args: &[&str]| told(sandbox.command("chpst").env("PATH", "/usr/bin:/bin").args(args));
    assert_eq!(with(&["-e", "env", "tool"]), fatal("unable to run: tool: file does not exist"));
    assert_eq!(with(&["-e", "env", "sh", "-c", "tool"]), success("tool\n"));
    sandbox.write("env/PATH", "");
    let with = |args: &[&str]| {
        let path = sandbox.join("bin");
        told(sandbox.command("chpst").env("PATH", path).args(args))
    };
    assert_eq!(with(&["-e", "env", "tool"]), success("tool\n"));
}

#[test]
fn a_fifo_with_a_silent_writer_is_not_waited_for() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    let fifo = sandbox.join("env/OLD");
    assert!(sandbox.command("mkfifo").arg(&fifo).status().unwrap().success());
    let _both = fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let failure = fatal("unable to read env/OLD: temporary failure");
    assert_eq!(chpst(&sandbox, &["-e", "env", "true"]), failure);
}
