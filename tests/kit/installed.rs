//! Everything as `make install-init` puts it.

use super::{Sandbox, svbox};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs the program under test in the directory `installed` of a sandbox, which is the root of what is installed.
pub fn installed(sandbox: &Sandbox) -> PathBuf {
    let root = sandbox.join("installed");
    install(&root, "programs");
    install(&root, "init");
    root
}

/// Does what `make install` does, or with `init` what `make install-init` does after it.
pub fn install(root: &Path, part: &str) {
    let mut command = Command::new("scripts/install.sh");
    command.arg(svbox()).arg(part).current_dir(project()).env("DESTDIR", root).env("PREFIX", "/usr");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The top of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
