//! Services whose end is that of the container.

use super::*;

/// An essential service with this script.
fn essential<'s>(sandbox: &'s Sandbox, run: &str) -> Service<'s> {
    sandbox.service("service/one").run(run).file("essential", "")
}

const WARNING: &str = "runsv one: warning: essential service has ended";

/// A script that says it is up, and ends so when there is a file `/out/go`.
fn then(end: &str) -> String {
    format!("echo >>/out/up; until test -e /out/go; do sleep 0.01; done; {end}")
}

/// Sends the service a command while it is up, lets it end, and sees that the container ends with the code.
#[track_caller]
fn ends_with(command: &[u8], run: &str, code: i32) {
    let sandbox = Sandbox::new();
    let one = essential(&sandbox, run);
    sandbox.service("service/other").run(
        "trap 'echo bye >/out/other; exit' TERM; echo >/out/other.up
        while :; do sleep 0.01; done",
    );
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/up", 1);
    until_lines(&sandbox, "out/other.up", 1);
    one.until_up();
    one.send(command);
    until("a supervisor that has heard", || one.status().want() == 'd' || !one.is_supervised());
    sandbox.write("out/go", "");
    ends(&mut container, code, &format!("pid1: essential service has ended: exit {code}"));
    assert!(container.stderr().contains(WARNING), "{}", container.stderr());
    assert_eq!(sandbox.read("out/other"), "bye\n");
}

#[test]
fn an_essential_service_that_ends_and_is_not_to_be_started_again_ends_the_container_with_its_code() {
    if only_svbox("containers") {
        return;
    }
    for code in [0, 1, 9, 111, 255] {
        ends_with(b"o", &then(&format!("exit {code}")), code);
    }
}

#[test]
fn an_essential_service_that_a_signal_kills_makes_128_and_its_number() {
    if only_svbox("containers") {
        return;
    }
    ends_with(b"o", &then("kill -SEGV $$"), 139);
    ends_with(b"o", &then("kill -KILL $$"), 137);
}

#[test]
fn down_ends_an_essential_service_for_good() {
    if only_svbox("containers") {
        return;
    }
    ends_with(b"d", &then(""), 143);
    ends_with(b"d", &format!("trap 'exit 9' TERM; {}", then("")), 9);
    ends_with(b"d", &format!("trap 'exit 0' TERM; {}", then("")), 0);
}

#[test]
fn exit_ends_an_essential_service_for_good() {
    if only_svbox("containers") {
        return;
    }
    ends_with(b"x", &then(""), 143);
    ends_with(b"x", &format!("trap 'exit 9' TERM; {}", then("")), 9);
    ends_with(b"x", &format!("trap 'exit 0' TERM; {}", then("")), 0);
}

#[test]
fn an_essential_service_that_crashes_is_started_again_and_once_ends_it_then() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = essential(
        &sandbox,
        "echo >>/out/up; test $(cat /out/up | wc -l) -gt 1 || exit 3
        until test -e /out/go; do sleep 0.01; done; exit 5",
    );
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/up", 2);
    assert!(container.lives());
    one.until_up();
    one.send(b"o");
    until("a supervisor that has heard", || one.status().want() == 'd');
    sandbox.write("out/go", "");
    ends(&mut container, 5, "pid1: essential service has ended: exit 5");
}

#[test]
fn an_essential_service_that_was_not_up_yet_does_not_end_the_container() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = essential(&sandbox, "exit 9").down();
    let mut container = Container::new(&sandbox).start(&[]);
    until("a supervisor", || one.is_supervised());
    one.until_shown(Shown::Down);
    one.send(b"d");
    one.send(b"o");
    ends(&mut container, 9, "pid1: essential service has ended: exit 9");
}

#[test]
fn the_finish_of_an_essential_service_runs_and_its_code_is_not_the_services() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = essential(&sandbox, &then("exit 9")).finish("echo $1 >/out/finished; exit 3");
    let mut container = Container::new(&sandbox).start(&[]);
    one.until_up();
    one.send(b"o");
    sandbox.write("out/go", "");
    ends(&mut container, 9, "pid1: essential service has ended: exit 9");
    assert_eq!(sandbox.read("out/finished"), "9\n");
}

#[test]
fn the_last_words_of_an_essential_service_are_in_its_log() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = essential(&sandbox, &then("echo last words; exit 9")).script("log/run", "exec cat >>/out/log");
    let mut container = Container::new(&sandbox).start(&[]);
    one.until_up();
    one.send(b"o");
    sandbox.write("out/go", "");
    ends(&mut container, 9, "pid1: essential service has ended: exit 9");
    assert_eq!(sandbox.read("out/log"), "last words\n");
}

/// Ends an essential service, with code 9, beside a command that ends with code 4 a while after TERM, and another
/// service.
#[track_caller]
fn ends_beside_a_command(sandbox: &Sandbox) -> Option<i32> {
    let one = essential(sandbox, &then("exit 9"));
    let other =
        "trap 'echo service >>/out/order; exit' TERM; echo >>/out/ready; while :; do sleep 0.01; done";
    sandbox.service("service/other").run(other);
    let command = "trap 'sleep 0.2; echo command >>/out/order; exit 4' TERM; echo >>/out/ready
        while :; do sleep 0.01; done";
    let mut container = Container::new(sandbox).start(&["sh", "-c", command]);
    until_lines(sandbox, "out/ready", 2);
    one.until_up();
    one.send(b"o");
    sandbox.write("out/go", "");
    let code = container.ended();
    assert_eq!(last_line(&container), "pid1: essential service has ended: exit 9");
    code
}

#[test]
fn an_essential_service_ends_the_command_and_the_other_services() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    ends_beside_a_command(&sandbox);
    let order = sandbox.read("out/order");
    assert!(order.contains("command\n") && order.contains("service\n"), "{order}");
}

#[test]
fn the_code_of_an_essential_service_counts_and_not_the_commands() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(ends_beside_a_command(&sandbox), Some(9));
}

#[test]
fn when_an_essential_service_has_ended_the_command_is_stopped_before_the_services() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    ends_beside_a_command(&sandbox);
    assert_eq!(sandbox.read("out/order"), "command\nservice\n");
}

#[test]
fn an_essential_service_that_ends_because_of_the_stop_does_not_count() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    essential(&sandbox, "trap 'exit 9' TERM; echo >/out/up; while :; do sleep 0.01; done");
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/up", 1);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
}

#[test]
fn an_end_by_an_essential_service_has_its_time_too() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = essential(&sandbox, &then("exit 9"));
    sandbox.service("service/deaf").run(DEAF);
    let mut container = Container::new(&sandbox).start(&["-t", "1"]);
    until_lines(&sandbox, "out/deaf", 1);
    one.until_up();
    one.send(b"o");
    sandbox.write("out/go", "");
    assert_eq!(container.ended(), Some(137), "{}", container.stderr());
    assert!(last_line(&container).ends_with("; not all had stopped in time and were killed"));
}

#[test]
fn sv_ends_an_essential_service_from_within() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = essential(&sandbox, "trap 'exit 9' TERM; echo >/out/up; while :; do sleep 0.01; done");
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/up", 1);
    one.until_up();
    container.run(&["sv", "down", "/service/one"]);
    ends(&mut container, 9, "pid1: essential service has ended: exit 9");
}
