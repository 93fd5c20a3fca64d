//! Ansible's module for runit, run as Ansible runs it on the machine: it reads what `sv status` prints.

use super::*;
use std::process::Command;

/// What the module reports after it has been given these parameters.
#[track_caller]
fn runit(sandbox: &Sandbox, parameters: &str) -> String {
    let dir = sandbox.path().display();
    let places = format!("\"service_dir\": \"{dir}/scan\", \"service_src\": \"{dir}/sv\"");
    let text = format!("{{\"ANSIBLE_MODULE_ARGS\": {{\"name\": \"web\", {places}, {parameters}}}}}");
    let arguments = sandbox.write("arguments", text);
    // Debian's own, whichever there is besides.
    let mut command: Command = sandbox.command("/usr/bin/python3");
    said(&command.arg(client("runit.py")).arg(arguments).output().unwrap())
}

/// Whether it has changed anything, and the state and process number that it has read.
#[track_caller]
fn state(sandbox: &Sandbox, parameters: &str) -> (bool, String, Option<i32>) {
    let report = runit(sandbox, parameters);
    let value = |name: &str| {
        let (_, rest) =
            report.split_once(&format!("\"{name}\": ")).unwrap_or_else(|| panic!("{name}: {report}"));
        rest.split([',', '}']).next().unwrap().trim_matches('"').to_owned()
    };
    (value("changed") == "true", value("state"), value("pid").parse().ok())
}

#[test]
fn ansible_starts_and_stops_what_is_not_as_it_should_be() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let service = sandbox.service("sv/web").run_forever().logged();
    scan.link(&service);
    let _runsvdir = scan.start(&[], &[]);
    let pid = service.until_up();
    let (changed, shown, found) = state(&sandbox, "\"state\": \"started\"");
    assert_eq!((changed, shown.as_str(), found), (false, "started", Some(pid)));
    // Once it has stopped it the module still reports the process that it had found.
    let (changed, shown, _) = state(&sandbox, "\"state\": \"stopped\"");
    assert_eq!((changed, shown.as_str()), (true, "stopped"));
    let (changed, shown, found) = state(&sandbox, "\"state\": \"stopped\"");
    assert_eq!((changed, shown.as_str(), found), (false, "stopped", None));
    let (changed, shown, found) = state(&sandbox, "\"state\": \"started\"");
    let next = service.until_up();
    assert_eq!((changed, shown.as_str(), found), (true, "started", Some(next)));
    assert_ne!(next, pid);
    assert!(state(&sandbox, "\"state\": \"restarted\"").0);
    let pid = service.until_up_again(next);
    let (changed, shown, _) = state(&sandbox, "\"state\": \"killed\"");
    assert_eq!((changed, shown.as_str()), (true, "stopped"));
    assert!(state(&sandbox, "\"state\": \"once\"").0);
    service.until_up_again(pid);
}

#[test]
fn ansible_links_a_service_and_starts_it() {
    if only_svbox("appears") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let service = sandbox.service("sv/web").run_forever();
    let _runsvdir = scan.start(&[], &[]);
    let (changed, shown, pid) = state(&sandbox, "\"enabled\": true, \"state\": \"started\"");
    assert!(changed && shown == "started" && pid == Some(service.until_up()), "{shown} {pid:?}");
    assert!(runit(&sandbox, "\"enabled\": false").contains("\"changed\": true"));
    until("the end of its supervisor", || !service.is_supervised());
}
