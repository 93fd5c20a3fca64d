//! The file that is written to, and when it ends.

use super::archive::{self, Archive};
use super::clock::Clock;
use super::lost::Lost;
use super::say::{Trouble, info, unable};
use super::settings::Settings;
use svbox::log::cut::{Limit, Portion};
use svbox::sys::stdio::write_parts;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, Errno, OwnedFd, Result as SysResult, file};
use svbox::text::decimal;

/// How long after something failed it is tried again.
const PAUSE: Duration = Duration::from_secs(3);
/// A file while it is written, and one that is complete.
const OPEN_MODE: u32 = 0o644;
const CLOSED_MODE: u32 = 0o744;

/// What every directory has in common.
pub struct Common {
    pub clock: Clock,
    /// How near to the limit of a file a line may end it, and what of a line is looked at.
    pub len: usize,
    pub verbose: bool,
    /// How often -L was given.
    pub drop: usize,
}

/// How `current` was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Missing, or empty.
    New,
    /// Closed properly.
    Closed,
    /// Its writer has died.
    Crashed,
}

/// Looks at `current`.
pub fn look(archive: &Archive) -> SysResult<Found> {
    match file::stat(archive.dir.as_fd(), c"current") {
        Ok(stat) if stat.st_size == 0 => Ok(Found::New),
        Ok(stat) if file::is_executable(&stat) => Ok(Found::Closed),
        Ok(_) => Ok(Found::Crashed),
        Err(Errno::NOENT) => Ok(Found::New),
        Err(errno) => Err(errno),
    }
}

/// What is known of the file and outlives its being closed and opened again.
#[derive(Default)]
pub struct Tail {
    /// How many bytes at its end are no whole line.
    partial: u64,
    /// It is to end before anything more is written.
    ends: bool,
    /// When its first byte was written, if it was by us.
    began: Option<Instant>,
    lost: Lost,
}

/// Writes to `current` of a directory.
pub struct Writer {
    pub archive: Archive,
    limit: Limit,
    file: Option<OwnedFd>,
    /// How many bytes the file has.
    held: u64,
    tail: Tail,
    /// There is a file whose writer has died, to be put aside first.
    crashed: bool,
    /// The line at the top is to be written next.
    banner: bool,
    /// Until when the end of a file may be put off for a processor.
    pub patience: Option<Instant>,
    /// When to try again what failed.
    pub retry: Option<Instant>,
    /// A file has ended since the last look.
    pub ended: bool,
}

/// What one step has done.
enum Step {
    /// So many bytes have been written, or something else; there may be more to do.
    Went(usize),
    /// There is nothing more to do.
    Nothing,
    /// A processor has to end before the file can.
    Wait(Instant),
}

impl Writer {
    /// Goes on with `current` as it was found, which may have this tail.
    pub fn open(archive: Archive, found: Found, tail: Tail, settings: &Settings, common: &Common) -> Self {
        let near = u64::try_from(common.len).unwrap_or(u64::MAX);
        let mut writer = Self {
            archive,
            limit: Limit { size: settings.size, near },
            file: None,
            held: 0,
            tail,
            crashed: found == Found::Crashed,
            banner: settings.banner().is_some(),
            patience: None,
            retry: None,
            ended: false,
        };
        writer.write(b"", settings, common);
        let what: &[u8] = if found == Found::Closed { b"append: " } else { b"new: " };
        info(common.verbose, &[what, writer.archive.name(), b"/current"]);
        writer
    }

    /// How long there has been something in the file: what we know ourselves, or else since it was made.
    pub fn age(&self) -> Duration {
        match self.tail.began {
            _ if self.held == 0 => Duration::ZERO,
            Some(began) => Instant::now().since(began),
            None => self.archive.age(),
        }
    }

    /// Lets the file end, if there is anything in it.
    pub fn end_file(&mut self) {
        self.tail.ends |= self.held > 0;
    }

    /// Whether the file ends inside a line.
    pub fn is_inside(&self) -> bool {
        self.tail.partial > 0
    }

    /// Whether something is to be tried again, but not yet.
    pub fn is_paused(&self) -> bool {
        self.retry.is_some_and(|at| Instant::now() < at)
    }

    /// Writes bytes, and does what else is due; gives how many bytes are dealt with. If it is not all of them, or
    /// something else could not be done, `retry` says when to come again.
    pub fn write(&mut self, bytes: &[u8], settings: &Settings, common: &Common) -> usize {
        self.retry = None;
        let mut done = 0;
        loop {
            let rest = bytes.get(done..).unwrap_or(&[]);
            match self.step(rest, settings, common) {
                Ok(Step::Went(count)) => done += count,
                Ok(Step::Nothing) => return done,
                Ok(Step::Wait(until)) => {
                    self.retry = Some(until);
                    return done;
                }
                Err(trouble) => {
                    if trouble.why == Errno::NOSPC && self.archive.make_room(settings) {
                        continue;
                    }
                    if trouble.why != Errno::NOSPC || common.drop == 0 || rest.is_empty() {
                        trouble.say(self.archive.name());
                        self.retry = Some(Instant::now().after(PAUSE));
                        return done;
                    }
                    self.lose(rest, common);
                    return bytes.len();
                }
            }
        }
    }

    fn step(&mut self, bytes: &[u8], settings: &Settings, common: &Common) -> Result<Step, Trouble> {
        if self.crashed {
            self.take_over(settings, common)?;
        }
        if self.tail.ends {
            if let Some(until) = self.patience.filter(|_| self.has_all_unprocessed(settings)) {
                return Ok(Step::Wait(until));
            }
            self.rotate(settings, common)?;
        }
        if self.file.is_none() {
            self.begin()?;
        }
        if bytes.is_empty() {
            return Ok(Step::Nothing);
        }
        if self.tail.lost.rest {
            let line = memchr::memchr(b'\n', bytes).map(|newline| newline + 1);
            self.tail.lost.rest = line.is_none();
            return Ok(Step::Went(line.unwrap_or(bytes.len())));
        }
        if self.tail.lost.lines > 0 {
            self.tell_loss(settings, common)?;
        }
        if self.banner && !self.is_inside() {
            self.put_banner(settings, common)?;
        }
        match self.limit.portion(self.held, bytes) {
            Portion::Full => {
                self.tail.ends = true;
                Ok(Step::Went(0))
            }
            Portion::Write { bytes: count, ends } => {
                let portion = bytes.get(..count).unwrap_or(bytes);
                let written = self.append(portion)?;
                self.tail.ends = ends && written == count;
                Ok(Step::Went(written))
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Result<usize, Trouble> {
        let failed = Trouble::with(b"write to current");
        let Some(file) = &self.file else { return Err(failed(Errno::BADF)) };
        let count = file::write_once(file, bytes).map_err(failed)?;
        let written = bytes.get(..count).unwrap_or(bytes);
        match memchr::memrchr(b'\n', written) {
            Some(newline) => self.tail.partial = size(count - newline - 1),
            None => self.tail.partial += size(count),
        }
        self.grow(count);
        Ok(count)
    }

    fn grow(&mut self, count: usize) {
        if self.held == 0 {
            self.tail.began = Some(Instant::now());
        }
        self.held += size(count);
    }

    /// Writes a line of our own, stamped like others: all of it, or nothing.
    #[inline(never)]
    fn put_line(&mut self, text: &[&[u8]], settings: &Settings, common: &Common) -> Result<(), Trouble> {
        let failed = Trouble::with(b"write to current");
        let stamp = common.clock.stamp();
        let Some(file) = &self.file else { return Err(failed(Errno::BADF)) };
        let mut parts: [&[u8]; 8] = [stamp.bytes(), settings.prefix(), b"", b"", b"", b"", b"", b""];
        for (place, part) in parts.iter_mut().skip(2).zip(text.iter().chain(&[b"\n".as_slice()])) {
            *place = part;
        }
        if let Err(errno) = write_parts(file.as_fd(), &parts) {
            let _ = file::truncate(file, self.held);
            return Err(failed(errno));
        }
        self.grow(parts.iter().map(|part| part.len()).sum());
        Ok(())
    }

    /// Writes the line at the top; not if nothing else would fit.
    #[inline(never)]
    fn put_banner(&mut self, settings: &Settings, common: &Common) -> Result<(), Trouble> {
        let banner = settings.banner().unwrap_or(&[]);
        let len = size(common.clock.stamp().bytes().len() + settings.prefix().len() + banner.len() + 1);
        if self.limit.size == 0 || len < self.limit.size {
            self.put_line(&[banner], settings, common)?;
        }
        self.banner = false;
        Ok(())
    }

    /// Whether one more old log would cost one that waits for its processor.
    fn has_all_unprocessed(&self, settings: &Settings) -> bool {
        settings.keep > 0 && archive::unprocessed(&self.archive.dir) >= settings.keep
    }

    /// Makes what a writer has left that died an old log.
    #[inline(never)]
    fn take_over(&mut self, settings: &Settings, common: &Common) -> Result<(), Trouble> {
        self.archive.take_over()?;
        self.crashed = false;
        self.ended = true;
        self.archive.prune(settings.keep, common.verbose);
        Ok(())
    }

    /// Makes `current` an old log.
    #[inline(never)]
    fn rotate(&mut self, settings: &Settings, common: &Common) -> Result<(), Trouble> {
        if let Some(file) = &self.file {
            complete(file)?;
            let letter = if settings.processor().is_some() { b'u' } else { b's' };
            self.archive.keep_current(letter, self.held, common.verbose)?;
            self.file = None;
        }
        self.tail.ends = false;
        self.ended = true;
        self.banner = settings.banner().is_some();
        self.archive.prune(settings.keep, common.verbose);
        Ok(())
    }

    /// Opens `current`.
    #[inline(never)]
    fn begin(&mut self) -> Result<(), Trouble> {
        let failed = Trouble::with(b"open current");
        let file = file::open_append_itself(self.archive.dir.as_fd(), c"current", 0o600).map_err(&failed)?;
        let stat = file::stat_open(&file).map_err(&failed)?;
        file::set_mode(&file, OPEN_MODE).map_err(Trouble::with(b"set mode of current"))?;
        self.held = u64::try_from(stat.st_size).unwrap_or(0);
        if self.held < self.tail.partial || self.held == 0 {
            (self.tail.partial, self.tail.began) = (0, None);
        }
        self.file = Some(file);
        Ok(())
    }

    /// Closes `current` as one that is complete so far, and gives what is to be remembered of it.
    #[inline(never)]
    pub fn close(mut self) -> Tail {
        if let Some(Err(trouble)) = self.file.as_ref().map(complete) {
            unable(trouble.what, self.archive.name(), trouble.why);
        }
        core::mem::take(&mut self.tail)
    }

    /// Takes the beginning of a line away whose rest will not come.
    #[inline(never)]
    pub fn cut(&mut self) {
        let whole = self.held.saturating_sub(self.tail.partial);
        if self.is_inside() && self.file.as_ref().is_some_and(|file| file::truncate(file, whole).is_ok()) {
            (self.held, self.tail.partial) = (whole, 0);
        }
    }

    /// Drops bytes for good: whole lines, as far as that is possible.
    #[inline(never)]
    fn lose(&mut self, bytes: &[u8], common: &Common) {
        self.cut();
        self.tail.lost.add(bytes);
        if common.drop > 1 {
            self.tail.lost.tell(self.archive.name(), false);
        }
    }

    /// There may be room again: says in the log what it lacks.
    #[inline(never)]
    fn tell_loss(&mut self, settings: &Settings, common: &Common) -> Result<(), Trouble> {
        let mut digits = [0; 20];
        let lines = decimal(self.tail.lost.lines, &mut digits);
        let text: &[&[u8]] = &[b"warning: data loss: ", lines, b" lines: out of disk space"];
        self.put_line(text, settings, common)?;
        self.tail.lost.lines = 0;
        if common.drop > 1 {
            self.tail.lost.tell(self.archive.name(), true);
        }
        Ok(())
    }
}

impl Tail {
    /// Nothing more will be written: says what the log could not.
    pub fn tell(mut self, dir: &[u8]) {
        if self.lost.lines > 0 {
            self.lost.tell(dir, true);
        }
    }
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Makes a file complete.
fn complete(file: &OwnedFd) -> Result<(), Trouble> {
    file::sync(file).map_err(Trouble::with(b"fsync current logfile"))?;
    file::set_mode(file, CLOSED_MODE).map_err(Trouble::with(b"set mode of current"))
}
