//! Services that need each other at random, with delays, deaths and failures to become ready: the order holds, and in the
//! end all are as they should be.

use super::needs::{Mode, end, in_both};
use super::*;
use rustix::process::Signal;
use std::path::Path;

/// Numbers that look random and are the same each time: xorshift.
struct Random(u64);

impl Random {
    /// Others with another number in `SVBOX_SEED`.
    fn new(seed: u64) -> Self {
        let other = std::env::var("SVBOX_SEED").ok().and_then(|seed| seed.parse().ok());
        Self(seed ^ other.unwrap_or(0_u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What `run` does first: whoever it needs has to be ready. Another's end shows by a file that is gone.
const BEFORE: &str = r#"me=${PWD##*/}
test -e ../../calm || for need in needs/*; do
    test ! -e "$need" || test -e "../${need#needs/}/alive" || echo $me started without $need >>../../wrong
done
: >alive
echo >>starts"#;

/// Before TERM: nobody that needs it may be there.
const LAST: &str = r#"me=${PWD##*/}
test -e ../../calm || for mark in supervise/needed/*; do
    one=../${mark##*/}
    test ! -e "$one/needs/$me" || test ! -e "$one/alive" || echo $me stopped before $one >>../../wrong
done
exit 1"#;

/// What `run` does next, until it is ready.
fn until_ready(random: &mut Random) -> String {
    let delay = random.below(30);
    match random.below(8) {
        // It does not become ready the first time, and then does.
        0 => "test -e second || { : >second; exec sleep 1000000; }".into(),
        // It dies once.
        1 => "test -e second || { : >second; exit 1; }".into(),
        2 | 3 => format!("sleep 0.{delay:02}"),
        _ => String::new(),
    }
}

/// So many services; each needs up to three of those before it. By their names they are in no order.
fn make<'s>(sandbox: &'s Sandbox, count: u64, random: &mut Random) -> Vec<Service<'s>> {
    let mut services: Vec<Service<'s>> = Vec::new();
    for number in 0..count {
        let name = format!("scan/{:04x}", (number * 40_503 + 7) % 65_536);
        let run = format!("{BEFORE}\n{}\necho >&3\nexec sleep 1000000", until_ready(random));
        let mut service = sandbox.service(&name).run(&run).script("control/t", LAST).finish("rm -f alive");
        service =
            service.file("notification-fd", "3").file("timeout-ready", "400").file("timeout-kill", "20000");
        for _ in 0..random.below(4).min(number) {
            // Mostly of the last ones, so that there are long ways.
            let far = if random.below(3) == 0 { 200 } else { 6 };
            let other = number - 1 - random.below(number.min(far));
            let other = services[usize::try_from(other).unwrap()].name.clone();
            let dir = if random.below(6) == 0 { "wants" } else { "needs" };
            service = service.file(&format!("{dir}/{}", other.trim_start_matches("scan/")), "");
        }
        services.push(service);
    }
    services
}

fn is_ready(service: &Service<'_>) -> bool {
    service.join("supervise/ready").exists()
}

#[track_caller]
fn until_all_ready(services: &[Service<'_>]) {
    let mut left: Vec<&Service<'_>> = services.iter().collect();
    until("that all are ready", || {
        left.retain(|service| !is_ready(service));
        left.is_empty()
    });
}

#[track_caller]
fn until_all_down(services: &[Service<'_>]) {
    services.iter().for_each(|service| _ = service.until_shown(Shown::Down));
}

#[test]
fn a_random_order_is_kept_by_200_services() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let services = make(&sandbox, 200, &mut random);
    let mut runsvdir = Mode::One.start(&sandbox, &[]);
    until_all_ready(&services);
    let said = runsvdir.stderr();
    let late = services.iter().filter(|one| one.read("run").contains("exec sleep 1000000; }")).count();
    let line = "warning: service does not become ready in time, stopping it";
    assert!(said.lines().filter(|said| said.ends_with(line)).count() >= late && late > 0, "{said}");
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    until_all_down(&services);
    assert_eq!(sandbox.read("wrong"), "");
}

#[test]
fn a_random_order_is_kept_by_as_many_supervisors() {
    if only_svbox("needs") {
        return;
    }
    let sandbox = Sandbox::new();
    let mut random = Random::new(0x2545_f491_4f6c_dd1d);
    let services = make(&sandbox, 40, &mut random);
    let runsvdir = Mode::Each.start(&sandbox, &[]);
    until_all_ready(&services);
    // The first one, and with it most.
    services[0].send(b"d");
    until_all_down(&services[..1]);
    services[0].send(b"u");
    until_all_ready(&services);
    end(&sandbox, runsvdir);
    until_all_down(&services);
    assert_eq!(sandbox.read("wrong"), "");
}

#[test]
fn whatever_happens_all_are_up_in_the_end_and_down_after_it() {
    if only_svbox("needs") {
        return;
    }
    in_both(|mode| {
        let sandbox = Sandbox::new();
        let mut random = Random::new(0x1234_5678_9abc_def1);
        let services = make(&sandbox, 24, &mut random);
        let runsvdir = mode.start(&sandbox, &[]);
        until_all_ready(&services);
        // What dies at the same time as something is started is not there, and nobody is wrong about it.
        sandbox.write("calm", "");
        for _ in 0..120 {
            let service = &services[usize::try_from(random.below(24)).unwrap()];
            match random.below(8) {
                0 => kill_supervisor(&sandbox, service, mode),
                1 => kill_service(service),
                2 => send(service, b"t"),
                3 => send(service, b"n"),
                4 | 5 => send(service, b"d"),
                _ => send(service, b"u"),
            }
        }
        for bytes in [b"d", b"u"] {
            for service in &services {
                until("a supervisor", || service.is_supervised());
                send(service, bytes);
                until("that it is heard", || is_heard(service));
            }
            match bytes {
                b"d" => until_all_down(&services),
                _ => until_all_ready(&services),
            }
        }
        fs::remove_file(sandbox.join("calm")).unwrap();
        end(&sandbox, runsvdir);
        until_all_down(&services);
        assert_eq!(sandbox.read("wrong"), "", "{mode:?}");
    });
}

/// Sends a command, if there is a supervisor at the moment.
fn send(service: &Service<'_>, bytes: &[u8]) {
    if service.is_supervised() {
        let _ = fs::OpenOptions::new().append(true).open(service.join("supervise/control")).and_then(
            |mut fifo| {
                use std::io::Write;
                fifo.write_all(bytes)
            },
        );
    }
}

/// Whether nothing is left of what was sent.
fn is_heard(service: &Service<'_>) -> bool {
    let fifo = fs::OpenOptions::new().read(true).write(true).open(service.join("supervise/control")).unwrap();
    rustix::io::ioctl_fionread(&fifo).unwrap() == 0
}

fn kill_service(service: &Service<'_>) {
    if let Some(pid) = rustix::process::Pid::from_raw(service.status().pid()) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

fn kill_supervisor(sandbox: &Sandbox, service: &Service<'_>, mode: Mode) {
    if mode == Mode::Each {
        let name = service.name.trim_start_matches("scan/");
        sandbox.running(&format!("runsv {name} ")).into_iter().for_each(|pid| kill(pid, Signal::KILL));
    }
}

#[test]
fn what_becomes_ready_between_a_look_and_the_wait_is_not_missed() {
    if only_svbox("needs") {
        return;
    }
    for (mode, count) in [(Mode::Each, 20), (Mode::One, 60)] {
        let sandbox = Sandbox::new();
        let run = "until test -e go; do sleep 0.002; done\necho >&3\nexec sleep 1000000";
        let pair = |number| {
            let db = sandbox.service(&format!("scan/db{number}")).run(run).file("notification-fd", "3");
            let web = sandbox.service(&format!("scan/web{number}")).run_forever();
            (db.down(), web.file(&format!("needs/db{number}"), "").down())
        };
        let pairs: Vec<_> = (0..count).map(pair).collect();
        let runsvdir = mode.start(&sandbox, &[]);
        let mut random = Random::new(0x0bad_cafe_dead_beef);
        for _ in 0..2 {
            for (db, web) in &pairs {
                until("supervisors", || db.is_supervised() && web.is_supervised());
                db.send(b"u");
                // In either order and at any distance.
                let web_first = random.below(2) == 0;
                if web_first {
                    web.send(b"u");
                }
                std::thread::sleep(Duration::from_micros(random.below(3000)));
                sandbox.write(Path::new(&db.name).join("go"), "");
                if !web_first {
                    web.send(b"u");
                }
            }
            for (db, web) in &pairs {
                web.until_up();
                fs::remove_file(db.join("go")).unwrap();
                web.send(b"d");
                db.send(b"d");
            }
            for (db, web) in &pairs {
                until("both down", || [db, web].iter().all(|one| one.status().shown() == Shown::Down));
            }
        }
        end(&sandbox, runsvdir);
    }
}
