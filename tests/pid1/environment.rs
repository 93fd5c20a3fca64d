//! The environment: what services and the command get of it, and how it is kept.

use super::*;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

/// The variables of a process that wrote down its `/proc/self/environ`, but for those that a shell changes.
fn variables(environ: &[u8]) -> BTreeSet<String> {
    let own = |variable: &&[u8]| !variable.is_empty() && !variable.starts_with(b"PWD=");
    environ.split(|byte| *byte == 0).filter(own).map(|bytes| bytes.escape_ascii().to_string()).collect()
}

/// A script that writes down the environment it was given.
const WRITE: &str = "cat /proc/$$/environ >/out/environ.new; mv /out/environ.new /out/environ";

fn environ(sandbox: &Sandbox, file: &str) -> BTreeSet<String> {
    until("an environment", || sandbox.join(file).exists());
    variables(&fs::read(sandbox.join(file)).unwrap())
}

/// What process 1 was given.
fn given(container: &Contained<'_>) -> BTreeSet<String> {
    variables(&fs::read(format!("/proc/{}/environ", container.started())).unwrap())
}

/// Variables that a directory can hold.
const VARIABLES: [&[u8]; 9] = [
    b"PLAIN=value",
    b"EMPTY=",
    b"LINES=a\nb\n\nc",
    b"ENDS=a\n",
    b"SPACES= \ta  b",
    b"odd-name.x=1",
    b"a b\t*?\"'$=2",
    b"b\xff\x80=\xfe\n\xff",
    b"EQUAL=a=b=c",
];

fn with_variables(mut container: Container<'_>) -> Container<'_> {
    for variable in VARIABLES {
        container = container.variable(std::ffi::OsStr::from_bytes(variable));
    }
    container
}

#[test]
fn services_get_the_whole_environment() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(&format!("{WRITE}; exec sleep 1000000"));
    let container = with_variables(Container::new(&sandbox)).start(&[]);
    let got = environ(&sandbox, "out/environ");
    assert_eq!(got, given(&container));
    for variable in VARIABLES {
        assert!(got.contains(&variable.escape_ascii().to_string()), "{}", variable.escape_ascii());
    }
}

#[test]
fn chpst_reads_the_environment_back_as_it_was() {
    if only_svbox("containers") {
        return;
    }
    for dir in ["/service/.svbox", "/run/svbox", "/out/state"] {
        let sandbox = Sandbox::new();
        sandbox.service("service/one").run(FOREVER);
        let container = with_variables(Container::new(&sandbox)).read_only(dir == "/run/svbox");
        let args = match dir {
            "/service/.svbox" => &["-d", "/service"][..],
            "/out/state" => &["-d", "/out/state"],
            _ => &[],
        };
        let container = container.start(args);
        until("a service", || !named(&container, "sleep").is_empty());
        let env = format!("{dir}/env");
        let output = container.run(&["env", "-i", "/program/chpst", "-e", &env, "cat", "/proc/self/environ"]);
        assert_eq!(variables(&output.stdout), given(&container), "{dir}: {output:?}");
    }
}

#[test]
fn a_variable_whose_name_no_file_can_have_is_not_kept_and_reaches_services() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(&format!("{WRITE}; exec sleep 1000000"));
    let long = format!("{}=long", "x".repeat(300));
    let mut container = Container::new(&sandbox).read_only(true);
    let odd = ["a/b=1", "../../out/outside=2", "/out/absolute=3", ".=4", "..=5", ".hidden=6", &long];
    for variable in odd {
        container = container.variable(variable);
    }
    let mut container = container.variable("LAST=kept").start(&[]);
    let got = environ(&sandbox, "out/environ");
    for variable in odd {
        assert!(got.contains(variable), "{variable}");
    }
    assert_eq!(sandbox.read("run/svbox/env/LAST").trim_end(), "kept");
    for file in ["outside", "absolute"] {
        assert!(!sandbox.join("out").join(file).exists());
    }
    let output =
        container.run(&["env", "-i", "/program/chpst", "-e", "/run/svbox/env", "cat", "/proc/self/environ"]);
    let mut expected = given(&container);
    expected.retain(|variable| !odd.contains(&variable.as_str()));
    assert_eq!(variables(&output.stdout), expected, "{output:?}");
    assert!(container.lives());
}

/// A program whose process has a variable twice; what it is given it hands on to pid1.
const TWICE: &str = r#"
import ctypes, os, sys
def words(*all): return (ctypes.c_char_p * (len(all) + 1))(*all)
given = [name + b"=" + value for name, value in os.environb.items()]
ctypes.CDLL(None).execve(b"/program/pid1", words(b"pid1", *map(os.fsencode, sys.argv[1:])),
    words(*given, b"TWICE=first", b"TWICE=second", b"LAST=kept"))
"#;

#[test]
fn of_a_variable_that_is_there_twice_the_first_is_kept_and_so_are_those_behind() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let container = Container::new(&sandbox).program(&["/usr/bin/python3", "-c", TWICE]);
    let mut container = container.start(&["-d", "/service"]);
    up(&sandbox, "service/one");
    let kept = ["TWICE", "LAST"].map(|name| sandbox.read(format!("service/.svbox/env/{name}")));
    assert_eq!(kept, ["first\n", "kept\n"]);
    container.signal(15);
    ends(&mut container, 0, "pid1: stopped: signal 15");
    assert_eq!(container.stderr(), "pid1: stopped: signal 15\n");
}

#[test]
fn with_e_services_have_path_alone_and_the_command_has_everything() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = WRITE.replace("environ", "service").replace("$$/service", "$$/environ");
    sandbox.service("service/one").run(&format!("{run}; exec sleep 1000000"));
    let run = WRITE.replace("environ", "logger").replace("$$/logger", "$$/environ");
    sandbox.service("service/one").script("log/run", &format!("{run}; exec cat"));
    let command = format!("{WRITE}; exec sleep 1000000");
    let container = with_variables(Container::new(&sandbox)).start(&["-E", "sh", "-c", &command]);
    let path = BTreeSet::from(["PATH=/program:/usr/bin:/bin".to_owned()]);
    assert_eq!(environ(&sandbox, "out/service"), path);
    assert_eq!(environ(&sandbox, "out/logger"), path);
    assert_eq!(environ(&sandbox, "out/environ"), given(&container));
    assert!(given(&container).len() > VARIABLES.len());
    // What is kept is what the manager has given.
    let output =
        container.run(&["env", "-i", "/program/chpst", "-e", "/run/svbox/env", "cat", "/proc/self/environ"]);
    assert_eq!(variables(&output.stdout), given(&container));
}

#[test]
fn services_have_the_signal_mask_that_pid1_was_given() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    // A shell would unblock everything.
    let look = "#!/usr/bin/perl\nopen my $status, '<', '/proc/self/status'; open my $out, '>', '/out/mask';
        print $out grep { /^SigBlk/ } <$status>; close $out; sleep 1000000 while 1\n";
    sandbox.write("service/one/run", look);
    fs::set_permissions(sandbox.join("service/one/run"), fs::Permissions::from_mode(0o755)).unwrap();
    let program = ["/usr/bin/env", "--block-signal=USR1", "/program/pid1"];
    let _container = Container::new(&sandbox).program(&program).start(&[]);
    until_lines(&sandbox, "out/mask", 1);
    assert_eq!(sandbox.read("out/mask"), "SigBlk:\t0000000000000200\n");
}

#[test]
fn a_large_environment_is_kept_too() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let mut container = Container::new(&sandbox);
    for number in 0..500 {
        container = container.variable(format!("V{number}={}", "v".repeat(number * 4)));
    }
    let container = container.variable(format!("LARGE={}", "l\n".repeat(50_000))).start(&["-d", "/service"]);
    up(&sandbox, "service/one");
    let env = "/service/.svbox/env";
    let output = container.run(&["env", "-i", "/program/chpst", "-e", env, "cat", "/proc/self/environ"]);
    let got = variables(&output.stdout);
    assert!(got == given(&container), "{} of {} variables", got.len(), given(&container).len());
}

#[test]
fn a_secret_in_the_environment_is_for_the_owner_only() {
    if only_svbox("containers") {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.service("service/one").run(FOREVER);
    let _container = Container::new(&sandbox).variable("SECRET=x").start(&["-d", "/service"]);
    up(&sandbox, "service/one");
    let mode = |path: &str| fs::metadata(sandbox.join(path)).unwrap().permissions().mode() & 0o077;
    let open = [".svbox", ".svbox/env", ".svbox/env/SECRET"].map(|path| mode(&format!("service/{path}")));
    assert!(open.contains(&0), "{open:?}");
}
