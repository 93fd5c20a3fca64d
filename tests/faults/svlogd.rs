//! The life of a logger: what was written is there once, whatever fails and whenever it is killed.

use super::{faults, kills, sweep};
use crate::kit::*;
use std::fs;
use std::process::{Command, Output};

/// Several reads, and a processor that counts the files.
const ARGS: [&str; 6] = ["-l", "8", "-b", "64", "-v", "d"];
const PROCESSOR: &str = "!n=0; read n <&4; cat; echo $((n+1)) >&5\n";

/// For four old logs: the first, which has no state yet, the last, and one more between them than are kept.
fn input() -> String {
    (100..122).map(|number| format!("{number}{}\n", "x".repeat(number % 9))).collect()
}

fn prepare(sandbox: &Sandbox, config: &str) {
    sandbox.write("in", input());
    sandbox.write("empty", "");
    sandbox.write("d/config", config);
}

/// Runs it on a file, under strace if there is a trace to be had.
fn run(mut command: Command, sandbox: &Sandbox, input: &str) -> Output {
    command.stdin(fs::File::open(sandbox.join(input)).unwrap()).output().unwrap()
}

/// Under strace, which writes down all calls if there is no fault, or else those that write to the log.
fn traced(sandbox: &Sandbox, fault: Option<&str>) -> Command {
    let mut strace = sandbox.command("strace");
    strace.args(["-y", "-s", "9999", "-o", "trace"]);
    if let Some((call, how)) = fault.and_then(|fault| fault.split_once(':')) {
        strace.arg(format!("--trace=write,{call}")).arg(format!("--inject={call}:{how}"));
    }
    strace.arg("svlogd").args(ARGS);
    strace
}

fn plain(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command("svlogd");
    command.args(ARGS);
    command
}

/// What the files of the directory hold, the oldest first.
fn logged(sandbox: &Sandbox) -> String {
    let mut names: Vec<String> = fs::read_dir(sandbox.join("d"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name == "current" || name.ends_with(".s") || name.ends_with(".u"))
        .collect();
    // `@` comes before letters.
    names.sort();
    names.iter().map(|name| sandbox.read(format!("d/{name}"))).collect()
}

/// How many files have been processed, by their names and by the state.
fn processed(sandbox: &Sandbox) -> (usize, usize) {
    let files = fs::read_dir(sandbox.join("d")).unwrap().map(|entry| entry.unwrap().path());
    let finished = files.filter(|path| path.extension().is_some_and(|end| end == "s")).count();
    (finished, sandbox.read("d/state").trim().parse().unwrap_or(0))
}

/// How often a trace says that `current` became an old log.
fn rotations(trace: &str) -> usize {
    trace.lines().filter(|line| line.starts_with("rename") && line.contains("\"current\"")).count()
}

/// Reads all of the input, or says why not; after that a run without a fault leaves everything as it should be.
fn life(fault: Option<&str>) -> String {
    let sandbox = Sandbox::in_memory();
    prepare(&sandbox, &format!("s40\nn0\n{PROCESSOR}"));
    let output = run(traced(&sandbox, fault), &sandbox, "in");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => assert_eq!(logged(&sandbox), input(), "{stderr}"),
        Some(111) if stderr.contains("unable to read standard input") => {
            // The line that was being read ends there.
            assert!(input().starts_with(logged(&sandbox).trim_end()), "{stderr}");
        }
        Some(111) => {
            assert!(fault.is_some() && stderr.contains(": fatal: "), "{stderr}");
            assert_eq!(logged(&sandbox), "");
            run(plain(&sandbox), &sandbox, "in");
            assert_eq!(logged(&sandbox), input());
        }
        code => panic!("ended with {code:?}: {stderr}"),
    }
    let before = logged(&sandbox);
    let again = run(plain(&sandbox), &sandbox, "empty");
    assert_eq!((again.status.code(), logged(&sandbox)), (Some(0), before));
    let (files, counted) = processed(&sandbox);
    assert_eq!(files, counted, "{stderr}");
    let trace = sandbox.read("trace");
    assert!(fault.is_some() || rotations(&trace) == 4, "{trace}");
    trace
}

#[test]
fn svlogd_bears_each_system_call_failing_once() {
    if only_svbox("faults") {
        return;
    }
    sweep(life, faults);
}

/// What a trace says was written to the log.
fn acknowledged(trace: &str) -> String {
    let writes = trace.lines().filter(|line| line.starts_with("write(") && line.contains("/d/current>, \""));
    let text = |line: &str| {
        let (_, rest) = line.split_once(", \"").unwrap();
        let (text, result) = rest.rsplit_once("\", ").unwrap();
        let done: usize = result.split_once("= ").and_then(|(_, count)| count.parse().ok()).unwrap_or(0);
        let text = text.replace("\\n", "\n");
        text.get(..done).unwrap().to_owned()
    };
    writes.map(text).collect()
}

/// Is killed at some call; then the next one takes over, and after that runit's own.
fn end(fault: Option<&str>, keep: &str) -> String {
    let sandbox = Sandbox::in_memory();
    prepare(&sandbox, &format!("s40\n{keep}\n{PROCESSOR}"));
    run(traced(&sandbox, fault), &sandbox, "in");
    until("the end of what the logger has left", || sandbox.processes().is_empty());
    let trace = sandbox.read("trace");
    let written = acknowledged(&trace);
    let check = |whole: &str, who: &str| {
        let logged = logged(&sandbox);
        let holds = if keep == "n0" { logged == whole } else { whole.ends_with(&logged) };
        assert!(holds, "{who} has {logged:?} of {whole:?}");
        let files = fs::read_dir(sandbox.join("d")).unwrap().map(|entry| entry.unwrap());
        let old = files.filter(|entry| entry.file_name().to_string_lossy().starts_with('@'));
        let sizes: Vec<u64> = old.map(|entry| entry.metadata().unwrap().len()).collect();
        // One more than are kept if it was killed before one could go.
        assert!(keep == "n0" || sizes.len() <= 3, "{} old logs", sizes.len());
        assert!(sizes.iter().all(|size| *size <= 40), "old logs of {sizes:?} bytes");
    };
    let next = run(plain(&sandbox), &sandbox, "empty");
    let stderr = String::from_utf8_lossy(&next.stderr).into_owned();
    assert_eq!(next.status.code(), Some(0), "{stderr}");
    check(&written, "the next one");
    let (files, counted) = processed(&sandbox);
    assert!(fault.is_some() || rotations(&trace) == 4, "{trace}");
    assert!(if keep == "n0" { files == counted } else { files <= counted }, "{files} files, state {counted}");

    let mut runit = Command::new("/usr/bin/svlogd");
    runit.args(["-l", "8", "-b", "64", "d"]).current_dir(sandbox.path());
    sandbox.write("more", "200\n");
    assert_eq!(run(runit, &sandbox, "more").status.code(), Some(0));
    check(&format!("{written}200\n"), "runit");
    trace
}

#[test]
fn svlogd_may_be_killed_at_each_system_call() {
    if only_svbox("faults") {
        return;
    }
    sweep(|fault| end(fault, "n0"), kills);
}

#[test]
fn svlogd_may_be_killed_at_each_system_call_while_old_logs_go() {
    if only_svbox("faults") {
        return;
    }
    sweep(|fault| end(fault, "n2"), kills);
}
