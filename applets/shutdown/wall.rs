//! Messages to everybody who is logged in, and to the console.

use crate::applets::logins;
use svbox::sys::{file, terminal};
use svbox::text::{Cut, Text};
use svbox::utmp::{Field, Kind};

/// Writes the text to each terminal; what one does not take at once it misses.
pub fn tell(text: &[u8]) {
    if let Ok(utmp) = logins::open_utmp(|path| file::open_read(file::CWD, path)) {
        let _ = logins::each(&utmp, &mut |record, _| {
            if record.is(Kind::User) && !record.text(Field::User).is_empty() {
                write(record.text(Field::Line), text);
            }
            Ok(false)
        });
    }
    write(b"console", text);
}

fn write(line: &[u8], text: &[u8]) {
    let mut path = Text::<64>::new();
    path.push(b"/dev/").push(line);
    // Not only root can write utmp: it must not lead out of /dev.
    if line.parts(b'/').any(|part| part == b"..") {
        return;
    }
    if let Some(Ok(terminal)) = path.c_str().map(terminal::open_write) {
        let _ = file::write_once(&terminal, text);
    }
}
