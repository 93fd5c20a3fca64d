//! The six programs of daemontools that chpst is under other names.

use super::locks::{Held, waits};
use super::*;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;

/// The usage of a personality.
fn usage_of(name: &str) -> String {
    let operands = match name {
        "setuidgid" | "envuidgid" => "account child",
        "envdir" => "dir child",
        "pgrphack" => "child",
        "setlock" => "[ -nNxX ] file program [ arg ... ]",
        _ => {
            "[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] \
            [-o openfiles] [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child"
        }
    };
    format!("usage: {name} {operands}\n\n")
}

#[test]
fn too_few_operands_are_a_usage_error() {
    let sandbox = Sandbox::new();
    let rows: &[(&str, &[&[&str]])] = &[
        ("setuidgid", &[&[], &["root"], &["nobody-at-all"], &["--"]]),
        ("envuidgid", &[&[], &["root"], &["nobody-at-all"], &["-V"]]),
        ("envdir", &[&[], &["missing"], &["-V"]]),
        ("pgrphack", &[&[]]),
        ("setlock", &[&[], &["lock"], &["-n"], &["-x", "lock"], &["--"], &["-N", "--", "lock"]]),
        ("softlimit", &[&[], &["-m5"], &["-m", "5"], &["--"], &["-o", "=", "--"]]),
    ];
    for (name, lines) in rows {
        for args in *lines {
            assert_eq!(run(&sandbox, name, args), misuse("", &usage_of(name)), "{name} {args:?}");
        }
    }
    assert!(!sandbox.join("lock").exists());
}

#[test]
fn only_setlock_and_softlimit_have_options() {
    let sandbox = Sandbox::new();
    for (name, option) in [
        ("setlock", "z"),
        ("setlock", "v"),
        ("setlock", "V"),
        ("softlimit", "n"),
        ("softlimit", "v"),
        ("softlimit", "V"),
        ("softlimit", "P"),
    ] {
        let complaint = format!("{name}: illegal option -- {option}\n");
        let shown = run(&sandbox, name, &[&format!("-{option}"), "lock", "echo", "ran"]);
        assert_eq!(shown, misuse(&complaint, &usage_of(name)));
    }
    for letter in "acdflmoprst".chars() {
        let complaint = format!("softlimit: option requires an argument -- {letter}\n");
        let shown = run(&sandbox, "softlimit", &[&format!("-{letter}")]);
        assert_eq!(shown, misuse(&complaint, &usage_of("softlimit")));
    }
    for (name, operand, message) in [
        ("setuidgid", "-u", "unknown account: -u"),
        ("setuidgid", "--", "unknown account: --"),
        ("envuidgid", "-V", "unknown account: -V"),
        ("envdir", "-V", "unable to switch to directory: -V: file does not exist"),
        ("envdir", "--", "unable to switch to directory: --: file does not exist"),
        ("pgrphack", "-P", "unable to run: -P: file does not exist"),
        ("pgrphack", "--", "unable to run: --: file does not exist"),
    ] {
        assert_eq!(run(&sandbox, name, &[operand, "echo", "ran"]), fatal(message), "{name}");
    }
}

#[test]
fn the_name_may_have_a_d_in_front_and_a_directory() {
    let sandbox = Sandbox::new();
    for name in PERSONALITIES {
        for argv0 in [name.to_owned(), format!("d{name}"), format!("/some/d/{name}"), format!("dir/d{name}")]
        {
            let mut command = sandbox.command(name);
            assert_eq!(told(command.arg0(&argv0)), misuse("", &usage_of(name)), "{argv0}");
        }
    }
    for (argv0, complains) in
        [("dsetlock", "dsetlock"), ("/some/dsetlock", "dsetlock"), ("/some/setlock", "setlock")]
    {
        let complaint = format!("{complains}: illegal option -- q\n");
        let shown = told(sandbox.command("setlock").arg0(argv0).arg("-q"));
        assert_eq!(shown, misuse(&complaint, &usage_of("setlock")));
    }
}

#[test]
fn a_link_with_a_d_in_front_leads_to_the_same_program() {
    let sandbox = Sandbox::new();
    let program = fs::canonicalize(program("envdir")).unwrap();
    sandbox.write("env/A", "a");
    for name in ["envdir", "denvdir"] {
        symlink(&program, sandbox.join(name)).unwrap();
        let link = Path::new(".").join(name);
        let shown = told(sandbox.command(&link).args(["env", "sh", "-c", "echo $A"]));
        assert_eq!(shown, success("a\n"), "{name}");
        assert_eq!(told(&mut sandbox.command(&link)), misuse("", &usage_of("envdir")), "{name}");
    }
    for name in PERSONALITIES {
        symlink(&program, sandbox.join(format!("links/d{name}"))).unwrap_or_else(|_| {
            fs::create_dir_all(sandbox.join("links")).unwrap();
            symlink(&program, sandbox.join(format!("links/d{name}"))).unwrap();
        });
        let shown = told(&mut sandbox.command(sandbox.join(format!("links/d{name}"))));
        assert_eq!(shown, misuse("", &usage_of(name)), "{name}");
    }
}

#[test]
fn a_program_that_cannot_be_run_is_told_of_by_the_name_chpst() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("env")).unwrap();
    let refused = fatal("unable to run: missing: file does not exist");
    for (name, args) in [
        ("envuidgid", &["root", "missing"][..]),
        ("envdir", &["env", "missing"]),
        ("pgrphack", &["missing"]),
        ("setlock", &["lock", "missing"]),
        ("softlimit", &["-o50", "missing"]),
        ("softlimit", &["missing"]),
    ] {
        assert_eq!(run(&sandbox, name, args), refused, "{name}");
        assert_eq!(told(sandbox.command(name).arg0(format!("d{name}")).args(args)), refused, "d{name}");
    }
    if !only_root() {
        assert_eq!(run(&sandbox, "setuidgid", &["root", "missing"]), refused);
    }
}

#[test]
fn setuidgid_takes_the_ids_of_an_account() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for (name, expected) in
        [("one", Ids::new(11, 12, &[12])), ("last", Ids::new(41, 42, &[42])), ("7", Ids::new(70, 71, &[71]))]
    {
        let shown = known(&sandbox, &[&["setuidgid", name], &STATUS[..]].concat());
        assert_eq!(Ids::of(&printed(shown)), expected);
    }
    let mut command =
        after(&sandbox, ACCOUNTS, &["setuidgid", "one", "sh", "-c", "echo ${UID-none} ${GID-none}"]);
    assert_eq!(told(command.env_remove("UID").env_remove("GID")), success("none none\n"));
}

#[test]
fn envuidgid_puts_the_ids_of_an_account_into_the_environment() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let shown = known(&sandbox, &["envuidgid", "one", "sh", "-c", "echo $UID $GID $(id -u)"]);
    assert_eq!(shown, success("11 12 0\n"));
}

#[test]
fn envuidgid_needs_no_rights() {
    let sandbox = Sandbox::new();
    let mut command = unprivileged(&sandbox, "envuidgid", 65534);
    assert_eq!(told(command.args(["root", "sh", "-c", "echo $UID $GID"])), success("0 0\n"));
}

#[test]
fn setuidgid_needs_rights() {
    let sandbox = Sandbox::new();
    let mut command = unprivileged(&sandbox, "setuidgid", 65534);
    let refused = fatal("unable to setgroups: permission denied");
    assert_eq!(told(command.args(["root", "echo", "ran"])), refused);
}

#[test]
fn an_account_is_a_name_and_nothing_else() {
    if only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["missing", "", "one:many", "one:", ":5:6", "11", "1000", "11:12", "short", "On"] {
        for program in ["setuidgid", "envuidgid"] {
            let refused = fatal(&format!("unknown account: {name}"));
            assert_eq!(known(&sandbox, &[program, name, "echo", "ran"]), refused, "{program}");
        }
    }
}

#[test]
fn envdir_reads_a_directory_as_chpst_does() {
    let sandbox = Sandbox::new();
    sandbox.write("env/A", "a \t\nb\n");
    sandbox.write("env/GONE", "");
    sandbox.write("env/.HIDDEN", "h");
    let mut command = sandbox.command("envdir");
    command.env("GONE", "x").args(["env", "sh", "-c", "echo $A,${GONE-none},${HIDDEN-none}"]);
    assert_eq!(told(&mut command), success("a,none,none\n"));
    for (dir, why) in
        [("missing", "file does not exist"), ("env/A", "not a directory"), ("", "file does not exist")]
    {
        let refused = fatal(&format!("unable to switch to directory: {dir}: {why}"));
        assert_eq!(run(&sandbox, "envdir", &[dir, "echo", "ran"]), refused);
    }
}

#[test]
fn a_directory_in_the_directory_is_fatal_for_envdir() {
    let sandbox = Sandbox::new();
    sandbox.write("env/sub/A", "a");
    let refused = fatal("unable to read env/sub: is a directory");
    assert_eq!(run(&sandbox, "envdir", &["env", "echo", "ran"]), refused);
    // But one that is passed over is not looked at.
    sandbox.write("hidden/.sub/A", "a");
    assert_eq!(run(&sandbox, "envdir", &["hidden", "echo", "ran"]), success("ran\n"));
}

#[test]
fn pgrphack_makes_a_session() {
    let sandbox = Sandbox::new();
    let shown = printed(run(
        &sandbox,
        "pgrphack",
        &["sh", "-c", "set -- $(sed 's/.*) //' /proc/$$/stat); echo $$ $3 $4"],
    ));
    let numbers: Vec<_> = shown.split_whitespace().collect();
    assert_eq!(numbers[1..], [numbers[0], numbers[0]]);
}

#[test]
fn setlock_runs_a_program_under_a_lock() {
    let sandbox = Sandbox::new();
    for options in [
        &[][..],
        &["-n"],
        &["-N"],
        &["-x"],
        &["-X"],
        &["-nx"],
        &["-xX"],
        &["-nN", "-x"],
        &["--"],
        &["-n", "--"],
    ] {
        let args = [options, &["lock", "sh", "-c", "flock -n lock true || echo held; exit 5"]].concat();
        assert_eq!(run(&sandbox, "setlock", &args), (Some(5), "held\n".into(), String::new()), "{options:?}");
    }
}

#[test]
fn setlock_fails_at_once_or_ends_in_silence_when_the_file_cannot_be_opened() {
    let sandbox = Sandbox::new();
    let refused = fatal("unable to open lock: missing/lock: file does not exist");
    for (options, expected) in [
        (&[][..], &refused),
        (&["-n"], &refused),
        (&["-N"], &refused),
        (&["-X"], &refused),
        (&["-xX"], &refused),
        (&["-x", "-n", "-X"], &refused),
        (&["-x"], &success("")),
        (&["-xn"], &success("")),
        (&["-N", "-x"], &success("")),
        (&["-Xx"], &success("")),
        (&["-xXx"], &success("")),
    ] {
        let args = [options, &["missing/lock", "echo", "ran"]].concat();
        assert_eq!(run(&sandbox, "setlock", &args), *expected, "{options:?}");
    }
    fs::create_dir(sandbox.join("dir")).unwrap();
    let refused = fatal("unable to open lock: dir: is a directory");
    assert_eq!(run(&sandbox, "setlock", &["dir", "echo", "ran"]), refused);
}

/// Options of setlock that wait, and such that fail at once, by the program that is meant.
fn waiting_and_not() -> (&'static [&'static [&'static str]], &'static [&'static [&'static str]]) {
    let last_is_n: &[&[&str]] = &[&["-n"], &["-Nn"], &["-N", "-n"], &["-nNn"], &["-xXn"]];
    let last_is_not: &[&[&str]] = &[&[], &["-N"], &["-nN"], &["-n", "-N"], &["-X"]];
    if against_runit() { (last_is_n, last_is_not) } else { (last_is_not, last_is_n) }
}

#[test]
fn setlock_fails_at_once_if_told_so() {
    let (_, at_once) = waiting_and_not();
    let sandbox = Sandbox::new();
    let held = Held::new(&sandbox, "lock");
    let refused = fatal("unable to lock: lock: temporary failure");
    for options in at_once {
        let shown = run(&sandbox, "setlock", &[*options, &["lock", "echo", "ran"]].concat());
        assert_eq!(shown, refused, "{options:?}");
        // In silence.
        let shown = run(&sandbox, "setlock", &[*options, &["-x", "lock", "echo", "ran"]].concat());
        assert_eq!(shown, success(""), "{options:?} -x");
    }
    held.release();
}

#[test]
fn setlock_waits_if_told_so() {
    let (waiting, _) = waiting_and_not();
    for options in waiting {
        let sandbox = Sandbox::new();
        let held = Held::new(&sandbox, "lock");
        let mut command = sandbox.command("setlock");
        command.args(*options).args(["lock", "sh", "-c", "echo >ran"]);
        let mut setlock = sandbox.start(command);
        until(&format!("a setlock {options:?} that waits"), || waits(setlock.pid()));
        assert!(!sandbox.join("ran").exists());
        held.release();
        assert_eq!(setlock.ended().code(), Some(0));
        assert!(sandbox.join("ran").exists());
    }
}

#[test]
fn setlock_waits_without_options_and_does_not_with_n() {
    if only_svbox("setlock") {
        return;
    }
    let sandbox = Sandbox::new();
    let held = Held::new(&sandbox, "lock");
    let refused = fatal("unable to lock: lock: temporary failure");
    assert_eq!(run(&sandbox, "setlock", &["-n", "lock", "echo", "ran"]), refused);
    let mut command = sandbox.command("setlock");
    command.args(["lock", "true"]);
    let mut setlock = sandbox.start(command);
    until("a setlock that waits", || waits(setlock.pid()));
    held.release();
    assert_eq!(setlock.ended().code(), Some(0));
}

#[test]
fn softlimit_sets_each_limit_by_its_letter() {
    let sandbox = Sandbox::new();
    let before = limits(&printed(run(&sandbox, "cat", &["/proc/self/limits"])));
    for (letter, name, value) in [
        ("a", "Max address space", "200000001"),
        ("c", "Max core file size", "5001"),
        ("d", "Max data size", "100000001"),
        ("f", "Max file size", "6000001"),
        ("l", "Max locked memory", "5002"),
        ("o", "Max open files", "51"),
        ("p", "Max processes", "1234"),
        ("r", "Max resident set", "8000001"),
        ("s", "Max stack size", "5000001"),
        ("t", "Max cpu time", "900"),
    ] {
        let mut after = limits(&printed(run(
            &sandbox,
            "softlimit",
            &[&[format!("-{letter}{value}").as_str()], &LIMITS[..]].concat(),
        )));
        let set = after.insert(name.into(), before[name].clone()).unwrap();
        assert_eq!(set, (value.into(), before[name].1.clone()), "-{letter}");
        assert_eq!(after, before, "-{letter}");
    }
}

#[test]
fn softlimits_m_is_four_limits_and_later_letters_override_it() {
    let sandbox = Sandbox::new();
    let soft = |options: &[&str]| {
        let shown = limits(&printed(run(&sandbox, "softlimit", &[options, &LIMITS].concat())));
        ["Max data size", "Max stack size", "Max locked memory", "Max address space"]
            .map(|name| shown[name].0.parse::<u64>().unwrap())
    };
    let large = 300_000_000;
    let [data, stack, _, space] = soft(&["-m", "300000000"]);
    assert_eq!([data, stack, space], [large; 3]);
    let all = ["-m300000000", "-d", "70000000", "-s", "5000000", "-l", "5000", "-a", "400000000"];
    assert_eq!(soft(&all), [70_000_000, 5_000_000, 5000, 400_000_000]);
    let all = ["-d", "70000000", "-s", "5000000", "-l", "5000", "-a", "400000000", "-m300000000"];
    let [data, stack, _, space] = soft(&all);
    assert_eq!([data, stack, space], [large; 3]);
}

#[test]
fn for_softlimit_an_equals_sign_is_the_hard_limit() {
    let sandbox = Sandbox::new();
    for options in [&["-o", "="][..], &["-o="], &["-o20", "-o", "="]] {
        let args = [&["--nofile=20:40", "softlimit"], options, &LIMITS].concat();
        let shown = limits(&printed(run(&sandbox, "prlimit", &args)));
        assert_eq!(shown["Max open files"], ("40".into(), "40".into()), "{options:?}");
    }
    let args = ["--nofile=20:40", "softlimit", "-o", "=", "-o30", "cat", "/proc/self/limits"];
    let shown = limits(&printed(run(&sandbox, "prlimit", &args)));
    assert_eq!(shown["Max open files"].0, "30");
    let args = [
        "--stack=5000000:6000000",
        "--data=70000000:80000000",
        "softlimit",
        "-m=",
        "cat",
        "/proc/self/limits",
    ];
    let shown = limits(&printed(run(&sandbox, "prlimit", &args)));
    assert_eq!(
        (shown["Max stack size"].0.as_str(), shown["Max data size"].0.as_str()),
        ("6000000", "80000000")
    );
}

#[test]
fn a_bad_number_of_softlimit_is_a_usage_error() {
    let sandbox = Sandbox::new();
    for letter in "acdflmoprst".chars() {
        for number in ["x", "1x", "-1", "+1", " 1", "==", "=5", "5="] {
            let (code, stdout, stderr) =
                run(&sandbox, "softlimit", &[&format!("-{letter}"), number, "echo", "ran"]);
            assert_eq!((code, stdout.as_str()), (Some(100), ""), "-{letter} {number}");
            assert!(stderr.starts_with("usage: softlimit ["), "{stderr}");
        }
    }
}

#[test]
fn the_usage_after_a_bad_number_is_softlimits_own() {
    if only_svbox("softlimit usage") {
        return;
    }
    let shown = run(&Sandbox::new(), "softlimit", &["-m", "x", "echo", "ran"]);
    assert_eq!(shown, misuse("", &usage_of("softlimit")));
}

#[test]
fn softlimit_without_options_changes_nothing() {
    let sandbox = Sandbox::new();
    let plain = printed(run(&sandbox, "cat", &["/proc/self/limits"]));
    assert_eq!(printed(run(&sandbox, "softlimit", &LIMITS)), plain);
}
