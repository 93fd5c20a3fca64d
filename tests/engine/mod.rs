//! Several service directories in one process: they do not notice each other.

use crate::kit::*;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An example of the package: cargo builds those with the suite, unless only some tests are asked for.
fn engine() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = ["build", "--quiet", "--example", "engine"];
        let built =
            Command::new(env!("CARGO")).args(build).current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success());
        let suite = std::env::current_exe().unwrap();
        suite.parent().unwrap().parent().unwrap().join("examples/engine")
    })
}

/// Starts it for these services.
pub fn supervise(sandbox: &Sandbox, services: &[&Service<'_>]) -> Running {
    let mut command = sandbox.command(engine());
    command.args(services.iter().map(|service| &service.name));
    let running = sandbox.start(command);
    services.iter().for_each(|service| until("a supervisor", || service.is_supervised()));
    running
}

#[test]
fn one_process_serves_any_number_of_directories() {
    let sandbox = Sandbox::new();
    let services: Vec<_> =
        (0..20).map(|number| sandbox.service(&format!("s{number}")).run_forever()).collect();
    let mut engine = supervise(&sandbox, &services.iter().collect::<Vec<_>>());
    let mut pids: Vec<i32> = services.iter().map(Service::until_up).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 20);
    engine.signal(rustix::process::Signal::TERM);
    assert_eq!(engine.ended().code(), Some(0), "{}", engine.stderr());
    assert_eq!(sandbox.processes(), []);
}

#[test]
fn each_directory_has_its_own_commands_loggers_and_scripts() {
    let sandbox = Sandbox::new();
    let one = sandbox.service("one").run("pwd\nexec sleep 1000000").logged().finish("echo $1 $2 >>ended");
    let two = sandbox.service("two").run("pwd\nexec sleep 1000000").logged().finish("echo $1 $2 >>ended");
    let mut engine = supervise(&sandbox, &[&one, &two]);
    let stays = two.until_up();
    one.until_up();
    one.send(b"d");
    one.until_lines("ended", 1);
    one.until_shown(Shown::Down);
    assert_eq!(one.read("ended"), "-1 15\n");
    one.until_lines("logged", 1);
    two.until_lines("logged", 1);
    assert_eq!(one.read("logged"), format!("{}\n", sandbox.join("one").display()));
    assert_eq!(two.read("logged"), format!("{}\n", sandbox.join("two").display()));
    assert_eq!((two.status().pid(), two.read("ended")), (stays, String::new()));
    engine.signal(rustix::process::Signal::TERM);
    assert_eq!(engine.ended().code(), Some(0), "{}", engine.stderr());
}

#[test]
fn a_directory_that_has_left_does_not_take_the_others_along() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.service("one").run_forever(), sandbox.service("two").run_forever());
    let mut engine = supervise(&sandbox, &[&one, &two]);
    one.until_up();
    let stays = two.until_up();
    one.send(b"x");
    one.until_shown(Shown::Down);
    let again = {
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(stays).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
        two.until_up_again(stays)
    };
    assert_ne!(again, stays);
    assert!(engine.lives());
    two.send(b"x");
    assert_eq!(engine.ended().code(), Some(0), "{}", engine.stderr());
}
