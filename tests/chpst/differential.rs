//! The same command lines for svbox and for Debian's chpst: the same exit code, messages, and state of the program.
//! What is known to be different is kept out; so is a link to nothing in an environment directory, for which runit
//! takes the text of the file that it has read before.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

/// Prints the state in which it is, without what depends on the moment.
const STATE: &str = r#"echo "args $0 $*"
echo "umask $(umask), nice $(nice), in $(pwd -P | sed 's,.*/svbox-test[^/]*,SANDBOX,')"
env | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_= -e SANDBOX | sort
grep -E '^(Uid|Gid|Groups|Sig(Blk|Ign)|Cap...|NoNewPrivs)' /proc/self/status
cat /proc/self/limits
set -- $(sed 's/.*) //' /proc/$$/stat)
test $3 = $$ && echo "leads its group"
test $4 = $$ && echo "leads its session"
for fd in 0 1 2 3 4 5; do
    test -e /proc/$$/fd/$fd && echo "$fd $(readlink /proc/$$/fd/$fd | sed 's/[0-9]*\]$//; s,.*/,,')"
done
tr '\0' ' ' </proc/$$/cmdline
"#;

#[derive(Debug, PartialEq)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    /// What the program wrote, if it was run.
    state: String,
    /// Everything in the sandbox, with modes and owners.
    files: String,
}

fn outcome(chpst: &Path, args: &[String]) -> Outcome {
    let sandbox = Sandbox::new();
    // Other users write there, too.
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o777)).unwrap();
    sandbox.write("env/A", "a \n");
    sandbox.write("env/GONE", "");
    sandbox.write("env/UID", "7");
    sandbox.write("env/.B", "b");
    sandbox.write("sub/B", "b\0c");
    sandbox.write("sub/dir/C", "c");
    sandbox.write("locked", "x");
    sandbox.write("state", STATE);
    let mut command = Command::new(chpst);
    command.arg0("chpst").args(args).current_dir(sandbox.path());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("GONE", "g").env("KEPT", "k");
    command.stdin(std::process::Stdio::null());
    let (code, stdout, stderr) = told(&mut command);
    let files = "find . -mindepth 1 -printf '%p %M %U %G %s\n' | grep -v -e ./result | sort";
    let files = printed(run(&sandbox, "sh", &["-c", files]));
    Outcome { code, stdout, stderr: unlike(&stderr), state: sandbox.read("result"), files }
}

/// Without what is known to be different: the line of the version, the options in the usage.
fn unlike(stderr: &str) -> String {
    let line = |line: &str| match line {
        _ if line.starts_with("$Id") || line.starts_with("svbox chpst ") => "VERSION".into(),
        _ if line.starts_with("usage: chpst [") => "USAGE".into(),
        _ => line.to_owned(),
    };
    stderr.lines().map(|text| line(text) + "\n").collect()
}

/// A value of one of these.
fn one(values: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(values).prop_map(str::to_owned).boxed()
}

/// Limits below the hard one, and what is no number. Values of 2^63 and more are different.
fn number(values: &'static [&'static str]) -> BoxedStrategy<String> {
    prop_oneof![8 => one(values), 1 => one(&["x", "5x", "-1", "+5", " 5", "=", "0x5"])].boxed()
}

/// An option with its value, in one word or in two.
fn option() -> impl Strategy<Value = Vec<String>> {
    // Without numbers that are missing, do not fit, or have no colon in front, and names that are in no file.
    let user = || {
        let good = one(&[
            "root",
            "daemon",
            "bin:daemon",
            "daemon:bin:daemon",
            ":5:6",
            ":5:6:7:8",
            ":0:0",
            ":4294967294:5",
        ]);
        let bad = one(&[
            "",
            "missing",
            "daemon:",
            "daemon:missing",
            ":",
            ":5",
            ":5x:6",
            ":5:6x",
            ":-1:5",
            ":root:5",
            "::x",
        ]);
        prop_oneof![3 => good, 1 => bad].boxed()
    };
    let large = || number(&["200000000", "300000000", "1000000000", "0200000000"]);
    let with_value = prop_oneof![
        2 => (Just('u'), user()),
        2 => (Just('U'), user()),
        2 => (Just('e'), one(&["env", "sub", "env/", "missing", "locked", ""])),
        1 => (Just('/'), one(&[".", "missing", "locked", ""])),
        1 => (Just('b'), one(&["other", "", "-x", "a b"])),
        1 => (Just('n'), one(&["0", "3", "+2", "-4", "100", "", "-", "+", "x", "1x", "--1"])),
        2 => (prop_oneof![Just('l'), Just('L')], one(&["lock", "locked", "missing/lock", "env", ""])),
        1 => (Just('m'), large()),
        1 => (Just('d'), large()),
        1 => (Just('o'), number(&["40", "50", "64"])),
        1 => (Just('p'), number(&["1000", "2000"])),
        1 => (Just('f'), number(&["1000000", "2000000"])),
        1 => (Just('c'), number(&["0", "", "1000000"])),
        1 => (Just('r'), number(&["0", "", "1000000"])),
        1 => (Just('t'), number(&["100", "200"])),
    ];
    let flags = one(&["-v", "-P", "-vP", "-0", "-1", "-2", "-01", "-20", "-V", "-x", "-vx", "-"]);
    let flags = prop_oneof![6 => one(&["-v", "-P", "-vP", "-0", "-1", "-2", "-01", "-20"]), 1 => flags];
    let valued = (with_value, 0..3).prop_map(|((letter, value), form)| match form {
        // An empty value is a word of its own.
        0 if !value.is_empty() => vec![format!("-{letter}{value}")],
        1 if !value.is_empty() => vec![format!("-v{letter}{value}")],
        _ => vec![format!("-{letter}"), value],
    });
    prop_oneof![3 => valued, 1 => flags.prop_map(|flag| vec![flag])]
}

fn program() -> impl Strategy<Value = Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    prop_oneof![
        12 => Just(words(&["sh", "-c", "exec >result 2>&1; . ./state", "name", "-x", "a  b"])),
        1 => Just(words(&["--", "sh", "-c", "exec >result 2>&1; . ./state"])),
        1 => Just(words(&["sh", "-c", "echo out; echo err >&2; exit 9"])),
        1 => Just(words(&["missing"])),
        1 => Just(words(&["./env"])),
        1 => Just(words(&["./locked"])),
        1 => Just(words(&[])),
    ]
}

/// Whether this is a case in which svbox is different, on purpose.
fn differs(args: &[String]) -> bool {
    let has = |letter: char| args.iter().any(|arg| arg.starts_with('-') && arg.contains(letter));
    let is = |names: &[&str]| args.iter().any(|arg| names.contains(&arg.as_str()));
    // In a root without anything.
    let bare = has('/') && (is(&["."]) || args.iter().any(|arg| arg.ends_with("/.")));
    let cannot_run = bare || is(&["missing", "./env", "./locked", "-"]);
    // Which name is shown, and whether it is shown without standard error.
    let named = cannot_run && (has('b') || has('2'));
    // Names are looked up outside, too.
    let looked_up = bare && (has('u') || has('U'));
    // -m is often more than may be locked.
    let lowered = has('v') && has('m');
    named || looked_up || lowered
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 110,
        max_shrink_iters: 100,
        rng_seed: RngSeed::Fixed(26),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_same_becomes_of_a_few_options(
        options in proptest::collection::vec(option(), 0..3),
        program in program(),
    ) {
        compare(options, program)?;
    }

    #[test]
    fn the_same_becomes_of_many_options(
        options in proptest::collection::vec(option(), 3..8),
        program in program(),
    ) {
        compare(options, program)?;
    }
}

fn compare(options: Vec<Vec<String>>, program: Vec<String>) -> Result<(), TestCaseError> {
    if against_runit() {
        return Ok(());
    }
    let args: Vec<String> = options.into_iter().flatten().chain(program).collect();
    prop_assume!(!differs(&args));
    prop_assert_eq!(outcome(&svbox(), &args), outcome(Path::new("/usr/bin/chpst"), &args), "{:?}", args);
    Ok(())
}
