//! svstat: prints the state of services in daemontools' words.
//!
//! Exits 0, whatever it found, or 111 when the output cannot be written.

use super::Applet;
use super::output::Output;
use super::place::Place;
use svbox::cli::Call;
use svbox::report::{FATAL, Failure, Reporter};
use svbox::service::client::NoStatus;
use svbox::service::names::Part;
use svbox::service::status::Status;
use svbox::sys::Errno;
use svbox::tai::Tai;

pub fn applet() -> Applet {
    Applet {
        text: b"\
svstat dir ...

Print the state of services.",
        usage_path: false,
        misuse: 100,
        alias_misuse: 0,
        runs_program: false,
        spec: None,
        run,
    }
}

fn run(call: &Call) -> Result<u8, Failure> {
    let mut output = Output::new();
    for dir in call.operands().iter() {
        output.put(dir.to_bytes()).put(b": ");
        tell(&Place::at(dir), &mut output);
        output.put(b"\n");
    }
    output.flush().map(|()| 0).map_err(|errno| {
        let report = Reporter { program: b"svstat", subject: None, waits: true };
        report.fatal_of(b"unable to write to standard output", b"", errno);
        Failure::Said(FATAL)
    })
}

fn tell(place: &Place, output: &mut Output) {
    let (what, why) = match look(place) {
        Ok(Ok((status, down))) => return tell_status(&status, down, output),
        Ok(Err(NoStatus::NotRunning)) => (b"supervise not running".as_slice(), None),
        Ok(Err(why)) => why.words(),
        Err((what, errno)) => (what, Some(errno)),
    };
    output.put(what).why(why);
}

type Looked = Result<Result<(Status, bool), NoStatus>, (&'static [u8], Errno)>;

/// The status, and whether there is a file `down`.
fn look(place: &Place) -> Looked {
    place.enter().map_err(|errno| (b"unable to chdir".as_slice(), errno))?;
    let down = place.look(c"down").map_err(|errno| (b"unable to stat down".as_slice(), errno))?;
    Ok(place.status(Part::Main).map(|status| (status, down.is_some())))
}

fn tell_status(status: &Status, down: bool, output: &mut Output) {
    let up = status.is_up();
    match status.pid {
        // A one-shot.
        0 if up => output.put(b"up "),
        0 => output.put(b"down "),
        pid => output.put(b"up (pid ").number(u64::from(pid)).put(b") "),
    };
    output.number(Tai::now().seconds_since(status.since)).put(b" seconds");
    let flags: [(bool, &[u8]); 5] = [
        (up && down, b", normally down"),
        (!up && !down, b", normally up"),
        (up && status.paused, b", paused"),
        (!up && status.want == b'u', b", want up"),
        (up && status.want == b'd', b", want down"),
    ];
    for (_, text) in flags.iter().filter(|(holds, _)| *holds) {
        output.put(text);
    }
}
