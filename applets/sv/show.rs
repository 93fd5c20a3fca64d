//! The status line, and the command `status`.

use super::{Place, Sv};
use svbox::report::Reporter;
use svbox::service::client::NoStatus;
use svbox::service::names::Part;
use svbox::service::status::{Shown, Status};
use svbox::sys::{Errno, file};
use svbox::tai::Tai;

impl Sv {
    /// Prints a service's line, and its logger's behind it.
    pub fn status(&mut self, place: &Place) {
        let status = match place.status(Part::Main) {
            Ok(status) => status,
            Err(why) => return self.no_status(place, None, why),
        };
        if self.put_status(place, place.name(), Part::Main, &status).is_err() {
            self.failed = if self.lsb { 4 } else { self.failed };
        } else if self.lsb && !status.is_up() {
            self.failed = 3;
        }
        match place.look(c"log") {
            Ok(None) => {}
            Ok(Some(stat)) if file::is_directory(&stat) => self.log_status(place),
            Ok(Some(_)) => self.log_trouble(place, b"unable to change directory", Some(Errno::NOTDIR)),
            Err(errno) => self.log_trouble(place, b"unable to change directory", Some(errno)),
        }
        self.output.put(b"\n");
    }

    fn log_status(&mut self, place: &Place) {
        match place.status(Part::Log) {
            Ok(status) => {
                self.output.put(b"; ");
                let _ = self.put_status(place, b"log", Part::Log, &status);
            }
            Err(NoStatus::NotRunning) => {
                self.count_log();
                self.output.put(b"; fail: ").put(place.name()).put(b"/log: runsv not running");
            }
            Err(NoStatus::Ok(Errno::NOENT)) => {
                self.log_trouble(
                    place,
                    match cfg!(feature = "policy") {
                        true => b"supervise/ok not found, exit and restart runsv to enable log, or with svbox the service",
                        false => b"supervise/ok not found, exit and restart runsv to enable log",
                    },
                    None,
                );
            }
            Err(why) => {
                let (what, errno) = why.words();
                self.log_trouble(place, what, errno);
            }
        }
    }

    /// What keeps the logger's status away.
    fn log_trouble(&mut self, place: &Place, what: &[u8], why: Option<Errno>) {
        self.count_log();
        self.output.put(b"; warning: ").put(place.name()).put(b"/log: ").put(what).why(why);
    }

    /// An init script's exit code is the service's, whatever becomes of the logger.
    fn count_log(&mut self) {
        if !self.lsb {
            self.failed += 1;
        }
    }

    /// Adds `STATE: LABEL: (pid N) Ns` and flags. If `./down` cannot be examined nothing of it.
    pub fn put_status(&mut self, place: &Place, label: &[u8], part: Part, status: &Status) -> Result<(), ()> {
        let down = match place.look(if part == Part::Log { c"log/down" } else { c"down" }) {
            Ok(down) => down.is_some(),
            Err(errno) => {
                let name: &[u8] = if part == Part::Log { b"/log/down" } else { b"/down" };
                self.warn(&[b"unable to stat ", place.name(), name], errno);
                return Err(());
            }
        };
        let state: &[u8] = match status.shown {
            Shown::Down => b"down: ",
            // A one-shot.
            Shown::Run if cfg!(feature = "policy") && status.pid == 0 => b"up: ",
            Shown::Run => b"run: ",
            Shown::Finish => b"finish: ",
            Shown::Unknown(_) => b"",
        };
        self.output.put(state).put(label).put(b": ");
        if status.shown != Shown::Down && (status.pid != 0 || status.shown != Shown::Run) {
            self.output.put(b"(pid ").number(u64::from(status.pid)).put(b") ");
        }
        self.output.number(Tai::now().seconds_since(status.since)).put(b"s");
        let alive = status.is_up();
        let flags: [(bool, &[u8]); 6] = [
            (alive && down, b", normally down"),
            (!alive && !down, b", normally up"),
            (alive && status.paused, b", paused"),
            (!alive && status.want == b'u', b", want up"),
            (alive && status.want == b'd', b", want down"),
            (alive && status.term, b", got TERM"),
        ];
        for (_, text) in flags.iter().filter(|(holds, _)| *holds) {
            self.output.put(text);
        }
        let failed = cfg!(feature = "policy") && part == Part::Main && status.shown == Shown::Down;
        if failed && matches!(place.look(c"supervise/failed"), Ok(Some(_))) {
            self.output.put(b", failed");
        }
        #[cfg(feature = "policy")]
        if part == Part::Main {
            if status.shown == Shown::Run {
                super::own::put_message(place, &mut self.output);
            }
            if self.verbose {
                super::strays::put(place, status, &mut self.output);
            }
        }
        #[cfg(feature = "policy")]
        if part == Part::Main {
            super::why::put_warnings(place, status, &mut self.output);
        }
        Ok(())
    }

    /// A warning on standard error, behind what has been printed so far.
    pub fn warn(&mut self, text: &[&[u8]], why: Errno) {
        let _ = self.output.flush();
        Reporter { program: b"", subject: None, waits: true }.warn(text, Some(why));
    }
}
