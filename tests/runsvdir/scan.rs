//! What is a service, and what becomes of entries that come, go and change.

use super::*;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

/// So many services, each with `run`.
fn many(sandbox: &Sandbox, count: usize) -> Vec<Service<'_>> {
    (0..count).map(|number| sandbox.service(&format!("s{number}")).run_forever()).collect()
}

/// Adds a service and waits for it: by then everything before it has been seen.
#[track_caller]
fn pass(scan: &Scan<'_>, name: &str) {
    let service = scan.sandbox.service(name).run_forever();
    scan.link(&service);
    service.until_up();
}

#[test]
fn each_directory_and_each_link_to_one_is_a_service() {
    let sandbox = Sandbox::new();
    let (linked, own) = (sandbox.service("linked").run_forever(), sandbox.service("scan/own").run_forever());
    let scan = sandbox.scan();
    scan.link(&linked);
    let _runsvdir = scan.start(&[], &[]);
    linked.until_up();
    own.until_up();
}

#[test]
fn a_directory_without_run_gets_a_supervisor_all_the_same() {
    let sandbox = Sandbox::new();
    let empty = sandbox.service("empty");
    let scan = sandbox.scan();
    scan.link(&empty);
    let runsvdir = scan.start(&[], &[]);
    until("its complaint", || {
        runsvdir.stderr().contains("runsv empty: fatal: unable to start ./run: file does not exist\n")
    });
    empty.run_forever().until_up();
}

#[test]
fn names_that_begin_with_a_dot_are_passed_over() {
    let sandbox = Sandbox::new();
    let hidden = sandbox.service("scan/.hidden").run_forever();
    let linked = sandbox.service(".linked").run_forever();
    let scan = sandbox.scan();
    scan.link(&linked);
    let mut runsvdir = scan.start(&[], &[]);
    pass(&scan, "first");
    pass(&scan, "second");
    end_all(&sandbox, &mut runsvdir);
    assert!(!hidden.join("supervise").exists());
    assert!(!linked.join("supervise").exists());
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn plain_files_are_passed_over_in_silence() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    sandbox.write("scan/README", "text");
    symlink(sandbox.join("scan/README"), sandbox.join("scan/link")).unwrap();
    let mut runsvdir = scan.start(&[], &[]);
    pass(&scan, "one");
    end_all(&sandbox, &mut runsvdir);
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn a_dangling_link_is_warned_about_and_holds_nothing_up() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    symlink("nowhere", sandbox.join("scan/broken")).unwrap();
    let runsvdir = scan.start(&[], &[]);
    pass(&scan, "one");
    let text = "runsvdir scan: warning: unable to stat broken: file does not exist\n";
    until("the warning", || runsvdir.stderr().contains(text));
}

#[test]
fn a_link_to_itself_is_warned_about() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    symlink("circle", sandbox.join("scan/circle")).unwrap();
    let runsvdir = scan.start(&[], &[]);
    let text = "runsvdir scan: warning: unable to stat circle: symbolic link loop\n";
    until("the warning", || runsvdir.stderr().contains(text));
}

#[test]
fn a_dangling_link_is_taken_up_by_the_next_scan_when_its_target_is_there() {
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    symlink("../late", sandbox.join("scan/late")).unwrap();
    let runsvdir = scan.start(&[], &[]);
    until("the warning", || runsvdir.stderr().contains("unable to stat late"));
    let late = sandbox.service("late").run_forever();
    pass(&scan, "one");
    late.until_up();
}

#[test]
fn a_link_that_is_replaced_by_one_to_another_directory_changes_the_service() {
    let sandbox = Sandbox::new();
    let (old, new) = (sandbox.service("old").run_forever(), sandbox.service("new").run_forever());
    let scan = sandbox.scan();
    symlink(old.join(""), sandbox.join("scan/one")).unwrap();
    let _runsvdir = scan.start(&[], &[]);
    old.until_up();
    switch(&sandbox.join("scan/one"), new.join(""));
    new.until_up();
    until("the end of the old one", || !old.is_supervised());
}

#[test]
fn a_directory_that_is_replaced_by_another_of_its_name_is_another_service() {
    // Ours goes on in it: see tests/policy/again.rs.
    if !against_runit() {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let here = sandbox.service("scan/one").run("exec sleep 111111");
    sandbox.service("next").run("exec sleep 222222");
    let _runsvdir = scan.start(&[], &[]);
    here.until_up();
    fs::rename(here.join(""), sandbox.join("gone")).unwrap();
    fs::rename(sandbox.join("next"), here.join("")).unwrap();
    until("the new one", || !sandbox.running("sleep 222222").is_empty());
    until("the end of the old one", || sandbox.running("sleep 111111").is_empty());
}

#[test]
fn two_links_to_one_directory_make_one_supervisor() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run("echo >>starts; exec sleep 1000000");
    let scan = sandbox.scan();
    scan.link(&one);
    symlink(one.join(""), sandbox.join("scan/other")).unwrap();
    let mut runsvdir = scan.start(&[], &[]);
    one.until_up();
    pass(&scan, "last");
    // A child of a supervisor bears its name for a moment.
    until("two supervisors", || supervisors(&sandbox).len() == 2);
    end_all(&sandbox, &mut runsvdir);
    assert_eq!(one.lines("starts"), 1);
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn taking_out_one_of_two_links_to_a_directory_changes_nothing() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    for name in ["a", "b"] {
        symlink(one.join(""), sandbox.join("scan").join(name)).unwrap();
    }
    let _runsvdir = scan.start(&[], &[]);
    let pid = one.until_up();
    scan.unlink("a");
    pass(&scan, "last");
    assert_eq!((one.status().pid(), one.status().term()), (pid, false));
    scan.unlink("b");
    until("its end", || !one.is_supervised());
}

#[test]
fn renaming_a_link_changes_nothing() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let _runsvdir = scan.start(&[], &[]);
    let (pid, runsv) = (one.until_up(), supervisor(&sandbox, "one"));
    fs::rename(sandbox.join("scan/one"), sandbox.join("scan/renamed")).unwrap();
    pass(&scan, "last");
    assert_eq!(supervisor(&sandbox, "one"), runsv);
    assert_eq!((one.status().pid(), one.status().term()), (pid, false));
}

#[test]
fn renaming_a_link_to_a_name_with_a_dot_stops_the_service_and_back_starts_it() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let _runsvdir = scan.start(&[], &[]);
    one.until_up();
    fs::rename(sandbox.join("scan/one"), sandbox.join("scan/.one")).unwrap();
    until("its end", || !one.is_supervised());
    fs::rename(sandbox.join("scan/.one"), sandbox.join("scan/one")).unwrap();
    one.until_up();
}

#[test]
fn the_supervisor_of_a_link_taken_out_gets_term_and_leaves_when_all_is_down() {
    let sandbox = Sandbox::new();
    let run = "trap 'echo last words; echo >>told; exit' TERM\necho >>ready\nwhile :; do sleep 0.01; done";
    let one = sandbox.service("one").run(run).logged();
    let scan = sandbox.scan();
    scan.link(&one);
    let mut runsvdir = scan.start(&[], &[]);
    one.until_lines("ready", 1);
    one.until_up();
    scan.unlink("one");
    until("its end", || supervisors(&sandbox).is_empty());
    assert_eq!((one.lines("told"), one.read("logged").as_str()), (1, "last words\n"));
    assert!(runsvdir.lives());
}

#[test]
fn one_taken_out_does_not_touch_its_neighbours() {
    let sandbox = Sandbox::new();
    let services = many(&sandbox, 5);
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let _runsvdir = scan.start(&[], &[]);
    let pids: Vec<i32> = services.iter().map(Service::until_up).collect();
    scan.unlink("s2");
    until("the end of it", || !services[2].is_supervised());
    for number in [0, 1, 3, 4] {
        let status = services[number].status();
        assert_eq!((status.pid(), status.term()), (pids[number], false));
    }
}

#[test]
fn several_taken_out_at_once_are_all_stopped() {
    let sandbox = Sandbox::new();
    let services = many(&sandbox, 8);
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let _runsvdir = scan.start(&[], &[]);
    services.iter().for_each(|service| _ = service.until_up());
    (0..8).for_each(|number| scan.unlink(&format!("s{number}")));
    until("the end of all", || !services.iter().any(Service::is_supervised));
}

#[test]
fn links_are_acted_on_without_waiting_for_a_poll() {
    if only_svbox("told") {
        return;
    }
    let sandbox = Sandbox::new();
    let services = many(&sandbox, 20);
    let scan = sandbox.scan();
    let _runsvdir = scan.start(&[], &[]);
    let start = Instant::now();
    services.iter().for_each(|service| {
        scan.link(service);
        service.until_up();
    });
    services.iter().for_each(|service| {
        scan.unlink(&service.name);
        until("its end", || !service.is_supervised());
    });
    // One change a second, let alone one in five, would need twice as long.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_burst_of_a_hundred_links_starts_a_hundred_services() {
    let sandbox = Sandbox::new();
    let services: Vec<_> = many(&sandbox, 100).into_iter().map(Service::down).collect();
    let scan = sandbox.scan();
    let runsvdir = scan.start(&[], &[]);
    services.iter().for_each(|service| scan.link(service));
    until("all supervisors", || services.iter().all(Service::is_supervised));
    until("a hundred supervisors", || supervisors(&sandbox).len() == 100);
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn there_may_be_more_than_a_thousand_services() {
    if only_svbox("limit") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    (0..1100).for_each(|number| fs::create_dir(sandbox.join(format!("scan/{number}"))).unwrap());
    let mut command = with_fake_runsv(&sandbox, "echo $1 >>../starts; exec sleep 1000000");
    command.arg("scan");
    let mut runsvdir = sandbox.start(command);
    until("all of them", || sandbox.lines("starts") == 1100);
    // Made before the other goes, or it could get its inode and be taken for it.
    let last = sandbox.service("last");
    fs::remove_dir(sandbox.join("scan/0")).unwrap();
    scan.link(&last);
    until("the last one", || sandbox.read("starts").contains("last\n"));
    end_all(&sandbox, &mut runsvdir);
    assert_eq!(sandbox.lines("starts"), 1101);
    assert_eq!(runsvdir.stderr(), "");
}

/// A service that stays after TERM until the file `leave` is there.
fn slow_to_stop(sandbox: &Sandbox) -> Service<'_> {
    let run = "echo $$ >>starts
        trap 'echo >told; while ! test -e leave; do sleep 0.01; done; exit' TERM
        while :; do sleep 0.01; done";
    sandbox.service("slow").run(run)
}

#[test]
fn a_service_that_comes_back_while_it_stops_is_started_again_when_it_has_stopped() {
    let sandbox = Sandbox::new();
    let slow = slow_to_stop(&sandbox);
    let scan = sandbox.scan();
    scan.link(&slow);
    let _runsvdir = scan.start(&[], &[]);
    slow.until_lines("starts", 1);
    scan.unlink("slow");
    slow.until_lines("told", 1);
    scan.link(&slow);
    pass(&scan, "other");
    assert_eq!(slow.lines("starts"), 1);
    slow.sandbox.write("slow/leave", "");
    slow.until_lines("starts", 2);
}

#[test]
fn a_service_that_comes_back_while_it_stops_has_one_supervisor_and_causes_no_errors() {
    if only_svbox("at work already") {
        return;
    }
    let sandbox = Sandbox::new();
    let slow = slow_to_stop(&sandbox);
    let scan = sandbox.scan();
    scan.link(&slow);
    let mut runsvdir = scan.start(&[], &[]);
    slow.until_lines("starts", 1);
    let old = supervisor(&sandbox, "slow");
    scan.unlink("slow");
    slow.until_lines("told", 1);
    scan.link(&slow);
    pass(&scan, "other");
    assert_eq!(supervisor(&sandbox, "slow"), old);
    slow.sandbox.write("slow/leave", "");
    slow.until_lines("starts", 2);
    end_all(&sandbox, &mut runsvdir);
    assert_eq!((runsvdir.stderr().as_str(), slow.lines("starts")), ("", 2));
}

#[test]
fn odd_names_are_names_like_any_other() {
    let sandbox = Sandbox::new();
    let long = "n".repeat(255);
    let names = ["two words", "-x", "new\nline", "*", "ünïcode", &long];
    let services: Vec<_> =
        names.iter().map(|name| sandbox.service(&format!("scan/{name}")).run_forever()).collect();
    let _runsvdir = sandbox.scan().start(&[], &[]);
    for (service, name) in services.iter().zip(names) {
        service.until_up();
        supervisor(&sandbox, name);
    }
}
