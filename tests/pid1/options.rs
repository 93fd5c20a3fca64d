//! The command line.

use super::*;
use std::time::{Duration, Instant};

#[test]
fn a_wrong_command_line_exits_100() {
    if only_svbox("containers") {
        return;
    }
    for args in [
        &["-x", "true"][..],
        &["-t"],
        &["-d"],
        &["-t", "", "true"],
        &["-t", "1x", "true"],
        &["-t", "-1", "true"],
        &["-t", "99999999999999999999", "true"],
    ] {
        let sandbox = Sandbox::new();
        let mut container = Container::new(&sandbox).start(args);
        assert_eq!(container.ended(), Some(100), "{args:?}");
        assert!(container.stderr().contains("usage: pid1 "), "{args:?}: {}", container.stderr());
    }
}

#[test]
fn neither_a_command_nor_services_is_fatal() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("service")).unwrap();
    sandbox.write("service/.hidden/run", "");
    sandbox.write("service/file", "");
    let line = "pid1: fatal: neither a command nor a directory of services";
    for args in [&["-d", "/missing"][..], &["-d", "/out"], &["-d", "/out", "--"]] {
        // As nothing but this directory is there, it is what is run otherwise.
        let setup = "umount service; rmdir service";
        let mut container = Container::new(&sandbox).setup(setup).start(args);
        ends(&mut container, 100, line);
        assert_eq!(container.stderr().lines().count(), 1);
    }
}

#[test]
fn options_end_at_the_command() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    for args in
        [&["echo", "-t", "x"][..], &["--", "echo", "-t", "x"], &["-t", "5", "-E", "--", "echo", "-t", "x"]]
    {
        let mut container = Container::new(&sandbox).start(args);
        ends(&mut container, 0, "pid1: command has ended: exit 0");
        assert_eq!(container.stdout(), "-t x\n");
    }
}

#[test]
fn a_command_alone_that_does_not_end_in_the_time_it_is_given_is_killed() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut container = Container::new(&sandbox).start(&["-t", "1", "sh", "-c", DEAF]);
    until_lines(&sandbox, "out/deaf", 1);
    let asked = Instant::now();
    container.signal(15);
    let code = container.ended();
    assert!(asked.elapsed() >= Duration::from_secs(1), "killed after {:?}", asked.elapsed());
    assert_eq!(code, Some(137), "{}", container.stderr());
    assert!(
        last_line(&container).ends_with("; not all had stopped in time and were killed"),
        "{}",
        container.stderr()
    );
}

#[test]
fn the_scan_directory_is_the_one_of_d_then_that_of_svdir_then_the_first_of_three() {
    if only_svbox("containers") {
        return;
    }
    let places = ["/out/d", "/out/svdir", "/etc/service", "/service", "/var/service"];
    for first in 0..places.len() {
        let sandbox = Sandbox::new();
        let setup = places[first..].iter().map(|place| {
            let dir = place.trim_start_matches('/');
            format!("mkdir -p {dir}/one; printf '#!/bin/sh\\necho {place} >/out/ran; exec sleep 1000000\\n' >{dir}/one/run
                chmod 755 {dir}/one/run\n")
        });
        let container = Container::new(&sandbox).setup(&setup.collect::<String>());
        let container = if first < 2 { container.variable("SVDIR=/out/svdir") } else { container };
        let _container = container.start(&["-d", "/out/d"]);
        until_lines(&sandbox, "out/ran", 1);
        assert_eq!(sandbox.read("out/ran"), format!("{}\n", places[first]));
    }
}

#[test]
fn with_a_command_a_directory_without_services_does_not_count() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let container = Container::new(&sandbox).setup("mkdir -p etc/service service var/service");
    let mut container = container.start(&["sh", "-c", "exit 4"]);
    ends(&mut container, 4, "pid1: command has ended: exit 4");
    assert!(!sandbox.join("run/svbox").exists());
}

#[test]
fn without_a_command_a_directory_without_services_is_run_and_waits_for_them() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("service")).unwrap();
    let mut container = Container::new(&sandbox).start(&[]);
    container.started();
    until("a runsvdir", || !named(&container, "runsvdir").is_empty());
    let made = sandbox.service("made").run(FOREVER);
    fs::rename(made.join(""), sandbox.join("service/made")).unwrap();
    up(&sandbox, "service/made");
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
}

#[test]
fn the_directory_of_d_may_be_relative() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let container = Container::new(&sandbox).program(&["/usr/bin/env", "-C", "/run", "/program/pid1"]);
    let mut container = container.start(&["-d", "../service"]);
    up(&sandbox, "service/one");
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
}
