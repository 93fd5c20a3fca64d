//! The log service and the pipe to it.

use super::*;
use rustix::process::Signal;

/// A log service that tells of signals, and of the end of its input.
const TELLING: &str = "trap 'echo TERM >>../told' TERM HUP\ncat >>../logged\necho end >>../told";

/// Waits until the log service is down and to stay so.
#[track_caller]
fn until_log_down(service: &Service<'_>) {
    until("the log service down", || service.log_status().0[12..] == [0, 0, 0, 0, 0, b'd', 0, 0]);
}

#[test]
fn standard_output_goes_to_the_log_and_standard_error_does_not() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo out\necho err >&2\nexec sleep 1000000").logged();
    let runsv = service.supervise();
    until("both", || service.read("logged") == "out\n" && runsv.stderr() == "err\n");
}

#[test]
fn the_output_of_finish_and_of_control_programs_goes_to_the_log() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox)
        .finish("echo finish\necho finish err >&2")
        .script("control/d", "echo control\necho control err >&2")
        .logged();
    let runsv = service.supervise();
    until_asleep(&service);
    service.send(b"d");
    service.until_lines("logged", 2);
    let mut lines: Vec<_> = service.read("logged").lines().map(String::from).collect();
    lines.sort();
    assert_eq!(lines, ["control", "finish"]);
    until("the errors", || runsv.stderr().lines().count() == 2);
    assert!(runsv.stderr().contains("finish err\n") && runsv.stderr().contains("control err\n"));
}

#[test]
fn the_log_service_writes_where_runsv_does() {
    let sandbox = Sandbox::new();
    sandbox.service("plain").run_forever().script("log/run", "echo out\necho err >&2\nexec cat >/dev/null");
    let mut command = sandbox.command("runsv");
    command.arg("plain").stdout(fs::File::create(sandbox.join("out")).unwrap());
    let runsv = sandbox.start(command);
    until("both", || sandbox.read("out") == "out\n" && runsv.stderr() == "err\n");
}

#[test]
fn the_pipe_is_the_same_after_restarts_of_either_side() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    let _runsv = service.supervise();
    let (pid, log) = (until_asleep(&service), until_log_up(&service));
    let pipe = descriptor(pid, 1);
    assert!(pipe.starts_with("pipe:"), "{pipe}");
    assert_eq!(descriptor(log, 0), pipe);
    service.send(b"k");
    service.send_log(b"k");
    let pid = until_asleep_again(&service, pid);
    until("another log service", || service.log_status().pid() != log);
    let log = until_log_up(&service);
    assert_eq!((descriptor(pid, 1), descriptor(log, 0)), (pipe.clone(), pipe));
}

#[test]
fn nothing_is_lost_while_the_log_service_is_down() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("seq 1000\necho >>written\nexec sleep 1000000")
        .logged()
        .file("log/down", "");
    let _runsv = service.supervise();
    service.until_lines("written", 1);
    let pid = until_asleep(&service);
    service.send(b"k");
    service.until_up_again(pid);
    service.until_lines("written", 2);
    service.send_log(b"u");
    service.until_lines("logged", 2000);
    let expected: String = (0..2).flat_map(|_| 1..=1000).map(|number| format!("{number}\n")).collect();
    assert_eq!(service.read("logged"), expected);
}

#[test]
fn nothing_is_lost_over_restarts_of_the_log_service() {
    let sandbox = Sandbox::new();
    // The shell reads byte by byte, so it takes one line and leaves the rest in the pipe.
    let service = sandbox
        .service("plain")
        .run("seq 100\nexec sleep 1000000")
        .script("log/run", "read line\necho $line >>../logged\ntest $line -ge 3 && exec cat >>../logged");
    let _runsv = service.supervise();
    service.until_lines("logged", 100);
    let expected: String = (1..=100).map(|number| format!("{number}\n")).collect();
    assert_eq!(service.read("logged"), expected);
}

#[test]
fn a_service_waits_for_room_in_the_pipe() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("seq 50000\necho >>written\nexec sleep 1000000")
        .logged()
        .file("log/down", "");
    let _runsv = service.supervise();
    let pid = service.until_up();
    until("a full pipe", || sandbox.named("seq").first().is_some_and(|&pid| is_writing(pid)));
    assert_eq!((service.status().pid(), service.lines("written")), (pid, 0));
    service.send_log(b"u");
    service.until_lines("logged", 50_000);
    service.until_lines("written", 1);
    assert_eq!(service.status().pid(), pid);
}

/// Whether a process sleeps in a system call, which for `seq` can only be a write.
fn is_writing(pid: i32) -> bool {
    field(pid, "State").starts_with('S')
}

#[test]
fn the_pipe_does_not_become_non_blocking() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged();
    let _runsv = service.supervise();
    let (pid, log) = (until_asleep(&service), until_log_up(&service));
    let flags = |pid: i32, fd: i32| {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim().to_owned();
        u32::from_str_radix(&flags, 8).unwrap()
    };
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits();
    assert_eq!((flags(pid, 1) & nonblock, flags(log, 0) & nonblock), (0, 0));
}

#[test]
fn a_log_service_with_a_down_file_is_not_started() {
    let sandbox = Sandbox::new();
    let service =
        sandbox.service("plain").run("echo hello\nexec sleep 1000000").logged().file("log/down", "");
    let _runsv = service.supervise();
    service.until_up();
    until_log_down(&service);
    assert_eq!(service.read("log/supervise/stat"), "down\n");
    service.send_log(b"u");
    service.until_lines("logged", 1);
    assert_eq!(service.read("logged"), "hello\n");
}

#[test]
fn a_down_file_of_the_main_service_does_not_keep_its_log_down() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().down().logged();
    let _runsv = service.supervise();
    until_log_up(&service);
    assert_eq!(service.status().shown(), Shown::Down);
}

#[test]
fn a_log_service_started_once_is_not_started_again() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run_forever()
        .script("log/run", "echo >>starts\nexec sleep 1000000")
        .file("log/down", "");
    let _runsv = service.supervise();
    service.send_log(b"o");
    service.until_lines("log/starts", 1);
    until_log_up(&service);
    assert_eq!(service.log_status().want(), 'd');
    service.send_log(b"k");
    until_log_down(&service);
    assert_eq!(service.lines("log/starts"), 1);
}

#[test]
fn a_log_service_that_dies_is_started_again() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let _runsv = service.supervise();
    let log = until_log_up(&service);
    service.send_log(b"k");
    until("another log service", || service.log_status().pid() != log);
    until_log_up(&service);
}

#[test]
fn a_missing_log_run_is_told_of_and_tried_again() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().file("log/x", "");
    let runsv = service.supervise();
    until("two tries", || runsv.stderr().lines().count() >= 2);
    let text = "runsv plain: fatal: unable to start log/./run: file does not exist";
    assert!(runsv.stderr().lines().all(|line| line == text), "{}", runsv.stderr());
    service.until_up();
    let service = service.logged();
    until_log_up(&service);
}

#[test]
fn a_log_directory_taken_away_is_told_of() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run_forever().logged();
    let runsv = service.supervise();
    let (pid, log) = (service.until_up(), until_log_up(&service));
    fs::rename(service.join("log"), service.join("gone")).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(log).unwrap(), Signal::KILL).unwrap();
    until_said(&service, &runsv, "fatal: unable to change directory to ./log: file does not exist");
    assert_eq!(service.status().pid(), pid);
}

#[test]
fn on_exit_the_log_service_sees_the_end_of_its_input_and_no_signal() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("log/run", TELLING);
    let mut runsv = service.supervise();
    until_asleep(&service);
    until_log_up(&service);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.read("told"), "end\n");
}

#[test]
fn on_exit_the_log_service_is_awaited() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox)
        .script("log/run", &format!("cat >>../logged\ncd ..\necho >>waiting\n{UNTIL_GO}\necho >>done"));
    let mut runsv = service.supervise();
    until_asleep(&service);
    let log = until_log_up(&service);
    service.send(b"x");
    service.until_lines("waiting", 1);
    until("its status", || service.log_status().0[16..] == [0, b'd', 0, 1]);
    assert_eq!(service.read("log/supervise/stat"), "run, want exit\n");
    assert_eq!(service.log_status().pid(), log);
    assert_eq!(service.status().0[12..], [0, 0, 0, 0, 0, b'd', 0, 0]);
    assert!(runsv.lives());
    go(&service);
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!(service.lines("done"), 1);
    assert_eq!(service.read("log/supervise/stat"), "down\n");
}

#[test]
fn the_last_words_of_a_service_are_logged() {
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("plain")
        .run("trap 'seq 1000; exit' TERM\necho >>ready\nwhile :; do sleep 0.01; done")
        .finish("echo bye")
        .logged();
    let mut runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"x");
    runsv.ended();
    assert_eq!(service.lines("logged"), 1001);
    assert!(service.read("logged").ends_with("1000\nbye\n"));
}

#[test]
fn runsv_does_not_wait_for_a_log_service_that_is_down() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).logged().file("log/down", "");
    let mut runsv = service.supervise();
    until_asleep(&service);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn t_and_d_end_a_log_service_that_ignores_the_end_of_its_input() {
    for letter in [b"t", b"d"] {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox).script("log/run", "echo >>starts\nexec sleep 1000000");
        let mut runsv = service.supervise();
        until_asleep(&service);
        service.until_lines("log/starts", 1);
        until_log_up(&service);
        service.send(b"x");
        until("the wait for the log service", || service.read("log/supervise/stat") == "run, want exit\n");
        assert!(runsv.lives());
        service.send_log(letter);
        assert_eq!(runsv.ended().code(), Some(0));
        assert_eq!(service.lines("log/starts"), 1);
    }
}

#[test]
fn once_only_the_log_service_is_waited_for_commands_to_the_main_one_are_ignored() {
    if only_svbox("final exit") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox).script("log/run", "exec sleep 1000000");
    let mut runsv = service.supervise();
    until_asleep(&service);
    until_log_up(&service);
    service.send(b"x");
    until("the wait for the log service", || service.read("log/supervise/stat") == "run, want exit\n");
    service.send(b"uo");
    service.send_log(b"t");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((service.lines("starts"), runsv.stderr().as_str()), (1, ""));
}

#[test]
fn a_stray_process_that_holds_the_pipe_does_not_hold_runsv_for_ever() {
    if only_svbox("stray holder") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("sleep 1000001 &\nexec sleep 1000000").logged();
    let mut runsv = service.supervise();
    until_asleep(&service);
    until_log_up(&service);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_ne!(runsv.stderr(), "");
}

#[test]
fn a_log_directory_made_later_is_picked_up() {
    if only_svbox("late log") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo hello\nexec sleep 1000000");
    let _runsv = service.supervise();
    let pid = until_asleep(&service);
    let service = service.script("new/run", "exec cat >>../logged");
    fs::rename(service.join("new"), service.join("log")).unwrap();
    service.send(b"t");
    service.until_up_again(pid);
    service.until_lines("logged", 1);
}

#[test]
fn so_it_is_for_a_service_that_was_taken_over() {
    if only_svbox("late log") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("plain").run("echo hello\nexec sleep 1000000");
    let mut first = service.supervise();
    let pid = until_asleep(&service);
    first.signal(Signal::KILL);
    first.ended();
    let _second = service.supervise();
    let service = service.script("new/run", "exec cat >>../logged");
    fs::rename(service.join("new"), service.join("log")).unwrap();
    service.send(b"t");
    service.until_up_again(pid);
    service.until_lines("logged", 1);
}

#[test]
fn two_services_do_not_share_a_log_pipe() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run("echo one\nexec sleep 1000000").logged();
    let two = sandbox.service("two").run("echo two\nexec sleep 1000000").logged();
    let _runsv = (one.supervise(), two.supervise());
    one.until_lines("logged", 1);
    two.until_lines("logged", 1);
    assert_eq!((one.read("logged"), two.read("logged")), ("one\n".into(), "two\n".into()));
}

#[test]
fn a_log_directory_that_cannot_be_used_later_is_warned_about_once() {
    if only_svbox("late log") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run("echo >>runs; exec sleep 1000000");
    let runsv = service.supervise();
    let pid = service.until_up();
    let service = service.file("log/supervise", "");
    service.send(b"k");
    let pid = service.until_up_again(pid);
    service.send(b"k");
    service.until_up_again(pid);
    let text = "runsv s: warning: unable to open log/supervise/lock: not a directory\n";
    assert_eq!(runsv.stderr(), text);
}
