//! Where messages arrive: a path, or an address and port.

use super::rights::Rights;
use super::{fatal, serve};
use core::ffi::CStr;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use svbox::log::config::{ipv4, ipv6};
use svbox::report::Failure;
use svbox::sys::args::Args;
use svbox::sys::file::{self, CWD};
use svbox::sys::net::{LONGEST_PATH, Receiver};
use svbox::sys::{Errno, Result as Done, process, stdio};
use svbox::text::{Text, address, parse};

/// A path is made under another name that becomes its own: there is one at all times.
const NEW: &[u8] = b".new";

/// Listens at a path.
pub fn unix(path: &'static CStr, keep_umask: bool) -> Result<Receiver, Failure> {
    let shown = path.to_bytes();
    if shown.len() > LONGEST_PATH {
        return Err(fatal(shown, b": name too long", None));
    }
    let rights = Rights::read()?;
    if !keep_umask {
        process::set_umask(0);
    }
    let receiver = open(Receiver::local(), &|receiver| at_path(receiver, path))?;
    rights.drop_others()?;
    say(&[shown], &rights);
    Ok(receiver)
}

/// From here on it can be ended without a loss.
fn open(socket: Done<Receiver>, bind: &dyn Fn(&Receiver) -> Done<()>) -> Result<Receiver, Failure> {
    serve::block();
    let receiver = socket.map_err(|errno| fatal(b"socket()", b"", Some(errno)))?;
    bind(&receiver).map_err(|errno| fatal(b"bind()", b"", Some(errno)))?;
    Ok(receiver)
}

fn at_path(receiver: &Receiver, path: &CStr) -> Done<()> {
    is_free(path)?;
    let mut new = Text::<{ LONGEST_PATH + 1 }>::new();
    let Some(new) = new.push(path.to_bytes()).push(NEW).c_str() else {
        // There is no room for a longer name.
        return take_place(receiver, path);
    };
    is_free(new)?;
    take_place(receiver, new)?;
    let renamed = file::rename(CWD, new, path);
    if renamed.is_err() {
        let _ = file::remove(CWD, new);
    }
    renamed
}

/// Takes a path; what has it that cannot be removed is in use.
fn take_place(receiver: &Receiver, path: &CStr) -> Done<()> {
    let _ = file::remove(CWD, path);
    receiver.take_path(path)
}

/// Whether a path is that of a socket, or of nothing: nothing else is taken away.
fn is_free(path: &CStr) -> Done<()> {
    match file::link_stat(CWD, path) {
        Ok(stat) if !file::is_socket(&stat) => Err(Errno::ADDRINUSE),
        Ok(_) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Listens at an address and port, of IPv4 or IPv6. One of IPv4 that begins with 0 stands for all.
pub fn inet(args: Args, sixth: bool) -> Result<Receiver, Failure> {
    if args.len() > 2 {
        return Err(Failure::Usage);
    }
    let default = if sixth { c"::" } else { c"0" };
    let ip = args.get(0).unwrap_or(default).to_bytes();
    let port = args.get(1).unwrap_or(c"514").to_bytes();
    let number = parse(port).and_then(|number| u16::try_from(number).ok());
    let number = number.ok_or_else(|| fatal(b"bad port number: ", port, None))?;
    let (what, ip): (&[u8], _) =
        if sixth { (b"inet_pton()", ipv6(ip)) } else { (b"inet_aton()", fourth(ip)) };
    let ip = ip.ok_or_else(|| fatal(what, b"", Some(Errno::INVAL)))?;

    let rights = Rights::read()?;
    let address = SocketAddr::new(ip, number);
    let receiver = open(Receiver::distant(&address), &|receiver| receiver.take_address(&address))?;
    rights.drop_others()?;
    let (shown, mut text) = (address::address(&ip), Text::<8>::new());
    let [before, behind]: [&[u8]; 2] = if sixth { [b"[", b"]:"] } else { [b"", b":"] };
    say(&[before, shown.bytes(), behind, text.number(u64::from(number)).bytes()], &rights);
    Ok(receiver)
}

fn fourth(text: &[u8]) -> Option<IpAddr> {
    if text.starts_with(b"0") {
        return Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    }
    ipv4(text).filter(|(_, rest)| rest.is_empty()).map(|(ip, _)| ip)
}

/// `listening on WHERE, gid=N, uid=N, starting.`
pub fn say(place: &[&[u8]], rights: &Rights) {
    let mut parts = stdio::Parts::new();
    parts.push(b"listening on ");
    for part in place {
        parts.push(part);
    }
    let (mut group, mut user) = (Text::<16>::new(), Text::<16>::new());
    for (text, name, id) in [(&mut group, b", gid=", rights.group), (&mut user, b", uid=", rights.user)] {
        if let Some(id) = id {
            parts.push(name).push(text.number(u64::from(id)).bytes());
        }
    }
    // There is nowhere to complain about standard error.
    let _ = parts.push(b", starting.\n").write(stdio::stderr());
}
