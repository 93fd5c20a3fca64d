//! The order of the floors: imports point to the right only, and unsafe code stays below.

use std::fs;
use std::path::{Path, PathBuf};

/// From left to right. A floor may know those behind it.
const FLOORS: [&str; 10] =
    ["supervisor", "service", "log", "cli", "report", "account", "utmp", "tai", "text", "sys"];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The floor a file below `src/` lies on; `None` for the crate's own two files.
fn floor(file: &Path) -> Option<usize> {
    let first = file.strip_prefix(project("src")).unwrap().components().next().unwrap();
    let name = Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
    match name.as_str() {
        "lib" | "main" => None,
        _ => Some(FLOORS.iter().position(|floor| *floor == name).expect("a file on a known floor")),
    }
}

/// The names behind `crate::`, comments left out.
fn imports(text: &str) -> Vec<&str> {
    let code = text.lines().map(|line| line.split("//").next().unwrap());
    let names = code.flat_map(|line| line.split("crate::").skip(1));
    names
        .map(|rest| rest.split(|char: char| !char.is_alphanumeric() && char != '_').next().unwrap())
        .collect()
}

#[test]
fn imports_point_to_the_right_only() {
    for file in sources(&project("src")) {
        let Some(own) = floor(&file) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        for name in imports(&text) {
            let Some(other) = FLOORS.iter().position(|floor| *floor == name) else {
                assert_eq!(FLOORS[own], "sys", "{}: crate::{name} is on no floor", file.display());
                continue;
            };
            assert!(other >= own, "{} uses crate::{name}, which lies to its left", file.display());
        }
    }
}

#[test]
fn the_library_knows_no_program() {
    for file in sources(&project("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let knows =
            text.contains("applets") && !file.ends_with("src/main.rs") && !file.ends_with("src/lib.rs");
        assert!(!knows, "{} mentions the programs", file.display());
    }
}

#[test]
fn unsafe_code_is_on_the_lowest_floor_only() {
    let above = sources(&project("src")).into_iter().chain(sources(&project("applets")));
    for file in above.filter(|file| !file.starts_with(project("src/sys"))) {
        let text = fs::read_to_string(&file).unwrap();
        let code: String = text.lines().map(|line| line.split("//").next().unwrap()).collect();
        assert!(!code.contains("unsafe"), "{} has unsafe code", file.display());
    }
}
