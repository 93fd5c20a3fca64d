//! A machine of its own: a kernel in QEMU whose process 1 is svbox, with the stages and the tools that come with it.

use super::{DEADLINE, Sandbox, against_runit, project, svbox, until};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The files of a machine that has not been started: a small system, whose services are those of the test.
pub struct Guest {
    sandbox: Sandbox,
}

/// A machine that runs. Gone when dropped.
pub struct Machine {
    qemu: Child,
    console: Arc<Mutex<String>>,
    sandbox: Sandbox,
}

/// Whether a machine can be had: of the kind there is a kernel for, with the static program.
pub fn no_guest() -> bool {
    let none =
        against_runit() || !cfg!(target_arch = "x86_64") || std::env::var_os("SVBOX_PROGRAM").is_none();
    if none {
        eprintln!("passed over: it takes the static program");
    }
    none
}

/// Emulated, and several at once, machines take their time.
const LATEST: std::time::Duration = DEADLINE.saturating_mul(6);

impl Guest {
    /// One without services.
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        for part in ["programs", "init"] {
            let installed = Command::new(project().join("scripts/install.sh"))
                .current_dir(project())
                .arg(svbox())
                .arg(part)
                .env("DESTDIR", sandbox.join("root"))
                .status();
            assert!(installed.unwrap().success());
        }
        let guest = Self { sandbox };
        for set in ["default", "single"] {
            let set = guest.path("etc/runit/runsvdir").join(set);
            fs::remove_dir_all(&set).unwrap();
            fs::create_dir(&set).unwrap();
        }
        guest.write("etc/passwd", "root:x:0:0::/:/bin/sh\nwww:x:1000:1000::/:/bin/sh\n");
        guest
    }

    /// The path of a file of the machine.
    pub fn path(&self, path: &str) -> PathBuf {
        self.sandbox.join("root").join(path)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        self.sandbox.write(Path::new("root").join(path), text);
    }

    /// Writes a shell script.
    pub fn script(&self, path: &str, body: &str) {
        self.sandbox.script(Path::new("root").join(path), body);
    }

    /// Adds a service that speaks on the console.
    pub fn service(&self, name: &str, run: &str) {
        self.script(&format!("etc/sv/{name}/run"), &format!("exec >/dev/console 2>&1\n{run}"));
        symlink(format!("/run/runit/supervise.{name}"), self.path(&format!("etc/sv/{name}/supervise")))
            .unwrap();
        symlink(format!("/etc/sv/{name}"), self.path(&format!("etc/runit/runsvdir/default/{name}"))).unwrap();
    }

    /// Starts it.
    pub fn boot(self, kernel_words: &str) -> Machine {
        let (image, root) = (self.sandbox.join("image"), self.sandbox.join("root"));
        let packed = Command::new(project().join("scripts/initramfs.sh"))
            .current_dir(project())
            .arg(svbox())
            .arg(&image)
            .arg(root)
            .status();
        assert!(packed.unwrap().success());
        let mut qemu = Command::new("qemu-system-x86_64")
            .args(["-m", "256", "-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio", "-kernel"])
            .arg(kernel_file("vmlinuz"))
            .arg("-initrd")
            .arg(image)
            .arg("-monitor")
            .arg(format!("unix:{},server,nowait", self.sandbox.join("monitor").display()))
            .arg("-append")
            .arg(format!("console=ttyS0 quiet panic=-1 rdinit=/sbin/init {kernel_words}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let console = Arc::new(Mutex::new(String::new()));
        let (mut output, shown) = (qemu.stdout.take().unwrap(), Arc::clone(&console));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).replace('\r', "");
                shown.lock().unwrap().push_str(&text);
            }
        });
        Machine { qemu, console, sandbox: self.sandbox }
    }
}

/// A file that was fetched for guests.
pub fn kernel_file(name: &str) -> PathBuf {
    fetched("guest").join(name)
}

/// Where set-up has put what it has fetched of one kind.
pub fn fetched(kind: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project().join("target"), PathBuf::from);
    target.join(kind)
}

impl Machine {
    /// What the console has shown.
    pub fn console(&self) -> String {
        self.console.lock().unwrap().clone()
    }

    /// Waits until the console has shown this.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        let end = Instant::now() + LATEST;
        while !self.console().contains(text) {
            let is_over = Instant::now() > end || self.qemu.try_wait().unwrap().is_some();
            assert!(
                !is_over || self.console().contains(text),
                "no {text:?} on the console:\n{}",
                self.console()
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Waits until the machine is off or about to start again; gives what the console has shown.
    #[track_caller]
    pub fn until_off(mut self) -> String {
        let end = Instant::now() + LATEST;
        while self.qemu.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it is still on:\n{}", self.console());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        self.console()
    }

    /// Presses keys, by QEMU's names.
    pub fn press(&self, keys: &str) {
        let mut monitor = None;
        until("the monitor", || {
            monitor = UnixStream::connect(self.sandbox.join("monitor")).ok();
            monitor.is_some()
        });
        let mut monitor = monitor.unwrap();
        writeln!(monitor, "sendkey {keys}").unwrap();
        // Its answer, an echo and the next prompt: what is hung up before may not have been heard.
        let mut said = String::new();
        until("the answer of the monitor", || {
            let mut bytes = [0; 256];
            let count = monitor.read(&mut bytes).unwrap();
            said.push_str(&String::from_utf8_lossy(&bytes[..count]));
            said.matches("(qemu)").count() >= 2
        });
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// Asserts that the console has shown these lines in this order, whatever lies between them.
#[track_caller]
pub fn assert_in_order(console: &str, lines: &[&str]) {
    let mut rest = console.lines();
    for line in lines {
        // The first may have what the firmware has drawn before it.
        assert!(rest.any(|shown| shown.ends_with(line)), "{line:?} is missing, or too early:\n{console}");
    }
}
