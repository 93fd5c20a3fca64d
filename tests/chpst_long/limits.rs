//! `--rlimit`, `--umask`, `--oom-score-adj`.

use super::*;

/// Names, what `/proc/self/limits` calls them, and a value with which a shell can live.
const NAMES: [(&str, &str, u64); 16] = [
    ("as", "Max address space", 1 << 32),
    ("core", "Max core file size", 4096),
    ("cpu", "Max cpu time", 1000),
    ("data", "Max data size", 1 << 30),
    ("fsize", "Max file size", 123_456),
    ("locks", "Max file locks", 7),
    ("memlock", "Max locked memory", 65_536),
    ("msgqueue", "Max msgqueue size", 8192),
    ("nice", "Max nice priority", 3),
    ("nofile", "Max open files", 33),
    ("nproc", "Max processes", 5000),
    ("rss", "Max resident set", 1 << 20),
    ("rtprio", "Max realtime priority", 2),
    ("rttime", "Max realtime timeout", 99_999),
    ("sigpending", "Max pending signals", 55),
    ("stack", "Max stack size", 1 << 22),
];

/// Soft and hard, as `/proc/self/limits` shows them.
#[track_caller]
fn limit_in(text: &str, label: &str) -> (String, String) {
    let line = text.lines().find_map(|line| line.strip_prefix(label)).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

fn limits(command: Command, options: &[&str]) -> String {
    seen(command, &[options, &["cat", "/proc/self/limits"]].concat())
}

/// What can be set without privileges.
fn within(hard: &str, value: u64) -> u64 {
    hard.parse().map_or(value, |hard: u64| value.min(hard))
}

#[test]
fn each_limit_has_a_name_and_the_hard_one_stays() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let before = limits(caller(&sandbox), &[]);
        for (name, label, value) in NAMES {
            let (_, hard) = limit_in(&before, label);
            let value = within(&hard, value).to_string();
            let after = limits(caller(&sandbox), &["--rlimit", &format!("{name}={value}")]);
            assert_eq!(limit_in(&after, label), (value, hard), "{name}");
            for (_, other, _) in NAMES.iter().filter(|(other, _, _)| *other != name) {
                assert_eq!(limit_in(&after, other), limit_in(&before, other), "{name}: {other}");
            }
        }
    }
}

#[test]
fn a_hard_limit_can_be_lowered_with_the_soft_one() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let before = limits(caller(&sandbox), &[]);
        for (name, label, value) in NAMES {
            let value = within(&limit_in(&before, label).1, value).to_string();
            let after = limits(caller(&sandbox), &["--rlimit", &format!("{name}={value}:{value}")]);
            assert_eq!(limit_in(&after, label), (value.clone(), value), "{name}");
        }
    }
}

#[test]
fn soft_and_hard_limit_can_be_different() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(script(user(&sandbox), &["--rlimit", "nofile=20:30"], "ulimit -Sn; ulimit -Hn"), "20\n30\n");
}

#[test]
fn limits_of_several_names_are_all_set_and_of_one_name_the_last() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let options =
        ["--rlimit", "nofile=20", "--rlimit", "core=0:0", "--rlimit=nofile=25", "--rlimit", "fsize=512"];
    let shown = script(user(&sandbox), &options, "ulimit -Sn; ulimit -Hc; ulimit -Sf");
    assert_eq!(shown, "25\n0\n1\n");
}

#[test]
fn a_limit_can_be_unlimited() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    // The hard limit of core files is unlimited nearly everywhere; where it is not, nobody could do this.
    let before = script(user(&sandbox), &[], "ulimit -Sc 0; ulimit -Hc");
    assert_eq!(before, "unlimited\n");
    let shown =
        script(user(&sandbox), &["--rlimit", "core=0", "chpst", "--rlimit", "core=unlimited"], "ulimit -Sc");
    assert_eq!(shown, "unlimited\n");
    let both = script(user(&sandbox), &["--rlimit", "core=7:unlimited"], "ulimit -Hc");
    assert_eq!(both, "unlimited\n");
}

#[test]
fn a_limit_is_never_less_than_asked_for_but_fails() {
    if only_svbox("long options") {
        return;
    }
    // Unlike a letter, which would set what the hard limit allows.
    for (value, why) in [
        ("nofile=101", "invalid argument"),
        ("nofile=unlimited", "invalid argument"),
        ("nofile=60:50", "invalid argument"),
        ("nofile=101:101", "permission denied"),
        ("nofile=50:101", "permission denied"),
        ("nofile=50:unlimited", "permission denied"),
    ] {
        let sandbox = Sandbox::new();
        let mut command = user(&sandbox);
        command.args(["--rlimit", "nofile=100:100", "chpst"]);
        refused(&sandbox, command, &["--rlimit", value], &format!("unable to set limit: nofile: {why}"));
    }
}

#[test]
fn not_even_root_gets_more_open_files_than_the_kernel_allows() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["--rlimit", "nofile=unlimited:unlimited"];
    refused(&sandbox, root(&sandbox), &options, "unable to set limit: nofile: permission denied");
}

#[test]
fn one_limit_that_fails_keeps_the_program_from_running() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["--rlimit", "core=0", "--rlimit", "nofile=9:8", "--rlimit", "fsize=1000"];
    refused(&sandbox, user(&sandbox), &options, "unable to set limit: nofile: invalid argument");
}

#[test]
fn a_hard_limit_that_was_lowered_cannot_be_raised_again() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let attempts =
        "exec 2>/dev/null; ulimit -Hn 60; ulimit -n 60; chpst --rlimit nofile=60:60 true && echo escaped
        ulimit -Hn";
    let options = ["--rlimit", "nofile=50:50", "sh", "-c", attempts];
    assert_eq!(text(&user(&sandbox).args(options).output().unwrap().stdout).trim(), "50");
}

#[test]
fn a_limit_is_in_force() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let shown = script(
        user(&sandbox),
        &["--rlimit", "fsize=1000"],
        "(dd if=/dev/zero of=big bs=3000 count=1 2>&- || :); stat -c %s big",
    );
    assert_eq!(shown, "1000\n");
}

#[test]
fn the_umask_is_an_octal_number() {
    if only_svbox("long options") {
        return;
    }
    for (mode, shown, file) in [
        ("0", "0000", "666"),
        ("22", "0022", "644"),
        ("077", "0077", "600"),
        ("0777", "0777", "0"),
        ("7", "0007", "660"),
    ] {
        for caller in CALLERS {
            let sandbox = Sandbox::new();
            let seen = script(caller(&sandbox), &["--umask", mode], "umask; : >new; stat -c %a new");
            assert_eq!(seen, format!("{shown}\n{file}\n"), "{mode}");
        }
    }
}

#[test]
fn the_readiness_to_be_ended_for_lack_of_memory_can_be_raised_by_everybody() {
    if only_svbox("long options") {
        return;
    }
    let own: i32 = fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().parse().unwrap();
    for caller in CALLERS {
        for value in [own, (own + 1).min(1000), 1000] {
            let sandbox = Sandbox::new();
            let shown = seen(
                caller(&sandbox),
                &["--oom-score-adj", &value.to_string(), "cat", "/proc/self/oom_score_adj"],
            );
            assert_eq!(shown.trim(), value.to_string());
        }
    }
}

#[test]
fn the_readiness_to_be_ended_for_lack_of_memory_is_not_lowered_without_privileges() {
    if only_svbox("long options") {
        return;
    }
    for value in ["-1000", "-1"] {
        let sandbox = Sandbox::new();
        refused(
            &sandbox,
            user(&sandbox),
            &["--oom-score-adj", value],
            "unable to set oom_score_adj: access denied",
        );
    }
}
