//! What a service's own files say of its end, and of its being ready.

use super::super::output::Output;
use super::Place;
use svbox::service::settings::{KillScope, NAMES, Setting, Settings};
use svbox::sys::time::Duration;
use svbox::sys::{self, Result, file};

/// Between the end of a process and what is told of it.
const MARGIN: Duration = Duration::from_secs(1);

/// The time that `timeout-kill` and `timeout-finish` leave; `None` if there is no limit or no such file.
pub fn deadline(place: &Place) -> Option<Duration> {
    let mut settings = Settings::NONE;
    for setting in [Setting::TimeoutKill, Setting::TimeoutFinish] {
        let _ = read(place, setting, &mut settings);
    }
    let finish = settings.finish_within.unwrap_or_default();
    settings.kill_after.map(|kill| kill.saturating_add(finish).saturating_add(MARGIN))
}

/// Takes over what a file says, if it can be read.
fn read(place: &Place, setting: Setting, settings: &mut Settings) -> Result<()> {
    let name = Setting::ALL.iter().position(|known| *known == setting);
    let name = name.and_then(|at| sys::c_str(NAMES.split_inclusive(|&byte| byte == 0).nth(at)?));
    let Some(name) = name else { return Ok(()) };
    let fd = place.open_file(name)?;
    let mut text = [0; 64];
    let len = file::read_full(&fd, &mut text)?;
    // What means nothing to the supervisor does not either to us.
    settings.set(setting, text.get(..len).unwrap_or(&[]));
    Ok(())
}

/// Whether its supervisor has found the service ready; `None` for a service that does not say.
pub fn is_ready(place: &Place) -> Option<bool> {
    let mut settings = Settings::NONE;
    for setting in [Setting::NotificationFd, Setting::NotifySocket, Setting::CheckInterval] {
        let _ = read(place, setting, &mut settings);
    }
    let says = settings.tells_ready() || is_one_shot(place);
    says.then(|| matches!(place.look(c"supervise/ready"), Ok(Some(_))))
}

/// Whether `./setup` is in the place of `./run`.
fn is_one_shot(place: &Place) -> bool {
    let is = |name| matches!(place.look(name), Ok(Some(stat)) if file::is_executable(&stat));
    matches!(place.look(c"run"), Ok(None)) && is(c"setup")
}

/// Which processes are to end with the service.
pub fn kill_scope(place: &Place) -> KillScope {
    let mut settings = Settings::NONE;
    let _ = read(place, Setting::KillScope, &mut settings);
    settings.kill_scope
}

/// Adds what the service says that it is at.
pub fn put_message(place: &Place, output: &mut Output) {
    let mut text = [0; 256];
    let read = |text: &mut [u8]| file::read_full(&place.open_file(c"supervise/message")?, text);
    let len = read(&mut text).unwrap_or(0);
    let line = text.get(..len).and_then(|text| text.split(|&byte| byte == b'\n').next()).unwrap_or(&[]);
    if !line.is_empty() {
        output.put(b", \"").put(line).put(b"\"");
    }
}
