//! The configuration of a log directory, one instruction a line (svlogd's spec, section 5).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a pattern does to the lines that it covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selects {
    /// `+`: they are logged.
    Log,
    /// `-`: they are not logged.
    NoLog,
    /// `e`: they are copied to standard error.
    Copy,
    /// `E`: they are not copied to standard error.
    NoCopy,
}

/// Where selected lines are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// To whom.
    pub address: SocketAddr,
    /// Whether they are written to the log as well.
    pub also_log: bool,
}

/// One instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Instruction<'a> {
    /// An empty line, a comment, or an instruction without what it is about.
    Nothing,
    /// `s`: the most bytes a file has; 0 for any number.
    Size(u64),
    /// `n`: how many old logs are kept; 0 for all.
    Keep(u64),
    /// `N`: how many old logs are kept at least when the disk is full.
    Least(u64),
    /// `t`: after how many seconds a file ends; 0 for never.
    Every(u64),
    /// `!`: what is done to a file that has ended.
    Processor(&'a [u8]),
    /// `p`: what is put before each line.
    Prefix(&'a [u8]),
    /// `0`: a line at the top of each new file.
    Banner(&'a [u8]),
    /// `u` and `U`.
    Send(Target),
    /// `+`, `-`, `e` and `E`.
    Pattern(Selects, &'a [u8]),
}

/// Why a line is no instruction. Each carries what is to be shown of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad<'a> {
    /// The first byte means nothing.
    Unknown(&'a [u8]),
    /// What should be a number is none.
    Number(&'a [u8]),
    /// What should be an address is none.
    Address(&'a [u8]),
    /// What should be a port is none.
    Port(&'a [u8]),
}

/// Reads one line, without its newline.
pub fn read(line: &[u8]) -> Result<Instruction<'_>, Bad<'_>> {
    use Instruction as I;
    let Some((letter, rest)) = line.split_first() else { return Ok(I::Nothing) };
    let number = |units| number(rest, units).ok_or(Bad::Number(line));
    match letter {
        b'#' => Ok(I::Nothing),
        b's' => number(&[(b'k', 1024), (b'm', 1 << 20)]).map(I::Size),
        b'n' => number(&[]).map(I::Keep),
        b'N' => number(&[]).map(I::Least),
        b't' => number(&[(b'm', 60), (b'h', 3600)]).map(I::Every),
        b'!' | b'p' if rest.is_empty() => Ok(I::Nothing),
        b'!' => Ok(I::Processor(rest)),
        b'p' => Ok(I::Prefix(rest)),
        b'0' => Ok(I::Banner(rest)),
        b'u' | b'U' => address(rest).map(|address| I::Send(Target { address, also_log: *letter == b'u' })),
        b'+' => Ok(I::Pattern(Selects::Log, rest)),
        b'-' => Ok(I::Pattern(Selects::NoLog, rest)),
        b'e' => Ok(I::Pattern(Selects::Copy, rest)),
        b'E' => Ok(I::Pattern(Selects::NoCopy, rest)),
        _ => Err(Bad::Unknown(line)),
    }
}

/// Digits, perhaps one of the units behind them, and nothing else but white space.
fn number(text: &[u8], units: &[(u8, u64)]) -> Option<u64> {
    let (value, rest) = digits(text)?;
    let unit = units.iter().find(|(letter, _)| rest.first() == Some(letter));
    let (factor, rest) = unit.map_or((1, rest), |(_, factor)| (*factor, rest.get(1..).unwrap_or(&[])));
    rest.trim_ascii().is_empty().then_some(value)?.checked_mul(factor)
}

/// The number at the beginning of a text, and what follows it.
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((crate::text::parse(digits)?, rest))
}

/// The port of syslog, for an address without one.
const PORT: u16 = 514;

/// `A.B.C.D`, `A.B.C.D:PORT`, `[IPv6]`, `[IPv6]:PORT`, or an IPv6 address alone. What follows is ignored.
fn address(text: &[u8]) -> Result<SocketAddr, Bad<'_>> {
    let (ip, rest) = ip(text).ok_or(Bad::Address(text))?;
    let port = match rest {
        [b':', port @ ..] => {
            let number = digits(port).and_then(|(number, _)| u16::try_from(number).ok());
            number.filter(|number| *number > 0).ok_or(Bad::Port(port))?
        }
        _ => PORT,
    };
    Ok(SocketAddr::new(ip, port))
}

fn ip(text: &[u8]) -> Option<(IpAddr, &[u8])> {
    if let [b'[', inside @ ..] = text {
        let end = inside.iter().position(|&byte| byte == b']')?;
        let (ip, rest) = inside.split_at_checked(end)?;
        return Some((ipv6(ip)?, rest.get(1..)?));
    }
    ipv4(text).or_else(|| Some((ipv6(text.trim_ascii_end())?, [].as_slice())))
}

/// An IPv6 address.
pub fn ipv6(text: &[u8]) -> Option<IpAddr> {
    let ip: Ipv6Addr = core::str::from_utf8(text).ok()?.parse().ok()?;
    Some(IpAddr::V6(ip))
}

/// The IPv4 address at the beginning of a text, and what follows it.
pub fn ipv4(text: &[u8]) -> Option<(IpAddr, &[u8])> {
    let mut parts = [0; 4];
    let mut rest = text;
    for (index, part) in parts.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let (number, behind) = digits(rest)?;
        *part = u8::try_from(number).ok()?;
        rest = behind;
    }
    Some((IpAddr::V4(Ipv4Addr::from_octets(parts)), rest))
}
