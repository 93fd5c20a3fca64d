//! What a processor is given, and what becomes of what it makes.

use super::*;

/// Logs a line, makes it old, and waits until it is processed.
#[track_caller]
fn process(live: &mut Live, log: &Log<'_>, text: &str) -> String {
    let before = log.ending(".s").len();
    rotate(live, log, text);
    until("a processed log", || log.ending(".s").len() > before && log.old().len() == log.ending(".s").len());
    until("the new state", || !log.join("newstate").exists());
    log.ending(".s").pop().unwrap()
}

/// Processes one line; gives the directory and the name of the old log.
fn processed<'s>(sandbox: &'s Sandbox, command: &str) -> (Log<'s>, String) {
    let log = log(sandbox, "d", format!("!{command}\n"));
    let mut live = Live::start(sandbox, &["d"]);
    let name = process(&mut live, &log, "text\n");
    assert_eq!(live.end(), (Some(0), String::new()));
    (log, name)
}

#[test]
fn what_a_processor_writes_is_the_old_log() {
    let sandbox = Sandbox::new();
    let (log, name) = processed(&sandbox, "tr a-z A-Z");
    assert_eq!((log.read(&name), log.mode(&name)), ("TEXT\n".into(), 0o744));
    assert_eq!(log.old(), [name]);
}

#[test]
fn the_processed_log_has_the_name_of_its_input() {
    let sandbox = Sandbox::new();
    let (_, name) = processed(&sandbox, "readlink /proc/self/fd/0 >../input; cat");
    let input = sandbox.read("input");
    let input = input.trim_end().rsplit('/').next().unwrap();
    assert_eq!(name.strip_suffix(".s"), input.strip_suffix(".u"));
}

#[test]
fn a_processor_that_writes_nothing_makes_an_empty_log() {
    let sandbox = Sandbox::new();
    let (log, name) = processed(&sandbox, "exit 0");
    assert_eq!(log.bytes(&name), b"");
}

#[test]
fn a_processor_is_a_command_of_the_shell() {
    let sandbox = Sandbox::new();
    let (log, _) = processed(&sandbox, "tr '\\0' '|' </proc/$$/cmdline >../line; cat");
    assert_eq!(sandbox.read("line"), log.read("config").replacen('!', "sh|-c|", 1).replace('\n', "|"));
}

/// The descriptors that the line of `ls -l` for each names, and where they lead, but for the directory that is listed.
fn listed(text: &str) -> Vec<(u32, String)> {
    let parts = text.lines().filter_map(|line| line.split_once(" -> "));
    let numbered =
        parts.filter_map(|(line, file)| Some((line.rsplit(' ').next()?.parse().ok()?, file.into())));
    let mut all: Vec<(u32, String)> =
        numbered.filter(|(_, file): &(u32, String)| !file.starts_with("/proc/")).collect();
    all.sort();
    all
}

#[test]
fn a_processor_has_its_files_and_no_others_as_descriptors() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!exec ls -l /proc/self/fd\n");
    let mut live = Live::start(&sandbox, &["d"]);
    let name = process(&mut live, &log, "text\n");
    let dir = log.join("").canonicalize().unwrap();
    let base = name.strip_suffix(".s").unwrap();
    let mut all = listed(&log.read(&name));
    // The tests may have been started with more, and pass it on.
    let root = sandbox.path().canonicalize().unwrap();
    let input = fs::read_link(format!("/proc/{}/fd/0", live.svlogd.pid())).unwrap();
    all.retain(|(number, file)| {
        *number <= 5 || Path::new(file).starts_with(&root) || *file == input.to_str().unwrap()
    });
    let expected = [
        (0, format!("{base}.u")),
        (1, format!("{base}.t")),
        (2, "../stderr.0".into()),
        (4, "state".into()),
        (5, "newstate".into()),
    ];
    let expected = expected.map(|(number, file)| match file.strip_prefix("../") {
        Some(file) => (number, root.join(file)),
        None => (number, dir.join(file)),
    });
    assert_eq!(all, expected.map(|(number, file)| (number, file.to_str().unwrap().to_owned())));
}

#[test]
fn a_processor_works_in_the_log_directory() {
    let sandbox = Sandbox::new();
    let (log, name) = processed(&sandbox, "pwd -P");
    assert_eq!(log.read(&name).trim_end(), log.join("").canonicalize().unwrap().to_str().unwrap());
}

#[test]
fn a_processor_has_the_environment_of_svlogd() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!echo \"$COLOUR\"\n");
    let mut command = sandbox.command("svlogd");
    command.arg("d").env("COLOUR", "light blue");
    let mut live = Live::run(&sandbox, command);
    let name = process(&mut live, &log, "text\n");
    assert_eq!(log.read(&name), "light blue\n");
}

#[test]
fn what_a_processor_complains_of_is_seen() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!echo oh dear >&2\n");
    let mut live = Live::start(&sandbox, &["d"]);
    process(&mut live, &log, "text\n");
    assert_eq!(live.end().1, "oh dear\n");
}

#[test]
fn a_processor_starts_without_blocked_or_ignored_signals() {
    if only_svbox("processor mask") {
        return;
    }
    let sandbox = Sandbox::new();
    let (log, name) = processed(&sandbox, "exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
    for line in log.read(&name).lines() {
        let (_, set) = line.split_once(":\t").unwrap();
        // The C library leaves two of its own ignored.
        let named = u64::from_str_radix(set, 16).unwrap() & 0x7fff_ffff;
        assert_eq!(named, 0, "{line}");
    }
}

#[test]
fn a_processor_finds_an_empty_state_at_first() {
    let sandbox = Sandbox::new();
    let (log, name) = processed(&sandbox, "echo \"[$(cat <&4)]\"");
    assert_eq!(log.read(&name), "[]\n");
    assert_eq!(log.bytes("state"), b"");
}

#[test]
fn a_processor_finds_the_state_that_the_last_one_left() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!n=$(cat <&4); echo $((n + 1)) | tee /dev/fd/5; cat\n");
    let mut live = Live::start(&sandbox, &["d"]);
    for count in 1..=3 {
        let name = process(&mut live, &log, "text\n");
        assert_eq!(log.read(&name), format!("{count}\ntext\n"));
        assert_eq!(log.read("state"), format!("{count}\n"));
    }
    assert_eq!(live.end().0, Some(0));
    // And it outlives svlogd.
    let mut live = Live::start(&sandbox, &["d"]);
    let name = process(&mut live, &log, "text\n");
    assert_eq!(log.read(&name), "4\ntext\n");
}

#[test]
fn a_state_that_is_not_written_becomes_empty() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!cat <&4\n");
    log.write("state", "before\n");
    let mut live = Live::start(&sandbox, &["d"]);
    let name = process(&mut live, &log, "text\n");
    assert_eq!((log.read(&name), log.read("state")), ("before\n".into(), String::new()));
    assert!(!log.join("newstate").exists());
}

#[test]
fn the_state_of_a_processor_that_fails_does_not_count() {
    let sandbox = Sandbox::new();
    let log = log(
        &sandbox,
        "d",
        "!cat <&4; test -e ../good || { echo >>../tries; echo bad >&5; exit 1; }; echo good >&5\n",
    );
    log.write("state", "before\n");
    let mut live = Live::start(&sandbox, &["d"]);
    rotate(&mut live, &log, "text\n");
    until("a second try", || sandbox.lines("tries") >= 2);
    assert_eq!(log.read("state"), "before\n");
    sandbox.write("good", "");
    let name = log.until_old(1, ".s").remove(0);
    until("the new state", || log.read("state") == "good\n");
    assert_eq!(log.read(&name), "before\n");
}

#[test]
fn what_is_processed_is_told() {
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "s100\n!cat\n");
    let (_, said) = feed(&sandbox, &["-v", "-l", "100", "d"], "abc\n");
    let told: Vec<_> = said.lines().map(without_times).collect();
    let at = |line: &str| told.iter().position(|told| told == &format!("svlogd: info: {line}"));
    let [rename, processing, processed] =
        ["rename: d/current @T.u 4", "processing: d/@T.u", "processed: d/@T.s"].map(at);
    assert!(rename.is_some() && rename < processing && processing < processed, "{said}");
}

#[test]
fn at_the_end_of_input_svlogd_waits_for_its_processor() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "s100\n!echo >../begun; while test ! -e ../go; do sleep 0.01; done; cat\n");
    let mut live = Live::start(&sandbox, &["-l", "100", "d"]);
    live.say("abc\n");
    live.input = None;
    until("the start of the processor", || sandbox.join("begun").exists());
    assert!(live.svlogd.lives());
    sandbox.write("go", "");
    assert_eq!(live.ended(), Some(0));
    assert_eq!((log.old_texts(), log.ending(".s").len()), (vec!["abc\n".into()], 1));
}

#[test]
fn a_bare_exclamation_mark_is_no_processor() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!\ns100\n");
    fed(&sandbox, &["-l", "100", "d"], "a\n");
    assert!(log.only_old().ends_with(".s"));
    assert!(!log.join("state").exists());
}

#[test]
fn a_processed_log_is_safe_before_its_input_is_deleted() {
    if only_svbox("processor synced") {
        return;
    }
    let sandbox = Sandbox::new();
    log(&sandbox, "d", "s100\n!cat\n");
    let mut strace = sandbox.command("strace");
    let calls = "trace=fsync,fdatasync,syncfs,rename,renameat,renameat2,unlink,unlinkat";
    strace.args(["-y", "-o", "trace", "-e", calls, "-e", "signal=none", "svlogd", "-l", "100", "d"]);
    let mut live = Live::run(&sandbox, strace);
    live.say("text\n");
    assert_eq!(live.end().0, Some(0));
    let trace = sandbox.read("trace");
    let line =
        |what: &dyn Fn(&str) -> bool| trace.lines().position(what).unwrap_or_else(|| panic!("{trace}"));
    let is_sync = |line: &str| line.starts_with("fsync") || line.starts_with("fdatasync");
    let synced = line(&|line| is_sync(line) && line.contains(".t>"));
    let renamed = line(&|line| line.starts_with("rename") && line.contains(".t\"") && line.contains(".s\""));
    let deleted = line(&|line| line.starts_with("unlink") && line.contains(".u\""));
    let dir = trace
        .lines()
        .skip(renamed)
        .take(deleted.saturating_sub(renamed))
        .any(|line| is_sync(line) && line.contains("/d>"));
    assert!(synced < renamed && renamed < deleted && dir, "{trace}");
}

#[test]
fn the_files_of_a_processor_have_their_modes() {
    for (mask, expected) in [("022", "744\n644\n644\n644\n"), ("077", "744\n600\n600\n600\n")] {
        let sandbox = Sandbox::new();
        let log = log(&sandbox, "d", "!stat -Lc %a /dev/fd/0 /dev/fd/1 /dev/fd/4 /dev/fd/5\n");
        let mut live = Live::run(&sandbox, behind(&sandbox, &format!("umask {mask}"), "", &["d"]));
        let name = process(&mut live, &log, "text\n");
        assert_eq!(log.read(&name), expected, "{mask}");
        assert_eq!(log.mode(&name), 0o744);
    }
}

#[test]
fn the_end_of_a_processor_is_told() {
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "!cat\n");
    let mut live = Live::start(&sandbox, &["-v", "d"]);
    process(&mut live, &log, "text\n");
    live.until_said("info: sigalarm received.");
    live.until_said("info: sigchild received.");
}
