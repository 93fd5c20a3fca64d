//! The same input and configuration for svbox and for runit's svlogd: the same files, names up to the label, modes,
//! bytes, messages and exit codes. What is known to be different is kept out of the input, or put right.

use crate::kit::*;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The name without what depends on the time, the mode, the bytes.
type Entry = (String, u32, Vec<u8>);

#[derive(Debug, PartialEq)]
struct Outcome {
    code: Option<i32>,
    dirs: Vec<Vec<Entry>>,
    /// Lines of standard error, sorted: we write for one directory what runit writes line by line.
    said: Vec<String>,
}

fn entries(dir: &Path) -> Vec<Entry> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let entry = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let name = if name.starts_with('@') { format!("@{}", &name[25..]) } else { name.to_owned() };
        (name, fs::metadata(path).unwrap().permissions().mode(), fs::read(path).unwrap())
    };
    paths.iter().map(|path| entry(path)).collect()
}

fn without_labels(line: &str) -> String {
    match line.split_once('@') {
        Some((before, after)) => format!("{before}@{}", after.get(24..).unwrap_or(after)),
        None => line.to_owned(),
    }
}

fn run(program: &Path, args: &[String], configs: &[Option<Vec<u8>>], input: &[u8]) -> Outcome {
    let sandbox = Sandbox::in_memory();
    let names: Vec<String> = (0..configs.len()).map(|number| format!("d{number}")).collect();
    for (name, config) in names.iter().zip(configs) {
        fs::create_dir(sandbox.join(name)).unwrap();
        if let Some(config) = config {
            sandbox.write(format!("{name}/config"), config);
        }
    }
    let mut command = Command::new(program);
    command.arg0("svlogd").args(args).args(&names).current_dir(sandbox.path());
    command.stdin(fs::File::open(sandbox.write("input", input)).unwrap()).stdout(Stdio::null());
    // A pipe would be full at times, and messages dropped.
    command.stderr(fs::File::create(sandbox.join("said")).unwrap());
    let output = command.output().unwrap();
    let mut said: Vec<String> = sandbox.read("said").lines().map(without_labels).collect();
    said.sort();
    let dirs = names.iter().map(|name| entries(&sandbox.join(name))).collect();
    Outcome { code: output.status.code(), dirs, said }
}

use std::os::unix::process::CommandExt;

fn compare(args: &[String], configs: &[Option<Vec<u8>>], input: &[u8]) -> Result<(), TestCaseError> {
    let ours = run(&svbox(), args, configs, input);
    let theirs = run(Path::new("/usr/bin/svlogd"), args, configs, input);
    prop_assert_eq!(ours, theirs);
    Ok(())
}

fn bytes_of(set: &'static [u8], most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop::sample::select(set), 0..most)
}

/// Lines of any length, all of them with a newline: a last one without is another matter.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![bytes_of(b"abx", 9), bytes_of(b"abx \0\xff", 90)];
    proptest::collection::vec(line, 0..40)
        .prop_map(|lines| lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect())
}

/// A pattern, in which no `+` is: runit lets what follows one go, reads behind it, and looks at old bytes.
fn pattern() -> impl Strategy<Value = Vec<u8>> {
    (prop::sample::select(b"+-eE".as_slice()), bytes_of(b"ab*x ", 6))
        .prop_map(|(letter, rest)| [&[letter], rest.as_slice(), b"\n"].concat())
}

fn config() -> impl Strategy<Value = Option<Vec<u8>>> {
    let size = prop::option::of(prop::sample::select(vec![0, 1, 5, 10, 20, 33, 64, 100, 1000]));
    let keep = prop::option::of(prop::sample::select(vec![0, 2, 5, 20]));
    let rest = (any::<bool>(), proptest::collection::vec(pattern(), 0..4));
    let text = (size, keep, rest).prop_map(|(size, keep, (prefix, patterns))| {
        let mut text = Vec::new();
        text.extend(size.map(|size| format!("s{size}\n")).unwrap_or_default().into_bytes());
        text.extend(keep.map(|keep| format!("n{keep}\n")).unwrap_or_default().into_bytes());
        text.extend(if prefix { b"pPRE: \n".as_slice() } else { b"" });
        text.extend(patterns.concat());
        text
    });
    prop::option::weighted(0.9, text)
}

fn options() -> impl Strategy<Value = Vec<String>> {
    let len = prop::option::of((prop::sample::select(vec![5, 10, 20, 50]), 1..200));
    (len, any::<bool>(), any::<bool>()).prop_map(|(len, verbose, dots)| {
        let mut args = Vec::new();
        if let Some((len, more)) = len {
            args.extend(["-l".to_owned(), len.to_string(), format!("-b{}", len + more)]);
        }
        args.extend(verbose.then(|| "-v".to_owned()));
        // Beyond `len` runit leaves bytes as they are.
        args.extend((dots && len.is_none()).then(|| "-r.".to_owned()));
        args
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_same_files_come_of_the_same_input(
        args in options(),
        configs in proptest::collection::vec(config(), 1..4),
        input in input(),
    ) {
        if !against_runit() {
            compare(&args, &configs, &input)?;
        }
    }

    /// Each pattern is held against up to twenty lines.
    #[test]
    fn the_same_lines_are_selected(
        letter in prop::sample::select(b"+-".as_slice()),
        pattern in bytes_of(b"ab*x", 7),
        lines in proptest::collection::vec(bytes_of(b"abx*", 8), 1..20),
    ) {
        if !against_runit() {
            let config = [b"-*\n".as_slice(), if letter == b'-' { b"+*\n-" } else { b"+" }, &pattern, b"\n"].concat();
            compare(&[], &[Some(config)], &[lines.join(b"\n".as_slice()), b"\n".to_vec()].concat())?;
        }
    }

    /// Patterns with `+`, and in front of each line one without any byte of it: nothing old can be looked at.
    #[test]
    fn the_same_lines_are_selected_where_a_run_is_not_the_end(
        before in bytes_of(b"abx*", 3),
        after in bytes_of(b"abx", 3),
        byte in prop::sample::select(b"abx".as_slice()),
        lines in proptest::collection::vec(bytes_of(b"abx", 8), 1..20),
    ) {
        if !against_runit() {
            let pattern = [&before, b"+".as_slice(), &[byte], &after, b".\n"].concat();
            let lines: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b".\n"].concat()).collect();
            compare(&[], &[Some([b"-*\n+", pattern.as_slice()].concat())], &lines)?;
        }
    }
}

#[test]
fn processors_have_the_same_world() {
    if against_runit() {
        return;
    }
    // Only what does not change while the shell is at work.
    let look = "!for fd in 0 1 4 5; do readlink /proc/$$/fd/$fd | sed 's,.*/,,; s/@[0-9a-f]*/@/'; done; \
        pwd | sed 's,.*/,,'; echo $0 $#; grep -E 'SigIgn|SigBlk' /proc/self/status; \
        cat; cat <&4; echo more >&5\n";
    let config = [b"s30\nn5\n".as_slice(), look.as_bytes()].concat();
    let input = b"1234567890\n2234567890\n3234567890\n4234567890\n5234567890\n";
    compare(&["-l10".to_owned()], &[Some(config)], input).unwrap();
}

#[test]
fn a_directory_goes_from_the_one_to_the_other() {
    if against_runit() {
        return;
    }
    for programs in [[svbox(), "/usr/bin/svlogd".into()], ["/usr/bin/svlogd".into(), svbox()]] {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.join("d")).unwrap();
        sandbox.write("d/config", "s40\nn0\n!cat; n=0; read n <&4; echo $((n+1)) >&5\n");
        let mut all = String::new();
        for turn in 0..8 {
            let text: String = (0..6).map(|line| format!("turn {turn} line {line}\n")).collect();
            all.push_str(&text);
            let mut command = Command::new(&programs[turn % 2]);
            command.arg0("svlogd").args(["-l", "10", "d"]).current_dir(sandbox.path());
            command.stdin(fs::File::open(sandbox.write("input", text)).unwrap());
            assert!(command.status().unwrap().success());
        }
        let logs = entries(&sandbox.join("d"));
        let text: Vec<u8> = logs
            .iter()
            .filter(|(name, ..)| name == "@.s" || name == "current")
            .flat_map(|(_, _, bytes)| bytes.clone())
            .collect();
        assert_eq!(String::from_utf8(text).unwrap(), all);
        let finished = logs.iter().filter(|(name, ..)| name == "@.s").count();
        assert_eq!(sandbox.read("d/state").trim(), finished.to_string());
    }
}
