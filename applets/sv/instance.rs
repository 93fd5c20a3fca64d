//! Making an instance of a template, which is a link, when it is started for the first time.

use super::Place;
use svbox::service::template::is_template;
use svbox::sys::{Errno, Result, file};
use svbox::text::Text;

/// Where templates are looked for, after the services directory.
const TEMPLATES: &[u8] = b"/etc/sv/";

/// Links a service that is not there to its template: `NAME@ARGUMENT` in the services directory to `NAME@`, there or in
/// `/etc/sv`. Gives whether there is one.
pub fn make(place: &Place) -> Result<bool> {
    let Some((parent, name)) = place.in_services_directory() else { return Ok(false) };
    // What the argument holds is its own business.
    let Some(end) = name.iter().position(|&byte| byte == b'@').map(|at| at + 1) else { return Ok(false) };
    let Some((template, argument)) = name.split_at_checked(end) else { return Ok(false) };
    // What ends in @ is a template.
    if template == b"@" || matches!(argument, b"." | b"..") || is_template(name) || place.exists() {
        return Ok(false);
    }
    for (looked_for, target) in [
        ([parent, b"/", template], [b"".as_slice(), template]),
        ([TEMPLATES, b"", template], [TEMPLATES, template]),
    ] {
        if !is_directory(&looked_for) {
            continue;
        }
        let (mut text, mut link) = (Text::<1024>::new(), Text::<4096>::new());
        target.iter().for_each(|part| _ = text.push(part));
        link.push(parent).push(b"/").push(name);
        let (text, link) = (text.c_str().ok_or(Errno::NAMETOOLONG)?, link.c_str().ok_or(Errno::NAMETOOLONG)?);
        return match file::symlink(file::CWD, text, link) {
            // Somebody else has been faster.
            Ok(()) | Err(Errno::EXIST) => Ok(true),
            Err(errno) => Err(errno),
        };
    }
    Ok(false)
}

fn is_directory(parts: &[&[u8]]) -> bool {
    let mut path = Text::<4096>::new();
    parts.iter().for_each(|part| _ = path.push(part));
    path.c_str().is_some_and(|path| file::is_directory_at(file::CWD, path))
}
