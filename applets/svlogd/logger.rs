//! The loop: wait, read, find lines, hand them to the directories.

use super::super::queue::Queue;
use super::logdir::{Line, Logdir};
use super::say::{REPORT, info};
use super::settings::LONGEST_PREFIX;
use super::writer::Common;
use core::ffi::CStr;
use memchr::{memchr, memrchr};
use smallvec::SmallVec;
use svbox::log::stamp::{ROOM, Stamp};
use svbox::report::{FATAL, Failure};
use svbox::sys::args::Args;
use svbox::sys::poll::{Direction, either};
use svbox::sys::process::reap;
use svbox::sys::signal::{self, Mask, Signal, Signals};
use svbox::sys::time::{Duration, Instant, first};
use svbox::sys::{AsFd, file, stdio};
use svbox::text::decimal;

/// How long after TERM processors may work and files may refuse what is to be written.
const GRACE: Duration = Duration::from_secs(10);
/// How long after a burst its memory is given back.
const REST: Duration = Duration::from_secs(1);
/// A read of more bytes than this makes a burst.
const BURST: usize = 8 << 10;
/// How much may wait for a directory that cannot be written to, at least, before the others wait too.
const QUEUE: usize = 1 << 20;

/// What the command line asks for.
pub struct Order {
    pub common: Common,
    /// How many bytes are read at once.
    pub size: usize,
    /// What becomes of each byte, if not all stay what they are.
    pub map: Option<&'static [u8; 256]>,
    /// A configuration for all directories.
    pub config: Option<&'static CStr>,
}

/// Everything there is.
pub struct Logger {
    order: Order,
    /// Nearly always one.
    dirs: SmallVec<[Logdir; 1]>,
    input: Queue,
    /// The line that comes next has begun: its beginning has been handed out.
    inside: bool,
    /// The stamp of a line of which not enough has come to hand it out.
    held: Option<Stamp>,
    /// A directory has no room for what comes next.
    blocked: bool,
    at_end: bool,
    failed: bool,
    /// How often TERM has come.
    terms: u32,
    /// Until when it is put off by what cannot be done.
    end: Option<Instant>,
    signals: Signals,
    /// The signals that processors find blocked.
    mask: Mask,
    /// When memory is given back.
    rest: Option<Instant>,
}

impl Logger {
    /// Opens all directories.
    pub fn new(order: Order, names: Args) -> Result<Self, Failure> {
        let no_memory = |_| {
            REPORT.fatal(&[b"out of memory."], None);
            Failure::Said(FATAL)
        };
        let piece = order.common.len.saturating_add(order.size);
        let room = QUEUE.max(piece.saturating_mul(2).saturating_add(4 * LONGEST_PREFIX));
        let (signals, mask) = listen().map_err(|errno| {
            REPORT.fatal_of(b"unable to wait for signals", b"", errno);
            Failure::Said(FATAL)
        })?;
        let mut dirs = SmallVec::with_capacity(names.len());
        for name in names.iter() {
            dirs.push(Logdir::new(name, room, order.common.verbose).map_err(no_memory)?);
        }
        // A byte more for the newline of a last line that has none.
        let input = Queue::new(piece.saturating_add(1)).map_err(no_memory)?;
        let mut logger = Self {
            order,
            dirs,
            input,
            inside: false,
            held: None,
            blocked: false,
            at_end: false,
            failed: false,
            terms: 0,
            end: None,
            signals,
            mask,
            rest: None,
        };
        logger.open()?;
        Ok(logger)
    }

    fn open(&mut self) -> Result<(), Failure> {
        for dir in &mut self.dirs {
            dir.open(self.order.config, &self.order.common);
        }
        if self.dirs.iter().any(Logdir::is_open) {
            return Ok(());
        }
        REPORT.fatal(&[b"no functional log directories."], None);
        self.give_up();
        Err(Failure::Said(FATAL))
    }

    /// Logs what is read until that ends or TERM comes; gives the exit code.
    pub fn run(&mut self) -> Result<u8, Failure> {
        self.tick();
        while !self.is_over() {
            let reads = (!self.blocked).then_some((stdio::stdin(), Direction::In));
            let signals = Some((self.signals.as_fd(), Direction::In));
            let end = self.end.filter(|_| self.is_stuck());
            let [input, signal] = either([reads, signals], first([self.wake_up(), end]));
            if signal {
                self.hear()?;
            } else if input {
                self.read();
            } else {
                self.rest();
            }
            self.tick();
            self.feed();
        }
        self.finish()
    }

    /// At the end of input, and after TERM at the end of a line: for that it waits, but not if nothing can be written.
    fn is_over(&self) -> bool {
        let in_line = self.inside || !self.input.is_empty();
        let too_long = self.is_stuck() && self.end.is_some_and(|end| end <= Instant::now());
        self.at_end || self.terms > 1 || self.terms == 1 && (!in_line || too_long)
    }

    fn is_stuck(&self) -> bool {
        self.blocked || self.dirs.iter().any(|dir| dir.waiting() > 0)
    }

    fn wake_up(&self) -> Option<Instant> {
        self.dirs.iter().fold(self.rest, |sooner, dir| first([sooner, dir.wake_up()]))
    }

    fn read(&mut self) {
        // After TERM no more is taken than the rest of the line.
        let size = if self.terms > 0 { 1 } else { self.order.size };
        self.input.draw_up();
        let room = self.input.rest();
        let size = size.min(room.len());
        let room = room.get_mut(..size).unwrap_or(&mut []);
        match file::read_some(stdio::stdin(), room) {
            Ok(None) => {}
            Ok(Some(0)) => self.at_end = true,
            Ok(Some(count)) => {
                if let (Some(map), Some(new)) = (self.order.map, room.get_mut(..count)) {
                    replace(new, map);
                }
                self.input.grow(count);
                if count > BURST {
                    self.rest = Some(Instant::now().after(REST));
                }
            }
            Err(errno) => {
                REPORT.warn_of(b"unable to read standard input", b"", errno);
                (self.at_end, self.failed) = (true, true);
            }
        }
    }

    /// Nothing has come for a while.
    fn rest(&mut self) {
        if self.rest.is_some_and(|at| at <= Instant::now()) {
            self.rest = None;
            self.input.forget();
            self.dirs.iter_mut().for_each(Logdir::forget);
        }
    }

    #[inline(never)]
    fn hear(&mut self) -> Result<(), Failure> {
        while let Some(number) = self.signals.next() {
            let verbose = self.order.common.verbose;
            match Signal::from_named_raw(number) {
                Some(Signal::TERM) => {
                    info(verbose, &[b"sigterm received."]);
                    self.terms += 1;
                    self.end = self.end.or_else(|| Some(Instant::now().after(GRACE)));
                    self.dirs.iter_mut().for_each(Logdir::hurry_to_end);
                }
                Some(Signal::HUP) => {
                    info(verbose, &[b"sighangup received."]);
                    self.open_again()?;
                }
                Some(Signal::ALARM) => {
                    info(verbose, &[b"sigalarm received."]);
                    self.dirs.iter_mut().for_each(|dir| dir.rotate(&self.order.common));
                }
                _ => {
                    info(verbose, &[b"sigchild received."]);
                    self.collect();
                }
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn open_again(&mut self) -> Result<(), Failure> {
        for dir in &mut self.dirs {
            dir.flush(&self.order.common);
            dir.close(&self.order.common);
        }
        self.open()
    }

    fn collect(&mut self) {
        while let Some((pid, how)) = reap() {
            let _ = self.dirs.iter_mut().any(|dir| dir.ended(pid, how));
        }
    }

    fn tick(&mut self) {
        for dir in &mut self.dirs {
            dir.tick(&self.order.common, &self.mask, self.terms == 0);
        }
    }

    /// Hands out what has been read, as far as there is room for it.
    fn feed(&mut self) {
        self.blocked = false;
        let plain = self.order.common.clock.is_silent() && self.dirs.iter().all(Logdir::is_plain);
        while !self.input.is_empty() {
            let took = match (self.inside, plain) {
                (true, _) => self.rest_of_line(),
                (false, true) => self.block(),
                (false, false) => self.lines(),
            };
            if took == 0 {
                break;
            }
            self.input.advance(took);
        }
        for dir in &mut self.dirs {
            dir.flush(&self.order.common);
            dir.process(&self.mask, self.terms == 0);
        }
    }

    /// Hands out the rest of a line that has begun, or more of it; gives how many bytes that is.
    fn rest_of_line(&mut self) -> usize {
        let bytes = self.input.bytes();
        let end = memchr(b'\n', bytes).map(|newline| newline + 1);
        let more = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
        if !have_room(&mut self.dirs, more.len(), &self.order.common) {
            self.blocked = true;
            return 0;
        }
        for dir in &mut self.dirs {
            dir.more(more);
            dir.flush_if_long(&self.order.common);
        }
        self.inside = end.is_none();
        more.len()
    }

    /// Hands out all whole lines at once, and with them the beginning of one that is long.
    fn block(&mut self) -> usize {
        let bytes = self.input.bytes();
        let whole = memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let is_long = bytes.len() - whole >= self.order.common.len;
        let block = if is_long { bytes } else { bytes.get(..whole).unwrap_or(bytes) };
        if block.is_empty() {
            return 0;
        }
        if !have_room(&mut self.dirs, block.len(), &self.order.common) {
            self.blocked = true;
            return 0;
        }
        for dir in &mut self.dirs {
            dir.block(block, &self.order.common);
        }
        self.inside = is_long;
        block.len()
    }

    /// Hands out line after line; gives how many bytes they have.
    #[inline(never)]
    fn lines(&mut self) -> usize {
        let common = &self.order.common;
        let most = self.dirs.iter().map(Logdir::overhead).max().unwrap_or(0);
        // A line's own, and what the log says of it if it could not be sent.
        let overhead = 2 * (most + ROOM) + common.len + 64;
        let (mut old, mut new) = (self.held.take(), None);
        let (bytes, mut done) = (self.input.bytes(), 0);
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let newline = memchr(b'\n', rest);
            let text = rest.get(..newline.unwrap_or(rest.len())).unwrap_or(rest);
            if newline.is_none() && text.len() < common.len {
                break;
            }
            let whole = rest.get(..=newline.unwrap_or(rest.len())).unwrap_or(rest);
            if !have_room(&mut self.dirs, whole.len() + overhead, common) {
                self.blocked = true;
                break;
            }
            let stamp = old.take().unwrap_or_else(|| *new.get_or_insert_with(|| common.clock.stamp()));
            let text = text.get(..common.len).unwrap_or(text);
            let is_cut = text.len() == common.len;
            let line = Line { stamp: stamp.bytes(), text, is_cut, whole };
            for dir in &mut self.dirs {
                dir.line(&line, &self.signals);
                dir.flush_if_long(common);
            }
            done += whole.len();
            if newline.is_none() {
                self.inside = true;
                return done;
            }
        }
        // What is left has begun by now.
        if done < bytes.len() {
            self.held = old.or(new).or_else(|| Some(common.clock.stamp()));
        }
        done
    }

    /// The input is over: writes what is left, waits for processors, closes.
    #[inline(never)]
    fn finish(&mut self) -> Result<u8, Failure> {
        if self.input.bytes().last().map_or(self.inside, |last| *last != b'\n') {
            self.input.push(b"\n");
        }
        loop {
            self.tick();
            self.feed();
            let can_write = |dir: &Logdir| dir.is_open() && dir.waiting() > 0;
            let writes = !self.input.is_empty() || self.dirs.iter().any(can_write);
            if !writes && !self.dirs.iter().any(|dir| dir.is_processing(self.terms == 0)) {
                break;
            }
            if self.terms > 1 || self.end.is_some_and(|end| end <= Instant::now()) {
                break;
            }
            let signals = Some((self.signals.as_fd(), Direction::In));
            match either([None, signals], first([self.wake_up(), self.end])) {
                [_, true] => self.hear()?,
                [_, false] => self.rest(),
            }
        }
        self.give_up();
        for dir in &mut self.dirs {
            dir.close_for_good(&self.order.common);
        }
        Ok(if self.failed { FATAL } else { 0 })
    }

    /// What has not been done by now is not done, and what has not been written is lost.
    fn give_up(&mut self) {
        self.dirs.iter_mut().for_each(Logdir::abandon);
        let waiting = self.dirs.iter().map(Logdir::waiting).sum::<usize>() + self.input.len();
        if waiting > 0 {
            let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
            REPORT.warn(&[b"data loss: bytes not written: ", decimal(waiting, &mut [0; 20])], None);
            self.failed = true;
        }
    }
}

fn have_room(dirs: &mut [Logdir], need: usize, common: &Common) -> bool {
    // Every one is asked: one that has none writes.
    let without = dirs.iter_mut().filter_map(|dir| (!dir.has_room(need, common)).then_some(())).count();
    without == 0
}

/// Blocks the signals that are to be read, and those that would end us for a write that fails. Gives the way to read
/// them, and the mask for programs we start.
fn listen() -> Result<(Signals, Mask), svbox::sys::Errno> {
    const HEARD: [Signal; 4] = [Signal::TERM, Signal::HUP, Signal::ALARM, Signal::CHILD];
    HEARD.iter().copied().for_each(signal::default);
    let before = Mask::of(&HEARD).block();
    Mask::of(&[Signal::PIPE, Signal::XFSZ]).block();
    let mask = HEARD.iter().fold(before, |mask, signal| mask.without(*signal));
    Ok((Signals::open(&Mask::of(&HEARD))?, mask))
}

/// Replaces bytes, but never a newline.
fn replace(bytes: &mut [u8], map: &[u8; 256]) {
    for byte in bytes {
        *byte = map.get(usize::from(*byte)).copied().unwrap_or(*byte);
    }
}
