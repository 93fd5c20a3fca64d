//! The file `config`.

use super::*;

/// What is logged with this configuration, and what was said.
fn logged(config: impl AsRef<[u8]>, input: &str) -> (String, String) {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", config);
    let (code, said) = feed(&sandbox, &["d"], input);
    assert_eq!(code, Some(0));
    (log.current(), said)
}

/// How long the logs are that this makes; nothing must be said.
#[track_caller]
fn sizes(options: &[&str], config: &str, input: &str) -> Vec<usize> {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", config);
    fed(&sandbox, &[options, &["d"]].concat(), input);
    log.sizes()
}

/// Checks that a line of a configuration is warned about, and leaves what was said before it as it is: logs of 300.
#[track_caller]
fn assert_warned(line: &str) {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", format!("s300\nn5\n{line}\n"));
    let (code, said) = feed(&sandbox, &["-l", "10", "d"], lines(7, 100));
    assert!(said.starts_with("svlogd: warning: ") && said.matches('\n').count() == 1, "{line:?}: {said:?}");
    assert_eq!((code, log.sizes()), (Some(0), vec![300, 300, 100]), "{line:?}");
}

#[test]
fn empty_lines_and_comments_mean_nothing() {
    assert_eq!(logged("\n# pa\n#\n\n", "x\n"), ("x\n".into(), String::new()));
}

#[test]
fn an_empty_config_is_as_good_as_none() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    log.write("config", "");
    fed(&sandbox, &["d"], "x\n");
    assert_eq!(log.current(), "x\n");
}

#[test]
fn the_last_line_needs_no_newline() {
    assert_eq!(logged("p>", "x\n").0, ">x\n");
    assert_eq!(logged("-*\n+x", "x\ny\n").0, "x\n");
}

#[test]
fn a_last_line_of_one_byte_without_newline_means_nothing() {
    // With a newline, this would deselect empty lines.
    assert_eq!(logged("-", "x\n\n").0, "x\n\n");
}

#[test]
fn the_last_of_several_lines_counts() {
    assert_eq!(logged("pa\npb\n", "x\n").0, "bx\n");
    assert_eq!(sizes(&["-l", "10"], "s100\ns300\n", &lines(4, 100)), [300, 100]);
}

#[test]
fn a_bare_prefix_is_ignored() {
    assert_eq!(logged("p>\np\n", "x\n").0, ">x\n");
}

#[test]
fn an_argument_is_taken_literally() {
    assert_eq!(logged("p  \"a\"\\n $x \r\n", "x\n").0, "  \"a\"\\n $x \rx\n");
}

#[test]
fn a_config_may_be_long() {
    let comments = "# a comment that says nothing\n".repeat(10_000);
    let prefix = "long ".repeat(5000);
    assert_eq!(logged(format!("{comments}p{prefix}\n"), "x\n"), (format!("{prefix}x\n"), String::new()));
}

#[test]
fn a_size_may_be_in_k_and_m() {
    assert_eq!(sizes(&["-l", "24"], "s1k\n", &lines(15, 100)), [1000, 500]);
    assert_eq!(sizes(&["-l", "576"], "s1m\n", &lines(10_500, 100)), [1_048_000, 2000]);
}

#[test]
fn a_size_of_zero_is_no_limit() {
    assert_eq!(sizes(&["-l", "10"], "s100\ns0\n", &lines(12_000, 100)), [1_200_000]);
}

#[test]
fn a_size_without_sense_is_warned_about_and_ignored() {
    if only_svbox("warned") {
        return;
    }
    for line in ["s 100", "s-5", "sx"] {
        assert_warned(line);
    }
}

#[test]
fn other_numbers_without_sense_are_warned_about_and_ignored() {
    if only_svbox("warned") {
        return;
    }
    for line in ["n 1", "nx", "n-1", "tx", "t 1"] {
        assert_warned(line);
    }
}

#[test]
fn a_size_that_is_larger_than_any_number_does_not_become_a_small_one() {
    if only_svbox("warned") {
        return;
    }
    for line in ["s18446744073709551617", "s99999999999999999999999", "s4294967297", "s18014398509481985k"] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", format!("s300\n{line}\n"));
        let (code, _) = feed(&sandbox, &["-l", "10", "d"], lines(7, 100));
        let sizes = log.sizes();
        // Either it is too large to be understood, or it is a limit that is far away.
        assert!(code == Some(0) && (sizes == [300, 300, 100] || sizes == [700]), "{line}: {sizes:?}");
    }
}

#[test]
fn an_unknown_line_is_ignored() {
    let (logged, _) = logged("xyz\n p>\nP>\n\tp>\nS10\n", "x\n");
    assert_eq!(logged, "x\n");
}

#[test]
fn an_unknown_line_is_warned_about() {
    if only_svbox("warned") {
        return;
    }
    for line in ["xyz", " p>", "S300"] {
        assert_warned(line);
    }
}

#[test]
fn a_config_that_may_not_be_read_is_warned_about() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "p>\n");
    log.set_mode("config", 0);
    let mut live = Live::run(&sandbox, obeying_modes(&sandbox, &["d"]));
    live.say("x\n");
    let warning = "svlogd: warning: unable to read config: d: access denied\n";
    assert_eq!(live.end(), (Some(0), warning.into()));
    assert_eq!(log.current(), "x\n");
}

#[test]
fn a_config_that_may_not_be_read_is_not_replaced_by_that_of_another_directory() {
    if only_svbox("defaults") {
        return;
    }
    let sandbox = Sandbox::new();
    let one = log(&sandbox, "one", "p>\ne*\n");
    let two = log(&sandbox, "two", "p2\n");
    two.set_mode("config", 0);
    let mut live = Live::run(&sandbox, obeying_modes(&sandbox, &["one", "two"]));
    live.say("x\n");
    let (_, said) = live.end();
    assert_eq!(said, "svlogd: warning: unable to read config: two: access denied\n>x\n");
    assert_eq!((one.current(), two.current()), (">x\n".into(), "x\n".into()));
}

#[test]
fn a_config_that_is_a_directory_is_warned_about() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    fs::create_dir(log.join("config")).unwrap();
    let warning = "svlogd: warning: unable to read config: d: is a directory\n";
    assert_eq!(feed(&sandbox, &["d"], "x\n"), (Some(0), warning.into()));
    assert_eq!(log.current(), "x\n");
}

#[test]
fn a_change_of_config_takes_effect_at_hup_only() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "p1 \n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    live.say("a\n");
    log.until_current("1 a\n");
    log.write("config", "p2 \n");
    live.say("b\n");
    log.until_current("1 a\n1 b\n");
    live.signal(Signal::HUP);
    live.until_said_times(2, "info: read: d/config");
    live.say("c\n");
    log.until_current("1 a\n1 b\n2 c\n");
}

#[test]
fn the_banner_is_the_first_line_of_each_new_log() {
    if only_svbox("banner") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "0begins here\np> \n");
    let mut live = Live::start(&sandbox, &["d"]);
    live.say("a\n");
    log.until_current("> begins here\n> a\n");
    live.signal(Signal::ALARM);
    log.until_old(1, ".s");
    live.say("b\n");
    log.until_current("> begins here\n> b\n");
    assert_eq!(log.old_texts(), ["> begins here\n> a\n"]);
}

#[test]
fn the_banner_has_a_stamp() {
    if only_svbox("banner") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "0begins here\n");
    fed(&sandbox, &["-ttt", "d"], "a\n");
    let texts: Vec<_> = log.current().lines().map(|line| line.split_at(26).1.to_owned()).collect();
    assert_eq!(texts, ["begins here", "a"]);
}

#[test]
fn the_banner_is_written_at_each_start_and_at_hup() {
    if only_svbox("banner") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "0begins here\n");
    fed(&sandbox, &["d"], "a\n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    live.say("b\n");
    log.until_current("begins here\na\nbegins here\nb\n");
    live.signal(Signal::HUP);
    live.until_said_times(2, "info: append: d/current");
    live.say("c\n");
    log.until_current("begins here\na\nbegins here\nb\nbegins here\nc\n");
}

#[test]
fn one_config_can_serve_all_directories() {
    if only_svbox("-f") {
        return;
    }
    let sandbox = Sandbox::new();
    let (one, two) = (log(&sandbox, "one", "p1\n"), log(&sandbox, "two", "p2\n"));
    sandbox.write("etc/common", "p> \n-b\n");
    fed(&sandbox, &["-f", "etc/common", "one", "two"], "a\nb\n");
    assert_eq!((one.current(), two.current()), ("> a\n".into(), "> a\n".into()));
}

#[test]
fn the_common_config_is_read_again_at_hup() {
    if only_svbox("-f") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    sandbox.write("common", "p1\n");
    let mut live = Live::start(&sandbox, &["-v", "-f", "common", "d"]);
    live.say("a\n");
    log.until_current("1a\n");
    sandbox.write("common", "p2\n");
    live.signal(Signal::HUP);
    live.until_said_times(1, "info: append: d/current");
    live.say("b\n");
    log.until_current("1a\n2b\n");
}

#[test]
fn a_common_config_that_is_not_there_is_none() {
    if only_svbox("-f") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "pown\n");
    fed(&sandbox, &["-f", "nowhere", "d"], "a\n");
    assert_eq!(log.current(), "a\n");
}
