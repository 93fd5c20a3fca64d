//! Every user, root and end with every other, in namespaces and under `runc`.

use super::orphans::{ORPHANS, are_collected};
use super::*;
use std::time::{Duration, Instant};

/// Root and somebody else, a root that can be written and one that cannot.
const CASES: [(Option<u32>, bool); 4] =
    [(None, false), (None, true), (Some(USER), false), (Some(USER), true)];

/// Starts a container for each case, all at once: with this service, if one is named, and these arguments.
#[track_caller]
fn each(
    runc: bool,
    service: Option<&str>,
    args: &[&str],
    look: impl Fn(&Sandbox, &mut Contained<'_>) + Sync,
) {
    if only_svbox("containers") || only_root() || (runc && without_runc()) {
        return;
    }
    let case = |(user, read_only)| {
        let sandbox = Sandbox::new();
        if let Some(run) = service {
            sandbox.service("service/one").run(run).file("essential", "");
        }
        let container = Container::new(&sandbox).user(user).read_only(read_only);
        let container = if runc { container.under_runc() } else { container };
        look(&sandbox, &mut container.start(args));
    };
    std::thread::scope(|scope| {
        let cases = CASES.map(|each| {
            (
                each,
                scope.spawn({
                    let case = &case;
                    move || case(each)
                }),
            )
        });
        for (each, thread) in cases {
            assert!(thread.join().is_ok(), "user and whether the root is read-only: {each:?}");
        }
    });
}

fn exit_7(runc: bool) {
    each(runc, None, &["--", "sh", "-c", "exit 7"], |_, container| {
        ends(container, 7, "pid1: command has ended: exit 7");
    });
    let service = "echo >/out/up; until test -e /out/go; do sleep 0.01; done; exit 7";
    each(runc, Some(service), &[], |sandbox, container| {
        until_lines(sandbox, "out/up", 1);
        once(sandbox);
        sandbox.write("out/go", "");
        ends(container, 7, "pid1: essential service has ended: exit 7");
    });
}

/// Tells the service, wherever its state is, that it is not to be started again.
#[track_caller]
fn once(sandbox: &Sandbox) {
    let service = |name: &str| Service { sandbox, name: name.into() };
    let service = until_some("a supervisor", || {
        ["service/one", "run/svbox/service/one"].iter().position(|name| service(name).is_supervised())
    });
    let service = Service { sandbox, name: ["service/one", "run/svbox/service/one"][service].into() };
    service.until_up();
    service.send(b"o");
    until("a supervisor that has heard", || service.status().want() == 'd');
}

fn segv(runc: bool) {
    each(runc, None, &["--", "sh", "-c", "kill -SEGV $$"], |_, container| {
        ends(container, 139, "pid1: command has ended: signal 11");
    });
    let service = "echo >/out/up; until test -e /out/go; do sleep 0.01; done; kill -SEGV $$";
    each(runc, Some(service), &[], |sandbox, container| {
        until_lines(sandbox, "out/up", 1);
        once(sandbox);
        sandbox.write("out/go", "");
        ends(container, 139, "pid1: essential service has ended: exit 139");
    });
}

fn term_during_start(runc: bool) {
    each(runc, Some(FOREVER), &[], |_, container| {
        container.signal(15);
        ends(container, 0, "pid1: stopped: signal 15");
    });
    each(runc, None, &["sleep", "1000000"], |_, container| {
        container.signal(15);
        ends(container, 143, "pid1: command has ended: signal 15");
    });
}

fn term_ignored(runc: bool) {
    each(runc, Some(DEAF), &["-t", "1"], |sandbox, container| {
        until_lines(sandbox, "out/deaf", 1);
        let asked = Instant::now();
        container.signal(15);
        ends(container, 137, "pid1: stopped: signal 15; not all had stopped in time and were killed");
        assert!(asked.elapsed() >= Duration::from_secs(1), "killed after {:?}", asked.elapsed());
    });
}

fn orphans(runc: bool) {
    each(runc, Some(ORPHANS), &[], |sandbox, container| {
        let pid = container.started();
        are_collected(sandbox, container, pid);
        container.signal(15);
        ends(container, 0, "pid1: stopped: signal 15");
    });
}

#[test]
fn in_namespaces_an_exit_code_is_handed_on() {
    exit_7(false);
}

#[test]
fn in_namespaces_a_signal_is_handed_on() {
    segv(false);
}

#[test]
fn in_namespaces_a_request_during_the_start_is_kept() {
    term_during_start(false);
}

#[test]
fn in_namespaces_a_service_that_ignores_term_is_killed() {
    term_ignored(false);
}

#[test]
fn in_namespaces_orphans_of_services_are_collected() {
    orphans(false);
}

#[test]
fn under_runc_an_exit_code_is_handed_on() {
    exit_7(true);
}

#[test]
fn under_runc_a_signal_is_handed_on() {
    segv(true);
}

#[test]
fn under_runc_a_request_during_the_start_is_kept() {
    term_during_start(true);
}

#[test]
fn under_runc_a_service_that_ignores_term_is_killed() {
    term_ignored(true);
}

#[test]
fn under_runc_orphans_of_services_are_collected() {
    orphans(true);
}
