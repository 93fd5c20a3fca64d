//! The command line: what is a value and what is none.

use super::*;

const USAGE: &str = "usage: chpst [-vVPFI012N] [-u [:]user[:group]] [-U [:]user[:group]] [-b argv0] [-e dir] \
    [-/ root] [-C pwd] [-n nice] [-A sec] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-r n] [-t n] \
    [-a n] [-s n] ";

/// Checks that this is a usage error with this complaint, and that no program is run.
#[track_caller]
fn misused(args: &[&str], complaint: &str) {
    let sandbox = Sandbox::new();
    let output = user(&sandbox).args(args).args(TRACE).output().unwrap();
    let (code, shown, said) = told(&output);
    assert_eq!((code, shown), (Some(100), String::new()), "{args:?}: {said}");
    let rest = said.strip_prefix(complaint).unwrap_or_else(|| panic!("{args:?}: {said}"));
    assert!(
        rest.starts_with("usage: ") && rest.contains(USAGE.split_once("chpst ").unwrap().1),
        "{args:?}: {said}"
    );
    assert!(rest.ends_with("\n\n") && rest.matches('\n').count() == 2, "{args:?}: {said}");
    assert!(!sandbox.join("ran").exists(), "{args:?}");
}

/// What no option takes.
const INVALID: &[(&str, &[&str])] = &[
    (
        "cap-bound",
        &[
            "",
            "x",
            "0",
            ",",
            "chown,",
            ",chown",
            "chown,,kill",
            "chown kill",
            "-",
            "all,-",
            "all,-x",
            "cap_",
            "cap_x",
            "--chown",
            "+chown",
            "none,x",
            "cap_all",
            "all,-cap_x",
            "chownx",
            "chow",
            "41",
            "cap_cap_chown",
        ],
    ),
    ("cap-ambient", &["", "x", "chown,", ",", "all,-x", "-", "cap_"]),
    (
        "rlimit",
        &[
            "",
            "nofile",
            "nofile=",
            "=5",
            "nofile=:5",
            "nofile=5:",
            "nofile=5:6:7",
            "nofile=x",
            "nofile=5x",
            "nofile=-1",
            "nofile= 5",
            "nofile=0x10",
            "nofile=5:x",
            "nofile=5:-1",
            "x=5",
            "NOFILE=5",
            "RLIMIT_NOFILE=5",
            "nofile=infinity",
            "nofile=unlimitedx",
            "nofile=18446744073709551616",
            "nofile=5k",
            "nofile 5",
            "nofile=5:99999999999999999999",
            "nofile=+5",
            "no=5",
            "nofile=5,core=6",
            "nofile=5=6",
        ],
    ),
    (
        "umask",
        &[
            "",
            "8",
            "x",
            "1000",
            "7777",
            "-1",
            "+7",
            "0o22",
            "0x12",
            "22 ",
            "u=rwx",
            "77777777777777777777777",
        ],
    ),
    ("oom-score-adj", &["", "x", "1001", "-1001", "-", "1.5", "5x", "0x5", "99999999999999999999", " 5"]),
    (
        "io-priority",
        &[
            "",
            "x",
            "0",
            "Idle",
            "idle:",
            "idle:0",
            "idle:7",
            "none:4",
            "realtime:",
            "realtime:8",
            "realtime:-1",
            "realtime:x",
            "best-effort:8",
            "best-effort:4:4",
            "best-effort:99999999999999999999",
            ":4",
            "best:4",
        ],
    ),
    (
        "scheduler",
        &[
            "",
            "x",
            "0",
            "fifo",
            "rr",
            "fifo:",
            "rr:",
            "fifo:0",
            "rr:0",
            "fifo:100",
            "rr:100",
            "fifo:-1",
            "fifo:x",
            "fifo:5:5",
            "fifo:99999999999999999999",
            "other:1",
            "batch:1",
            "idle:1",
            "other:",
            ":5",
            "SCHED_FIFO:1",
            "deadline",
        ],
    ),
    (
        "cpus",
        &[
            "",
            "x",
            ",",
            "0,",
            ",0",
            "0,,1",
            "-",
            "-1",
            "0-",
            "1-0",
            "0-1-2",
            "0 1",
            "0;1",
            "99999999999999999999",
            "0-99999999999999999999",
            "0x1",
            "all",
            "+0",
        ],
    ),
    (
        "parent-death-signal",
        &["", "x", "0", "-1", "65", "SIG", "SIGX", "KILLX", "9x", "99999999999999999999", "SIGSIGKILL"],
    ),
    ("keep-fd", &["", "x", ",", "3,", ",3", "3,,4", "-1", "3-5", "3 4", "99999999999999999999", "0x3", "+3"]),
    (
        "ns",
        &["", "x", ",", "net,", ",net", "net,,pid", "mnt", "Net", "net pid", "net,x", "all", "-net", "time"],
    ),
    ("landlock", &["", "/", "ro", "ro:", "rw:", ":/", "rx:/", "ROX:/", "RO:/", "ro=/", "ro,rw:/", " ro:/"]),
    ("env", &["", "=", "=x", "NAME"]),
    ("unset", &["", "=", "NAME=", "NAME=x", "=x"]),
];

#[test]
fn an_invalid_value_is_a_usage_error_and_nothing_is_run() {
    if only_svbox("long options") {
        return;
    }
    for (name, values) in INVALID {
        for value in *values {
            let complaint = format!("chpst: invalid value for --{name} -- {value}\n");
            misused(&[&format!("--{name}={value}")], &complaint);
        }
        misused(
            &[&format!("--{name}"), values[1]],
            &format!("chpst: invalid value for --{name} -- {}\n", values[1]),
        );
    }
}

#[test]
fn one_invalid_value_among_others_is_enough() {
    if only_svbox("long options") {
        return;
    }
    let complaint = "chpst: invalid value for --umask -- 9\n";
    misused(&["--no-new-privs", "--umask", "9", "--umask", "7"], complaint);
    misused(&["--umask", "7", "--umask", "9", "--env", "A=b"], complaint);
    misused(&["--if-supported", "--umask", "9"], complaint);
    misused(&["-v", "--stdout", "out", "--umask=9"], complaint);
}

#[test]
fn a_wrong_command_line_changes_nothing_outside() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let output =
        user(&sandbox).args(["--stdout", "out", "-l", "lock", "--umask", "9", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(100));
    assert!(!sandbox.join("out").exists() && !sandbox.join("lock").exists());
}

/// Those that take one, with one that everybody may give.
const VALUES: &[(&str, &str)] = &[
    ("cap-bound", "all"),
    ("cap-ambient", "none"),
    ("rlimit", "core=0"),
    ("umask", "22"),
    ("oom-score-adj", "1000"),
    ("io-priority", "idle"),
    ("scheduler", "batch"),
    ("cpus", "0-1023"),
    ("parent-death-signal", "TERM"),
    ("keep-fd", "1"),
    ("ns", "user"),
    ("stdin", "/dev/null"),
    ("stderr", "/dev/null"),
    ("env", "A=b"),
    ("unset", "A"),
];

#[test]
fn a_value_is_behind_an_equals_sign_or_the_next_word() {
    if only_svbox("long options") {
        return;
    }
    for (name, value) in VALUES {
        let sandbox = Sandbox::new();
        let (joined, name) = (format!("--{name}={value}"), format!("--{name}"));
        assert_eq!(seen(user(&sandbox), &[&joined, "echo", "ran"]), "ran\n");
        assert_eq!(seen(user(&sandbox), &[&name, value, "echo", "ran"]), "ran\n", "{name} {value}");
        assert_eq!(
            seen(user(&sandbox), &["-v", &name, value, "--", "echo", "ran"]),
            "ran\n",
            "{name} {value}"
        );
    }
}

#[test]
fn an_option_without_its_value_is_a_usage_error() {
    if only_svbox("long options") {
        return;
    }
    let more = ["cgroup", "read-only", "landlock", "stdout"].map(|name| (name, ""));
    for (name, _) in VALUES.iter().chain(&more) {
        let sandbox = Sandbox::new();
        let (code, shown, said) = told(&user(&sandbox).arg(format!("--{name}")).output().unwrap());
        assert_eq!((code, shown), (Some(100), String::new()), "{name}");
        assert!(
            said.starts_with(&format!("chpst: option requires an argument -- {name}\nusage: ")),
            "{name}: {said}"
        );
    }
}

#[test]
fn a_value_for_an_option_that_takes_none_is_a_usage_error() {
    if only_svbox("long options") {
        return;
    }
    for name in ["no-new-privs", "close-fds", "private-tmp", "new-session", "clear-env", "if-supported"] {
        for value in ["", "1", "yes"] {
            misused(&[&format!("--{name}={value}")], &format!("chpst: illegal option -- {name}={value}\n"));
        }
    }
}

#[test]
fn an_unknown_option_is_a_usage_error() {
    if only_svbox("long options") {
        return;
    }
    for name in ["nope", "no-new", "no-new-privss", "NO-NEW-PRIVS", "u", "cap_bound", "-umask", "no-umask"] {
        misused(&[&format!("--{name}")], &format!("chpst: illegal option -- {name}\n"));
        misused(
            &["--no-new-privs", &format!("--{name}"), "--close-fds"],
            &format!("chpst: illegal option -- {name}\n"),
        );
    }
    misused(&["--nope=5"], "chpst: illegal option -- nope\n");
}

#[test]
fn what_looks_like_an_option_behind_the_program_is_not_one() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    for args in [&["echo", "--umask", "9"][..], &["--umask", "7", "--", "echo", "--umask", "9"]] {
        assert_eq!(seen(user(&sandbox), args), "--umask 9\n", "{args:?}");
    }
}

#[test]
fn a_value_may_look_like_an_option() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(seen(user(&sandbox), &["--env", "--umask=9", "env"]).matches("--umask=9").count(), 1);
    assert_eq!(seen(user(&sandbox), &["--stdout", "--umask", "echo", "ran"]), "");
    assert_eq!(sandbox.read("--umask"), "ran\n");
}

#[test]
fn long_options_alone_are_a_usage_error() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    for args in [&["--no-new-privs"][..], &["--umask", "7"], &["--umask=7", "--"], &["--private-tmp"]] {
        let (code, shown, said) = told(&user(&sandbox).args(args).output().unwrap());
        assert_eq!((code, shown), (Some(100), String::new()), "{args:?}");
        assert!(said.starts_with("usage: "), "{args:?}: {said}");
    }
}

#[test]
fn nothing_may_be_between_if_supported_and_an_option() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    for args in [
        &["--if-supported"][..],
        &["--if-supported", "true"],
        &["--if-supported", "--", "true"],
        &["--if-supported", "-", "true"],
        &["--no-new-privs", "--if-supported", "touch", "ran"],
        &["--if-supported", "--if-supported", "touch", "ran"],
    ] {
        let (code, shown, said) = told(&user(&sandbox).args(args).output().unwrap());
        assert_eq!((code, shown), (Some(100), String::new()), "{args:?}: {said}");
        assert!(said.contains("usage: "), "{args:?}: {said}");
        assert!(!sandbox.join("ran").exists(), "{args:?}");
    }
}

#[test]
fn signals_have_names() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let names = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CHLD CONT STOP TSTP TTIN \
        TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
    let mut unknown = Vec::new();
    for name in names.split_whitespace() {
        for name in [name.to_owned(), format!("SIG{name}")] {
            let mut command = user(&sandbox);
            if !command.args(["--parent-death-signal", &name, "true"]).output().unwrap().status.success() {
                unknown.push(name);
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn signals_have_numbers() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let known = |number: &i32| {
        let mut command = user(&sandbox);
        command.args(["--parent-death-signal", &number.to_string(), "true"]);
        command.output().unwrap().status.success()
    };
    let unknown: Vec<i32> = (1..=64).filter(|number| !known(number)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
