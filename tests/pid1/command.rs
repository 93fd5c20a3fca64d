//! A command alone: how it is run, and what becomes of its end.

use super::*;

#[test]
fn each_exit_code_of_the_command_is_handed_on() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    // All in one container: a pid1 below process 1 hands on its command's code in the same way.
    let script = "code=0; while [ $code -le 255 ]; do
        /program/pid1 sh -c \"exit $code\" 2>>/out/said; echo $? >>/out/codes; code=$((code + 1)); done";
    let mut container = Container::new(&sandbox).start(&["sh", "-c", script]);
    ends(&mut container, 0, "pid1: command has ended: exit 0");
    let codes: String = (0..256).map(|code| format!("{code}\n")).collect();
    let said: String = (0..256).map(|code| format!("pid1: command has ended: exit {code}\n")).collect();
    assert_eq!((sandbox.read("out/codes"), sandbox.read("out/said")), (codes, said));
    for code in [0, 1, 7, 100, 111, 128, 137, 255] {
        let mut container = Container::new(&sandbox).start(&["--", "sh", "-c", &format!("exit {code}")]);
        ends(&mut container, code, &format!("pid1: command has ended: exit {code}"));
    }
}

#[test]
fn a_command_that_a_signal_has_killed_makes_128_and_its_number() {
    if only_svbox("containers") {
        return;
    }
    for signal in [1, 2, 3, 6, 9, 11, 13, 15, 34, 64] {
        let sandbox = Sandbox::new();
        let mut container =
            Container::new(&sandbox).start(&["sh", "-c", &format!("ulimit -c 0; kill -{signal} $$")]);
        ends(&mut container, 128 + signal, &format!("pid1: command has ended: signal {signal}"));
    }
}

#[test]
fn a_command_that_is_not_there_makes_127_and_one_that_cannot_be_run_126() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("out/plain", "#!/bin/sh\n");
    let cases = [
        ("missing", 127, "unable to run missing: file does not exist"),
        ("/missing", 127, "unable to run /missing: file does not exist"),
        ("/out/plain", 126, "unable to run /out/plain: access denied"),
        ("/out", 126, "unable to run /out: access denied"),
    ];
    for (command, code, why) in cases {
        let mut container = Container::new(&sandbox).start(&["--", command, "argument"]);
        assert_eq!(container.ended(), Some(code), "{command}: {}", container.stderr());
        let said = container.stderr();
        assert!(said.contains(why) && said.starts_with("pid1: "), "{command}: {said}");
    }
}

#[test]
fn the_command_is_looked_for_in_path_and_gets_its_arguments_as_they_are() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.script("out/tool", "for each; do echo \"<$each>\"; done");
    let container = Container::new(&sandbox).variable("PATH=/nowhere:/out:/bin");
    let mut container = container.start(&["tool", "-d", "", "a b", "--", "-E"]);
    ends(&mut container, 0, "pid1: command has ended: exit 0");
    assert_eq!(container.stdout(), "<-d>\n<>\n<a b>\n<-->\n<-E>\n");
}

/// What a program says of this, after `env` with these options.
#[track_caller]
fn said(options: &[&str], program: &[&str]) -> String {
    let sandbox = Sandbox::new();
    let container = Container::new(&sandbox).variable("ODD=a\nb").variable("EMPTY=");
    let given = [&["/usr/bin/env"], options, program].concat();
    let mut container = container.program(&given).start(&[]);
    assert_eq!(container.ended(), Some(0), "{}", container.stderr());
    // All that is different in another sandbox.
    container.stdout().replace(&sandbox.path().display().to_string(), "")
}

#[test]
fn the_command_has_the_descriptors_the_signals_and_the_environment_that_pid1_was_given() {
    if only_svbox("containers") {
        return;
    }
    let options = ["--block-signal=USR1", "--ignore-signal=USR2"];
    for program in [
        &["grep", "^Sig[BI]", "/proc/self/status"][..],
        &["sh", "-c", "readlink /proc/self/fd/0; ls /proc/self/fd"],
        &["env"],
    ] {
        let directly = said(&options, program);
        assert_eq!(said(&options, &[&["/program/pid1"], program].concat()), directly);
    }
    let set = said(&options, &["/program/pid1", "grep", "^SigBlk", "/proc/self/status"]);
    assert_eq!(set, "SigBlk:\t0000000000000200\n");
}

#[test]
fn what_the_command_has_left_behind_does_not_keep_the_container() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&[
        "sh",
        "-c",
        "sh -c \"trap '' TERM; echo >/out/up; sleep 1000000\" &
        until test -e /out/up; do sleep 0.01; done; exit 5",
    ]);
    ends(&mut container, 5, "pid1: command has ended: exit 5");
}

#[test]
fn a_command_that_ends_at_once_is_not_missed() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let script =
        "i=0; while [ $i -lt 200 ]; do /program/pid1 /bin/true 2>/dev/null || exit 1; i=$((i + 1)); done";
    let mut container = Container::new(&sandbox).start(&["sh", "-c", script]);
    ends(&mut container, 0, "pid1: command has ended: exit 0");
}
