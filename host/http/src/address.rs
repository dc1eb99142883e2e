//! Which addresses are public. All others (loopback, link-local, private and reserved ones) lead into the host's own
//! machine, the cluster, or the cloud's metadata, and get requests only where a grant names their network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// IPv4 networks that are not public, as address and prefix length.
///
/// Source: IANA's IPv4 Special-Purpose Address Registry.
const V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Whether requests may go to an address: it is public, or in one of the networks that are granted.
pub(crate) fn is_allowed(address: IpAddr, private: &[IpNet]) -> bool {
    let address = address.to_canonical();
    is_public(address) || private.iter().any(|network| network.contains(&address))
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(network, length): &([u8; 4], u8)| {
        let shift = 32 - u32::from(*length);
        u32::from_be_bytes(*network) >> shift == address.to_bits() >> shift
    };
    !V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        // Translated to IPv4 on the way, so it is as public as that address.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Tunnels and reserved networks, documentation, and then all global unicast.
        [0x2001, second, ..] if second < 0x200 => false,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str, private: &[&str]) -> bool {
        let private: Vec<_> = private.iter().map(|network| network.parse().unwrap()).collect();
        is_allowed(address.parse().unwrap(), &private)
    }

    #[test]
    fn an_address_that_is_not_public_is_refused_however_it_is_written() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:db8::1",
        ] {
            assert!(!allowed(address, &[]), "{address}");
        }
    }

    #[test]
    fn a_public_address_is_allowed() {
        for address in
            ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860:4860::8888", "64:ff9b::101:101"]
        {
            assert!(allowed(address, &[]), "{address}");
        }
    }

    #[test]
    fn only_a_granted_network_is_allowed_beside_public_ones() {
        assert!(allowed("10.20.3.4", &["10.20.0.0/16"]) && allowed("::ffff:10.20.3.4", &["10.20.0.0/16"]));
        assert!(!allowed("10.21.3.4", &["10.20.0.0/16"]) && !allowed("169.254.169.254", &["10.0.0.0/8"]));
    }
}
