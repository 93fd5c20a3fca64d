//! -F, -I and -A: the program in namespaces of its own, and an alarm for it.

use super::*;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;

/// A chpst with -F or -I at work, and a program in it.
#[track_caller]
fn started(sandbox: &Sandbox, options: &[&str], script: &str) -> Running {
    let mut command = sandbox.command("chpst");
    command.args(options).args(["sh", "-c", script]);
    let running = sandbox.start(command);
    until("the program", || sandbox.join("ready").exists());
    running
}

/// Waits for ever, in a way that lets a shell act on signals at once.
const FOREVER: &str = "echo >ready; while :; do sleep 0.01; done";

fn passed_over() -> bool {
    only_svbox("follow") || only_root()
}

#[test]
fn the_followed_program_is_the_second_process_of_its_namespace() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    for options in [&["-F"][..], &["-FI"], &["-IF"], &["-I", "-F"], &["-F", "-I"], &["-FF"]] {
        let shown = chpst(&sandbox, &[options, &["sh", "-c", "echo $$"]].concat());
        assert_eq!(shown, success("2\n"), "{options:?}");
    }
}

#[test]
fn the_init_program_is_the_first_process_of_its_namespace() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    for options in [&["-I"][..], &["-II"], &["-PI"]] {
        let shown = chpst(&sandbox, &[options, &["sh", "-c", "echo $$"]].concat());
        assert_eq!(shown, success("1\n"), "{options:?}");
    }
}

#[test]
fn the_exit_code_of_followed_programs_is_that_of_the_last() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$", 143)] {
        assert_eq!(chpst(&sandbox, &["-F", "sh", "-c", script]), (Some(code), String::new(), String::new()));
    }
    // The child ends when the program is no longer there.
    let script = "(while kill -0 2; do sleep 0.01; done 2>/dev/null; exit 9) & exit 3";
    assert_eq!(chpst(&sandbox, &["-F", "sh", "-c", script]), (Some(9), String::new(), String::new()));
    let script = "(while kill -0 2; do sleep 0.01; done 2>/dev/null; exec sh -c 'kill -KILL $$') & exit 3";
    assert_eq!(chpst(&sandbox, &["-F", "sh", "-c", script]), (Some(137), String::new(), String::new()));
}

#[test]
fn following_ends_when_nothing_is_left() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    // Away from its parent, its session, its output.
    let wait = "while kill -0 2; do sleep 0.01; done; echo >alone; while test ! -e go; do sleep 0.01; done";
    let script = format!("setsid sh -c '{wait}; echo >done' >&- 2>&- & echo >ready; exit 3");
    let mut following = started(&sandbox, &["-F"], &script);
    until("the end of the program", || sandbox.join("alone").exists());
    assert!(following.lives());
    sandbox.write("go", "");
    assert_eq!(following.ended().code(), Some(0));
    assert!(sandbox.join("done").exists());
    until("nothing left", || sandbox.processes().is_empty());
}

#[test]
fn the_exit_code_of_the_init_program_is_its_own_and_its_end_is_that_of_all() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "(sleep 1000000) >&- 2>&- & exit 4";
    assert_eq!(chpst(&sandbox, &["-I", "sh", "-c", script]), (Some(4), String::new(), String::new()));
    until("nothing left", || sandbox.processes().is_empty());
}

#[test]
fn signals_go_to_all_followed_processes() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let names = ["HUP", "USR1", "USR2", "TERM", "ALRM", "CONT", "WINCH"];
    let signals =
        [Signal::HUP, Signal::USR1, Signal::USR2, Signal::TERM, Signal::ALARM, Signal::CONT, Signal::WINCH];
    let traps = |who: &str| -> String {
        names.iter().map(|name| format!("trap 'echo >>{who}.{name}' {name}; ")).collect()
    };
    let script = format!(
        "({}echo >child; while :; do sleep 0.01; done) & {}while test ! -e child; do sleep 0.01; done; {FOREVER}",
        traps("child"),
        traps("program")
    );
    let following = started(&sandbox, &["-F"], &script);
    for (signal, name) in signals.into_iter().zip(names) {
        following.signal(signal);
        for who in ["program", "child"] {
            until(&format!("{name} in the {who}"), || sandbox.join(format!("{who}.{name}")).exists());
        }
    }
}

#[test]
fn real_time_signals_are_relayed() {
    if passed_over() {
        return;
    }
    for options in ["-F", "-I"] {
        let sandbox = Sandbox::new();
        let script = format!("trap 'echo >first' 35; trap 'echo >last' 64; {FOREVER}");
        let following = started(&sandbox, &[options], &script);
        for (number, name) in [("35", "first"), ("64", "last")] {
            assert_eq!(
                run(&sandbox, "sh", &["-c", &format!("kill -{number} {}", following.pid())]),
                success("")
            );
            until(&format!("signal {number}"), || sandbox.join(name).exists());
        }
    }
}

#[test]
fn signals_go_to_the_init_program_only_and_it_must_have_a_handler() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let child = "(trap 'echo >child.USR1' USR1; trap 'echo >child.HUP' HUP; echo >child; while :; do sleep 0.01; done) &";
    let script =
        format!("trap 'echo >HUP' HUP; {child} while test ! -e child; do sleep 0.01; done; {FOREVER}");
    let mut running = started(&sandbox, &["-I"], &script);
    running.signal(Signal::USR1);
    running.signal(Signal::TERM);
    running.signal(Signal::HUP);
    until("the signal that has a handler", || sandbox.join("HUP").exists());
    assert!(running.lives());
    assert!(!sandbox.join("child.HUP").exists() && !sandbox.join("child.USR1").exists());
}

#[test]
fn a_quit_signal_is_the_end_of_everything() {
    if passed_over() {
        return;
    }
    for options in ["-F", "-I"] {
        let sandbox = Sandbox::new();
        let script = format!("trap '' QUIT TERM; (trap '' QUIT; exec sleep 1000000) & {FOREVER}");
        let mut running = started(&sandbox, &[options], &script);
        running.signal(Signal::QUIT);
        assert_eq!(running.ended().code(), Some(137), "{options}");
        until("nothing left", || sandbox.processes().is_empty());
    }
}

#[test]
fn a_stop_signal_stops_only_chpst_itself() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "trap 'echo >continued' CONT; echo >ready; while :; do echo >>ticks; sleep 0.01; done";
    let following = started(&sandbox, &["-F"], script);
    following.signal(Signal::STOP);
    let stat = format!("/proc/{}/stat", following.pid());
    until("a stopped chpst", || fs::read_to_string(&stat).unwrap().contains(") T "));
    let before = sandbox.lines("ticks");
    until("a program that goes on", || sandbox.lines("ticks") > before + 5);
    assert!(!sandbox.join("continued").exists());
    following.signal(Signal::CONT);
    until("a program that is told to continue", || sandbox.join("continued").exists());
}

#[test]
fn there_is_no_proc_inside_and_outside_it_stays() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    for options in ["-F", "-I"] {
        assert_eq!(
            chpst(&sandbox, &[options, "sh", "-c", "echo /proc/*"]),
            success("/proc/*\n"),
            "{options}"
        );
        assert!(fs::metadata("/proc/self/stat").is_ok());
    }
}

#[test]
fn mounts_inside_are_not_seen_outside() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_outer) = sandbox.tmpfs("dir", "size=1m") else { return };
    sandbox.write("dir/outside", "");
    // A mount in a shared one is seen by all, unless it has been made private.
    assert_eq!(run(&sandbox, "mount", &["--make-shared", "dir"]), success(""));
    let script = "mount -t tmpfs tmpfs dir && test ! -e dir/outside && echo hidden";
    assert_eq!(chpst(&sandbox, &["-F", "sh", "-c", script]), success("hidden\n"));
    assert!(sandbox.join("dir/outside").exists());
}

#[test]
fn a_new_root_without_proc_will_do() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("bare")).unwrap();
    let refused = fatal("unable to run: missing: file does not exist");
    for options in ["-F", "-I"] {
        assert_eq!(chpst(&sandbox, &["-/", "bare", options, "missing"]), refused, "{options}");
    }
}

#[test]
fn without_rights_there_are_no_namespaces() {
    if only_svbox("follow") {
        return;
    }
    let sandbox = Sandbox::new();
    for options in ["-F", "-I", "-FI"] {
        let refused = fatal("unable to set namespaces: permission denied");
        assert_eq!(told(unprivileged(&sandbox, "chpst", 65534).args([options, "echo", "ran"])), refused);
    }
}

#[test]
fn what_fails_inside_gives_the_same_message_and_code() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    for options in ["-F", "-I"] {
        for (args, message) in [
            (&["missing"][..], "unable to run: missing: file does not exist"),
            (&["-u", "nobody-at-all", "true"], "unknown user/group: nobody-at-all"),
            (&["-L", "missing/lock", "true"], "unable to open lock: missing/lock: file does not exist"),
        ] {
            assert_eq!(chpst(&sandbox, &[&[options], args].concat()), fatal(message), "{options} {args:?}");
        }
    }
}

#[test]
fn ids_and_limits_are_those_of_the_program() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    for options in ["-F", "-I"] {
        let args = [options, "-u", ":5:6:7", "-o", "40", "sh", "-c", "id -u; id -g; id -G; ulimit -Sn"];
        assert_eq!(chpst(&sandbox, &args), success("5\n6\n6 7\n40\n"), "{options}");
    }
}

#[test]
fn each_end_is_told_of_if_asked_for() {
    if passed_over() {
        return;
    }
    let (code, stdout, stderr) = chpst(&Sandbox::new(), &["-v", "-F", "sh", "-c", "(exit 4); exit 3"]);
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    for text in ["pid1: start\n", "pid1: pid 2: exit", "pid1: done\n"] {
        assert!(stderr.contains(text), "{text:?} in {stderr:?}");
    }
}

#[test]
fn the_programs_go_when_chpst_is_killed() {
    if passed_over() {
        return;
    }
    for options in ["-F", "-I"] {
        let sandbox = Sandbox::new();
        let mut running = started(&sandbox, &[options], &format!("(exec sleep 1000000) & {FOREVER}"));
        running.signal(Signal::KILL);
        assert_eq!(running.ended().signal(), Some(9));
        until("nothing left", || sandbox.processes().is_empty());
    }
}

#[test]
fn an_alarm_ends_a_program_that_does_not_handle_it() {
    if only_svbox("alarm") {
        return;
    }
    let sandbox = Sandbox::new();
    let status = sandbox.command("chpst").args(["-A", "1", "sleep", "1000000"]).status().unwrap();
    assert_eq!(status.signal(), Some(Signal::ALARM.as_raw()));
    let (code, stdout, _) = run(&sandbox, "sh", &["-c", "chpst -A1 sleep 1000000; echo $?"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "142\n"));
}

#[test]
fn a_program_may_handle_the_alarm() {
    if only_svbox("alarm") {
        return;
    }
    let script = "trap 'exit 6' ALRM; while :; do sleep 0.01; done";
    assert_eq!(
        chpst(&Sandbox::new(), &["-A", "1", "sh", "-c", script]),
        (Some(6), String::new(), String::new())
    );
}

/// Prints the seconds that are left of an alarm.
const LEFT: [&str; 3] = ["perl", "-e", "print alarm 0"];

#[test]
fn an_alarm_survives_exec_and_zero_clears_it() {
    if only_svbox("alarm") {
        return;
    }
    let sandbox = Sandbox::new();
    if sandbox.command("perl").arg("-v").output().is_err() {
        eprintln!("passed over: no perl");
        return;
    }
    let left =
        |options: &[&str]| -> u32 { printed(chpst(&sandbox, &[options, &LEFT].concat())).parse().unwrap() };
    assert!((90_000..=100_000).contains(&left(&["-A", "100000"])));
    assert!((90_000..=100_000).contains(&left(&["-A5", "-A100000"])));
    assert_eq!(left(&["-A", "0"]), 0);
    let inner = program("chpst");
    let inner = inner.to_str().unwrap();
    assert!((90_000..=100_000).contains(&left(&["-A", "100000", inner])));
    assert_eq!(left(&["-A", "100000", inner, "-A", "0"]), 0);
}

#[test]
fn an_alarm_that_is_no_number_is_a_usage_error() {
    if only_svbox("alarm") {
        return;
    }
    for number in ["x", "1x", "-1", "+1", " 1", "1.5"] {
        assert_eq!(
            chpst(&Sandbox::new(), &["-A", number, "echo", "ran"]),
            misuse("", &usage("chpst")),
            "{number}"
        );
    }
}

#[test]
fn the_alarm_of_followed_programs_reaches_all_of_them() {
    if only_svbox("alarm") || passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let child = "(trap 'echo >child; exit 5' ALRM; echo >ready; while :; do sleep 0.01; done) &";
    let script = format!("{child} trap 'wait; exit 6' ALRM; while :; do sleep 0.01; done");
    assert_eq!(chpst(&sandbox, &["-A", "2", "-F", "sh", "-c", &script]).0, Some(6));
    assert!(sandbox.join("child").exists());
}
