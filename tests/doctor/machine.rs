//! On machines that run: each test has a root directory and processes of its own.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

/// The same, without what is about the machine of the tests.
fn lines(output: &Output) -> Vec<String> {
    let is_about_us = |line: &String| line.starts_with("warning: /usr/") || line.starts_with("note: chpst");
    super::lines(output).into_iter().filter(|line| !is_about_us(line)).collect()
}

/// Waits until something holds, in the shell that is process 1.
const UNTIL: &str = "wait_for() { until eval \"$1\"; do sleep 0.01; done; }\n";

/// A machine whose services are in `/etc/sv` and linked in `/etc/service`, and what is said when a script of the test
/// has prepared it.
fn said(sandbox: &Sandbox, services: &[&str], script: &str) -> Vec<String> {
    let root = sandbox.root();
    fs::create_dir_all(root.join("etc/service")).unwrap();
    fs::create_dir_all(root.join("var/log")).unwrap();
    for service in services {
        sandbox.script(format!("root/etc/sv/{service}/run"), "exec sleep 1000000");
        symlink(format!("/etc/sv/{service}"), root.join("etc/service").join(service)).unwrap();
    }
    let output = root.output(&format!("{UNTIL}{script}\nsvbox --doctor"));
    let mut said = lines(&output);
    let note = said.pop().unwrap_or_default();
    assert!(
        note.starts_with("note: services looked at: "),
        "{note} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    said.push(note.split(": ").nth(2).unwrap().to_owned());
    said
}

/// Starts runsvdir and waits until these services are up. A quotation mark in a name is left to the shell to find.
fn start(services: &[&str]) -> String {
    let up = |service: &&str| {
        let service = service.replace('\'', "?");
        format!("wait_for 'grep -qs run /etc/sv/{service}/supervise/stat'\n")
    };
    let up: String = services.iter().map(up).collect();
    format!("runsvdir -P /etc/service & runsvdir=$!\n{up}")
}

#[test]
fn nothing_is_wrong_with_a_machine_whose_services_are_up() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(said(&sandbox, &["one", "two"], &start(&["one", "two"])), ["2"]);
}

#[test]
fn without_a_runsvdir_the_usual_directory_is_looked_at() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let none = "error: no runsvdir is running: runsvdir -P /etc/service";
    assert_eq!(said(&sandbox, &["one"], ""), [none, "1"]);
}

#[test]
fn the_directory_is_that_of_each_runsvdir() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    for dir in ["a", "b"] {
        sandbox.script(format!("root/{dir}/up/run"), "exec sleep 1000000");
    }
    let script = "mkdir /b/gone; ln -s x /a/link
        svbox runsvdir -P /a & runsvdir --in-process -s /tmp /b 'log: .....' &
        wait_for 'svok /a/up && svok /b/up && svok /b/gone' 2>/dev/null";
    let mut said = said(&sandbox, &["one"], script);
    said.sort();
    let wanted = [
        "3",
        "error: /a/link leads nowhere: remove the link, or mend it",
        "error: /b/gone/run is missing: write it",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn a_service_without_its_supervisor_is_told_of() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    // runsv cannot do anything with this one.
    let script = format!("mkdir -p /etc/sv/two; : >/etc/sv/two/supervise\n{}", start(&["one"]));
    let wanted = "error: /etc/service/two has no supervisor: ps shows what runsvdir says of it";
    assert_eq!(said(&sandbox, &["one", "two"], &script), [wanted, "2"]);
}

/// A template with a logger, instances of these names, and a one-shot.
fn own_kinds(arguments: &[&str]) -> String {
    let links =
        arguments.iter().map(|argument| format!("ln -s /etc/sv/tick@ /etc/service/tick@{argument}\n"));
    let links: String = links.collect();
    format!(
        "mkdir -p /etc/sv/tick@/log /etc/sv/shot; ln -s /etc/sv/tick@ /etc/sv/shot /etc/service
        cp /etc/sv/one/run /etc/sv/tick@; cp /etc/sv/one/run /etc/sv/tick@/log
        printf '#!/bin/sh\\n' >/etc/sv/shot/setup; chmod +x /etc/sv/shot/setup\n{links}"
    )
}

#[test]
fn templates_instances_and_one_shots_are_what_they_are() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let up = "wait_for 'grep -qs run /etc/sv/tick@/instances/a/log/supervise/stat'
        wait_for 'svok /etc/service/tick@b && svok /etc/service/shot' 2>/dev/null";
    let script = format!("{}{}{up}", own_kinds(&["a", "b"]), start(&["one"]));
    assert_eq!(said(&sandbox, &["one"], &script), ["4"]);
}

#[test]
fn an_instance_without_its_supervisor_is_told_of() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "{}ln -s /run/gone/deep /etc/sv/tick@/instances\n{}wait_for 'svok /etc/service/shot' 2>/dev/null",
        own_kinds(&["a"]),
        start(&["one"])
    );
    let deep =
        "error: /etc/service/tick@a/instances leads into a directory that is not there: mkdir it".to_owned();
    assert_eq!(said(&sandbox, &["one"], &script), [deep.clone(), deep, "3".to_owned()]);
    let sandbox = Sandbox::new();
    let script = format!(
        "{}{}wait_for 'svok /etc/service/tick@a/log' 2>/dev/null
        wait_for 'test -s /etc/sv/tick@/instances/a/supervise/pid'
        kill -STOP $runsvdir; pid=$(cat /etc/sv/tick@/instances/a/supervise/pid)
        kill -KILL $(sed 's/.*) . //; s/ .*//' /proc/$pid/stat); echo $pid >/pid
        wait_for '! svok /etc/service/tick@a' 2>/dev/null",
        own_kinds(&["a"]),
        start(&["one"])
    );
    let said = said(&sandbox, &["one"], &script);
    let pid = sandbox.read("root/pid");
    let left = format!(
        "warning: /etc/service/tick@a may still run, without a supervisor: if it does, kill {}",
        pid.trim()
    );
    assert!(said.contains(&left), "{said:?}");
}

#[test]
fn why_a_supervisor_cannot_start_is_told_if_it_can_be_seen() {
    if only_svbox("multicall") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "ln -s /run/gone/deep /etc/sv/two/supervise
        mkdir /etc/sv/four/supervise
        for name in three four; do
            mount --bind /etc/sv/$name /etc/sv/$name; mount -o remount,ro,bind /etc/sv/$name
        done\n{}",
        start(&["one"])
    );
    let mut said = said(&sandbox, &["one", "two", "three", "four"], &script);
    said.sort();
    let wanted = [
        "4",
        "error: /etc/service/four/supervise is read-only: make it a link into /run",
        "error: /etc/service/three/supervise is read-only: make it a link into /run",
        "error: /etc/service/two/supervise leads into a directory that is not there: mkdir it",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn what_a_supervisor_has_left_behind_is_told_of() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "runsv /etc/sv/one & runsv=$!
        wait_for 'sv status /etc/sv/one | grep -q ^run'
        kill -9 $runsv; wait $runsv; cat /etc/sv/one/supervise/pid >/pid";
    let said = said(&sandbox, &["one"], script);
    let pid = sandbox.read("root/pid");
    let left =
        format!("warning: /etc/service/one may still run, without a supervisor: if it does, kill {pid}");
    assert_eq!(said[1..], [left.trim_end(), "1"]);
}

#[test]
fn a_service_that_is_supervised_and_not_linked_is_told_of() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "rm /etc/service/two; runsv /etc/sv/two & wait_for 'grep -qs run /etc/sv/two/supervise/stat'\n{}",
        start(&["one"])
    );
    let wanted = "warning: /etc/sv/two runs and is not linked: link it, or sv exit /etc/sv/two";
    assert_eq!(said(&sandbox, &["one", "two"], &script), [wanted, "1"]);
}

/// Programs that are exchanged while they run, and what is said of them.
fn exchanged(programs: &str, name: &str) -> Vec<String> {
    let sandbox = Sandbox::new();
    let script = format!(
        "mkdir /old; {programs}
        PATH=/old:$PATH\n{}
        PATH=${{PATH#/old:}}; rm -r /old; cat /proc/$runsvdir/task/$runsvdir/children >/runsv; echo $runsvdir >/runsvdir",
        start(&[name])
    );
    let mut said = said(&sandbox, &[name], &script);
    let [runsv, runsvdir] = ["runsv", "runsvdir"].map(|name| sandbox.read(format!("root/{name}")));
    for line in &mut said {
        *line = line.replace(&format!("process {})", runsv.trim()), "process 1)");
        *line = line.replace(&format!("process {})", runsvdir.trim()), "process 2)");
    }
    said.sort();
    said
}

/// The same, for a supervisor of which `sv` is to be told that it is this service.
fn wanted(name: &str, service: &str) -> [String; 3] {
    [
        "1".to_owned(),
        format!("warning: runsv {name} (process 1) is not this svbox: sv -w 30 exit {service}"),
        "warning: runsvdir /etc/service (process 2) is not this svbox: TERM, or where process 1 has started it, a new start"
            .to_owned(),
    ]
}

#[test]
fn supervisors_of_an_earlier_svbox_are_told_of() {
    if only_svbox("multicall") {
        return;
    }
    let programs = "cp \"$(readlink -f \"$(command -v svbox)\")\" /old/svbox
        ln -s svbox /old/runsv; ln -s svbox /old/runsvdir";
    assert_eq!(exchanged(programs, "one"), wanted("one", "/etc/service/one"));
    assert_eq!(exchanged(programs, "a~b"), wanted("a~b", "'/etc/service/a~b'"));
    assert_eq!(exchanged(programs, "it's"), wanted("it's", r"'/etc/service/it'\''s'"));
}

#[test]
fn supervisors_of_runit_are_told_of() {
    if only_svbox("multicall") {
        return;
    }
    let programs = "cp /usr/bin/runsv /usr/bin/runsvdir /old";
    assert_eq!(exchanged(programs, "one"), wanted("one", "/etc/sv/one"));
}

#[test]
fn the_services_of_a_container_are_not_those_of_the_machine() {
    if only_svbox("multicall") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "mkdir /jail; mount -t tmpfs tmpfs /jail; programs=$(dirname \"$(readlink -f \"$(command -v svbox)\")\")
        for dir in /bin /lib /lib64 /usr; do mkdir /jail$dir; mount --rbind $dir /jail$dir; done
        mkdir -p /jail/service/in /jail$programs; mount --bind $programs /jail$programs
        chroot /jail $programs/svbox runsvdir -P /service &
        wait_for 'svok /jail/service/in' 2>/dev/null\n{}",
        start(&["one"])
    );
    assert_eq!(said(&sandbox, &["one"], &script), ["1"]);
}

#[test]
fn without_rights_it_says_so() {
    if only_svbox("multicall") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    sandbox.script("root/etc/service/one/run", "exec sleep 1000000");
    let script = format!(
        "{UNTIL}chmod 755 /; runsvdir -P /etc/service & wait_for 'grep -qs run /etc/service/one/supervise/stat'
        program=$(readlink -f \"$(command -v svbox)\"); cp $program /svbox
        setpriv --reuid 1000 --regid 1000 --clear-groups /svbox --doctor"
    );
    let output = root.output(&script);
    // The files of two processes, and whether the service has a supervisor.
    assert_eq!(lines(&output), ["note: services looked at: 1; not allowed to look at: 3: run it as root"]);
}

#[test]
fn nobody_who_holds_a_file_can_make_it_wait() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!(
        "{}
        mkdir -p /etc/sv/odd/log/supervise /etc/sv/odd/supervise; cd /etc/sv/odd
        mkfifo run log/run finish supervise/status log/supervise/ok; : >supervise/ok; ln -s odd check
        ln -s /etc/sv/odd /etc/service/odd",
        start(&["one"])
    );
    let said = said(&sandbox, &["one"], &script);
    for file in ["run", "log/run", "finish"] {
        let line = format!("error: /etc/service/odd/{file} is no file: write it");
        assert!(said.contains(&line), "{line} {said:?}");
    }
}
