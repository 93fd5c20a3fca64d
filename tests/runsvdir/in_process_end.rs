//! `--in-process`: who does not stop at the end is named, and with `--timeout-kill` killed.

use super::*;

/// A run script that does not end by itself: on TERM it says so in a file, and then does that.
fn on_term(act: &str) -> String {
    format!("trap 'echo >>heard; {act}' TERM\necho >>ready\nwhile :; do sleep 1000000 & wait; done")
}

/// A runsvdir that supervises these services, all of which are ready.
fn start<'s>(sandbox: &'s Sandbox, services: &[&Service<'s>], options: &[&str]) -> Running {
    let scan = sandbox.scan();
    services.iter().for_each(|service| scan.link(service));
    let runsvdir = scan.start(&[&["--in-process"], options].concat(), &[]);
    services.iter().for_each(|service| service.until_lines("ready", 1));
    services.iter().for_each(|service| _ = service.until_up());
    runsvdir
}

#[test]
fn who_is_awaited_is_named_and_without_a_limit_waited_for() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let quick = sandbox.service("quick").run(&on_term("exit"));
    let slow = sandbox.service("slow").run(&on_term("until test -e go; do sleep 0.01; done; exit"));
    let mut runsvdir = start(&sandbox, &[&quick, &slow], &[]);
    runsvdir.signal(Signal::TERM);
    let word = "runsv slow: warning: service has not ended yet\n";
    // After three seconds, and after six.
    until("its name", || runsvdir.stderr() == word);
    until("its name once more", || runsvdir.stderr() == word.repeat(2));
    assert!(runsvdir.lives());
    sandbox.write("slow/go", "");
    assert_eq!(runsvdir.ended().code(), Some(0));
}

#[test]
fn with_a_title_that_is_said_where_everything_was_said_before() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let deaf = sandbox.service("deaf").run(&on_term(""));
    let scan = sandbox.scan();
    scan.link(&deaf);
    let title = format!("log: {}", ".".repeat(100));
    let mut runsvdir = scan.start(&["--in-process", "--timeout-kill", "1"], &[&title]);
    deaf.until_lines("ready", 1);
    deaf.until_up();
    assert_eq!(runsvdir.stderr(), "");
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!(runsvdir.stderr(), "runsv deaf: warning: service does not end in time, sending KILL\n");
}

#[test]
fn with_a_limit_what_is_left_is_killed() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    // Its finish script comes when all that was too late has been killed already.
    let deaf = sandbox.service("deaf").run(&on_term("")).finish("echo $2 >>ended; exec sleep 1000001");
    let last = sandbox.service("last").run(&on_term("exit")).finish("echo >>last; sleep 1000000");
    let script = sandbox.service("script").run(&on_term("exit")).script("control/t", "sleep 1000000");
    let mut runsvdir = start(&sandbox, &[&deaf, &last, &script], &["--timeout-kill", "100"]);
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!(deaf.read("ended"), "9\n");
    let said = runsvdir.stderr();
    assert!(said.contains("runsv deaf: warning: service does not end in time, sending KILL\n"), "{said}");
    assert!(said.contains("runsv last: warning: ./finish does not end in time, sending KILL\n"), "{said}");
    assert_eq!((last.lines("last"), script.lines("heard")), (1, 1));
    assert_eq!(sandbox.running("1000001"), [0; 0]);
}

#[test]
fn a_service_with_a_deadline_of_its_own_has_that_time() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let deaf = sandbox.service("deaf").run(&on_term("")).finish("echo $2 >>ended");
    let slow = sandbox
        .service("slow")
        .run(&on_term("until test -e go; do sleep 0.01; done; exit 7"))
        .finish("echo $1 >>ended")
        .file("timeout-kill", "60000");
    let mut runsvdir = start(&sandbox, &[&deaf, &slow], &["--timeout-kill", "1"]);
    runsvdir.signal(Signal::TERM);
    deaf.until_lines("ended", 1);
    // Longer than runsvdir waits for what it has killed.
    let rest = std::time::Instant::now();
    until("six seconds", || rest.elapsed().as_secs() >= 6);
    assert!(runsvdir.lives());
    sandbox.write("slow/go", "");
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert_eq!((deaf.read("ended"), slow.read("ended")), ("9\n".into(), "7\n".into()));
}

#[test]
fn zero_is_no_limit() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    let slow = sandbox.service("slow").run(&on_term("until test -e go; do sleep 0.01; done; exit"));
    let mut runsvdir = start(&sandbox, &[&slow], &["--timeout-kill", "0"]);
    runsvdir.signal(Signal::TERM);
    until("its name", || runsvdir.stderr().contains("has not ended yet"));
    sandbox.write("slow/go", "");
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert!(!runsvdir.stderr().contains("KILL"));
}

#[test]
fn a_limit_that_is_none_or_means_nothing_is_refused() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    for options in [
        &["--in-process", "--timeout-kill"] as &[_],
        &["--in-process", "--timeout-kill", "soon", "."],
        &["--in-process", "--timeout-kill", "-1", "."],
        &["--timeout-kill", "1", "."],
    ] {
        let output = sandbox.output("runsvdir", options);
        assert_eq!(output.status.code(), Some(1), "{options:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage: "), "{options:?}");
    }
}

#[test]
fn a_logger_that_does_not_end_is_killed_too() {
    if only_svbox("--in-process") {
        return;
    }
    let sandbox = Sandbox::new();
    // A stray process holds the pipe, and the logger ignores TERM.
    let service = sandbox
        .service("one")
        .run("setsid sleep 1000003 &\necho >>ready\nexec sleep 1000004")
        .script("log/run", "trap '' TERM\necho >>../logs\nexec sleep 1000005");
    let mut runsvdir = start(&sandbox, &[&service], &["--timeout-kill", "1"]);
    service.until_lines("logs", 1);
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    assert!(sandbox.running("sleep 1000005").is_empty());
    assert!(!runsvdir.stderr().contains("leaving it behind"), "{}", runsvdir.stderr());
}
