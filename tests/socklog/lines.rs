//! Messages of processes become lines.

use super::*;

#[test]
fn facility_and_priority_are_converted_to_names() {
    let rows: [(&[u8], &str); 17] = [
        (b"<13>Jan  1 00:00:00 host tag: hello", "user.notice: Jan  1 00:00:00 host tag: hello\n"),
        (b"<4>x", "kern.warn: x\n"),
        (b"<013>x", "user.notice: x\n"),
        (b"<192>x", "mark.emerg: x\n"),
        (b"<999>y", "unknown.debug: <999>y\n"),
        (b"<96>y", "unknown.emerg: <96>y\n"),
        (b"<1000>z", "<1000>z\n"),
        (b"<>q", "<>q\n"),
        (b"<a>q", "<a>q\n"),
        (b"< 5>q", "< 5>q\n"),
        (b"<13", "<13\n"),
        (b"nopri", "nopri\n"),
        (b"<13>", "user.notice: \n"),
        (b"<165>1 2003-08-24T05:14:15 x", "local4.notice: 1 2003-08-24T05:14:15 x\n"),
        (b"with newline\n", "with newline\n"),
        (b"<13>with NULs\0\0\0", "user.notice: with NULs\n"),
        (b"\n", "\n"),
    ];
    let messages: Vec<_> = rows.iter().map(|(message, _)| *message).collect();
    lines_of(&[], &messages, &rows.iter().map(|(_, line)| *line).collect::<String>());
}

#[test]
fn empty_messages_are_passed_over() {
    lines_of(&[], &[b"", b"\0\0", b"x"], "x\n");
}

#[test]
fn emergencies_of_the_kernel_are_converted() {
    if only_svbox("emergencies") {
        return;
    }
    lines_of(
        &[],
        &[b"<0>panic", b"<000>panic", b"<00>"],
        "kern.emerg: panic\nkern.emerg: panic\nkern.emerg: \n",
    );
}

#[test]
fn a_message_is_one_line() {
    if only_svbox("one line") {
        return;
    }
    let messages: [&[u8]; 4] = [b"<13>a\nkern.emerg: forged\n", b"a\0b", b"\n\n\n", b"<13>\n<0>x\0\n"];
    let expected = "user.notice: a\\nkern.emerg: forged\na\\0b\n\\n\\n\nuser.notice: \\n<0>x\\0\n";
    lines_of(&[], &messages, expected);
    let raw = "<13>a\\nkern.emerg: forged\na\\0b\n\\n\\n\n<13>\\n<0>x\\0\n";
    lines_of(&["-R"], &messages, raw);
}

#[test]
fn other_bytes_pass() {
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["unix", "log"]);
    let all: Vec<u8> = (1..=255).filter(|byte| *byte != b'\n').collect();
    socklog.send(&[&all]);
    until("the line", || fs::read(sandbox.join("out")).unwrap().len() > all.len());
    assert_eq!(fs::read(sandbox.join("out")).unwrap(), [all.as_slice(), b"\n"].concat());
}

#[test]
fn raw_messages_come_before_or_in_the_place_of_converted_ones() {
    let messages: [&[u8]; 3] = [b"<13>x", b"<96>y\n", b"z"];
    let both = "<13>x\nuser.notice: x\n<96>y\nunknown.emerg: <96>y\nz\nz\n";
    let only = "<13>x\n<96>y\nz\n";
    for options in [&["-r"][..], &["-R", "-r"], &["-Rr"]] {
        lines_of(options, &messages, both);
    }
    for options in [&["-R"][..], &["-r", "-R"], &["-rR"]] {
        lines_of(options, &messages, only);
    }
}

#[test]
fn the_time_can_be_left_out() {
    if only_svbox("-T") {
        return;
    }
    let messages: [&[u8]; 3] = [b"<13>Jan  1 00:00:00 tag: x", b"Dec 31 23:59:59 x", b"<13>tag: x"];
    lines_of(&["-T"], &messages, "user.notice: tag: x\nx\nuser.notice: tag: x\n");
    // As it came is as it came.
    lines_of(&["-RT"], &messages[1..2], "Dec 31 23:59:59 x\n");
}

#[test]
fn long_messages_are_whole_and_only_what_is_missing_is_marked() {
    if only_svbox("long messages") {
        return;
    }
    let text = "x".repeat(8193);
    let messages = [8191, 8192, 8193].map(|len| &text.as_bytes()[..len]);
    let expected = format!("{}\n{}\n{}...\n", &text[..8191], &text[..8192], &text[..8192]);
    lines_of(&[], &messages, &expected);
    // Nothing but the message's own end is missing here: the last byte that counts is there.
    lines_of(&["--length", "3"], &[b"<1>", b"abc", b"abcd", b"ab\n"], "kern.alert: \nabc\nabc...\nab\n");
    let expected = format!("{text}\n");
    lines_of(&["--length=100000"], &[text.as_bytes()], &expected);
}

#[test]
fn a_message_of_newlines_has_room() {
    if only_svbox("one line") {
        return;
    }
    let text = [b"<13>".as_slice(), &[b'\n'; 8188]].concat();
    let line = "\\n".repeat(8187);
    // As many as are received at once, each with both lines.
    let sandbox = Sandbox::new();
    let socklog = Live::start(&sandbox, &["-r", "unix", "log"]);
    socklog.running.signal(Signal::STOP);
    for _ in 0..10 {
        socklog.send(&[&text]);
    }
    socklog.running.signal(Signal::CONT);
    socklog.until_written(&format!("<13>{line}\nuser.notice: {line}\n").repeat(10));
}
