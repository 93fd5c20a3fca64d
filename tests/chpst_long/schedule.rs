//! `--io-priority`, `--scheduler`, `--cpus`.

use super::*;

/// How to ask for more than everybody may have.
const MORE: [(&[&str], &str); 5] = [
    (&["--io-priority", "realtime"], "unable to set io priority: permission denied"),
    (&["--io-priority", "realtime:7"], "unable to set io priority: permission denied"),
    (&["--scheduler", "fifo:1"], "unable to set scheduler: permission denied"),
    (&["--scheduler", "rr:99"], "unable to set scheduler: permission denied"),
    (&["--scheduler", "fifo:99"], "unable to set scheduler: permission denied"),
];

#[test]
fn the_priority_for_disks_has_a_class_and_maybe_a_level() {
    if only_svbox("long options") {
        return;
    }
    for (value, shown) in [
        ("idle", "idle"),
        ("best-effort", "best-effort: prio 4"),
        ("best-effort:0", "best-effort: prio 0"),
        ("best-effort:7", "best-effort: prio 7"),
    ] {
        for caller in CALLERS {
            let sandbox = Sandbox::new();
            assert_eq!(seen(caller(&sandbox), &["--io-priority", value, "ionice"]), format!("{shown}\n"));
        }
    }
}

#[test]
fn the_class_none_takes_a_priority_away() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        let plain = seen(caller(&sandbox), &["ionice"]);
        let options = ["--io-priority", "idle", "chpst", "--io-priority", "none", "ionice"];
        assert_eq!(seen(caller(&sandbox), &options), plain);
    }
}

#[test]
fn root_can_have_the_disks_in_real_time() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for (value, level) in [("realtime", 4), ("realtime:0", 0), ("realtime:7", 7)] {
        let sandbox = Sandbox::new();
        let shown = seen(root(&sandbox), &["--io-priority", value, "ionice"]);
        assert_eq!(shown, format!("realtime: prio {level}\n"));
    }
}

/// Policy and priority of a program that looks at itself.
fn policy(command: Command, options: &[&str]) -> (String, String) {
    let shown = seen(command, &[options, &["chrt", "-p", "0"]].concat());
    let last = |line: &str| line.rsplit(' ').next().unwrap().to_owned();
    let mut lines = shown.lines().map(last);
    (lines.next().unwrap(), lines.next().unwrap())
}

#[test]
fn the_scheduler_has_a_policy() {
    if only_svbox("long options") {
        return;
    }
    for (value, shown) in [("other", "SCHED_OTHER"), ("batch", "SCHED_BATCH"), ("idle", "SCHED_IDLE")] {
        for caller in CALLERS {
            let sandbox = Sandbox::new();
            assert_eq!(policy(caller(&sandbox), &["--scheduler", value]), (shown.into(), "0".into()));
        }
    }
}

#[test]
fn root_can_run_in_real_time() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for (value, shown, priority) in [
        ("fifo:1", "SCHED_FIFO", "1"),
        ("fifo:99", "SCHED_FIFO", "99"),
        ("rr:1", "SCHED_RR", "1"),
        ("rr:7", "SCHED_RR", "7"),
    ] {
        let sandbox = Sandbox::new();
        assert_eq!(policy(root(&sandbox), &["--scheduler", value]), (shown.into(), priority.into()));
    }
}

#[test]
fn a_user_that_is_changed_to_still_runs_in_real_time() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let options = ["-u", ":1000:1000", "--scheduler", "rr:5", "--io-priority", "realtime:2"];
    assert_eq!(policy(root(&sandbox), &options), ("SCHED_RR".into(), "5".into()));
    assert_eq!(seen(root(&sandbox), &[&options[..], &["ionice"]].concat()), "realtime: prio 2\n");
}

#[test]
fn a_policy_and_a_nice_value_go_together() {
    if only_svbox("long options") {
        return;
    }
    let sandbox = Sandbox::new();
    let shown =
        script(user(&sandbox), &["-n", "5", "--scheduler", "batch"], "nice; chrt -p 0 | grep -c BATCH");
    assert_eq!(shown, "5\n1\n");
}

#[test]
fn nobody_gets_more_than_he_may_have() {
    if only_svbox("long options") {
        return;
    }
    for (options, message) in MORE {
        let sandbox = Sandbox::new();
        refused(&sandbox, user(&sandbox), options, message);
    }
}

/// The processors on which the suite may run.
fn processors() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = super::status(&status, "Cpus_allowed_list");
    let each = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        first.parse::<usize>().unwrap()..=last.parse().unwrap()
    };
    list.split(',').flat_map(each).collect()
}

#[test]
fn a_program_runs_on_the_listed_processors_only() {
    if only_svbox("long options") {
        return;
    }
    let all = processors();
    for caller in CALLERS {
        for each in &all {
            let sandbox = Sandbox::new();
            let shown = seen(caller(&sandbox), &[&["--cpus", &each.to_string()][..], &LOOK].concat());
            assert_eq!(status(&shown, "Cpus_allowed_list"), each.to_string());
        }
    }
}

#[test]
fn processors_that_are_not_there_are_passed_over_if_one_is_left() {
    if only_svbox("long options") {
        return;
    }
    let (sandbox, all) = (Sandbox::new(), processors());
    for list in
        [format!("{},1000-1023", all[0]), format!("1023,{}-{}", all[0], all[0]), format!("{0},{0}", all[0])]
    {
        let shown = seen(user(&sandbox), &[&["--cpus", &list][..], &LOOK].concat());
        assert_eq!(status(&shown, "Cpus_allowed_list"), all[0].to_string(), "{list}");
    }
    let everywhere = seen(user(&sandbox), &[&["--cpus", "0-1023"][..], &LOOK].concat());
    assert!(status(&everywhere, "Cpus_allowed_list").starts_with('0'), "{everywhere}");
}

#[test]
fn it_is_fatal_if_no_listed_processor_is_there() {
    if only_svbox("long options") {
        return;
    }
    for caller in CALLERS {
        let sandbox = Sandbox::new();
        refused(&sandbox, caller(&sandbox), &["--cpus", "1022,1023"], "unable to set cpus: invalid argument");
    }
}
