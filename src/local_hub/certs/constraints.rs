//! The name constraints of the hub's CA, as DER: rcgen has no form for names of the kind URI.
//!
//! RFC 5280, 4.2.1.10: of a kind of name that is named here, only the names within are permitted; of a kind that is not, all are.
//! So every kind that clients know is named, with `localhost` where the hub itself has no such name.

use super::names::{self, HubName};
use rcgen::CustomExtension;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const NAME_CONSTRAINTS: [u64; 4] = [2, 5, 29, 30];
const SEQUENCE: u8 = 0x30;
const PERMITTED: u8 = 0xa0;
// Tags of GeneralName, RFC 5280, 4.2.1.6.
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const ADDRESS: u8 = 0x87;

/// Loopback names and addresses, and these.
pub fn extension(beyond: &[&HubName]) -> CustomExtension {
    let localhost = names::LOCALHOST.as_bytes();
    let mut subtrees = vec![
        subtree(DNS, localhost),
        subtree(ADDRESS, &block(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), &[0xff, 0, 0, 0])),
        only(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        subtree(EMAIL, localhost),
        subtree(URI, localhost),
    ];
    subtrees.extend(beyond.iter().map(|name| match name {
        HubName::Dns(name) => subtree(DNS, name.as_bytes()),
        HubName::Address(address) => only(*address),
    }));
    let content = element(SEQUENCE, &element(PERMITTED, &subtrees.concat()));
    let mut extension = CustomExtension::from_oid_content(&NAME_CONSTRAINTS, content);
    extension.set_criticality(true);
    extension
}

fn subtree(tag: u8, base: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &element(tag, base))
}

/// This address and no other.
fn only(address: IpAddr) -> Vec<u8> {
    let mask: &[u8] = if address.is_ipv4() { &[0xff; 4] } else { &[0xff; 16] };
    subtree(ADDRESS, &block(address, mask))
}

fn block(address: IpAddr, mask: &[u8]) -> Vec<u8> {
    let mut bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    bytes.extend(mask);
    bytes
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    if let Ok(short @ ..0x80) = u8::try_from(length) {
        bytes.push(short);
    } else {
        let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        // A length has at most eight digits.
        bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
        bytes.extend(digits);
    }
    bytes.extend(content);
    bytes
}
