//! `make install-init` where there is no room for all of it.

use crate::kit::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type All = BTreeMap<PathBuf, Vec<u8>>;

/// Everything below a directory that is no directory: what is in a file, or where a link leads.
fn all(top: &Path) -> All {
    let mut found = All::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(top.join(&dir)).unwrap() {
            let (path, name) = entry.map(|entry| (entry.path(), dir.join(entry.file_name()))).unwrap();
            match fs::read_link(&path) {
                Ok(text) => _ = found.insert(name, text.into_os_string().into_encoded_bytes()),
                Err(_) if path.is_dir() => dirs.push(name),
                Err(_) => _ = found.insert(name, fs::read(path).unwrap()),
            }
        }
    }
    found
}

/// Installs what makes it process 1 where there is an init.
fn install_init(root: &Path) -> Output {
    let mut command = Command::new("scripts/install.sh");
    command.arg(svbox()).arg("init").current_dir(project()).env("DESTDIR", root).env("PREFIX", "/usr");
    command.output().unwrap()
}

fn with_an_init(root: &Path) {
    fs::create_dir(root.join("sbin")).unwrap();
    fs::write(root.join("sbin/init"), "another").unwrap();
}

/// Whether a name has what is there with enough room, or is one of those beside the right ones.
fn is_right(whole: &All, name: &Path, bytes: &[u8]) -> bool {
    let is_beside =
        |part: &Path| part.ends_with(".svbox-new") || part.extension().is_some_and(|end| end == "new");
    name.ancestors().any(is_beside) || whole.get(name).is_some_and(|whole| whole == bytes)
}

#[test]
fn without_room_the_other_init_stays_or_all_is_there_and_with_room_the_rest_is_made() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let room = sandbox.join("room");
    fs::create_dir(&room).unwrap();
    with_an_init(&room);
    assert!(install_init(&room).status.success());
    let whole = all(&room);
    let of_etc = |all: &All| all.keys().filter(|name| name.starts_with("etc")).count();
    let inodes = (8..84).step_by(7).chain(84..90).map(|count| format!("nr_inodes={count}"));
    let mut refused = 0;
    for limit in inodes.chain(["size=24k", "size=48k", "size=72k"].map(String::from)) {
        let Some(mount) = sandbox.tmpfs("full", &limit) else { return };
        let root = sandbox.join("full");
        with_an_init(&root);
        let output = install_init(&root);
        let got = all(&root);
        let init = got.get(Path::new("sbin/init")).map(Vec::as_slice);
        let is_new = init == Some(b"/usr/bin/svbox");
        assert!(is_new || init == Some(b"another"), "{limit}: {init:?}");
        assert!(!is_new || of_etc(&got) == of_etc(&whole), "{limit}: init without all stages and services");
        for (name, bytes) in got.iter().filter(|(name, _)| name.starts_with("etc")) {
            assert!(is_right(&whole, name, bytes), "{limit}: {} is torn", name.display());
        }
        // Where something is missing it says so.
        let is_whole = whole.keys().all(|name| got.contains_key(name));
        assert_eq!(output.status.success(), is_whole, "{limit}: {output:?}");
        refused += u32::from(!is_whole);
        mount.remount("nr_inodes=1000,size=10m");
        let output = install_init(&root);
        assert!(output.status.success(), "{limit}: {output:?}");
        assert!(all(&root) == whole, "{limit}: something is missing with room, too");
    }
    assert!(refused > 15, "{refused} without room");
}
