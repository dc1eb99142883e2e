//! Which headers of a request a plugin may set.

/// Headers that negotiate content and authorize nothing.
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

/// Headers that identify the sender, name a principal, or control the connection: with them a
/// plugin could circumvent its grants.
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

/// Prefixes of such headers: `X-Forwarded-For`, `X-aws-ec2-metadata-token`, `Sec-Fetch-Site`.
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

/// The rule for a header; names are compared without regard to case.
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
    fn headers_that_authenticate_or_control_the_connection_are_the_hosts_in_any_spelling() {
        for name in ["Authorization", "COOKIE", "Host", "transfer-encoding", "X-Forwarded-Host", "Metadata-Flavor"] {
            assert_eq!(header_rule(name), HeaderRule::Host, "{name}");
        }
        assert_eq!(header_rule("Accept"), HeaderRule::Free);
        assert_eq!(header_rule("X-Api-Key"), HeaderRule::Granted);
    }
}
