//! The end of a container with services: in order.

use super::*;

/// A script that writes this down a while after TERM, and is ready when there is a line in `/out/ready`.
fn slow(name: &str) -> String {
    format!(
        "trap 'sleep 0.2; echo {name} >>/out/order; echo {name} has ended; exit 0' TERM
        echo {name} >>/out/ready
        while :; do sleep 0.01; done"
    )
}

/// A shell command that leaves a process behind, which runs this in a session of its own.
pub fn left_behind(script: &str) -> String {
    let script = script.replace('\'', "'\\''");
    format!("(setsid sh -c '{script}' >/dev/null 2>&1 &)")
}

#[test]
fn the_command_ends_before_the_services_and_those_before_what_they_have_left_behind() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let stray = left_behind(&slow("stray"));
    sandbox.service("service/one").run(&format!("{stray}\n{}", slow("service")));
    let mut container = Container::new(&sandbox).start(&["sh", "-c", &slow("command")]);
    until_lines(&sandbox, "out/ready", 3);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/order"), "command\nservice\nstray\n");
}

#[test]
fn the_last_words_of_a_service_are_in_its_log() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for name in ["one", "two", "three"] {
        let service = sandbox.service(&format!("service/{name}")).run(&slow(name));
        service.script(
            "log/run",
            &format!(
                "trap '' TERM; echo >>/out/loggers; cat >>/out/log.{name}; sleep 0.1
            echo logger of {name} has ended >>/out/log.{name}"
            ),
        );
    }
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/ready", 3);
    until_lines(&sandbox, "out/loggers", 3);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    for name in ["one", "two", "three"] {
        let expected = format!("{name} has ended\nlogger of {name} has ended\n");
        assert_eq!(sandbox.read(format!("out/log.{name}")), expected);
    }
}

#[test]
fn a_real_logger_has_the_last_words_too() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for_everybody(&sandbox, "out/log");
    let service = sandbox.service("service/one").run(&slow("service"));
    service.script("log/run", "exec svlogd /out/log");
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/ready", 1);
    until("a logger", || sandbox.join("out/log/current").exists());
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/log/current"), "service has ended\n");
}

#[test]
fn when_the_command_ends_services_are_stopped_in_order_and_its_code_counts() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let stray = left_behind(&slow("stray"));
    sandbox.service("service/one").run(&format!("{stray}\n{}", slow("service")));
    let command = "until test \"$(cat /out/ready | wc -l)\" = 2; do sleep 0.01; done; exit 7";
    let mut container = Container::new(&sandbox).start(&["sh", "-c", command]);
    ends(&mut container, 7, "pid1: command has ended: exit 7");
    assert_eq!(sandbox.read("out/order"), "service\nstray\n");
}

#[test]
fn a_command_that_is_stopped_gets_cont_with_term_and_so_does_what_is_left_behind() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let stopped =
        |name: &str| format!("trap 'echo {name} >>/out/order; exit' TERM; kill -STOP $$; sleep 1000000");
    sandbox.service("service/one").run(&format!("{}\n{FOREVER}", left_behind(&stopped("stray"))));
    let mut container = Container::new(&sandbox).start(&["sh", "-c", &stopped("command")]);
    let rests = |pid: &i32| status_of(*pid, "State").is_some_and(|state| state.starts_with('T'));
    until("two that are stopped", || container.processes().0.iter().filter(|pid| rests(pid)).count() == 2);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/order"), "command\nstray\n");
}

#[test]
fn services_that_were_stopped_on_request_make_0_whatever_becomes_of_the_command() {
    if only_svbox("containers") {
        return;
    }
    for end in ["trap 'exit 4' TERM", ":"] {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(FOREVER);
        let command = format!("{end}; echo >/out/ready; while :; do sleep 0.01; done");
        let mut container = Container::new(&sandbox).start(&["sh", "-c", &command]);
        until_lines(&sandbox, "out/ready", 1);
        up(&sandbox, "service/one");
        container.signal(15);
        ends(&mut container, 0, "pid1: stopped: signal 15");
    }
}

#[test]
fn more_signals_that_ask_for_the_end_change_nothing() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/slow").run(
        "trap 'echo >>/out/told' TERM; echo >/out/ready
        until test -e /out/leave; do sleep 0.01; done; echo bye >/out/bye",
    );
    let mut container = Container::new(&sandbox).start(&["-t", "1000"]);
    until_lines(&sandbox, "out/ready", 1);
    container.signal(2);
    until_lines(&sandbox, "out/told", 1);
    for number in [15, 2, 30, 37, 1, 10, 15] {
        container.signal(number);
    }
    assert!(container.lives());
    sandbox.write("out/leave", "");
    ends(&mut container, 0, "pid1: stopped: signal 2");
    assert_eq!((sandbox.read("out/bye").as_str(), sandbox.read("out/told").as_str()), ("bye\n", "\n"));
}

#[test]
fn a_request_during_the_start_is_kept() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for number in 0..100 {
        sandbox.service(&format!("service/s{number}")).run(FOREVER).logged();
    }
    let mut container = Container::new(&sandbox).start(&[]);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
}

#[test]
fn a_request_while_directories_of_links_are_made_is_kept() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    // The second link takes as long as it needs for the test to see the first.
    let slow = "inject=symlinkat:delay_enter=1000000:when=2";
    let trace = [
        "/usr/bin/strace",
        "-D",
        "-I2",
        "-qq",
        "-o",
        "/out/trace",
        "-e",
        "trace=symlinkat",
        "-e",
        "signal=none",
    ];
    let program = [&trace[..], &["-e", slow, "/program/pid1"]].concat();
    sandbox.service("service/two").run(FOREVER);
    let mut container = Container::new(&sandbox).read_only(true).program(&program).start(&["-t", "1000"]);
    let made = |name: &str| sandbox.join("run/svbox/service").join(name).join("run").is_symlink();
    until("the first link", || made("one") || made("two"));
    kill(container.pid(), rustix::process::Signal::TERM);
    ends(&mut container, 0, "pid1: stopped: signal 15");
}

#[test]
fn a_request_while_services_start_stops_those_that_have() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = "trap 'echo >>/out/stopped; exit' TERM; echo >>/out/started; while :; do sleep 0.02; done";
    for number in 0..40 {
        sandbox.service(&format!("service/s{number}")).run(run);
    }
    let mut container = Container::new(&sandbox).start(&["-t", "1000"]);
    until_lines(&sandbox, "out/started", 5);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/stopped"), sandbox.read("out/started"));
}

#[test]
fn nothing_is_started_again_while_the_end_is_under_way() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/slow").run(
        "trap 'echo >/out/told' TERM; echo >/out/ready
        until test -e /out/leave; do sleep 0.01; done",
    );
    sandbox.service("service/quick").run("echo >>/out/starts; exec sleep 1000000").finish("echo >>/out/ends");
    let mut container = Container::new(&sandbox).start(&["-t", "1000"]);
    until_lines(&sandbox, "out/ready", 1);
    until_lines(&sandbox, "out/starts", 1);
    container.signal(15);
    until_lines(&sandbox, "out/told", 1);
    until_lines(&sandbox, "out/ends", 1);
    sandbox.write("out/leave", "");
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!((sandbox.read("out/starts").as_str(), sandbox.read("out/ends").as_str()), ("\n", "\n"));
}

#[test]
fn services_that_stop_one_after_the_other_have_the_time_of_each() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let deaf = "trap '' TERM; echo >>/out/ready; while :; do sleep 1; done";
    sandbox.service("service/first").run(deaf).file("timeout-kill", "6000").file("needs/last", "");
    let last = slow("last").replace("sleep 0.2", "sleep 5");
    // Each of them would be within the usual ten seconds.
    sandbox.service("service/last").run(&last).file("timeout-kill", "7000");
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/ready", 2);
    container.signal(15);
    assert_eq!(container.ended(), Some(0), "{}", container.stderr());
    assert!(sandbox.join("out/order").exists());
}

#[test]
fn a_service_has_the_time_that_its_own_files_say_unless_one_is_said() {
    if only_svbox("containers") {
        return;
    }
    for (options, bye, code) in [(&[] as &[&str], true, 0), (&["-t", "1"], false, 137)] {
        let sandbox = Sandbox::new();
        let run = slow("service").replace("sleep 0.2", "sleep 11");
        sandbox.service("service/one").run(&run).file("timeout-kill", "60000");
        let mut container = Container::new(&sandbox).start(options);
        until_lines(&sandbox, "out/ready", 1);
        container.signal(15);
        assert_eq!(container.ended(), Some(code), "{}", container.stderr());
        assert_eq!(sandbox.join("out/order").exists(), bye);
    }
}
