//! What `--help` says, taken apart: the options it shows.

use super::{Sandbox, steady};
use std::collections::BTreeSet;

/// The names of all programs, in the order they are listed.
pub fn programs() -> Vec<String> {
    let listed = Sandbox::new().output("svbox", &["--list"]);
    String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What a program says with `--help`; `svbox` is one, too.
pub fn help(name: &str) -> String {
    let sandbox = Sandbox::new();
    let output = match name {
        "svbox" => sandbox.output("svbox", &["--help"]),
        _ => sandbox.output("svbox", &[name, "--help"]),
    };
    assert_eq!(output.status.code(), Some(0), "{name} --help");
    steady(&output.stdout)
}

/// The options a help text shows, each with its dashes. Letters that are joined, in the usage line, are one each.
pub fn options(help: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in help.split(|char: char| char.is_whitespace() || "[]|(),;:.".contains(char)) {
        if let Some(long) = word.strip_prefix("--") {
            let name: String =
                long.chars().take_while(|char| char.is_alphanumeric() || *char == '-').collect();
            found.extend((!name.is_empty()).then(|| format!("--{name}")));
        } else if let Some(letters) = word.strip_prefix('-') {
            found.extend(letters.chars().map(|letter| format!("-{letter}")));
        }
    }
    found
}
