//! One program of many names.

use crate::kit::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};

const ALL: [&str; 30] = [
    "runsv",
    "runsvdir",
    "runsvchdir",
    "sv",
    "svlogd",
    "chpst",
    "softlimit",
    "setlock",
    "setuidgid",
    "envuidgid",
    "envdir",
    "pgrphack",
    "svc",
    "svok",
    "svstat",
    "init",
    "runit",
    "runit-init",
    "telinit",
    "pid1",
    "utmpset",
    "shutdown",
    "halt",
    "poweroff",
    "reboot",
    "switch_root",
    "socklog",
    "socklog-check",
    "uncat",
    "tryto",
];

fn stdout(output: &Output) -> String {
    steady(&output.stdout)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_list_has_every_program_and_each_knows_its_version_and_its_purpose() {
    let sandbox = Sandbox::new();
    assert_eq!(stdout(&sandbox.output("svbox", &["--list"])), ALL.map(|name| format!("{name}\n")).concat());
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(stdout(&sandbox.output("svbox", &["--version"])), format!("svbox {version}\n"));
    for name in ALL {
        assert_eq!(
            stdout(&sandbox.output("svbox", &[name, "--version"])),
            format!("svbox {name} {version}\n")
        );
        let help = sandbox.output("svbox", &[name, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{name}");
        assert!(stdout(&help).len() > 40 && stderr(&help).is_empty(), "{name}: {}", stdout(&help));
    }
}

#[test]
fn without_a_program_it_says_how_it_is_called() {
    let sandbox = Sandbox::new();
    let output = sandbox.output("svbox", &[]);
    assert_eq!(output.status.code(), Some(100));
    assert!(stderr(&output).starts_with("usage: svbox "), "{}", stderr(&output));
    let output = sandbox.output("svbox", &["nonsense"]);
    assert_eq!(output.status.code(), Some(100));
    assert_eq!(stderr(&output), "svbox: fatal: no such program: nonsense\n");
}

#[test]
fn a_program_is_found_through_links_to_links() {
    let sandbox = Sandbox::new();
    symlink(svbox(), sandbox.join("svok")).unwrap();
    fs::create_dir(sandbox.join("deep")).unwrap();
    symlink("../svok", sandbox.join("deep/second")).unwrap();
    symlink("deep/second", sandbox.join("third")).unwrap();
    let output = sandbox.command(sandbox.join("third")).arg("missing").output().unwrap();
    assert_eq!(output.status.code(), Some(111));
    assert_eq!(stderr(&output), "svok: fatal: unable to chdir to missing: file does not exist\n");
}

#[test]
fn any_other_name_is_the_init_script_of_that_service() {
    let sandbox = Sandbox::new();
    let _fake = sandbox.fake("web", Say::RUN);
    symlink(svbox(), sandbox.join("script")).unwrap();
    fs::create_dir(sandbox.join("etc")).unwrap();
    symlink("../script", sandbox.join("etc/web")).unwrap();
    let output = sandbox.command(sandbox.join("etc/web")).env("SVDIR", ".").arg("status").output().unwrap();
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), "run: web: (pid 4242) 12s\n".to_owned()));
}

#[test]
fn links_are_installed_in_place_of_what_is_there() {
    let sandbox = Sandbox::new();
    // By another process: a child of another test could hold our descriptor, and the copy would be busy.
    let copied = Command::new("cp").arg(svbox()).arg(sandbox.join("svbox")).status().unwrap();
    assert!(copied.success());
    fs::create_dir(sandbox.join("bin")).unwrap();
    fs::write(sandbox.join("bin/sv"), "old").unwrap();
    let install =
        |args: &[&str]| sandbox.command(sandbox.join("svbox")).arg("--install").args(args).output().unwrap();
    for _ in 0..2 {
        assert_eq!(install(&["bin"]).status.code(), Some(0));
        for name in ALL {
            let inode = |path: &str| fs::symlink_metadata(sandbox.join(path)).unwrap().ino();
            assert_eq!(inode(&format!("bin/{name}")), inode("svbox"), "{name}");
        }
        assert_eq!(fs::read_dir(sandbox.join("bin")).unwrap().count(), ALL.len());
    }
    assert_eq!(install(&["-s", "bin"]).status.code(), Some(0));
    assert_eq!(
        fs::read_link(sandbox.join("bin/sv")).unwrap(),
        fs::canonicalize(sandbox.join("svbox")).unwrap()
    );
    assert_eq!(install(&["-s", "."]).status.code(), Some(0));
    assert_eq!(fs::read_link(sandbox.join("sv")).unwrap().to_str(), Some("svbox"));
}

#[test]
fn the_program_itself_stays_where_its_file_has_the_name_of_one() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("bin")).unwrap();
    // By another process, as above.
    assert!(Command::new("cp").arg(svbox()).arg(sandbox.join("bin/init")).status().unwrap().success());
    symlink("init", sandbox.join("bin/svbox")).unwrap();
    let inode = || fs::symlink_metadata(sandbox.join("bin/init")).unwrap().ino();
    let before = inode();
    for args in [&["-s", "bin"][..], &["bin"], &["-s", "bin/../bin"]] {
        let output = sandbox.command(sandbox.join("bin/svbox")).arg("--install").args(args).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{args:?}");
        assert_eq!(inode(), before, "{args:?}");
        for name in ALL.into_iter().filter(|name| *name != "init") {
            let path = sandbox.join("bin").join(name);
            let link = fs::read_link(&path).ok();
            assert_eq!(link.is_some(), args[0] == "-s", "{args:?}: {name}");
            assert!(link.is_none_or(|text| text.to_str() == Some("init")), "{args:?}: {name}");
            assert_eq!(fs::metadata(&path).unwrap().ino(), before, "{args:?}: {name}");
        }
        assert_eq!(fs::read_dir(sandbox.join("bin")).unwrap().count(), ALL.len() + 1);
    }
    // Where the name is a link to the program it stays one.
    fs::create_dir(sandbox.join("other")).unwrap();
    symlink("../bin/init", sandbox.join("other/init")).unwrap();
    let output =
        sandbox.command(sandbox.join("bin/svbox")).args(["--install", "-s", "other"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::metadata(sandbox.join("other/init")).unwrap().ino(), before);
    assert_eq!(fs::metadata(sandbox.join("other/sv")).unwrap().ino(), before);
}

#[test]
fn each_name_that_cannot_be_installed_is_told_of_and_the_others_are_made() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("bin/svok/full")).unwrap();
    let output = sandbox.output("svbox", &["--install", "-s", "bin/"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "svbox: warning: unable to link bin/svok: is a directory\n");
    assert_eq!(fs::read_dir(sandbox.join("bin")).unwrap().count(), ALL.len());
    let output = sandbox.output("svbox", &["--install", "missing"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output), "svbox: fatal: unable to open directory missing: file does not exist\n");
    for args in
        [&["--install"][..], &["--install", "-s"], &["--install", "a", "b"], &["--install", "-x", "b"]]
    {
        assert_eq!(sandbox.output("svbox", args).status.code(), Some(100), "{args:?}");
    }
}

#[test]
fn closed_standard_descriptors_do_not_become_something_else() {
    if only_svbox("closed descriptors") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run("ls -l /proc/self/fd >fds\nexec sleep 1000000");
    let mut command = sandbox.command("sh");
    command.args(["-c", "exec runsv s <&- >&- 2>&-"]);
    let _runsv = sandbox.start(command);
    service.until_up();
    until("the list of descriptors", || service.read("fds").contains("2 ->"));
    assert!(service.read("fds").matches("/dev/null").count() >= 2, "{}", service.read("fds"));
}

/// A program behind these redirections where there is nothing in `/dev`: its exit code, and what the script says then.
fn without_null(root: &Root, program: &str, then: &str) -> String {
    let script = format!("mount -t tmpfs tmpfs /dev; cd /tmp; {program}; echo $?; {then}");
    String::from_utf8(root.output(&script).stdout).unwrap()
}

#[test]
fn nor_do_they_where_there_is_no_null() {
    if only_svbox("closed descriptors") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    root.write("run/utmp", "");
    assert_eq!(without_null(&root, "utmpset tty1 2>&-", ""), "111\n");
    assert_eq!(root.read("run/utmp").unwrap(), b"");
    std::fs::create_dir(root.join("tmp/log")).unwrap();
    for program in ["svlogd", "svbox svlogd"] {
        let svlogd = format!("echo line | {program} log 2>&- >&-");
        assert_eq!(without_null(&root, &svlogd, "cat log/current; : >log/current"), "0\nline\n");
    }
    assert_eq!(without_null(&root, "svlogd log <&- 2>said", "cat said"), SVLOGD);
    assert_eq!(without_null(&root, "svlogd log <&- 2>&-", ""), "111\n");
    // What stands in is not handed on.
    let closed = "chpst sh -c '! test -e /proc/$$/fd/0 && ! test -e /proc/$$/fd/2' <&- 2>&-";
    assert_eq!(without_null(&root, closed, ""), "0\n");
}

const SVLOGD: &str = "111\nsvlogd: warning: unable to read standard input: file descriptor not open\n";

#[test]
fn the_kernel_shows_the_name_of_the_program() {
    let sandbox = Sandbox::new();
    let service = sandbox.service("s").run_forever();
    let mut command = sandbox.command("svbox");
    command.args(["runsv", "s"]);
    let _runsv = sandbox.start(command);
    service.until_up();
    until("one supervisor", || sandbox.named("runsv").len() == 1);
    let mut command = sandbox.command(svbox());
    command.arg0("runsv").arg("t");
    let service = sandbox.service("t").run_forever();
    let _other = sandbox.start(command);
    service.until_up();
    until("two supervisors", || sandbox.named("runsv").len() == 2);
}
