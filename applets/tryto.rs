//! tryto: runs a program with standard input until it succeeds, for a limited time and number of tries.
//!
//! Exits 0 when it has succeeded; otherwise with the program's own code, or 100 if the time was over; as a processor
//! with 0 then, too. 1 for a wrong command line, 111 when the system refuses.

use super::feed::{Child, Starter};
use super::queue::Queue;
use super::{Applet, tell_version};
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use svbox::cli::{Call, Spec, number};
use svbox::report::{Failure, Reporter};
use svbox::sys::args::Args;
use svbox::sys::poll::{Direction, either};
use svbox::sys::process::{self, Ended};
use svbox::sys::signal::Signal;
use svbox::sys::time::{Duration, Instant};
use svbox::sys::{AsFd, BorrowedFd, Errno, OwnedFd, file, heap, stdio};

pub fn applet() -> Applet {
    Applet {
        text: b"\
tryto [-vp] [-t seconds] [-k kseconds] [-n tries] prog

Run prog with standard input until it succeeds.

  -t seconds    for at most so long; then it is sent TERM (default 180)
  -k kseconds   and KILL after so long (default 5)
  -n tries      at most so often (default 5)
  -P            in a session of its own; signals go to its process group
  -p            as a processor of svlogd: nothing that fails keeps a log from being
                put away
  -v            say why it is run again
  -V            print the version and the usage",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"pPvV tkn")),
        run,
    }
}

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
fn reporter() -> Reporter<'static> {
    Reporter { program: b"tryto", subject: None, waits: true }
}

const TIMEOUT: usize = 180;
const KILL_TIMEOUT: usize = 5;
const TRIES: usize = 5;
/// The exit code when the time is over.
const TIMED_OUT: u8 = 100;

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// As much as a pipe takes at once by default.
const ROOM: usize = 64 << 10;

/// The old state of svlogd, and the new one.
const STATE: u32 = 4;
const NEW_STATE: u32 = 5;

/// What the options say.
struct Options {
    timeout: usize,
    kill_timeout: usize,
    tries: usize,
    processor: bool,
    session: bool,
    verbose: bool,
    version: bool,
}

struct Tryto {
    opts: Options,
    starter: Starter,
    /// What the program reads before standard input.
    state: Option<OwnedFd>,
    /// It is still being read.
    in_state: bool,
    /// The size of standard output at first, and the place in it, if what fails is to be taken back from there.
    output: Option<(u64, u64)>,
    /// What has been read and not written.
    data: Queue,
    /// When the time is over.
    end: Instant,
}

fn run(call: &Call) -> Result<u8, Failure> {
    let (processor, session, verbose, version) = (false, false, false, false);
    let (timeout, kill_timeout, tries) = (TIMEOUT, KILL_TIMEOUT, TRIES);
    let mut opts = Options { timeout, kill_timeout, tries, processor, session, verbose, version };
    let read = |value: Option<&'static [u8]>, default| value.and_then(number).unwrap_or(default);
    call.each(&mut |letter, value| match letter {
        b't' => opts.timeout = read(value, TIMEOUT),
        b'k' => opts.kill_timeout = read(value, KILL_TIMEOUT),
        b'n' => opts.tries = read(value, 1),
        b'p' => opts.processor = true,
        b'P' => opts.session = true,
        b'v' => opts.verbose = true,
        _ => opts.version = true,
    });
    if opts.version {
        return Err(tell_version(b"tryto"));
    }
    if call.operands().is_empty() {
        return Err(Failure::Usage);
    }
    // Never taken apart: at the end of the process the kernel closes everything.
    let mut tryto = ManuallyDrop::new(Tryto::new(opts, call.operands())?);
    heap::seal();
    tryto.run()
}

/// What the program reads now.
fn source(state: &Option<OwnedFd>, in_state: bool) -> BorrowedFd<'_> {
    state.as_ref().filter(|_| in_state).map_or(stdio::stdin(), AsFd::as_fd)
}

/// A number of seconds.
fn seconds(number: usize) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(u64::MAX))
}

impl Tryto {
    fn new(opts: Options, words: Args) -> Result<Self, Failure> {
        let (state, output) = if opts.processor { (as_processor(), output()) } else { (None, None) };
        let mut starter = Starter::new(reporter(), words, None)?;
        starter.session = opts.session;
        let data = Queue::new(ROOM).map_err(|errno| starter.fatal(b"unable to get memory", errno))?;
        let end = Instant::now().after(seconds(opts.timeout));
        Ok(Self { opts, starter, in_state: state.is_some(), state, output, data, end })
    }

    fn run(&mut self) -> Result<u8, Failure> {
        let mut tries = self.opts.tries;
        loop {
            let Some(ended) = self.attempt()? else { return self.time_is_over() };
            if ended.code() == Some(0) {
                return Ok(0);
            }
            self.say(&[b"child crashed."], None);
            self.rewind();
            tries -= 1;
            if tries == 0 {
                return self.give_up(b"child crashed, giving up.", ended.as_code());
            }
            either([None, None], Some(Instant::now().after(PAUSE).min(self.end)));
            if self.is_over() {
                return self.time_is_over();
            }
        }
    }

    fn say(&self, parts: &[&[u8]], why: Option<Errno>) {
        if self.opts.verbose {
            reporter().warn(parts, why);
        }
    }

    fn is_over(&self) -> bool {
        self.end <= Instant::now()
    }

    /// Runs the program once; gives how it ended, or nothing if the time is over.
    fn attempt(&mut self) -> Result<Option<Ended>, Failure> {
        let mut child = self.starter.start()?;
        while !self.is_over() {
            let source = source(&self.state, self.in_state);
            let is_fed = self.data.is_empty();
            let work = child
                .pipe()
                .map(|pipe| if is_fed { (source, Direction::In) } else { (pipe, Direction::Out) });
            let [ready, signal] =
                either([work, Some((self.starter.signals.as_fd(), Direction::In))], Some(self.end));
            if signal && let Some(ended) = self.ended(&child) {
                return Ok(Some(ended));
            }
            if ready && !is_fed {
                child.feed(&mut self.data);
            } else if ready && self.read()? == Some(0) {
                if !self.in_state {
                    child.close();
                }
                self.in_state = false;
            }
        }
        self.stop(&child);
        Ok(None)
    }

    /// Reads of the state or of standard input; gives how many bytes there were.
    fn read(&mut self) -> Result<Option<usize>, Failure> {
        let count = file::read_some(source(&self.state, self.in_state), self.data.rest());
        let what: &[u8] = if self.in_state { b"unable to read fd 4" } else { b"unable to read fd 0" };
        let count = count.map_err(|errno| self.starter.fatal(what, errno))?;
        self.data.grow(count.unwrap_or(0));
        Ok(count)
    }

    fn ended(&self, child: &Child) -> Option<Ended> {
        while self.starter.signals.next().is_some() {}
        child.ended()
    }

    /// Ends the program: by KILL if TERM does not.
    fn stop(&self, child: &Child) {
        let name = self.starter.words.get(0).map_or(b"".as_slice(), CStr::to_bytes);
        reporter().warn(&[b"child \"", name, b"\" timed out. sending TERM..."], None);
        self.send(child, Signal::TERM);
        let end = Instant::now().after(seconds(self.opts.kill_timeout));
        if self.wait(child, Some(end)) {
            reporter().warn_that(b"child terminated.");
            return;
        }
        reporter().warn(&[b"child \"", name, b"\" not terminated. sending KILL..."], None);
        self.send(child, Signal::KILL);
        self.wait(child, None);
    }

    fn send(&self, child: &Child, signal: Signal) {
        // It may have ended a moment ago; it has not been collected.
        let _ = if self.opts.session {
            process::kill_group(child.pid, signal)
        } else {
            process::kill(child.pid, signal)
        };
    }

    /// Waits until the program has ended, until `end` at most; gives whether it has.
    fn wait(&self, child: &Child, end: Option<Instant>) -> bool {
        loop {
            if self.ended(child).is_some() {
                return true;
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                return false;
            }
            either([None, Some((self.starter.signals.as_fd(), Direction::In))], end);
        }
    }

    /// Goes back to the beginning of what the program reads. Of what has none, what has not been written is the rest.
    /// What it has written is taken back.
    fn rewind(&mut self) {
        if let Some((size, at)) = self.output {
            let done = file::truncate(stdio::stdout(), size).and_then(|()| file::go_to(stdio::stdout(), at));
            if let Err(errno) = done {
                self.say(&[b"unable to truncate fd 1"], Some(errno));
            }
        }
        let mut is_rewound = self.in_state;
        if let Some(Err(errno)) = self.state.as_ref().map(|state| file::go_to(state, 0)) {
            self.say(&[b"unable to lseek fd 4"], Some(errno));
        }
        match file::go_to(stdio::stdin(), 0) {
            Ok(()) => is_rewound = true,
            Err(errno) => self.say(&[b"unable to lseek fd 0"], Some(errno)),
        }
        if is_rewound {
            self.data.advance(self.data.len());
        }
        self.in_state = self.state.is_some() && self.data.is_empty();
    }

    fn time_is_over(&mut self) -> Result<u8, Failure> {
        self.rewind();
        self.give_up(b"child timed out, giving up.", TIMED_OUT)
    }

    /// The program has failed for good. A log that was to be processed stays what it was.
    fn give_up(&mut self, why: &[u8], code: u8) -> Result<u8, Failure> {
        if self.opts.processor {
            self.copy()?;
        }
        reporter().fatal(&[why], None);
        Ok(if self.opts.processor { 0 } else { code })
    }

    /// Copies standard input to standard output.
    fn copy(&mut self) -> Result<(), Failure> {
        self.in_state = false;
        loop {
            file::write_all(stdio::stdout(), self.data.bytes())
                .map_err(|errno| self.starter.fatal(b"unable to write to standard output", errno))?;
            self.data.advance(self.data.len());
            match self.read()? {
                Some(0) => return Ok(()),
                Some(_) => {}
                None => drop(either([Some((stdio::stdin(), Direction::In)), None], None)),
            }
        }
    }
}

/// The size of standard output and the place in it, if it is a file.
fn output() -> Option<(u64, u64)> {
    let stat = file::stat_open(stdio::stdout()).ok().filter(file::is_regular)?;
    Some((stat.st_size.max(0).unsigned_abs(), file::position(stdio::stdout()).ok()?))
}

/// Makes the new state standard error; gives the old one. The program gets neither.
fn as_processor() -> Option<OwnedFd> {
    let [state, new_state] = [STATE, NEW_STATE].map(|number| stdio::given(number.cast_signed()).ok());
    if let Some(new_state) = new_state {
        let _ = stdio::replace_stderr(new_state);
    }
    let _ = process::close_over_exec(STATE, NEW_STATE);
    state
}
