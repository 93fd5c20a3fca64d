//! Which files are replaced.

use super::roots::Root;
use crate::kit::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

type All = BTreeMap<String, String>;

/// What is another file afterwards, or none.
fn changed(before: &All, after: &All) -> BTreeSet<String> {
    before
        .iter()
        .filter(|(name, text)| after.get(*name) != Some(text))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What was not there before.
fn added(before: &All, after: &All) -> Vec<String> {
    after.keys().filter(|name| !before.contains_key(*name)).cloned().collect()
}

fn set(words: &str) -> BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

/// What `make install` replaces in a Void.
const VOID: &str = "usr/bin/runsv usr/bin/runsvdir usr/bin/runsvchdir usr/bin/sv usr/bin/svlogd usr/bin/chpst
    usr/bin/utmpset usr/share/man/man8/sv.8";

/// And in a Debian, whose manual pages are compressed.
const DEBIAN: &str =
    "usr/bin/runsv usr/bin/runsvdir usr/sbin/runsvchdir usr/bin/sv usr/bin/svlogd usr/bin/chpst
    usr/sbin/utmpset usr/share/bash-completion/completions/sv";

/// Installs both parts; gives what has changed and what is new after each.
fn install_both(root: &Root<'_>) -> [(BTreeSet<String>, Vec<String>); 2] {
    let before = root.all();
    ["programs", "init"].map(|part| {
        install(&root.join(""), part);
        let after = root.all();
        (changed(&before, &after), added(&before, &after))
    })
}

fn pages(names: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().filter(|name| name.ends_with(".gz")).cloned().collect()
}

fn link(root: &Root<'_>, path: &str) -> String {
    fs::read_link(root.join(path)).unwrap().display().to_string()
}

#[test]
fn runits_programs_of_a_void_are_replaced_and_nothing_else() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = Root::void(&sandbox);
    let [(programs, new), (with_init, new_of_init)] = install_both(&root);
    assert_eq!(programs, set(VOID));
    assert!(new.iter().all(|name| name.starts_with("usr/bin/") || name.starts_with("usr/share/")), "{new:?}");
    let of_init = "runit runit-init init halt poweroff reboot shutdown";
    let of_init: String = of_init.split(' ').map(|name| format!(" usr/bin/{name}")).collect();
    assert_eq!(with_init, set(&format!("{VOID}{of_init}")));
    let is_elsewhere = |name: &&String| !name.starts_with("usr/bin/") && !name.starts_with("usr/share/");
    assert_eq!(new_of_init.iter().find(is_elsewhere), None);
    assert_eq!(link(&root, "usr/bin/sv"), "svbox");
    assert_eq!(link(&root, "sbin/init"), "/usr/bin/svbox");
}

#[test]
fn runits_programs_of_a_debian_are_replaced_and_nothing_else() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = Root::debian(&sandbox);
    let [(mut programs, new), (mut with_init, new_of_init)] = install_both(&root);
    for (names, some) in [(&mut programs, "sv.8.gz"), (&mut with_init, "runit.8.gz")] {
        let of_pages = pages(names);
        assert!(of_pages.contains(&format!("usr/share/man/man8/{some}")), "{of_pages:?}");
        names.retain(|name| !of_pages.contains(name));
    }
    assert_eq!(programs, set(DEBIAN));
    assert!(new.iter().all(|name| name.starts_with("usr/bin/") || name.starts_with("usr/share/")), "{new:?}");
    let of_init = "runit init halt poweroff reboot shutdown";
    let of_init: String = of_init.split(' ').map(|name| format!(" usr/sbin/{name}")).collect();
    assert_eq!(with_init, set(&format!("{DEBIAN}{of_init}")));
    let is_in_etc = |name: &&String| name.starts_with("etc") || name.starts_with("usr/lib");
    assert_eq!(new_of_init.iter().find(is_in_etc), None);
    for name in ["runsvchdir", "utmpset", "init"] {
        assert_eq!(link(&root, &format!("sbin/{name}")), "/usr/bin/svbox");
    }
}

#[test]
fn what_is_no_link_of_runits_is_kept_beside_and_installing_again_changes_nothing() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = Root::void(&sandbox);
    let before = root.all();
    install_both(&root);
    let once = root.all();
    for name in ["usr/bin/runit", "usr/bin/halt", "usr/bin/shutdown"] {
        assert_eq!(once[&format!("{name}.old")], before[name], "{name}");
    }
    let [(changed, added), _] = install_both(&root);
    assert_eq!((changed, added), (BTreeSet::new(), Vec::new()));
    assert_eq!(root.all(), once);
}

#[test]
fn beside_another_prefix_runits_programs_stay() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let root = Root::debian(&sandbox);
    let before = root.all();
    let mut command = std::process::Command::new("scripts/install.sh");
    command.arg(svbox()).current_dir(project()).env("DESTDIR", root.join("")).env("PREFIX", "/usr/local");
    assert!(command.status().unwrap().success());
    assert_eq!(changed(&before, &root.all()), BTreeSet::new());
}
