//! `notification-fd`, `check-interval`, `check-fails`, `timeout-ready`, `supervise/ready`.

use super::*;

pub(super) fn is_ready(service: &Service<'_>) -> bool {
    service.join("supervise/ready").exists()
}

/// A service that says that it is ready when the file `go` is there.
pub(super) fn telling<'s>(sandbox: &'s Sandbox, number: u32) -> Service<'s> {
    let body = format!(
        "echo >>up\nuntil test -e go; do sleep 0.01; done\necho ready >/proc/self/fd/{number}\nexec sleep 1000000"
    );
    counted(sandbox, &body).file("notification-fd", &format!("{number}\n"))
}

#[test]
fn a_line_on_the_descriptor_means_ready() {
    if only_svbox("own files") {
        return;
    }
    // Low numbers are those that runsv itself uses.
    for number in [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 100] {
        let sandbox = Sandbox::new();
        let service = telling(&sandbox, number);
        let runsv = service.supervise();
        service.until_up();
        service.until_lines("up", 1);
        assert!(!is_ready(&service));
        sandbox.write("one/go", "");
        until("that it is ready", || is_ready(&service));
        down(&service);
        assert!(!is_ready(&service));
        assert_eq!(runsv.stderr(), "");
    }
}

#[test]
fn sv_waits_for_it() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    // What sv would ask elsewhere is not asked here.
    let service = telling(&sandbox, 3).down().script("check", "echo >>checked; exit 1");
    let _runsv = service.supervise();
    let output = service.sv(&["-w", "1", "start"]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("timeout: run: "), "{output:?}");
    let check = service.sv(&["-w", "0", "check"]);
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    sandbox.write("one/go", "");
    let output = service.sv(&["-w", "60", "start"]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("ok: run: "), "{output:?}");
    assert!(is_ready(&service) && service.sv(&["check"]).status.success());
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    assert!(is_ready(&service));
    assert_eq!(service.lines("checked"), 0);
}

#[test]
fn without_a_pipe_or_a_socket_for_it_it_is_not_started_yet() {
    if only_svbox("own files") {
        return;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| is_not_started_without("notification-fd", "pipe2"));
        is_not_started_without("notify-socket", "socket");
    });
}

fn is_not_started_without(file: &str, call: &str) {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "(echo >&3) 2>>said; exec sleep 1000000").file(file, "3");
    let mut command = traced(&sandbox, &format!("{call}:error=EMFILE:when=1"), "runsv");
    command.arg("one");
    let runsv = sandbox.start(command);
    service.until_lines("starts", 1);
    let sleeping = "runsv one: warning: unable to create pipe or socket to be ready with, sleeping: ";
    assert_eq!(runsv.stderr(), format!("{sleeping}process cannot open more files\n"));
    until("that it is ready", || file != "notification-fd" || service.join("supervise/ready").exists());
}

#[test]
fn the_descriptor_is_blocking_and_the_only_one_more() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let plain = sandbox.service("plain").run_forever();
    let telling = sandbox.service("telling").run_forever().file("notification-fd", "7");
    let (_first, _second) = (plain.supervise(), telling.supervise());
    let descriptors = |service: &Service<'_>| -> Vec<String> {
        let pid = service.until_up();
        until("a service that sleeps", || sandbox.named("sleep").contains(&pid));
        let mut names: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    // A program that has just begun opens its libraries.
    until("one more", || {
        let mut expected = descriptors(&plain);
        expected.push("7".into());
        expected.sort();
        descriptors(&telling) == expected
    });
    let info = fs::read_to_string(format!("/proc/{}/fdinfo/7", telling.status().pid())).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
    // O_WRONLY, and neither O_NONBLOCK nor O_CLOEXEC.
    assert_eq!(u32::from_str_radix(flags, 8).unwrap() & 0o2_004_003, 1, "{flags}");
}

#[test]
fn what_is_no_line_is_not_ready_and_neither_is_a_closed_descriptor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "printf half >&3\nexec 3>&-\necho >>closed\nexec sleep 1000000")
        .file("notification-fd", "3")
        .file("timeout-ready", "500");
    let runsv = service.supervise();
    // It is stopped when its time is over, and started again.
    service.until_lines("closed", 2);
    until_said(&service, &runsv, "service does not become ready in time, stopping it");
    assert!(!is_ready(&service));
}

#[test]
fn a_service_that_is_ready_in_time_is_left_alone() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).file("timeout-ready", "3000").file("go", "");
    let runsv = service.supervise();
    until("that it is ready", || is_ready(&service));
    let pid = service.until_up();
    let ready = std::time::Instant::now();
    until("the time is over", || ready.elapsed() > Duration::from_millis(3100));
    assert_eq!((service.status().pid(), runsv.stderr().as_str()), (pid, ""));
}

#[test]
fn check_is_asked_until_it_passes_and_not_after_that() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000")
        .file("check-interval", "20")
        .script("check", "echo >>checked; test -e go");
    let _runsv = service.supervise();
    service.until_lines("checked", 3);
    assert!(!is_ready(&service));
    sandbox.write("one/go", "");
    until("that it is ready", || is_ready(&service));
    let asked = service.lines("checked");
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    assert_eq!(service.lines("checked"), asked + 1);
}

#[test]
fn a_service_that_does_not_answer_is_stopped_and_that_is_a_death() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000")
        .file("check-interval", "20")
        .file("check-fails", "3")
        .file("restart", "always delay=10ms")
        .script("check", "echo >>checked; test ! -e sick")
        .script("notify", "echo \"$@\" >>told");
    let runsv = service.supervise();
    until("that it is ready", || is_ready(&service));
    service.until_lines("checked", 5);
    let pid = service.until_up();
    sandbox.write("one/sick", "");
    until_said(&service, &runsv, "service does not answer, stopping it");
    until("another one", || service.lines("starts") == 2);
    fs::remove_file(service.join("sick")).unwrap();
    assert_ne!(service.until_up(), pid);
    until("that it is ready again", || is_ready(&service));
    until("that notify has been told", || service.read("told") == "died -1 15 1\n");
    assert!(service.read("supervise/deaths").ends_with(" -1 15\n"));
}

#[test]
fn what_is_stopped_for_that_or_is_not_ready_in_time_has_failed_even_if_it_exits_0() {
    if only_svbox("own files") {
        return;
    }
    for (file, text) in [("check-fails", "2"), ("timeout-ready", "200")] {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox, "trap 'exit 0' TERM\nwhile :; do sleep 0.01; done")
            .file("check-interval", "20")
            .file(file, text)
            .file("restart", "on-failure delay=10ms")
            .script("check", if file == "check-fails" { "test ! -e sick" } else { "exit 1" });
        let _runsv = service.supervise();
        if file == "check-fails" {
            until("that it is ready", || is_ready(&service));
            sandbox.write("one/sick", "");
        }
        until("that it has exited 0", || service.read("supervise/deaths").contains(" 0 0\n"));
        let deaths = service.lines("supervise/deaths");
        service.until_lines("starts", deaths + 1);
    }
}

#[test]
fn one_failure_of_a_check_is_forgiven() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000")
        .file("check-interval", "10")
        .file("check-fails", "2")
        // Every other time.
        .script("check", "echo >>checked; test $(($(wc -l <checked) % 2)) = 1");
    let runsv = service.supervise();
    service.until_lines("checked", 30);
    assert_eq!((service.lines("starts"), runsv.stderr().as_str()), (1, ""));
}

#[test]
fn what_was_ready_stays_so_for_the_next_supervisor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).file("go", "");
    let mut runsv = service.supervise();
    until("that it is ready", || is_ready(&service));
    let pid = service.until_up();
    runsv.signal(rustix::process::Signal::KILL);
    runsv.ended();
    let mut runsv = service.supervise();
    assert!(is_ready(&service) && service.status().pid() == pid);
    down(&service);
    assert!(!is_ready(&service));
    // What is left of one that was killed together with its service does not stay.
    runsv.signal(rustix::process::Signal::KILL);
    runsv.ended();
    sandbox.write("one/supervise/ready", "");
    sandbox.write("one/down", "");
    let _runsv = service.supervise();
    until("that it is not ready", || !is_ready(&service));
}

#[test]
fn the_time_to_become_ready_is_not_the_time_to_end() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(
        &sandbox,
        "trap 'until test -e go; do sleep 0.01; done; exit 5' TERM\necho >>up\nwhile :; do sleep 0.01; done",
    )
    .file("notification-fd", "3")
    .file("timeout-ready", "700")
    .finish("echo $1 >>ended");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    service.send(b"d");
    let told = std::time::Instant::now();
    until("the time to become ready is over", || told.elapsed() > Duration::from_millis(1000));
    sandbox.write("one/go", "");
    service.until_lines("ended", 1);
    // It was not killed. That it was slow to become ready may have been told first, on a machine that was slower.
    assert_eq!(service.read("ended"), "5\n", "{}", runsv.stderr());
}

#[test]
fn a_service_that_is_called_back_while_it_starts_can_become_ready() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = telling(&sandbox, 3).script("control/t", "echo >>asked");
    let _runsv = service.supervise();
    service.until_lines("up", 1);
    service.send(b"d");
    service.until_lines("asked", 1);
    service.send(b"u");
    until("that it is wanted up", || service.status().want() == 'u');
    sandbox.write("one/go", "");
    until("that it is ready", || is_ready(&service));
}

#[test]
fn sv_does_not_wait_for_what_no_supervisor_tells() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        sandbox.service("one").run_forever().file("check-interval", "0").file("notification-fd", "two");
    let _runsv = service.supervise();
    assert!(service.sv(&["-w", "60", "start"]).status.success());
}

/// A service whose `./check` has a child and does not end.
fn hanging<'s>(sandbox: &'s Sandbox) -> Service<'s> {
    counted(sandbox, "exec tail -f /dev/null")
        .file("check-interval", "20")
        .script("check", "echo $$ >>checked; sleep 1000000; exit 1")
}

#[track_caller]
fn child_of_check(service: &Service<'_>) -> i32 {
    until_some("a child of check", || service.sandbox.named("sleep").first().copied())
}

#[test]
fn a_check_that_hangs_is_killed_with_what_it_has_started() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = hanging(&sandbox);
    let _runsv = service.supervise();
    let child = child_of_check(&service);
    service.until_lines("checked", 2);
    until("the end of the child", || !sandbox.named("sleep").contains(&child));
    // Nobody has killed the supervisor or the service.
    let (pid, child) = (service.until_up(), child_of_check(&service));
    down(&service);
    until("the end of the next one, too", || sandbox.named("sleep").is_empty());
    assert!(child != pid && service.lines("starts") == 1);
}

#[test]
fn a_check_that_is_killed_takes_along_what_it_has_started() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = hanging(&sandbox);
    let _runsv = service.supervise();
    let child = child_of_check(&service);
    let check = service.read("checked").lines().next().and_then(|line| line.parse().ok()).unwrap();
    // On a machine that is very slow it may have been killed already.
    let _ = rustix::process::kill_process(
        rustix::process::Pid::from_raw(check).unwrap(),
        rustix::process::Signal::TERM,
    );
    service.until_lines("checked", 2);
    until("the end of the child", || !sandbox.named("sleep").contains(&child));
}

#[test]
fn check_is_in_a_process_group_of_its_own_and_in_the_session_of_all() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = hanging(&sandbox).script("check", "cut -d' ' -f1,5,6 /proc/$$/stat >found; exit 0");
    let runsv = service.supervise();
    until("that it is ready", || is_ready(&service));
    let numbers: Vec<i32> =
        service.read("found").split_whitespace().map(|word| word.parse().unwrap()).collect();
    // From /proc: of a session that began outside of the process namespace the number is 0.
    let stat = fs::read_to_string(format!("/proc/{}/stat", runsv.pid())).unwrap();
    let session = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap().parse().unwrap();
    assert_eq!(numbers, [numbers[0], numbers[0], session]);
}

#[test]
fn a_check_that_cannot_be_run_is_told_of_once_in_a_run() {
    if only_svbox("own files") {
        return;
    }
    for there in [false, true] {
        let sandbox = Sandbox::new();
        let service = counted(&sandbox, "exec sleep 1000000").file("check-interval", "20");
        let service = if there { service.file("check", "#!/bin/sh\nexit 0\n") } else { service };
        let runsv = service.supervise();
        let why = if there { "access denied" } else { "file does not exist" };
        let told = format!("runsv one: fatal: unable to run ./check: {why}\n");
        for run in 1..3 {
            service.until_lines("starts", run);
            until("the reason", || runsv.stderr().matches(&told).count() == run);
            // Until it passes it has been tried some times more.
            let asked = std::time::Instant::now();
            until("a few times more", || asked.elapsed() > Duration::from_millis(300));
            assert_eq!(runsv.stderr().matches(&told).count(), run);
            service.send(b"t");
        }
        let _ = fs::remove_file(service.join("check"));
        let _service = service.script("check", "exit 0");
        until("that it is ready", || sandbox.join("one/supervise/ready").exists());
    }
}

#[test]
fn a_log_service_has_no_readiness() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().logged().file("log/notification-fd", "3");
    let _runsv = service.supervise();
    until("a logger", || service.join("log/supervise/ok").exists() && service.log_status().pid() != 0);
    for (dir, name) in [("", "./one/log"), ("one", "./log/"), ("one", "log/")] {
        let mut sv = sandbox.command("sv");
        sv.current_dir(sandbox.join(dir)).args(["-w", "20", "start", name]);
        let output = sv.output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
    }
}

#[test]
fn a_service_whose_name_is_log_has_readiness() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("log").run_forever().file("notification-fd", "3");
    let _runsv = service.supervise();
    service.until_up();
    let path = sandbox.path().to_str().unwrap();
    let mut named = sandbox.command("sv");
    named.args(["-w", "0", "start", "log"]).env("SVDIR", path);
    let mut at = sandbox.command("sv");
    at.args(["-w", "0", "start"]).arg(format!("{path}/log"));
    for mut sv in [named, at] {
        let output = sv.output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("timeout: run: "), "{output:?}");
    }
}
