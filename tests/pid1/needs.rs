//! Services of a container that need each other.

use super::*;

/// A service that tells of its start and its end in `/out/events`, is ready then, and needs others.
fn member<'s>(sandbox: &'s Sandbox, name: &str, needs: &[&str]) -> Service<'s> {
    let run = format!(
        "trap 'echo end {name} >>/out/events; exit' TERM; echo up {name} >>/out/events; echo >&3
        until test -e /out/go.{name}; do sleep 0.01; done; echo gone {name} >>/out/events; exit 5"
    );
    let service = sandbox.service(&format!("service/{name}")).run(&run).file("notification-fd", "3");
    needs.iter().fold(service, |service, need| service.file(&format!("needs/{need}"), ""))
}

fn events(sandbox: &Sandbox) -> String {
    sandbox.read("out/events").replace('\n', ", ")
}

/// Waits until all three have started in their order, with an essential one in the middle.
fn three<'s>(sandbox: &'s Sandbox, container: Container<'s>) -> Contained<'s> {
    member(sandbox, "a-web", &["b-app", "c-db"]);
    member(sandbox, "b-app", &["c-db"]).file("essential", "").file("restart", "never");
    member(sandbox, "c-db", &[]);
    let container = container.start(&[]);
    until_lines(sandbox, "out/events", 3);
    assert_eq!(events(sandbox), "up c-db, up b-app, up a-web, ");
    container
}

#[test]
fn they_start_and_stop_in_their_order() {
    if only_svbox("containers") {
        return;
    }
    for read_only in [false, true] {
        let sandbox = Sandbox::new();
        let mut container = three(&sandbox, Container::new(&sandbox).read_only(read_only));
        container.signal(15);
        ends(&mut container, 0, "pid1: stopped: signal 15");
        assert_eq!(events(&sandbox), "up c-db, up b-app, up a-web, end a-web, end b-app, end c-db, ");
    }
}

#[test]
fn when_an_essential_one_has_ended_the_others_end_in_their_order() {
    if only_svbox("containers") {
        return;
    }
    for read_only in [false, true] {
        let sandbox = Sandbox::new();
        let mut container = three(&sandbox, Container::new(&sandbox).read_only(read_only));
        sandbox.write("out/go.b-app", "");
        ends(&mut container, 5, "pid1: essential service has ended: exit 5");
        assert_eq!(events(&sandbox), "up c-db, up b-app, up a-web, gone b-app, end a-web, end c-db, ");
    }
}

#[test]
fn one_that_ends_with_what_it_needs_and_comes_back_with_it_is_not_at_its_end() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = three(&sandbox, Container::new(&sandbox));
    let first = "up c-db, up b-app, up a-web, ";
    container.run(&["sv", "down", "/service/c-db"]);
    until_lines(&sandbox, "out/events", 6);
    assert_eq!(events(&sandbox), format!("{first}end a-web, end b-app, end c-db, "));
    assert!(container.lives());
    container.run(&["sv", "up", "/service/c-db"]);
    until_lines(&sandbox, "out/events", 9);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    let once = format!("{first}end a-web, end b-app, end c-db, ");
    assert_eq!(events(&sandbox), format!("{once}{once}"));
}
