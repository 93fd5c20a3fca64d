//! A manual page as its source has it: as much of mdoc as the pages use.

use crate::kit::project;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A manual page.
pub struct Page {
    /// Its name, without the section.
    pub name: String,
    /// The number of the section of the manual.
    pub volume: String,
    text: String,
}

/// The manual pages of the project.
pub fn all() -> Vec<Page> {
    let mut paths = Vec::new();
    collect(&project().join("applets"), &mut paths);
    paths.sort();
    paths.iter().map(|path| Page::read(path)).collect()
}

fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let is_page = path.extension().is_some_and(|volume| ["1", "7", "8"].iter().any(|one| volume == *one));
        if path.is_dir() {
            collect(&path, found);
        } else if is_page {
            found.push(path);
        }
    }
}

impl Page {
    fn read(path: &Path) -> Self {
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap().to_str().unwrap().to_owned();
        Self {
            name: part(path.file_stem()),
            volume: part(path.extension()),
            text: fs::read_to_string(path).unwrap(),
        }
    }

    /// Its path below the directory of manuals.
    pub fn place(&self) -> String {
        format!("man{0}/{1}.{0}", self.volume, self.name)
    }

    /// The place of the page that this one only leads to.
    pub fn alias_of(&self) -> Option<&str> {
        self.text.strip_prefix(".so ").map(str::trim_end)
    }

    /// Its lines.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// The titles of its sections.
    pub fn sections(&self) -> Vec<&str> {
        self.lines().filter_map(|line| line.strip_prefix(".Sh ")).collect()
    }

    /// The lines of a section; none if it has no such section.
    pub fn section(&self, title: &str) -> Vec<&str> {
        let heading = format!(".Sh {title}");
        let inside = self.lines().skip_while(|line| *line != heading).skip(1);
        inside.take_while(|line| !line.starts_with(".Sh ")).collect()
    }

    /// The options that the items of a section are about.
    pub fn items(&self, title: &str) -> BTreeSet<String> {
        let items = self.section(title).into_iter().filter(|line| line.starts_with(".It "));
        items.flat_map(flags).collect()
    }

    /// All options that a section shows.
    pub fn options(&self, title: &str) -> BTreeSet<String> {
        self.section(title).into_iter().flat_map(flags).collect()
    }

    /// The exit codes that the page names, both ends of those that are a range.
    pub fn exit_codes(&self) -> Vec<i32> {
        let section = self.section("EXIT STATUS");
        let items = section.into_iter().filter_map(|line| line.strip_prefix(".It "));
        items.flat_map(numbers).collect()
    }
}

/// All numbers in a text.
pub fn numbers(text: &str) -> Vec<i32> {
    text.split(|char: char| !char.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// The options on a line of mdoc: the words behind `Fl` up to the next macro, each letter of a word being one, or with
/// another `Fl` in front a long name.
fn flags(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut dashes, mut named) = (0, true);
    for word in line.trim_start_matches('.').split_whitespace() {
        let mut chars = word.chars();
        let pair = (chars.next(), chars.next(), chars.next());
        let is_macro = matches!(pair, (Some('A'..='Z'), Some('a'..='z'), None));
        if word == "Fl" {
            dashes = if named { 1 } else { dashes + 1 };
        } else if is_macro {
            dashes = 0;
        } else if dashes == 2 && !named {
            found.push(format!("--{word}"));
        } else if dashes == 1 && !matches!(word, "," | "|" | "-") {
            found.extend(word.chars().map(|letter| format!("-{letter}")));
        }
        named = word != "Fl";
    }
    found
}

#[test]
fn options_are_found_on_a_line() {
    let cases: [(&str, &[&str]); 6] = [
        (".It Fl v , Fl Fl verbose", &["-v", "--verbose"]),
        (".It Fl u , d , o , x", &["-u", "-d", "-o", "-x"]),
        (".Op Fl vVP0", &["-v", "-V", "-P", "-0"]),
        (".It Fl Fl rlimit Ar name Ns = Ns Ar soft", &["--rlimit"]),
        (".It Fl Fl install Oo Fl s Oc Ar dir", &["--install", "-s"]),
        (".It Fl Fl", &[]),
    ];
    for (line, options) in cases {
        assert_eq!(flags(line), options, "{line}");
    }
}
