//! The services that are linked in a scan directory: whether each can be started, and has a supervisor.

use super::machine::is_read_only;
use super::tree::path;
use super::{Findings, Path, Tree, USUAL, words};
use core::ffi::CStr;
use svbox::cli::last_part;
use svbox::service::client;
use svbox::service::names::{self, File, Part};
use svbox::service::status::Shown;
use svbox::service::template;
use svbox::sys::file::CWD;
use svbox::sys::{AsFd, Errno, fifo};
use svbox::text::Cut;

/// A directory that runsvdir looks at, or would.
pub struct Scan<'a> {
    pub tree: &'a Tree,
    pub dir: &'a [u8],
    /// Whether a runsvdir does.
    pub is_scanned: bool,
}

impl Scan<'_> {
    pub fn examine(&self, findings: &mut Findings) {
        let listed = self.tree.each_name(self.dir, &mut |name| self.entry(name, findings));
        if let Err(errno) = listed {
            findings.unseen(self.dir, errno);
        }
        // What is not linked, and runs or did run. Other scan directories are for other services.
        if words(USUAL).any(|dir| dir == self.dir) {
            let _ = self.tree.each_name(b"/etc/sv", &mut |name| self.left_out(name, findings));
        }
    }

    #[inline(never)]
    fn entry(&self, name: &CStr, findings: &mut Findings) {
        let entry = path(&[self.dir, b"/", name.to_bytes()]);
        if template::is_template(name.to_bytes()) {
            return;
        }
        match self.tree.look(&entry) {
            Ok(look) if look.is_directory => {
                findings.services += 1;
                self.service(entry.bytes(), findings);
            }
            Ok(_) => findings.warning(entry.bytes(), b" is no directory: remove it", b""),
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {
                findings.error(entry.bytes(), b" leads nowhere: remove the link, or mend it", b"");
            }
            Err(errno) => findings.unseen(entry.bytes(), errno),
        }
    }

    fn service(&self, dir: &[u8], findings: &mut Findings) {
        let setup = self.tree.look(&path(&[dir, b"/setup"]));
        let is_one_shot = setup.is_ok_and(|look| look.is_regular && look.is_executable)
            && self.tree.find(&path(&[dir, b"/run"])).is_err_and(|errno| errno == Errno::NOENT);
        let main: &[u8] = if is_one_shot { b"/setup" } else { b"/run" };
        for name in [main, b"/finish", b"/check"] {
            program(self.tree, path(&[dir, name]).bytes(), name == main, findings);
        }
        self.supervised(dir, Part::Main, findings);
        if self.tree.is_directory(path(&[dir, b"/log"]).bytes()) {
            program(self.tree, path(&[dir, b"/log/run"]).bytes(), true, findings);
            self.supervised(dir, Part::Log, findings);
        }
    }

    /// Looks for a supervisor, and for what keeps one from starting.
    #[inline(never)]
    fn supervised(&self, dir: &[u8], part: Part, findings: &mut Findings) {
        match self.has_supervisor(dir, part) {
            Ok(true) => return,
            Ok(false) => {}
            Err(errno) => return findings.unseen(dir, errno),
        }
        let log: &[u8] = if part == Part::Log { b"/log" } else { b"" };
        let own = path(&[dir, log]);
        let supervise = match self.state(dir).bytes() == dir {
            true => path(&[own.bytes(), b"/supervise"]),
            false => path(&[dir, b"/", template::INSTANCES.to_bytes()]),
        };
        if self.leads_too_far(&supervise) {
            findings.error(supervise.bytes(), b" leads into a directory that is not there: mkdir it", b"");
        } else if is_read_only(self.tree, supervise.bytes())
            || self.tree.find(&supervise).is_err() && is_read_only(self.tree, own.bytes())
        {
            findings.error(supervise.bytes(), b" is read-only: make it a link into /run", b"");
        } else if self.is_scanned {
            findings.error(own.bytes(), b" has no supervisor: ps shows what runsvdir says of it", b"");
        }
        self.stale(dir, part, findings);
    }

    /// Where the state of a service is kept: in its directory, or below it that of an instance of a template.
    #[inline(never)]
    fn state(&self, dir: &[u8]) -> Path {
        let mut state = path(&[dir]);
        let scan = self.tree.find(&path(&[above(dir)]));
        if let Ok(Some(argument)) = scan.as_ref().map(|scan| template::argument(scan.as_fd(), last_part(dir)))
        {
            state.push(b"/").push(template::INSTANCES.to_bytes()).push(b"/").push(argument);
        }
        state
    }

    /// Whether `supervise` is a link that runsv cannot follow: it makes one directory, and none above it.
    fn leads_too_far(&self, supervise: &Path) -> bool {
        let mut text = [0; names::LONGEST_LINK];
        let Ok(text) = self.tree.link(supervise, &mut text) else { return false };
        let from: &[u8] = if text.starts_with(b"/") { b"" } else { above(supervise.bytes()) };
        let parent = path(&[from, above(text), b"."]);
        self.tree.is_here() && self.tree.find(&parent).is_err_and(|errno| errno == Errno::NOENT)
    }

    /// Whether somebody holds `ok` open.
    fn has_supervisor(&self, dir: &[u8], part: Part) -> Result<bool, Errno> {
        let ok = path(&[self.state(dir).bytes(), b"/", names::path(part, File::Ok).to_bytes()]);
        if !self.tree.is_here() {
            return Ok(false);
        }
        match self.tree.look(&ok) {
            Ok(look) if look.is_fifo => {}
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
            Err(errno) => return Err(errno),
        }
        match fifo::open_write(CWD, ok.c_str().ok_or(Errno::NAMETOOLONG)?) {
            Ok(_) => Ok(true),
            Err(Errno::NXIO) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Says what a supervisor that is gone has left running.
    fn stale(&self, dir: &[u8], part: Part, findings: &mut Findings) {
        let file = path(&[self.state(dir).bytes(), b"/", names::path(part, File::Status).to_bytes()]);
        let is_file = self.tree.is_here() && self.tree.look(&file).is_ok_and(|look| look.is_regular);
        let Some(Ok(status)) = file.c_str().filter(|_| is_file).map(|path| client::read_status(CWD, path))
        else {
            return;
        };
        let mut process = path(&[b"/proc/"]);
        process.number(u64::from(status.pid));
        if status.pid > 0 && status.shown != Shown::Down && self.tree.is_directory(process.bytes()) {
            let pid = process.bytes().strip_prefix(b"/proc/").unwrap_or(b"");
            findings.warning(dir, b" may still run, without a supervisor: if it does, kill ", pid);
        }
    }

    /// A service directory that is not linked.
    #[inline(never)]
    fn left_out(&self, name: &CStr, findings: &mut Findings) {
        let dir = path(&[b"/etc/sv/", name.to_bytes()]);
        if self.tree.find(&path(&[self.dir, b"/", name.to_bytes()])).is_ok() {
            return;
        }
        match self.has_supervisor(dir.bytes(), Part::Main) {
            Ok(true) => {
                findings.warning(dir.bytes(), b" runs and is not linked: link it, or sv exit ", dir.bytes());
            }
            Ok(false) => self.stale(dir.bytes(), Part::Main, findings),
            Err(errno) => findings.unseen(dir.bytes(), errno),
        }
    }
}

/// A path without its last part.
fn above(path: &[u8]) -> &[u8] {
    path.strip_suffix(last_part(path)).unwrap_or(path)
}

/// Says what is wrong with a program, which may be missing if it is not needed.
#[inline(never)]
pub fn program(tree: &Tree, name: &[u8], is_needed: bool, findings: &mut Findings) {
    let file = path(&[name]);
    let look = match tree.look(&file) {
        Ok(look) => look,
        Err(Errno::NOENT) if is_needed => return findings.error(name, b" is missing: write it", b""),
        Err(Errno::NOENT) => return,
        Err(errno) => return findings.unseen(name, errno),
    };
    if !look.is_regular {
        return findings.error(name, b" is no file: write it", b"");
    }
    if !look.is_executable {
        return findings.error(name, b" is not executable: chmod +x ", name);
    }
    let mut buffer = [0; 256];
    match tree.read(&file, &mut buffer) {
        Ok([b'#', b'!', line @ ..]) => interpreter(tree, name, line, findings),
        Ok([0x7f, b'E', b'L', b'F', ..]) => {}
        Ok(_) => {
            findings.error(name, b" begins with neither #! nor ELF: write #!/bin/sh in its first line", b"")
        }
        Err(errno) => findings.unseen(name, errno),
    }
}

/// Looks for what is to run a script, and for what that is to run, if it is a path.
fn interpreter(tree: &Tree, script: &[u8], line: &[u8], findings: &mut Findings) {
    let line = line.before(b'\n');
    let mut words = line.split(|&byte| byte == b' ' || byte == b'\t').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or(b"nothing");
    for word in words.filter(|word| word.starts_with(b"/")).chain([first]) {
        // One that is relative is found in the directory of the script, where it is run.
        let beside = if word.starts_with(b"/") { b"" } else { above(script) };
        if tree.find(&path(&[beside, word])).is_err_and(|errno| errno == Errno::NOENT) {
            findings.error(script, b" needs in its first line what is not there: install ", word);
        }
    }
}
