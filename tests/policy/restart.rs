//! `restart`, `finish` that exits 125, `supervise/deaths`, `supervise/failed`, `notify`.

use super::*;

/// The pauses between the ends and the starts that follow them.
fn pauses(service: &Service<'_>) -> Vec<Duration> {
    moments(service, "starts")
        .into_iter()
        .skip(1)
        .zip(moments(service, "ends"))
        .map(|(start, end)| start - end)
        .collect()
}

const END: &str = "date +%s%N >>ends";

#[test]
fn each_pause_is_longer_up_to_the_longest() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service =
        counted(&sandbox, &format!("{END}\nexit 1")).file("restart", "always delay=100ms factor=2 max=400ms");
    let _runsv = service.supervise();
    service.until_lines("starts", 6);
    for (pause, least) in pauses(&service).into_iter().zip([100, 200, 400, 400, 400]) {
        assert!(pause >= Duration::from_millis(least - 2), "{pause:?} after {least} ms");
    }
}

#[test]
fn without_a_delay_it_starts_at_once() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 1").file("restart", "always delay=0 limit=31/1h");
    let _runsv = service.supervise();
    service.until_lines("starts", 32);
    until("that it has failed", || service.join("supervise/failed").exists());
    // With runit's pause of a second these were 31 seconds.
    let starts = moments(&service, "starts");
    assert!(starts.windows(2).any(|pair| pair[1] - pair[0] < Duration::from_secs(1)));
}

#[test]
fn what_cannot_live_does_not_take_the_processor() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 1").file("restart", "always delay=0");
    let _runsv = service.supervise();
    service.until_lines("starts", 40);
    let starts = moments(&service, "starts");
    // The first death of the 32 comes after the first start here, and the last one before the last.
    for window in starts.windows(33).filter(|window| window[32] - window[0] <= Duration::from_secs(8)) {
        let pause = window[32] - window[31];
        assert!(pause >= Duration::from_millis(248), "{pause:?} after 32 deaths in a row");
    }
}

#[test]
fn on_failure_means_not_after_0() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let body = "test $(wc -l <starts) -ge 3 && exit 0\ntest $(wc -l <starts) -ge 2 && kill -KILL $$\nexit 1";
    let service = counted(&sandbox, body).file("restart", "on-failure delay=10ms");
    let _runsv = service.supervise();
    service.until_lines("starts", 3);
    until("that it is down and to stay so", || {
        let status = service.status();
        status.shown() == Shown::Down && status.want() == 'd'
    });
    assert_eq!(service.lines("starts"), 3);
    assert!(!service.join("supervise/failed").exists());
    assert!(service.sv(&["-w", "60", "once"]).status.success());
    service.until_lines("starts", 4);
}

#[test]
fn never_means_once() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 3").file("restart", "never").finish("echo $1 >>finished");
    let _runsv = service.supervise();
    service.until_lines("finished", 1);
    until("that it is down and to stay so", || {
        let status = service.status();
        status.shown() == Shown::Down && status.want() == 'd'
    });
    assert_eq!((service.lines("starts"), service.read("finished").as_str()), (1, "3\n"));
}

#[test]
fn too_many_deaths_are_a_failure_that_a_start_forgives() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 7").file("restart", "always delay=10ms limit=2/1h");
    let runsv = service.supervise();
    until_said(&service, &runsv, "service has failed, not starting it again");
    until("that it shows", || service.join("supervise/failed").exists());
    assert_eq!(service.lines("starts"), 3);
    let status = String::from_utf8(service.sv(&["status"]).stdout).unwrap();
    assert!(
        status.starts_with("down: ") && status.ends_with(", normally up, want up, failed\n"),
        "{status:?}"
    );
    assert_eq!(service.stat(), "down");
    service.send(b"u");
    service.until_lines("starts", 6);
    until("that it has failed again", || {
        times_said(&runsv, "service has failed, not starting it again") == 2
    });
    service.send(b"d");
    sandbox.write("one/restart", "always delay=10ms");
    service.send(b"o");
    service.until_lines("starts", 7);
    until("that nothing shows any more", || !service.join("supervise/failed").exists());
}

#[test]
fn a_failed_service_leaves_when_it_is_told_to() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 7").file("restart", "always delay=10ms limit=1/1h").logged();
    let mut runsv = service.supervise();
    until_said(&service, &runsv, "service has failed, not starting it again");
    service.send(b"x");
    assert_eq!(runsv.ended().code(), Some(0));
}

#[test]
fn finish_can_say_that_it_has_failed() {
    if only_svbox("own files") {
        return;
    }
    for asked in [false, true] {
        let sandbox = Sandbox::new();
        let body = if asked { "exec sleep 1000000" } else { "exit 1" };
        let service = counted(&sandbox, body).file("restart", "always delay=10ms").finish("exit 125");
        let runsv = service.supervise();
        if asked {
            service.until_lines("starts", 1);
            service.send(b"t");
        }
        until_said(&service, &runsv, "service has failed, not starting it again");
        assert_eq!(service.lines("starts"), 1);
    }
}

#[test]
fn without_the_file_125_means_nothing() {
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 1").finish("exit 125");
    let _runsv = service.supervise();
    service.until_lines("starts", 2);
    assert!(!service.join("supervise/deaths").exists() && !service.join("supervise/failed").exists());
}

#[test]
fn deaths_are_written_down_and_ends_that_were_asked_for_are_none() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(
        &sandbox,
        "case $(wc -l <starts) in 1) exit 4 ;; 2) kill -USR1 $$ ;; esac\nexec sleep 1000000",
    )
    .file("restart", "always delay=10ms");
    let _runsv = service.supervise();
    service.until_lines("starts", 3);
    service.until_up();
    assert!(service.sv(&["-w", "60", "restart"]).status.success());
    service.until_lines("starts", 4);
    let deaths = service.read("supervise/deaths");
    let lines: Vec<(&str, &str)> = deaths.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, how)| *how).collect::<Vec<_>>(), ["4 0", "-1 10"]);
    assert!(lines.iter().all(|(label, _)| label.len() == 25 && label.starts_with("@40000000")), "{deaths:?}");
}

#[test]
fn the_last_32_deaths_are_kept() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit $(wc -l <starts)").file("restart", "always delay=0");
    let _runsv = service.supervise();
    until("forty deaths", || service.lines("starts") > 41);
    down(&service);
    let deaths = service.read("supervise/deaths");
    let codes: Vec<u32> =
        deaths.lines().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(codes.len(), 32);
    assert!(codes.windows(2).all(|pair| pair[1] == pair[0] + 1), "{codes:?}");
}

#[test]
fn who_is_called_up_while_what_it_has_left_is_ended_does_not_fail() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    // The second death is one too many; what that run leaves does not end with TERM.
    let left =
        "(trap '' TERM; echo >>left; until test -e go; do sleep 0.01; done) & until test -e left; do :; done";
    let which = "case $(wc -l <starts) in 1) exit 1;; 3) exec sleep 1000000;; esac";
    let service = counted(&sandbox, &format!("{which}\n{left}\nexit 1"))
        .file("restart", "always delay=10ms limit=1/1h")
        .file("kill-scope", "group")
        .file("timeout-kill", "600000");
    let _runsv = service.supervise();
    until("its end", || {
        service.join("left").exists()
            && service.status().pid() == 0
            && service.status().shown() == Shown::Finish
    });
    service.send(b"u");
    until("that it is read", || service.unread() == 0);
    sandbox.write("one/go", "");
    service.until_lines("starts", 3);
    assert!(!service.join("supervise/failed").exists());
}

#[test]
fn notify_is_told_of_deaths_and_of_the_failure() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 7")
        .file("restart", "always delay=200ms limit=1/1h")
        .script("notify", "echo \"$@\" >>told");
    let _runsv = service.supervise();
    until("all events", || service.read("told").contains("failed 7 0 2\n"));
    assert!(service.read("told").starts_with("died 7 0 1\n"));
}

#[test]
fn a_notify_that_hangs_holds_nothing_up() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 7")
        .file("restart", "always delay=10ms limit=5/1h")
        .script("notify", "echo \"$@\" >>told\ntest -e go || { sleep 1000000; exit 1; }");
    let runsv = service.supervise();
    until_said(&service, &runsv, "service has failed, not starting it again");
    assert_eq!((service.lines("starts"), service.read("told").as_str()), (6, "died 7 0 1\n"));
    sandbox.write("one/go", "");
    until("the last event, once the first is over", || service.read("told").ends_with("failed 7 0 6\n"));
    assert_eq!(service.lines("told"), 2);
    until("the end of what it has started", || sandbox.named("sleep").is_empty());
}

#[test]
fn notify_is_told_the_last_event_of_those_that_came_while_it_ran() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    // It fails after two deaths; called up again it dies once more, and then stays.
    let service = counted(&sandbox, "test $(wc -l <starts) -lt 4 || exec sleep 1000000\nexit 7")
        .file("restart", "always delay=10ms limit=1/1h")
        .script("notify", "echo \"$@\" >>told\nuntil test -e go; do sleep 0.01; done");
    let _runsv = service.supervise();
    until("that it has failed", || service.join("supervise/failed").exists());
    service.send(b"u");
    service.until_lines("starts", 4);
    sandbox.write("one/go", "");
    service.until_lines("told", 2);
    assert_eq!(service.read("told"), "died 7 0 1\ndied 7 0 3\n");
}

#[test]
fn notify_is_told_of_a_core_as_finish_is() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    // Whether there is one is up to the machine.
    let service = counted(&sandbox, "ulimit -c unlimited; exec env --default-signal sh -c 'kill -ABRT $$'")
        .file("restart", "never")
        .finish("echo $1 $2 >>ended")
        .script("notify", "echo $2 $3 >>told");
    let _runsv = service.supervise();
    service.until_lines("ended", 1);
    service.until_lines("told", 1);
    assert_eq!(service.read("told"), service.read("ended"));
    assert!(service.read("supervise/deaths").ends_with(" -1 6\n"));
}

#[test]
fn an_end_that_a_control_program_brings_about_is_no_death() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exec sleep 1000000")
        .file("restart", "never")
        .script("control/t", "kill -INT \"$1\"");
    let _runsv = service.supervise();
    service.until_lines("starts", 1);
    service.until_up();
    service.send(b"t");
    // It is started again, since that was asked for.
    service.until_lines("starts", 2);
    assert!(!service.join("supervise/deaths").exists());
}

#[test]
fn down_ends_the_failure_too() {
    if only_svbox("own files") {
        return;
    }
    let sandbox = Sandbox::new();
    let service = counted(&sandbox, "exit 7").file("restart", "always delay=10ms limit=1/1h");
    let _runsv = service.supervise();
    until("that it has failed", || service.join("supervise/failed").exists());
    service.send(b"d");
    until("that nothing shows any more", || !service.join("supervise/failed").exists());
}
