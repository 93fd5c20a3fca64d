//! Command lines of all kinds: none kills chpst, and what is refused runs nothing.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Output;

/// Bytes that can be in an argument. Without a slash, behind which other files than those of the sandbox are.
fn raw() -> impl Strategy<Value = Vec<u8>> {
    let any = (1u8..=255).prop_filter("a slash", |byte| *byte != b'/');
    proptest::collection::vec(any, 0..6)
}

/// A word that looks like options of these letters.
fn options(letters: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop::sample::select(letters), 1..4)
        .prop_map(|word| [b"-", word.as_slice()].concat())
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let values: &[&[u8]] = &[
        b"",
        b"0",
        b"1",
        b"50",
        b":",
        b"::",
        b":1:2",
        b"root",
        b"env",
        b".",
        b"missing",
        b"18446744073709551615",
        b"=",
        b"-5",
        b"x",
    ];
    prop::sample::select(values.to_vec()).prop_map(<[u8]>::to_vec)
}

/// Command lines out of these letters, values and any bytes.
fn lines(letters: &'static [u8]) -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(prop_oneof![options(letters), value(), raw()], 0..6)
}

fn execute(sandbox: &Sandbox, name: &str, args: &[Vec<u8>], program: Option<&str>) -> Output {
    fs::create_dir(sandbox.join("env")).unwrap();
    executable(sandbox, &[("program", "#!/bin/sh\n: >ran")]);
    // No other program can be found.
    let mut command = sandbox.command(name);
    command.env("PATH", sandbox.join("env")).args(args.iter().map(|arg| OsString::from_vec(arg.clone())));
    command.args(program).output().unwrap()
}

const ALL: &[u8] = b"vVPFI012NuUbe/CnAlLmdopfcrtas-x\xff";
/// Without those that may kill the program that is run.
const HARMLESS: &[u8] = b"vVP012NuUbe/CnlLopfc-x\xff";

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn no_command_line_kills_it(args in lines(ALL)) {
        let sandbox = Sandbox::new();
        let output = execute(&sandbox, "chpst", &args, Some("./missing"));
        prop_assert!(matches!(output.status.code(), Some(100 | 111)), "{}", output.status);
    }

    #[test]
    fn what_is_refused_runs_nothing(args in lines(HARMLESS)) {
        let sandbox = Sandbox::new();
        let output = execute(&sandbox, "chpst", &args, Some("./program"));
        let ran = sandbox.join("ran").exists();
        prop_assert!(output.status.code().is_some(), "{}", output.status);
        if matches!(output.status.code(), Some(100 | 111)) {
            prop_assert!(!ran);
        }
        if output.status.code() == Some(100) {
            let usage = usage("chpst");
            prop_assert!(output.stderr.ends_with(usage.as_bytes()), "{}", output.stderr.escape_ascii());
        }
    }

    #[test]
    fn no_command_line_kills_a_personality(
        name in prop::sample::select(PERSONALITIES.to_vec()),
        args in lines(b"nNxXacdflmoprst-z\xff"),
    ) {
        let sandbox = Sandbox::new();
        let output = execute(&sandbox, name, &args, Some("./missing"));
        prop_assert!(matches!(output.status.code(), Some(0 | 100 | 111)), "{}", output.status);
    }
}
