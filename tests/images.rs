//! What is given away: images of containers, of initramfs, and archives. The same files make the same, bit for bit.

use crate::kit::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Whether there is no program to give away.
fn passed_over() -> bool {
    let none = against_runit() || std::env::var_os("SVBOX_PROGRAM").is_none();
    if none {
        eprintln!("passed over: it takes the static program");
    }
    none
}

/// Runs a script of the project with the program under test and these arguments.
#[track_caller]
fn make(mut command: Command, script: &str, args: &[&Path]) {
    command.arg(project().join("scripts").join(script)).current_dir(project()).arg(svbox()).args(args);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An image with these files on top, unpacked as a bundle for `runc` by somebody else's program.
struct Bundle<'s>(&'s Sandbox);

impl<'s> Bundle<'s> {
    fn new(sandbox: &'s Sandbox, files: &[&Path]) -> Self {
        let image = sandbox.join("image");
        make(sandbox.command("sh"), "image.sh", &[&[image.as_path()], files].concat());
        let output = sandbox
            .command("umoci")
            .args(["unpack", "--image"])
            .arg(format!("{}:svbox", image.display()))
            .arg(sandbox.join("bundle"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(sandbox)
    }

    fn runc(&self, word: &str) -> Command {
        let mut runc = self.0.command("runc");
        runc.arg("--root").arg(self.0.join("runc")).arg(word);
        runc
    }

    fn name(&self) -> &std::ffi::OsStr {
        self.0.path().file_name().unwrap()
    }

    /// Runs it to its end, with a command behind what the image starts.
    fn run(&self, words: &[&str]) -> Output {
        let config = self.0.read("bundle/config.json").replace("\"terminal\": true", "\"terminal\": false");
        let words: String = words.iter().map(|word| format!(", {word:?}")).collect();
        let changed = config.replacen("\"--\"\n", &format!("\"--\"{words}\n"), 1);
        assert!(changed.contains(&words) && config.contains("/bin/pid1"), "{config}");
        self.0.write("bundle/config.json", changed);
        self.runc("run").arg("--bundle").arg(self.0.join("bundle")).arg(self.name()).output().unwrap()
    }
}

impl Drop for Bundle<'_> {
    fn drop(&mut self) {
        let _ = self.runc("delete").arg("--force").arg(self.name()).output();
    }
}

#[track_caller]
fn assert_ended(output: &Output, code: i32, stdout: &str, stderr: &str) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let got = (output.status.code(), text(&output.stdout), text(&output.stderr));
    assert_eq!(got, (Some(code), stdout.into(), stderr.into()));
}

#[test]
fn an_image_of_the_program_alone_runs_a_command() {
    if passed_over() || without_runc() {
        return;
    }
    let sandbox = Sandbox::new();
    let bundle = Bundle::new(&sandbox, &[]);
    let list = sandbox.output("svbox", &["--list"]);
    let list = String::from_utf8_lossy(&list.stdout);
    assert_ended(&bundle.run(&["svbox", "--list"]), 0, &list, "pid1: command has ended: exit 0\n");
}

#[test]
fn an_image_with_services_runs_them_below_process_1_of_its_own() {
    if passed_over() || without_runc() {
        return;
    }
    let sandbox = Sandbox::new();
    let run = "#!/bin/busybox sh\nread -r name </proc/1/comm\necho $name\nexit 7\n";
    sandbox.write("own/etc/service/one/run", run);
    sandbox.write("own/etc/service/one/essential", "");
    sandbox.write("own/etc/service/one/restart", "never\n");
    sandbox.write("own/bin/busybox", fs::read(kernel_file("busybox")).unwrap());
    for path in ["own/etc/service/one/run", "own/bin/busybox"] {
        fs::set_permissions(sandbox.join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let bundle = Bundle::new(&sandbox, &[&sandbox.join("own")]);
    let said = "runsv one: warning: essential service has ended\npid1: essential service has ended: exit 7\n";
    assert_ended(&bundle.run(&[]), 7, "pid1\n", said);
}

/// What is in every file at or below a path.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn add(path: &Path, top: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| add(&entry.unwrap().path(), top, all));
        } else {
            all.insert(path.strip_prefix(top).unwrap().into(), fs::read(path).unwrap());
        }
    }
    let mut all = BTreeMap::new();
    add(path, path, &mut all);
    all
}

/// Another time, place, user's mask and time zone, and a file system that lists files in another order.
#[test]
fn the_same_files_make_the_same_images_and_archives() {
    if passed_over() {
        return;
    }
    let make_all = |sandbox: Sandbox, mask: &str, zone: &str, year: &str, names: [&str; 2]| {
        for name in names {
            let path = sandbox.write(format!("own/etc/service/{name}/run"), format!("#!/bin/{name}\n"));
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(sandbox.join("own/etc"), fs::Permissions::from_mode(0o755)).unwrap();
        let touch =
            sandbox.command("touch").args(["-d", year]).arg(sandbox.join("own/etc/service/one/run")).status();
        assert!(touch.unwrap().success());
        fs::create_dir(sandbox.join("tmp")).unwrap();
        let shell = || {
            let mut shell = sandbox.command("sh");
            shell.args(["-c", &format!("umask {mask}; exec \"$@\""), "sh"]).env("TZ", zone);
            shell.env("TMPDIR", sandbox.join("tmp"));
            shell
        };
        let (image, own, dist) = (sandbox.join("image"), sandbox.join("own"), sandbox.join("dist"));
        make(shell(), "image.sh", &[&image, &own]);
        make(shell(), "dist.sh", &[&dist]);
        let mut all = vec![contents(&image), contents(&dist)];
        if kernel_file("busybox").exists() {
            let packed = sandbox.join("initramfs");
            make(shell(), "initramfs.sh", &[&packed, &own]);
            all.push(contents(&packed));
        }
        assert_eq!(fs::read_dir(sandbox.join("tmp")).unwrap().count(), 0, "something is left behind");
        all
    };
    let first = make_all(Sandbox::new(), "022", "UTC", "2001-01-01", ["one", "two"]);
    let second = make_all(Sandbox::in_memory(), "077", "Asia/Tokyo", "2026-06-06", ["two", "one"]);
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
        for (path, bytes) in first {
            assert!(second[path] == *bytes, "{} is different", path.display());
        }
    }
}

#[test]
fn an_image_takes_the_place_of_one_and_of_nothing_else() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.join("own")).unwrap();
    sandbox.write("image.new/mine", "kept");
    sandbox.write("mine/file", "kept");
    let usual = std::env::var("PATH").unwrap();
    let image_sh = |out: &str, dir: &str, path: &str| {
        let mut command = sandbox.command(project().join("scripts/image.sh"));
        command.current_dir(project()).arg(svbox()).arg(sandbox.join(out)).arg(sandbox.join(dir));
        command.env("PATH", path);
        command.output().unwrap()
    };
    let names = || {
        let names = fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect::<std::collections::BTreeSet<_>>()
    };
    for out in ["image", "image/", "image///"] {
        let marked = sandbox.join("image/marked");
        let output = image_sh(out, "own", &usual);
        assert!(output.status.success(), "{out}: {output:?}");
        assert!(sandbox.join("image/index.json").exists() && !marked.exists(), "{out}");
        fs::write(marked, "").unwrap();
    }
    for (out, dir) in [("mine/", "own"), ("image/", "missing")] {
        let output = image_sh(out, dir, &usual);
        assert_eq!(output.status.code(), Some(1), "{out}: {output:?}");
    }
    // The last step of all fails.
    sandbox.script("own/mv", "test \"$1\" != -T && exec /bin/mv \"$@\"");
    let path = format!("{}:{}", sandbox.join("own").display(), usual);
    let output = image_sh("image", "own", &path);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(sandbox.join("image/marked").exists(), "the image is gone without another");
    assert_eq!([sandbox.read("image.new/mine"), sandbox.read("mine/file")], ["kept", "kept"]);
    assert_eq!(names(), ["image", "image.new", "mine", "own"].map(str::to_owned).into());
    let mode = fs::metadata(sandbox.join("image")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn an_archive_has_a_checksum_and_is_what_is_installed() {
    if passed_over() {
        return;
    }
    let sandbox = Sandbox::new();
    let dist = sandbox.join("dist");
    make(sandbox.command("sh"), "dist.sh", &[&dist]);
    let names = contents(&dist).into_keys().map(|path| path.to_str().unwrap().to_owned());
    let names: Vec<String> = names.filter(|name| name != "SHA256SUMS").collect();
    let sums = sandbox.read("dist/SHA256SUMS");
    let mut summed: Vec<&str> = sums.lines().filter_map(|line| Some(line.split_once("  ")?.1)).collect();
    summed.sort_unstable();
    assert_eq!(summed, names);
    let archive = names.iter().find(|name| name.ends_with(".tar.gz")).unwrap();
    let script = format!("sha256sum --check --strict --quiet SHA256SUMS && tar -xzf {archive}");
    let status = sandbox.command("sh").args(["-ec", &script]).current_dir(&dist).status();
    assert!(status.unwrap().success());
    assert_eq!(fs::read(dist.join("usr/bin/svbox")).unwrap(), fs::read(svbox()).unwrap());
    assert_eq!(fs::read_link(dist.join("usr/bin/runsv")).unwrap(), Path::new("svbox"));
    assert!(dist.join("usr/share/man/man8/runsv.8").exists());
}
