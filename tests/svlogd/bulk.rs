//! Very much input, and very odd input: the same bytes come out, and memory stays what it is.

use crate::kit::*;
use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};

/// How much there is to log: less in a build that is not optimised.
fn megabytes() -> usize {
    if std::env::var_os("SVBOX_PROGRAM").is_some() { 1024 } else { 96 }
}

fn start(sandbox: &Sandbox, config: &str, args: &[&str]) -> Child {
    fs::create_dir(sandbox.join("d")).unwrap();
    sandbox.write("d/config", config);
    let mut command = sandbox.command("svlogd");
    command.args(args).arg("d").stdin(Stdio::piped());
    command.spawn().unwrap()
}

/// Kilobytes that the process has in memory, and how many mappings.
fn memory(pid: u32) -> (u64, usize) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    (line.split_whitespace().nth(1).unwrap().parse().unwrap(), maps.lines().count())
}

/// The names of old logs, the oldest first, and what all files hold in that order.
fn logged(sandbox: &Sandbox) -> (usize, Vec<u8>) {
    let mut names: Vec<_> = fs::read_dir(sandbox.join("d"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name == "current" || name.starts_with('@'))
        .collect();
    names.sort();
    let bytes = names.iter().flat_map(|name| fs::read(sandbox.join("d").join(name)).unwrap()).collect();
    (names.len() - 1, bytes)
}

/// A megabyte of bytes without order, among them newlines, as many as asked for.
fn garbage(newlines: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes: Vec<u8> = (0..1 << 20)
        .map(|_| next().to_le_bytes()[3])
        .map(|byte| if byte == b'\n' { 0 } else { byte })
        .collect();
    for _ in 0..newlines {
        let at = usize::try_from(next()).unwrap() % bytes.len();
        bytes[at] = b'\n';
    }
    bytes
}

/// Logs the block over and over; what is kept at the end is the end of all of it.
fn log_over_and_over(block: &[u8], args: &[&str], select: &str) {
    let sandbox = Sandbox::new();
    let mut child = start(&sandbox, &format!("s1000000\nn4\n{select}"), args);
    let mut stdin = child.stdin.take().unwrap();
    let mut early = (0, 0);
    for megabyte in 0..megabytes() {
        stdin.write_all(block).unwrap();
        if megabyte == 8 {
            early = memory(child.id());
        }
    }
    let late = memory(child.id());
    assert!(late.0 <= early.0 + 64 && late.1 == early.1, "memory grew from {early:?} to {late:?}");
    drop(stdin);
    assert!(child.wait().unwrap().success());

    let mut expected = block.repeat(8);
    if !expected.ends_with(b"\n") {
        expected.push(b'\n');
    }
    let (old, bytes) = logged(&sandbox);
    assert_eq!(old, 4);
    assert!(expected.ends_with(&bytes), "what is kept is not the end of what was logged");
}

#[test]
fn a_flood_of_garbage_comes_out_as_it_went_in() {
    if only_svbox("large portions") {
        return;
    }
    log_over_and_over(&garbage(5000), &[], "");
}

#[test]
fn a_flood_of_garbage_is_selected_line_by_line() {
    if only_svbox("large portions") {
        return;
    }
    // Everything is deselected and selected again: each line is looked at.
    log_over_and_over(&garbage(5000), &[], "-*\n+*\n");
}

#[test]
fn a_flood_without_any_newline_is_cut_into_files() {
    if only_svbox("large portions") {
        return;
    }
    log_over_and_over(&garbage(0), &[], "");
}

#[test]
fn lines_of_ten_megabytes_are_logged_whole() {
    let sandbox = Sandbox::new();
    let mut child = start(&sandbox, "s0\n-*\n+x*\n", &[]);
    let mut stdin = child.stdin.take().unwrap();
    let mut expected = Vec::new();
    for letter in *b"xyx" {
        let mut line = vec![letter; 10 << 20];
        line.push(b'\n');
        stdin.write_all(&line).unwrap();
        if letter == b'x' {
            expected.extend(line);
        }
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(logged(&sandbox).1 == expected, "other bytes");
}
