//! Services go on while the programs of a machine that runs are replaced, and both kinds work with each other's files.

use super::roots::{Root, SERVICES};
use crate::kit::*;
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A Void whose services run under runit's runsvdir.
struct Machine<'s> {
    root: Root<'s>,
    services: [Service<'s>; 2],
}

impl<'s> Machine<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let root = Root::void(sandbox);
        fs::create_dir(sandbox.join("theirs")).unwrap();
        for name in ["runsv", "runsvdir", "sv", "svlogd"] {
            let mut copy = Command::new("cp");
            copy.arg(root.join("usr/bin").join(name)).arg(sandbox.join("theirs"));
            assert!(copy.status().unwrap().success());
        }
        let services = SERVICES.map(|name| sandbox.service(&format!("machine/etc/sv/{name}")));
        Self { root, services }
    }

    /// A program, found in the machine's PATH, with its services.
    fn command(&self, program: &str) -> Command {
        let mut command = self.root.sandbox.command("env");
        let path = format!("{}:/usr/bin:/bin", self.root.join("usr/bin").display());
        command.arg(format!("PATH={path}")).arg(format!("SVDIR={}", self.scan())).arg(program);
        command
    }

    fn scan(&self) -> String {
        self.root.join("etc/runit/runsvdir/current").display().to_string()
    }

    fn runsvdir(&self) -> Running {
        let mut command = self.command("runsvdir");
        command.args(["-P", &self.scan()]);
        self.root.sandbox.start(command)
    }

    /// What runit's own `sv` or the machine's says.
    #[track_caller]
    fn sv(&self, whose: &str, args: &[&str]) -> String {
        let output = self.command(whose).args(args).output().unwrap();
        let said = format!("{}{}", steady(&output.stdout), steady(&output.stderr));
        assert!(output.status.success(), "{whose} {args:?}: {said}");
        said
    }

    fn theirs(&self) -> String {
        self.root.sandbox.join("theirs/sv").display().to_string()
    }

    /// The numbers of the services' processes and their loggers'.
    fn processes(&self) -> [(i32, i32); 2] {
        self.services.each_ref().map(|service| {
            let logger = until_some("a logger", || {
                let status = fs::read(service.join("log/supervise/status")).ok()?;
                Some(Status(status.try_into().ok()?).pid()).filter(|pid| *pid > 0)
            });
            (service.until_up(), logger)
        })
    }

    fn supervisors(&self) -> Vec<bool> {
        self.root.sandbox.named("runsv").into_iter().map(is_svbox).collect()
    }

    fn put_back(&self) {
        for name in ["runsv", "runsvdir", "sv", "svlogd"] {
            let place = self.root.join("usr/bin").join(name);
            fs::remove_file(&place).unwrap();
            fs::rename(self.root.sandbox.join("theirs").join(name), place).unwrap();
        }
    }
}

/// Whether a process runs the file that was installed.
fn is_svbox(pid: i32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|file| file.ends_with(Path::new("usr/bin/svbox")))
}

/// Sends TERM to a runsvdir, which leaves its services alone.
fn end(mut runsvdir: Running) {
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
}

#[test]
fn services_go_on_while_a_void_is_switched_and_while_it_is_switched_back() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let machine = Machine::new(&sandbox);
    let runsvdir = machine.runsvdir();
    let before = machine.processes();
    // A child that is about to run a script has the name of its parent for a moment.
    until("runit's supervisors", || machine.supervisors() == [false; 2]);
    assert!(!is_svbox(runsvdir.pid()));

    install(&machine.root.join(""), "programs");
    end(runsvdir);
    let runsvdir = machine.runsvdir();
    until("the new runsvdir", || is_svbox(runsvdir.pid()));
    machine.sv("sv", &["-w", "60", "up", "web"]);
    assert_eq!(machine.processes(), before);
    until("no other supervisors", || machine.supervisors() == [false; 2]);

    // Each by itself; what is exchanged is one service, and what it starts is new, too.
    machine.sv("sv", &["-w", "60", "exit", "web"]);
    machine.services[1].until_up_again(before[1].0);
    let [getty, web] = machine.processes();
    assert!(getty == before[0] && !is_svbox(getty.1));
    until("the new logger", || is_svbox(web.1));
    until("one of each kind", || {
        let mut supervisors = machine.supervisors();
        supervisors.sort();
        supervisors == [false, true]
    });

    // And back: runit's runsvdir finds the one that has noted its service, and cannot start another beside it.
    machine.put_back();
    end(runsvdir);
    let _runsvdir = machine.runsvdir();
    machine.sv("sv", &["status", "web"]);
    assert_eq!(machine.processes(), [getty, web]);
    // runit's sv, which looks now and then, would miss that nobody is there for a moment.
    machine.services[1].send(b"x");
    machine.services[1].until_up_again(web.0);
    until("runit's supervisors", || machine.supervisors() == [false; 2]);
    assert_eq!(machine.processes()[0], before[0]);
}

/// Everything that one `sv` does to one supervisor.
fn drive(machine: &Machine<'_>, sv: &str, service: &Service<'_>, name: &str) {
    let pid = service.until_up();
    assert!(machine.sv(sv, &["status", name]).starts_with(&format!("run: {name}: (pid {pid}) ")));
    machine.sv(sv, &["-w", "60", "restart", name]);
    let pid = service.until_up_again(pid);
    machine.sv(sv, &["-w", "60", "down", name]);
    machine.sv(sv, &["-w", "60", "-v", "down", name]);
    assert!(machine.sv(sv, &["status", name]).starts_with(&format!("down: {name}: ")));
    machine.sv(sv, &["-v", "-w", "60", "up", name]);
    let pid = service.until_up_again(pid);
    machine.sv(sv, &["pause", name]);
    until("STOP", || service.status().paused());
    assert!(machine.sv(sv, &["status", name]).contains(", paused"));
    machine.sv(sv, &["cont", name]);
    until("CONT", || !service.status().paused());
    machine.sv(sv, &["term", name]);
    service.until_up_again(pid);
}

#[test]
fn the_one_sv_drives_the_others_supervisors() {
    if only_svbox("multicall") {
        return;
    }
    let sandbox = Sandbox::new();
    let machine = Machine::new(&sandbox);
    let mut runsvdir = machine.runsvdir();
    machine.processes();
    install(&machine.root.join(""), "programs");
    let theirs = machine.theirs();
    let [getty, web] = &machine.services;
    drive(&machine, "sv", getty, SERVICES[0]);
    drive(&machine, &theirs, web, SERVICES[1]);
    end(runsvdir);
    runsvdir = machine.runsvdir();
    machine.sv("sv", &["-w", "60", "exit", "web", "agetty-tty1"]);
    until("svbox's supervisors", || machine.supervisors() == [true; 2]);
    drive(&machine, &theirs, getty, SERVICES[0]);
    drive(&machine, "sv", web, SERVICES[1]);
    machine.sv(&theirs, &["-w", "60", "force-stop", "web"]);
    assert!(runsvdir.lives());
}
