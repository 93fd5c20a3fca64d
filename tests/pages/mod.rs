//! The manual pages: each program has one, which names the options and exit codes that the program has.

mod lint;
mod page;
mod service;

use crate::kit::help::{help, options, programs};
use crate::kit::*;
use page::{Page, all, numbers};
use std::collections::BTreeSet;

/// Sections that every page of a program has.
const NEEDED: [&str; 6] = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "SEE ALSO"];
/// How every page begins.
const FIRST: [&str; 4] = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"];
/// How it ends. What is its own stands between the two.
const LAST: [&str; 7] =
    ["ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS", "DIFFERENCES FROM RUNIT", "SEE ALSO"];
/// Pages that are not about a program.
const OTHERS: [&str; 1] = ["svbox-service"];
/// What every program has.
const COMMON: [&str; 2] = ["--help", "--version"];
/// Programs that show the usage and not which option is wrong.
const SILENT: [&str; 3] = ["runsvdir", "runit-init", "pid1"];

fn named(name: &str) -> Page {
    let found = all().into_iter().find(|page| page.name == name);
    found.unwrap_or_else(|| panic!("there is no page for {name}"))
}

/// The page that is read for a name: its own, or the one that it leads to.
fn read_for(name: &str) -> Page {
    let page = named(name);
    match page.alias_of().map(str::to_owned) {
        Some(place) => {
            let mut pages = all().into_iter();
            pages.find(|page| page.place() == place).unwrap_or_else(|| panic!("{name} leads to no page"))
        }
        None => page,
    }
}

/// Pages of programs, those left out that only lead to another one.
fn of_programs() -> impl Iterator<Item = Page> {
    all().into_iter().filter(|page| page.alias_of().is_none() && !OTHERS.contains(&page.name.as_str()))
}

fn without_common(mut options: BTreeSet<String>) -> BTreeSet<String> {
    options.retain(|option| !COMMON.contains(&option.as_str()));
    options
}

#[test]
fn each_program_has_a_page_and_each_page_a_program() {
    let mut wanted = programs();
    wanted.push("svbox".into());
    wanted.extend(OTHERS.map(str::to_owned));
    let names: BTreeSet<_> = all().into_iter().map(|page| page.name).collect();
    assert_eq!(names, wanted.into_iter().collect());
}

#[test]
fn a_page_is_called_what_its_file_is_and_names_what_leads_to_it() {
    let pages = all();
    for page in pages.iter().filter(|page| page.alias_of().is_none()) {
        let title = format!(".Dt {} {}", page.name.to_uppercase(), page.volume);
        assert_eq!(page.lines().nth(1), Some(title.as_str()), "{}", page.name);
        let lines = page.section("NAME").into_iter();
        let names: BTreeSet<_> =
            lines.filter_map(|line| Some(line.strip_prefix(".Nm ")?.trim_end_matches(" ,"))).collect();
        let place = page.place();
        let aliases = pages.iter().filter(|other| other.alias_of() == Some(place.as_str()));
        let wanted = aliases.map(|other| other.name.as_str()).chain([page.name.as_str()]).collect();
        assert_eq!(names, wanted, "{place}");
    }
}

#[test]
fn a_page_has_each_option_that_help_shows_and_no_other() {
    for page in of_programs() {
        let shown = without_common(options(&help(&page.name)));
        assert_eq!(
            without_common(page.items("OPTIONS")),
            shown,
            "left: the page of {0}, right: {0} --help",
            page.name
        );
    }
    for alias in all().into_iter().filter(|page| page.alias_of().is_some()) {
        let (shown, has) = (options(&help(&alias.name)), read_for(&alias.name).items("OPTIONS"));
        assert!(shown.is_subset(&has), "{}: {shown:?} of {has:?}", alias.name);
    }
}

#[test]
fn a_page_has_help_and_version_and_a_synopsis_with_its_own_options_only() {
    for page in of_programs() {
        let items = page.items("OPTIONS");
        for option in COMMON {
            assert!(items.contains(option), "{} is not in {}", option, page.name);
        }
        let shown = page.options("SYNOPSIS");
        assert!(shown.is_subset(&items), "{}: {shown:?} of {items:?}", page.name);
    }
}

#[test]
fn each_page_has_its_sections_in_the_one_order() {
    let place = |titles: &[&str], title: &str| titles.iter().position(|one| *one == title);
    for page in of_programs() {
        let sections = page.sections();
        assert!(sections.starts_with(&FIRST), "{}: {sections:?}", page.name);
        for title in NEEDED {
            assert!(!page.section(title).is_empty(), "{} has no {title}", page.name);
        }
        let own = sections.iter().skip(FIRST.len()).position(|title| place(&LAST, title).is_some()).unwrap();
        let last: Vec<_> = sections.iter().skip(FIRST.len() + own).map(|title| place(&LAST, title)).collect();
        assert!(last.iter().all(Option::is_some) && last.is_sorted(), "{}: {sections:?}", page.name);
    }
}

#[test]
fn a_page_leads_to_pages_that_are_there() {
    let pages = all();
    for page in &pages {
        for line in page.lines() {
            let Some(reference) = line.strip_prefix(".Xr ").or_else(|| line.strip_prefix(".It Xr ")) else {
                continue;
            };
            let mut words = reference.split_whitespace();
            let (name, volume) = (words.next().unwrap(), words.next().unwrap());
            let ours = pages.iter().find(|other| other.name == name);
            // System calls have names of programs.
            assert!(volume == "2" || ours.is_none_or(|ours| ours.volume == volume), "{}: {line}", page.name);
        }
    }
}

/// The rows of the table of programs.
fn table() -> Vec<(String, Vec<i32>)> {
    let page = named("svbox");
    let rows = page.section("PROGRAMS").into_iter().filter_map(|line| line.strip_prefix(".It Xr "));
    rows.map(|row| (row.split(' ').next().unwrap().to_owned(), numbers(row.rsplit(" Ta ").next().unwrap())))
        .collect()
}

#[test]
fn the_table_of_programs_has_each_with_the_exit_codes_of_its_page() {
    let rows = table();
    let names: BTreeSet<_> = rows.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, programs().into_iter().collect());
    for (name, codes) in rows {
        let has = read_for(&name).exit_codes();
        assert!(
            !codes.is_empty() && codes.iter().all(|code| has.contains(code)),
            "{name}: {codes:?} of {has:?}"
        );
    }
}

#[test]
fn what_a_wrong_command_line_exits_with_is_in_the_page() {
    let sandbox = Sandbox::new();
    for name in programs() {
        let mut command = sandbox.command("svbox");
        // Those that take no options look for something of that name.
        let output =
            command.args([&name, "--no-such-option"]).env("RUNSVDIR", sandbox.path()).output().unwrap();
        let (code, has) = (output.status.code().unwrap(), read_for(&name).exit_codes());
        assert!(has.contains(&code), "{name}: {code} of {has:?}");
    }
}

/// What a program says to a word of options that ends with one that nobody has: nothing comes of the ones before.
fn complaint(sandbox: &Sandbox, name: &str, options: &[&str]) -> String {
    let output = sandbox.command("svbox").arg(name).args(options).output().unwrap();
    String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn help_shows_all_options_that_a_program_takes() {
    let sandbox = Sandbox::new();
    for name in programs().into_iter().filter(|name| !SILENT.contains(&name.as_str())) {
        let shown = options(&help(&name));
        if shown.is_empty() {
            continue;
        }
        for letter in ('0'..='9').chain('A'..='Z').chain('a'..='z').chain(['/']) {
            let refused = complaint(&sandbox, &name, &[&format!("-{letter}?")])
                == format!("{name}: illegal option -- {letter}");
            assert_eq!(!refused, shown.contains(&format!("-{letter}")), "{name} -{letter}");
        }
        for long in shown.iter().filter_map(|option| option.strip_prefix("--")) {
            let said = complaint(&sandbox, &name, &[&format!("--{long}"), "-?"]);
            assert_ne!(said, format!("{name}: illegal option -- {long}"));
        }
    }
}
