//! switch_root, as process 1 of a PID namespace whose root is a tmpfs. Whatever it does wrong it does there.

use crate::kit::*;
use rustix::fs::{FileType, Mode, OFlags};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Exit code, standard output, standard error.
type Told = (Option<i32>, String, String);

/// The old root and the new one, which are seen from outside as well.
struct Roots {
    _mounts: [Mount; 2],
    sandbox: Sandbox,
}

/// Whether a test is to be passed over because only root can do what it needs.
fn only_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        eprintln!("passed over: this user may not mount");
    }
    !is_root
}

/// Programs for the roots, with the libraries they need.
fn tools() -> &'static [PathBuf] {
    static TOOLS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let own = svbox();
        let own = own.to_str().unwrap();
        let script = "PATH=/bin:/usr/bin; tools=$(for tool in sh cat ls setpriv; do command -v $tool; done); echo \"$tools\"
            ldd $tools \"$1\" 2>/dev/null | sed -n 's/^[^/]*\\(\\/[^ ]*\\) (.*/\\1/p'";
        let listed = Command::new("sh").args(["-c", script, "sh", own]).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let mut files: Vec<_> = listed.lines().map(PathBuf::from).collect();
        files.sort();
        files.dedup();
        files
    })
}

impl Roots {
    /// Two file systems with programs in both, of which the new one is mounted on `/new` of the old one.
    fn new() -> Option<Self> {
        if only_root() {
            return None;
        }
        let sandbox = Sandbox::new();
        let mounts = [sandbox.tmpfs("old", "mode=755")?, sandbox.tmpfs("fresh", "mode=755")?];
        for root in ["old", "fresh"] {
            let mut copy = Command::new("cp");
            copy.args(["-L", "--parents"]).args(tools()).arg(sandbox.join(root));
            assert!(copy.status().unwrap().success());
            for dir in ["dev", "proc", "sys", "run"] {
                fs::create_dir(sandbox.join(root).join(dir)).unwrap();
            }
        }
        fs::create_dir(sandbox.join("old/new")).unwrap();
        assert!(
            Command::new("cp").arg(svbox()).arg(sandbox.join("old/switch_root")).status().unwrap().success()
        );
        Some(Self { _mounts: mounts, sandbox })
    }

    fn old(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sandbox.join("old").join(path)
    }

    fn fresh(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sandbox.join("fresh").join(path)
    }

    /// Gives the new root an init that does this.
    fn init(&self, script: &str) -> &Self {
        self.sandbox.script("fresh/init", script);
        self
    }

    /// Runs commands as process 1 with the sandbox as current directory and the new root in its place, and becomes the
    /// program in the old root then, after `before`.
    fn exec(&self, prepare: &str, before: &str, args: &[&str]) -> Told {
        let script = format!("mount --bind fresh old/new\n{prepare}\nexec {before} chroot old \"$@\"");
        let mut command = self.sandbox.command("timeout");
        command.args(["-s", "KILL", &DEADLINE.as_secs().to_string()]);
        command.args(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", &script, "sh"]);
        command.args(args);
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// Switches to the init of the new root.
    fn switch(&self, prepare: &str) -> Told {
        self.exec(prepare, "", &["/switch_root", "/new", "/init"])
    }

    /// All paths in the old root, whatever was mounted there.
    fn left(&self) -> Vec<String> {
        let mut left = paths(&self.old(""));
        left.sort();
        left
    }

    /// Runs it where it is to refuse, and sees to it that nothing in either root has changed.
    #[track_caller]
    fn refuses(&self, prepare: &str, before: &str, args: &[&str], message: &str) {
        self.init("echo ran");
        let all = || (self.left(), paths(&self.fresh("")).len());
        // What is prepared belongs to the state before.
        assert_eq!(self.exec(prepare, "true", &[]).0, Some(0), "{prepare}");
        let state = all();
        let told = self.exec(prepare, before, &[&["/switch_root"], args].concat());
        assert_eq!(told, (Some(111), String::new(), format!("switch_root: fatal: {message}\n")), "{args:?}");
        assert_eq!(all(), state, "{args:?}");
    }
}

/// All paths in a directory, links not followed.
fn paths(dir: &Path) -> Vec<String> {
    let output = Command::new("find").arg(dir).args(["-mindepth", "1", "-printf", "%P\\n"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Where something is mounted, by `/proc/mounts`.
fn mounted(mounts: &str) -> Vec<&str> {
    let mut mounted: Vec<_> = mounts.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    mounted.sort();
    mounted
}

fn success(stdout: &str) -> Told {
    (Some(0), stdout.into(), String::new())
}

#[test]
fn a_wrong_command_line_gives_the_usage() {
    let sandbox = Sandbox::new();
    let usage = "usage: switch_root [-c console] new_root new_init [arg ...]\n\n";
    for (args, complaint) in [
        (&[][..], ""),
        (&["/new"], ""),
        (&["--", "/new"], ""),
        (&["-c", "/console", "/new"], ""),
        (&["-c"], "switch_root: option requires an argument -- c\n"),
        (&["-xc", "/new", "/init"], "switch_root: illegal option -- x\n"),
        (&["--init", "/new", "/init"], "switch_root: illegal option -- init\n"),
    ] {
        let output = sandbox.output("switch_root", args);
        assert_eq!(output.status.code(), Some(100), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("{complaint}{usage}"), "{args:?}");
    }
}

#[test]
fn only_process_1_can_do_it() {
    let sandbox = Sandbox::new();
    // Not even with what would be an option before the dashes.
    for args in [&["/missing", "/init"][..], &["--", "-x", "/init"]] {
        let output = sandbox.output("switch_root", args);
        assert_eq!(output.status.code(), Some(111));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "switch_root: fatal: not process 1\n");
    }
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let told = roots.exec(
        "mount -t proc proc old/proc",
        "",
        &["/bin/sh", "-c", "/switch_root /new /init; echo $?; ls /new/init /switch_root"],
    );
    let message = "switch_root: fatal: not process 1\n";
    assert_eq!(told, (Some(0), "111\n/new/init\n/switch_root\n".into(), message.into()));
}

#[test]
fn the_new_init_is_process_1_in_the_new_root_with_its_arguments_and_the_environment() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo $$ $0 $#; for each; do echo \"<$each>\"; done; pwd; ls /; echo \"$KEPT\"");
    roots.sandbox.write("fresh/only-here", "");
    let args = ["/switch_root", "/new", "/init", "-c", "two words", "", "--"];
    let told = roots.exec("export KEPT='as it was'", "", &args);
    let entries = fs::read_dir(roots.fresh("")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let root: String = names.iter().map(|name| format!("{name}\n")).collect();
    assert!(root.contains("only-here\n"));
    assert_eq!(told, success(&format!("1 /init 4\n<-c>\n<two words>\n<>\n<-->\n/\n{root}as it was\n")));
    assert_eq!(roots.left(), [""; 0]);
}

#[test]
fn the_name_of_the_init_can_be_relative_to_the_new_root() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo $$ $0");
    fs::create_dir(roots.fresh("sbin")).unwrap();
    fs::rename(roots.fresh("init"), roots.fresh("sbin/init")).unwrap();
    let told = roots.exec("cd old; cd ..", "", &["/switch_root", "new", "sbin/init"]);
    assert_eq!(told, success("1 sbin/init\n"));
}

#[test]
fn everything_in_the_old_root_is_deleted() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let old = |path: &str| roots.old(path);
    for number in 0..3000 {
        fs::write(old(&format!("file.{number}")), "").unwrap();
    }
    for path in ["a/b/c/d/e", "a/b/f/g", "a/h", ".hidden/.more/...", "empty"] {
        fs::create_dir_all(old(path)).unwrap();
        fs::write(old(path).join("file"), "text").unwrap();
        fs::write(old(path).join("-rf"), "text").unwrap();
    }
    // Names that directories get when they are moved to the top; whichever order the kernel lists them in, some are still
    // there then.
    for name in ["first", "last"] {
        for number in 0..20 {
            fs::create_dir_all(old(&format!("{name}/{number}/below"))).unwrap();
        }
        for number in 1..1000 {
            fs::write(old(&format!("{}", number + 1000 * usize::from(name == "last"))), "").unwrap();
        }
    }
    for number in 0..700 {
        fs::create_dir_all(old(&format!("wide/{number}/below"))).unwrap();
        fs::write(old(&format!("wide/{number}/below/file")), "").unwrap();
    }
    let rest = "mkfifo old/fifo; mknod old/dev/null c 1 3; chmod 000 old/a/h old/a; ln -s . old/loop; ln old/file.2 old/a/hard";
    assert_eq!(roots.switch(rest), success("ran\n"));
    assert_eq!(roots.left(), [""; 0]);
}

#[test]
fn a_tree_can_be_deeper_than_any_path() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut dir = rustix::fs::open(roots.old(""), flags, Mode::empty()).unwrap();
    for _ in 0..300 {
        for name in ["a-directory-of-a-name-that-makes-a-long-path", "beside"] {
            rustix::fs::mkdirat(&dir, name, Mode::RWXU).unwrap();
        }
        rustix::fs::mknodat(&dir, "file", FileType::RegularFile, Mode::RWXU, 0).unwrap();
        dir = rustix::fs::openat(&dir, "a-directory-of-a-name-that-makes-a-long-path", flags, Mode::empty())
            .unwrap();
    }
    assert_eq!(roots.switch(""), success("ran\n"));
    assert_eq!(roots.left(), [""; 0]);
}

#[test]
fn directories_can_have_numbers_for_names() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    for number in 1..100 {
        fs::create_dir_all(roots.old(format!("{number}/{}/below/1/2", number + 1))).unwrap();
        fs::create_dir_all(roots.old(format!("{number}/{}", number + 50))).unwrap();
    }
    assert_eq!(roots.switch(""), success("ran\n"));
    assert_eq!(roots.left(), [""; 0]);
    // Also such that stay.
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let Some(_mount) = roots.sandbox.tmpfs("mount", "size=1m") else { return };
    for number in 1..=20 {
        fs::create_dir_all(roots.old(format!("{number}/mounted"))).unwrap();
    }
    fs::create_dir_all(roots.old("a/b/c/d/e")).unwrap();
    let prepare = "for number in $(seq 20); do mount --bind mount old/$number/mounted; done";
    assert_eq!(roots.switch(prepare), success("ran\n"));
    let mut expected: Vec<_> =
        (1..=20).flat_map(|number| [format!("{number}"), format!("{number}/mounted")]).collect();
    expected.sort();
    assert_eq!(roots.left(), expected);
}

#[test]
fn links_are_not_followed() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    for dir in ["elsewhere/below", "fresh/precious/below"] {
        fs::create_dir_all(roots.sandbox.join(dir)).unwrap();
        fs::write(roots.sandbox.join(dir).join("file"), "").unwrap();
    }
    fs::create_dir_all(roots.old("a/b")).unwrap();
    for (number, text) in
        ["/new/precious", "/precious", "../fresh/precious", "new/precious", "/", ".."].iter().enumerate()
    {
        symlink(text, roots.old(format!("link.{number}"))).unwrap();
        symlink(text, roots.old(format!("a/b/link.{number}"))).unwrap();
    }
    symlink(roots.sandbox.join("elsewhere"), roots.old("out")).unwrap();
    assert_eq!(roots.switch(""), success("ran\n"));
    assert_eq!(roots.left(), [""; 0]);
    assert!(roots.sandbox.join("elsewhere/below/file").exists());
    assert!(roots.fresh("precious/below/file").exists());
}

#[test]
fn what_else_is_mounted_stays() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let places = ["top", "a/b", "x/y/z/mounted", "x/y/other"];
    let mounts: Vec<_> =
        (0..places.len()).map(|number| roots.sandbox.tmpfs(&format!("mount.{number}"), "size=1m")).collect();
    let mut prepare = String::new();
    for (number, place) in places.iter().enumerate() {
        fs::create_dir_all(roots.old(place)).unwrap();
        fs::write(roots.old(place).join("hidden"), "").unwrap();
        fs::write(roots.old(place).with_file_name("beside"), "").unwrap();
        roots.sandbox.write(format!("mount.{number}/below/file"), "kept");
        roots.sandbox.write(format!("mount.{number}/file"), "kept");
        prepare += &format!("mount --bind mount.{number} old/{place}\n");
    }
    // A file can be mounted on as well.
    roots.sandbox.write("old/bound", "");
    prepare += "mount --bind mount.0/file old/bound\n";
    assert_eq!(roots.switch(&prepare), success("ran\n"));
    for (number, place) in places.iter().enumerate() {
        let expected = ["below", "below/file", "file"];
        let mut left = paths(&roots.sandbox.join(format!("mount.{number}")));
        left.sort();
        assert_eq!(left, expected, "{place}");
    }
    // Of the old root there is only what is mounted on, and what leads there.
    let left = roots.left();
    let names: Vec<_> = left.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert!(!names.contains(&"beside"), "{left:?}");
    for name in ["top", "b", "mounted", "other", "bound"] {
        assert!(names.contains(&name), "{name} in {left:?}");
    }
    assert!(left.len() <= 14, "{left:?}");
    drop(mounts);
}

#[test]
fn the_four_mounts_move_along() {
    let Some(roots) = Roots::new() else { return };
    roots.init(
        "cat /dev/name /run/name /sys/name; read line </proc/1/stat; echo \"${line%%)*}\"; cat /run/sub/name",
    );
    let prepare = "mount -t proc proc old/proc
        for name in dev run sys; do mount -t tmpfs tmpfs old/$name; echo of $name >old/$name/name; done
        mkdir old/run/sub; mount -t tmpfs tmpfs old/run/sub; echo below >old/run/sub/name";
    assert_eq!(roots.switch(prepare), success("of dev\nof run\nof sys\n1 (init\nbelow\n"));
    assert_eq!(roots.left(), [""; 0]);
}

#[test]
fn what_is_not_mounted_is_deleted_and_does_not_move() {
    let Some(roots) = Roots::new() else { return };
    roots.init("ls /run /dev /sys; cat /proc/mounts");
    for dir in ["run", "dev", "sys"] {
        fs::write(roots.old(dir).join("file"), "").unwrap();
    }
    // A link is none of them, wherever it leads.
    let prepare = "mount -t proc proc old/proc; mount -t tmpfs tmpfs old/run; mkdir old/var
        mount --move old/run old/var; rm -r old/run; ln -s var old/run";
    let (code, stdout, stderr) = roots.switch(prepare);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("/dev:\n\n/run:\n\n/sys:\n"), "{stdout}");
    let (_, mounts) = stdout.split_once("/sys:\n").unwrap();
    assert_eq!(mounted(mounts), ["/", "/proc"], "{stdout}");
    assert_eq!(roots.left(), ["var"]);
}

#[test]
fn a_mount_without_a_place_in_the_new_root_is_taken_away() {
    let Some(roots) = Roots::new() else { return };
    // One is missing, one is a file, one is mounted on already; one is a link to where there is room.
    roots.init("cat /sys/name /away/name; ls /; cat /proc/mounts");
    fs::remove_dir(roots.fresh("run")).unwrap();
    fs::remove_dir(roots.fresh("dev")).unwrap();
    fs::remove_dir(roots.fresh("proc")).unwrap();
    fs::write(roots.fresh("dev"), "").unwrap();
    fs::create_dir(roots.fresh("away")).unwrap();
    symlink("away", roots.fresh("proc")).unwrap();
    let prepare =
        "for name in dev run sys proc; do mount -t tmpfs tmpfs old/$name; echo of $name >old/$name/name; done
        mount -t tmpfs tmpfs old/new/sys; echo of its own >old/new/sys/name";
    let (code, stdout, stderr) = roots.switch(prepare);
    assert_eq!((code, stderr.as_str()), (Some(1), "cat: /proc/mounts: No such file or directory\n"));
    let names = stdout.strip_prefix("of its own\nof proc\n").expect(&stdout);
    assert!(names.contains("\ndev\n") && !names.contains("run"), "{stdout}");
    assert_eq!(roots.left(), [""; 0]);
}

#[test]
fn what_is_taken_away_is_gone_for_good() {
    let Some(roots) = Roots::new() else { return };
    roots.init("cat /proc/mounts");
    fs::remove_dir(roots.fresh("run")).unwrap();
    let prepare = "mount -t proc proc old/proc; mount -t tmpfs run old/run; mount -t tmpfs dev old/dev";
    let (code, stdout, stderr) = roots.switch(prepare);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(mounted(&stdout), ["/", "/dev", "/proc"], "{stdout}");
}

#[test]
fn the_new_root_must_be_another_file_system_that_is_mounted() {
    let Some(roots) = Roots::new() else { return };
    fs::create_dir_all(roots.old("plain")).unwrap();
    fs::create_dir_all(roots.fresh("below")).unwrap();
    fs::create_dir_all(roots.fresh("spot")).unwrap();
    roots.sandbox.write("old/file", "");
    let not_mounted = "/plain: not a mount point";
    roots.refuses("", "", &["/plain", "/init"], not_mounted);
    roots.refuses("", "", &["/missing", "/init"], "unable to open /missing: file does not exist");
    roots.refuses("", "", &["/file", "/init"], "unable to open /file: not a directory");
    roots.refuses("", "", &["/", "/init"], "/: not a mount point");
    roots.refuses("", "", &["/new/below", "/init"], "/new/below: not a mount point");
    roots.refuses("mount --bind old/plain old/plain", "", &["/plain", "/init"], not_mounted);
    let bound = "mount --bind old/plain old/new/spot";
    roots.refuses(bound, "", &["/new/spot", "/init"], "/new/spot: in the same file system as /");
}

#[test]
fn the_init_must_be_a_program_of_the_new_root() {
    let Some(roots) = Roots::new() else { return };
    fs::create_dir(roots.fresh("directory")).unwrap();
    roots.sandbox.write("fresh/data", "#!/bin/sh");
    roots.sandbox.script("old/only-here", "echo wrong");
    symlink("/only-here", roots.fresh("out")).unwrap();
    symlink("nowhere", roots.fresh("dangling")).unwrap();
    for (init, why) in [
        ("/missing", "file does not exist"),
        ("/only-here", "file does not exist"),
        ("only-here", "file does not exist"),
        ("/out", "file does not exist"),
        ("/dangling", "file does not exist"),
        ("/directory", "access denied"),
        ("/data", "access denied"),
        ("/data/x", "not a directory"),
        ("", "file does not exist"),
    ] {
        roots.refuses("", "", &["/new", init], &format!("unable to run in /new: {init}: {why}"));
    }
    roots.refuses(
        "mount -o remount,bind,noexec old/new",
        "",
        &["/new", "/init"],
        "unable to run in /new: /init: access denied",
    );
    // Links lead to what is in the new root.
    roots.sandbox.script("fresh/sbin/real", "echo real");
    symlink("/sbin/real", roots.fresh("link")).unwrap();
    assert_eq!(roots.exec("", "", &["/switch_root", "/new", "/link"]), success("real\n"));
}

#[test]
fn only_a_root_in_memory_is_deleted() {
    let Some(roots) = Roots::new() else { return };
    // The tree as it is, in another kind of file system.
    let memory = "mkdir work upper; mount -t tmpfs tmpfs work; mkdir work/work work/upper
        umount old/new; mount -t overlay -o lowerdir=old,upperdir=work/upper,workdir=work/work overlay old; mount --bind fresh old/new";
    if roots.exec(memory, "true", &[]).0 != Some(0) {
        eprintln!("passed over: no overlay can be mounted");
        return;
    }
    for dir in ["work", "upper"] {
        fs::remove_dir(roots.sandbox.join(dir)).unwrap();
    }
    roots.init("echo ran");
    let state = roots.left();
    let told = roots.exec(memory, "", &["/switch_root", "/new", "/init"]);
    let message = "switch_root: fatal: /new: / is neither a ramfs nor a tmpfs\n";
    assert_eq!(told, (Some(111), String::new(), message.into()));
    assert_eq!(roots.left(), state);
}

#[test]
fn a_ramfs_will_do() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran; ls /inspect");
    fs::create_dir(roots.fresh("inspect")).unwrap();
    let ramfs = "umount old/new; mkdir ram; mount -t ramfs ramfs ram; cp -a old/. ram/; mount --move ram old
        mount --bind fresh old/new; mount --bind old old/new/inspect; mkdir -p old/a/b; : >old/a/b/file";
    assert_eq!(roots.switch(ramfs), success("ran\n"));
}

#[test]
fn without_the_right_to_it_nothing_changes() {
    let Some(roots) = Roots::new() else { return };
    let without = |name: &str| format!("setpriv --inh-caps -{name} --bounding-set -{name}");
    let refused = "unable to move to /: /new: permission denied";
    roots.refuses("", &without("sys_admin"), &["/new", "/init"], refused);
    // A mount in a shared one cannot be moved.
    let refused = "unable to move to /: /new: invalid argument";
    roots.refuses("mount --make-shared old", "", &["/new", "/init"], refused);
}

#[test]
fn without_the_right_to_change_roots_nothing_changes() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let state = roots.left();
    // In the old root already, which takes that right as well.
    let without = ["/bin/setpriv", "--inh-caps", "-sys_chroot", "--bounding-set", "-sys_chroot"];
    let told = roots.exec("", "", &[&without[..], &["/switch_root", "/new", "/init"]].concat());
    let message = "switch_root: fatal: unable to change the root directory to /new: permission denied\n";
    assert_eq!(told, (Some(111), String::new(), message.into()));
    assert_eq!(roots.left(), state);
}

#[test]
fn the_console_becomes_the_standard_descriptors() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo to output; echo to errors >&2; read line; echo \"$line\"; ls -l /proc/self/fd >/fds");
    let proc = "mount -t proc proc old/proc";
    for options in [&["-c", "/console"][..], &["-c/console"], &["-c", "/wrong", "-c", "console", "--"]] {
        roots.sandbox.write("fresh/console", "a line of input\n");
        let args = [&["/switch_root"], options, &["/new", "/init"]].concat();
        for descriptors in ["", "exec <&- >&- 2>&-"] {
            if !roots.old("switch_root").exists() {
                let copied = Command::new("cp").arg(svbox()).arg(roots.old("switch_root")).status();
                assert!(copied.unwrap().success());
                let tools =
                    Command::new("cp").args(["-L", "--parents"]).args(tools()).arg(roots.old("")).status();
                assert!(tools.unwrap().success());
                fs::create_dir(roots.old("new")).unwrap();
                fs::create_dir(roots.old("proc")).unwrap();
            }
            roots.sandbox.write("fresh/console", "a line of input\n");
            let told = roots.exec(&format!("{proc}; {descriptors}"), "", &args);
            assert_eq!(told, success(""), "{options:?}");
            // One open file: what has been written is what is read next.
            assert_eq!(roots.sandbox.read("fresh/console"), "to output\nto errors\n\n", "{options:?}");
            let fds = roots.sandbox.read("fresh/fds");
            assert_eq!(fds.matches("/console").count(), 2, "{fds}");
        }
    }
}

#[test]
fn a_console_that_cannot_be_opened_is_warned_of() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    let told = roots.exec("", "", &["/switch_root", "-c", "/dev/console", "/new", "/init"]);
    let warning = "switch_root: warning: unable to open console /dev/console: file does not exist\n";
    assert_eq!(told, (Some(0), "ran\n".into(), warning.into()));
    assert_eq!(roots.left(), [""; 0]);
}

#[test]
fn what_cannot_be_deleted_is_told_of_and_stays() {
    let Some(roots) = Roots::new() else { return };
    roots.init("echo ran");
    roots.sandbox.write("old/a/locked/file", "");
    roots.sandbox.write("old/a/b/file", "");
    let prepare = "chown 1000 old/a/locked; chmod 755 old/a/locked";
    let without = "setpriv --inh-caps -dac_override --bounding-set -dac_override";
    let told = roots.exec(prepare, without, &["/switch_root", "/new", "/init"]);
    let warning = "switch_root: warning: unable to remove from the old root: locked: access denied\n";
    assert_eq!(told, (Some(0), "ran\n".into(), warning.into()));
    assert_eq!(roots.left(), ["a", "a/locked", "a/locked/file"]);
}

#[test]
fn an_init_that_cannot_be_run_after_all_is_the_end() {
    let Some(roots) = Roots::new() else { return };
    let init = roots.sandbox.write("fresh/init", "#!/bin/missing\n");
    fs::set_permissions(init, fs::Permissions::from_mode(0o755)).unwrap();
    let message = "switch_root: fatal: unable to run: /init: file does not exist\n";
    assert_eq!(roots.switch(""), (Some(111), String::new(), message.into()));
    assert_eq!(roots.left(), [""; 0]);
}
