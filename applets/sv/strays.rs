//! Processes of a service that are neither `./run` nor descend from it any more.

use super::super::output::Output;
use super::{Place, own};
use svbox::service::processes::{self, Process, Processes};
use svbox::service::settings::KillScope;
use svbox::service::status::{Shown, Status};
use svbox::service::{cgroup, names};
use svbox::sys::file;
use svbox::sys::process::Pid;
use svbox::text::Cut;

/// So many of them are named.
const MOST: usize = 10;

/// Adds the numbers of those that are known: only `kill-scope` has the processes of a service kept together.
pub fn put(place: &Place, status: &Status, output: &mut Output) {
    let run = i32::try_from(status.pid).ok().and_then(Pid::from_raw).filter(|_| status.shown == Shown::Run);
    let scope = own::kill_scope(place);
    if scope == KillScope::Process {
        return;
    }
    let mark = place.open_state().and_then(cgroup::mark);
    let is_of_service = |its: &Process| match scope {
        KillScope::Process => false,
        KillScope::Group => run.is_some() && its.group == run,
        KillScope::Tree => {
            let holds = |pid| mark.as_ref().is_ok_and(|mark| cgroup::holds(mark, pid));
            match run {
                Some(run) if !holds(run) => is_of_supervisor(place, run, its),
                _ => holds(its.pid),
            }
        }
    };
    let mut count = 0;
    let mut processes = Processes::list();
    while let Some(its) = processes.next_process() {
        let descends = run.is_some_and(|run| its.pid == run || processes::branch(&its, run).is_some());
        if !descends && is_of_service(&its) {
            match count {
                0 => _ = output.put(b", strays"),
                MOST => _ = output.put(b" ..."),
                _ => {}
            }
            if count < MOST {
                output.put(b" ").number(its.pid.as_raw_nonzero().get().unsigned_abs().into());
            }
            count += 1;
        }
        if count > MOST {
            return;
        }
    }
}

/// Whether it descends from the supervisor of `./run`, to which orphans come where there is no cgroup, but not by the logger.
fn is_of_supervisor(place: &Place, run: Pid, its: &Process) -> bool {
    let supervisor = processes::look(run).ok().and_then(|run| run.parent).filter(|parent| is_runsv(*parent));
    let Some(branch) = supervisor.and_then(|supervisor| processes::branch(its, supervisor)) else {
        return false;
    };
    let logger = place.status(names::Part::Log).map_or(0, |status| status.pid);
    i64::from(branch.as_raw_nonzero().get()) != i64::from(logger)
}

/// Whether it has the name of the supervisor of one service: orphans that come to another one can be anybody's.
fn is_runsv(pid: Pid) -> bool {
    let mut text = [0; 256];
    let mut path = processes::path(pid);
    let read = path.push(b"/cmdline").c_str().map(|path| file::read_text(file::CWD, path, &mut text));
    read.is_some_and(|line| line.is_ok_and(|line| line.before(0).behind(b'/') == b"runsv"))
}
