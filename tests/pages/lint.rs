//! What programs that print manual pages have to say about them, where they are installed.

use super::page::all;
use crate::kit::*;
use std::process::Command;

/// What a program says about each page that is installed.
fn assert_silent(program: &str, args: &[&str]) {
    let sandbox = Sandbox::new();
    let dir = installed(&sandbox).join("usr/share/man");
    for page in all().into_iter().filter(|page| page.alias_of().is_none()) {
        let output = Command::new(program).args(args).arg(page.place()).current_dir(&dir).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn mandoc_has_no_warning_for_a_page() {
    assert_silent("mandoc", &["-T", "lint", "-W", "warning"]);
}

#[test]
fn groff_has_no_warning_for_a_page() {
    assert_silent("groff", &["-mandoc", "-ww", "-z"]);
}

#[test]
fn a_page_by_another_name_shows_the_page_it_leads_to() {
    let sandbox = Sandbox::new();
    let dir = installed(&sandbox).join("usr/share/man");
    // The place of an alias' page is relative to this directory.
    let shown = |place: &str| {
        Command::new("mandoc").args(["-T", "ascii", place]).current_dir(&dir).output().unwrap().stdout
    };
    for page in all() {
        if let Some(place) = page.alias_of() {
            assert!(
                shown(&page.place()).len() > 100 && shown(&page.place()) == shown(place),
                "{}",
                page.name
            );
        }
    }
}
