//! DIR: missing, coming, going, switched through links, replaced.

use super::*;
use std::os::unix::fs::symlink;

/// Two sets of services, `old` and `new`, with one service each, and a path that leads from one to the other.
struct Sets<'s> {
    old: Service<'s>,
    new: Service<'s>,
    runsvdir: Option<Running>,
}

impl<'s> Sets<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let old = sandbox.service("first").run_forever();
        let new = sandbox.service("second").run_forever();
        set_of(sandbox, "old", &[&old]);
        set_of(sandbox, "new", &[&new]);
        Self { old, new, runsvdir: None }
    }

    /// Starts runsvdir on a path that leads to the old set, and switches to the new one.
    #[track_caller]
    fn follow(&mut self, path: impl AsRef<Path>, switch: impl FnOnce()) {
        self.runsvdir = Some(start_on(self.old.sandbox, path));
        self.old.until_up();
        switch();
        self.new.until_up();
        until("the end of the old service", || !self.old.is_supervised());
    }
}

#[test]
fn a_missing_directory_is_warned_about_and_picked_up_when_it_appears() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let mut runsvdir = start_on(&sandbox, "late");
    let text = "runsvdir late: warning: unable to stat late: file does not exist\n";
    until("the warning", || runsvdir.stderr().starts_with(text));
    assert!(runsvdir.lives());
    set_of(&sandbox, "late", &[&one]);
    one.until_up();
}

#[test]
fn a_directory_whose_parents_are_missing_is_picked_up_when_it_appears() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let runsvdir = start_on(&sandbox, "a/b/c");
    until("the warning", || runsvdir.stderr().contains("unable to stat a/b/c: file does not exist"));
    set_of(&sandbox, "a/b/c", &[&one]);
    one.until_up();
}

#[test]
fn a_dangling_link_is_picked_up_when_its_target_appears() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    symlink("deep/set", sandbox.join("link")).unwrap();
    let runsvdir = start_on(&sandbox, "link");
    until("the warning", || runsvdir.stderr().contains("unable to stat link: file does not exist"));
    set_of(&sandbox, "deep/set", &[&one]);
    one.until_up();
}

#[test]
fn services_are_kept_while_the_directory_is_away() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    let runsvdir = scan.start(&[], &[]);
    let (pid, runsv) = (one.until_up(), supervisor(&sandbox, "one"));
    fs::rename(sandbox.join("scan"), sandbox.join("away")).unwrap();
    until("the warning", || runsvdir.stderr().contains("unable to stat scan: file does not exist"));
    symlink(two.join(""), sandbox.join("away/two")).unwrap();
    fs::rename(sandbox.join("away"), sandbox.join("scan")).unwrap();
    two.until_up();
    assert_eq!((one.status().pid(), one.status().term()), (pid, false));
    assert_eq!(supervisor(&sandbox, "one"), runsv);
}

#[test]
fn services_are_kept_when_the_directory_is_removed() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    sandbox.scan();
    set_of(&sandbox, "link-to", &[&one]);
    symlink("link-to", sandbox.join("current")).unwrap();
    let runsvdir = start_on(&sandbox, "current");
    let pid = one.until_up();
    fs::remove_file(sandbox.join("current")).unwrap();
    until("the warning", || runsvdir.stderr().contains("unable to stat current: file does not exist"));
    assert_eq!((one.status().pid(), one.status().term()), (pid, false));
    assert!(one.is_supervised());
}

#[test]
fn a_supervisor_that_dies_while_the_directory_is_away_is_replaced_when_it_is_back() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run_forever();
    let scan = sandbox.scan();
    scan.link(&one);
    let runsvdir = scan.start(&[], &[]);
    one.until_up();
    fs::rename(sandbox.join("scan"), sandbox.join("away")).unwrap();
    until("the warning", || runsvdir.stderr().contains("unable to stat scan"));
    one.send(b"x");
    until("its end", || !one.is_supervised());
    fs::rename(sandbox.join("away"), sandbox.join("scan")).unwrap();
    until("its successor", || one.is_supervised());
}

#[test]
fn a_directory_that_is_empty_again_ends_all_services() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let scan = sandbox.scan();
    scan.link(&one);
    scan.link(&two);
    let mut runsvdir = scan.start(&[], &[]);
    one.until_up();
    two.until_up();
    fs::rename(sandbox.join("scan"), sandbox.join("away")).unwrap();
    fs::create_dir(sandbox.join("scan")).unwrap();
    until("the end of both", || sandbox.processes() == [runsvdir.pid()]);
    assert!(runsvdir.lives());
}

#[test]
fn a_directory_that_is_replaced_by_another_is_followed() {
    let sandbox = Sandbox::new();
    Sets::new(&sandbox).follow("old", || {
        fs::rename(sandbox.join("old"), sandbox.join("away")).unwrap();
        fs::rename(sandbox.join("new"), sandbox.join("old")).unwrap();
    });
}

#[test]
fn a_link_that_is_switched_is_followed() {
    let sandbox = Sandbox::new();
    symlink("old", sandbox.join("current")).unwrap();
    Sets::new(&sandbox).follow("current", || switch(&sandbox.join("current"), "new"));
}

#[test]
fn an_absolute_link_that_is_switched_is_followed() {
    let sandbox = Sandbox::new();
    symlink(sandbox.join("old"), sandbox.join("current")).unwrap();
    Sets::new(&sandbox).follow(sandbox.join("current"), || {
        switch(&sandbox.join("current"), sandbox.join("new"));
    });
}

#[test]
fn a_link_that_is_taken_away_and_made_anew_is_followed() {
    let sandbox = Sandbox::new();
    symlink("old", sandbox.join("current")).unwrap();
    Sets::new(&sandbox).follow("current", || {
        fs::remove_file(sandbox.join("current")).unwrap();
        symlink("new", sandbox.join("current")).unwrap();
    });
}

#[test]
fn a_link_in_the_middle_of_a_relative_chain_is_followed() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("etc/deep")).unwrap();
    symlink("etc/service", sandbox.join("service")).unwrap();
    symlink("deep/current", sandbox.join("etc/service")).unwrap();
    symlink("../../old", sandbox.join("etc/deep/current")).unwrap();
    let current = sandbox.join("etc/deep/current");
    Sets::new(&sandbox).follow("service", || switch(&current, "../../new"));
}

#[test]
fn the_first_link_of_a_chain_is_followed() {
    let sandbox = Sandbox::new();
    symlink("one-more", sandbox.join("service")).unwrap();
    symlink("old", sandbox.join("one-more")).unwrap();
    Sets::new(&sandbox).follow("service", || switch(&sandbox.join("service"), "new"));
}

#[test]
fn an_absolute_link_to_a_relative_one_is_followed() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("etc")).unwrap();
    symlink("../old", sandbox.join("etc/current")).unwrap();
    symlink(sandbox.join("etc/current"), sandbox.join("service")).unwrap();
    let current = sandbox.join("etc/current");
    Sets::new(&sandbox).follow("service", || switch(&current, "../new"));
}

#[test]
fn a_link_among_the_parents_is_followed() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("a")).unwrap();
    fs::create_dir(sandbox.join("b")).unwrap();
    symlink("../old", sandbox.join("a/set")).unwrap();
    symlink("../new", sandbox.join("b/set")).unwrap();
    symlink("a", sandbox.join("level")).unwrap();
    Sets::new(&sandbox).follow("level/set", || switch(&sandbox.join("level"), "b"));
}

#[test]
fn a_parent_directory_that_is_replaced_is_followed() {
    let sandbox = Sandbox::new();
    let mut sets = Sets::new(&sandbox);
    for (parent, set) in [("top", "old"), ("other", "new")] {
        fs::create_dir_all(sandbox.join(parent).join("middle")).unwrap();
        fs::rename(sandbox.join(set), sandbox.join(parent).join("middle/set")).unwrap();
    }
    sets.follow("top/middle/set", || {
        fs::rename(sandbox.join("top"), sandbox.join("away")).unwrap();
        fs::rename(sandbox.join("other"), sandbox.join("top")).unwrap();
    });
}

#[test]
fn a_link_with_a_long_text_is_followed() {
    let sandbox = Sandbox::new();
    let detour = "./".repeat(1000);
    symlink(format!("{detour}old"), sandbox.join("current")).unwrap();
    let target = format!("{detour}new");
    Sets::new(&sandbox).follow("current", || switch(&sandbox.join("current"), &target));
}

#[test]
fn a_path_with_dots_is_followed() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.join("x")).unwrap();
    symlink("old", sandbox.join("current")).unwrap();
    Sets::new(&sandbox).follow("x/.././/current/.", || switch(&sandbox.join("current"), "new"));
}

#[test]
fn a_link_can_be_switched_there_and_back() {
    let sandbox = Sandbox::new();
    symlink("old", sandbox.join("current")).unwrap();
    let mut sets = Sets::new(&sandbox);
    sets.follow("current", || switch(&sandbox.join("current"), "new"));
    switch(&sandbox.join("current"), "old");
    sets.old.until_up();
    until("the end of the new service", || !sets.new.is_supervised());
}

#[test]
fn links_in_a_directory_that_was_switched_to_are_seen() {
    let sandbox = Sandbox::new();
    symlink("old", sandbox.join("current")).unwrap();
    let mut sets = Sets::new(&sandbox);
    sets.follow("current", || switch(&sandbox.join("current"), "new"));
    let third = sandbox.service("third").run_forever();
    symlink(third.join(""), sandbox.join("new/third")).unwrap();
    third.until_up();
}

#[test]
fn a_service_that_is_in_both_directories_runs_on_through_a_switch() {
    let sandbox = Sandbox::new();
    let both = sandbox.service("both").run_forever();
    symlink("old", sandbox.join("current")).unwrap();
    let mut sets = Sets::new(&sandbox);
    symlink(both.join(""), sandbox.join("old/both")).unwrap();
    symlink(both.join(""), sandbox.join("new/by-another-name")).unwrap();
    let before = std::cell::Cell::new(0);
    sets.follow("current", || {
        before.set(both.until_up());
        switch(&sandbox.join("current"), "new");
    });
    assert_eq!((both.status().pid(), both.status().term()), (before.get(), false));
}

#[test]
fn the_current_directory_can_be_the_directory() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    set_of(&sandbox, "scan", &[&one]);
    let mut command = sandbox.command("runsvdir");
    command.arg(".").current_dir(sandbox.join("scan"));
    let _runsvdir = sandbox.start(command);
    one.until_up();
    sandbox.scan().link(&two);
    two.until_up();
}

#[test]
fn a_directory_mounted_over_it_is_followed() {
    let sandbox = Sandbox::new();
    let mut sets = Sets::new(&sandbox);
    let mut command = change_namespaces(&sandbox, &["--mount"], "runsvdir");
    command.arg("old");
    let runsvdir = sandbox.start(command);
    sets.old.until_up();
    let mut mount = sandbox.command("nsenter");
    mount.args(["-t", &runsvdir.pid().to_string(), "--mount"]);
    if !rustix::process::geteuid().is_root() {
        mount.args(["--user", "--preserve-credentials"]);
    }
    mount.args(["mount", "--bind"]).args([sandbox.join("new"), sandbox.join("old")]);
    assert!(mount.status().unwrap().success());
    sets.new.until_up();
    until("the end of the old service", || !sets.old.is_supervised());
    sets.runsvdir = Some(runsvdir);
}
