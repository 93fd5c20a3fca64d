//! One log directory: what is to be written there, and everything that is done to it.

use super::super::queue::Queue;
use super::archive::Archive;
use super::copy::copy;
use super::forward::Forward;
use super::processor::Processor;
use super::say::{info, unable};
use super::settings::Settings;
use super::writer::{self, Common, Found, Tail, Writer};
use core::ffi::CStr;
use svbox::sys::process::{Ended, Pid};
use svbox::sys::signal::{Mask, Signals};
use svbox::sys::time::{Duration, Instant, first};
use svbox::sys::{AsFd, Errno, OwnedFd, Result as SysResult, dir, file, lock};

/// A queue as long as this is written before more comes in.
const ENOUGH: usize = 64 << 10;

/// A line, or as much of it as is looked at.
pub struct Line<'a> {
    /// The stamp before it.
    pub stamp: &'a [u8],
    /// What patterns, copies and datagrams see of it.
    pub text: &'a [u8],
    /// Whether that is as much as they see of any line.
    pub is_cut: bool,
    /// All there is of it, with the newline if that is there.
    pub whole: &'a [u8],
}

/// A directory that can be written to.
struct Open {
    writer: Writer,
    settings: Settings,
    forward: Forward,
    /// When the file is to end because of its age.
    due: Option<Instant>,
    _lock: OwnedFd,
}

/// A log directory.
pub struct Logdir {
    name: &'static CStr,
    /// Without it the directory is left out until it can be opened.
    open: Option<Open>,
    /// What is known of the file while it is closed.
    tail: Tail,
    queue: Queue,
    processor: Processor,
    /// The line that is read goes to the file.
    selected: bool,
    /// Something was read that would have gone to the file if it had been open.
    missed: bool,
    /// A file may wait for a processor before it ends.
    patient: bool,
}

impl Logdir {
    /// One that is not open yet; `room` is how many bytes may wait for being written.
    pub fn new(name: &'static CStr, room: usize, verbose: bool) -> SysResult<Self> {
        let processor = Processor::new(name, verbose);
        let (open, tail, queue) = (None, Tail::default(), Queue::new(room)?);
        Ok(Self { name, open, tail, queue, processor, selected: true, missed: false, patient: true })
    }

    /// Opens it, with the configuration at `config` or its own.
    #[inline(never)]
    pub fn open(&mut self, config: Option<&CStr>, common: &Common) {
        let Some((archive, found, lock)) = self.look(common) else { return };
        let settings = self.settings(&archive, config, common);
        let tail = core::mem::take(&mut self.tail);
        let writer = Writer::open(archive, found, tail, &settings, common);
        // A line that has begun in the file, or waits, and whose rest was missed, ends there.
        let inside = self.queue.bytes().last().map_or(writer.is_inside(), |last| *last != b'\n');
        if core::mem::take(&mut self.missed) && inside && self.queue.free() > 0 {
            self.queue.push(b"\n");
        }
        let every = Duration::from_secs(settings.every);
        let left = every.saturating_sub(writer.age());
        let due = (settings.every > 0).then(|| Instant::now().after(left));
        if settings.processor().is_some() {
            self.processor.wake_afresh();
        }
        self.open = Some(Open { writer, settings, forward: Forward::default(), due, _lock: lock });
    }

    /// Opens the directory and takes its lock, or says why that is impossible.
    fn look(&self, common: &Common) -> Option<(Archive, Found, OwnedFd)> {
        let name = self.name.to_bytes();
        let refused = |what: &'static [u8]| move |why| unable(what, name, why);
        let dir = match dir::open(file::CWD, self.name) {
            // There is something, but it cannot be entered.
            Err(Errno::NOTDIR) if file::exists(file::CWD, self.name) == Ok(true) => {
                refused(b"change directory")(Errno::NOTDIR);
                return None;
            }
            other => other.map_err(refused(b"open log directory")).ok()?,
        };
        file::may_enter(dir.as_fd()).map_err(refused(b"change directory")).ok()?;
        let lock = file::open_append_itself(dir.as_fd(), c"lock", 0o600)
            .and_then(|lock| lock::try_exclusive(&lock).map(|()| lock))
            .map_err(|why| {
                info(common.verbose, &[b"close: ", name]);
                unable(b"lock directory", name, why);
            })
            .ok()?;
        let mut archive = Archive::open(self.name, dir);
        (archive.processing, archive.spares) = (self.processor.label(), !self.patient);
        let found = writer::look(&archive).map_err(refused(b"stat current")).ok()?;
        Some((archive, found, lock))
    }

    fn settings(&self, archive: &Archive, config: Option<&CStr>, common: &Common) -> Settings {
        let name = self.name.to_bytes();
        match config {
            Some(path) => Settings::load(file::CWD, path, name, &[path.to_bytes()], common.verbose),
            None => {
                let shown: &[&[u8]] = &[name, b"/config"];
                Settings::load(archive.dir.as_fd(), c"config", name, shown, common.verbose)
            }
        }
    }

    /// Whether it can be written to.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Closes it. What has not been written stays in the queue.
    pub fn close(&mut self, common: &Common) {
        if let Some(open) = self.open.take() {
            self.tail = open.writer.close();
            info(common.verbose, &[b"close: ", self.name.to_bytes()]);
        }
    }

    /// Closes it for good: a line that could not be written whole is taken away, and what was lost is told of.
    pub fn close_for_good(&mut self, common: &Common) {
        if let Some(open) = self.open.as_mut().filter(|_| !self.queue.is_empty()) {
            open.writer.cut();
        }
        self.close(common);
        core::mem::take(&mut self.tail).tell(self.name.to_bytes());
    }

    /// Whether lines go there as they are, all of them.
    pub fn is_plain(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.settings.is_plain())
    }

    /// How many bytes of its own it puts to a line at most.
    pub fn overhead(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.settings.prefix().len())
    }

    /// How many bytes wait for being written.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether as many bytes can be taken, after some were written if need be.
    pub fn has_room(&mut self, need: usize, common: &Common) -> bool {
        if self.queue.free() < need {
            self.flush(common);
        }
        self.open.is_none() || self.queue.free() >= need
    }

    /// Until when a file may wait for a processor before it ends.
    fn patience(&self) -> Option<Instant> {
        self.open.as_ref().filter(|_| self.patient)?.settings.processor()?;
        self.processor.wait_until()
    }

    /// Takes whole lines, or parts of one, as they are; there is room for them.
    pub fn block(&mut self, bytes: &[u8], common: &Common) {
        self.selected = self.open.is_some();
        let patience = self.patience();
        let Some(open) = &mut self.open else {
            self.missed = true;
            return;
        };
        let mut done = 0;
        if self.queue.is_empty() && !open.writer.is_paused() {
            open.writer.archive.processing = self.processor.label();
            open.writer.patience = patience;
            done = open.writer.write(bytes, &open.settings, common);
        }
        self.queue.push(bytes.get(done..).unwrap_or(&[]));
    }

    /// Takes a line, or as much of it as is looked at; there is room for it.
    #[inline(never)]
    pub fn line(&mut self, line: &Line<'_>, signals: &Signals) {
        let Some(open) = &mut self.open else {
            (self.selected, self.missed) = (false, true);
            return;
        };
        let verdict = open.settings.judge(line.text);
        let dots: &[u8] = if line.is_cut { b"..." } else { b"" };
        let short = [line.stamp, open.settings.prefix(), line.text, dots, b"\n"];
        if verdict.copy {
            copy(short, signals);
        }
        self.selected = verdict.log;
        if let Some(target) = open.settings.target.filter(|_| verdict.log) {
            self.selected = target.also_log;
            if let Err(trouble) = open.forward.send(&target, short) {
                self.queue.push(trouble);
                for part in short {
                    self.queue.push(part);
                }
            }
        }
        if self.selected {
            self.queue.push(line.stamp);
            self.queue.push(open.settings.prefix());
            self.queue.push(line.whole);
        }
    }

    /// Takes more of the same line.
    pub fn more(&mut self, bytes: &[u8]) {
        match self.open {
            Some(_) if self.selected => self.queue.push(bytes),
            Some(_) => {}
            None => (self.selected, self.missed) = (false, true),
        }
    }

    /// Writes what is there, once it is enough.
    pub fn flush_if_long(&mut self, common: &Common) {
        if self.queue.len() >= ENOUGH {
            self.flush(common);
        }
    }

    /// Writes what is there and does what is due, unless that has failed a moment ago.
    pub fn flush(&mut self, common: &Common) {
        let patience = self.patience();
        let Some(open) = &mut self.open else { return };
        if open.writer.is_paused() {
            return;
        }
        open.writer.archive.processing = self.processor.label();
        open.writer.patience = patience;
        let done = open.writer.write(self.queue.bytes(), &open.settings, common);
        self.queue.advance(done);
    }

    /// Does what has come due; `begin` says whether old logs are still processed.
    pub fn tick(&mut self, common: &Common, mask: &Mask, begin: bool) {
        let Some(open) = &mut self.open else {
            return self.processor.put_away_if_due();
        };
        let now = Instant::now();
        if open.due.is_some_and(|due| due <= now) {
            open.due = Some(now.after(Duration::from_secs(open.settings.every)));
            open.writer.end_file();
            self.flush(common);
        } else if open.writer.retry.is_some() {
            self.flush(common);
        }
        self.process(mask, begin);
    }

    /// Starts the processor if there is something for it.
    pub fn process(&mut self, mask: &Mask, begin: bool) {
        let Some(open) = &mut self.open else { return };
        if core::mem::take(&mut open.writer.ended) {
            self.processor.wake();
        }
        self.processor.go_on(open.writer.archive.dir.as_fd(), open.settings.processor(), mask, begin);
    }

    /// Lets the file end now.
    pub fn rotate(&mut self, common: &Common) {
        if let Some(open) = &mut self.open {
            open.writer.end_file();
            self.flush(common);
        }
    }

    /// Tries again at once what has failed.
    pub fn hurry(&mut self) {
        if let Some(open) = &mut self.open
            && open.writer.retry.is_some()
        {
            open.writer.retry = Some(Instant::now());
        }
    }

    /// The same, and nothing waits for a processor any more: what has not been processed is left to the next logger.
    pub fn hurry_to_end(&mut self) {
        self.patient = false;
        if let Some(open) = &mut self.open {
            open.writer.archive.spares = true;
        }
        self.hurry();
    }

    /// Takes note of the end of a child.
    pub fn ended(&mut self, pid: Pid, how: Ended) -> bool {
        let ended = self.processor.ended(pid, how);
        if ended {
            // A file that ends may have waited for this.
            self.hurry();
        }
        ended
    }

    /// Whether a processor is at work; with `all`, whether there may be work for one.
    pub fn is_processing(&self, all: bool) -> bool {
        let wanted = self.open.as_ref().is_some_and(|open| open.settings.processor().is_some());
        self.processor.is_busy() || all && wanted && self.processor.is_wanted()
    }

    /// Ends the processor; what it works on stays.
    pub fn abandon(&mut self) {
        self.processor.stop();
    }

    /// When something is due.
    pub fn wake_up(&self) -> Option<Instant> {
        let open = self.open.as_ref();
        first([
            open.and_then(|open| open.due),
            open.and_then(|open| open.writer.retry),
            self.processor.retry().filter(|_| open.is_some() || self.processor.has_succeeded()),
        ])
    }

    /// Gives memory back that is not in use.
    pub fn forget(&mut self) {
        self.queue.forget();
    }
}
