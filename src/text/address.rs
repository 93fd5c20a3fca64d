//! Addresses of the internet, as they are written.

use super::Text;
use core::net::{IpAddr, Ipv6Addr};

/// How many bytes the longest has: eight groups of four digits.
pub const LONGEST: usize = 39;

/// An address as a text.
pub type Address = Text<{ LONGEST + 1 }>;

/// Writes an address.
pub fn address(ip: &IpAddr) -> Address {
    let mut text = Text::new();
    match ip {
        IpAddr::V4(ip) => {
            for number in ip.octets() {
                text.push(if text.bytes().is_empty() { b"" } else { b"." }).number(u64::from(number));
            }
        }
        IpAddr::V6(ip) => put_groups(ip, &mut text),
    }
    text
}

/// The form of RFC 5952: `::` in the place of the longest run of two zeros or more, the first of several.
fn put_groups(ip: &Ipv6Addr, text: &mut Address) {
    let (mut start, mut end, mut zeros) = (0, 0, 0);
    for (at, group) in ip.segments().into_iter().enumerate() {
        zeros = if group == 0 { zeros + 1 } else { 0 };
        if zeros > 1 && zeros > end - start {
            (start, end) = (at + 1 - zeros, at + 1);
        }
    }
    for (at, group) in ip.segments().into_iter().enumerate() {
        if (start..end).contains(&at) {
            text.push(if at == start { b"::" } else { b"" });
        } else {
            text.push(if at == 0 || at == end { b"" } else { b":" });
            put_group(group, text);
        }
    }
}

fn put_group(group: u16, text: &mut Address) {
    let digits = [group >> 12, group >> 8 & 15, group >> 4 & 15, group & 15];
    let first = digits.iter().position(|digit| *digit > 0).unwrap_or(3);
    for digit in digits.iter().skip(first) {
        let [digit, _] = digit.to_le_bytes();
        text.push(&[digit + if digit < 10 { b'0' } else { b'a' - 10 }]);
    }
}
