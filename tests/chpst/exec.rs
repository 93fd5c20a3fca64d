//! The program: how it is found, what it is given, and what is said if it cannot be run.

use super::*;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

#[test]
fn the_exit_code_is_the_programs_own() {
    let sandbox = Sandbox::new();
    for code in [0, 1, 7, 99, 100, 111, 255] {
        assert_eq!(
            chpst(&sandbox, &["sh", "-c", &format!("exit {code}")]),
            (Some(code), String::new(), String::new())
        );
    }
}

#[test]
fn the_program_takes_the_place_of_chpst() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("chpst");
    command.args(["-P", "-o", "30", "sh", "-c", "echo $$; kill -KILL $$"]).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, format!("{}\n", child.id()));
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn arguments_directory_umask_and_environment_stay() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("sh");
    command.args([
        "-c",
        "umask 027; exec chpst sh -c 'umask; pwd -P; echo \"$#:$1:$2\"; echo $A' name '' 'b  c'",
    ]);
    let here = fs::canonicalize(sandbox.path()).unwrap();
    let expected = format!("0027\n{}\n2::b  c\na\n", here.display());
    assert_eq!(told(command.env("A", "a")), success(&expected));
}

#[test]
fn the_environment_is_no_more_than_it_was() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("chpst");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("A", "x=y").env("EMPTY", "").env("Z", "a\nb");
    let mut shown: Vec<_> =
        printed(told(command.args(["env", "-0"]))).split('\0').map(str::to_owned).collect();
    shown.sort();
    assert_eq!(shown, ["", "A=x=y", "EMPTY=", "PATH=/usr/bin:/bin", "Z=a\nb"]);
}

#[test]
fn signals_are_left_as_they_were() {
    let sandbox = Sandbox::new();
    let signals = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.starts_with("Sig") && !line.starts_with("SigQ"))
            .map(str::to_owned)
            .collect()
    };
    let script = "trap '' USR1 PIPE; exec \"$@\"";
    let plain = printed(run(&sandbox, "sh", &["-c", script, "sh", "cat", "/proc/self/status"]));
    let ours = printed(run(&sandbox, "sh", &["-c", script, "sh", "chpst", "-P", "cat", "/proc/self/status"]));
    assert_eq!(signals(&ours), signals(&plain));
    assert!(signals(&ours).len() >= 4);
}

/// Directories with programs of each kind.
fn places(sandbox: &Sandbox) {
    let found = "#!/bin/sh\necho found $0";
    let good =
        ["good/refused", "good/bad-interpreter", "good/no-interpreter", "good/dir", "good/plain", "here"];
    executable(sandbox, &good.map(|name| (name, found)));
    executable(
        sandbox,
        &[("bad/no-interpreter", "echo wrong"), ("bad/bad-interpreter", "#!/missing/interpreter")],
    );
    sandbox.write("bad/refused", "#!/bin/sh\necho wrong\n");
    fs::create_dir(sandbox.join("bad/dir")).unwrap();
    symlink("loop", sandbox.join("bad/loop")).unwrap();
    sandbox.write("file", "");
    fs::create_dir(sandbox.join("empty")).unwrap();
}

#[track_caller]
fn assert_found(path: Option<&str>, name: &str, expected: &Result<&str, &str>) {
    let sandbox = Sandbox::new();
    places(&sandbox);
    let mut command = sandbox.command("chpst");
    match path {
        Some(path) => command.env("PATH", path),
        None => command.env_remove("PATH"),
    };
    let expected = match expected {
        Ok(found) => success(&format!("found {found}\n")),
        Err(why) => fatal(&format!("unable to run: {name}: {why}")),
    };
    assert_eq!(told(command.arg(name)), expected, "{name} in {path:?}");
}

#[test]
fn a_program_is_looked_for_in_each_part_of_path() {
    for (path, name, expected) in [
        ("good", "plain", Ok("good/plain")),
        ("missing:empty:good", "plain", Ok("good/plain")),
        ("empty:missing", "plain", Err("file does not exist")),
        // Remembered, and passed over.
        ("bad:good", "refused", Ok("good/refused")),
        ("bad:good", "dir", Ok("good/dir")),
        ("bad", "refused", Err("access denied")),
        ("bad:empty:missing", "refused", Err("access denied")),
        ("bad", "dir", Err("access denied")),
        // A script whose interpreter is missing looks as if it were missing itself.
        ("bad:good", "bad-interpreter", Ok("good/bad-interpreter")),
        ("bad", "bad-interpreter", Err("file does not exist")),
        // What ends the search.
        ("bad:good", "no-interpreter", Err("exec format error")),
        ("bad:good", "loop", Err("symbolic link loop")),
        ("file:good", "plain", Err("not a directory")),
        ("empty:file", "plain", Err("not a directory")),
    ] {
        assert_found(Some(path), name, &expected);
    }
}

#[test]
fn an_empty_part_of_path_is_the_current_directory() {
    for path in ["", ":", ":empty", "empty:", "empty::missing", "::"] {
        let sandbox = Sandbox::new();
        places(&sandbox);
        let (code, stdout, stderr) = told(sandbox.command("chpst").env("PATH", path).arg("here"));
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{path:?}");
        // With or without `./`.
        assert!(stdout.starts_with("found ") && stdout.ends_with("here\n"), "{path:?}: {stdout}");
        assert_found(Some(path), "plain", &Err("file does not exist"));
    }
    assert_found(Some("empty"), "here", &Err("file does not exist"));
}

#[test]
fn without_path_programs_are_looked_for_in_bin_and_usr_bin() {
    let sandbox = Sandbox::new();
    places(&sandbox);
    let mut command = sandbox.command("chpst");
    assert_eq!(told(command.env_remove("PATH").args(["echo", "a"])), success("a\n"));
    assert_found(None, "here", &Err("file does not exist"));
    assert_found(None, "plain", &Err("file does not exist"));
}

#[test]
fn a_name_with_a_slash_is_used_as_it_is() {
    for (name, expected) in [
        ("./here", Ok("./here")),
        ("good/plain", Ok("good/plain")),
        ("./plain", Err("file does not exist")),
        ("missing/plain", Err("file does not exist")),
        ("./file", Err("access denied")),
        ("./good", Err("access denied")),
        ("/", Err("access denied")),
        ("file/plain", Err("not a directory")),
        ("bad/no-interpreter", Err("exec format error")),
        ("bad/bad-interpreter", Err("file does not exist")),
        ("bad/loop", Err("symbolic link loop")),
    ] {
        assert_found(Some("good"), name, &expected);
        assert_found(None, name, &expected);
    }
}

#[test]
fn an_empty_name_is_the_directory_that_is_looked_in() {
    assert_found(Some("good"), "", &Err("access denied"));
}

#[test]
fn a_name_that_is_too_long_is_not_found() {
    assert_found(Some("good"), &"x".repeat(300), &Err("file name too long"));
    assert_found(Some("good"), &format!("./{}", "x".repeat(300)), &Err("file name too long"));
}

#[test]
fn a_directory_that_may_not_be_searched_is_passed_over() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    places(&sandbox);
    fs::create_dir(sandbox.join("closed")).unwrap();
    fs::set_permissions(sandbox.join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    let with = |path: &str, name: &str| {
        let inner = sandbox.join("copies/chpst");
        let mut command = unprivileged(&sandbox, "chpst", 65534);
        told(command.args(["env", &format!("PATH={path}")]).arg(inner).arg(name))
    };
    assert_eq!(with("closed:good", "plain"), success("found good/plain\n"));
    assert_eq!(with("closed:empty", "plain"), fatal("unable to run: plain: access denied"));
}

#[test]
fn arguments_that_are_too_many_are_told_of() {
    let sandbox = Sandbox::new();
    // One argument may have 128 KiB, and the kernel lets chpst itself have no longer one.
    sandbox.write("env/A", "x".repeat(200_000));
    assert_eq!(chpst(&sandbox, &["-e", "env", "true"]), fatal("unable to run: true: argument list too long"));
}

#[test]
fn another_name_is_given_to_the_program_that_is_found_by_its_own() {
    let sandbox = Sandbox::new();
    let shown = |args: &[&str]| {
        let mut command = sandbox.command("chpst");
        let output = command.args(args).args(["/proc/self/cmdline"]).output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(shown(&["-b", "other", "cat"]), "other\0/proc/self/cmdline\0");
    assert_eq!(shown(&["-bother", "cat"]), "other\0/proc/self/cmdline\0");
    assert_eq!(shown(&["-b", "", "cat"]), "\0/proc/self/cmdline\0");
    assert_eq!(
        shown(&["-b", "with space/and slash", "/bin/cat"]),
        "with space/and slash\0/proc/self/cmdline\0"
    );
    assert_eq!(shown(&["-b", "-", "cat"]), "-\0/proc/self/cmdline\0");
}

#[test]
fn without_another_name_the_program_has_the_one_it_was_called_by() {
    let sandbox = Sandbox::new();
    for name in ["cat", "/bin/cat"] {
        let output = sandbox.command("chpst").args([name, "/proc/self/cmdline"]).output().unwrap();
        assert_eq!(output.stdout, format!("{name}\0/proc/self/cmdline\0").as_bytes());
    }
}

#[test]
fn a_program_that_cannot_be_run_is_named_whatever_its_other_name() {
    if only_svbox("program named") {
        return;
    }
    let sandbox = Sandbox::new();
    let refused = fatal("unable to run: missing: file does not exist");
    assert_eq!(chpst(&sandbox, &["-b", "other", "missing"]), refused);
    let refused = fatal("unable to run: ./missing: file does not exist");
    assert_eq!(chpst(&sandbox, &["-b", "other", "./missing"]), refused);
}

#[test]
fn a_program_may_have_any_name() {
    let sandbox = Sandbox::new();
    let name = OsStr::from_bytes(b"\xff\n");
    executable(&sandbox, &[("program", "#!/bin/sh\necho ran")]);
    fs::rename(sandbox.join("program"), sandbox.join(name)).unwrap();
    assert_eq!(told(sandbox.command("chpst").env("PATH", "").arg(name)), success("ran\n"));
}
