//! Services that need each other at random, with delays, deaths and failures to become ready: the order holds, and in the
//! end all are as they should be.

mod order;

use super::needs::{Mode, end, in_both};
use super::*;
use order::Rule;
use rustix::process::{Pid, Signal, kill_process};
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

/// What `run` does until it is ready.
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

/// Whether it is one that does not become ready the first time.
fn is_late(does: &str) -> bool {
    does.contains("exec sleep 1000000; }")
}

/// What some do before they say something.
fn first(random: &mut Random) -> &'static str {
    if random.below(4) == 0 { "sleep 0.05\n" } else { "" }
}

/// So many services; each needs up to three of those before it. By their names they are in no order.
fn make<'s>(sandbox: &'s Sandbox, count: u64, random: &mut Random) -> Vec<Service<'s>> {
    let mut services: Vec<Service<'s>> = Vec::new();
    for number in 0..count {
        let name = format!("{:04x}", (number * 40_503 + 7) % 65_536);
        let until_ready = until_ready(random);
        let within = if is_late(&until_ready) { "400" } else { "10000" };
        let mut service = sandbox
            .service(&format!("scan/{name}"))
            .run(&order::run(&name, &until_ready))
            .script("control/t", &order::stop(&name))
            .finish(&format!("{}{}", first(random), order::end(&name)));
        service =
            service.file("notification-fd", "3").file("timeout-ready", within).file("timeout-kill", "20000");
        for _ in 0..random.below(4).min(number) {
            // Mostly of the last ones, so that there are long ways.
            let far = if random.below(3) == 0 { 200 } else { 6 };
            let other = number - 1 - random.below(number.min(far));
            let other = order::name(&services[usize::try_from(other).unwrap()]);
            let dir = if random.below(6) == 0 { "wants" } else { "needs" };
            service = service.file(&format!("{dir}/{other}"), "");
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

/// Each has been there once.
#[track_caller]
fn until_none_is_left(sandbox: &Sandbox, services: &[Service<'_>]) {
    until_all_down(services);
    until("the end of all services", || sandbox.running("sleep 1000000").is_empty());
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
    let late = services.iter().filter(|one| is_late(&one.read("run"))).count();
    let line = "warning: service does not become ready in time, stopping it";
    assert!(said.lines().filter(|said| said.ends_with(line)).count() >= late && late > 0, "{said}");
    // One supervisor tells them all before it looks at any.
    Rule::Wants.begin(&sandbox);
    runsvdir.signal(Signal::TERM);
    assert_eq!(runsvdir.ended().code(), Some(0));
    until_none_is_left(&sandbox, &services);
    let looked = order::check(&services);
    assert!(looked.starts > 200 && looked.stops > 200, "{looked:?}");
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
    until_none_is_left(&sandbox, &services);
    let looked = order::check(&services);
    assert!(looked.starts > 40 && looked.stops > 40, "{looked:?}");
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
        let prepared = |service| {
            let says = order::prepare(order::name(&service));
            service.script("control/u", &format!("{}{says}", first(&mut random)))
        };
        let services: Vec<_> = services.into_iter().map(prepared).collect();
        let mut runsvdir = mode.start(&sandbox, &[]);
        until_all_ready(&services);
        Rule::Deaths.begin(&sandbox);
        let before = order::starts(&sandbox);
        for turn in 0.. {
            if turn >= 250 && order::starts(&sandbox) > before + 30 {
                break;
            }
            assert!(turn < 5000, "nothing is started");
            let service = &services[usize::try_from(random.below(24)).unwrap()];
            match random.below(16) {
                0 => kill_supervisor(&sandbox, service, mode, &mut runsvdir),
                1 => {
                    kill_service(service);
                    kill_supervisor(&sandbox, service, mode, &mut runsvdir);
                }
                2 => kill_service(service),
                3 | 4 => {
                    // It comes back, and what it needs dies meanwhile.
                    kill_service(service);
                    std::thread::sleep(Duration::from_millis(random.below(60)));
                    kill_service(need_of(service, &services));
                }
                5 => send(service, b"t"),
                6 => send(service, b"n"),
                7 => send(service, b"d"),
                _ => send(service, b"u"),
            }
            // Sometimes it has come far until the next one, and sometimes not.
            std::thread::sleep(Duration::from_millis(random.below(25)));
        }
        for service in &services {
            until("a supervisor", || service.is_supervised());
            service.send(b"d");
        }
        until("that all are down", || services.iter().all(is_down_for_good));
        Rule::Down.begin(&sandbox);
        // Those first that others need or want, and last when they are told to stop.
        services.iter().for_each(|service| tell(service, b'u'));
        until_all_ready(&services);
        services.iter().rev().for_each(|service| tell(service, b'd'));
        until_all_down(&services);
        end(&sandbox, runsvdir);
        until_none_is_left(&sandbox, &services);
        let looked = order::check(&services);
        assert!(looked.starts > 24 && looked.stops > 24 && looked.deaths > 0, "{mode:?}: {looked:?}");
    });
}

/// Has it known what is wanted.
#[track_caller]
fn tell(service: &Service<'_>, want: u8) {
    service.send(&[want]);
    until("that it is known", || service.status().want() == char::from(want));
}

fn is_down_for_good(service: &Service<'_>) -> bool {
    let status = service.status();
    status.shown() == Shown::Down && status.want() == 'd'
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

fn kill_service(service: &Service<'_>) {
    if let Some(pid) = Pid::from_raw(service.status().pid()) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Whether nothing is open any more of a process that was killed.
pub(super) fn has_ended(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

/// One that it needs, or itself.
fn need_of<'o, 's>(service: &'o Service<'s>, services: &'o [Service<'s>]) -> &'o Service<'s> {
    let needs = |other: &&Service<'s>| service.join("needs").join(order::name(other)).exists();
    services.iter().rfind(needs).unwrap_or(service)
}

/// Kills whoever supervises it. Then that is gone, and the next one comes.
fn kill_supervisor(sandbox: &Sandbox, service: &Service<'_>, mode: Mode, runsvdir: &mut Running) {
    match mode {
        Mode::Each => {
            let killed = sandbox.running(&format!("runsv {} ", order::name(service)));
            // Some may have gone: to QEMU vfork is fork, and a child is called like this until it is another program.
            let pids = killed.iter().copied().filter_map(Pid::from_raw);
            pids.for_each(|pid| _ = kill_process(pid, Signal::KILL));
            until("its end", || killed.iter().all(|&pid| has_ended(pid)));
        }
        Mode::One => {
            runsvdir.signal(Signal::KILL);
            runsvdir.ended();
            *runsvdir = mode.start(sandbox, &[]);
            until("the next supervisor", || service.is_supervised());
        }
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
