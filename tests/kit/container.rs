//! Containers of a test's own: a root made for it, in namespaces of `unshare` or under `runc`.
//!
//! In both, `/program` has the programs under test, `/service` is the directory `service` of the sandbox if there is
//! one, and `/run` and `/out` are its `run` and `out`. There is neither `/etc/runit` nor a console.

use super::runc::{name_of, runc};
use super::sandbox::MARK;
use super::{Running, Sandbox, change_namespaces, svbox, until, until_some};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What makes the root, and process 1 in it, which ignores nothing even if the suite does:
/// `sh -c SCRIPT SANDBOX SVBOX SETUP READ-ONLY IDENTITY COMMAND...`.
const ENTER: &str = r#"set -e
mkdir -p "$0/root" "$0/run" "$0/out"
mount -t tmpfs -o mode=755 tmpfs "$0/root"
cd "$0/root"
for dir in bin lib lib64 sbin usr; do
    if [ -L /$dir ]; then cp -P /$dir .; elif [ -d /$dir ]; then mkdir $dir; mount --rbind /$dir $dir; fi
done
mkdir dev etc proc run tmp out program var
mount --rbind /proc proc
for file in null zero tty; do : >dev/$file; mount --bind /dev/$file dev/$file; done
: >program/svbox
mount --bind "$1" program/svbox
for name in pid1 init runit runsvdir runsv sv svlogd chpst; do ln -s svbox program/$name; done
mount --bind "$0/run" run
mount --bind "$0/out" out
if [ -d "$0/service" ]; then mkdir service; mount --bind "$0/service" service; fi
eval "$2"
if [ "$3" = true ]; then
    [ ! -d service ] || mount -o remount,ro,bind service
    mount -o remount,ro,bind .
fi
identity=$4
shift 4
exec chroot $identity . /usr/bin/env --default-signal -i "$@"
"#;

/// A container that can be started.
pub struct Container<'s> {
    pub(super) sandbox: &'s Sandbox,
    pub(super) setup: String,
    pub(super) read_only: bool,
    pub(super) user: Option<u32>,
    pub(super) variables: Vec<OsString>,
    pub(super) program: Vec<String>,
    stdin: Stdio,
    under_runc: bool,
}

impl<'s> Container<'s> {
    /// One in namespaces: its user is root, all can be written, the program is `pid1`.
    pub fn new(sandbox: &'s Sandbox) -> Self {
        fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for dir in ["run", "out"] {
            fs::create_dir_all(sandbox.join(dir)).unwrap();
        }
        fs::set_permissions(sandbox.join("out"), fs::Permissions::from_mode(0o777)).unwrap();
        let variables = vec!["PATH=/program:/usr/bin:/bin".into()];
        let program = vec!["/program/pid1".into()];
        let (setup, stdin) = (String::new(), Stdio::null());
        Self { sandbox, setup, read_only: false, user: None, variables, program, stdin, under_runc: false }
    }

    /// Under `runc`, where there is nothing but busybox's `sh`, `sleep` and `true`.
    pub fn under_runc(mut self) -> Self {
        self.under_runc = true;
        self
    }

    /// Its root and `/service` cannot be written.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// Everything runs as this user, who may write to `/run` and `/out`, and to nothing else.
    pub fn user(mut self, user: Option<u32>) -> Self {
        if user.is_some() {
            fs::set_permissions(self.sandbox.join("run"), fs::Permissions::from_mode(0o777)).unwrap();
        }
        self.user = user;
        self
    }

    /// Shell commands in the new root, before it is entered.
    pub fn setup(mut self, script: &str) -> Self {
        self.setup.push_str(script);
        self.setup.push('\n');
        self
    }

    /// A variable of the environment, `name=value`.
    pub fn variable(mut self, variable: impl AsRef<OsStr>) -> Self {
        self.variables.push(variable.as_ref().into());
        self
    }

    /// Another program than `pid1`, and perhaps arguments.
    pub fn program(mut self, program: &[&str]) -> Self {
        self.program = program.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Another standard input than `/dev/null`.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Starts it, with arguments for the program.
    pub fn start(mut self, args: &[&str]) -> Contained<'s> {
        let sandbox = self.sandbox;
        let mark = format!("{MARK}={}", sandbox.path().display());
        self.variables.push(mark.into());
        self.program.extend(args.iter().map(|arg| (*arg).to_owned()));
        let stdin = std::mem::replace(&mut self.stdin, Stdio::null());
        let mut command = if self.under_runc { self.bundle() } else { self.namespaces() };
        command.stdin(stdin).stdout(fs::File::create(sandbox.join("stdout")).unwrap());
        Contained { sandbox, running: sandbox.start(command), under_runc: self.under_runc }
    }

    fn namespaces(&self) -> Command {
        let options = ["--pid", "--fork", "--mount", "--mount-proc", "--kill-child"];
        let mut command = change_namespaces(self.sandbox, &options, "sh");
        let identity =
            self.user.map_or_else(String::new, |user| format!("--userspec=+{user}:+{user} --groups="));
        command.args(["-c", ENTER]).arg(self.sandbox.path()).arg(svbox()).arg(&self.setup);
        command.arg(self.read_only.to_string()).arg(identity).args(&self.variables).args(&self.program);
        command
    }
}

/// A container that was started. Killed with everything in it when dropped.
pub struct Contained<'s> {
    sandbox: &'s Sandbox,
    running: Running,
    under_runc: bool,
}

impl Contained<'_> {
    /// The number, here, of its process 1.
    #[track_caller]
    pub fn pid(&self) -> i32 {
        if self.under_runc {
            return until_some("a container", || self.sandbox.read("pid").parse().ok());
        }
        until_some("process 1", || self.child())
    }

    /// What the process that was started has started.
    fn child(&self) -> Option<i32> {
        let parent = self.running.pid();
        fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?.trim().parse().ok()
    }

    /// Waits until its process 1 has blocked all signals, so that none is lost any more; gives its number.
    #[track_caller]
    pub fn started(&self) -> i32 {
        let pid = self.pid();
        until("process 1 that hears signals", || {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            // A shell blocks all signals too, for a moment.
            if !["pid1", "init", "runit", "svbox"].contains(&comm.trim()) {
                return false;
            }
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap_or_default();
            // Two cannot be blocked, and two more the C library keeps for itself in some builds.
            u64::from_str_radix(blocked.trim(), 16).is_ok_and(|set| set | 0x1_8004_0100 == u64::MAX)
        });
        pid
    }

    /// The process that has started its process 1, in namespaces.
    pub fn parent(&self) -> i32 {
        self.running.pid()
    }

    /// A file of it, here.
    pub fn path(&self, path: &str) -> PathBuf {
        Path::new("/proc").join(self.pid().to_string()).join("root").join(path.trim_start_matches('/'))
    }

    /// Sends process 1 a signal, once it can hear it.
    #[track_caller]
    pub fn signal(&self, number: i32) {
        let pid = self.started().to_string();
        assert!(Command::new("kill").args([format!("-{number}"), pid]).status().unwrap().success());
    }

    /// Runs a program in it, as root.
    pub fn run(&self, program: &[&str]) -> Output {
        let mut command = self.sandbox.command("nsenter");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.args(["--mount", "--pid", "--root", "--wd", "--target", &self.pid().to_string(), "--"]);
        command.args(["/usr/bin/env", "PATH=/program:/usr/bin:/bin"]).args(program).output().unwrap()
    }

    /// Waits for its end; gives the exit code.
    #[track_caller]
    pub fn ended(&mut self) -> Option<i32> {
        self.running.ended().code()
    }

    /// Whether it has not ended.
    pub fn lives(&mut self) -> bool {
        self.running.lives()
    }

    /// Everything that was written to standard error so far.
    pub fn stderr(&self) -> String {
        self.running.stderr()
    }

    /// Everything that was written to standard output so far.
    pub fn stdout(&self) -> String {
        self.sandbox.read("stdout")
    }

    /// The processes in it, without those that are zombies, and the zombies: their numbers here.
    pub fn processes(&self) -> (Vec<i32>, Vec<i32>) {
        let space = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let own = space(self.pid());
        let all =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let zombie = |pid: &i32| {
            fs::read_to_string(format!("/proc/{pid}/stat"))
                .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")))
        };
        all.filter(|pid| space(*pid) == own && own.is_some()).partition(|pid| !zombie(pid))
    }
}

impl Drop for Contained<'_> {
    fn drop(&mut self) {
        if self.under_runc {
            let _ = runc(self.sandbox).args(["delete", "--force"]).arg(name_of(self.sandbox)).output();
        }
        // The kernel sees to it only where the user has stayed the same.
        if let Some(pid) = self.child().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
