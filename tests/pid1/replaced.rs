//! A runsvdir that was killed is replaced.

use super::*;

/// The runsvdir that is there, when it is another than this.
#[track_caller]
fn runsvdir(container: &Contained<'_>, other_than: i32) -> i32 {
    until_some("a runsvdir", || named(container, "runsvdir").into_iter().find(|pid| *pid != other_than))
}

#[test]
fn a_killed_runsvdir_is_replaced_and_services_go_on_once_each() {
    if only_svbox("containers") {
        return;
    }
    for read_only in [false, true] {
        let sandbox = Sandbox::new();
        let run = |name: &str| {
            format!(
                "trap 'echo {name} >>/out/ended; exit' TERM; echo {name} >>/out/starts
            while :; do sleep 0.01; done"
            )
        };
        for name in ["one", "two"] {
            sandbox.service(&format!("service/{name}")).run(&run(name)).script("log/run", "exec cat");
        }
        let mut container = Container::new(&sandbox).read_only(read_only).start(&[]);
        until_lines(&sandbox, "out/starts", 2);
        until("two supervisors", || named(&container, "runsv").len() == 2);
        let mut supervisors = named(&container, "runsv");
        let mut last = 0;
        for _ in 0..2 {
            last = runsvdir(&container, last);
            kill(last, rustix::process::Signal::KILL);
        }
        last = runsvdir(&container, last);
        // It is at work when it has replaced a supervisor that was killed, and that has taken over its service.
        let killed = supervisors.remove(0);
        kill(killed, rustix::process::Signal::KILL);
        until("two supervisors again", || {
            let now = named(&container, "runsv");
            now.len() == 2 && !now.contains(&killed) && now.contains(&supervisors[0])
        });
        assert_eq!(runsvdir(&container, 0), last);
        assert!(container.lives());
        container.signal(15);
        ends(&mut container, 0, "pid1: stopped: signal 15");
        assert_eq!(sandbox.read("out/starts").lines().count(), 2, "{}", container.stderr());
        assert_eq!(sandbox.read("out/ended").lines().count(), 2);
    }
}

#[test]
fn a_request_while_there_is_no_runsvdir_stops_the_services_all_the_same() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(
        "trap 'echo >>/out/ended; exit' TERM; echo >>/out/starts
        while :; do sleep 0.01; done",
    );
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/starts", 1);
    up(&sandbox, "service/one");
    let killed = runsvdir(&container, 0);
    kill(killed, rustix::process::Signal::KILL);
    until("its end", || !Path::new(&format!("/proc/{killed}")).exists());
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/starts"), "\n");
    assert!(sandbox.join("out/ended").exists());
}

#[test]
fn the_last_words_are_in_the_log_even_if_there_is_no_runsvdir_when_the_end_is_asked_for() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for_everybody(&sandbox, "out/log");
    let run = "trap 'sleep 0.3; echo bye; exit' TERM; echo >>/out/starts; while :; do sleep 0.01; done";
    sandbox.service("service/one").run(run).script("log/run", "exec svlogd /out/log");
    let mut container = Container::new(&sandbox).start(&[]);
    until_lines(&sandbox, "out/starts", 1);
    until("a logger", || sandbox.join("out/log/current").exists());
    let killed = runsvdir(&container, 0);
    kill(killed, rustix::process::Signal::KILL);
    until("its end", || !Path::new(&format!("/proc/{killed}")).exists());
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(sandbox.read("out/log/current"), "bye\n");
}

#[test]
fn an_essential_service_counts_after_the_runsvdir_was_replaced() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("service/one").run("until test -e /out/go; do sleep 0.01; done; exit 9");
    let one = one.file("essential", "");
    let mut container = Container::new(&sandbox).start(&[]);
    one.until_up();
    let killed = runsvdir(&container, 0);
    kill(killed, rustix::process::Signal::KILL);
    runsvdir(&container, killed);
    one.send(b"o");
    until("a supervisor that has heard", || one.status().want() == 'd');
    sandbox.write("out/go", "");
    ends(&mut container, 9, "pid1: essential service has ended: exit 9");
}

#[test]
fn a_runsvdir_that_is_killed_while_it_stops_services_does_not_keep_the_container() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/slow").run(
        "trap 'echo >/out/told' TERM; echo >/out/ready
        until test -e /out/leave; do sleep 0.01; done; echo bye >/out/bye",
    );
    let mut container = Container::new(&sandbox).start(&["-t", "1000"]);
    until_lines(&sandbox, "out/ready", 1);
    container.signal(15);
    until_lines(&sandbox, "out/told", 1);
    kill(runsvdir(&container, 0), rustix::process::Signal::KILL);
    sandbox.write("out/leave", "");
    assert!(container.ended().is_some());
    assert_eq!(sandbox.read("out/bye"), "bye\n");
    assert!(last_line(&container).starts_with("pid1: stopped: signal 15"), "{}", container.stderr());
}
