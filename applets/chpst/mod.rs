//! chpst: changes the state of the process, then runs a program in its place; and six small programs of daemontools
//! that are each a part of it.
//!
//! Exits 100 for a wrong command line and 111 when something cannot be done, and then the program is not run;
//! otherwise the program's own code counts.

mod beyond;
mod env_dir;
mod inner;
mod limits;
mod lock;
mod long;
mod options;
mod plan;
mod program;
mod state;
mod unable;
mod who;

use super::Applet;
use core::mem::ManuallyDrop;
use options::Misuse;
use plan::{Change, Plan};
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::sys::args::Args;
use who::Who;

/// Whatever the name, messages are chpst's.
const REPORT: Reporter<'_> = Reporter { program: b"chpst", subject: None, waits: true };

#[cfg(feature = "chpst")]
pub fn chpst() -> Applet {
    applet(
    b"\
chpst [-vVPFI012N] [-u [:]user[:group]] [-U [:]user[:group]] [-b argv0] [-e dir] [-/ root] [-C pwd] [-n nice] [-A sec] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-r n] [-t n] [-a n] [-s n] prog

Change the state of the process and run prog; see chpst(8) for the order.

  -u [:]user[:group]...  user and groups; with a colon in front, numbers
  -U [:]user[:group]...  the same as the variables UID and GID
  -b argv0               call the program so
  -e dir                 variables from the files in dir
  -/ root                change the root directory
  -C pwd                 change the current directory
  -n nice                add to the nice value
  -l lock, -L lock       lock a file; -L: fail if it is locked
  -m n                   limits -d, -s, -a, and of locked memory
  -d n, -s n, -a n       bytes of data, of stack, of all memory
  -o n, -p n             open files, processes of the user
  -f n, -c n, -r n       bytes of a file, of a core, of resident memory
  -t n                   seconds of processor time
  -A sec                 send ALRM after so long
  -P                     start a new session
  -F, -I                 run in process and mount namespaces, until all in it
                         have ended; -I: as process 1
  -0, -1, -2             close stdin, stdout, stderr
  -N                     open /dev/null in their place instead
  -v                     say what is passed over
  -V                     print the version and the usage
  --stdin FILE, --stdout FILE, --stderr FILE    open it in its place
  --clear-env, --unset NAME, --env NAME=VALUE    variables
  --rlimit NAME=SOFT[:HARD]    any limit, as prlimit(1) names it
  --umask MODE, --cpus LIST, --oom-score-adj N
  --io-priority CLASS[:N]    realtime, best-effort, idle
  --scheduler POLICY[:PRIO]    other, batch, idle, fifo, rr
  --cgroup PATH    join a control group, made if need be
  --ns LIST    of mount, pid, net, ipc, uts, user, cgroup
  --read-only PATH, --private-tmp    in a mount namespace
  --cap-bound LIST, --cap-ambient LIST    capabilities
  --no-new-privs, --landlock ro:PATH, --landlock rw:PATH
  --parent-death-signal SIG, --new-session
  --close-fds, --keep-fd LIST    no others above 2
  --if-supported    the next option may be unknown to the kernel",
    |call| run(call, options::chpst),
    )
}

#[cfg(feature = "softlimit")]
pub fn softlimit() -> Applet {
    applet(
    b"\
softlimit [-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] child

Run child with soft limits; see softlimit(8). = stands for the hard limit.",
    |call| run(call, options::softlimit),
    )
}

#[cfg(feature = "setlock")]
pub fn setlock() -> Applet {
    applet(
        b"\
setlock [ -nNxX ] file program [ arg ... ]

Run a program while holding a lock on file; see setlock(8).

  -n                     fail if it is locked; -N: wait (default)
  -x                     then exit 0 without a word; -X: tell, and exit 111 (default)",
        |call| run(call, options::setlock),
    )
}

#[cfg(feature = "setuidgid")]
pub fn setuidgid() -> Applet {
    applet(
        b"\
setuidgid account child

Run child with the user and group of an account; see setuidgid(8).",
        |call| {
            run(call, |args, plan| options::with_first(args, plan, |name| Change::Ids(Who::account(name))))
        },
    )
}

#[cfg(feature = "envuidgid")]
pub fn envuidgid() -> Applet {
    applet(
        b"\
envuidgid account child

Run child with an account's user and group as the variables UID and GID; see envuidgid(8).",
        |call| {
            run(call, |args, plan| {
                options::with_first(args, plan, |name| Change::IdVariables(Who::account(name)))
            })
        },
    )
}

#[cfg(feature = "envdir")]
pub fn envdir() -> Applet {
    applet(b"envdir dir child\n\nRun child with variables from the files in dir; see envdir(8).", |call| {
        run(call, |args, plan| options::with_first(args, plan, |dir| Change::EnvDir(dir, true)))
    })
}

#[cfg(feature = "pgrphack")]
pub fn pgrphack() -> Applet {
    applet(b"pgrphack child\n\nRun child in a new session; see pgrphack(8).", |call| {
        run(call, |args, plan| {
            plan.ask(Change::Session);
            Ok(args)
        })
    })
}

/// One of them. They take their options themselves, in order, since that of some of them counts.
fn applet(text: &'static [u8], run: fn(&Call) -> Result<u8, Failure>) -> Applet {
    Applet { text, usage_path: false, misuse: 100, alias_misuse: 0, runs_program: true, spec: None, run }
}

/// Fills a plan from arguments; gives those that are left.
type Fill = fn(Args, &mut Plan) -> Result<Args, Misuse>;

fn run(call: &Call, fill: Fill) -> Result<u8, Failure> {
    // Never taken apart: either the program takes over, or the process ends.
    let mut plan = ManuallyDrop::new(Plan::default());
    let args = match fill(call.operands(), &mut plan) {
        Ok(_) if plan.too_many => return Misuse::Memory.tell(call),
        Ok(args) if !args.is_empty() => args,
        Ok(_) => return Err(Failure::Usage),
        Err(misuse) => return misuse.tell(call),
    };
    let unable = state::carry_out(&plan, args);
    if plan.quiet {
        return Ok(0);
    }
    unable.tell();
    Err(Failure::Said(FATAL))
}
