//! What comes late: files beside a service that runs, an answer after all, a supervisor.

use super::between::{pass_checks, replace};
use super::ready::{is_ready, telling};
use super::socket::{say, saying};
use super::*;

const ILL: &str = "service does not answer, stopping it";
const LATE: &str = "service does not become ready in time, stopping it";

/// A service that stays until there is a file `leave`, and is asked often whether there is no file `ill`.
fn asked(sandbox: &Sandbox) -> Service<'_> {
    let service = counted(sandbox, "until test -e leave; do sleep 0.01; done").file("check-interval", "50");
    service.script("check", "echo >>asked; ! test -e ill")
}

/// Waits until it has been asked so often after now.
#[track_caller]
fn until_asked(service: &Service<'_>, times: usize) {
    let lines = service.lines("asked");
    service.until_lines("asked", lines + times);
}

#[track_caller]
fn until_ready(service: &Service<'_>) {
    until("that it is ready", || is_ready(service));
}

#[test]
fn one_that_was_started_without_files_is_ready_for_the_next_supervisor_too() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let runsv = service.supervise();
    let pid = service.until_up();
    let service = service.file("notification-fd", "3").file("timeout-ready", "100");
    let runsv = replace(&service, runsv);
    until_ready(&service);
    pass_checks(&sandbox, "clock");
    assert_eq!((service.until_up(), runsv.stderr().as_str()), (pid, ""));
}

#[test]
fn what_is_in_a_pipe_of_the_services_own_is_not_read() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(
        &sandbox,
        "mkfifo pipe; exec 4<>pipe; echo hello >&4; echo >>up
        until test -e go; do sleep 0.01; done; read -r line <&4; echo $line >>got; exec sleep 1000000",
    );
    let service = service.file("notification-fd", "4");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    let _runsv = replace(&service, runsv);
    service.send(b"p");
    until("a pause", || service.status().paused());
    service.send(b"c");
    assert!(!is_ready(&service));
    sandbox.write("one/go", "");
    until("what it has in its pipe", || service.read("got") == "hello\n");
}

#[test]
fn it_is_asked_to_end_once_at_a_time() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let cure = "echo >>told; until test -e cure; do sleep 0.01; done; rm ill";
    let service = asked(&sandbox).file("check-fails", "2").script("control/t", cure);
    let runsv = service.supervise();
    until_ready(&service);
    let pid = service.until_up();
    sandbox.write("one/ill", "");
    service.until_lines("told", 1);
    until_asked(&service, 8);
    assert_eq!(times_said(&runsv, ILL), 1);
    sandbox.write("one/cure", "");
    until("its cure", || !service.join("ill").exists());
    until_asked(&service, 8);
    assert_eq!((service.lines("told"), service.until_up(), times_said(&runsv, ILL)), (1, pid, 1));
}

#[test]
fn what_has_become_well_again_has_not_ended_for_that() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = asked(&sandbox).file("check-fails", "1").script("control/t", "rm ill");
    let service = service.file("restart", "on-failure delay=1ms");
    let runsv = service.supervise();
    until_ready(&service);
    sandbox.write("one/ill", "");
    until_said(&service, &runsv, ILL);
    until("its cure", || !service.join("ill").exists());
    until_asked(&service, 4);
    sandbox.write("one/leave", "");
    until("that it is down for good", || {
        service.status().shown() == Shown::Down && service.status().want() == 'd'
    });
    assert_eq!(service.lines("starts"), 1);
}

#[test]
fn what_seems_well_while_it_is_asked_to_end_has_ended_for_that() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = asked(&sandbox).file("check-fails", "1").file("restart", "on-failure delay=1ms");
    let service = service.run("echo >>starts; trap exit TERM; while :; do sleep 0.01; done");
    let service = service.script("control/t", "rm ill; until test -e go; do sleep 0.01; done; exit 1");
    let _runsv = service.supervise();
    until_ready(&service);
    sandbox.write("one/ill", "");
    until("its cure", || !service.join("ill").exists());
    until_asked(&service, 4);
    sandbox.write("one/go", "");
    service.until_lines("starts", 2);
    assert_eq!(service.lines("supervise/deaths"), 1);
}

#[test]
fn what_the_files_ask_for_while_it_runs_counts_from_the_next_command_on() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = asked(&sandbox);
    let runsv = service.supervise();
    until_ready(&service);
    // Those are no more asked, as long as nobody wants to know whether they fail.
    let service = service.file("check-fails", "1");
    service.send(b"c");
    until_asked(&service, 2);
    sandbox.write("one/ill", "");
    until_said(&service, &runsv, ILL);
}

#[test]
fn so_does_what_tells_that_it_is_ready_and_when_it_has_to_be() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    let service = service.script("check", "test -e passes").file("check-interval", "50");
    sandbox.write("one/passes", "");
    service.send(b"c");
    until_ready(&service);
    down(&service);
    fs::remove_file(service.join("passes")).unwrap();
    service.send(b"u");
    service.until_lines("up", 2);
    service.until_up();
    let service = service.file("timeout-ready", "100");
    service.send(b"c");
    until_said(&service, &runsv, LATE);
}

#[test]
fn what_is_ready_late_can_fail_to_answer_as_any_other() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).file("timeout-ready", "100").file("check-interval", "50");
    let service = service.file("check-fails", "1").script("check", "test -e go && ! test -e ill");
    let service = service.script("control/t", "! test -e ill");
    let runsv = service.supervise();
    until_said(&service, &runsv, LATE);
    sandbox.write("one/go", "");
    until_ready(&service);
    sandbox.write("one/ill", "");
    until_said(&service, &runsv, ILL);
    service.until_lines("up", 2);
}

#[test]
fn nothing_has_to_become_ready_while_it_is_paused() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    service.send(b"p");
    until("a pause", || service.status().paused());
    let service = service.file("timeout-ready", "100");
    service.send(b"p");
    pass_checks(&sandbox, "clock");
    assert_eq!(runsv.stderr(), "");
    service.send(b"c");
    until_said(&service, &runsv, LATE);
}

#[test]
fn a_check_that_was_at_work_in_a_pause_does_not_count() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let slow =
        "echo >>asked; test -e slow || exit 0; echo >>waits; until test -e fail; do sleep 0.01; done; exit 1";
    let service = asked(&sandbox).script("check", slow).file("check-fails", "1");
    let runsv = service.supervise();
    until_ready(&service);
    let pid = service.until_up();
    service.send(b"p");
    until("a pause", || service.status().paused());
    sandbox.write("one/slow", "");
    service.until_lines("waits", 1);
    service.send(b"c");
    until("its end", || !service.status().paused());
    fs::remove_file(service.join("slow")).unwrap();
    sandbox.write("one/fail", "");
    until_asked(&service, 4);
    assert_eq!((service.until_up(), runsv.stderr().as_str()), (pid, ""));
}

#[test]
fn what_cannot_be_shown_to_be_ready_has_to_answer_all_the_same() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = asked(&sandbox).file("check-fails", "1").script("check", "test -e good");
    let runsv = service.supervise();
    service.until_up();
    fs::create_dir(service.join("supervise/ready")).unwrap();
    sandbox.write("one/good", "");
    until_said(&service, &runsv, "unable to open supervise/ready: is a directory");
    fs::remove_file(service.join("good")).unwrap();
    until_said(&service, &runsv, ILL);
}

#[test]
fn what_it_says_once_more_is_shown_if_it_could_not_be() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("up", 1);
    say(&service, "STATUS=one");
    until("its words", || service.read("supervise/message") == "one\n");
    fs::create_dir(service.join("supervise/message.new")).unwrap();
    say(&service, "STATUS=two|READY=1");
    until_ready(&service);
    fs::remove_dir(service.join("supervise/message.new")).unwrap();
    say(&service, "STATUS=two");
    until("its words", || service.read("supervise/message") == "two\n");
    down(&service);
    assert!(!service.join("supervise/message").exists());
}

#[test]
fn a_nul_at_the_end_and_returns_are_no_part_of_what_is_said() {
    if only_svbox("own files") {
        return;
    }
    for words in ["READY=1\0", "READY=1\r", "STATUS=a\r|READY=1\r|X=1\0"] {
        let sandbox = Sandbox::new();
        let service = saying(&sandbox);
        let _runsv = service.supervise();
        service.until_lines("up", 1);
        say(&service, words);
        until_ready(&service);
    }
}

#[test]
fn an_environment_may_have_thousands_of_variables() {
    if only_svbox("own files") {
        return;
    }
    // Up to 128 have a small list, up to 8192 a large one.
    for count in [100, 125, 126, 127, 128, 4000, 9000] {
        let sandbox = Sandbox::new();
        let run = "env | grep -c '^MANY\\|^NOTIFY' >found\nexec sleep 1000000";
        let service = sandbox.service("one").run(run).file("notify-socket", "");
        let mut command = sandbox.command("runsv");
        command.arg("one").env_clear().env("PATH", "/usr/bin:/bin");
        command.envs((0..count).map(|number| (format!("MANY{number}"), "")));
        let runsv = sandbox.start(command);
        let refused = "runsv one: fatal: unable to start ./run: argument list too long\n";
        match count {
            9000 => until("a word", || runsv.stderr().starts_with(refused)),
            _ => until("its environment", || service.read("found") == format!("{}\n", count + 1)),
        }
    }
}

#[test]
fn a_logger_that_was_left_behind_is_started_again_by_the_next_supervisor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = "sleep 1000000 & echo $! >>stranger\nexec sleep 1000000";
    let service = sandbox.service("one").run(run).logged();
    let runsv = service.supervise();
    service.until_up();
    service.until_lines("stranger", 1);
    service.send(b"x");
    until("that its logger is to end", || service.log_status().want() == 'd');
    let _runsv = replace(&service, runsv);
    service.until_up();
    let pid = service.log_status().pid();
    service.send_log(b"t");
    until("another logger", || ![0, pid].contains(&service.log_status().pid()));
    for stranger in service.read("stranger").lines() {
        kill(stranger.parse().unwrap(), rustix::process::Signal::KILL);
    }
}

#[test]
fn the_time_that_control_t_takes_is_not_that_of_the_service() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = "trap 'echo >>term; exit' TERM\necho >>up\nwhile :; do sleep 0.01; done";
    let service =
        counted(&sandbox, run).file("timeout-kill", "3000").script("control/t", "exec sleep 1000000");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    down(&service);
    assert_eq!((service.lines("term"), runsv.stderr().as_str()), (1, ""));
}
