//! Which headers of a request are a plugin's to set.

/// Headers that negotiate content, and authorise nothing.
const FREE: [&str; 9] = [
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
];

/// Headers that say who asks, on whose behalf, or how the connection is used: with them a plugin would get around what was granted.
const HOSTS: [&str; 20] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "metadata",
    "metadata-flavor",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// As above: `X-Forwarded-For`, `X-aws-ec2-metadata-token`, `Sec-Fetch-Site`.
const HOSTS_PREFIXES: [&str; 3] = ["x-forwarded-", "x-aws-ec2-", "sec-"];

/// Who may set a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderRule {
    /// Every plugin.
    Free,
    /// A plugin to which it is granted.
    Granted,
    /// The host alone.
    Host,
}

/// Who may set this header; its name is compared without regard to case.
pub fn header_rule(name: &str) -> HeaderRule {
    let name = name.to_ascii_lowercase();
    if FREE.contains(&&*name) {
        HeaderRule::Free
    } else if HOSTS.contains(&&*name) || HOSTS_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        HeaderRule::Host
    } else {
        HeaderRule::Granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authenticates_or_belongs_to_the_connection_is_the_hosts_however_it_is_written() {
        for name in ["Authorization", "COOKIE", "Host", "transfer-encoding", "X-Forwarded-Host", "Metadata-Flavor"] {
            assert_eq!(header_rule(name), HeaderRule::Host, "{name}");
        }
        assert_eq!(header_rule("Accept"), HeaderRule::Free);
        assert_eq!(header_rule("X-Api-Key"), HeaderRule::Granted);
    }
}
