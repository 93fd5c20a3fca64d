//! Outputs that are full, closed or broken; and how often it writes.

use super::*;
use rustix::fs::OFlags;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Stdio;

/// A socklog that writes to a pipe, and the other side of that.
fn piped<'s>(sandbox: &'s Sandbox, args: &[&str]) -> (Live<'s>, std::io::PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = socklog(sandbox, args);
    command.stdout(writer);
    (Live::run_to(sandbox, command), reader)
}

/// Sends messages until nobody takes more; gives how many were taken.
fn fill(socklog: &Live<'_>, message: &[u8]) -> usize {
    let socket = UnixDatagram::unbound().unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut sent = 0;
    until("the end of all room", || {
        loop {
            // It sleeps, and not because there is nothing to receive.
            let stat = fs::read_to_string(format!("/proc/{}/stat", socklog.running.pid())).unwrap();
            match socket.send_to(message, socklog.sandbox.join("log")) {
                Ok(_) => sent += 1,
                Err(_) => return stat.contains(") S "),
            }
        }
    });
    sent
}

#[test]
fn term_is_heard_while_a_pipe_is_full() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let (mut socklog, _reader) = piped(&sandbox, &["unix", "log"]);
    fill(&socklog, &[b'x'; 1000]);
    socklog.running.signal(Signal::TERM);
    assert_eq!(socklog.running.ended().code(), Some(0));
    let said = socklog.running.stderr();
    assert!(said.contains("\nsocklog: warning: data loss: bytes not written: "), "{said}");
}

#[test]
fn a_pipe_that_is_full_for_a_while_loses_nothing() {
    let sandbox = Sandbox::new();
    let (socklog, mut reader) = piped(&sandbox, &["unix", "log"]);
    let sent = fill(&socklog, &[b'x'; 1000]);
    assert!(sent >= 64, "{sent}");
    let line = [[b'x'; 1000].as_slice(), b"\n"].concat();
    let mut bytes = vec![0; sent * line.len()];
    reader.read_exact(&mut bytes).unwrap();
    assert!(bytes.chunks(line.len()).all(|found| found == line));
    socklog.end();
    assert_eq!(reader.read(&mut bytes).unwrap(), 0);
}

#[test]
fn others_find_the_pipe_as_it_was() {
    let sandbox = Sandbox::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = socklog(&sandbox, &["unix", "log"]);
    command.stdout(writer.try_clone().unwrap());
    let socklog = Live::run_to(&sandbox, command);
    assert!(!rustix::fs::fcntl_getfl(&writer).unwrap().contains(OFlags::NONBLOCK));
    drop((reader, socklog));
}

#[test]
fn a_pipe_that_never_waits_is_waited_for() {
    if only_svbox("write errors") {
        return;
    }
    for args in [&["unix", "log"][..], &["ucspi"]] {
        let sandbox = Sandbox::new();
        let (mut reader, writer) = std::io::pipe().unwrap();
        rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
        let mut command = socklog(&sandbox, args);
        if args.len() > 1 {
            command.stdout(writer);
            let socklog = Live::run_to(&sandbox, command);
            let sent = fill(&socklog, &[b'x'; 999]);
            let mut bytes = vec![0; sent * 1000];
            reader.read_exact(&mut bytes).unwrap();
        } else {
            let input = "x".repeat(999) + "\n";
            sandbox.write("in", input.repeat(1000));
            command.stdin(fs::File::open(sandbox.join("in")).unwrap()).stderr(writer);
            let mut child = command.spawn().unwrap();
            drop(command);
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len(), 1_000_000);
            assert!(child.wait().unwrap().success());
        }
    }
}

#[test]
fn what_cannot_be_written_is_an_error() {
    if only_svbox("write errors") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = socklog(&sandbox, &["unix", "log"]);
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut socklog = Live::run_to(&sandbox, command);
    socklog.send(&[b"x"]);
    assert_eq!(socklog.running.ended().code(), Some(111));
    let said = socklog.running.stderr();
    assert!(said.ends_with("\nsocklog: fatal: unable to write: out of disk space\n"), "{said}");

    let output = socklog_of_input(
        &sandbox,
        &[],
        b"x\n",
        fs::OpenOptions::new().write(true).open("/dev/full").unwrap(),
    );
    assert_eq!(output, Some(111));
}

/// The exit code of a socklog that reads this, with this standard error.
fn socklog_of_input(
    sandbox: &Sandbox,
    names: &[&str],
    input: &[u8],
    stderr: impl Into<Stdio>,
) -> Option<i32> {
    sandbox.write("in", input);
    let mut command = socklog(sandbox, &[&["ucspi"], names].concat());
    command.stdin(fs::File::open(sandbox.join("in")).unwrap()).stdout(Stdio::null()).stderr(stderr);
    command.status().unwrap().code()
}

#[test]
fn a_pipe_that_nobody_reads_any_more_kills_it() {
    use std::os::unix::process::ExitStatusExt;
    let sandbox = Sandbox::new();
    let (mut socklog, reader) = piped(&sandbox, &["unix", "log"]);
    drop(reader);
    // A child of another test can have the reader for a moment, until it is another program.
    let socket = UnixDatagram::unbound().unwrap();
    until("its end", || {
        let _ = socket.send_to(b"x", sandbox.join("log"));
        !socklog.running.lives()
    });
    assert_eq!(socklog.running.ended().signal(), Some(13));
}

/// How often a process has asked the kernel to write.
fn writes(socklog: &Live<'_>) -> u64 {
    let io = fs::read_to_string(format!("/proc/{}/io", socklog.running.pid())).unwrap();
    io.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
}

#[test]
fn a_lone_message_is_written_at_once_and_many_together() {
    if only_svbox("large portions") {
        return;
    }
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    let before = writes(&socklog);
    let mut expected = String::new();
    for number in 0..20 {
        socklog.send(&[format!("<13>{number}").as_bytes()]);
        expected += &format!("user.notice: {number}\n");
        socklog.until_written(&expected);
    }
    assert_eq!(writes(&socklog), before + 20);
    socklog.running.signal(Signal::STOP);
    for number in 0..10 {
        socklog.send(&[format!("<13>{number}").as_bytes()]);
        expected += &format!("user.notice: {number}\n");
    }
    socklog.running.signal(Signal::CONT);
    socklog.until_written(&expected);
    assert_eq!(writes(&socklog), before + 21);
}

#[test]
fn a_lone_message_takes_three_calls() {
    if only_svbox("large portions") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut strace = sandbox.command("strace");
    strace.args(["-D", "-s", "0", "-o", "trace", "socklog", "unix", "log"]);
    strace.env_remove("UID").env_remove("GID");
    let socklog = Live::run(&sandbox, strace);
    let mut expected = String::new();
    for _ in 0..20 {
        socklog.send(&[b"x"]);
        expected += "x\n";
        socklog.until_written(&expected);
    }
    socklog.end();
    until("the whole trace", || sandbox.read("trace").contains("+++ exited"));
    let trace = sandbox.read("trace");
    let calls: Vec<_> = trace
        .lines()
        .skip_while(|line| !line.contains("starting.") && !line.starts_with("madvise"))
        .skip_while(|line| !line.starts_with("recvmmsg"))
        .filter_map(|line| line.split_once('(').map(|(name, _)| name.trim_start_matches('p')))
        .collect();
    assert_eq!(
        calls[..60],
        ["recvmmsg", "write", "oll"]
            .repeat(20)
            .iter()
            .map(|name| name.trim_start_matches('p'))
            .collect::<Vec<_>>()
    );
}

#[test]
fn nothing_happens_when_nothing_happens() {
    if only_svbox("large portions") {
        return;
    }
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    // A burst, after which it is looked what was lost.
    socklog.running.signal(Signal::STOP);
    socklog.send(&[b"1", b"2", b"3"]);
    socklog.running.signal(Signal::CONT);
    socklog.until_written("1\n2\n3\n");
    // The time-out is the third argument of poll.
    until("a wait without an end", || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", socklog.running.pid())).unwrap();
        let words: Vec<_> = call.split_whitespace().collect();
        words.len() > 4 && words[3] == "0x0" || words.first() == Some(&"7") && words[3].ends_with("ffffffff")
    });
}

/// A descriptor can be a plain file that only grows.
#[test]
fn a_file_is_written_to() {
    let sandbox = Sandbox::new();
    let file: OwnedFd =
        fs::OpenOptions::new().create(true).append(true).open(sandbox.join("out")).unwrap().into();
    let mut command = socklog(&sandbox, &["unix", "log"]);
    command.stdout(file);
    let socklog = Live::run_to(&sandbox, command);
    socklog.send(&[b"x"]);
    socklog.until_written("x\n");
}
