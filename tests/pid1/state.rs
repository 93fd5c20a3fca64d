//! Where the state of services is kept.

use super::*;

/// The ways in which services cannot keep their state: a root that is read-only, and another user.
pub const UNABLE: [(bool, Option<u32>); 3] = [(true, None), (false, Some(USER)), (true, Some(USER))];

/// A container whose services cannot keep their state.
pub fn unable(sandbox: &Sandbox, (read_only, user): (bool, Option<u32>)) -> Container<'_> {
    Container::new(sandbox).read_only(read_only).user(user)
}

/// Waits until the service that stands in for this one is up.
#[track_caller]
pub fn shadow<'s>(sandbox: &'s Sandbox, name: &str) -> Service<'s> {
    let service = Service { sandbox, name: format!("run/svbox/service/{name}") };
    service.until_up();
    service
}

/// Ends it, and sees that all went well.
#[track_caller]
pub fn stops(container: &mut Contained<'_>) {
    container.signal(15);
    ends(container, 0, "pid1: stopped: signal 15");
    assert_eq!(container.stderr(), "pid1: stopped: signal 15\n");
}

#[test]
fn services_that_can_keep_their_state_do_and_the_environment_lies_beside_them() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER).logged();
    let mut container = Container::new(&sandbox).variable("A=b").start(&["-d", "/service"]);
    up(&sandbox, "service/one");
    assert_eq!(sandbox.read("service/.svbox/env/A").trim_end(), "b");
    stops(&mut container);
    assert!(!sandbox.join("service/.svbox/service").exists());
    assert!(!sandbox.join("run/svbox").exists());
}

#[test]
fn names_of_services_that_are_links_lead_to_them() {
    if only_svbox("containers") {
        return;
    }
    for read_only in [false, true] {
        let sandbox = Sandbox::new();
        sandbox.service("service/.all/one").run("pwd >/out/ran; exec sleep 1000000").file("file", "");
        std::os::unix::fs::symlink(".all/one", sandbox.join("service/one")).unwrap();
        let mut container = Container::new(&sandbox).read_only(read_only).start(&[]);
        until_lines(&sandbox, "out/ran", 1);
        stops(&mut container);
    }
}

#[test]
fn supervise_may_be_a_link_to_where_state_can_be_kept() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("service/one").run("echo >>/out/ran; exec sleep 1000000");
    std::os::unix::fs::symlink("/run/supervise.one", one.join("supervise")).unwrap();
    let mut container = Container::new(&sandbox).read_only(true).start(&[]);
    until_lines(&sandbox, "out/ran", 1);
    until("its state", || sandbox.join("run/supervise.one/status").exists());
    stops(&mut container);
}

#[test]
fn state_is_kept_in_a_directory_of_d_that_has_no_services() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for (read_only, user) in UNABLE {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(FOREVER);
        let container = unable(&sandbox, (read_only, user)).variable("A=b");
        let mut container = container.start(&["-d", "/out/state"]);
        Service { sandbox: &sandbox, name: "out/state/service/one".into() }.until_up();
        assert_eq!(sandbox.read("out/state/env/A").trim_end(), "b");
        stops(&mut container);
        assert!(!sandbox.join("run/svbox").exists());
    }
}

/// What an earlier life has kept there, and what a fresh file system has, are no services; nor are a variable and a service
/// that are called as the file of one.
#[test]
fn the_directory_of_d_is_that_of_state_in_the_next_container_too() {
    if only_svbox("containers") {
        return;
    }
    for read_only in [false, true] {
        let sandbox = Sandbox::new();
        sandbox.service("service/run").run("echo >>/out/starts; exec sleep 1000000");
        fs::create_dir_all(sandbox.join("out/state/lost+found")).unwrap();
        for life in 1..=3 {
            let container = Container::new(&sandbox).read_only(read_only).variable("SVDIR=/service");
            let container = container.variable("run=/out/no").variable("setup=/out/no");
            let mut container = container.start(&["-d", "/out/state"]);
            until_lines(&sandbox, "out/starts", life);
            stops(&mut container);
        }
        assert!(!sandbox.join("out/state/.svbox").exists());
    }
}

/// One that is empty is none, and one for a single start is one.
#[test]
fn a_directory_of_d_counts_as_that_of_services_if_one_has_run_or_setup() {
    if only_svbox("containers") {
        return;
    }
    for name in ["run", "setup"] {
        let sandbox = Sandbox::new();
        sandbox.service("out/d/one").script(name, "echo >/out/ran");
        fs::create_dir_all(sandbox.join("out/d/.two")).unwrap();
        let mut container = Container::new(&sandbox).start(&["-d", "/out/d"]);
        until_lines(&sandbox, "out/ran", 1);
        container.signal(15);
        ends(&mut container, 0, "pid1: stopped: signal 15");
        assert!(sandbox.join("out/d/.svbox/env/PATH").exists(), "{name}");
    }
}

#[test]
fn where_the_state_of_services_cannot_be_kept_anywhere_that_is_fatal() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for read_only in [false, true] {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run("echo >/out/ran");
        let container = || {
            Container::new(&sandbox)
                .read_only(read_only)
                .user(Some(USER))
                .setup("chmod 755 run; mkdir -p empty")
        };
        for (args, dir) in [
            (&[][..], "/run/svbox"),
            (&["-d", "/nowhere/state"], "/nowhere/state"),
            (&["-d", "/empty"], "/empty"),
            (&["sleep", "1000000"], "/run/svbox"),
        ] {
            let mut container = container().start(args);
            assert_eq!(container.ended(), Some(111), "{args:?}: {}", container.stderr());
            let line = format!("pid1: fatal: unable to keep the state of services in {dir}");
            assert!(last_line(&container).starts_with(&line), "{args:?}: {}", container.stderr());
        }
        assert!(!sandbox.join("out/ran").exists());
    }
}

#[test]
fn without_a_run_that_can_be_written_root_needs_d() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run("echo >/out/ran; exec sleep 1000000");
    let container = || Container::new(&sandbox).read_only(true).setup("umount run; rmdir run");
    let mut refused = container().start(&[]);
    assert_eq!(refused.ended(), Some(111));
    let line = "pid1: fatal: unable to keep the state of services in /run/svbox: ";
    assert!(last_line(&refused).starts_with(line), "{}", refused.stderr());
    assert!(!sandbox.join("out/ran").exists());
    let mut container = container().start(&["-d", "/out"]);
    until_lines(&sandbox, "out/ran", 1);
    stops(&mut container);
}

#[test]
fn an_environment_that_cannot_be_kept_is_warned_about_and_services_run() {
    if only_svbox("containers") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run("echo $A >/out/ran; exec sleep 1000000");
    for_everybody(&sandbox, "service/one");
    let container = Container::new(&sandbox).user(Some(USER)).setup("chmod 755 run").variable("A=b");
    let mut container = container.start(&[]);
    until_lines(&sandbox, "out/ran", 1);
    assert_eq!(sandbox.read("out/ran"), "b\n");
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    let said = container.stderr();
    let warning = "pid1: warning: unable to keep the environment in /run/svbox";
    assert!(said.starts_with(warning) && said.lines().count() == 2, "{said}");
}
