//! What becomes of a line.

use super::*;

/// Logs this with these options and this configuration; gives the log and what was said.
fn logged(options: &[&str], config: &str, input: impl AsRef<[u8]>) -> (Vec<u8>, String) {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", config);
    let (code, said) = feed(&sandbox, &[options, &["d"]].concat(), input);
    assert_eq!(code, Some(0));
    (log.bytes("current"), said)
}

/// Checks what is logged, where nothing is said.
#[track_caller]
fn assert_logged(options: &[&str], config: &str, input: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    let (log, said) = logged(options, config, input);
    let shown = |bytes: &[u8]| bytes[..bytes.len().min(400)].escape_ascii().to_string();
    assert!(log == expected.as_ref(), "{} and not {}", shown(&log), shown(expected.as_ref()));
    assert_eq!(said, "");
}

#[test]
fn lines_are_appended_as_they_come() {
    assert_logged(&[], "", "one\ntwo\nthree\n", "one\ntwo\nthree\n");
}

#[test]
fn a_line_is_written_as_soon_as_it_is_complete() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("one\n");
    log.until_current("one\n");
    live.say("two\nth");
    log.until_current("one\ntwo\n");
    live.say("ree\n");
    log.until_current("one\ntwo\nthree\n");
}

#[test]
fn input_of_no_bytes_makes_an_empty_log() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fed(&sandbox, &["d"], "");
    assert_eq!(log.bytes("current"), b"");
    assert_eq!(log.names(), ["current", "lock"]);
}

#[test]
fn input_of_newlines_only_is_logged() {
    assert_logged(&[], "", "\n".repeat(5000), "\n".repeat(5000));
}

#[test]
fn bytes_that_are_no_text_are_logged_as_they_are() {
    let all: Vec<u8> = (0..=255).collect();
    let input = [&all, b"\0\0\n\xff\xfe\n\xc3\n\0\n".as_slice()].concat();
    assert_logged(&[], "", &input, &input);
}

#[test]
fn a_line_of_ten_megabytes_is_logged_whole() {
    let line: Vec<u8> = (0..10_000_000).map(|at| b'a' + (at % 23) as u8).chain([b'\n']).collect();
    assert_logged(&[], "s0\n", &line, &line);
}

#[test]
fn ten_thousand_lines_are_logged_in_order() {
    let input = lines(10_000, 40);
    assert_logged(&["-b", "4000"], "", &input, &input);
}

#[test]
fn a_last_line_without_newline_is_logged_with_one() {
    if only_svbox("last line") {
        return;
    }
    assert_logged(&[], "", "one\ntwo", "one\ntwo\n");
    assert_logged(&["-ttt"], "-*\n", "one", "");
    assert_logged(&[], "ptext \n", "x", "text x\n");
    assert_logged(&[], "", "\0", "\0\n");
}

#[test]
fn a_last_line_without_newline_is_selected_like_others() {
    if only_svbox("last line") {
        return;
    }
    assert_logged(&[], "-*\n+two\n", "one\ntwo", "two\n");
    assert_eq!(logged(&[], "-*\ne*\n", "one\ntwo").1, "one\ntwo\n");
}

#[test]
fn a_long_last_line_without_newline_gets_one() {
    assert_logged(&["-l", "10"], "", "one\n12345678901", "one\n12345678901\n");
    assert_logged(&[], "", "x".repeat(5000), "x".repeat(5000) + "\n");
}

#[test]
fn the_length_never_shortens_what_is_logged() {
    for length in ["1", "9", "10", "11"] {
        assert_logged(&["-l", length], "", "1234567890\nab\n", "1234567890\nab\n");
    }
}

#[test]
fn unprintable_bytes_are_replaced() {
    assert_logged(&["-r", "."], "", b"a\tb\x1f \x7e\x7f\x80\xc3\xa4\0z\n", "a.b. ~.....z\n");
}

#[test]
fn the_bytes_of_a_set_are_replaced_too() {
    assert_logged(&["-r", ".", "-R", "ab~"], "", "abc\t~\n", "..c..\n");
    assert_logged(&["-R", "ab~", "-r", "."], "", "abc\t~\n", "..c..\n");
}

#[test]
fn without_a_replacement_it_is_an_underscore() {
    assert_logged(&["-R", "abc"], "", "abcd\n", "___d\n");
}

#[test]
fn with_a_set_alone_unprintable_bytes_are_replaced_too() {
    assert_logged(&["-R", "abc"], "", b"abcd\t\x80\n", b"___d__\n");
}

#[test]
fn the_replacement_may_be_any_byte() {
    assert_logged(&["-r", "\t"], "", b"a\x01b\tc\n", "a\tb\tc\n");
    assert_logged(&["-r", " ", "-R", " x"], "", "a x\x07\n", "a   \n");
}

#[test]
fn bytes_beyond_the_length_are_replaced_like_others() {
    if only_svbox("replaced to the end") {
        return;
    }
    assert_logged(&["-l", "4", "-r", "."], "", "ab\tdef\tg\x1bi\n", "ab.def.g.i\n");
    let (long, clean) = ("a\x1b".repeat(3000) + "\n", "a_".repeat(3000) + "\n");
    assert_logged(&["-R", "\x1b"], "", long, clean);
}

#[test]
fn a_prefix_stands_before_each_line() {
    assert_logged(&[], "pweb: \n", "a\n\nb\n", "web: a\nweb: \nweb: b\n");
}

#[test]
fn a_prefix_stands_behind_the_stamp() {
    let (log, _) = logged(&["-ttt"], "p[x]\n", "a\n");
    assert_eq!(log[25..], *b" [x]a\n");
}

#[test]
fn a_long_line_has_one_prefix() {
    let line = "x".repeat(5000) + "\n";
    assert_logged(&[], "p> \n", &line, format!("> {line}"));
}

#[test]
fn bytes_of_a_prefix_are_not_replaced() {
    assert_logged(&["-r", "."], "p\ta\t\n", "\tb\n", "\ta\t.b\n");
}

#[test]
fn a_copy_goes_to_standard_error_with_stamp_and_prefix() {
    let (log, said) = logged(&["-t"], "p> \ne*\n", "a\n\n");
    assert_eq!(String::from_utf8(log).unwrap(), said);
    assert!(said.lines().all(|line| line.starts_with('@')), "{said}");
    assert_eq!(said.lines().map(|line| line.get(26..).unwrap()).collect::<Vec<_>>(), ["> a", "> "]);
}

#[test]
fn a_copy_is_cut_at_the_length_and_says_so() {
    let (log, said) = logged(&["-l", "5"], "p>\ne*\n", "123456789\n1234\n");
    assert_eq!(said, ">12345...\n>1234\n");
    assert_eq!(log, b">123456789\n>1234\n");
}

#[test]
fn a_copy_of_a_line_of_just_the_length_has_dots_too() {
    assert_eq!(logged(&["-l", "5"], "e*\n", "12345\n").1, "12345...\n");
}

#[test]
fn what_is_copied_has_its_bytes_replaced() {
    assert_eq!(logged(&["-r", "."], "e*\n", "a\tb\n").1, "a.b\n");
}

#[test]
fn nothing_goes_to_standard_output() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "e*\nE*\n");
    sandbox.write("input", "a\nb\n");
    let mut command = sandbox.command("svlogd");
    command.args(["-v", "d"]).stdin(fs::File::open(sandbox.join("input")).unwrap());
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_file_can_be_the_input() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let text = lines(5000, 30);
    let input = fs::File::open(sandbox.write("input", &text)).unwrap();
    let status = sandbox.command("svlogd").arg("d").stdin(input).status().unwrap();
    assert_eq!((status.code(), log.current() == text), (Some(0), true));
}

#[test]
fn each_directory_gets_all_lines() {
    let sandbox = Sandbox::new();
    let logs = ["a", "b", "c"].map(|name| log(&sandbox, name, format!("p{name}: \n")));
    fed(&sandbox, &["a", "b", "c"], "x\ny\n");
    for log in logs {
        assert_eq!(log.current(), format!("{0}: x\n{0}: y\n", log.name));
    }
}

#[test]
fn lines_of_all_lengths_are_logged_whole() {
    let input: String = (0..2200).step_by(7).map(|length| "abcdefg".repeat(length / 7) + "\n").collect();
    for options in [&[][..], &["-l", "1", "-b", "2"], &["-l", "7", "-b", "8"], &["-l", "100", "-b", "5000"]] {
        assert_logged(options, "s0\n", &input, &input);
        let prefixed: String = input.lines().map(|line| format!("> {line}\n")).collect();
        assert_logged(options, "s0\np> \n-x*\n", &input, prefixed);
    }
}
