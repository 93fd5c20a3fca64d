//! `-L`: lines that find no room are dropped.

use super::*;

/// A directory on a file system with so many pages, and what happens to much input in it.
struct Dropped {
    code: Option<i32>,
    said: String,
    logged: String,
}

/// Fills a small file system with so many lines, then makes room and logs one more line.
fn dropped(sandbox: &Sandbox, option: &str, count: usize) -> Option<Dropped> {
    let mount = sandbox.tmpfs("d", "size=16k,mode=755")?;
    let log = log(sandbox, "d", "s0\n");
    let mut live = Live::start(sandbox, &[option, "d"]);
    live.say(lines(count, 60));
    live.until_read();
    // What is in the pipe no more may still be on its way; one who waits reads no more than that.
    live.say("ahead\n");
    live.until_read();
    let size = ["-o", "remount,size=1000k"];
    assert!(Command::new("mount").args(size).arg(log.join("")).status().unwrap().success());
    until("a line that finds room", || {
        live.say("room\n");
        live.until_read();
        log.current().contains("room\n")
    });
    let (code, said) = live.end();
    let logged = log.current();
    drop(mount);
    Some(Dropped { code, said, logged })
}

/// The lines that are in the log whole, the number of others, and what they are.
fn sorted_out<'l>(logged: &'l str, input: &str) -> (Vec<&'l str>, Vec<&'l str>) {
    let whole: std::collections::BTreeSet<_> = input.lines().collect();
    logged.lines().filter(|line| *line != "ahead" && *line != "room").partition(|line| whole.contains(line))
}

/// Conformance item 12.
#[test]
fn much_input_for_a_small_file_system_ends_well() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_mount) = sandbox.tmpfs("d", "size=16k,mode=755") else { return };
    let log = log(&sandbox, "d", "s0\n");
    let (code, said) = feed(&sandbox, &["-L", "d"], lines(1000, 60));
    assert_eq!(code, Some(0));
    assert!(!said.contains("pausing"), "{said}");
    let logged = log.current();
    assert!(logged.len() > 8000, "only {} bytes are logged", logged.len());
    assert!(logged.starts_with(&lines(100, 60)));
}

#[test]
fn lines_that_find_no_room_are_dropped_whole() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(Dropped { code, logged, .. }) = dropped(&sandbox, "-L", 1000) else { return };
    assert_eq!(code, Some(0));
    let input = lines(1000, 60);
    let (whole, others) = sorted_out(&logged, &input);
    assert!(whole.len() < 1000);
    assert!(whole.is_sorted(), "lines are not in order");
    // One line may have been torn by the end of the room, and there is one about what was dropped.
    let torn: Vec<_> = others.iter().filter(|line| line.bytes().all(|byte| byte.is_ascii_digit())).collect();
    assert!(torn.len() <= 1, "{torn:?}");
    assert!(torn.iter().all(|line| input.lines().any(|whole| whole.starts_with(**line))), "{torn:?}");
    assert!(logged.ends_with("room\n"), "{:?}", logged.get(logged.len().saturating_sub(200)..));
}

#[test]
fn what_was_dropped_is_told_in_the_log_when_there_is_room_again() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(Dropped { logged, .. }) = dropped(&sandbox, "-L", 1000) else { return };
    let input = lines(1000, 60);
    let (whole, others) = sorted_out(&logged, &input);
    let notices: Vec<_> =
        others.iter().filter(|line| !line.bytes().all(|byte| byte.is_ascii_digit())).collect();
    assert_eq!(notices.len(), 1, "{notices:?}");
    let numbers = notices[0].split(|char: char| !char.is_ascii_digit());
    let numbers: Vec<usize> = numbers.filter_map(|number| number.parse().ok()).collect();
    let missing = 1000 - whole.len();
    // `ahead` and lines that were sent until there was room may be among them.
    assert!(numbers.iter().any(|number| (missing..missing + 100).contains(number)), "{missing}: {notices:?}");
}

#[test]
fn dropping_is_silent_by_default() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(Dropped { said, .. }) = dropped(&sandbox, "-L", 1000) else { return };
    assert!(!said.contains("data loss") && !said.contains("pausing"), "{said}");
}

#[test]
fn dropping_is_warned_about_if_that_is_asked_for() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(Dropped { code, said, .. }) = dropped(&sandbox, "-LL", 3000) else { return };
    assert_eq!(code, Some(0));
    let warnings: Vec<_> = said.lines().filter(|line| line.contains("data loss: d: ")).collect();
    assert!(!warnings.is_empty(), "{said}");
    // With a count that comes somewhere.
    let whole = |line: &&str| {
        line.starts_with("svlogd: warning: data loss: d: ") && line.contains("out of disk space")
    };
    assert!(warnings.iter().all(whole), "{said}");
    // One a second at most; thousands of lines would be many more.
    assert!(warnings.len() < 100, "{} warnings", warnings.len());
}

#[test]
fn old_logs_are_deleted_before_anything_is_dropped() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(_mount) = sandbox.tmpfs("d", "size=28k,mode=755") else { return };
    let log = log(&sandbox, "d", "n5\nN2\n");
    for time in 1..=4 {
        log.write(&name_at(time, ".s"), [b'o'; 4096]);
    }
    log.write("ballast", [b'x'; 2 * 4096]);
    let (code, said) = feed(&sandbox, &["-L", "d"], "a\n");
    assert_eq!((code, log.current().as_str()), (Some(0), "a\n"), "{said}");
    assert_eq!(log.old(), [2, 3, 4].map(|time| name_at(time, ".s")));
}

#[test]
fn other_failures_than_a_full_file_system_are_waited_out_with_dropping_too() {
    if only_svbox("-L") {
        return;
    }
    let sandbox = Sandbox::new();
    let log = log(&sandbox, "d", "");
    let mut limited = sandbox.command("prlimit");
    limited.args(["--fsize=100:", "env", "--ignore-signal=XFSZ", "svlogd", "-L", "d"]);
    let mut live = Live::run(&sandbox, limited);
    live.say(lines(3, 40));
    live.until_said("pausing: unable to write to current: d: file too big");
    limit(&sandbox, 0, live.svlogd.pid(), "fsize=1000000:");
    log.until_current(&lines(3, 40));
}
