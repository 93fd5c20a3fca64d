//! The same messages for svbox and for the socklog of the system: the same lines. What is known to be different is
//! kept out of them.

use super::*;
use proptest::prelude::*;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

/// Bytes of which many mean something to socklog.
fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let meaningful = prop::sample::select(b"<>0123456789 :a".to_vec());
    proptest::collection::vec(prop_oneof![3 => meaningful, 1 => any::<u8>()], 0..most)
}

/// A message; of a number with a chance that is worth it.
fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => short_message(), 1 => bytes(900)]
}

fn short_message() -> impl Strategy<Value = Vec<u8>> {
    let numbered = (0_u16..1010, bytes(40))
        .prop_map(|(number, text)| [format!("<{number}>").as_bytes(), &text].concat());
    prop_oneof![numbered, bytes(60)]
}

/// The messages of a stream, of less than 1000 bytes together: socklog reads 1024 at a time, and does not see a number
/// that lies across two reads.
fn stream() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let of = |message: BoxedStrategy<Vec<u8>>, most| {
        proptest::collection::vec(message.prop_filter("known", |message| is_alike(message)), 0..most)
    };
    prop_oneof![3 => of(short_message().boxed(), 15), 1 => of(message().boxed(), 2)]
}

/// Whether it is converted alike: no kernel emergency, and one line.
fn is_alike(message: &[u8]) -> bool {
    let inner = message.iter().rposition(|byte| *byte != 0).map_or(0, |last| last);
    let is_emergency =
        |len: usize| message.get(1..len).is_some_and(|digits| digits.iter().all(|digit| *digit == b'0'));
    let emergency =
        message.starts_with(b"<") && (2..=4).any(|len| message.get(len) == Some(&b'>') && is_emergency(len));
    !emergency && !message[..inner].iter().any(|byte| [0, b'\n'].contains(byte))
}

/// The lines that a program makes of messages.
fn lines(program: &Path, options: &[&str], messages: &[Vec<u8>]) -> Vec<u8> {
    let sandbox = Sandbox::new();
    let mut command = Command::new(program);
    command.arg0("socklog").current_dir(sandbox.path()).args(options).args(["unix", "log"]);
    command.env_remove("UID").env_remove("GID").stdin(Stdio::null());
    let socklog = Live::run(&sandbox, command);
    let mut expected: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    expected.push(b"the last one");
    socklog.send(&expected);
    let mut written = Vec::new();
    until("the last line", || {
        written = fs::read(sandbox.join("out")).unwrap();
        written.ends_with(b"the last one\n")
    });
    let copies = if options == ["-r"] { 2 } else { 1 };
    let is_whole = |written: &[u8]| written.ends_with(&b"the last one\n".repeat(copies));
    until("all of it", || {
        written = fs::read(sandbox.join("out")).unwrap();
        is_whole(&written)
    });
    written
}

/// The same of a connection.
fn of_stream(program: &Path, names: &[&str], input: &[u8]) -> (Option<i32>, Vec<u8>) {
    let sandbox = Sandbox::new();
    let mut command = Command::new(program);
    command.arg0("socklog").arg("ucspi").args(names).env("A", "one").env("B", "").env_remove("C");
    let output = command.stdin(fs::File::open(sandbox.write("in", input)).unwrap()).output().unwrap();
    (output.status.code(), output.stderr)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_same_lines_come_of_the_same_messages(
        options in prop::sample::select(vec![&[][..], &["-r"], &["-R"]]),
        messages in proptest::collection::vec(message().prop_filter("known", |message| is_alike(message)), 0..40),
    ) {
        if !against_runit() {
            let ours = lines(&svbox(), options, &messages);
            let theirs = lines(Path::new("/usr/sbin/socklog"), options, &messages);
            prop_assert_eq!(ours.escape_ascii().to_string(), theirs.escape_ascii().to_string());
        }
    }

    #[test]
    fn the_same_lines_come_of_the_same_stream(
        names in prop::sample::subsequence(vec!["A", "B", "C", "A"], 0..4),
        messages in stream(),
        end in prop::sample::select(vec![b"\n".as_slice(), b"\0", b"\n\n"]),
    ) {
        if !against_runit() {
            let input = messages.join(end);
            let theirs = of_stream(Path::new("/usr/sbin/socklog"), &names, &input);
            prop_assert_eq!(of_stream(&svbox(), &names, &input), theirs);
        }
    }
}
