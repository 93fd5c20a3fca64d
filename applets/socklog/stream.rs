//! Messages one after the other: of a connection, or of the kernel.

use super::super::queue::Queue;
use super::fatal;
use super::lines::{ENOUGH, Form, Lines, Out, most};
use super::listen::say;
use super::rights::Rights;
use core::ffi::CStr;
use core::mem::ManuallyDrop;
use svbox::log::syslog::end;
use svbox::report::Failure;
use svbox::sys::args::{self, Args};
use svbox::sys::poll::{Direction, either};
use svbox::sys::{AsFd, BorrowedFd, file, heap, stdio};

/// The most variables whose values are put before a line.
const PREFIXES: usize = 8;
type Prefixes = [Option<&'static [u8]>; PREFIXES];

/// How much is read at once. A message that is longer is written as it comes.
const READ: usize = 64 << 10;

/// Writes what standard input says, until that ends, to standard error: under tcpsvd standard output is the
/// connection.
pub fn of_input(form: &Form, names: Args) -> Result<u8, Failure> {
    let mut prefixes: Prefixes = [None; PREFIXES];
    for (place, name) in prefixes.iter_mut().zip(names.iter()) {
        *place = args::variable(name.to_bytes());
    }
    ManuallyDrop::new(Stream::new(form, prefixes, Out::standard_error())?).run(stdio::stdin())
}

/// Writes what the kernel says to standard output.
pub fn of_kernel(form: &Form, path: &'static CStr, out: Out) -> Result<u8, Failure> {
    let rights = Rights::read()?;
    let shown = path.to_bytes();
    let log = file::open_input(path).map_err(|errno| fatal(b"unable to open ", shown, Some(errno)))?;
    rights.drop_others()?;
    say(&[shown], &rights);
    ManuallyDrop::new(Stream::new(form, [None; PREFIXES], out)?).run(log.as_fd())
}

struct Stream {
    input: Queue,
    /// The beginning of the message that comes next has been handed on.
    inside: bool,
    prefixes: Prefixes,
    lines: Lines,
    out: Out,
}

impl Stream {
    fn new(form: &Form, prefixes: Prefixes, out: Out) -> Result<Self, Failure> {
        let input = Queue::new(READ).map_err(|errno| fatal(b"unable to get memory", b"", Some(errno)))?;
        let values: usize = prefixes.iter().flatten().map(|value| most(value.len())).sum();
        let lines = Lines::new(*form, most(READ).saturating_add(values))?;
        Ok(Self { input, inside: false, prefixes, lines, out })
    }

    /// Goes on until the end; gives the exit code.
    fn run(&mut self, fd: BorrowedFd<'_>) -> Result<u8, Failure> {
        heap::seal();
        loop {
            self.input.draw_up();
            match file::read_some(fd, self.input.rest())
                .map_err(|errno| fatal(b"read()", b"", Some(errno)))?
            {
                None => drop(either([Some((fd, Direction::In)), None], None)),
                Some(0) => break,
                Some(count) => self.input.grow(count),
            }
            self.feed()?;
            self.lines.write_all(&self.out)?;
        }
        // The last message may lack its end.
        if !self.input.is_empty() || self.inside {
            self.input.push(b"\n");
            self.feed()?;
        }
        self.lines.write_all(&self.out)?;
        Ok(0)
    }

    /// Hands on all messages that are there with their ends, and the beginning of one that is long.
    fn feed(&mut self) -> Result<(), Failure> {
        loop {
            let bytes = self.input.bytes();
            let end = end(bytes);
            let message = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
            match end {
                None if bytes.len() < READ => return Ok(()),
                None if self.inside => self.lines.text(message),
                None => self.lines.beginning(&self.prefixes, message),
                Some(_) if self.inside => {
                    self.lines.text(message);
                    self.lines.end(false);
                }
                Some(0) => {}
                Some(_) => self.lines.message(&self.prefixes, message, false),
            }
            self.inside = end.is_none();
            let used = message.len() + usize::from(end.is_some());
            self.input.advance(used);
            if self.lines.len() >= ENOUGH {
                self.lines.write_all(&self.out)?;
            }
        }
    }
}
