//! Lines that are half written when a directory is closed, opened again, left out, or left for good.

use super::full_disk::{PAUSE, fill, make_room, small};
use super::*;

#[test]
fn hup_inside_a_long_line_takes_nothing_away_when_the_disk_is_full() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 16, "s0\n") else { return };
    let mut live = Live::start(&sandbox, &["-L", "-v", "d"]);
    let whole = lines(200, 50);
    live.say(&whole);
    live.say("P".repeat(2000));
    until("the beginning of the line", || log.current().ends_with('P'));
    live.signal(Signal::HUP);
    live.until_said("info: append: d/current");
    fill(&log);
    live.say("Q".repeat(40_000));
    live.say("\n");
    live.until_read();
    make_room(&log, 100);
    live.say("next\n");
    assert_eq!(live.end().0, Some(0));
    let text = log.current();
    assert!(text.starts_with(&whole), "{} bytes are left", text.len());
    let rest = &text[whole.len()..];
    assert_eq!(rest, "warning: data loss: 1 lines: out of disk space\nnext\n");
}

#[test]
fn hup_does_not_forget_what_was_dropped() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 4, "s0\n") else { return };
    fill(&log);
    let mut live = Live::start(&sandbox, &["-LL", "-v", "d"]);
    live.say("a\nb\n");
    live.say("S".repeat(1500));
    live.until_said("warning: data loss: d: ");
    live.until_read();
    live.signal(Signal::HUP);
    live.until_said_times(2, "info: new: d/current");
    fs::remove_file(log.join("ballast")).unwrap();
    live.say("TAIL\nnext\n");
    assert_eq!(live.end().0, Some(0));
    assert_eq!(log.current(), "warning: data loss: 3 lines: out of disk space\nnext\n");
}

#[test]
fn what_was_dropped_and_never_told_is_told_at_the_end() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 4, "s0\n") else { return };
    fill(&log);
    let said = feed(&sandbox, &["-L", "d"], "a\nb\nc");
    let warning = "svlogd: warning: data loss: d: 3 lines: out of disk space\n";
    assert_eq!(said, (Some(0), warning.to_owned()));
}

#[test]
fn the_line_at_the_top_does_not_come_into_one_that_is_half_written() {
    if only_svbox("banner") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "s0\n0BANNER\n") else { return };
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    let line = format!("{}\n", "R".repeat(20_000));
    live.say(&line);
    live.until_said(PAUSE);
    make_room(&log, 40);
    live.signal(Signal::HUP);
    live.until_said("info: append: d/current");
    live.say("next\n");
    assert_eq!(live.end().0, Some(0));
    assert!(log.current() == format!("BANNER\n{line}BANNER\nnext\n"), "{:?}", log.current());
}

#[test]
fn term_while_nothing_can_be_written_does_not_tear_the_line_that_comes_last() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "s0\n") else { return };
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    let all = lines(40_000, 91);
    let mut said = 0;
    // Until neither svlogd nor the pipe takes any more.
    let input = live.input.take().unwrap();
    live.until_said("info: new: d/current");
    let mut full = 0;
    while full < 200 {
        match std::io::Write::write(&mut &input, &all.as_bytes()[said..]) {
            Ok(count) => (said, full) = (said + count, 0),
            Err(_) => {
                full += 1;
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        assert!(said < all.len(), "it takes everything");
    }
    live.signal(Signal::TERM);
    live.until_said("info: sigterm received.");
    make_room(&log, 4000);
    assert_eq!(live.ended(), Some(0), "{}", live.stderr());
    let left = live.output_left(input);
    assert!(log.current().ends_with('\n'), "a torn line is logged");
    assert!(format!("{}{left}", log.current()) == all[..said], "lines are missing or torn");
}

#[test]
fn a_crashed_file_is_put_aside_however_often_that_fails() {
    if only_svbox("faults") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    log.write("current", "half a li");
    log.set_mode("current", 0o644);
    let mut command = traced(&sandbox, "renameat2,renameat,rename:error=EIO:when=1", "svlogd");
    command.args(["-v", "d"]);
    let mut live = Live::run(&sandbox, command);
    live.until_said("pausing: unable to rename current: d: input/output error");
    live.say("new\n");
    log.until_current("new\n");
    assert_eq!(log.read(&log.only_old()), "half a li");
}

#[test]
fn a_directory_that_comes_back_ends_the_line_that_it_has_missed() {
    let sandbox = Sandbox::new();
    let (one, two) = (log(&sandbox, "one", ""), log(&sandbox, "two", ""));
    let mut live = Live::start(&sandbox, &["-v", "-l", "10", "-b", "11", "one", "two"]);
    live.say("HHHHHHHHHHHHHHH");
    until("the beginning", || [&one, &two].iter().all(|log| log.current().starts_with("HHHHHHHHHH")));
    live.until_read();
    let begun = two.current();
    fs::rename(sandbox.join("two"), sandbox.join("away")).unwrap();
    live.signal(Signal::HUP);
    live.until_said("warning: unable to open log directory: two");
    live.say("tail\nmissed\nLLLLLLLLLLLLLLL");
    until("the rest", || one.current().contains("missed\nLLLLLLLLLL"));
    fs::rename(sandbox.join("away"), sandbox.join("two")).unwrap();
    live.signal(Signal::HUP);
    live.until_said("info: append: two/current");
    live.say("end\nnew\n");
    until("the last line", || one.current().ends_with("new\n"));
    if !against_runit() {
        two.until_current(&format!("{begun}\nnew\n"));
    }
}

#[test]
fn what_waits_is_told_of_when_no_directory_can_be_opened_any_more() {
    if only_svbox("deaf") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some((log, _mount)) = small(&sandbox, "d", 3, "s0\n") else { return };
    fill(&log);
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("nine byte\n");
    live.until_said(PAUSE);
    log.set_mode("", 0o000);
    fs::rename(log.join("lock"), log.join("lost")).unwrap();
    fs::create_dir(log.join("lock")).unwrap();
    live.signal(Signal::HUP);
    assert_eq!(live.ended(), Some(111));
    assert!(
        live.stderr().ends_with("svlogd: warning: data loss: bytes not written: 10\n"),
        "{}",
        live.stderr()
    );
}

#[test]
fn what_an_old_processor_still_writes_is_not_what_the_next_one_has_written() {
    if only_svbox("left behind") {
        return;
    }
    let sandbox = Sandbox::new();
    let config = "!if mkdir ../first; then while test ! -e ../go; do sleep 0.01; done; echo old; echo old >&5; \
        echo >>../done; else cat; echo new >&5; fi\n";
    let log = log(&sandbox, "d", config);
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "a\n");
    until("the first processor", || sandbox.join("first").exists());
    live.signal(Signal::KILL);
    live.ended();
    let mut live = Live::start(&sandbox, &["d"]);
    let [old] = <[String; 1]>::try_from(log.until_old(1, ".s")).unwrap();
    sandbox.write("go", "");
    until("the end of the first processor", || sandbox.lines("done") == 1);
    assert_eq!((log.read(&old), log.read("state")), ("a\n".into(), "new\n".into()));
    live.input = None;
    assert_eq!(live.ended(), Some(0));
}
