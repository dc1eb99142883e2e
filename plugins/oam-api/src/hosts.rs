//! The hosts of a trait's rule: as written, or, as Verrazzano does where none is, one of the application's own.

use mizzen_sdk::names::is_label;

/// Why a rule has no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// One is no name of the DNS that a Gateway may have: Istio would refuse all of the Gateway for it.
    #[error("`{0}` is no host: write one such as `shop.example.com`")]
    NoHost(String),
    /// There is none, and no domain to make one of.
    #[error("no host is left (wildcards do not count): write one, or set `domain` in the configuration")]
    None,
}

/// The hosts of a rule, in lower case, each once. Empty ones and wildcards are left out, as Verrazzano does: a trait serves names of its own
/// and never a whole domain. Where none is left it is `<app>.<namespace>.<domain>`.
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

/// Takes, in lower case, what Istio takes in a Gateway: names of several labels, of which the last one is no number.
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
    fn what_is_no_host_is_named() {
        let long = "x".repeat(64);
        for wrong in ["a b", "a..b", "-a.b", "a_b", "https://a", "ä.example.com", "a.b:443", &long] {
            assert_eq!(of(&[wrong], None), Err(HostError::NoHost(wrong.to_owned())), "{wrong}");
        }
    }

    #[test]
    fn what_istio_refuses_in_a_gateway_is_no_host() {
        for wrong in ["shop", "localhost", "shop.123", "192.0.2.1"] {
            assert_eq!(of(&[wrong], None), Err(HostError::NoHost(wrong.to_owned())), "{wrong}");
        }
        assert_eq!(of(&["123.shop", "shop.1a"], None).unwrap(), ["123.shop", "shop.1a"]);
    }
}
