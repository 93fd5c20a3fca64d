//! Completion of command lines, in the shells themselves: it knows all that --help shows, and the services there are.

mod shell;

use crate::kit::help::{help, options, programs};
use crate::kit::*;
use shell::{Completer, Shell};
use std::collections::BTreeSet;
use std::fs;

/// Makes each of the functions a test for each shell.
macro_rules! in_each_shell {
    ($($name:ident)*) => {
        in_each_shell!(@ bash Bash $($name)*);
        in_each_shell!(@ zsh Zsh $($name)*);
        in_each_shell!(@ fish Fish $($name)*);
    };
    (@ $module:ident $shell:ident $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    super::$name(super::Shell::$shell);
                }
            )*
        }
    };
}

in_each_shell! {
    each_program_has_the_options_that_help_shows
    options_are_found_behind_svbox_too
    sv_has_its_commands
    sv_has_the_services_by_name
    sv_has_paths_of_services
    where_there_is_no_service_there_is_none
    daemontools_programs_have_paths_of_services_also_by_name
    the_value_of_an_option_is_what_it_is_for
    what_is_run_is_completed_as_if_it_stood_alone
    programs_with_words_have_them
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A sandbox with three services in `scan` and what is none.
fn with_services() -> Sandbox {
    let sandbox = Sandbox::new();
    for dir in ["scan/web/log", "scan/web/env", "scan/db", "scan/.hidden", "elsewhere/werk"] {
        fs::create_dir_all(sandbox.join(dir)).unwrap();
    }
    std::os::unix::fs::symlink("../elsewhere/werk", sandbox.join("scan/werk")).unwrap();
    sandbox.write("scan/file", "");
    sandbox
}

fn each_program_has_the_options_that_help_shows(shell: Shell) {
    assert_options(shell, "");
}

fn options_are_found_behind_svbox_too(shell: Shell) {
    assert_options(shell, "svbox ");
}

/// Completes a dash behind each program, and `front` before it.
fn assert_options(shell: Shell, front: &str) {
    let sandbox = Sandbox::new();
    let completer = Completer::new(&sandbox, shell);
    let mut names = programs();
    if front.is_empty() {
        names.push("svbox".into());
    }
    let lines: Vec<_> = names.iter().map(|name| format!("{front}{name} -")).collect();
    for (name, found) in names.iter().zip(completer.complete(&lines)) {
        let mut wanted = options(&help(name));
        wanted.extend(["--help".to_owned(), "--version".to_owned()]);
        assert_eq!(found, wanted, "left: {front}{name} in {shell:?}, right: --help");
    }
}

fn sv_has_its_commands(shell: Shell) {
    let sandbox = Sandbox::new();
    let completer = Completer::new(&sandbox, shell);
    let found = completer.one("sv ");
    let page = fs::read_to_string(project().join("applets/sv/sv.8")).unwrap();
    let section = page.split(".Sh COMMANDS").nth(1).unwrap().split(".Sh ").next().unwrap();
    let lines = section
        .lines()
        .filter_map(|line| line.trim_start_matches(".It ").trim_start_matches('.').strip_prefix("Ic "));
    let words = lines.flat_map(str::split_whitespace).filter(|word| word.len() > 1);
    let mut wanted: BTreeSet<String> = words.map(str::to_owned).collect();
    wanted.extend(set(&["1", "2"]));
    assert_eq!(found, wanted, "left: {shell:?}, right: sv(8)");
    // The last one is ours.
    for word in found.iter().filter(|word| !against_runit() || *word != "why") {
        // 100 would be a word that is no command.
        assert_ne!(sandbox.output("sv", &[word, "./none"]).status.code(), Some(100), "{word}");
    }
    assert_eq!(completer.one("sv -v -w 5 sta"), set(&["start", "status"]));
}

fn sv_has_the_services_by_name(shell: Shell) {
    let sandbox = with_services();
    let completer = Completer::new(&sandbox, shell);
    let lines = ["sv up ", "sv up w", "sv -w 5 up we", "sv up db w", "sv up web/"].map(str::to_owned);
    let wanted: [&[&str]; 5] =
        [&["db", "web", "werk"], &["web", "werk"], &["web", "werk"], &["web", "werk"], &["web/log"]];
    assert_eq!(completer.complete(&lines), wanted.map(set));
}

/// The last part of each path, of which shells show more or less.
fn last_parts(paths: BTreeSet<String>) -> BTreeSet<String> {
    let last = |path: &String| path.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    paths.iter().map(last).collect()
}

fn sv_has_paths_of_services(shell: Shell) {
    let sandbox = with_services();
    let completer = Completer::new(&sandbox, shell);
    for line in [format!("sv up {}/elsewhere/w", sandbox.path().display()), "sv up ./elsewhere/w".to_owned()]
    {
        assert_eq!(last_parts(completer.one(&line)), set(&["werk"]), "{line}");
    }
}

fn where_there_is_no_service_there_is_none(shell: Shell) {
    let sandbox = Sandbox::new();
    let completer = Completer::new(&sandbox, shell);
    assert_eq!(completer.one("sv up "), BTreeSet::new());
    fs::create_dir(sandbox.join("scan")).unwrap();
    assert_eq!(completer.one("sv up "), BTreeSet::new());
}

fn daemontools_programs_have_paths_of_services_also_by_name(shell: Shell) {
    let sandbox = with_services();
    let completer = Completer::new(&sandbox, shell);
    let path = |name: &str| sandbox.join("scan").join(name).display().to_string();
    for program in ["svc -u", "svstat", "svok"] {
        let found = completer.one(&format!("{program} we"));
        assert!(found.contains(&path("web")) && found.contains(&path("werk")), "{program}: {found:?}");
        assert!(!found.contains(&path("db")), "{program}: {found:?}");
        assert_eq!(last_parts(completer.one(&format!("{program} elsewhere/w"))), set(&["werk"]), "{program}");
    }
}

fn the_value_of_an_option_is_what_it_is_for(shell: Shell) {
    let sandbox = with_services();
    let completer = Completer::new(&sandbox, shell);
    let lines = [
        "sv -w ",
        "sv --wait ",
        "chpst -u roo",
        "chpst -vu roo",
        "chpst -e s",
        "svlogd -f sca",
        "chpst -u root:tt",
    ];
    sandbox.write("some", "");
    let found = completer.complete(&lines.map(str::to_owned));
    let none = BTreeSet::new();
    let parts: Vec<_> = found.into_iter().map(last_parts).collect();
    assert_eq!((&parts[0], &parts[1]), (&none, &none));
    assert_eq!((&parts[2], &parts[3]), (&set(&["root"]), &set(&["root"])));
    assert_eq!((&parts[4], &parts[5]), (&set(&["scan"]), &set(&["scan"])));
    assert!(!parts[6].is_empty() && parts[6].iter().all(|group| group.contains("tty")), "{:?}", parts[6]);
}

fn what_is_run_is_completed_as_if_it_stood_alone(shell: Shell) {
    let sandbox = with_services();
    let completer = Completer::new(&sandbox, shell);
    let lines = [
        "chpst -u root sv up w",
        "svbox sv up w",
        "svbox chpst -e scan sv up w",
        "setlock -n file sv up w",
        "pgrphack sv up w",
        "pid1 -d scan -E sv up w",
    ];
    for (line, found) in lines.iter().zip(completer.complete(&lines.map(str::to_owned))) {
        assert_eq!(found, set(&["web", "werk"]), "{line}");
    }
    assert!(completer.one("chpst -u root svsta").contains("svstat"));
    assert_eq!(completer.one("svbox svo"), set(&["svok"]));
}

fn programs_with_words_have_them(shell: Shell) {
    let sandbox = Sandbox::new();
    let completer = Completer::new(&sandbox, shell);
    for name in ["runit-init", "init", "telinit"] {
        assert_eq!(
            completer.one(&format!("{name} ")),
            set(&["0", "1", "6", "Q", "S", "U", "q", "s", "u"]),
            "{name}"
        );
    }
    assert!(completer.one("shutdown -r ").contains("now"));
}

#[test]
fn each_shell_looks_for_services_where_sv_does() {
    let source = fs::read_to_string(project().join("applets/place.rs")).unwrap();
    let usual = source.split("None => \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(usual.contains("/etc/service "), "{usual}");
    for shell in ["bash", "zsh", "fish"] {
        let text = fs::read_to_string(project().join(format!("scripts/completions/svbox.{shell}"))).unwrap();
        assert!(text.contains(&format!("for dir in {usual}")), "{shell}");
    }
}

#[test]
fn names_of_an_init_are_completed_only_where_it_is_installed() {
    let sandbox = Sandbox::new();
    let root = sandbox.join("programs");
    let mut command = std::process::Command::new("scripts/install.sh");
    command.arg(svbox()).current_dir(project()).env("DESTDIR", &root).env("PREFIX", "/usr");
    assert!(command.status().unwrap().success());
    let share = root.join("usr/share");
    for (place, is_there) in [
        ("bash-completion/completions/sv", true),
        ("bash-completion/completions/halt", false),
        ("fish/vendor_completions.d/sv.fish", true),
        ("fish/vendor_completions.d/halt.fish", false),
        ("zsh/site-functions/_svbox_init", false),
    ] {
        assert_eq!(share.join(place).exists(), is_there, "{place}");
    }
    for file in ["bash-completion/completions/svbox", "zsh/site-functions/_svbox"] {
        let text = fs::read_to_string(share.join(file)).unwrap();
        let names = text.lines().find(|line| line.contains(" runsvdir ") && line.contains("comp")).unwrap();
        assert!(names.contains(" sv ") && !names.contains(" halt"), "{names}");
    }
}
