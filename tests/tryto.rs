//! tryto, from the outside.

use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What comes of it.
#[derive(Debug, PartialEq)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Outcome {
    fn new(code: i32, stdout: &str, stderr: &str) -> Self {
        Self { code: Some(code), stdout: stdout.into(), stderr: stderr.into() }
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// Runs it in a sandbox on a file with this input.
fn run_in(sandbox: &Sandbox, args: &[&str], input: &[u8]) -> Outcome {
    let mut command = sandbox.command("tryto");
    command.args(args).stdin(fs::File::open(sandbox.write("in", input)).unwrap());
    command.output().unwrap().into()
}

fn run(args: &[&str], input: &[u8]) -> Outcome {
    run_in(&Sandbox::new(), args, input)
}

/// The same by a pipe.
fn run_piped(args: &[&str], input: &[u8]) -> Outcome {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("tryto");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It need not read everything.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap().into()
    })
}

const CRASHED: &str = "tryto: warning: child crashed.\n";
const GIVING_UP: &str = "tryto: fatal: child crashed, giving up.\n";

#[test]
fn a_program_that_succeeds_is_run_once() {
    let text = "a line\n".repeat(50_000);
    assert_eq!(run(&["cat"], text.as_bytes()), Outcome::new(0, &text, ""));
    assert_eq!(run_piped(&["-v", "cat"], text.as_bytes()), Outcome::new(0, &text, ""));
    assert_eq!(run(&["true"], b""), Outcome::new(0, "", ""));
}

#[test]
fn one_that_fails_is_run_again_from_the_beginning_of_a_file_a_second_later() {
    let start = Instant::now();
    let outcome = run(&["-v", "-n", "2", "sh", "-c", "cat; exit 7"], b"x\n");
    assert_eq!(outcome, Outcome::new(7, "x\nx\n", &format!("{CRASHED}{CRASHED}{GIVING_UP}")));
    assert!(start.elapsed() >= Duration::from_secs(1));
    let quiet = run(&["-n2", "sh", "-c", "cat; exit 7"], b"x\n");
    assert_eq!(quiet, Outcome::new(7, "x\nx\n", GIVING_UP));
}

#[test]
fn a_pipe_cannot_be_gone_back_in() {
    let unable = "tryto: warning: unable to lseek fd 0: unseekable descriptor\n";
    let outcome = run_piped(&["-v", "-n", "2", "sh", "-c", "cat; exit 3"], b"x\n");
    assert_eq!(outcome, Outcome::new(3, "x\n", &format!("{CRASHED}{unable}{CRASHED}{unable}{GIVING_UP}")));
}

#[test]
fn the_last_try_can_succeed() {
    for tries in ["2", "3"] {
        let sandbox = Sandbox::new();
        let script = "cat; echo >>tries; [ $(wc -l <tries) = 2 ]";
        let outcome = run_in(&sandbox, &["-v", "-n", tries, "sh", "-c", script], b"x\n");
        assert_eq!(outcome, Outcome::new(0, "x\nx\n", CRASHED));
    }
}

#[test]
fn there_are_five_tries_by_default_and_one_for_what_is_no_number() {
    let sandbox = Sandbox::new();
    run_in(&sandbox, &["sh", "-c", "echo >>tries; exit 1"], b"");
    assert_eq!(sandbox.lines("tries"), 5);
    for tries in ["x", "0", ""] {
        assert_eq!(run(&["-n", tries, "sh", "-c", "cat; exit 2"], b"x\n"), Outcome::new(2, "x\n", GIVING_UP));
    }
}

#[test]
fn a_program_that_is_not_there_is_111() {
    let unable = "tryto: fatal: unable to start child: file does not exist\n";
    assert_eq!(run(&["-n1", "missing"], b"x"), Outcome::new(111, "", &format!("{unable}{GIVING_UP}")));
}

#[test]
fn a_program_that_is_killed_is_128_and_the_signal() {
    if only_svbox("killed program") {
        return;
    }
    assert_eq!(run(&["-n1", "sh", "-c", "kill -9 $$"], b""), Outcome::new(137, "", GIVING_UP));
}

#[test]
fn a_program_need_not_read_everything() {
    if only_svbox("child's input") {
        return;
    }
    let input = vec![b'x'; 1_000_000];
    for run in [run, run_piped] {
        assert_eq!(run(&["head", "-c", "3"], &input), Outcome::new(0, "xxx", ""));
        assert_eq!(run(&["sh", "-c", "exec <&-; echo ran"], &input), Outcome::new(0, "ran\n", ""));
        assert_eq!(run(&["-n1", "false"], &input), Outcome::new(1, "", GIVING_UP));
    }
    // Slowly, but all of it.
    let count = "head -c 100000 | wc -c; sleep 0.2; wc -c";
    assert_eq!(run(&["sh", "-c", count], &input), Outcome::new(0, "100000\n900000\n", ""));
}

#[test]
fn it_ends_with_the_program_though_its_input_does_not() {
    let sandbox = Sandbox::new();
    let (reader, _writer) = std::io::pipe().unwrap();
    let mut command = sandbox.command("tryto");
    assert_eq!(Outcome::from(command.arg("true").stdin(reader).output().unwrap()), Outcome::new(0, "", ""));
}

#[test]
fn programs_find_signals_and_descriptors_as_they_were() {
    // Not a shell, which would put its signals right. Of these those that a C library does not keep for itself.
    let signals = ["sed", "-n", r"s/^Sig[BI].*\(.......\)/\1/p", "/proc/self/status"];
    for program in [&signals[..], &["ls", "/proc/self/fd"]] {
        let without = Outcome::from(Sandbox::new().output(program[0], &program[1..]));
        assert_eq!(run(program, b""), without);
    }
}

#[test]
fn when_the_time_is_over_it_is_sent_term() {
    let start = Instant::now();
    let text = "tryto: warning: child \"sleep\" timed out. sending TERM...\ntryto: warning: child terminated.\n\
        tryto: fatal: child timed out, giving up.\n";
    assert_eq!(run(&["-t", "1", "sleep", "1000000"], b""), Outcome::new(100, "", text));
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[test]
fn whoever_does_not_listen_is_sent_kill() {
    let sandbox = Sandbox::new();
    let text = "tryto: warning: child \"sh\" timed out. sending TERM...\n\
        tryto: warning: child \"sh\" not terminated. sending KILL...\ntryto: fatal: child timed out, giving up.\n";
    let script = "trap : TERM; while :; do read line || sleep 0.1; done";
    let start = Instant::now();
    assert_eq!(run_in(&sandbox, &["-t1", "-k1", "sh", "-c", script], b"").stderr, text);
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[test]
fn the_time_is_that_of_all_tries() {
    let start = Instant::now();
    let outcome = run(&["-t", "2", "sh", "-c", "cat; exit 1"], b"x\n");
    assert_eq!(outcome.code, Some(100));
    assert!(outcome.stderr.ends_with("tryto: fatal: child timed out, giving up.\n"), "{outcome:?}");
    assert!(start.elapsed() >= Duration::from_secs(2));
}

#[test]
fn with_large_p_the_whole_group_is_ended() {
    let sandbox = Sandbox::new();
    // What is not ended must not hold the test's pipe.
    let script =
        "exec >&- 2>&-; set -- $(cat /proc/$$/stat); echo $1 $5 $6 >ids; sleep 1000000 & sleep 1000000";
    let outcome = run_in(&sandbox, &["-P", "-t1", "sh", "-c", script], b"");
    assert_eq!(outcome.code, Some(100));
    let ids = sandbox.read("ids");
    let ids: Vec<_> = ids.split_whitespace().collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    until("the end of the group", || sandbox.running("sleep 1000000").is_empty());
}

#[test]
fn term_ends_tryto_alone() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("tryto");
    command.args(["sleep", "1000000"]);
    let mut tryto = sandbox.start(command);
    until("the program", || sandbox.named("sleep").len() == 1);
    tryto.signal(Signal::TERM);
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(tryto.ended().signal(), Some(15));
    assert_eq!(sandbox.named("sleep").len(), 1);
}

/// Runs it as svlogd would; gives the output, and the new state.
fn process(args: &[&str], input: &str) -> (Outcome, String) {
    let sandbox = Sandbox::new();
    sandbox.write("in", input);
    sandbox.write("state", "old state\n");
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec tryto -p \"$@\" <in 4<state 5>newstate", "sh"]).args(args);
    let outcome = command.output().unwrap().into();
    (outcome, sandbox.read("newstate"))
}

#[test]
fn a_processor_gets_the_state_before_the_log() {
    // Without a pipe, of which the shell has an end for a moment.
    let script = "tr a-z A-Z; echo error >&2; ls /proc/$$/fd >fds; grep -x '[345]' fds; :";
    let expected = Outcome::new(0, "OLD STATE\nX\nY\n", "");
    assert_eq!(process(&["sh", "-c", script], "x\ny\n"), (expected, "error\n".into()));
}

#[test]
fn the_log_is_kept_when_a_processor_fails() {
    let (outcome, state) = process(&["-n1", "sh", "-c", "echo error >&2; exit 3"], "x\ny\n");
    assert_eq!(outcome, Outcome::new(0, "x\ny\n", ""));
    assert_eq!(state, format!("error\n{GIVING_UP}"));
    let (outcome, state) = process(&["-n1", "missing"], "x\ny\n");
    assert_eq!(outcome, Outcome::new(0, "x\ny\n", ""));
    assert!(state.starts_with("tryto: fatal: unable to start child: file does not exist\n"), "{state}");
}

#[test]
fn a_processor_gets_the_same_in_each_try_and_after_the_time() {
    if only_svbox("state again") {
        return;
    }
    let (outcome, state) = process(&["-n2", "-v", "sh", "-c", "cat; exit 3"], "x\n");
    assert_eq!(outcome, Outcome::new(0, "old state\nx\nold state\nx\nx\n", ""));
    assert_eq!(state, format!("{CRASHED}{CRASHED}{GIVING_UP}"));
    let long = "a line\n".repeat(50_000);
    let (outcome, _) = process(&["-t1", "sh", "-c", "read line; exec sleep 1000000"], &long);
    assert_eq!(outcome, Outcome::new(0, &long, ""));
    let (outcome, _) = process(&["-n1", "false"], &long);
    assert_eq!(outcome, Outcome::new(0, &long, ""));
}

#[test]
fn what_a_try_that_fails_has_written_is_taken_back_from_a_log() {
    if only_svbox("taken back") {
        return;
    }
    let twice = "cat; echo >>tries; [ $(wc -l <tries) = 2 ]";
    let rows = [
        (&["-n2", "sh", "-c", "cat; exit 3"][..], "x\n"),
        (&["-n2", "sh", "-c", twice], "old state\nx\n"),
        (&["-t1", "sh", "-c", "cat; exec sleep 1000000"], "x\n"),
    ];
    for (args, expected) in rows {
        for (redirection, before) in [(">out", ""), (">>out", "before\n")] {
            let sandbox = Sandbox::new();
            for (name, text) in [("in", "x\n"), ("state", "old state\n"), ("out", "before\n")] {
                sandbox.write(name, text);
            }
            let script = format!("exec tryto -p \"$@\" <in 4<state 5>newstate {redirection}");
            let status = sandbox.command("sh").args(["-c", &script, "sh"]).args(args).status().unwrap();
            assert_eq!(status.code(), Some(0));
            assert_eq!(sandbox.read("out"), format!("{before}{expected}"), "{args:?} {redirection}");
        }
    }
    let sandbox = Sandbox::new();
    sandbox.write("in", "x\n");
    sandbox.output("sh", &["-c", "exec tryto -n2 sh -c 'cat; exit 3' <in >out"]);
    assert_eq!(sandbox.read("out"), "x\nx\n", "without -p");
}

#[test]
fn a_processor_can_do_without_states() {
    if only_svbox("no states") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("in", "x\n");
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec tryto -p -n1 sh -c 'cat; exit 3' <in 4<&- 5>&-"]);
    assert_eq!(Outcome::from(command.output().unwrap()), Outcome::new(0, "x\nx\n", GIVING_UP));
}

#[test]
fn svlogd_has_its_logs_processed() {
    let sandbox = Sandbox::new();
    sandbox.write("d/config", "s30\nn9\n!tryto -p sh -c 'tr a-z A-Z'\n");
    let mut command = sandbox.command("svlogd");
    command
        .args(["-l", "8", "d"])
        .stdin(fs::File::open(sandbox.write("in", "a line of twenty\n".repeat(4))).unwrap());
    assert!(command.status().unwrap().success());
    let files = fs::read_dir(sandbox.join("d")).unwrap().map(|entry| entry.unwrap().path());
    let done: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "s")).collect();
    assert!(!done.is_empty());
    assert!(done.iter().all(|path| !fs::read_to_string(path).unwrap().contains(char::is_lowercase)));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    if only_svbox("child's input") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("tryto");
    let output =
        command.args(["-n1", "cat"]).stdin(fs::File::open(sandbox.path()).unwrap()).output().unwrap();
    assert_eq!(
        Outcome::from(output),
        Outcome::new(111, "", "tryto: fatal: unable to read fd 0: is a directory\n")
    );
}

#[test]
fn a_wrong_command_line_is_answered_with_the_usage() {
    let usage =
        format!("usage: {} [-vp] [-t seconds] [-k kseconds] [-n tries] prog\n\n", program("tryto").display());
    let rows = [(&[][..], ""), (&["-v"], ""), (&["-x", "cat"], "tryto: illegal option -- x\n")];
    for (args, before) in rows {
        assert_eq!(run(args, b""), Outcome::new(1, "", &format!("{before}{usage}")));
    }
    let output = Command::new(program("tryto")).arg("-V").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.ends_with(usage.as_bytes()));
}
