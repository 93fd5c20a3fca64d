//! As process 1 of a PID namespace.

use super::*;

/// A runsvdir that is process 1, and its process number here.
fn process_1(sandbox: &Sandbox, args: &[&str]) -> (Running, i32) {
    let options = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    let mut command = change_namespaces(sandbox, &options, "runsvdir");
    command.args(args);
    let running = sandbox.start(command);
    let pid = until_some("process 1", || sandbox.named("runsvdir").first().copied());
    assert_ne!(pid, running.pid());
    (running, pid)
}

/// A path below `/proc` as process 1 sees it.
fn in_its_proc(pid: i32, path: &str) -> std::path::PathBuf {
    Path::new("/proc").join(pid.to_string()).join("root").join("proc").join(path)
}

/// A service that stays after TERM until the file `leave` is there.
fn slow(sandbox: &Sandbox) -> Service<'_> {
    let run = "trap 'echo >told; while ! test -e leave; do sleep 0.01; done; echo bye; exit' TERM
        echo >ready; while :; do sleep 0.01; done";
    let slow = sandbox.service("slow").run(run).logged();
    sandbox.scan().link(&slow);
    slow
}

/// Signals process 1, sees that it waits for the slow service, and lets that go.
#[track_caller]
fn waits(signal: Signal, code: i32) {
    let sandbox = Sandbox::new();
    let (slow, quick) = (slow(&sandbox), sandbox.service("quick").run_forever());
    sandbox.scan().link(&quick);
    let (mut namespace, pid) = process_1(&sandbox, &["scan"]);
    slow.until_lines("ready", 1);
    quick.until_up();
    kill(pid, signal);
    slow.until_lines("told", 1);
    until("the end of the quick one", || !quick.is_supervised());
    assert!(namespace.lives());
    sandbox.write("slow/leave", "");
    assert_eq!(namespace.ended().code(), Some(code));
    assert_eq!(slow.read("logged"), "bye\n");
}

#[test]
fn process_1_stops_all_services_on_term_and_waits_for_them() {
    if only_svbox("process 1") {
        return;
    }
    waits(Signal::TERM, 0);
}

#[test]
fn process_1_stops_all_services_on_hup_and_waits_for_them() {
    if only_svbox("process 1") {
        return;
    }
    waits(Signal::HUP, 111);
}

#[test]
fn process_1_starts_nothing_new_while_it_waits() {
    if only_svbox("process 1") {
        return;
    }
    let sandbox = Sandbox::new();
    let slow = slow(&sandbox);
    let (mut namespace, pid) = process_1(&sandbox, &["scan"]);
    slow.until_lines("ready", 1);
    kill(pid, Signal::TERM);
    slow.until_lines("told", 1);
    let late = sandbox.service("late").run_forever();
    sandbox.scan().link(&late);
    sandbox.write("slow/leave", "");
    assert_eq!(namespace.ended().code(), Some(0));
    assert!(!late.join("supervise").exists());
}

#[test]
fn process_1_waits_for_a_service_that_was_taken_out_before() {
    if only_svbox("process 1") {
        return;
    }
    let sandbox = Sandbox::new();
    let slow = slow(&sandbox);
    let (mut namespace, pid) = process_1(&sandbox, &["scan"]);
    slow.until_lines("ready", 1);
    sandbox.scan().unlink("slow");
    slow.until_lines("told", 1);
    kill(pid, Signal::TERM);
    sandbox.script("slow/last", "");
    assert!(namespace.lives());
    sandbox.write("slow/leave", "");
    assert_eq!(namespace.ended().code(), Some(0));
    assert_eq!(slow.read("logged"), "bye\n");
}

#[test]
fn process_1_without_services_ends_at_once_on_term() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    let (mut namespace, pid) = process_1(&sandbox, &["scan"]);
    one.until_up();
    sandbox.scan().unlink("one");
    until("its end", || !one.is_supervised());
    kill(pid, Signal::TERM);
    assert_eq!(namespace.ended().code(), Some(0));
}

#[test]
fn process_1_collects_foreign_orphans() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run("sh -c 'sleep 0 & echo $! >orphan'\nexec sleep 1000000");
    sandbox.scan().link(&one);
    let (_namespace, pid) = process_1(&sandbox, &["scan"]);
    one.until_lines("orphan", 1);
    let orphan = one.read("orphan").trim().to_owned();
    assert!(in_its_proc(pid, "1/status").exists());
    until("its collection", || !in_its_proc(pid, &orphan).exists());
}

#[test]
fn process_1_sees_new_links_and_alrm() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    sandbox.scan().link(&one);
    let (_namespace, pid) = process_1(&sandbox, &["scan"]);
    one.until_up();
    sandbox.scan().link(&two);
    kill(pid, Signal::ALARM);
    two.until_up();
    until("the mark", || sandbox.read("scan/.forced-rescan").len() == 25);
}

/// Waits until the script has run so many times, and has been collected: a signal that comes before may be lost.
#[track_caller]
fn until_script_ended(sandbox: &Sandbox, pid: i32, times: usize) {
    until(&format!("{times} runs of the script"), || sandbox.lines("numbers") == times);
    until("the end of the script", || {
        let all = fs::read_dir(in_its_proc(pid, "")).unwrap();
        let comm = |path: std::path::PathBuf| fs::read_to_string(path.join("comm")).unwrap_or_default();
        all.map(|each| comm(each.unwrap().path())).all(|comm| comm.trim() != "script")
    });
}

/// Process 1 with a script that writes down the signals.
fn with_script(sandbox: &Sandbox) -> (Running, i32, Service<'_>) {
    sandbox.script("script", "echo \"$@\" >>numbers");
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    let (namespace, pid) = process_1(sandbox, &["-s", "./script", "scan"]);
    one.until_up();
    (namespace, pid, one)
}

#[test]
fn process_1_with_a_script_hands_it_each_signal_and_never_ends() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut namespace, pid, _) = with_script(&sandbox);
    let signals = [Signal::USR1, Signal::USR2, Signal::INT, Signal::TERM, Signal::HUP, Signal::USR1];
    for (number, signal) in signals.into_iter().enumerate() {
        kill(pid, signal);
        until_script_ended(&sandbox, pid, number + 1);
    }
    assert_eq!(sandbox.read("numbers"), "10\n12\n2\n15\n1\n10\n");
    assert!(namespace.lives());
}

#[test]
fn process_1_with_a_script_stops_the_services_on_hup_and_starts_them_again() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut namespace, pid, one) = with_script(&sandbox);
    let before = one.status().pid();
    sandbox.script("one/finish", "echo >>ended");
    kill(pid, Signal::HUP);
    one.until_lines("ended", 1);
    until("another process", || one.is_supervised() && ![0, before].contains(&one.status().pid()));
    assert!(namespace.lives());
}

#[test]
fn process_1_with_a_script_goes_on_after_each_signal() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (_namespace, pid, _one) = with_script(&sandbox);
    for (times, signal) in [Signal::TERM, Signal::USR1, Signal::INT].into_iter().enumerate() {
        kill(pid, signal);
        until_script_ended(&sandbox, pid, times + 1);
        let late = sandbox.service(&format!("late{times}")).run_forever();
        sandbox.scan().link(&late);
        late.until_up();
    }
}

#[test]
fn process_1_starts_what_has_come_while_the_script_ran_when_it_has_ended() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.script("script", "echo >>began\nuntil test -e go; do sleep 0.01; done\nls late >seen");
    let (early, late) = (sandbox.service("early").run_forever(), sandbox.service("late").run_forever());
    sandbox.scan().link(&early);
    let (_namespace, pid) = process_1(&sandbox, &["-s", "./script", "scan"]);
    early.until_up();
    kill(pid, Signal::USR1);
    until("the script", || sandbox.lines("began") == 1);
    sandbox.scan().link(&late);
    sandbox.write("go", "");
    late.until_up();
    assert_eq!(sandbox.read("seen"), "run\n");
}

#[test]
fn process_1_with_a_script_leaves_the_services_alone_on_term() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut namespace, pid, one) = with_script(&sandbox);
    for times in 1..4 {
        kill(pid, Signal::TERM);
        until_script_ended(&sandbox, pid, times);
    }
    assert!(one.is_supervised() && !one.status().term());
    assert!(namespace.lives());
}

#[test]
fn process_1_with_a_script_does_not_lose_hup_while_the_script_runs() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (_namespace, pid, one) = with_script(&sandbox);
    sandbox.script("script", "echo >>begun; while ! test -e go; do sleep 0.01; done");
    kill(pid, Signal::USR1);
    until("the script", || sandbox.lines("begun") == 1);
    kill(pid, Signal::HUP);
    sandbox.write("go", "");
    until("the end of the service", || !one.is_supervised());
}

#[test]
fn process_1_waits_for_a_process_for_its_script() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut namespace, pid, one) = with_script(&sandbox);
    let before = one.status().pid();
    let refused = || namespace.stderr().matches("unable to fork for ./script: temporary failure").count();
    let strace = refuse(&sandbox, pid, CHILDREN);
    kill(pid, Signal::TERM);
    until("the message", || refused() >= 1);
    drop(strace);
    until_script_ended(&sandbox, pid, 1);
    // The same for one that comes while the script runs.
    sandbox.script("script", "echo \"$@\" >>numbers; until test -e go; do sleep 0.01; done");
    kill(pid, Signal::USR1);
    until("the script", || sandbox.lines("numbers") == 2);
    let strace = refuse(&sandbox, pid, CHILDREN);
    kill(pid, Signal::USR2);
    let so_far = refused();
    sandbox.write("go", "");
    until("the message", || refused() > so_far);
    drop(strace);
    until_script_ended(&sandbox, pid, 3);
    assert_eq!(sandbox.read("numbers"), "15\n10\n12\n");
    assert!(namespace.lives() && one.status().pid() == before);
    let late = sandbox.service("late").run_forever();
    sandbox.scan().link(&late);
    late.until_up();
}

#[test]
fn process_1_collects_orphans_after_a_signal_with_a_script() {
    if only_svbox("script") {
        return;
    }
    let sandbox = Sandbox::new();
    let (_namespace, pid, one) = with_script(&sandbox);
    kill(pid, Signal::HUP);
    // Taken out, or it would be there again after a second.
    sandbox.scan().unlink("one");
    until("the end of the service", || !one.is_supervised());
    until("their collection", || {
        let all = fs::read_dir(in_its_proc(pid, "")).unwrap();
        let names: Vec<_> = all.map(|each| each.unwrap().file_name()).collect();
        names.iter().filter(|name| name.to_str().unwrap().parse::<i32>().is_ok()).count() == 1
    });
}
