//! -/ and -C: another root, another directory.

use super::*;

/// Puts the programs of the machine into the directory `root`.
const ROOT: &str = "for dir in bin lib lib32 lib64 usr proc; do \
    if test -d /$dir; then mkdir -p root/$dir; mount --rbind /$dir root/$dir; fi; done";

/// Runs chpst where `root` has all programs, and where only the accounts of the test are known outside of it.
#[track_caller]
fn inside(sandbox: &Sandbox, args: &[&str]) -> Told {
    write_accounts(sandbox);
    fs::create_dir_all(sandbox.join("root")).unwrap();
    told(&mut after(sandbox, &format!("{ACCOUNTS}; {ROOT}"), &[&["chpst"], args].concat()))
}

#[test]
fn the_program_has_another_root_and_is_there() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("root/here", "");
    for root in ["root", "./root/", "root/.", sandbox.join("root").to_str().unwrap()] {
        let shown =
            inside(&sandbox, &["-/", root, "sh", "-c", "pwd; test -e here && test -e /here && echo in"]);
        assert_eq!(shown, success("/\nin\n"), "{root}");
    }
}

#[test]
fn a_root_that_is_no_directory_is_fatal() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    for (root, why) in [
        ("missing", "file does not exist"),
        ("", "file does not exist"),
        ("file", "not a directory"),
        ("file/root", "not a directory"),
    ] {
        let refused = fatal(&format!("unable to change directory: {root}: {why}"));
        assert_eq!(chpst(&sandbox, &["-/", root, "echo", "ran"]), refused);
    }
}

#[test]
fn without_rights_the_root_stays() {
    let sandbox = Sandbox::new();
    let refused = fatal("unable to change root directory: permission denied");
    assert_eq!(told(unprivileged(&sandbox, "chpst", 65534).args(["-/", ".", "echo", "ran"])), refused);
}

#[test]
fn the_program_is_looked_for_in_the_new_root() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    executable(&sandbox, &[("root/tools/tool", "#!/bin/sh\necho tool")]);
    let shown = inside(&sandbox, &["-/", "root", "/tools/tool"]);
    assert_eq!(shown, success("tool\n"));
    fs::create_dir(sandbox.join("bare")).unwrap();
    let refused = fatal("unable to run: /bin/sh: file does not exist");
    assert_eq!(chpst(&sandbox, &["-/", "bare", "/bin/sh"]), refused);
    assert_eq!(chpst(&sandbox, &["-/", "bare", "sh"]), fatal("unable to run: sh: file does not exist"));
}

#[test]
fn numbers_need_nothing_in_the_new_root() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let shown = inside(&sandbox, &[&["-/", "root", "-u", ":5:6:7"], &STATUS[..]].concat());
    assert_eq!(Ids::of(&printed(shown)), Ids::new(5, 6, &[6, 7]));
}

#[test]
fn names_that_are_known_inside_only_are_looked_up_there() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("root/etc/passwd", "inner:x:51:52::/:/bin/sh\n");
    sandbox.write("root/etc/group", "inside:x:86:\n");
    let ids = |user: &str| {
        Ids::of(&printed(inside(&sandbox, &[&["-/", "root", "-u", user], &STATUS[..]].concat())))
    };
    assert_eq!(ids("inner"), Ids::new(51, 52, &[52]));
    assert_eq!(ids("inner:inside"), Ids::new(51, 86, &[86]));
    let shown = inside(&sandbox, &["-/", "root", "-U", "inner:inside", "sh", "-c", "echo $UID $GID"]);
    assert_eq!(shown, success("51 86\n"));
}

#[test]
fn names_that_are_known_nowhere_are_refused() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("root/etc/passwd", "inner:x:51:52::/:/bin/sh\n");
    sandbox.write("root/etc/group", "inside:x:86:\n");
    for user in ["missing", "inner:missing", "inner:"] {
        for option in ["-u", "-U"] {
            let refused = fatal(&format!("unknown user/group: {user}"));
            assert_eq!(inside(&sandbox, &["-/", "root", option, user, "echo", "ran"]), refused);
        }
    }
}

#[test]
fn names_that_are_known_outside_are_looked_up_there() {
    if only_svbox("accounts outside") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let ids = |user: &str| {
        Ids::of(&printed(inside(&sandbox, &[&["-/", "root", "-u", user], &STATUS[..]].concat())))
    };
    assert_eq!(ids("one"), Ids::new(11, 12, &[12]));
    assert_eq!(ids("one:many"), Ids::new(11, 80, &[80]));
    sandbox.write("root/etc/passwd", "one:x:51:52::/:/bin/sh\n");
    sandbox.write("root/etc/group", "many:x:86:\n");
    assert_eq!(ids("one"), Ids::new(11, 12, &[12]));
    assert_eq!(ids("one:many"), Ids::new(11, 80, &[80]));
    let shown = inside(&sandbox, &["-/", "root", "-U", "one:many", "sh", "-c", "echo $UID $GID"]);
    assert_eq!(shown, success("11 80\n"));
}

#[test]
fn a_name_known_nowhere_and_no_account_files_inside_is_fatal() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for option in ["-u", "-U"] {
        let (code, stdout, stderr) = inside(&sandbox, &["-/", "root", option, "missing", "echo", "ran"]);
        assert_eq!((code, stdout.as_str()), (Some(111), ""));
        if against_runit() {
            let expected = "chpst: fatal: unable to get password/group file entry: file does not exist\n";
            assert_eq!(stderr, expected);
        }
        assert!(stderr.starts_with("chpst: fatal: un") && stderr.lines().count() == 1, "{stderr}");
    }
}

#[test]
fn the_lock_is_in_the_new_root() {
    if only_root() {
        return;
    }
    for (lock, made) in [("lock", "root/lock"), ("/lock", "root/lock"), ("/run/lock", "root/run/lock")] {
        let sandbox = Sandbox::new();
        sandbox.write("root/run/other", "");
        assert_eq!(inside(&sandbox, &["-/", "root", "-l", lock, "true"]), success(""));
        assert!(sandbox.join(made).exists(), "{lock}");
    }
}

#[test]
fn the_environment_directory_is_outside() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "outside");
    sandbox.write("root/env/A", "inside");
    assert_eq!(inside(&sandbox, &["-/", "root", "-e", "env", "sh", "-c", "echo $A"]), success("outside\n"));
    let refused = fatal("unable to switch to directory: root-only: file does not exist");
    sandbox.write("root/root-only/A", "inside");
    assert_eq!(inside(&sandbox, &["-/", "root", "-e", "root-only", "echo", "ran"]), refused);
}

#[test]
fn the_program_may_be_run_in_another_directory() {
    if only_svbox("directory") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("a/b")).unwrap();
    let here = fs::canonicalize(sandbox.join("a/b")).unwrap();
    for dir in ["a/b", "./a/b/", here.to_str().unwrap()] {
        let expected = success(&format!("{}\n", here.display()));
        assert_eq!(chpst(&sandbox, &["-C", dir, "sh", "-c", "pwd -P"]), expected, "{dir}");
    }
    assert_eq!(
        chpst(&sandbox, &["-C", "missing", "-Ca/b", "sh", "-c", "pwd -P"]),
        success(&format!("{}\n", here.display()))
    );
}

#[test]
fn a_directory_that_is_none_is_fatal() {
    if only_svbox("directory") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    for (dir, why) in
        [("missing", "file does not exist"), ("", "file does not exist"), ("file", "not a directory")]
    {
        let refused = fatal(&format!("unable to change directory: {dir}: {why}"));
        assert_eq!(chpst(&sandbox, &["-C", dir, "echo", "ran"]), refused);
    }
}

#[test]
fn a_relative_lock_and_program_are_in_that_directory_and_the_environment_is_not() {
    if only_svbox("directory") {
        return;
    }
    let sandbox = Sandbox::new();
    executable(&sandbox, &[("a/tool", "#!/bin/sh\necho $A")]);
    sandbox.write("env/A", "outer");
    sandbox.write("a/env/A", "inner");
    assert_eq!(chpst(&sandbox, &["-l", "lock", "-C", "a", "-e", "env", "./tool"]), success("outer\n"));
    assert!(sandbox.join("a/lock").exists() && !sandbox.join("lock").exists());
    let refused = fatal("unable to open lock: missing/lock: file does not exist");
    assert_eq!(chpst(&sandbox, &["-C", "a", "-L", "missing/lock", "true"]), refused);
}

#[test]
fn the_directory_is_one_of_the_new_root() {
    if only_svbox("directory") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("root/only/there")).unwrap();
    for dir in ["only/there", "/only/there"] {
        assert_eq!(inside(&sandbox, &["-C", dir, "-/", "root", "pwd"]), success("/only/there\n"));
        let refused = fatal(&format!("unable to change directory: {dir}: file does not exist"));
        assert_eq!(inside(&sandbox, &["-C", dir, "echo", "ran"]), refused);
    }
}
