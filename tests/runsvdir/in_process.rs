//! `--in-process`: all services are supervised by runsvdir itself.

use super::*;

/// A runsvdir that supervises these services itself.
fn start<'s>(sandbox: &'s Sandbox, services: &[&Service<'s>], options: &[&str]) -> Running {
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let runsvdir = scan.start(&[&["--in-process"], options].concat(), &[]);
    services.iter().for_each(|service| until("a supervisor", || service.is_supervised()));
    runsvdir
}

fn is_child_of(pid: i32, parent: i32) -> bool {
    status_of(pid, "PPid").is_some_and(|its| its == parent.to_string())
}

/// The process of its log service, when that is up.
#[track_caller]
fn logger(service: &Service<'_>) -> i32 {
    until_some("a logger", || Some(service.log_status().pid()).filter(|pid| *pid != 0))
}

/// Ends runsvdir; nothing may be left.
#[track_caller]
fn end(sandbox: &Sandbox, mut runsvdir: Running) {
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn services_and_loggers_are_its_children_and_no_runsv_is_there() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever().logged());
    let runsvdir = start(&sandbox, &[&one, &two], &[]);
    for pid in [one.until_up(), two.until_up(), logger(&two)] {
        assert!(is_child_of(pid, runsvdir.pid()));
    }
    assert_eq!(supervisors(&sandbox), []);
    end(&sandbox, runsvdir);
    assert_eq!((one.stat(), two.stat()), ("down".into(), "down".into()));
}

#[test]
fn each_service_obeys_its_own_commands() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever().finish("echo $1 $2 >>ended");
    let two = sandbox.service("two").run_forever();
    let runsvdir = start(&sandbox, &[&one, &two], &[]);
    let stays = two.until_up();
    one.until_up();
    assert!(one.sv(&["-w", "60", "stop"]).status.success());
    assert_eq!((one.status().shown(), one.read("ended")), (Shown::Down, "-1 15\n".into()));
    assert!(one.sv(&["-w", "60", "start"]).status.success());
    assert_eq!((one.status().shown(), two.status().pid()), (Shown::Run, stays));
    end(&sandbox, runsvdir);
}

#[test]
fn with_p_each_process_leads_a_session() {
    if only_svbox("--in-process") {
        return;
    }
    let session = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<i32> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .skip(2)
            .take(2)
            .map(|n| n.parse().unwrap())
            .collect();
        (fields[0], fields[1])
    };
    for apart in [false, true] {
        let sandbox = Sandbox::new();
        let service = sandbox.service("one").run_forever().logged();
        let runsvdir = start(&sandbox, &[&service], if apart { &["-P"] } else { &[] });
        for pid in [service.until_up(), logger(&service)] {
            let expected = if apart { (pid, pid) } else { session(runsvdir.pid()) };
            assert_eq!(session(pid), expected);
        }
        end(&sandbox, runsvdir);
    }
}

#[test]
fn it_has_more_descriptors_than_it_was_given_and_services_the_old_limit() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> = (0..30)
        .map(|number| {
            sandbox.service(&format!("s{number}")).run("ulimit -n >limit\nexec sleep 1000000").logged()
        })
        .collect();
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let mut command = sandbox.command("sh");
    command.args(["-c", "ulimit -Sn 64; exec runsvdir --in-process scan"]);
    let runsvdir = sandbox.start(command);
    for service in &services {
        service.until_up();
        service.until_lines("limit", 1);
        assert_eq!(service.read("limit"), "64\n");
    }
    end(&sandbox, runsvdir);
}

#[test]
fn without_descriptors_for_all_the_others_are_served_and_the_rest_later() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> =
        (0..10).map(|number| sandbox.service(&format!("s{number}")).run_forever()).collect();
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let mut command = sandbox.command("sh");
    command.args(["-c", "ulimit -n 32; exec runsvdir --in-process scan"]);
    let runsvdir = sandbox.start(command);
    until("too few descriptors", || {
        runsvdir.stderr().contains("fatal: unable to start: process cannot open more files\n")
    });
    let (up, waiting): (Vec<_>, Vec<_>) = services.iter().partition(|service| service.is_supervised());
    assert!(!up.is_empty() && !waiting.is_empty());
    scan.unlink(&up[0].name);
    until("the turn of one that waited", || waiting.iter().any(|service| service.is_supervised()));
    end(&sandbox, runsvdir);
}

#[test]
fn a_service_that_is_taken_out_ends_and_one_that_is_put_back_starts() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let runsvdir = start(&sandbox, &[&one, &two], &[]);
    let stays = two.until_up();
    for _ in 0..5 {
        one.until_up();
        sandbox.scan().unlink("one");
        until("its end", || !one.is_supervised());
        assert_eq!(one.stat(), "down");
        sandbox.scan().link(&one);
    }
    one.until_up();
    assert_eq!(two.status().pid(), stays);
    end(&sandbox, runsvdir);
}

#[test]
fn a_service_that_was_told_to_exit_comes_back_after_a_second() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run("date +%s%N >>starts\nexec sleep 1000000");
    let runsvdir = start(&sandbox, &[&service], &[]);
    service.until_lines("starts", 1);
    service.until_up();
    let told = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    service.send(b"x");
    service.until_lines("starts", 2);
    let again: u128 = service.read("starts").lines().nth(1).unwrap().parse().unwrap();
    assert!(again - told.as_nanos() >= 998_000_000);
    end(&sandbox, runsvdir);
}

#[test]
fn term_waits_for_all_and_loggers_get_every_line() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("one")
        .run("trap 'until test -e go; do sleep 0.01; done; echo last; exit' TERM\necho first\nwhile :; do sleep 1000000 & wait; done")
        .logged();
    let mut runsvdir = start(&sandbox, &[&service], &[]);
    service.until_lines("logged", 1);
    runsvdir.signal(Signal::TERM);
    until("TERM", || service.status().term());
    assert!(runsvdir.lives());
    service.file("go", "");
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!(sandbox.read("one/logged"), "first\nlast\n");
}

#[test]
fn hup_does_the_same_and_exits_111() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let mut runsvdir = start(&sandbox, &[&service], &[]);
    service.until_up();
    runsvdir.signal(Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn the_next_one_takes_over_what_a_killed_one_has_left() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> = (0..5)
        .map(|number| {
            sandbox.service(&format!("s{number}")).run("echo >>starts\nexec sleep 1000000").logged()
        })
        .collect();
    let mut runsvdir = start(&sandbox, &services.iter().collect::<Vec<_>>(), &[]);
    let pids: Vec<i32> = services.iter().map(Service::until_up).collect();
    runsvdir.signal(Signal::KILL);
    runsvdir.ended();
    let runsvdir = sandbox.scan().start(&["--in-process"], &[]);
    services.iter().for_each(|service| until("a supervisor", || service.is_supervised()));
    assert_eq!(services.iter().map(Service::until_up).collect::<Vec<_>>(), pids);
    assert!(services.iter().all(|service| service.lines("starts") == 1));
    end(&sandbox, runsvdir);
}

#[test]
fn a_runsv_that_is_there_is_left_to_it_and_followed() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let mut runsv = service.supervise();
    let before = service.until_up();
    let runsvdir = start(&sandbox, &[&service], &[]);
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
    let after = service.until_up_again(before);
    assert!(is_child_of(after, runsvdir.pid()));
    assert_eq!(runsvdir.stderr(), "");
    end(&sandbox, runsvdir);
}

#[test]
fn a_directory_that_cannot_be_served_is_told_of_and_disturbs_nobody() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let good = sandbox.service("good").run_forever();
    let bad = sandbox.service("bad").run_forever().file("supervise/control/x", "");
    sandbox.scan().link(&bad);
    let runsvdir = start(&sandbox, &[&good], &[]);
    let text = "runsv bad: fatal: supervise/control exists but is not a fifo\n";
    until("it is told of, and again", || count(&runsvdir.stderr(), text) == 2);
    good.until_up();
    fs::remove_dir_all(bad.join("supervise")).unwrap();
    bad.until_up();
    end(&sandbox, runsvdir);
}

#[test]
fn many_services_that_come_and_go_leave_nothing_behind() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let services: Vec<_> =
        (0..20).map(|number| sandbox.service(&format!("s{number}")).run_forever()).collect();
    let scan = sandbox.scan();
    let runsvdir = start(&sandbox, &[], &[]);
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", runsvdir.pid())).unwrap().count();
    until("no service", || descriptors() > 0);
    let mut before = None;
    for _ in 0..3 {
        services.iter().for_each(|service| scan.link(service));
        services.iter().for_each(|service| assert!(service.until_up() > 0));
        services.iter().for_each(|service| scan.unlink(&service.name));
        until("the end of all", || services.iter().all(|service| !service.is_supervised()));
        until("its rest", || *before.get_or_insert_with(descriptors) >= descriptors());
    }
    end(&sandbox, runsvdir);
}

#[test]
fn a_deadline_counts_from_the_command() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("one")
        .run("trap 'until test -e go; do sleep 0.01; done; exit 7' TERM\necho >>ready\nwhile :; do sleep 0.01; done")
        .finish("echo $1 >>ended")
        .file("timeout-kill", "60000");
    let runsvdir = start(&sandbox, &[&service], &[]);
    service.until_lines("ready", 1);
    // Nothing happens for longer than a deadline that would count from the last event.
    sandbox.write("one/timeout-kill", "700");
    let rest = std::time::Instant::now();
    until("a second", || rest.elapsed().as_millis() > 1000);
    sandbox.scan().unlink("one");
    until("TERM", || service.status().term());
    sandbox.write("one/go", "");
    service.until_lines("ended", 1);
    assert_eq!((service.read("ended").as_str(), runsvdir.stderr().as_str()), ("7\n", ""));
    end(&sandbox, runsvdir);
}

#[test]
fn as_process_1_it_goes_on_looking_after_a_signal_that_means_nothing() {
    if only_svbox("--in-process") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    sandbox.scan().link(&one);
    let mut command = sandbox.command("unshare");
    command.args(["-pf", "--kill-child"]).arg(program("runsvdir")).args(["--in-process", "scan"]);
    let unshare = sandbox.start(command);
    until("a supervisor", || one.is_supervised());
    let first = until_some("process 1", || {
        let children = format!("/proc/{0}/task/{0}/children", unshare.pid());
        fs::read_to_string(children).ok()?.split_whitespace().next()?.parse().ok()
    });
    let first = rustix::process::Pid::from_raw(first).unwrap();
    rustix::process::kill_process(first, Signal::INT).unwrap();
    sandbox.scan().link(&two);
    until("the other one", || two.is_supervised());
    rustix::process::kill_process(first, Signal::TERM).unwrap();
    until("the end of all", || sandbox.processes().is_empty());
}
