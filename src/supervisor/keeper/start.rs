//! Starting `./run`, `./finish` and control scripts.

use super::{Keeper, Process, Script, Then};
use crate::service::command::Command;
use crate::service::machine::{Event, Limit};
use crate::service::names::Part;
use crate::supervisor::own::{Extras, Other, SETUP};
use crate::supervisor::unit::Place;
use crate::supervisor::{World, adopt};
use crate::sys::process::{self, Pid};
use crate::sys::spawn::{self, More, Spawn};
use crate::sys::{AsFd, Errno, Result, file};
use crate::tai::Tai;
use crate::text::Text;
use core::ffi::CStr;

impl Keeper {
    pub(super) fn has_script(&self, command: Command, place: &Place) -> bool {
        if self.part == Part::Log || !self.own.may_have(Other::Control) {
            return false;
        }
        let path = script_path(command);
        let Some(path) = path.c_str() else { return false };
        match file::stat(place.dir.as_fd(), path) {
            Ok(stat) => file::is_executable(&stat),
            Err(Errno::NOENT) => false,
            Err(errno) => {
                place.report.warn_of(b"unable to stat ", path.to_bytes(), errno);
                false
            }
        }
    }

    /// Starts `control/C` if it is there; gives whether its end is to be waited for.
    pub(super) fn run_script(
        &mut self,
        command: Command,
        then: Then,
        place: &Place,
        world: &mut World,
    ) -> bool {
        if !self.has_script(command, place) {
            return false;
        }
        self.tell_if_news(place, world);
        let path = script_path(command);
        let Some(path) = path.c_str() else { return false };
        // runit 2.3.1: the service's process number, or an empty argument if there is none.
        let mut pid = Text::<16>::new();
        let is_gone = cfg!(feature = "policy") && (self.is_set_up() || self.own.is_sweeping());
        if let Some(target) = self.target.filter(|_| !matches!(then, Then::Prepared) && !is_gone) {
            pid.number(u64::from(process::number(target)));
        }
        let failed = |step: spawn::Step, errno| match step {
            spawn::Step::Descriptor => {
                place.report.fatal_of(b"unable to setup stdout for ", path.to_bytes(), errno)
            }
            spawn::Step::Directory | spawn::Step::Run => {
                place.report.fatal_of(b"unable to run ", path.to_bytes(), errno)
            }
        };
        #[cfg(feature = "policy")]
        let more = More { argument: place.argument(), ..More::NONE };
        #[cfg(not(feature = "policy"))]
        let more = More::NONE;
        let spawn = Spawn {
            path,
            args: &[path, pid.c_str().unwrap_or(c"")],
            directory: Some(place.dir.as_fd()),
            below: None,
            stdin: None,
            stdout: place.log_input(),
            more: &more,
            mask: &world.services,
            session: world.is_apart(),
            failure_code: 111,
            ready: None,
            failed: &failed,
        };
        match spawn.start() {
            Ok(pid) => {
                let due = self.own.limit(Limit::Stop).map(|within| world.now.after(within));
                self.script = Some(Script { pid, then, due });
            }
            Err(errno) => place.report.warn_of(b"unable to fork for ", path.to_bytes(), errno),
        }
        self.script.is_some()
    }

    /// Starts `./run` or `./finish`.
    pub(super) fn start(&mut self, finish: bool, place: &Place, world: &mut World) -> Event {
        let starts = !finish && self.part == Part::Main;
        let mut extras = Extras::default();
        let prepared = if starts { self.own.prepare(&mut extras, place, world) } else { Ok(()) };
        let trouble: &[u8] = match prepared {
            Ok(()) => b"unable to fork, sleeping",
            Err(_) => b"unable to create pipe or socket to be ready with, sleeping",
        };
        match prepared.and_then(|()| self.spawn(finish, &extras, place, world)) {
            Ok(pid) => {
                if !finish {
                    self.started = world.now;
                    self.since = Tai::now();
                    self.target = Some(pid);
                    self.own.started(place, world.now);
                }
                self.process = Some(Process { pid, finish, hold: None });
                Event::Started { ready: self.own.is_ready_at_once() }
            }
            Err(errno) => {
                place.report.warn_of(trouble, b"", errno);
                Event::NotStarted
            }
        }
    }

    /// Whether `./finish` can be opened for reading; an execute-only script counts as absent, as in runit.
    pub(super) fn has_finish(&mut self, place: &Place) -> bool {
        self.refresh(place);
        self.part == Part::Main
            && self.own.may_have(Other::Finish)
            && file::open_read(place.dir.as_fd(), c"./finish").is_ok()
    }

    fn spawn(&self, finish: bool, extras: &Extras, place: &Place, world: &mut World) -> Result<Pid> {
        let run = if self.own.is_one_shot() { SETUP } else { c"./run" };
        let (path, log) = (if finish { c"./finish" } else { run }, self.part == Part::Log);
        let (mut code, mut signal) = (Text::<8>::new(), Text::<8>::new());
        match self.ended.code() {
            Some(exit) => code.number(u64::from(exit)),
            None => code.push(b"-1"),
        };
        signal.number(u64::from(self.ended.signal_byte()));
        let failed = |step: spawn::Step, errno| {
            let text: [&[u8]; 2] = match (step, log) {
                (spawn::Step::Descriptor, false) => [b"unable to setup filedescriptor for ./run", b""],
                (spawn::Step::Descriptor, true) => [b"unable to setup filedescriptor for ./log/run", b""],
                (spawn::Step::Directory, true) => [b"unable to change directory to ./log", b""],
                (spawn::Step::Directory, false) => [b"unable to change to directory", b""],
                (spawn::Step::Run, true) => [b"unable to start log/", path.to_bytes()],
                (spawn::Step::Run, false) => [b"unable to start ", path.to_bytes()],
            };
            place.report.fatal(&text, Some(errno));
        };
        let tells = self.own.tells(extras);
        let note = adopt::Note::new(&self.held, finish, self.state.want, tells, world);
        let ready = || {
            if let Some(note) = &note {
                note.write();
            }
            #[cfg(feature = "policy")]
            if !finish && !log {
                self.own.enter(place);
            }
        };
        let descriptor = extras.descriptor.as_ref().map(|(fd, number)| (fd.as_fd(), *number));
        let args: &[&CStr] = match (finish, code.c_str(), signal.c_str()) {
            (true, Some(code), Some(signal)) => &[path, code, signal],
            _ => &[path],
        };
        let more = More {
            descriptors: descriptor.as_slice(),
            #[cfg(feature = "policy")]
            argument: place.argument(),
            #[cfg(feature = "policy")]
            variables: extras.variables.each_ref().map(Text::c_str),
        };
        Spawn {
            path,
            args,
            directory: Some(place.dir.as_fd()),
            below: log.then_some(c"./log"),
            stdin: if log { place.log_output() } else { None },
            stdout: if log { None } else { place.log_input() },
            more: &more,
            mask: &world.services,
            session: world.is_apart(),
            failure_code: 111,
            ready: Some(&ready),
            failed: &failed,
        }
        .start()
    }
}

fn script_path(command: Command) -> Text<16> {
    let mut path = Text::new();
    path.push(b"control/").push(&[command.byte()]);
    path
}
