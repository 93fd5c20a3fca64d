//! `--stdin`, `--stdout`, `--stderr`, `--keep-fd`, `--close-fds`, `--new-session`.

use super::*;

#[test]
fn standard_descriptors_can_be_files() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        sandbox.write("in", "what is read\n");
        let options = ["--stdin", "in", "--stdout=out", "--stderr", "err"];
        let shown = script(caller(&sandbox), &options, "cat; echo complaint >&2");
        assert_eq!(shown, "");
        assert_eq!(
            (sandbox.read("out"), sandbox.read("err")),
            ("what is read\n".into(), "complaint\n".into())
        );
    }
}

#[test]
fn output_is_appended_to_a_file() {
    if only_svbox("long options") {
        return;
    }
    for option in ["--stdout", "--stderr"] {
        let sandbox = Sandbox::new();
        sandbox.write("file", "before\n");
        fs::set_permissions(sandbox.join("file"), fs::Permissions::from_mode(0o666)).unwrap();
        let both = "echo one; echo two >&2; (echo three) >>file";
        let mut command = user(&sandbox);
        command.args([option, "file", "sh", "-c", both]);
        assert!(command.status().unwrap().success());
        let own = if option == "--stdout" { "one" } else { "two" };
        assert_eq!(sandbox.read("file"), format!("before\n{own}\nthree\n"));
    }
}

#[test]
fn output_and_complaints_can_go_to_one_file() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    script(user(&sandbox), &["--stdout", "log", "--stderr", "log"], "echo a; echo b >&2; echo c");
    assert_eq!(sandbox.read("log"), "a\nb\nc\n");
}

#[test]
fn the_last_file_counts() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    script(user(&sandbox), &["--stdout", "one", "--stdout", "two"], "echo a");
    assert_eq!((sandbox.read("one"), sandbox.read("two")), (String::new(), "a\n".into()));
}

#[test]
fn an_input_can_only_be_read_and_an_output_only_be_written() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("in", "in\n");
    let attempts =
        "echo x 2>/dev/null >&0 && echo written >trace; cat <&1 2>/dev/null && echo read >trace; :";
    script(root(&sandbox), &["--stdin", "in", "--stdout", "out"], attempts);
    assert_eq!((sandbox.read("in"), sandbox.read("trace")), ("in\n".into(), String::new()));
}

#[test]
fn a_file_that_cannot_be_opened_is_fatal() {
    if only_svbox("long options") {
        return;
    }
    for (option, file, why) in [
        ("--stdin", "missing", "file does not exist"),
        ("--stdin", "", "file does not exist"),
        ("--stdout", "missing/out", "file does not exist"),
        ("--stderr", "missing/err", "file does not exist"),
        ("--stdout", "closed", "access denied"),
        ("--stderr", "closed", "access denied"),
        ("--stdin", "closed", "access denied"),
        ("--stdout", "/", "is a directory"),
    ] {
        let sandbox = Sandbox::new();
        fs::set_permissions(sandbox.write("closed", ""), fs::Permissions::from_mode(0o0)).unwrap();
        refused(&sandbox, user(&sandbox), &[option, file], &format!("unable to open: {file}: {why}"));
    }
}

#[test]
fn files_are_opened_with_the_rights_of_the_caller() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("own/in", "secret\n");
    fs::set_permissions(sandbox.join("own"), fs::Permissions::from_mode(0o700)).unwrap();
    let options = ["-u", ":1000:1000", "--stdin", "own/in", "--stdout", "own/out", "--stderr", "own/err"];
    script(root(&sandbox), &options, "cat; id -u >&2; cat own/in >read 2>/dev/null || :");
    assert_eq!(
        (sandbox.read("own/out"), sandbox.read("own/err"), sandbox.read("read")),
        ("secret\n".into(), "1000\n".into(), String::new())
    );
    let made = fs::metadata(sandbox.join("own/out")).unwrap();
    assert_eq!(made.uid(), 0, "whose the new file is");
}

#[test]
fn files_are_named_from_the_directory_of_the_caller() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("in", "outside\n");
    sandbox.write("sub/in", "inside\n");
    script(root(&sandbox), &["-C", "sub", "--stdin", "in", "--stdout", "out"], "cat");
    assert_eq!((sandbox.read("out"), sandbox.read("sub/out")), ("outside\n".into(), String::new()));
}

#[test]
fn files_are_made_with_the_umask_of_the_caller() {
    if only_svbox("long options") {
        return;
    }
    for (mask, mode) in [("022", 0o644), ("077", 0o600), ("0", 0o666)] {
        let sandbox = Sandbox::new();
        let mut command = through(&sandbox, &user(&sandbox), &format!("umask {mask}; exec \"$@\""));
        command.args(["--umask", "777", "--stdout", "out", "--stderr", "err", "true"]);
        assert!(command.status().unwrap().success());
        for file in ["out", "err"] {
            let made = fs::metadata(sandbox.join(file)).unwrap().permissions().mode();
            assert_eq!(made & 0o777, mode, "{file} under {mask}");
        }
    }
}

#[test]
fn the_old_standard_error_hears_that_the_program_cannot_be_run() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    for options in [
        &["--stderr", "err"][..],
        &["--stderr", "err", "--close-fds"],
        &["--stderr", "err", "--stdout", "err"],
    ] {
        let output = user(&sandbox).args(options).arg("/no/such").output().unwrap();
        let message = "chpst: fatal: unable to run: /no/such: file does not exist\n";
        assert_eq!(told(&output), (Some(111), String::new(), message.into()), "{options:?}");
        assert_eq!(sandbox.read("err"), "", "{options:?}");
    }
}

/// Lists its own descriptors, which a shell that becomes `ls` would not.
const LIST: &str = "ls /proc/$$/fd; :";

/// What a caller may have open of 3 to 9.
const NONE: &str = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
const SOME: &str = "exec 3</dev/null 4>&- 5<. 6>&- 7>/dev/null 8>&- 9<&0";

/// Code, descriptors below 10 and complaint of a program that is started so, under these options.
fn left(sandbox: &Sandbox, chpst: &Command, open: &str, options: &[&str]) -> (Option<i32>, String, String) {
    let mut command = through(sandbox, chpst, &format!("{open}; exec \"$@\""));
    let (code, shown, complaint) = told(&command.args(options).args(["sh", "-c", LIST]).output().unwrap());
    let below: Vec<&str> = shown.lines().filter(|number| number.len() == 1).collect();
    (code, below.join(" "), complaint)
}

#[test]
fn no_descriptor_of_chpst_is_left_to_the_program() {
    if only_svbox("long options") {
        return;
    }
    for options in [
        &["--stderr", "/dev/null", "--stdin", "/dev/null"][..],
        &["--landlock", "rw:/", "--no-new-privs"],
        &["--oom-score-adj", "1000"],
        &["--ns", "user,pid,mount"],
        &["--env", "A=b", "--cpus", "0-1023"],
    ] {
        let sandbox = Sandbox::new();
        let told = left(&sandbox, &user(&sandbox), NONE, options);
        let pid = options.contains(&"user,pid,mount");
        // There `$$` is another process of the outer /proc.
        assert!(pid || told == (Some(0), "0 1 2".into(), String::new()), "{options:?}: {told:?}");
    }
}

#[test]
fn all_descriptors_but_those_listed_are_closed() {
    if only_svbox("long options") {
        return;
    }
    for (options, stay) in [
        (&[][..], "0 1 2 3 5 7 9"),
        (&["--close-fds"], "0 1 2"),
        (&["--keep-fd", "5"], "0 1 2 5"),
        (&["--keep-fd", "9,3"], "0 1 2 3 9"),
        (&["--keep-fd", "3,5", "--keep-fd", "9", "--close-fds"], "0 1 2 3 5 9"),
        (&["--close-fds", "--keep-fd=7"], "0 1 2 7"),
        (&["--keep-fd", "7,7,7"], "0 1 2 7"),
        (&["--keep-fd", "0,1,2,3"], "0 1 2 3"),
        (&["--keep-fd", "3,5,7,9"], "0 1 2 3 5 7 9"),
    ] {
        for caller in CALLERS {
            let sandbox = Sandbox::new();
            let told = left(&sandbox, &caller(&sandbox), SOME, options);
            assert_eq!(told, (Some(0), stay.into(), String::new()), "{options:?}");
        }
    }
}

#[test]
fn descriptors_with_high_numbers_are_closed_as_well() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    // The limit is below the number when chpst looks.
    let high = "exec bash -c 'exec 200<. 900<.; ulimit -Sn 100; exec \"$@\"' bash \"$@\"";
    for (options, stay) in [(&["--close-fds"][..], "0\n1\n2\n"), (&["--keep-fd", "900"], "0\n1\n2\n900\n")] {
        let mut command = through(&sandbox, &user(&sandbox), high);
        command.args(options).args(["sh", "-c", LIST]);
        assert_eq!(told(&command.output().unwrap()), (Some(0), stay.into(), String::new()), "{options:?}");
    }
}

#[test]
fn a_listed_descriptor_must_be_open() {
    if only_svbox("long options") {
        return;
    }
    for list in ["4", "3,4", "1000000", "2147483647"] {
        for caller in CALLERS {
            let sandbox = Sandbox::new();
            let message = "chpst: fatal: unable to keep descriptors: file descriptor not open\n";
            let told = left(&sandbox, &caller(&sandbox), SOME, &["--keep-fd", list]);
            assert_eq!(told, (Some(111), String::new(), message.into()), "{list}");
        }
    }
}

#[test]
fn a_descriptor_of_chpst_s_own_does_not_count_as_open() {
    if only_svbox("long options") {
        return;
    }
    let mut wrong = Vec::new();
    for options in [
        &["--landlock", "rw:/", "--no-new-privs"][..],
        &["--stdin", "/dev/null", "--stdout", "out", "--stderr", "err"],
        &["-2"],
        &["-N"],
        &["--ns", "user,pid"],
        &["--ns", "user,mount", "--read-only", "/usr"],
    ] {
        for number in ["3", "4", "5", "6", "7", "8", "9"] {
            let sandbox = Sandbox::new();
            let mut command = through(&sandbox, &user(&sandbox), &format!("{NONE}; exec \"$@\""));
            command.args(["--keep-fd", number]).args(options).args(TRACE);
            let code = command.output().unwrap().status.code();
            if code != Some(111) || sandbox.join("ran").exists() {
                wrong.push((options, number, code));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_lock_is_kept() {
    if only_svbox("long options") {
        return;
    }
    for (options, open) in [
        (&["--close-fds"][..], 1),
        (&["--keep-fd", "3"], 2),
        (&["--keep-fd", "9"], 2),
        (&["--close-fds", "--umask", "77"], 1),
    ] {
        let sandbox = Sandbox::new();
        let mut command = through(&sandbox, &user(&sandbox), "exec 3</dev/null 9</dev/null; exec \"$@\"");
        let inside = "ls /proc/$$/fd; chpst -L lock true || :";
        command.args(["-l", "lock"]).args(options).args(["sh", "-c", inside]);
        let (code, shown, complaint) = told(&command.output().unwrap());
        let above = shown.lines().filter(|number| !["0", "1", "2"].contains(number)).count();
        let message = "chpst: fatal: unable to lock: lock: temporary failure\n";
        assert_eq!((code, above, complaint.as_str()), (Some(0), open, message), "{options:?}");
        // It ends with the program.
        seen(user(&sandbox), &["-L", "lock", "true"]);
    }
}

#[test]
fn a_program_can_lead_a_session_of_its_own() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let shown = script(caller(&sandbox), &["--new-session"], "echo $$ $(cut -d' ' -f5,6 /proc/$$/stat)");
        let numbers: Vec<&str> = shown.split_whitespace().collect();
        assert!(numbers[1..].iter().all(|number| *number == numbers[0]), "{shown}");
    }
}

#[test]
fn the_leader_of_a_process_group_cannot_start_a_session() {
    if only_svbox("long options") {
        return;
    }
    use std::os::unix::process::CommandExt;
    for options in [&["--new-session"][..], &["-P", "--new-session"], &["--new-session", "-P"]] {
        let sandbox = Sandbox::new();
        let mut command = user(&sandbox);
        command.process_group(0);
        refused(&sandbox, command, options, "unable to start a new session: permission denied");
    }
}
