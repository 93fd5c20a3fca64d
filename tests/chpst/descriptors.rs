//! -0, -1, -2 and -N: the standard descriptors of the program.

use super::*;

/// Writes what each standard descriptor is to the file `open`.
const OPEN: &str = "exec 9>open; for fd in 0 1 2; do \
    if test -e /proc/$$/fd/$fd; then is=$(readlink /proc/$$/fd/$fd); else is=closed; fi; echo $is >&9; done";

/// What the descriptors of a program are, after a shell has changed those of chpst like this.
#[track_caller]
fn descriptors(sandbox: &Sandbox, args: &[&str], redirections: &str) -> Vec<String> {
    let script = format!("exec chpst \"$@\" {redirections}");
    sandbox.write("zero", "");
    let all = [&["-c", &script, "sh"], args, &["sh", "-c", OPEN]].concat();
    let status = sandbox.command("sh").args(all).status().unwrap();
    assert_eq!(status.code(), Some(0), "{args:?} {redirections}");
    let here = format!("{}/", fs::canonicalize(sandbox.path()).unwrap().display());
    sandbox.read("open").lines().map(|line| line.trim_start_matches(&here).to_owned()).collect()
}

const FILES: &str = "<zero >one 2>two";

#[test]
fn each_standard_descriptor_can_be_closed() {
    let sandbox = Sandbox::new();
    for (args, expected) in [
        (&[][..], ["zero", "one", "two"]),
        (&["-0"], ["closed", "one", "two"]),
        (&["-1"], ["zero", "closed", "two"]),
        (&["-2"], ["zero", "one", "closed"]),
        (&["-0", "-2"], ["closed", "one", "closed"]),
        (&["-210"], ["closed", "closed", "closed"]),
        (&["-00"], ["closed", "one", "two"]),
    ] {
        assert_eq!(descriptors(&sandbox, args, FILES), expected, "{args:?}");
    }
}

#[test]
fn without_options_closed_descriptors_stay_closed() {
    let sandbox = Sandbox::new();
    assert_eq!(descriptors(&sandbox, &[], "<&- >one 2>two"), ["closed", "one", "two"]);
    assert_eq!(descriptors(&sandbox, &[], "<zero >&- 2>&-"), ["zero", "closed", "closed"]);
    sandbox.write("env/A", "a");
    assert_eq!(descriptors(&sandbox, &["-e", "env"], "<&- >&- 2>&-"), ["closed", "closed", "closed"]);
}

#[test]
fn other_descriptors_stay_open() {
    let sandbox = Sandbox::new();
    sandbox.write("seven", "");
    let script = "exec chpst -012 sh -c 'readlink /proc/$$/fd/7 >open' 7<seven";
    assert_eq!(run(&sandbox, "sh", &["-c", script]), success(""));
    assert!(sandbox.read("open").ends_with("/seven\n"), "{}", sandbox.read("open"));
}

#[test]
fn what_is_closed_already_may_be_closed() {
    if only_svbox("closed already") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(descriptors(&sandbox, &["-0"], "<&- >one 2>two"), ["closed", "one", "two"]);
    assert_eq!(descriptors(&sandbox, &["-012"], "<&- >&- 2>&-"), ["closed", "closed", "closed"]);
}

#[test]
fn standard_error_is_open_until_everything_else_is_done() {
    let sandbox = Sandbox::new();
    let refused = fatal("unable to open lock: missing/lock: file does not exist");
    assert_eq!(chpst(&sandbox, &["-2", "-l", "missing/lock", "true"]), refused);
    assert_eq!(
        chpst(&sandbox, &["-2", "-u", "nobody-at-all", "true"]),
        fatal("unknown user/group: nobody-at-all")
    );
    assert_eq!(chpst(&sandbox, &["-2"]), misuse("", &usage("chpst")));
}

#[test]
fn a_program_that_cannot_be_run_without_standard_error_gives_the_same_code() {
    let sandbox = Sandbox::new();
    let (code, stdout, _) = chpst(&sandbox, &["-2", "missing"]);
    assert_eq!((code, stdout.as_str()), (Some(111), ""));
}

#[test]
fn a_program_that_cannot_be_run_is_told_of_without_standard_error() {
    if only_svbox("stderr again") {
        return;
    }
    let sandbox = Sandbox::new();
    for options in ["-2", "-012", "-2N"] {
        let refused = fatal("unable to run: missing: file does not exist");
        assert_eq!(chpst(&sandbox, &[options, "missing"]), refused, "{options}");
    }
}

#[test]
fn the_program_sees_nothing_of_the_standard_error_that_was() {
    let sandbox = Sandbox::new();
    let script =
        "exec chpst -2 sh -c 'exec 9>open; for fd in /proc/$$/fd/*; do readlink $fd >&9; done' 2>two";
    assert_eq!(run(&sandbox, "sh", &["-c", script]), success(""));
    assert!(!sandbox.read("open").contains("/two\n"), "{}", sandbox.read("open"));
}

#[test]
fn closed_descriptors_become_null_if_asked_for() {
    if only_svbox("null") {
        return;
    }
    let sandbox = Sandbox::new();
    let null = "/dev/null";
    for (args, expected) in [
        (&["-N"][..], ["zero", "one", "two"]),
        (&["-N", "-0"], [null, "one", "two"]),
        (&["-0", "-N"], [null, "one", "two"]),
        (&["-1N"], ["zero", null, "two"]),
        (&["-N2"], ["zero", "one", null]),
        (&["-NN012"], [null, null, null]),
    ] {
        assert_eq!(descriptors(&sandbox, args, FILES), expected, "{args:?}");
    }
    assert_eq!(descriptors(&sandbox, &["-012N"], "<&- >&- 2>&-"), [null, null, null]);
    assert_eq!(descriptors(&sandbox, &["-N"], "<&- >one 2>two"), ["closed", "one", "two"]);
}

#[test]
fn null_can_be_read_and_written_and_survives_exec() {
    if only_svbox("null") {
        return;
    }
    let sandbox = Sandbox::new();
    // Some shells redirect their own output to run a program.
    let script = "for fd in 0 1 2; do flags=$(grep flags /proc/$$/fdinfo/$fd); echo $flags >>flags; done; \
        echo lost; cat";
    assert_eq!(chpst(&sandbox, &["-N012", "sh", "-c", script]), success(""));
    let flags = sandbox.read("flags");
    for line in flags.lines() {
        let flags = u32::from_str_radix(line.split_whitespace().last().unwrap(), 8).unwrap();
        assert_eq!(flags & 3, 2, "{line}");
        assert_eq!(flags & 0o2_000_000, 0, "close-on-exec: {line}");
    }
    assert_eq!(flags.lines().count(), 3, "{flags}");
}
