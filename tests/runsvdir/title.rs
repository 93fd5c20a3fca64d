//! The log in the process title.

use super::*;

/// The last argument of a process.
fn title(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    String::from_utf8_lossy(line.rsplit(|&byte| byte == 0).next().unwrap()).into_owned()
}

/// A script that says something on standard error when the file `go` is there.
fn speech(sandbox: &Sandbox, say: &str) -> String {
    let go = sandbox.join("go");
    format!("until [ -e {} ]; do sleep 0.01; done; {{ {say}; }} >&2; ", go.display())
}

/// Lets it speak when the dot of the start is in the window: runit's can come after what is said at once.
fn go(sandbox: &Sandbox, runsvdir: &Running, log: &str) {
    if log.len() >= 7 {
        until("the dot", || title(runsvdir.pid()) != log);
    }
    sandbox.write("go", "");
}

/// Starts runsvdir with this log and a service whose fake supervisor writes something to standard error.
fn said(sandbox: &Sandbox, log: &str, say: &str) -> Running {
    fs::create_dir_all(sandbox.join("scan/one")).unwrap();
    let mut command = with_fake_runsv(sandbox, &(speech(sandbox, say) + "echo >../said; exec sleep 1000000"));
    command.args(["scan", log]);
    let runsvdir = sandbox.start(command);
    go(sandbox, &runsvdir, log);
    until("the end of its speech", || sandbox.lines("said") == 1);
    runsvdir
}

#[track_caller]
fn until_title(runsvdir: &Running, title_is: &str) {
    let mut last = String::new();
    let end = std::time::Instant::now() + DEADLINE / 4;
    while last != title_is {
        assert!(std::time::Instant::now() < end, "the title is {last:?}, not {title_is:?}");
        last = title(runsvdir.pid());
    }
}

#[test]
fn a_dot_moves_into_the_window_at_the_start() {
    let sandbox = Sandbox::new();
    let runsvdir = sandbox.scan().start(&[], &["log: abcdefghij"]);
    until_title(&runsvdir, "log: bcdefghij.");
}

#[test]
fn what_a_supervisor_writes_moves_into_the_window() {
    let sandbox = Sandbox::new();
    let runsvdir = said(&sandbox, "log: abcdefghij", "printf hello");
    until_title(&runsvdir, "log: ghij.hello");
}

#[test]
fn what_a_service_writes_moves_into_the_window() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run(&(speech(&sandbox, "printf hello") + "exec sleep 1000000"));
    let scan = sandbox.scan();
    scan.link(&one);
    let runsvdir = scan.start(&["-P"], &["log: abcdefghij"]);
    go(&sandbox, &runsvdir, "log: abcdefghij");
    until_title(&runsvdir, "log: ghij.hello");
}

#[test]
fn the_window_shows_the_end_of_a_long_text_and_the_first_five_bytes_stay() {
    let sandbox = Sandbox::new();
    let runsvdir = said(&sandbox, "LOG=>0123456789", "yes 0123456 | head -n 3000; printf abcdefghijKLM");
    until_title(&runsvdir, "LOG=>defghijKLM");
}

#[test]
fn control_bytes_become_spaces() {
    if only_svbox("control bytes") {
        return;
    }
    let sandbox = Sandbox::new();
    let runsvdir = said(&sandbox, "log: 0123456789", r"printf 'a\nb\tc\033d\r\001'");
    until_title(&runsvdir, "log: .a b c d  ");
}

#[test]
fn bytes_beyond_ascii_are_kept() {
    let sandbox = Sandbox::new();
    let runsvdir = said(&sandbox, "log: 0123456789", r"printf '\303\244\342\202\254'");
    until_title(&runsvdir, "log: 6789.ä€");
}

#[test]
fn the_title_never_grows() {
    let sandbox = Sandbox::new();
    let runsvdir = said(&sandbox, "log: 0123456789", "seq 5000");
    until("the last number", || title(runsvdir.pid()).contains("5000"));
    let line = fs::read(format!("/proc/{}/cmdline", runsvdir.pid())).unwrap();
    let called = program("runsvdir").as_os_str().len();
    assert_eq!(line.len(), called + 1 + "scan".len() + 1 + 15 + 1);
}

#[test]
fn its_own_warnings_move_into_the_window() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink("nowhere", sandbox.scan().sandbox.join("scan/broken")).unwrap();
    let dots = format!("log: {}", ".".repeat(200));
    let runsvdir = sandbox.scan().start(&[], &[&dots]);
    until("the warning", || {
        title(runsvdir.pid()).contains("warning: unable to stat broken: file does not exist")
    });
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn a_log_of_seven_characters_is_long_enough() {
    let sandbox = Sandbox::new();
    let runsvdir = said(&sandbox, "log: ab", "printf yz");
    until_title(&runsvdir, "log: yz");
    assert_eq!(runsvdir.stderr(), "");
}

#[test]
fn a_log_that_is_too_short_is_warned_about_and_not_used() {
    for log in ["log: a", ""] {
        let sandbox = Sandbox::new();
        let runsvdir = said(&sandbox, log, "printf hello");
        let text = "runsvdir scan: warning: log must have at least seven characters.\n\
            runsvdir scan: warning: log service disabled.\nhello";
        until("the text", || runsvdir.stderr() == text);
        assert_eq!(title(runsvdir.pid()), log);
    }
}

#[test]
fn without_a_pipe_the_log_is_not_used() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan().link(&one);
    let mut command = traced(&sandbox, "pipe,pipe2:error=EMFILE", "runsvdir");
    command.args(["scan", "log: .........."]);
    let runsvdir = sandbox.start(command);
    one.until_up();
    let text = "runsvdir scan: warning: unable to create pipe for log.\n\
        runsvdir scan: warning: log service disabled.\n";
    assert_eq!(runsvdir.stderr(), text);
}

#[test]
fn a_flood_of_text_does_not_keep_it_from_its_work() {
    let sandbox = Sandbox::new();
    let (loud, one) = (sandbox.service("loud").run("exec yes >&2"), sandbox.service("one").run_forever());
    let scan = sandbox.scan();
    scan.link(&loud);
    let mut runsvdir = scan.start(&[], &["log: .........."]);
    loud.until_up();
    scan.link(&one);
    one.until_up();
    end_all(&sandbox, &mut runsvdir);
}

#[test]
fn services_that_flood_the_window_do_not_hold_runsvdir_up() {
    if only_svbox("told") {
        return;
    }
    let sandbox = Sandbox::new();
    let scan = sandbox.scan();
    let flood = |name| sandbox.service(name).run("exec yes flood >&2");
    let floods = ["one", "two", "three"].map(flood);
    floods.iter().for_each(|service| scan.link(service));
    let mut runsvdir = scan.start(&[], &["log: abcdefghij"]);
    floods.iter().for_each(|service| _ = service.until_up());
    // Each is a message for which there may be room or not, if it is a scan of its own.
    for number in 0..400 {
        let dangling = sandbox.join(format!("scan/d{number}"));
        std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
        fs::remove_file(dangling).unwrap();
    }
    runsvdir.signal(rustix::process::Signal::HUP);
    assert_eq!(runsvdir.ended().code(), Some(111));
}
