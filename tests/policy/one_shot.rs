//! One-shots: `setup` in the place of `run`.

use super::*;
use rustix::process::Signal;

/// One that writes a line to `setups`, and then does this; `finish` writes its arguments to `ended`.
fn one_shot<'s>(sandbox: &'s Sandbox, body: &str) -> Service<'s> {
    let setup = format!("echo >>setups\n{body}");
    sandbox.service("one").script("setup", &setup).finish("echo $1 $2 >>ended")
}

fn shown(service: &Service<'_>) -> String {
    steady(service, &service.sv(&["status"]))
}

/// What sv has printed, with the name for the path.
fn steady(service: &Service<'_>, output: &std::process::Output) -> String {
    let path = service.sandbox.join("one/");
    String::from_utf8_lossy(&output.stdout).replace(&path.display().to_string(), "one")
}

/// Waits until it is up.
#[track_caller]
fn until_set_up(service: &Service<'_>) {
    until("it is up", || {
        let status = service.status();
        status.shown() == Shown::Run && status.pid() == 0 && service.join("supervise/ready").exists()
    });
}

#[test]
fn it_is_up_when_setup_has_exited_0_and_finish_runs_when_it_is_stopped() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "until test -e go; do sleep 0.01; done");
    let mut runsv = service.supervise();
    let setup = service.until_up();
    assert!(!service.join("supervise/ready").exists());
    assert!(shown(&service).starts_with(&format!("run: one: (pid {setup}) ")), "{}", shown(&service));
    sandbox.write("one/go", "");
    until_set_up(&service);
    assert_eq!((service.stat().as_str(), service.read("supervise/pid").as_str()), ("run", ""));
    assert!(shown(&service).starts_with("up: one: "), "{}", shown(&service));
    assert_eq!(sandbox.processes(), [runsv.pid()]);
    down(&service);
    assert_eq!((service.lines("setups"), service.read("ended").as_str()), (1, "0 0\n"));
    assert!(!service.join("supervise/ready").exists());
    service.send(b"u");
    until_set_up(&service);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((service.lines("setups"), service.lines("ended"), runsv.stderr().as_str()), (2, 2, ""));
}

#[test]
fn sv_waits_for_it() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "until test -e go; do sleep 0.01; done").down();
    let _runsv = service.supervise();
    assert_eq!(service.sv(&["-w", "0", "start"]).status.code(), Some(1));
    sandbox.write("one/go", "");
    let started = service.sv(&["-w", "60", "start"]);
    assert!(steady(&service, &started).starts_with("ok: up: one: "), "{started:?}");
    assert!(service.sv(&["-w", "60", "check"]).status.success());
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    assert_eq!((service.lines("setups"), service.read("ended").as_str()), (2, "0 0\n"));
    let stopped = service.sv(&["-w", "60", "stop"]);
    assert!(steady(&service, &stopped).starts_with("ok: down: one: "), "{stopped:?}");
    assert_eq!(service.lines("ended"), 2);
}

#[test]
fn the_status_that_sv_shows_is_read_after_it_is_found_ready() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "");
    let _runsv = service.supervise();
    until_set_up(&service);
    // One read before may still say that setup runs.
    let traced = sandbox
        .output("strace", &["-qq", "-o", "trace", "-e", "trace=%file", "sv", "-w", "60", "start", "./one"]);
    assert!(traced.status.success(), "{traced:?}");
    let trace = sandbox.read("trace");
    let (_, since) = trace.rsplit_once("supervise/ready\"").expect("it is looked at");
    assert!(since.contains("supervise/status\""), "{trace}");
}

#[test]
fn its_deaths_are_noted_where_there_is_no_other_file() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "exit 7");
    let _runsv = service.supervise();
    until("its first death", || service.read("supervise/deaths").ends_with(" 7 0\n"));
}

#[test]
fn one_that_fails_is_tried_again_like_any_service() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        one_shot(&sandbox, "test $(wc -l <setups) = 3 || exit 7").file("restart", "on-failure delay=10ms");
    let _runsv = service.supervise();
    until_set_up(&service);
    assert_eq!(service.read("ended"), "7 0\n7 0\n");
    let deaths = service.read("supervise/deaths");
    assert_eq!(deaths.lines().filter(|line| line.ends_with(" 7 0")).count(), 2, "{deaths}");
    down(&service);
    assert_eq!(service.read("ended"), "7 0\n7 0\n0 0\n");
}

#[test]
fn one_that_takes_too_long_is_stopped() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        one_shot(&sandbox, "exec sleep 1000000").file("timeout-ready", "100").file("restart", "never");
    let runsv = service.supervise();
    until_said(&service, &runsv, "service does not become ready in time, stopping it");
    service.until_lines("ended", 1);
    assert_eq!(service.read("ended"), "-1 15\n");
}

#[test]
fn the_next_supervisor_finds_it_up() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "");
    let mut runsv = service.supervise();
    until_set_up(&service);
    let since = (service.status().seconds(), service.status().nanoseconds());
    runsv.signal(Signal::KILL);
    runsv.ended();
    let mut runsv = service.supervise();
    until_set_up(&service);
    assert_eq!((service.status().seconds(), service.status().nanoseconds()), since);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    assert_eq!((service.lines("setups"), service.lines("ended")), (1, 1));
    // What an earlier start of the machine has left means nothing.
    sandbox.write("one/supervise/ready", "1\n");
    let _runsv = service.supervise();
    service.until_lines("setups", 2);
    until_set_up(&service);
    assert_ne!(service.read("supervise/ready"), "1\n");
}

#[test]
fn what_setup_has_left_ends_with_it_if_kill_scope_says_so() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "sleep 1000000 &")
        .file("kill-scope", "tree")
        .script("control/d", "echo \"<$1>\" >>told");
    let runsv = service.supervise();
    until_set_up(&service);
    until("what it leaves", || sandbox.named("sleep").len() == 1);
    down(&service);
    assert_eq!(sandbox.processes(), [runsv.pid()]);
    // The number of its process can be anybody's by now.
    assert_eq!(service.read("told"), "<>\n");
}

#[test]
fn a_group_of_the_number_that_setup_had_is_left_alone() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "sleep 1000000 &").file("kill-scope", "group");
    let _runsv = service.supervise();
    until_set_up(&service);
    until("what it leaves", || sandbox.named("sleep").len() == 1);
    down(&service);
    assert_eq!(sandbox.named("sleep").len(), 1);
}

#[test]
fn what_it_says_before_its_work_is_done_does_not_count() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "echo >&3; echo >>said; until test -e go; do sleep 0.01; done")
        .file("notification-fd", "3")
        .file("check-interval", "10")
        .script("check", "echo >>checked");
    let _runsv = service.supervise();
    service.until_lines("said", 1);
    service.until_lines("checked", 1);
    assert!(!service.join("supervise/ready").exists());
    sandbox.write("one/go", "");
    until_set_up(&service);
}

#[test]
fn ready_once_more_is_ready_in_the_same_life_of_the_machine() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let says = r#"use Socket; ($name = $ENV{NOTIFY_SOCKET}) =~ s/^@/\0/; socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
        until (-e "go") { select(undef, undef, undef, 0.01) }
        for my $word ("RELOADING=1", "READY=1\nSTATUS=again") { send($socket, $word, 0, pack("S a*", AF_UNIX, $name)) }"#;
    let service = one_shot(&sandbox, "perl ./says &").file("notify-socket", "").file("says", says);
    let mut runsv = service.supervise();
    until_set_up(&service);
    let life = service.read("supervise/ready");
    sandbox.write("one/go", "");
    until("its words", || service.join("supervise/message").exists());
    until_set_up(&service);
    assert_eq!(service.read("supervise/ready"), life);
    runsv.signal(Signal::KILL);
    runsv.ended();
    let _runsv = service.supervise();
    until_set_up(&service);
    assert_eq!(service.lines("setups"), 1);
}

#[test]
fn a_run_that_gives_way_to_setup_was_run() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run("echo >>runs; until test -e go; do sleep 0.01; done");
    let runsv = service.supervise();
    service.until_lines("runs", 1);
    let service = service.script("setup", "echo >>setups");
    std::fs::remove_file(service.join("run")).unwrap();
    service.send(b"c");
    until("that it is read", || service.unread() == 0);
    sandbox.write("one/go", "");
    until_set_up(&service);
    assert_eq!((service.lines("setups"), runsv.stderr().as_str()), (1, ""));
}

#[test]
fn a_service_with_run_has_no_use_for_setup() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever().script("setup", "echo >>setups");
    let _runsv = service.supervise();
    service.until_up();
    assert!(!service.join("setups").exists());
}

#[test]
fn signals_to_one_that_is_up_do_nothing_and_term_has_it_done_again() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = one_shot(&sandbox, "");
    let _runsv = service.supervise();
    until_set_up(&service);
    service.send(b"hpcaiq12k");
    service.send(b"t");
    service.until_lines("setups", 2);
    until_set_up(&service);
    assert_eq!(service.read("ended"), "0 0\n");
}
