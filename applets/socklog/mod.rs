//! socklog: receives syslog messages and writes each as a line to a pipe, as a rule to svlogd.
//!
//! Exits 0 on TERM and at the end of its input, 1 for a wrong command line, and 111 when the system refuses.

mod lines;
mod listen;
mod rights;
mod serve;
mod stream;

use super::Applet;
use core::ffi::CStr;
use lines::{Form, Out, Raw};
use svbox::cli::{Call, Spec, number};
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::Errno;
use svbox::sys::args::Args;

pub fn applet() -> Applet {
    Applet {
        text: b"\
socklog [-rRU] [unix|inet|ucspi] [args]

Receive syslog messages and write them as lines to standard output.

  unix [path]           from processes, at path (default /dev/log)
  inet [ip] [port]      from other machines (default 0 and 514)
  inet6 [ip] [port]     the same for IPv6 (default :: and 514)
  ucspi [var ...]       from standard input, to standard error; the values of
                        variables are put before each line
  klog [path]           from the kernel, by path (default /proc/kmsg)

  -r                    write each message as it came, too
  -R                    write each message only as it came
  -T                    leave out the time that a message begins with
  -U                    keep the umask when the path is made
  --length bytes        how much of a message is received (default 8192)
  -V                    print the version and the usage

Once it listens, UID and GID of the environment are the user and group it works as.",
        usage_path: true,
        misuse: 1,
        alias_misuse: 0,
        runs_program: false,
        spec: Some(Spec(b"rRTUV \x80 \x80 length")),
        run,
    }
}

/// In whose name it speaks. A constant would lie in the memory that each process has to itself.
fn reporter() -> Reporter<'static> {
    Reporter { program: b"socklog", subject: None, waits: true }
}

/// How much of a message is received, unless --length says otherwise, and the most that it can say: more than the
/// kernel lets pass.
const LENGTH: usize = 8 << 10;
const LONGEST: usize = 1 << 20;

/// What the options say.
struct Options {
    form: Form,
    keep_umask: bool,
    length: usize,
    is_wrong: bool,
    version: bool,
}

impl Options {
    fn read(call: &Call) -> Self {
        let form = Form { raw: Raw::No, without_time: false };
        let mut opts = Self { form, keep_umask: false, length: LENGTH, is_wrong: false, version: false };
        call.each(&mut |letter, value| match letter {
            b'r' => opts.form.raw = Raw::Also,
            b'R' => opts.form.raw = Raw::Only,
            b'T' => opts.form.without_time = true,
            b'U' => opts.keep_umask = true,
            b'V' => opts.version = true,
            _ => match value.and_then(number).filter(|length| *length <= LONGEST) {
                Some(length) => opts.length = length,
                None => opts.is_wrong = true,
            },
        });
        opts
    }
}

fn run(call: &Call) -> Result<u8, Failure> {
    let opts = Options::read(call);
    if opts.version {
        return Err(super::tell_version(b"socklog"));
    }
    if opts.is_wrong {
        return Err(Failure::Usage);
    }
    let words = call.operands();
    let args = words.skip(1);
    // Before rights are dropped.
    let out = Out::standard_output();
    // As in runit the first letters of the word count.
    let receiver = match words.get(0).map_or(b"unix".as_slice(), CStr::to_bytes) {
        [b'u', b'n', ..] => listen::unix(one(args, c"/dev/log")?, opts.keep_umask),
        [b'i', b'n', b'e', b't', b'6', ..] => listen::inet(args, true),
        [b'i', ..] => listen::inet(args, false),
        [b'u', b'c', ..] => return stream::of_input(&opts.form, args),
        [b'k', ..] => return stream::of_kernel(&opts.form, one(args, c"/proc/kmsg")?, out),
        _ => Err(Failure::Usage),
    };
    serve::run(&opts, out, receiver?)
}

/// The only argument there can be.
fn one(args: Args, default: &'static CStr) -> Result<&'static CStr, Failure> {
    if args.len() > 1 { Err(Failure::Usage) } else { Ok(args.get(0).unwrap_or(default)) }
}

/// `socklog: fatal: WHATON: WHY`
#[inline(never)]
fn fatal(what: &[u8], on: &[u8], why: Option<Errno>) -> Failure {
    reporter().fatal(&[what, on], why);
    Failure::Said(FATAL)
}
