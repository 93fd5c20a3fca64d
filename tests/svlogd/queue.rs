//! Processors that fail, hang, or are left behind: the order of old logs that wait for theirs.

use super::*;
use std::time::Duration;

/// When the processor was started, as it has noted itself in `tries`.
fn tries(sandbox: &Sandbox) -> Vec<Duration> {
    let text = sandbox.read("tries");
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| Duration::from_nanos(line.parse().unwrap())).collect()
}

#[test]
fn a_processor_that_cannot_be_found_has_failed() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!exec ../nonsense\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "text\n");
    live.until_said("warning: processor failed, restart: d");
    sandbox.script("nonsense", "cat");
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["text\n"]);
}

#[test]
fn a_processor_that_cannot_have_its_files_has_failed() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!cat\n");
    fs::create_dir(log.join("newstate")).unwrap();
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "text\n");
    // A warning of svlogd's, or what ends the process that should become the processor.
    until("a complaint", || {
        live.stderr().contains(": unable to open newstate for processor: d: is a directory\n")
    });
    fs::remove_dir(log.join("newstate")).unwrap();
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["text\n"]);
}

#[test]
fn a_processor_that_fails_is_started_again() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!echo half; test -e ../good || { echo >>../tries; exit 3; }; cat\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "text\n");
    live.until_said("warning: processor failed, restart: d");
    until("a second try", || sandbox.lines("tries") >= 2);
    assert_eq!((log.ending(".u").len(), log.ending(".s").len()), (1, 0));
    sandbox.write("good", "");
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["half\ntext\n"]);
}

#[test]
fn a_processor_that_fails_is_started_again_after_a_growing_pause() {
    if only_svbox("processor pause") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!date +%s%N >>../tries; exit 1\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "text\n");
    until("a fourth try", || tries(&sandbox).len() >= 4);
    let tries = tries(&sandbox);
    let gaps: Vec<_> = tries.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    assert!(gaps[0] >= Duration::from_millis(950), "{gaps:?}");
    assert!(gaps[2] >= Duration::from_millis(1500), "{gaps:?}");
}

#[test]
fn a_processor_that_is_killed_has_failed() {
    if only_svbox("processor killed") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!echo half; test -e ../good || { echo >>../tries; kill -9 $$; }; cat\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "text\n");
    live.until_said("warning: processor failed, restart: d");
    until("a second try", || sandbox.lines("tries") >= 2);
    assert!(log.ending(".s").is_empty());
    sandbox.write("good", "");
    log.until_old(1, ".s");
    assert_eq!(log.old_texts(), ["half\ntext\n"]);
}

#[test]
fn lines_are_logged_while_a_processor_works() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("!{UNTIL_GO}; cat\n"));
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "a\n");
    begun(&sandbox, 1);
    live.say("b\n");
    log.until_current("b\n");
    sandbox.write("go", "");
    log.until_old(1, ".s");
    assert_eq!(log.current(), "b\n");
}

#[test]
fn a_slow_processor_does_not_hold_up_rotation() {
    if only_svbox("at work beside") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("!{UNTIL_GO}; {NOTED}\n"));
    let mut live = Live::start(&sandbox, &["d"]);
    for text in ["a\n", "b\n", "c\n"] {
        rotate(&mut live, &log, text);
    }
    begun(&sandbox, 1);
    assert_eq!(log.ending(".u").len(), 3);
    assert_eq!(sandbox.lines("begun"), 1, "more than one processor at a time");
    sandbox.write("go", "");
    log.until_old(3, ".s");
    assert_eq!(log.old_texts(), ["a\n", "b\n", "c\n"]);
    assert_eq!(sandbox.read("order"), "a\nb\nc\n");
}

#[test]
fn a_failing_processor_does_not_hold_up_rotation() {
    if only_svbox("at work beside") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("!test -e ../go || exit 1; {NOTED}\n"));
    let mut live = Live::start(&sandbox, &["d"]);
    for text in ["a\n", "b\n", "c\n"] {
        rotate(&mut live, &log, text);
    }
    live.until_said("warning: processor failed, restart: d");
    assert_eq!(log.ending(".u").len(), 3);
    sandbox.write("go", "");
    log.until_old(3, ".s");
    assert_eq!(sandbox.read("order"), "a\nb\nc\n");
}

#[test]
fn the_processors_of_two_directories_work_at_the_same_time() {
    let sandbox = Sandbox::new();
    let one = log(
        &sandbox,
        "one",
        "s100\n!echo >../one.begun; while test ! -e ../two.begun; do sleep 0.01; done; cat\n",
    );
    let two = log(
        &sandbox,
        "two",
        "s100\n!echo >../two.begun; while test ! -e ../one.begun; do sleep 0.01; done; cat\n",
    );
    fed(&sandbox, &["-l", "100", "one", "two"], "a\n");
    assert_eq!((one.old_texts(), two.old_texts()), (vec!["a\n".into()], vec!["a\n".into()]));
    assert_eq!((one.ending(".s").len(), two.ending(".s").len()), (1, 1));
}

#[test]
fn term_is_heard_while_a_processor_hangs() {
    if only_svbox("at work beside") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!echo >>../begun; exec sleep 1000000\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "a\n");
    begun(&sandbox, 1);
    live.say("b\n");
    log.until_current("b\n");
    live.signal(Signal::TERM);
    assert_eq!(live.ended(), Some(0));
    assert_eq!(log.ending(".u").len(), 1);
    assert!(log.ending(".s").is_empty());
    assert_eq!((log.current(), log.mode("current")), ("b\n".into(), 0o744));
}

#[test]
fn term_is_heard_while_a_processor_fails_and_after_the_end_of_input() {
    if only_svbox("at work beside") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!exit 1\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "a\n");
    live.until_said("warning: processor failed, restart: d");
    live.input = None;
    live.signal(Signal::TERM);
    assert_eq!(live.ended(), Some(0));
    assert_eq!(log.ending(".u").len(), 1);
}

#[test]
fn an_input_that_is_gone_is_given_up_with_a_warning() {
    if only_svbox("input gone") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("!test -e ../go || {{ echo >>../begun; exit 1; }}; {NOTED}\n"));
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "a\n");
    begun(&sandbox, 1);
    live.until_said("warning: processor failed, restart: d");
    fs::remove_file(log.join(&log.ending(".u")[0])).unwrap();
    sandbox.write("go", "");
    rotate(&mut live, &log, "b\n");
    log.until_old(1, ".s");
    assert_eq!((log.old_texts(), sandbox.read("order")), (vec!["b\n".into()], "b\n".into()));
    assert!(live.stderr().matches("svlogd: warning: ").count() >= 2, "{}", live.stderr());
}

#[test]
fn a_log_that_is_being_processed_is_not_deleted() {
    if only_svbox("at work beside") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("n2\n!{UNTIL_GO}; {NOTED}\n"));
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    rotate(&mut live, &log, "a\n");
    begun(&sandbox, 1);
    let first = log.ending(".u").remove(0);
    for text in ["b\n", "c\n", "d\n"] {
        rotate(&mut live, &log, text);
        assert_eq!(log.read(&first), "a\n");
    }
    sandbox.write("go", "");
    live.until_said(&format!("info: processed: d/{}", first.replace(".u", ".s")));
    until("the order", || sandbox.read("order").ends_with("d\n"));
    assert!(sandbox.read("order").starts_with("a\n"));
}

/// Lines with numbers.
fn numbered(count: usize) -> String {
    (0..count).map(|number| format!("line {number:07} of many, and it is long enough\n")).collect()
}

#[test]
fn a_burst_costs_nothing_that_a_sound_processor_has_not_had() {
    let sandbox = Sandbox::new();
    for (name, keep) in [("few", 2), ("more", 5)] {
        let log = log(&sandbox, name, format!("s4096\nn{keep}\n!cat >>../had-{name}\n"));
        let text = numbered(4000);
        let (code, said) = feed(&sandbox, &[name], &text);
        assert_eq!((code, said.as_str()), (Some(0), ""));
        assert_eq!(sandbox.read(format!("had-{name}")) + &log.current(), text, "{keep} old logs");
    }
}

#[test]
fn after_term_nothing_goes_that_waits_for_its_processor() {
    if only_svbox("read ahead") {
        return;
    }
    let sandbox = Sandbox::new();
    let log =
        log(&sandbox, "d", "s4096\nn3\n!echo >>../began; until test -e ../go; do sleep 0.01; done; cat\n");
    let mut live = Live::start(&sandbox, &["d"]);
    let text = numbered(2000);
    live.say(&text);
    live.until_read();
    until("the processor", || sandbox.lines("began") == 1);
    live.signal(Signal::TERM);
    until("the rest", || log.old().len() > 3);
    sandbox.write("go", "");
    assert_eq!(live.ended(), Some(0));
    assert_eq!(String::from_utf8(log.whole()).unwrap(), text);
    // The next one goes on with them, in order.
    let (code, _) = feed(&sandbox, &["d"], "last\n");
    assert_eq!((code, sandbox.lines("began") > 10), (Some(0), true));
    assert_eq!(log.ending(".u").len(), 0);
}
