//! The attributes of conditions, and their values, as Istio (1.31) accepts them. If its webhook
//! refused a policy, the route would still be written, and the path would be open: so whatever
//! Istio refuses is refused here, before anything is written.

use std::net::IpAddr;

/// The most accounts that Istio accepts in one condition.
const ACCOUNTS: usize = 16;
/// The longest account, with its namespace.
const ACCOUNT: usize = 320;

/// The valid values of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    /// Any text.
    Text,
    /// Addresses, or ranges of them.
    Addresses,
    Port,
    ServiceAccounts,
}

// === impl Attribute ===

impl Attribute {
    /// The attribute of HTTP requests that a key names. For an unknown one Istio would refuse the
    /// policy or ignore the rule.
    pub(crate) fn of(key: &str) -> Option<Self> {
        Some(match key {
            "source.ip" | "remote.ip" | "destination.ip" => Self::Addresses,
            "destination.port" => Self::Port,
            "source.serviceAccount" => Self::ServiceAccounts,
            "source.namespace"
            | "source.principal"
            | "connection.sni"
            | "request.auth.principal"
            | "request.auth.audiences"
            | "request.auth.presenter" => Self::Text,
            _ if argument(key, "request.headers").is_some_and(is_header) => Self::Text,
            _ if argument(key, "request.auth.claims").is_some_and(is_claim) => Self::Text,
            _ => return None,
        })
    }

    /// Why these values are not valid.
    pub(crate) fn refuses(self, values: &[String]) -> Option<String> {
        if values.is_empty() || values.iter().any(String::is_empty) {
            return Some("each condition needs values, none of them empty".to_owned());
        }
        let first = |is_good: fn(&str) -> bool| values.iter().find(|value| !is_good(value));
        match self {
            Self::Text => None,
            Self::Addresses => first(is_addresses)
                .map(|value| format!("`{value}` is neither an IP address nor a range such as `192.0.2.0/24`")),
            Self::Port => first(is_port).map(|value| format!("`{value}` is not a valid port")),
            Self::ServiceAccounts if values.len() > ACCOUNTS => {
                Some(format!("there are {}, and Istio accepts at most {ACCOUNTS}", values.len()))
            }
            Self::ServiceAccounts => first(is_account).map(|value| {
                format!("`{value}` is not a valid account: write `<name>` or `<namespace>/<name>`, without `*`")
            }),
        }
    }
}

/// The text in brackets after the name of an attribute.
fn argument<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    key.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')
}

/// A valid name of an HTTP header.
fn is_header(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A claim, or a nested one: `[a][b]`, without the outermost brackets.
fn is_claim(path: &str) -> bool {
    path.split("][").all(|name| !name.is_empty() && !name.contains(['[', ']']))
}

fn is_addresses(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return text.parse::<IpAddr>().is_ok() };
    let most = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let is_written_plainly = bits == "0" || !bits.starts_with('0');
    is_written_plainly && is_number(bits) && bits.parse::<u16>().is_ok_and(|bits| bits <= most)
}

fn is_port(text: &str) -> bool {
    is_number(text) && text.parse::<u16>().is_ok()
}

/// Rust accepts a leading `+` in numbers, Istio does not.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_account(text: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '*']);
    let is_written = match text.split_once('/') {
        Some((namespace, name)) => is_name(namespace) && is_name(name),
        None => is_name(text),
    };
    is_written && text.len() <= ACCOUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(key: &str, value: &str) -> bool {
        Attribute::of(key).unwrap().refuses(&[value.to_owned()]).is_none()
    }

    #[test]
    fn values_are_those_that_istio_accepts() {
        for (key, good, bad) in [
            (
                "source.ip",
                vec!["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32"],
                vec![
                    "192.0.2.0/33",
                    "192.0.2",
                    "192.0.2.1/",
                    "192.0.2.0/08",
                    "192.0.2.0/+8",
                    "10.0.0.0/8/8",
                    "a",
                    "10.*",
                ],
            ),
            ("remote.ip", vec!["::1/128"], vec!["::1/129", "fe80::1%eth0", "192.0.2.1:80"]),
            ("destination.ip", vec!["192.0.2.1"], vec!["example.com"]),
            ("destination.port", vec!["80", "0", "65535"], vec!["65536", "-1", "+80", "http", "80-90", " 80"]),
            (
                "source.serviceAccount",
                vec!["web", "shop/web"],
                vec!["a/b/c", "shop/", "/web", "shop/*", &*"a".repeat(321)],
            ),
            ("source.namespace", vec!["shop", "shop-*"], vec![]),
            ("connection.sni", vec!["*.example.com"], vec![]),
            ("request.headers[x-tenant]", vec!["a*", "*"], vec![]),
        ] {
            for value in good {
                assert!(takes(key, value), "{key} may be {value}");
            }
            for value in bad {
                assert!(!takes(key, value), "{key} may not be {value}");
            }
            assert!(!takes(key, ""), "{key}");
        }
        assert!(Attribute::ServiceAccounts.refuses(&vec!["a".to_owned(); 16]).is_none());
        assert!(Attribute::ServiceAccounts.refuses(&vec!["a".to_owned(); 17]).is_some());
    }

    #[test]
    fn keys_are_those_that_istio_knows() {
        for key in ["request.headers[x-a]", "request.auth.claims[role]", "request.auth.claims[a][b]", "connection.sni"]
        {
            assert!(Attribute::of(key).is_some(), "{key}");
        }
        for key in [
            "",
            "request.headers",
            "request.headers[]",
            "request.headers[a]b",
            "request.headers[a b]",
            "request.headers[a][b]",
            "request.headersX[a]",
            "request.auth.claims[]",
            "request.auth.claims[a][]",
            "request.auth.claims[[a]]",
            "destination.labels[a]",
            "destination.user",
            "experimental.envoy.filters.a[b]",
        ] {
            assert!(Attribute::of(key).is_none(), "{key}");
        }
    }
}
