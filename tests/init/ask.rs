//! runit-init, init and telinit: asking process 1, and being it.

use super::*;
use std::process::{Command, Output};

const NAMES: [&str; 3] = ["runit-init", "init", "telinit"];

/// A life in stage 2.
#[track_caller]
fn machine() -> First {
    let first = Boot::new().start();
    in_stage_2(&first);
    first
}

/// Exit code, standard output, standard error.
fn told(command: &mut Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

fn silent(code: i32) -> (Option<i32>, String, String) {
    (Some(code), String::new(), String::new())
}

fn fatal(message: &str) -> (Option<i32>, String, String) {
    (Some(111), String::new(), format!("init: fatal: {message}\n"))
}

#[test]
fn elsewhere_runit_refuses() {
    let sandbox = Sandbox::new();
    let message = "- runit: fatal: must be run as process no 1.\n";
    assert_eq!(told(&mut sandbox.command("runit")), (Some(111), String::new(), message.into()));
}

#[test]
fn as_process_1_all_names_are_runit() {
    if only_svbox("multicall") {
        return;
    }
    for program in
        ["runit-init", "init", "telinit", "init 0", "init single quiet -s", "runit-init -V", "init -V"]
    {
        let mut first = Boot::new().script("2", "").program(program).start();
        assert_eq!(first.ended(), End::Off, "{program}");
        assert_eq!(first.said(), life("+1 -1 +2 -2 +3 -3 off"), "{program}");
    }
}

#[test]
fn zero_switches_off_and_six_starts_again() {
    if only_svbox("multicall") {
        return;
    }
    for name in NAMES {
        for (word, end) in [("0", End::Off), ("6", End::Again)] {
            let mut first = machine();
            let (code, stdout, stderr) = told(first.command(name).arg(word));
            // It may be overtaken by the end that it asks for.
            assert!(matches!(code, Some(0) | None), "{name} {word}: {code:?}");
            assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""), "{name} {word}");
            assert_eq!(first.ended(), end, "{name} {word}");
        }
    }
}

#[test]
fn the_last_word_counts_while_stage_2_ends() {
    if only_svbox("multicall") {
        return;
    }
    let slow = "trap 'read go </run/gate || :; exit 0' TERM; : >/run/ready; while :; do sleep 0.01; done";
    for (words, end) in [(["6", "0"], End::Off), (["0", "6"], End::Again)] {
        let mut first = Boot::new().gate("gate").script("2", slow).start();
        first.until_there("/run/ready");
        for word in words {
            assert_eq!(told(first.command("runit-init").arg(word)), silent(0));
        }
        first.go("gate");
        assert_eq!(first.ended(), end, "{words:?}");
    }
}

#[test]
fn other_words_are_answered_with_the_usage() {
    let first = machine();
    let rows: [&[&str]; 12] = [
        &[],
        &[""],
        &["7"],
        &["00"],
        &["06"],
        &["0x"],
        &["60"],
        &["2"],
        &["S5"],
        &["reboot"],
        &["qq"],
        &["x", "0"],
    ];
    for name in NAMES {
        for args in rows {
            let usage = format!("usage: {name} 0|6\n\n");
            assert_eq!(
                told(first.command(name).args(args)),
                (Some(0), String::new(), usage),
                "{name} {args:?}"
            );
        }
    }
    first.until_idle();
    assert_eq!(first.said(), life("+1 -1 +2"));
    assert_eq!(first.mode("/etc/runit/stopit"), None);
}

#[test]
fn version_and_usage_can_be_asked_for() {
    let first = machine();
    for name in NAMES {
        let (code, stdout, stderr) = told(first.command(name).arg("-V"));
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{name}");
        let version = stderr.lines().next().unwrap_or_default();
        assert!(version.starts_with("svbox ") && version.ends_with(env!("CARGO_PKG_VERSION")), "{stderr}");
        assert!(stderr.ends_with(&format!("usage: {name} 0|6\n\n")), "{stderr}");
    }
}

/// Makes, as the last of its calls, everything that `word` asks for, and gives the modes of what is there then. The
/// one that is asked is not process 1 of svbox, so that nothing is taken back.
#[track_caller]
fn made(word: &str, prepare: &str) -> String {
    let first = fake();
    assert!(first.command("sh").args(["-ec", prepare]).status().unwrap().success());
    assert_eq!(told(first.command("runit-init").arg(word)), silent(0), "{word}");
    until("what was heard", || first.read("/run/heard") == "CONT\n");
    let show = "for f in /etc/runit /run/runit; do for n in stopit reboot halt; do
            test ! -e $f/$n || stat -L -c '%a %n' $f/$n; done; done
        for f in /run/runit.*; do test ! -e $f || stat -c '%a %n' $f; done";
    let (code, found, errors) = told(first.command("sh").args(["-c", show]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    found
}

/// A process 1 that only notes what it hears.
/// A session of its own, as what is in the same one may always send CONT.
fn fake() -> First {
    let listen = "for s in HUP CONT INT TERM; do trap \"echo $s >>/run/heard\" $s; done
        : >/run/listens; while :; do sleep 1000000 & wait; done";
    let boot = Boot::new().program("setsid sh /run/listen");
    boot.sandbox.write("run/listen", listen);
    let first = boot.start_under(&[]);
    first.until_there("/run/listens");
    first
}

#[test]
fn requests_are_made_with_mode_0100_in_etc() {
    assert_eq!(made("0", ""), "100 /etc/runit/stopit\n");
    assert_eq!(made("6", ""), "100 /etc/runit/stopit\n100 /etc/runit/reboot\n");
}

#[test]
fn the_other_requests_are_taken_back() {
    let all = "mkdir /run/runit; for d in /etc/runit/ /run/runit/ /run/runit.; do for n in reboot halt; do
        : >$d$n; chmod 755 $d$n; done; done";
    let found = made("0", all);
    let armed = |line: &&str| u32::from_str_radix(line.split(' ').next().unwrap(), 8).unwrap() & 0o100 != 0;
    let names: Vec<&str> = found.lines().filter(armed).collect();
    assert_eq!(names, ["100 /etc/runit/stopit"]);
    assert_eq!(found.lines().filter(|line| line.starts_with("0 ")).count(), 6, "{found}");
    let found = made("6", &format!("{all}; chmod 0 /etc/runit/reboot"));
    assert!(found.contains("100 /etc/runit/stopit\n100 /etc/runit/reboot\n0 /etc/runit/halt\n"), "{found}");
    assert!(found.contains("0 /run/runit/halt\n") && found.contains("0 /run/runit.halt\n"), "{found}");
}

#[test]
fn a_request_is_made_where_it_is_already() {
    let rows = [
        (": >/run/runit.stopit", "100 /run/runit.stopit\n"),
        ("mkdir /run/runit; : >/run/runit/stopit", "100 /run/runit/stopit\n"),
        (
            "mkdir /run/runit; : >/run/runit/stopit; : >/run/runit.stopit",
            "100 /run/runit/stopit\n644 /run/runit.stopit\n",
        ),
        (": >/etc/runit/stopit; : >/run/runit.stopit", "100 /etc/runit/stopit\n644 /run/runit.stopit\n"),
        ("ln -s /run/x /etc/runit/stopit; : >/run/x; chmod 0 /run/x", "100 /etc/runit/stopit\n"),
        ("ln -s /run/x /etc/runit/stopit", "100 /etc/runit/stopit\n"),
        (
            "mkdir /run/runit; ln -s /run/runit/stopit /etc/runit/stopit",
            "100 /etc/runit/stopit\n100 /run/runit/stopit\n",
        ),
    ];
    for (prepare, expected) in rows {
        assert_eq!(made("0", prepare), expected, "{prepare}");
    }
}

#[test]
fn where_the_root_cannot_be_written_requests_are_made_below_run() {
    let read_only = "mount -o remount,bind,ro /etc/runit";
    let six = "100 /run/runit/stopit\n100 /run/runit/reboot\n";
    assert_eq!(made("6", read_only), six);
    assert_eq!(made("6", &format!("mkdir /run/runit; {read_only}")), six);
    // Files that are there and cannot be given another mode.
    let found = made("6", &format!(": >/etc/runit/stopit; : >/etc/runit/reboot; {read_only}"));
    assert!(found.ends_with(six), "{found}");
    // Void's links lead to a directory that the first stage makes.
    let links = "ln -s /run/runit/stopit /run/runit/reboot /etc/runit";
    for prepare in [links.to_owned(), format!("{links}; {read_only}")] {
        let found = made("6", &prepare);
        assert!(found.ends_with(six), "{prepare}: {found}");
    }
}

#[test]
fn the_umask_does_not_matter_in_the_end() {
    let first = fake();
    let ask = "umask 777; runit-init 0; umask 0; runit-init 6";
    assert_eq!(told(first.command("sh").args(["-c", ask])), silent(0));
    assert_eq!(first.mode("/etc/runit/stopit"), Some(0o100));
    assert_eq!(first.mode("/etc/runit/reboot"), Some(0o100));
}

#[test]
fn reboot_is_made_before_stopit_and_then_process_1_is_told() {
    let first = fake();
    let calls = "trace=open,openat,chmod,fchmod,fchmodat,?fchmodat2,kill";
    let outer = ["strace", "-f", "-qq", "-o", "trace", "-e", "signal=none", "-y", "-e", calls];
    assert_eq!(told(first.command_under(&outer, "runit-init").arg("6")), silent(0));
    let trace = first.sandbox.read("trace");
    let place = |name: &str, call: &str| {
        let is = |line: &&str| line.contains(name) && line.contains(call) && !line.contains("= -1");
        let line = trace.lines().position(|line| is(&line));
        line.unwrap_or_else(|| panic!("no {call} of {name}: {trace}"))
    };
    let (reboot, stopit) = (place("reboot", "0100"), place("stopit", "0100"));
    assert!(reboot < place("stopit", "O_CREAT") && reboot < stopit, "{trace}");
    assert!(stopit < place("SIGCONT", "kill(1"), "{trace}");
    // Created with the usual mode, so that nothing is asked for before it is given the bit.
    assert!(place("stopit", ", 0644") < stopit, "{trace}");
}

#[test]
fn q_makes_process_1_look_again() {
    for name in NAMES {
        let first = fake();
        for word in ["q", "Q"] {
            assert_eq!(told(first.command(name).arg(word)), silent(0));
        }
        until("HUP", || first.read("/run/heard").starts_with("HUP\n"));
        assert!(!first.read("/run/heard").contains("CONT"));
        assert_eq!(first.mode("/etc/runit/stopit"), None);
    }
    let mut first = machine();
    assert_eq!(told(first.command("telinit").arg("q")), silent(0));
    first.until_idle();
    assert!(first.lives());
    assert_eq!(first.said(), life("+1 -1 +2"));
}

#[test]
fn without_services_for_a_single_user_one_and_s_change_nothing() {
    let first = fake();
    for name in NAMES {
        for word in ["1", "s", "S"] {
            let refused = fatal("no services for a single user: /etc/runit/runsvdir/single");
            assert_eq!(told(first.command(name).arg(word)), refused, "{name} {word}");
        }
    }
    assert_eq!(first.read("/run/heard"), "");
    assert_eq!(first.mode("/etc/runit/stopit"), None);
}

/// A program under test, run by a user without rights beside process 1.
fn by_a_user(first: &First, name: &str) -> Command {
    let mut command = unprivileged(&first.sandbox, name, 1000);
    let inner: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    command = first.command("setpriv");
    command.args(inner);
    command
}

fn not_root() -> bool {
    if rustix::process::geteuid().is_root() {
        return false;
    }
    eprintln!("passed over: this user cannot become another one");
    true
}

#[test]
fn who_may_not_write_is_refused() {
    if not_root() {
        return;
    }
    let first = fake();
    for word in ["0", "6"] {
        let (code, stdout, stderr) = told(by_a_user(&first, "runit-init").arg(word));
        assert_eq!((code, stdout.as_str()), (Some(111), ""), "{word}");
        assert!(stderr.starts_with("init: fatal: unable to create /"), "{stderr}");
        assert!(stderr.ends_with(": access denied\n") && stderr.lines().count() == 1, "{stderr}");
    }
    // A file that is there, and is another's, is not opened for nothing.
    first.set("/etc/runit/stopit", 0o644);
    first.set("/etc/runit/reboot", 0o644);
    let (code, _, stderr) = told(by_a_user(&first, "runit-init").arg("6"));
    assert_eq!(code, Some(111));
    assert!(stderr.starts_with("init: fatal: unable to "), "{stderr}");
    assert_eq!(first.mode("/etc/runit/stopit"), Some(0o644));
    assert_eq!(first.read("/run/heard"), "");
}

#[test]
fn who_may_write_another_s_file_but_not_change_its_mode_is_refused() {
    if not_root() {
        return;
    }
    let first = fake();
    first.set("/etc/runit/stopit", 0o666);
    let (code, _, stderr) = told(by_a_user(&first, "runit-init").arg("0"));
    assert_eq!(code, Some(111));
    assert!(stderr.starts_with("init: fatal: unable to "), "{stderr}");
    assert_eq!(first.read("/run/heard"), "");
}

#[test]
fn who_may_not_signal_process_1_is_told_so() {
    if not_root() {
        return;
    }
    let refused = fatal("unable to signal process 1: permission denied");
    for (name, word) in [("runit-init", "0"), ("init", "6"), ("telinit", "q"), ("runit-init", "q")] {
        let first = fake();
        let open = "chmod 777 /etc/runit";
        assert!(first.command("sh").args(["-c", open]).status().unwrap().success());
        assert_eq!(told(by_a_user(&first, name).arg(word)), refused, "{name} {word}");
        assert_eq!(first.read("/run/heard"), "");
    }
}

#[test]
fn where_nothing_can_be_written_root_is_refused_too() {
    let first = fake();
    let read_only = "mount -o remount,bind,ro /etc/runit; mount -o remount,bind,ro /run";
    assert!(first.command("sh").args(["-ec", read_only]).status().unwrap().success());
    for word in ["0", "6"] {
        let (code, stdout, stderr) = told(first.command("runit-init").arg(word));
        assert_eq!((code, stdout.as_str()), (Some(111), ""), "{word}");
        assert!(stderr.starts_with("init: fatal: unable to create /"), "{stderr}");
        assert!(stderr.ends_with(": read-only file system\n") && stderr.lines().count() == 1, "{stderr}");
    }
}
