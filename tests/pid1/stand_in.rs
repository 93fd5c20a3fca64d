//! What stands in for services that cannot keep their state.

use super::state::{UNABLE, shadow, stops, unable};
use super::*;
use std::path::PathBuf;

#[test]
fn where_services_cannot_keep_their_state_directories_of_links_stand_in_for_them() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        let one = sandbox.service("service/one").run("cat data/file >/out/data; exec sleep 1000000");
        let one =
            one.script("log/run", "cat note >/out/note; exec cat >>/out/logged").file("log/note", "noted\n");
        let one = one.file("data/file", "content\n").finish("echo finished >/out/finished");
        one.file("check", "");
        let mut container = unable(&sandbox, case).start(&[]);
        let shadow = shadow(&sandbox, "one");
        until_lines(&sandbox, "out/data", 1);
        until_lines(&sandbox, "out/note", 1);
        let link = |path: &str| fs::read_link(shadow.join(path)).ok();
        for file in ["run", "data", "finish", "check"] {
            assert_eq!(link(file), Some(PathBuf::from(format!("/service/one/{file}"))), "{case:?}");
        }
        for file in ["run", "note"] {
            assert_eq!(link(&format!("log/{file}")), Some(PathBuf::from(format!("/service/one/log/{file}"))));
        }
        for dir in ["", "supervise", "log", "log/supervise"] {
            assert!(fs::symlink_metadata(shadow.join(dir)).unwrap().is_dir(), "{dir}");
        }
        assert!(!sandbox.join("service/one/supervise").exists());
        stops(&mut container);
        assert_eq!(sandbox.read("out/finished"), "finished\n");
    }
}

#[test]
fn sv_finds_services_that_others_stand_in_for() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(FOREVER);
        let container = unable(&sandbox, case).start(&[]);
        shadow(&sandbox, "one");
        let output = container.run(&["sv", "status", "one"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.starts_with("run: one: (pid ") && output.status.success(), "{output:?}");
        assert!(container.run(&["sv", "-w", "50", "down", "one"]).status.success());
        let said = container.run(&["sv", "status", "one"]).stdout;
        assert!(String::from_utf8_lossy(&said).starts_with("down: one: "), "{said:?}");
    }
}

/// The services are where the variable says, or the state is; the path of that may be relative.
#[test]
fn services_and_the_command_are_told_where_others_stand_in() {
    if only_svbox("containers") {
        return;
    }
    let look = |who: &str| {
        format!(
            "until sv status one >/dev/null; do sleep 0.1; done; echo $SVDIR >/out/{who}; exec sleep 1000000"
        )
    };
    for (variable, args, scan) in [
        ("SVDIR=/service", &[][..], "/run/svbox/service"),
        ("SVDIR=/service", &["-E", "-d", "/out/state"], "/out/state/service"),
        ("A=b", &["-d", "out/state"], "/out/state/service"),
        ("SVDIR=/nowhere", &["-d", "/service"], "/run/svbox/service"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(&look("service"));
        let container = Container::new(&sandbox).read_only(true).variable(variable);
        let container = container.start(&[args, &["--", "sh", "-c", &look("command")]].concat());
        for file in ["out/command", "out/service"] {
            until_lines(&sandbox, file, 1);
            assert_eq!(sandbox.read(file), format!("{scan}\n"), "{variable} {args:?}: {file}");
        }
        let told = format!("SVDIR={scan}");
        let output = container.run(&["env", &told, "sv", "status", "one"]);
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn down_and_essential_count_where_others_stand_in_too() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run("exit 9").file("essential", "").down();
        // Beside the services there is no room for their state.
        let mut container = unable(&sandbox, case).start(&["-d", "/service"]);
        let shadow = Service { sandbox: &sandbox, name: "run/svbox/service/one".into() };
        until("a supervisor", || shadow.is_supervised());
        shadow.until_shown(Shown::Down);
        assert!(container.run(&["sv", "status", "one"]).status.success());
        // From outside: in the container sv could end with it.
        shadow.send(b"o");
        ends(&mut container, 9, "pid1: essential service has ended: exit 9");
    }
}

#[test]
fn a_service_that_can_keep_its_state_is_linked_as_it_is_beside_one_that_cannot() {
    if only_svbox("containers") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/able").run(FOREVER);
    for_everybody(&sandbox, "service/able");
    sandbox.service("service/unable").run(FOREVER);
    let mut container = unable(&sandbox, (false, Some(USER))).start(&[]);
    up(&sandbox, "service/able");
    shadow(&sandbox, "unable");
    let link = fs::read_link(sandbox.join("run/svbox/service/able")).unwrap();
    assert_eq!(link, Path::new("/service/able"));
    assert!(!sandbox.join("service/unable/supervise").exists());
    assert!(container.run(&["sv", "status", "able", "unable"]).status.success());
    stops(&mut container);
}

#[test]
fn a_service_that_only_its_log_keeps_from_keeping_its_state_is_stood_in_for() {
    if only_svbox("containers") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER).script("log/run", "echo >/out/log; exec cat");
    for_everybody(&sandbox, "service/one/supervise");
    let mut container = unable(&sandbox, (false, Some(USER))).start(&[]);
    until_lines(&sandbox, "out/log", 1);
    stops(&mut container);
}

#[test]
fn the_next_container_takes_the_same_state_directory() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run("echo >>/out/starts; exec sleep 1000000").logged();
        let first = unable(&sandbox, case).variable("OLD=1").variable("BOTH=1").start(&[]);
        shadow(&sandbox, "one");
        until_lines(&sandbox, "out/starts", 1);
        // Killed, with everything that it kept left as it was.
        drop(first);
        until("the end of the first", || sandbox.processes().is_empty());
        let mut second = unable(&sandbox, case).variable("BOTH=2").start(&[]);
        until_lines(&sandbox, "out/starts", 2);
        assert_eq!(sandbox.read("run/svbox/env/BOTH").trim_end(), "2");
        assert!(!sandbox.join("run/svbox/env/OLD").exists());
        stops(&mut second);
    }
}

#[test]
fn what_stands_in_follows_the_services_from_one_container_to_the_next() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        let run = |name: &str| format!("echo >>/out/{name}; exec sleep 1000000");
        let one = sandbox.service("service/one").run(&run("one")).file("old", "");
        sandbox.service("service/gone").run(&run("gone"));
        let first = unable(&sandbox, case).start(&[]);
        until_lines(&sandbox, "out/one", 1);
        until_lines(&sandbox, "out/gone", 1);
        drop(first);
        until("the end of the first", || sandbox.processes().is_empty());
        fs::remove_dir_all(sandbox.join("service/gone")).unwrap();
        fs::remove_file(one.join("old")).unwrap();
        let one = one.file("new", "");
        sandbox.service("service/added").run(&run("added"));
        let mut second = unable(&sandbox, case).start(&[]);
        until_lines(&sandbox, "out/one", 2);
        until_lines(&sandbox, "out/added", 1);
        let stand_in = sandbox.join("run/svbox/service").join("one");
        assert!(stand_in.join("new").is_symlink() && one.join("new").exists());
        assert!(!stand_in.join("old").is_symlink(), "{case:?}: a link to what is gone");
        assert!(!sandbox.join("run/svbox/service/gone").exists(), "{case:?}: a service that is gone");
        stops(&mut second);
        assert_eq!(sandbox.read("out/gone"), "\n");
    }
}

#[test]
fn hundreds_of_services_are_stood_in_for() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for number in 0..300 {
        sandbox.service(&format!("service/s{number}")).run("echo >>/out/up; exec sleep 1000000");
    }
    let mut container = Container::new(&sandbox).read_only(true).start(&["-t", "1000"]);
    until_lines(&sandbox, "out/up", 300);
    stops(&mut container);
    assert_eq!(fs::read_dir(sandbox.join("run/svbox/service")).unwrap().count(), 300);
}

#[test]
fn instances_of_templates_are_what_they_are_where_others_stand_in() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        let tty = sandbox.service("service/tty@").run("echo $# $1 >/out/$1; exec sleep 1000000");
        tty.script("log/run", "echo $# $1 >/out/log-$1; exec cat >/dev/null");
        for name in ["one", "two"] {
            std::os::unix::fs::symlink("tty@", sandbox.join(format!("service/tty@{name}"))).unwrap();
        }
        let mut container = unable(&sandbox, case).start(&[]);
        for name in ["one", "two", "log-one", "log-two"] {
            until_lines(&sandbox, &format!("out/{name}"), 1);
            let argument = name.trim_start_matches("log-");
            assert_eq!(sandbox.read(format!("out/{name}")), format!("1 {argument}\n"), "{case:?}");
        }
        let output = container.run(&["sv", "-w", "50", "start", "tty@one", "tty@three"]);
        assert!(output.status.success(), "{output:?}");
        until_lines(&sandbox, "out/three", 1);
        stops(&mut container);
    }
}

#[test]
fn an_instance_that_keeps_its_state_is_one_beside_a_service_that_cannot() {
    if only_svbox("containers") || only_root() {
        return;
    }
    for case in UNABLE {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(FOREVER);
        // Its state is where it can be written.
        let tty = sandbox.service("service/tty@").run("echo $# $1 >/out/$1; exec sleep 1000000");
        std::os::unix::fs::symlink("/out/instances", tty.join("instances")).unwrap();
        std::os::unix::fs::symlink("tty@", sandbox.join("service/tty@one")).unwrap();
        let mut container = unable(&sandbox, case).start(&[]);
        until_lines(&sandbox, "out/one", 1);
        assert_eq!(sandbox.read("out/one"), "1 one\n", "{case:?}");
        assert!(sandbox.join("out/instances/one/supervise/status").exists());
        stops(&mut container);
    }
}
