//! Where it cannot be done, or others do it at the same time.

use super::*;

#[test]
fn it_is_done_also_if_nobody_hears_of_it() {
    if passed_over() {
        return;
    }
    let levels = Levels::new();
    let mut command = program(&levels.sandbox).unwrap();
    command.arg("two").stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    assert_eq!(levels.says("current").as_deref(), Some("two"));
}

#[test]
fn in_a_directory_that_cannot_be_written_nothing_changes() {
    if only_svbox("RUNSVDIR") || !rustix::process::geteuid().is_root() {
        return;
    }
    let levels = Levels::new();
    levels.link("two", "previous");
    let run = |name: &str| {
        let mut command = unprivileged(&levels.sandbox, "runsvchdir", 1000);
        let (code, stdout, stderr) = told(command.env("RUNSVDIR", "levels").arg(name));
        let copies = format!("{}/", levels.sandbox.join("copies").display());
        (code, stdout, stderr.replace(&copies, ""))
    };
    let before = levels.all();
    assert_eq!(run("three"), fatal("unable to create: current.new -> three: access denied"));
    levels.link("three", "current.new");
    assert_eq!(run("three"), fatal("unable to unlink: current.new: access denied"));
    fs::remove_file(levels.sandbox.join("levels/current.new")).unwrap();
    assert_eq!(levels.all(), before);
    // One that cannot be read cannot be locked, and is no worse for it.
    fs::set_permissions(levels.sandbox.join("levels"), fs::Permissions::from_mode(0o733)).unwrap();
    assert_eq!(run("three"), now_current("three"));
    fs::set_permissions(levels.sandbox.join("levels"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(run("one"), fatal("unable to chdir: levels: access denied"));
    assert_eq!(levels.says("current").as_deref(), Some("three"));
}

#[test]
fn on_a_full_disk_nothing_changes() {
    if only_svbox("cleaned up") {
        return;
    }
    // Each name takes one of them: the directory itself, two runlevels, the two links.
    for (room, why) in [
        (5, "unable to create: current.new -> two: out of disk space"),
        (6, "unable to copy: current to previous: out of disk space"),
    ] {
        let sandbox = Sandbox::new();
        let Some(_mount) = sandbox.tmpfs("levels", &format!("nr_inodes={room}")) else { return };
        let levels = Levels::of(sandbox, &["one", "two"]);
        levels.link("one", "current");
        levels.link("two", "previous");
        levels.refuses("two", why);
    }
}

#[test]
fn on_a_read_only_file_system_nothing_changes() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let Some(mount) = sandbox.tmpfs("levels", "size=1m") else { return };
    let levels = Levels::of(sandbox, &["one", "two"]);
    levels.link("one", "current");
    mount.read_only();
    levels.refuses("two", "unable to unlink: current.new: read-only file system");
}

/// What the system refuses at the very end.
#[test]
fn a_rename_that_fails_is_undone() {
    if only_svbox("cleaned up") {
        return;
    }
    let old = Some("two".to_owned());
    for (when, previous, why) in [
        ("1", &old, "unable to copy: current to previous: input/output error"),
        ("2", &old, "unable to move: current.new to current: input/output error"),
        ("1", &None, "unable to copy: current to previous: input/output error"),
        ("2", &None, "unable to move: current.new to current: input/output error"),
    ] {
        let levels = Levels::new();
        if let Some(text) = previous {
            levels.link(text, "previous");
        }
        let before = levels.all();
        let injection = format!("renameat,renameat2:error=EIO:when={when}");
        let mut command = traced(&levels.sandbox, &injection, "runsvchdir");
        assert_eq!(told(command.env("RUNSVDIR", "levels").arg("three")), fatal(why), "{when} {previous:?}");
        assert_eq!(levels.all(), before, "{when} {previous:?}");
    }
    // Without a current one the one before is none of our business.
    let levels = Levels::bare();
    levels.sandbox.write("levels/previous", "a file");
    let before = levels.all();
    let mut command = traced(&levels.sandbox, "renameat,renameat2:error=EIO:when=1", "runsvchdir");
    assert_eq!(told(command.env("RUNSVDIR", "levels").arg("three")).0, Some(111));
    assert_eq!(levels.all(), before);
}

#[test]
fn what_cannot_be_undone_is_told() {
    if only_svbox("cleaned up") {
        return;
    }
    let levels = Levels::new();
    levels.link("two", "previous");
    let mut command = traced(&levels.sandbox, "renameat,renameat2:error=EIO:when=2+", "runsvchdir");
    let mut expected = fatal("unable to move: current.new to current: input/output error");
    expected.2 += "runsvchdir: warning: unable to put back: previous: input/output error\n";
    assert_eq!(told(command.env("RUNSVDIR", "levels").arg("three")), expected);
    assert_eq!(levels.all(), ["current -> one", "one", "previous -> one", "three", "two"]);
}

#[test]
fn there_is_a_current_at_all_times() {
    if only_svbox("no gap") {
        return;
    }
    let levels = Levels::new();
    let (done, looks) = (AtomicBool::new(false), AtomicU32::new(0));
    let current = levels.sandbox.join("levels/current");
    std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert!(fs::metadata(&current).unwrap().is_dir());
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        until("the reader", || looks.load(Ordering::Relaxed) > 0 || reader.is_finished());
        for number in 0..200 {
            let name = ["two", "one"][number % 2];
            let (code, ..) = levels.run(&[name]);
            if code != Some(0) || reader.is_finished() {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
        reader.join().expect("a current at all times");
    });
    assert_eq!(levels.switch("three"), links("three", "one"));
}

#[test]
fn two_at_once_take_turns() {
    if only_svbox("no lock") {
        return;
    }
    let levels = Levels::new();
    std::thread::scope(|threads| {
        for names in [["two", "three"], ["three", "two"]] {
            let levels = &levels;
            threads.spawn(move || {
                for number in 0..100 {
                    let name = names[number % 2];
                    let (code, stdout, stderr) = levels.run(&[name]);
                    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name}");
                    let done =
                        [": now current.\n", ": current.\n"].map(|end| format!("runsvchdir: {name}{end}"));
                    assert!(done.contains(&stdout), "{stdout}");
                    let [current, previous] = ["current", "previous"].map(|link| levels.says(link).unwrap());
                    assert!(["two", "three"].contains(&current.as_str()), "{current}");
                    assert!(["one", "two", "three"].contains(&previous.as_str()), "{previous}");
                }
            });
        }
    });
    let left = levels.all();
    assert_eq!(left.len(), 5, "{left:?}");
    assert_ne!(levels.says("current"), levels.says("previous"));
}

#[test]
fn a_lock_that_is_kept_is_waited_for_but_not_for_ever() {
    if only_svbox("no lock") {
        return;
    }
    let levels = Levels::new();
    let dir = fs::File::open(levels.sandbox.join("levels")).unwrap();
    rustix::fs::flock(&dir, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let mut command = program(&levels.sandbox).unwrap();
    command.arg("two").stdout(Stdio::null());
    let mut waiting = levels.sandbox.start(command);
    until("one that waits", || {
        let stack = format!("/proc/{}/stat", waiting.pid());
        fs::read_to_string(stack).is_ok_and(|stat| stat.contains(") S "))
    });
    assert!(waiting.lives());
    assert_eq!(levels.says("current").as_deref(), Some("one"));
    rustix::fs::flock(&dir, rustix::fs::FlockOperation::Unlock).unwrap();
    assert_eq!((waiting.ended().code(), waiting.stderr().as_str()), (Some(0), ""));
    assert_eq!(levels.says("current").as_deref(), Some("two"));

    rustix::fs::flock(&dir, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let (code, stdout, stderr) = levels.run(&["three"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "runsvchdir: three: now current.\n"));
    assert!(stderr.ends_with(": warning: unable to lock: levels: temporary failure\n"), "{stderr}");
}
