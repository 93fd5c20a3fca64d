//! The fault sweep: each system call of chpst fails once while every restriction is asked for. Whatever fails, the
//! program never runs with less than all of them.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What each call fails with.
const ERRORS: [&str; 3] = ["EPERM", "EINVAL", "ENOSYS"];

/// Calls of the C library's and the language's start-up, and calls that have no way to fail.
const SURE: [&str; 19] = [
    "access",
    "arch_prctl",
    "brk",
    "exit_group",
    "getpid",
    "getppid",
    "getrandom",
    "mmap",
    "mprotect",
    "munmap",
    "pread64",
    "rseq",
    "rt_sigreturn",
    "sched_getaffinity",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "umask",
    "exit",
];

/// Says in what state it is. It starts no other programs, so that what is counted for it is not counted twice.
const PROBE: &str = r#"
$| = 1; my ($ro, $out, %outer) = @ARGV; my $text = '';
sub slurp { open(my $file, '<', shift) or return 'unreadable'; local $/; <$file> }
my $status = slurp('/proc/self/status');
for (qw(Uid Gid Groups Umask NoNewPrivs CapInh CapPrm CapEff CapBnd CapAmb Cpus_allowed_list)) {
    $status =~ /^$_:[ \t]*(.*?)[ \t]*$/m; $text .= "$_ $1\n";
}
for my $name ('open files', 'core file size') {
    slurp('/proc/self/limits') =~ /^Max $name\s+(\S+)\s+(\S+)/m; $text .= "$name $1 $2\n";
}
$text .= 'oom ' . slurp('/proc/self/oom_score_adj');
my $stat = slurp('/proc/self/stat'); my ($pid) = $stat =~ /^(\d+)/; my @rest = split ' ', $stat =~ s/.*\) //r;
$text .= 'session ' . ($rest[3] == $pid ? 'own' : 'other') . "\npolicy $rest[38]\n";
for my $kind (sort keys %outer) {
    $text .= "$kind " . (readlink("/proc/self/ns/$kind") eq $outer{$kind} ? 'same' : 'own') . "\n";
}
open(my $file, '>', "$ro/new"); $text .= 'read-only ' . ($!{EROFS} ? 'yes' : "no $!") . "\n";
open($file, '>', "$out/new"); $text .= 'outside ' . ($!{EACCES} ? 'yes' : "no $!") . "\n";
opendir(my $dir, '/tmp'); $text .= 'tmp ' . join(' ', sort readdir $dir) . "\n";
$text .= 'closed ' . (-e '/proc/self/fd/7' ? 'no' : 'yes') . "\n";
$text .= 'env ' . join(' ', sort keys %ENV) . "\n";
if ($Config::Config{archname} =~ /^x86_64/) {
    my $signal = pack('i', 0); syscall(157, 2, $signal, 0, 0, 0);
    $text .= 'parent ' . unpack('i', $signal) . ' disks ' . (syscall(252, 1, 0) >> 13) . "\n";
}
slurp('/proc/self/cgroup') =~ /^0::(.*)/m; $text .= "cgroup $1\n";
print $text, "whole\n";
"#;

/// A restricted life: who calls, the options, and what is seen then.
struct Life {
    caller: Caller,
    options: Vec<String>,
    seen: &'static [&'static str],
}

impl Life {
    /// Runs the probe under a fault; gives what it says, how it ended, what was complained of, and the trace.
    fn run(&self, fault: Option<&str>) -> (String, Option<i32>, String, String) {
        let sandbox = Sandbox::new();
        // Not below /tmp, which is hidden.
        let place = tempfile::Builder::new().prefix("svbox-place.").tempdir_in("/dev/shm").unwrap();
        for dir in [place.path().to_owned(), place.path().join("ro"), place.path().join("out")] {
            fs::create_dir_all(&dir).unwrap();
            fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        }
        let at = place.path().to_str().unwrap();
        let chpst = reachable(&sandbox);
        let trace = sandbox.write("trace", "");
        fs::set_permissions(&trace, fs::Permissions::from_mode(0o666)).unwrap();

        let mut strace = (self.caller)(&sandbox);
        strace.args(["strace", "-f", "-qqq", "-e", "signal=none", "-s", "50", "-o"]).arg(&trace);
        if let Some(fault) = fault {
            let (call, _) = fault.split_once(':').unwrap();
            strace.args(["-e", &format!("trace=execve,{call}"), &format!("--inject={fault}")]);
        }
        strace.args(["sh", "-c", "exec 7</dev/null; exec \"$@\"", "sh"]).arg(chpst);
        strace.args(self.options.iter().map(|option| option.replace("PLACE", at)));
        strace.args([
            "/usr/bin/perl",
            "-MErrno",
            "-MConfig",
            "-e",
            PROBE,
            &format!("{at}/ro"),
            &format!("{at}/out"),
        ]);
        for kind in ["net", "ipc", "uts", "mnt", "cgroup", "pid", "user"] {
            let link = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
            strace.arg(kind).arg(link);
        }
        let output = strace.current_dir("/").env("LEFT", "1").output().unwrap();
        let (code, shown, complaint) = told(&output);
        (shown, code, complaint, sandbox.read("trace"))
    }

    /// Lets each call fail.
    fn sweep(&self) {
        let (whole, code, complaint, trace) = self.run(None);
        assert_eq!((code, complaint.as_str()), (Some(0), ""), "{whole}");
        for line in self.seen {
            assert!(whole.lines().any(|seen| seen == *line), "no `{line}` in {whole}");
        }
        let faults = faults(&trace);
        assert!(faults.len() > 100, "only {} faults: is the trace whole?", faults.len());

        let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (shown, code, complaint, trace) = self.run(Some(fault));
                        let refused = shown.is_empty() && code != Some(0);
                        if !(refused || shown == whole || late(&trace)) {
                            let less: Vec<&str> =
                                shown.lines().filter(|line| !whole.contains(line)).collect();
                            wrong.lock().unwrap().push(format!("{fault}: {code:?} {less:?} {complaint}"));
                        }
                    }
                });
            }
        });
        let wrong = wrong.into_inner().unwrap();
        assert!(wrong.is_empty(), "{} of {} faults: {wrong:#?}", wrong.len(), faults.len());
    }
}

/// Whether a line shows that the program has been reached.
fn runs(line: &str) -> bool {
    line.contains("execve(\"/usr/bin/perl\"") && line.ends_with("= 0")
}

/// Whether nothing has failed but in the program itself.
fn late(trace: &str) -> bool {
    trace.lines().take_while(|line| !runs(line)).all(|line| !line.contains("(INJECTED)"))
}

/// Every fault of the calls from the start of chpst to that of the program. Each process counts its own calls.
fn faults(trace: &str) -> Vec<String> {
    let started = |line: &&str| line.contains("execve(") && line.contains("/chpst\", [");
    let start = trace.lines().position(|line| started(&line)).unwrap();
    // The last thing that a loader does before it maps libraries for good; the static program has none.
    let own: Vec<&str> = trace.lines().skip(start).take_while(|line| !runs(line)).collect();
    let loaded = start + own.iter().rposition(|line| line.contains("set_tid_address")).unwrap_or(0);
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    let mut all = BTreeSet::new();
    for (number, line) in trace.lines().enumerate().take_while(|(_, line)| !runs(line)) {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        if !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_') {
            continue;
        }
        let count = counts.entry((pid, name)).or_default();
        *count += 1;
        if number <= loaded || SURE.contains(&name) {
            continue;
        }
        // Of the same for each capability, some. EINVAL says that there are no more.
        let each = line.contains("PR_CAPBSET");
        if each && !["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_BPF"].iter().any(|name| line.contains(name)) {
            continue;
        }
        let errors = ERRORS.iter().filter(|error| !(line.contains("PR_CAPBSET_READ") && **error == "EINVAL"));
        all.extend(errors.map(|error| format!("{name}:error={error}:when={count}")));
    }
    all.into_iter().collect()
}

fn strings(options: &[&str]) -> Vec<String> {
    options.iter().map(|&option| option.to_owned()).collect()
}

#[test]
fn root_never_runs_a_program_with_less_restriction_than_asked_for() {
    if only_svbox("long options") || only_root() {
        return;
    }
    let options = [
        "-u",
        ":1000:1000",
        "--no-new-privs",
        "--cap-bound",
        "net_raw",
        "--cap-ambient",
        "none",
        "--rlimit",
        "nofile=40:50",
        "--rlimit",
        "core=0:0",
        "--umask",
        "77",
        "--oom-score-adj",
        "900",
        "--io-priority",
        "idle",
        "--scheduler",
        "batch",
        "--cpus",
        "0",
        "--parent-death-signal",
        "TERM",
        "--close-fds",
        "--ns",
        "net,ipc,uts,cgroup",
        "--read-only",
        "PLACE/ro",
        "--private-tmp",
        "--landlock",
        "ro:/",
        "--landlock",
        "rw:PLACE/ro",
        "--new-session",
        "--clear-env",
        "--env",
        "A=b",
    ];
    let seen = &[
        "Uid 1000\t1000\t1000\t1000",
        "Gid 1000\t1000\t1000\t1000",
        "Groups 1000",
        "Umask 0077",
        "NoNewPrivs 1",
        "CapInh 0000000000000000",
        "CapPrm 0000000000000000",
        "CapBnd 0000000000002000",
        "CapAmb 0000000000000000",
        "open files 40 50",
        "core file size 0 0",
        "oom 900",
        "session own",
        "policy 3",
        "net own",
        "ipc own",
        "uts own",
        "mnt own",
        "cgroup own",
        "read-only yes",
        "outside yes",
        "tmp . ..",
        "closed yes",
        "env A",
    ];
    Life { caller: as_root, options: strings(&options), seen }.sweep();
}

#[test]
fn nobody_runs_a_program_with_less_restriction_than_asked_for() {
    if only_svbox("long options") {
        return;
    }
    let options = [
        "--ns",
        "user,pid,net",
        "--no-new-privs",
        "--cap-bound",
        "none",
        "--rlimit",
        "nofile=40:50",
        "--umask",
        "77",
        "--oom-score-adj",
        "1000",
        "--close-fds",
        "--read-only",
        "PLACE/ro",
        "--private-tmp",
        "--landlock",
        "ro:/",
        "--landlock",
        "rw:PLACE/ro",
        "--clear-env",
        "--env",
        "A=b",
    ];
    let seen = &[
        "Umask 0077",
        "NoNewPrivs 1",
        "CapPrm 0000000000000000",
        "CapBnd 0000000000000000",
        "open files 40 50",
        "oom 1000",
        "net own",
        "mnt own",
        "pid own",
        "user own",
        "read-only yes",
        "outside yes",
        "tmp . ..",
        "closed yes",
        "env A",
    ];
    Life { caller: as_user, options: strings(&options), seen }.sweep();
}
