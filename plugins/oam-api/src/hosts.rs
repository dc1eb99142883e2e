//! The hosts of a trait's rule: as written, or, as in Verrazzano, one of the application's own if
//! none is.

use mizzen_sdk::names::is_label;

/// Why a rule has no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A host is not a valid DNS name for a Gateway: Istio would refuse the whole Gateway.
    #[error("`{0}` is not a valid host: write one such as `shop.example.com`")]
    NoHost(String),
    /// There is none, and no domain to make one of.
    #[error("no host is given (wildcards are ignored): write one, or set `domain` in the configuration")]
    None,
}

/// The hosts of a rule, in lower case, without duplicates. Empty ones and wildcards are ignored, as
/// in Verrazzano: a trait serves names, never a whole domain. Without any host it is
/// `<app>.<namespace>.<domain>`.
pub fn hosts(app: &str, namespace: &str, domain: Option<&str>, written: &[String]) -> Result<Vec<String>, HostError> {
    let mut hosts = Vec::new();
    for host in written.iter().map(|host| host.trim().to_ascii_lowercase()) {
        if host.is_empty() || host.contains('*') || hosts.contains(&host) {
            continue;
        }
        hosts.push(checked(host)?);
    }
    if hosts.is_empty() {
        let domain = domain.ok_or(HostError::None)?;
        hosts.push(checked(format!("{app}.{namespace}.{domain}").to_ascii_lowercase())?);
    }
    Ok(hosts)
}

/// Checks, in lower case, that Istio accepts it in a Gateway: a name of several labels, of which
/// the last is not a number.
fn checked(host: String) -> Result<String, HostError> {
    let is_below_a_domain = |(_, domain): (&str, &str)| domain.bytes().any(|byte| !byte.is_ascii_digit());
    let is_host =
        host.len() <= 253 && host.split('.').all(is_label) && host.rsplit_once('.').is_some_and(is_below_a_domain);
    if is_host { Ok(host) } else { Err(HostError::NoHost(host)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(written: &[&str], domain: Option<&str>) -> Result<Vec<String>, HostError> {
        let written: Vec<_> = written.iter().map(|host| (*host).to_owned()).collect();
        hosts("store", "shop", domain, &written)
    }

    #[test]
    fn hosts_are_as_written_each_once_and_never_a_wildcard() {
        let written = ["Shop.example.com", " shop.example.com ", "*", "*.example.com", "", "b.example.com"];
        assert_eq!(of(&written, None).unwrap(), ["shop.example.com", "b.example.com"]);
    }

    #[test]
    fn without_hosts_the_application_has_one_below_the_domain() {
        assert_eq!(of(&["*"], Some("mesh.example.com")).unwrap(), ["store.shop.mesh.example.com"]);
        assert_eq!(of(&[], None), Err(HostError::None));
    }

    #[test]
    fn an_invalid_host_is_named() {
        let long = "x".repeat(64);
        for wrong in ["a b", "a..b", "-a.b", "a_b", "https://a", "ä.example.com", "a.b:443", &long] {
            assert_eq!(of(&[wrong], None), Err(HostError::NoHost(wrong.to_owned())), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_istio_refuses_in_a_gateway_is_invalid() {
        for wrong in ["shop", "localhost", "shop.123", "192.0.2.1"] {
            assert_eq!(of(&[wrong], None), Err(HostError::NoHost(wrong.to_owned())), "{wrong}");
        }
        assert_eq!(of(&["123.shop", "shop.1a"], None).unwrap(), ["123.shop", "shop.1a"]);
    }
}
