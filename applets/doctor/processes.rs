//! The supervisors that run: what each looks at, and whether it is of this version.

use super::services::Scan;
use super::tree::{Identity, path};
use super::{Findings, Path, Tree};
use core::ffi::CStr;
use svbox::cli::last_part;
use svbox::sys::Errno;
use svbox::text::{Cut, parse, place};

/// Those that are looked at, in the order of the enumeration below.
const NAMES: &[u8] = b"runsv svlogd runsvdir pid1 runit init";

/// Looks at all processes; gives how many look after scan directories.
pub fn examine(tree: &Tree, ours: Option<Identity>, findings: &mut Findings) -> u32 {
    let mut count = 0;
    let listed = tree.each_name(b"/proc", &mut |pid| {
        count += u32::from(parse(pid.to_bytes()).is_some() && one(tree, ours, pid, findings));
    });
    if let Err(errno) = listed {
        findings.unseen(b"/proc", errno);
    }
    count
}

fn file(pid: &CStr, name: &[u8]) -> Path {
    path(&[b"/proc/", pid.to_bytes(), name])
}

/// Looks at a process; gives whether it looks after a scan directory. It can end at any moment.
#[inline(never)]
fn one(tree: &Tree, ours: Option<Identity>, pid: &CStr, findings: &mut Findings) -> bool {
    let mut name = [0; 16];
    let name = name_of(tree, pid.to_bytes(), &mut name);
    let kind = place(NAMES, name);
    let is_first = pid == c"1";
    if kind.is_none()
        || kind > Some(3) && !is_first
        || is_elsewhere(tree, pid)
        || is_becoming(tree, pid, name)
    {
        return false;
    }
    let mut line = [0; 4096];
    let line = tree.read(&file(pid, b"/cmdline"), &mut line).unwrap_or(b"");
    if line.is_empty() {
        // It has ended, or becomes another one at this moment.
        return false;
    }
    version(tree, ours, pid, name, line, findings);
    match kind {
        Some(2) => scan(tree, line, findings),
        Some(3) => {}
        _ => return false,
    }
    true
}

fn name_of<'b>(tree: &Tree, pid: &[u8], buffer: &'b mut [u8; 16]) -> &'b [u8] {
    let name = tree.read(&path(&[b"/proc/", pid, b"/comm"]), buffer).unwrap_or(b"");
    name.strip_suffix(b"\n").unwrap_or(name)
}

/// Whether it is a child that will be another program in a moment, and until then looks like its parent.
fn is_becoming(tree: &Tree, pid: &CStr, name: &[u8]) -> bool {
    let (mut line, mut buffer) = ([0; 128], [0; 16]);
    let line = tree.read(&file(pid, b"/stat"), &mut line).unwrap_or(b"");
    // Behind the name in parentheses there are the state and the parent.
    let parent = line.rsplit(|&byte| byte == b')').next().and_then(|rest| rest.parts(b' ').nth(2));
    parent.is_some_and(|parent| name_of(tree, parent, &mut buffer) == name)
}

/// Whether it has another root directory: a container's services are not these.
fn is_elsewhere(tree: &Tree, pid: &CStr) -> bool {
    match (tree.look(&file(pid, b"/root")), tree.look(&path(&[b"/"]))) {
        (Ok(its), Ok(ours)) => its.identity != ours.identity,
        _ => false,
    }
}

/// Says so if it runs another file than the one that is here now.
fn version(
    tree: &Tree,
    ours: Option<Identity>,
    pid: &CStr,
    name: &[u8],
    line: &[u8],
    findings: &mut Findings,
) {
    match tree.look(&file(pid, b"/exe")) {
        Ok(look) if ours == Some(look.identity) => return,
        // It has ended.
        Err(Errno::NOENT | Errno::SRCH) => return,
        // There are others of this name.
        Ok(_) if name == b"init" && !is_svbox(tree, pid) => return,
        Ok(_) => {}
        Err(errno) => return findings.unseen(name, errno),
    }
    let service = operand(line, name).unwrap_or(b"");
    let found = found(tree, pid, service);
    let (remedy, what): (&[u8], &[u8]) = match place(b"runsv svlogd runsvdir", name) {
        Some(0) => (b") is not this svbox: sv -w 30 exit ", found.bytes()),
        Some(1) => (b") is not this svbox: sv -w 30 exit what it logs for", b""),
        Some(2) => (b") is not this svbox: TERM, or where process 1 has started it, a new start", b""),
        _ => (b") is not this svbox: telinit u, or where it is runit, a new start", b""),
    };
    let process = path(&[name, b" ", service, b" (process ", pid.to_bytes()]);
    findings.warning(process.bytes(), remedy, what);
}

/// Where sv finds the service of a runsv, for a shell. That of runit works within the service directory, ours beside it.
#[inline(never)]
fn found(tree: &Tree, pid: &CStr, service: &[u8]) -> Path {
    let mut text = [0; 4096];
    let found = match tree.link(&file(pid, b"/cwd"), &mut text) {
        Ok(cwd) if !service.starts_with(b"/") => {
            let beside = path(&[cwd, b"/", service]);
            if tree.is_directory(beside.bytes()) { beside } else { path(&[cwd]) }
        }
        _ => path(&[service]),
    };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-@:+".contains(byte);
    if found.bytes().iter().all(is_plain) { found } else { quoted(found.bytes()) }
}

/// As one word of a shell.
fn quoted(text: &[u8]) -> Path {
    let mut quoted = path(&[b"'"]);
    for byte in text {
        quoted.push(if *byte == b'\'' { br"'\''" } else { core::slice::from_ref(byte) });
    }
    quoted.push(b"'");
    quoted
}

/// Whether what it runs is called svbox, or was.
fn is_svbox(tree: &Tree, pid: &CStr) -> bool {
    let mut text = [0; 4096];
    tree.link(&file(pid, b"/exe"), &mut text).is_ok_and(|text| last_part(text).starts_with(b"svbox"))
}

/// What a command line has behind the name and the options.
fn operand<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let mut words = line.parts(0);
    words.find(|word| last_part(word) == name)?;
    loop {
        match words.next()? {
            b"-s" => _ = words.next(),
            [b'-', ..] => {}
            word => return Some(word),
        }
    }
}

fn scan(tree: &Tree, line: &[u8], findings: &mut Findings) {
    let dir = operand(line, b"runsvdir").unwrap_or(b"");
    // What it was started in may not be where it is now.
    if dir.starts_with(b"/") {
        return Scan { tree, dir, is_scanned: true }.examine(findings);
    }
    findings.note(dir, b" is relative, and what that runsvdir looks at is not looked at");
}
