//! Containers under `runc`: bundles, and what runs them.

use super::{Container, Sandbox, svbox};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

impl Container<'_> {
    /// A bundle, and what runs it.
    pub(super) fn bundle(&self) -> Command {
        let sandbox = self.sandbox;
        let fill =
            "mkdir -p root/bin root/program root/dev root/etc root/proc root/run root/tmp root/out root/sys
            cp \"$1\" root/bin/busybox; cp \"$2\" root/program/svbox
            for name in sh sleep true; do ln -s busybox root/bin/$name; done
            for name in pid1 init runit runsvdir runsv sv chpst; do ln -s svbox root/program/$name; done
            [ ! -d service ] || mkdir root/service
            cd root; eval \"$3\"; cd ..; runc spec";
        let mut make = sandbox.command("sh");
        make.args(["-ec", fill, "sh"]).arg(busybox()).arg(svbox()).arg(&self.setup);
        assert!(make.status().unwrap().success());
        sandbox.write("config.json", self.config(&sandbox.read("config.json")));
        let mut command = runc(sandbox);
        command.args(["run", "--pid-file", "pid"]).arg(name_of(sandbox));
        command
    }

    /// What `runc spec` has written, as this container needs it.
    fn config(&self, spec: &str) -> String {
        let list =
            |words: &[String]| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(",");
        let mut variables: Vec<String> =
            self.variables.iter().map(|variable| variable.to_str().unwrap().to_owned()).collect();
        variables[0] = "PATH=/program:/bin".into();
        let mount = |dir: &str, options: &str| {
            let source = self.sandbox.join(dir);
            format!(
                r#"{{"destination":"/{dir}","type":"bind","source":{source:?},"options":["bind",{options}]}},"#
            )
        };
        let mut mounts = mount("run", "\"rw\"") + &mount("out", "\"rw\"");
        if self.sandbox.join("service").exists() {
            mounts += &mount("service", if self.read_only { "\"ro\"" } else { "\"rw\"" });
        }
        let user = self.user.unwrap_or(0);
        let changes = [
            ("\"terminal\": true".into(), "\"terminal\": false".into()),
            ("\"uid\": 0".into(), format!("\"uid\": {user}")),
            ("\"gid\": 0".into(), format!("\"gid\": {user}")),
            ("\"sh\"\n".into(), list(&self.program) + "\n"),
            ("\"TERM=xterm\"".into(), list(&variables)),
            ("\"path\": \"rootfs\"".into(), "\"path\": \"root\"".into()),
            ("\"readonly\": true".into(), format!("\"readonly\": {}", self.read_only)),
            ("\"mounts\": [".into(), format!("\"mounts\": [{mounts}")),
        ];
        changes.iter().fold(spec.to_owned(), |config, (from, to): &(String, String)| {
            assert!(config.contains(from.as_str()), "no {from} in {config}");
            config.replacen(from.as_str(), to, 1)
        })
    }
}

/// The static busybox that the guests have too.
fn busybox() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("guest/busybox")
}

pub(super) fn name_of(sandbox: &Sandbox) -> &OsStr {
    sandbox.path().file_name().unwrap()
}

pub(super) fn runc(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command("runc");
    command.arg("--root").arg(sandbox.join("runc"));
    command
}

/// Whether containers under `runc` are to be passed over. Says why.
pub fn without_runc() -> bool {
    static WHY_NOT: OnceLock<Option<String>> = OnceLock::new();
    let why_not = WHY_NOT.get_or_init(|| {
        if std::env::var_os("SVBOX_PROGRAM").is_none() || !busybox().exists() {
            return Some("it takes the static program and a static busybox".into());
        }
        let sandbox = Sandbox::new();
        let mut trivial = Container::new(&sandbox).under_runc().program(&["/bin/true"]).start(&[]);
        let ended = trivial.ended();
        (ended != Some(0)).then(|| format!("runc cannot run anything here: {}", trivial.stderr()))
    });
    if let Some(why) = why_not {
        eprintln!("passed over: {why}");
    }
    why_not.is_some()
}
