//! Below a directory that is the root of a machine that does not run.

use super::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// An image in which nothing is wrong: its services are `web` with a logger, and `db`.
fn image() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["sv", "runsv", "runsvdir", "runsvchdir", "svlogd", "chpst", "utmpset"] {
        fs::create_dir_all(sandbox.join("usr/bin")).unwrap();
        symlink("svbox", sandbox.join("usr/bin").join(name)).unwrap();
    }
    symlink("usr/bin", sandbox.join("bin")).unwrap();
    fs::create_dir(sandbox.join("etc")).unwrap();
    symlink("usr/bin", sandbox.join("sbin")).unwrap();
    sandbox.script("usr/bin/svbox", "");
    sandbox.script("usr/bin/sh", "");
    for path in ["etc/sv/web/run", "etc/sv/web/log/run", "etc/sv/web/finish", "etc/sv/db/run", "etc/runit/1"]
    {
        sandbox.script(path, "");
    }
    for stage in ["2", "3", "ctrlaltdel"] {
        sandbox.script(Path::new("etc/runit").join(stage), "");
    }
    for name in ["web", "db"] {
        fs::create_dir_all(sandbox.join("etc/runit/runsvdir/default")).unwrap();
        let link = sandbox.join("etc/runit/runsvdir/default").join(name);
        symlink(format!("/etc/sv/{name}"), link).unwrap();
        // As long as the machine does not run, nothing is there.
        symlink(format!("/run/runit/supervise.{name}"), sandbox.join("etc/sv").join(name).join("supervise"))
            .unwrap();
    }
    symlink("default", sandbox.join("etc/runit/runsvdir/current")).unwrap();
    symlink("/etc/runit/runsvdir/current", sandbox.join("etc/service")).unwrap();
    sandbox
}

fn doctor(sandbox: &Sandbox) -> Output {
    sandbox.output("svbox", &["--doctor", "."])
}

const NOTE: &str = "note: services looked at: 2";

#[test]
fn nothing_is_wrong_with_a_whole_image() {
    let sandbox = image();
    let output = doctor(&sandbox);
    assert_eq!((output.status.code(), lines(&output)), (Some(0), vec![NOTE.to_owned()]));
    assert!(output.stderr.is_empty());
}

/// What is done to the image, and what is said then.
const BROKEN: &[(&str, &str)] = &[
    ("rm usr/bin/sv; cp usr/bin/sh usr/bin/sv", "warning: /usr/bin/sv is not svbox: make it a link to svbox"),
    (
        "mkdir usr/sbin; ln -s /lib/runit/sv usr/sbin/sv",
        "error: /usr/sbin/sv leads nowhere: make it a link to svbox",
    ),
    ("rm usr/bin/*sv* usr/bin/chpst usr/bin/utmpset", "error: there is no svbox: install it"),
    ("rm etc/service", ""),
    (
        "rm -r etc/service etc/runit/runsvdir",
        "error: there is no scan directory: mkdir /etc/service, or what it leads to",
    ),
    (
        "ln -s /etc/sv/gone etc/runit/runsvdir/default/gone",
        "error: /etc/service/gone leads nowhere: remove the link, or mend it",
    ),
    (
        "ln -s loop etc/runit/runsvdir/default/loop",
        "error: /etc/service/loop leads nowhere: remove the link, or mend it",
    ),
    ("touch etc/runit/runsvdir/default/file", "warning: /etc/service/file is no directory: remove it"),
    ("mkfifo etc/runit/runsvdir/default/fifo", "warning: /etc/service/fifo is no directory: remove it"),
    ("mkdir etc/runit/runsvdir/default/.hidden", ""),
    ("rm etc/sv/db/run", "error: /etc/service/db/run is missing: write it"),
    ("mv etc/sv/db/run etc/sv/db/setup", ""),
    (
        "mv etc/sv/db/run etc/sv/db/setup; chmod -x etc/sv/db/setup",
        "error: /etc/service/db/run is missing: write it",
    ),
    (
        "rm etc/sv/db/run; printf '#!/bin/ksh\\n' >etc/sv/db/setup; chmod +x etc/sv/db/setup",
        "error: /etc/service/db/setup needs in its first line what is not there: install /bin/ksh",
    ),
    ("mkdir etc/runit/runsvdir/default/tick@", ""),
    ("cp -r etc/sv/db etc/sv/tick@; ln -s /etc/sv/tick@ etc/runit/runsvdir/default/tick@one", ""),
    (
        "mkdir etc/sv/tick@; ln -s /etc/sv/tick@ etc/runit/runsvdir/default/tick@one",
        "error: /etc/service/tick@one/run is missing: write it",
    ),
    ("rm etc/sv/web/log/run", "error: /etc/service/web/log/run is missing: write it"),
    ("rm -r etc/sv/web/log etc/sv/web/finish", ""),
    ("chmod -x etc/sv/db/run", "error: /etc/service/db/run is not executable: chmod +x /etc/service/db/run"),
    (
        "chmod -x etc/sv/web/finish",
        "error: /etc/service/web/finish is not executable: chmod +x /etc/service/web/finish",
    ),
    (
        "touch etc/sv/db/check",
        "error: /etc/service/db/check is not executable: chmod +x /etc/service/db/check",
    ),
    ("rm etc/sv/db/run; mkfifo -m 755 etc/sv/db/run", "error: /etc/service/db/run is no file: write it"),
    ("rm etc/sv/db/run; mkdir etc/sv/db/run", "error: /etc/service/db/run is no file: write it"),
    (
        ": >etc/sv/db/run",
        "error: /etc/service/db/run begins with neither #! nor ELF: write #!/bin/sh in its first line",
    ),
    ("printf '\\177ELF' >etc/sv/db/run", ""),
    (
        "printf '#!/bin/sh\\r\\n' >etc/sv/db/run",
        "error: /etc/service/db/run needs in its first line what is not there: install /bin/sh?",
    ),
    (
        "printf '#! /bin/sh /lib/runit/invoke-run\\n' >etc/sv/db/run",
        "error: /etc/service/db/run needs in its first line what is not there: install /lib/runit/invoke-run",
    ),
    ("printf '#! /bin/sh -e\\n' >etc/sv/db/run", ""),
    (
        "printf '#!\\n' >etc/sv/db/run",
        "error: /etc/service/db/run needs in its first line what is not there: install nothing",
    ),
    (
        "printf '#!bin/sh\\n' >etc/sv/db/run",
        "error: /etc/service/db/run needs in its first line what is not there: install bin/sh",
    ),
    ("printf '#!mine\\n' >etc/sv/db/run; cp bin/sh etc/sv/db/mine", ""),
    ("rm etc/runit/2", "error: /etc/runit/2 is missing: write it"),
    ("rm etc/runit/[123]", ""),
    ("chmod -x etc/runit/1", "error: /etc/runit/1 is not executable: chmod +x /etc/runit/1"),
    (
        "chmod -x etc/runit/ctrlaltdel",
        "error: /etc/runit/ctrlaltdel is not executable: chmod +x /etc/runit/ctrlaltdel",
    ),
    ("rm etc/runit/ctrlaltdel", ""),
    ("mkdir 'etc/runit/runsvdir/default/a\nb'; cp etc/sv/db/run etc/runit/runsvdir/default/a*b", ""),
    ("touch 'etc/runit/runsvdir/default/a\nb'", "warning: /etc/service/a?b is no directory: remove it"),
];

#[test]
fn each_thing_that_is_wrong_with_an_image_is_told_in_a_line() {
    for (act, wanted) in BROKEN {
        let sandbox = image();
        assert!(sandbox.output("sh", &["-ec", act]).status.success(), "{act}");
        let output = doctor(&sandbox);
        let mut said = lines(&output);
        let note = said.pop().unwrap();
        assert!(note.starts_with("note: services looked at: "), "{act}: {note}");
        let wanted: Vec<_> = wanted.lines().map(str::to_owned).collect();
        assert_eq!(said, wanted, "{act}");
        assert_eq!(output.status.code(), Some(i32::from(!wanted.is_empty())), "{act}");
    }
}

/// Everything but when it was read last.
fn all(dir: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let stat = entry.metadata().unwrap();
        let times = (stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec());
        found.insert(entry.path().display().to_string(), format!("{} {times:?}", stat.ino()));
        if stat.is_dir() {
            all(&entry.path(), found);
        }
    }
}

#[test]
fn nothing_is_changed() {
    let sandbox = image();
    sandbox.output("sh", &["-c", "rm etc/runit/2; mkdir -p etc/sv/db/log; mkfifo etc/sv/db/log/run"]);
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    all(sandbox.path(), &mut before);
    assert_eq!(doctor(&sandbox).status.code(), Some(1));
    all(sandbox.path(), &mut after);
    assert_eq!(before, after);
}

#[test]
fn no_link_leads_out_of_an_image() {
    let sandbox = image();
    fs::remove_file(sandbox.join("etc/sv/db/run")).unwrap();
    let up = "../".repeat(20);
    // Outside there are such files, and they can be run.
    for text in ["/usr/bin/env".to_owned(), format!("{up}usr/bin/env"), "/proc/self/exe".to_owned()] {
        symlink(&text, sandbox.join("etc/sv/db/run")).unwrap();
        assert_eq!(lines(&doctor(&sandbox))[0], "error: /etc/service/db/run is missing: write it", "{text}");
        fs::remove_file(sandbox.join("etc/sv/db/run")).unwrap();
    }
    symlink(format!("{up}etc/sv/web/run"), sandbox.join("etc/sv/db/run")).unwrap();
    assert_eq!(doctor(&sandbox).status.code(), Some(0));
}

#[test]
fn a_long_list_is_told_whole() {
    let sandbox = image();
    for number in 0..1000 {
        symlink("gone", sandbox.join(format!("etc/runit/runsvdir/default/{number}"))).unwrap();
    }
    let said = lines(&doctor(&sandbox));
    assert_eq!(said.iter().filter(|line| line.contains("leads nowhere")).count(), 1000);
    assert_eq!(said.last().unwrap(), NOTE);
}

#[test]
fn what_may_not_be_looked_at_is_counted() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("passed over: root only");
        return;
    }
    let sandbox = image();
    fs::set_permissions(sandbox.join("etc/sv/db"), fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = unprivileged(&sandbox, "svbox", 1000);
    let output = command.args(["--doctor", "."]).output().unwrap();
    assert_eq!(lines(&output), ["note: services looked at: 2; not allowed to look at: 3: run it as root"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn without_a_root_or_somebody_who_listens_it_is_111_and_a_wrong_command_line_100() {
    let sandbox = image();
    let run = |args: &[&str]| {
        let output = sandbox.output("svbox", args);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let said = "svbox: fatal: unable to open directory gone: file does not exist\n";
    assert_eq!(run(&["--doctor", "gone"]), (Some(111), said.to_owned()));
    let said = "svbox: fatal: unable to open directory usr/bin/sh: not a directory\n";
    assert_eq!(run(&["--doctor", "usr/bin/sh"]), (Some(111), said.to_owned()));
    let (code, said) = run(&["--doctor", ".", "."]);
    assert!(code == Some(100) && said.starts_with("usage: svbox "), "{said}");
    let mut full = Command::new("sh");
    full.args(["-c", "exec \"$0\" --doctor . >/dev/full"]).arg(svbox()).current_dir(sandbox.path());
    let output = full.output().unwrap();
    let said = "svbox: fatal: unable to write to standard output: out of disk space\n";
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(111), said));
}
