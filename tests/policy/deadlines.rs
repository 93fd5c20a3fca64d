//! `timeout-kill`, `timeout-finish`, `down-signal`, `reload-signal`.

use super::*;

/// A service that TERM does not end.
const STUBBORN: &str = "trap 'echo >>term' TERM\necho >>ready\nwhile :; do sleep 0.01; done";

#[test]
fn what_does_not_end_in_time_is_killed() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, STUBBORN).file("timeout-kill", "300").finish("echo $1 $2 >>ended");
    let runsv = service.supervise();
    service.until_lines("ready", 1);
    let told = now();
    down(&service);
    assert!(now() - told >= Duration::from_millis(298));
    assert_eq!((service.lines("term"), service.read("ended").as_str()), (1, "-1 9\n"));
    until_said(&service, &runsv, "service does not end in time, sending KILL");
}

#[test]
fn what_ends_in_time_is_not() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        counted(&sandbox, "exec sleep 1000000").file("timeout-kill", "60000").finish("echo $1 $2 >>ended");
    let runsv = service.supervise();
    service.until_up();
    down(&service);
    assert_eq!((service.read("ended").as_str(), runsv.stderr().as_str()), ("-1 15\n", ""));
}

#[test]
fn the_deadline_holds_for_each_end_and_not_for_the_next_run() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, STUBBORN).file("timeout-kill", "200");
    let runsv = service.supervise();
    for runs in 1..4 {
        service.until_lines("ready", runs);
        service.send(b"t");
    }
    service.until_lines("ready", 4);
    assert_eq!(times_said(&runsv, "service does not end in time, sending KILL"), 3);
    let pid = service.until_up();
    service.send(b"x");
    until("its end", || !service.is_supervised());
    assert!(!sandbox.processes().contains(&pid));
}

#[test]
fn a_paused_service_is_ended_too() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000").file("timeout-kill", "300");
    let _runsv = service.supervise();
    service.until_lines("starts", 1);
    service.send(b"pt");
    service.until_lines("starts", 2);
}

#[test]
fn a_finish_that_does_not_end_in_time_is_killed() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000")
        .file("timeout-finish", "200")
        .finish("echo >>finish; exec sleep 1000000");
    let runsv = service.supervise();
    service.until_up();
    service.send(b"d");
    service.until_lines("finish", 1);
    service.until_shown(Shown::Down);
    until_said(&service, &runsv, "./finish does not end in time, sending KILL");
}

#[test]
fn a_control_program_that_hangs_is_killed_and_the_signal_sent() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000")
        .file("timeout-kill", "300")
        .script("control/t", "echo >>asked; exec sleep 1000000");
    let _runsv = service.supervise();
    service.until_up();
    service.send(b"d");
    service.until_lines("asked", 1);
    service.until_shown(Shown::Down);
    assert_eq!(sandbox.named("sleep"), []);
}

#[test]
fn other_signals_are_sent_where_files_say_so() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let body = "trap 'echo usr1 >>got' USR1\ntrap 'echo hup >>got' HUP\ntrap 'echo quit >>got; exit' QUIT\necho >>ready\nwhile :; do sleep 0.01; done";
    let service = counted(&sandbox, body).file("down-signal", "QUIT").file("reload-signal", "SIGUSR1");
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"h");
    until("USR1", || service.read("got") == "usr1\n");
    service.send(b"t");
    service.until_lines("ready", 2);
    down(&service);
    assert_eq!(service.read("got"), "usr1\nquit\nquit\n");
}

#[test]
fn sv_waits_as_long_as_the_service_may_take() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    // It takes longer than the seven seconds that sv has of its own accord.
    let service = counted(&sandbox, STUBBORN).file("timeout-kill", "7500");
    let _runsv = service.supervise();
    service.until_lines("ready", 1);
    let output = service.sv(&["stop"]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("ok: down: "), "{output:?}");
    assert!(service.sv(&["-w", "60", "start"]).status.success());
    service.until_lines("ready", 2);
    let output = service.sv(&["-w", "0", "stop"]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("timeout: run: "), "{output:?}");
}

#[test]
fn the_next_supervisor_ends_what_the_last_one_has_told_to() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, STUBBORN).file("timeout-kill", "60000");
    let mut runsv = service.supervise();
    service.until_lines("ready", 1);
    service.send(b"d");
    service.until_lines("term", 1);
    until("that it is known", || service.status().term());
    runsv.signal(rustix::process::Signal::KILL);
    runsv.ended();
    sandbox.write("one/timeout-kill", "300");
    let _runsv = service.supervise();
    service.until_shown(Shown::Down);
    assert_eq!(service.lines("starts"), 1);
}

/// Gives each service its order at the same time, and waits until sv has seen it obeyed.
#[track_caller]
fn assert_waited_for(orders: &[(&str, &Service<'_>)]) {
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let order = |(word, service)| scope.spawn(move || Service::sv(service, &[word]));
        let threads: Vec<_> = orders.iter().copied().map(order).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
}

#[test]
fn sv_waits_for_control_programs_at_a_stop() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    // Together they take longer than the seven seconds that timeout-kill and one more leave.
    let service = |name, after| {
        let service = sandbox.service(name).run_forever().finish("exit 0").file("timeout-kill", "6000");
        service.script("control/t", "sleep 4; exit 1").script(after, "echo >>asked; sleep 4; echo >>done")
    };
    let (stops, exits) = (service("stops", "control/d"), service("exits", "control/x"));
    let _supervisors = [stops.supervise(), exits.supervise()];
    for service in [&stops, &exits] {
        service.until_up();
    }
    assert_waited_for(&[("stop", &stops), ("shutdown", &exits)]);
    assert_eq!((stops.lines("done"), exits.lines("done")), (1, 1));
}

#[test]
fn sv_waits_for_control_programs_and_for_readiness_at_a_restart() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let asks = sandbox.service("asks").run_forever().file("timeout-kill", "6000");
    let asks = asks.script("control/t", "sleep 4; exit 1").script("control/u", "test ! -e go || sleep 4");
    let becomes = "test ! -e go || sleep 8; echo >&3; exec sleep 1000000";
    let tells = sandbox.service("tells").run(becomes).file("timeout-kill", "1000");
    let tells = tells.file("notification-fd", "3").file("timeout-ready", "30000");
    let _supervisors = [asks.supervise(), tells.supervise()];
    for service in [&asks, &tells] {
        assert!(service.sv(&["-w", "60", "start"]).status.success());
        fs::write(service.join("go"), "").unwrap();
    }
    assert_waited_for(&[("restart", &asks), ("force-reload", &tells)]);
    assert!(tells.join("supervise/ready").exists());
}
