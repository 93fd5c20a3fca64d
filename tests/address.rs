//! Addresses are written as the standard library writes them.

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use svbox::text::address::{LONGEST, address};

fn written(ip: IpAddr) -> String {
    String::from_utf8(address(&ip).bytes().to_vec()).unwrap()
}

#[test]
fn the_shortest_and_the_longest() {
    for text in
        ["::", "::1", "1::", "0.0.0.0", "255.255.255.255", "1:0:0:2::3", "1::2:0:0:3", "1:2:3:4:5:6:0:8"]
    {
        assert_eq!(written(text.parse().unwrap()), text);
    }
    let longest = written(Ipv6Addr::from([0xffff_u16; 8]).into());
    assert_eq!((longest.len(), longest.as_str()), (LONGEST, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn any_of_the_fourth_version(bytes: [u8; 4]) {
        prop_assert_eq!(written(Ipv4Addr::from(bytes).into()), Ipv4Addr::from(bytes).to_string());
    }

    #[test]
    fn any_of_the_sixth_version(
        groups in prop::array::uniform8(prop_oneof![Just(0_u16), 0_u16..20, any::<u16>()]),
    ) {
        let ip = Ipv6Addr::from(groups);
        // Those of IPv4 in disguise do not arrive at a socket for IPv6 only.
        prop_assume!(ip.to_ipv4_mapped().is_none());
        prop_assert_eq!(written(ip.into()), ip.to_string());
    }
}
