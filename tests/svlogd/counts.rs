//! What can be counted of a logger: system calls, wake-ups, descriptors, memory.

use crate::kit::*;
use std::fs;
use std::io::Write;
use std::process::Stdio;

/// The calls of a logger that is fed by `feed`, from the first read of its input to the last.
fn calls(feed: impl FnOnce(&Sandbox, &mut std::process::ChildStdin)) -> Vec<String> {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("d")).unwrap();
    let mut strace = sandbox.command("strace");
    strace.args(["-D", "-s", "0", "-o", "trace", "svlogd", "d"]).stdin(Stdio::piped());
    let mut child = strace.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    until("the logger", || sandbox.join("d/current").exists());
    feed(&sandbox, &mut stdin);
    drop(stdin);
    assert!(child.wait().unwrap().success());
    until("the whole trace", || sandbox.read("trace").contains("+++ exited"));
    let trace = sandbox.read("trace");
    let lines: Vec<_> = trace.lines().map(|line| line.split('(').next().unwrap().to_owned()).collect();
    let reads = |line: &String| line == "read";
    let first = trace.lines().position(|line| line.starts_with("read(0")).unwrap();
    let last =
        trace.lines().count() - trace.lines().rev().position(|line| line.starts_with("read(0")).unwrap();
    assert!(lines.iter().any(reads));
    lines[first..last].to_vec()
}

fn size(sandbox: &Sandbox) -> u64 {
    fs::metadata(sandbox.join("d/current")).map_or(0, |meta| meta.len())
}

#[test]
fn a_lone_line_is_read_and_written_by_three_calls() {
    if only_svbox("large portions") {
        return;
    }
    let made = calls(|sandbox, stdin| {
        for number in 1..=50 {
            stdin.write_all(b"a line\n").unwrap();
            until("the line", || size(sandbox) == number * 7);
        }
    });
    // A read, a write and a wait for each line, and a last read that finds the end.
    let expected: Vec<&str> = ["read", "write", "poll"].repeat(50);
    let names: Vec<&str> = made.iter().map(|name| name.trim_start_matches('p')).collect();
    let expected: Vec<&str> =
        expected.iter().map(|name| name.trim_start_matches('p')).chain(["read"]).collect();
    assert_eq!(names, expected);
}

#[test]
fn no_call_is_made_for_each_line_in_bulk() {
    if only_svbox("large portions") {
        return;
    }
    let text = "twenty bytes a line\n".repeat(50_000);
    let made = calls(|sandbox, stdin| {
        stdin.write_all(text.as_bytes()).unwrap();
        until("the end of a file", || size(sandbox) < 100_000 && !sandbox.read("d/current").is_empty());
    });
    // However the pipe was filled: what is written at once was read at once.
    let count = |name: &str| made.iter().filter(|call| *call == name).count();
    assert!(count("write") <= count("read") + 2, "{} writes, {} reads", count("write"), count("read"));
    assert!(made.len() < 50_000 / 5, "{} calls", made.len());
}

#[test]
fn a_megabyte_from_a_file_is_forty_calls() {
    if only_svbox("large portions") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("d")).unwrap();
    let count = |megabytes: usize| {
        let text = "a line of twenty-five by\n".repeat(40_000 * megabytes);
        let input = fs::File::open(sandbox.write("input", text)).unwrap();
        let mut strace = sandbox.command("strace");
        strace.args(["-o", "trace", "svlogd", "d"]).stdin(input);
        assert!(strace.status().unwrap().success());
        sandbox.lines("trace")
    };
    let (one, six) = (count(1), count(6));
    assert!((six - one) / 5 <= 40, "{} calls for a megabyte", (six - one) / 5);
}

#[test]
fn an_idle_logger_does_not_wake_up() {
    if only_svbox("large portions") {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("d")).unwrap();
    sandbox.write("d/config", "s100000\nn3\n!cat\n");
    let mut command = sandbox.command("svlogd");
    command.args(["-tt", "d"]).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all("a line\n".repeat(10_000).as_bytes()).unwrap();
    let waits = |pid: u32| fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    // A burst is followed by one more wake-up, which gives memory back; then there is none.
    let quiet = std::time::Duration::from_secs(4);
    until_some("quiet", || {
        let before = waits(child.id());
        std::thread::sleep(quiet);
        (before == waits(child.id())).then_some(())
    });
    drop(stdin);
    assert!(child.wait().unwrap().success());
}
