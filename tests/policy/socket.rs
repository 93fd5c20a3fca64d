//! `notify-socket`, `timeout-watchdog`, `supervise/message`.

use super::*;
use std::process::Command;

fn is_ready(service: &Service<'_>) -> bool {
    service.join("supervise/ready").exists()
}

/// A service that sends each line of its fifo `say` to the socket, one datagram each; a `|` is a newline.
pub(super) fn saying<'s>(sandbox: &'s Sandbox) -> Service<'s> {
    let program = r#"use Socket; use IO::Handle; $SIG{PIPE} = "IGNORE";
        ($name = $ENV{NOTIFY_SOCKET}) =~ s/^@/\0/;
        socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
        my $to = pack("S a*", AF_UNIX, $name);
        open(my $up, ">>", "up"); print $up "$ENV{NOTIFY_SOCKET} $ENV{WATCHDOG_USEC}\n"; close $up;
        while (1) { open(my $in, "<", "say"); while (<$in>) { chomp; s/\|/\n/g; send($socket, $_, 0, $to) or die; } }"#;
    let service = counted(sandbox, "exec perl ./program").file("notify-socket", "").file("program", program);
    assert!(Command::new("mkfifo").arg(service.join("say")).status().unwrap().success());
    service
}

pub(super) fn say(service: &Service<'_>, line: &str) {
    // Between two lines nobody may be reading.
    until("a reader", || fs::write(service.join("say"), format!("{line}\n")).is_ok());
}

#[test]
fn ready_reloading_and_stopping_are_shown() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    assert!(service.read("up").starts_with('@') && !is_ready(&service));
    say(&service, "NONSENSE|STATUS=half way|READY=0");
    until("its words", || service.read("supervise/message") == "half way\n");
    assert!(!is_ready(&service));
    say(&service, "READY=1|STATUS=all the way");
    until("that it is ready", || is_ready(&service));
    let status = String::from_utf8(service.sv(&["status"]).stdout).unwrap();
    assert!(status.ends_with(", \"all the way\"\n"), "{status:?}");
    say(&service, "RELOADING=1");
    until("that it is not", || !is_ready(&service));
    say(&service, "READY=1");
    until("that it is ready again", || is_ready(&service));
    say(&service, "STOPPING=1");
    until("that it is not", || !is_ready(&service));
    let pid = service.until_up();
    down(&service);
    assert!(!service.join("supervise/message").exists() && pid != 0);
    assert_eq!(runsv.stderr(), "");
}

#[test]
fn what_others_have_put_there_is_shown_with_the_same_care() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("one").run_forever();
    let _runsv = service.supervise();
    service.until_up();
    sandbox.write("one/supervise/message", "a\x1b[31mb\n");
    let status = || String::from_utf8(service.sv(&["status"]).stdout).unwrap();
    assert!(status().ends_with(", \"a?[31mb\"\n"), "{:?}", status());
    std::fs::remove_file(service.join("supervise/message")).unwrap();
    std::os::unix::fs::symlink(sandbox.write("secret", "root\n"), service.join("supervise/message")).unwrap();
    assert!(!status().contains("root"), "{:?}", status());
}

#[test]
fn what_a_terminal_would_obey_is_not_shown_and_not_too_much() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("up", 1);
    say(&service, &format!("STATUS=a\u{1b}[31mb\u{7}{}", "x".repeat(300)));
    until("its words", || service.read("supervise/message").starts_with("a?[31mb?xx"));
    assert_eq!(service.read("supervise/message").len(), 129);
}

#[test]
fn the_watchdog_bites_when_it_is_not_fed() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox).file("timeout-watchdog", "1500").file("restart", "always delay=0");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    assert!(service.read("up").ends_with(" 1500000\n"));
    say(&service, "READY=1");
    let fed = std::time::Instant::now();
    while fed.elapsed() < Duration::from_secs(2) {
        say(&service, "WATCHDOG=1");
    }
    assert_eq!((service.lines("starts"), runsv.stderr().as_str()), (1, ""));
    until_said(&service, &runsv, "service does not answer, stopping it");
    service.until_lines("up", 2);
    assert!(service.read("supervise/deaths").ends_with(" -1 15\n"));
}

#[test]
fn a_service_can_say_that_it_is_not_well() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox).file("restart", "always delay=0");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    say(&service, "READY=1");
    until("that it is ready", || is_ready(&service));
    say(&service, "WATCHDOG=trigger");
    until_said(&service, &runsv, "service does not answer, stopping it");
    service.until_lines("up", 2);
}

#[test]
fn other_users_are_not_heard() {
    if only_svbox("own files") || !rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("up", 1);
    let name = service.read("up").split(' ').next().unwrap().to_owned();
    let send = |user: &str, text: &str| {
        let script = r#"use Socket; ($n = $ARGV[0]) =~ s/^@/\0/; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); send($s, $ARGV[1], 0, pack("S a*", AF_UNIX, $n)) or die"#;
        let status = Command::new("setpriv")
            .args(["--reuid", user, "--clear-groups", "perl", "-e", script, &name, text])
            .status();
        assert!(status.unwrap().success());
    };
    send("65534", "READY=1|STATUS=from a stranger".replace('|', "\n").as_str());
    send("0", "STATUS=from root");
    until("what root says", || service.read("supervise/message") == "from root\n");
    assert!(!is_ready(&service));
}

#[test]
fn a_flood_does_not_hide_a_command() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    let _runsv = service.supervise();
    service.until_lines("up", 1);
    say(&service, &"STATUS=again and again\nSTATUS=on and on\n".repeat(20_000));
    down(&service);
}

#[test]
fn a_service_finds_everything_else_in_its_environment_as_ever() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox
        .service("one")
        .run("tr '\\0' '\\n' </proc/$$/environ >found\nexec sleep 1000000")
        .file("notify-socket", "");
    let mut command = sandbox.command("runsv");
    command.arg("one").env("NOTIFY_SOCKET", "/somewhere/else").env("NOTIFY", "1").env("EMPTY", "");
    let _runsv = sandbox.start(command);
    until("its environment", || service.read("found").contains("NOTIFY_SOCKET="));
    let found = service.read("found");
    assert!(
        found.contains("\nNOTIFY=1\n") && found.contains("\nEMPTY=\n") && found.contains("PATH="),
        "{found:?}"
    );
    assert_eq!(found.matches("NOTIFY_SOCKET=").count(), 1);
    assert!(found.contains("NOTIFY_SOCKET=@"), "{found:?}");
}

#[test]
fn the_watchdog_of_its_supervisor_is_not_the_services() {
    if only_svbox("own files") {
        return;
    }
    for within in ["5000", "0"] {
        let sandbox = Sandbox::new();
        let service = sandbox
            .service("one")
            .run("tr '\\0' '\\n' </proc/$$/environ | sort >some; mv some found\nexec sleep 1000000")
            .file("notify-socket", "")
            .file("timeout-watchdog", within);
        let mut command = sandbox.command("runsv");
        command.arg("one").env("WATCHDOG_PID", "1").env("WATCHDOG_USEC", "77").env("WATCHDOG", "1");
        let _runsv = sandbox.start(command);
        until("its environment", || service.read("found").contains("WATCHDOG=1\n"));
        let found = service.read("found");
        let watchdog: Vec<_> = found.lines().filter(|line| line.starts_with("WATCHDOG_")).collect();
        let expected: &[&str] = if within == "0" { &[] } else { &["WATCHDOG_USEC=5000000"] };
        assert_eq!((watchdog.as_slice(), found.matches("NOTIFY_SOCKET=@").count()), (expected, 1));
    }
}

#[test]
fn a_service_that_is_about_to_end_need_not_be_alive() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox)
        .file("timeout-watchdog", "300")
        .file("restart", "always delay=0")
        .script("control/t", "echo >>asked");
    let runsv = service.supervise();
    service.until_lines("up", 1);
    // TERM is taken over and does not end it: it lives on, about to end, for longer than the watchdog waits.
    say(&service, "READY=1");
    until("that it is ready", || is_ready(&service));
    service.send(b"d");
    service.until_lines("asked", 1);
    let told = std::time::Instant::now();
    until("the time is over", || told.elapsed() > Duration::from_millis(700));
    assert_eq!((service.lines("asked"), times_said(&runsv, "service does not answer, stopping it")), (1, 0));
    service.send(b"k");
    service.until_shown(Shown::Down);
    assert!(!service.join("supervise/deaths").exists());
}

#[test]
fn a_message_may_have_4096_bytes_and_of_a_longer_one_whole_lines_count() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = saying(&sandbox);
    let runsv = service.supervise();
    service.until_lines("up", 1);
    let long = |length: usize, first: &str, last: &str| {
        let between = length - first.len() - last.len() - "|X=|".len();
        say(&service, &format!("{first}|X={}|{last}", "x".repeat(between)));
    };
    long(4096, "STATUS=one", "READY=1");
    until("that it is ready", || is_ready(&service));
    assert_eq!((service.read("supervise/message").as_str(), runsv.stderr().as_str()), ("one\n", ""));
    // What is cut off would mean something.
    for (status, length) in [("STATUS=two", 4097), ("STATUS=three", 9000)] {
        long(length, status, &format!("STATUS={}", "y".repeat(5)));
        until("the first line", || service.read("supervise/message") == format!("{}\n", &status[7..]));
    }
    say(&service, "RELOADING=1");
    until("that it is not ready", || !is_ready(&service));
    // Cut off behind what is a whole word by itself.
    long(4096 + 2, "STATUS=four", "READY=1zz");
    until("the first line", || service.read("supervise/message") == "four\n");
    assert!(!is_ready(&service));
    let told = "notify-socket: message is longer than 4096 bytes, ignoring the rest";
    assert_eq!(times_said(&runsv, told), 1);
    down(&service);
    service.send(b"u");
    service.until_lines("up", 2);
    long(5000, "STATUS=five", "READY=1");
    until("the first line", || service.read("supervise/message") == "five\n");
    assert_eq!((times_said(&runsv, told), is_ready(&service)), (2, false));
}
