//! Packages: what is in them, that they are the same whenever they are made, and what they do to a Debian. That is this
//! machine, with a layer above it for what is changed.

mod debian;
mod templates;

use crate::kit::*;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Whether packages can be made: of the static program, by Debian's tools.
fn cannot_be_made() -> bool {
    let cannot = against_runit()
        || std::env::var_os("SVBOX_PROGRAM").is_none()
        || Command::new("dpkg-deb").arg("--version").output().is_err();
    if cannot {
        eprintln!("passed over: it takes the static program and dpkg-deb");
    }
    cannot
}

/// Makes the packages in a directory.
fn make(made: &Path, version: &str, change: &[(&str, &str)]) {
    let mut command = Command::new(project().join("scripts/packaging/debian.sh"));
    command.current_dir(project()).arg(svbox()).arg(made).env("VERSION", version);
    for (name, value) in change {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A directory with two versions of them.
fn packages() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = tempfile::Builder::new().prefix("svbox-packages.").tempdir().unwrap().keep();
        ["1-1", "1-2"].iter().for_each(|version| make(&dir, version, &[]));
        dir
    })
}

/// Makes the layer, and enters it: `sh -c ENTER SCRIPT PACKAGES`.
const ENTER: &str = "set -e
    mkdir layer; mount -t tmpfs tmpfs layer; cd layer
    mkdir upper work root
    mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root 2>/dev/null || exit 77
    mount -t proc proc root/proc
    mkdir -p root/dev root/packages; : >root/dev/null; mount --bind /dev/null root/dev/null
    mount --bind \"$1\" root/packages
    exec chroot root /bin/sh -c \"$0\"";

/// Runs a script as root of a Debian with runit and with the packages in `/packages`. None where there can be no layer.
fn in_debian(sandbox: &Sandbox, script: &str) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("passed over: root only");
        return None;
    }
    let options = ["--mount", "--pid", "--fork", "--kill-child"];
    let mut command = change_namespaces(sandbox, &options, "sh");
    let script = format!("set -e\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin\n{script}");
    let Output { status, stdout, stderr } =
        command.args(["-c", ENTER, &script]).arg(packages()).output().unwrap();
    if status.code() == Some(77) {
        eprintln!("passed over: there is no overlay file system here");
        return None;
    }
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(status.success(), "{stdout}{stderr}");
    Some(stdout)
}

/// The names of the files in a directory.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
