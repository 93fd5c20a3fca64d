//! uncat: runs a program again and again with what has been collected of standard input.
//!
//! Exits 0 on TERM and at the end of its input, 1 for a wrong command line, and 111 when the system refuses.

use super::feed::Starter;
use super::queue::Queue;
use super::{Applet, tell_version};
use core::mem::ManuallyDrop;
use svbox::cli::{Call, Spec, number};
use svbox::report::{Failure, Reporter};
use svbox::sys::poll::{Direction, either};
use svbox::sys::signal::Signal;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, OwnedFd, fifo, file, heap, stdio};
use svbox::text::decimal;

pub fn applet() -> Applet {
    Applet {
        text: b"\
uncat [-vo] [-t timeout] [-s size] prog

Collect standard input and run prog with it, again and again.

  -t timeout    for at most so many seconds (default 300)
  -s size       at most so many bytes (default 1024)
  -o            exit at the end of input, also of a fifo's
  -v            say what is done
  -V            print the version and the usage",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"voV ts")),
        run,
    }
}

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
fn reporter() -> Reporter<'static> {
    Reporter { program: b"uncat", subject: None, waits: true }
}

const TIMEOUT: usize = 300;
const SIZE: usize = 1024;

struct Uncat {
    starter: Starter,
    data: Queue,
    /// How long data is collected.
    timeout: Duration,
    once: bool,
    verbose: bool,
    /// TERM has come.
    term: bool,
    /// The other side of the fifo that has been at its end, so that it never is again.
    other_side: Option<OwnedFd>,
}

fn run(call: &Call) -> Result<u8, Failure> {
    let (mut verbose, mut once, mut version) = (false, false, false);
    let (mut timeout, mut size) = (None, None);
    call.each(&mut |letter, value| match letter {
        b'v' => verbose = true,
        b'o' => once = true,
        b't' => timeout = value.and_then(number),
        b's' => size = value.and_then(number),
        _ => version = true,
    });
    if version {
        return Err(tell_version(b"uncat"));
    }
    if call.operands().is_empty() {
        return Err(Failure::Usage);
    }
    let mut starter = Starter::new(reporter(), call.operands(), Some(Signal::TERM))?;
    starter.to_stderr = true;
    let data = Queue::new(size.unwrap_or(SIZE));
    let data = data.map_err(|errno| starter.fatal(b"unable to get memory", errno))?;
    let seconds = u64::try_from(timeout.unwrap_or(TIMEOUT)).unwrap_or(u64::MAX);
    let (timeout, term, other_side) = (Duration::from_secs(seconds), false, None);
    heap::seal();
    // Never taken apart: at the end of the process the kernel closes everything.
    ManuallyDrop::new(Uncat { starter, data, timeout, once, verbose, term, other_side }).run()
}

impl Uncat {
    fn run(&mut self) -> Result<u8, Failure> {
        self.say(b"starting.");
        loop {
            let more = self.collect()?;
            if !self.data.is_empty() {
                self.process()?;
            }
            if !more {
                self.say(b"exit.");
                return Ok(0);
            }
        }
    }

    fn say(&self, what: &[u8]) {
        if self.verbose {
            reporter().warn(&[what], None);
        }
    }

    /// Collects data until it is to be processed; gives whether there can be more.
    fn collect(&mut self) -> Result<bool, Failure> {
        let mut until = None;
        loop {
            if self.term {
                self.say(b"got sigterm.");
                return Ok(false);
            }
            if self.data.free() == 0 {
                self.say(b"max size reached.");
                return Ok(true);
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                self.say(b"timeout reached.");
                return Ok(true);
            }
            let signals = Some((self.starter.signals.as_fd(), Direction::In));
            let [input, signal] = either([Some((stdio::stdin(), Direction::In)), signals], until);
            if signal {
                self.hear();
            } else if input && !self.read()? {
                return Ok(false);
            }
            if until.is_none() && !self.data.is_empty() {
                // Nobody has to wake up for what is not there.
                until = Some(Instant::now().after(self.timeout));
            }
        }
    }

    /// Reads what is there; gives whether there can be more.
    fn read(&mut self) -> Result<bool, Failure> {
        let read = file::read_some(stdio::stdin(), self.data.rest());
        match read.map_err(|errno| self.starter.fatal(b"unable to read fd 0", errno))? {
            Some(0) => Ok(self.end()),
            count => {
                self.data.grow(count.unwrap_or(0));
                Ok(true)
            }
        }
    }

    /// The input is at its end; gives whether there can be more all the same.
    fn end(&mut self) -> bool {
        self.say(b"end of input.");
        if !self.once {
            self.other_side = other_side();
        }
        self.other_side.is_some()
    }

    fn hear(&mut self) {
        while let Some(number) = self.starter.signals.next() {
            self.term |= Signal::from_named_raw(number) == Some(Signal::TERM);
        }
    }

    /// Runs the program with what has been collected, to its end.
    fn process(&mut self) -> Result<(), Failure> {
        self.say(b"starting child.");
        let mut child = self.starter.start()?;
        let ended = loop {
            if self.data.is_empty() {
                child.close();
            }
            let pipe = child.pipe().map(|pipe| (pipe, Direction::Out));
            let [ready, signal] = either([pipe, Some((self.starter.signals.as_fd(), Direction::In))], None);
            if ready {
                child.feed(&mut self.data);
            }
            if signal {
                self.hear();
                if let Some(ended) = child.ended() {
                    break ended;
                }
            }
        };
        // What it did not want is gone.
        self.data.advance(self.data.len());
        match ended.code() {
            Some(0) => self.say(b"child exited."),
            Some(code) => {
                reporter()
                    .warn(&[b"child exited with code ", decimal(code.into(), &mut [0; 20]), b"."], None);
            }
            None => reporter().warn_that(b"child crashed."),
        }
        Ok(())
    }
}

/// The side of a fifo with a name, by which others can open it, that we do not read.
#[inline(never)]
fn other_side() -> Option<OwnedFd> {
    const INPUT: &core::ffi::CStr = c"/proc/self/fd/0";
    let stat = file::stat_open(stdio::stdin()).ok()?;
    // Long enough for what stands in the place of a name.
    let mut name = [0; 32];
    let is_nameless =
        file::read_link(file::CWD, INPUT, &mut name).is_ok_and(|name| name.starts_with(b"pipe:"));
    if file::is_fifo(&stat) && !is_nameless { fifo::open_write(file::CWD, INPUT).ok() } else { None }
}
