//! `--cgroup`.

use super::*;

/// A name of a test's own below the root of the hierarchy of version 2. What was made of it is removed.
struct Group {
    root: PathBuf,
    name: String,
}

/// Where the hierarchy is mounted.
fn hierarchy() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let of = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[2] == "cgroup2").then(|| PathBuf::from(words[1]))
    };
    mounts.lines().find_map(of).expect("a hierarchy of version 2")
}

impl Group {
    fn new(test: &str) -> Self {
        Self { root: hierarchy(), name: format!("svbox-test-{}-{test}", std::process::id()) }
    }

    fn path(&self) -> String {
        format!("/{}", self.name)
    }

    fn dir(&self) -> PathBuf {
        self.root.join(&self.name)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        fn remove(dir: &Path) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    remove(&entry.path());
                }
            }
            let gone = || fs::remove_dir(dir).is_ok() || !dir.exists();
            // The last process may have ended without being collected.
            until("an empty control group", gone);
        }
        remove(&self.dir());
    }
}

/// The group of version 2 that a program sees itself in.
#[track_caller]
fn group(command: Command, options: &[&str]) -> String {
    let shown = seen(command, &[options, &["cat", "/proc/self/cgroup"]].concat());
    shown.lines().find_map(|line| line.strip_prefix("0::")).unwrap().to_owned()
}

#[test]
fn a_control_group_that_is_missing_is_made_and_joined() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let (sandbox, own) = (Sandbox::new(), Group::new("made"));
    assert!(!own.dir().exists());
    assert_eq!(group(root(&sandbox), &["--cgroup", &own.path()]), own.path());
    assert!(own.dir().is_dir());
    assert_eq!(group(root(&sandbox), &["--cgroup", &own.path()]), own.path(), "once more");
}

#[test]
fn all_of_the_path_is_made() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let (sandbox, own) = (Sandbox::new(), Group::new("deep"));
    let deep = format!("{}/one/two/three", own.path());
    assert_eq!(group(root(&sandbox), &["--cgroup", &deep]), deep);
    let between = format!("{}/one", own.path());
    assert_eq!(group(root(&sandbox), &["--cgroup", &between]), between);
}

#[test]
fn children_are_in_the_control_group_too() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let (sandbox, own) = (Sandbox::new(), Group::new("children"));
    let shown = script(root(&sandbox), &["--cgroup", &own.path()], "(cat /proc/self/cgroup) | grep ^0; :");
    assert_eq!(shown, format!("0::{}\n", own.path()));
}

#[test]
fn the_control_group_is_joined_with_the_rights_of_the_caller() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let (sandbox, own) = (Sandbox::new(), Group::new("rights"));
    let options = ["-u", ":1000:1000", "--cgroup", &own.path()];
    assert_eq!(group(root(&sandbox), &options), own.path());
}

#[test]
fn the_control_group_is_the_root_of_a_namespace_of_the_kind() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let (sandbox, own) = (Sandbox::new(), Group::new("namespace"));
    assert_eq!(group(root(&sandbox), &["--ns", "cgroup", "--cgroup", &own.path()]), "/");
}

#[test]
fn a_program_in_a_pid_namespace_is_in_the_control_group() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let (sandbox, own) = (Sandbox::new(), Group::new("pid"));
    assert_eq!(group(root(&sandbox), &["--ns", "pid", "--cgroup", &own.path()]), own.path());
}

#[test]
fn a_path_does_not_lead_out_of_the_hierarchy() {
    if only_svbox("long options") || only_root() {
        return;
    }
    for path in ["/..", "/../NAME", "/NAME/../../NAME", "/NAME/..", "../../../tmp/NAME"] {
        let (sandbox, own) = (Sandbox::new(), Group::new("parent"));
        let path = path.replace("NAME", &own.name);
        let output = root(&sandbox).args(["--cgroup", &path]).args(TRACE).output().unwrap();
        assert_eq!(output.status.code(), Some(100), "{path}");
        assert!(!own.dir().exists(), "{path}: something was made");
    }
}

#[test]
fn somebody_without_privileges_does_not_join() {
    if only_svbox("long options") {
        return;
    }
    for path in ["/svbox-test-refused", "/"] {
        let sandbox = Sandbox::new();
        let message = format!("unable to join control group: {path}: access denied");
        refused(&sandbox, user(&sandbox), &["--cgroup", path], &message);
    }
}

/// A place in which there is no hierarchy of version 2.
fn without_hierarchy(sandbox: &Sandbox, chpst: &Command) -> Command {
    let mut command = sandbox.command("unshare");
    let script = "while m=$(grep -m 1 ' cgroup2 ' /proc/self/mounts); do
            m=${m#* }; umount -l \"${m%% *}\" || exit 99
        done
        exec \"$@\"";
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(chpst.get_program()).args(chpst.get_args());
    command
}

#[test]
fn without_a_hierarchy_it_fails() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let command = without_hierarchy(&sandbox, &root(&sandbox));
    let output = { command }.args(["--cgroup", "/svbox-test-none"]).args(TRACE).output().unwrap();
    let (code, shown, complaint) = told(&output);
    assert_eq!((code, shown), (Some(111), String::new()), "{complaint}");
    assert!(complaint.starts_with("chpst: fatal: unable to join control group: "), "{complaint}");
    assert!(!sandbox.join("ran").exists());
}

#[test]
fn without_a_hierarchy_it_is_a_warning_if_that_is_asked_for() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut command = without_hierarchy(&sandbox, &root(&sandbox));
    let output =
        command.args(["--if-supported", "--cgroup", "/svbox-test-none"]).args(TRACE).output().unwrap();
    let (code, shown, complaint) = told(&output);
    assert_eq!((code, shown.as_str()), (Some(0), "ran\n"), "{complaint}");
    assert!(complaint.starts_with("chpst: warning: unable to join control group: "), "{complaint}");
}
