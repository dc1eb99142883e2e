//! The network that a plugin may reach, validated.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use mizzen_model::http::Target;
use mizzen_model::{Kind, ObjectRef, is_dns_name};
use serde_json::Value;

use crate::template::Template;

/// The granted hosts and credentials. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The hosts, in the order of the document: the first match decides.
    pub hosts: Vec<HttpGrant>,
    /// The credentials, by name.
    pub credentials: BTreeMap<String, Credential>,
}

/// The grant of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    /// The host.
    pub host: HostPattern,
    /// The port.
    pub port: u16,
    /// Whether requests are sent without TLS.
    pub plain: bool,
    /// The methods, in upper case.
    pub methods: Vec<String>,
    /// Headers that the plugin may set beside those that every plugin may set, in lower case.
    pub headers: Vec<String>,
    /// The names of the credentials that may be sent; each exists.
    pub credentials: Vec<String>,
    /// Non-public networks in which it may be.
    pub private: Vec<IpNet>,
    /// The proxy, if any.
    pub proxy: Option<ProxyGrant>,
    /// Further certificate authorities in PEM, beside those of the system.
    pub pem: Option<String>,
    /// Keys that have further certificate authorities.
    pub trust: Vec<KeyRef>,
    /// The certificate is not verified if this resolves to `true`.
    pub skip_verify_if: Option<Template>,
}

/// A host, or all hosts below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// One host, in lower case; an IPv6 address without brackets.
    Exact(String),
    /// Every host whose name ends with this suffix, which starts with a dot.
    Below(String),
}

/// A proxy: its URL, or the key that has the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyGrant {
    /// The URL; for subjects for which it does not resolve, there is none.
    pub url: Option<Template>,
    /// The key that has the URL.
    pub secret: Option<KeyRef>,
    /// Non-public networks in which it may be.
    pub private: Vec<IpNet>,
}

/// A credential, with which the host authenticates requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The key that has the credential.
    pub secret: KeyRef,
    /// The header that has it, in lower case.
    pub header: String,
    /// The text before it in the header, with a space at its end; or empty.
    pub prefix: String,
}

/// One key of a Secret or ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRef {
    /// Whether it is a Secret or a ConfigMap.
    pub holder: Holder,
    /// The namespace.
    pub namespace: Place,
    /// The name.
    pub name: Template,
    /// The key.
    pub key: String,
}

/// The kind of the object that has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

/// The namespace of a key: one that the configuration names, or the subject's own. The author of a
/// subject can not choose any other, and so can not make the host send Secrets of other namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The namespace in the configuration.
    Fixed(String),
    /// The namespace of the subject.
    Subject,
}

/// Why a subject does not lead to the object of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The object is in the subject's namespace, and the subject is cluster-scoped.
    #[error("the {0} is in the subject's namespace, but the subject is cluster-scoped")]
    NoNamespace(Holder),
    /// The name is not valid.
    #[error("`{name}` is not a valid name of a {holder}")]
    Name {
        /// The name.
        name: String,
        /// The kind of the object.
        holder: Holder,
    },
}

// === impl KeyRef ===

impl KeyRef {
    /// Whether the author of a subject chooses among the Secrets of a namespace that is not the subject's: then each
    /// of them must consent.
    pub fn needs_consent(&self) -> bool {
        self.holder == Holder::Secret && matches!(self.namespace, Place::Fixed(_)) && self.name.fixed().is_none()
    }
}

// === impl Network ===

impl Network {
    /// The grant for a target.
    pub fn find(&self, target: &Target) -> Option<&HttpGrant> {
        self.hosts
            .iter()
            .find(|grant| grant.plain == target.plain && grant.port == target.port && grant.host.matches(&target.host))
    }

    /// Every key of a Secret or ConfigMap that the host may have to read.
    pub fn keys(&self) -> impl Iterator<Item = &KeyRef> {
        let proxies = self.hosts.iter().filter_map(|grant| grant.proxy.as_ref()?.secret.as_ref());
        let trusts = self.hosts.iter().flat_map(|grant| &grant.trust);
        self.credentials.values().map(|credential| &credential.secret).chain(proxies).chain(trusts)
    }
}

impl HostPattern {
    /// Whether a host matches.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(own) => own == host,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(&**suffix),
        }
    }
}

impl KeyRef {
    /// The object that has the key for a subject. `Ok(None)`: the name does not resolve for the
    /// subject.
    ///
    /// # Errors
    /// When the subject has no namespace, or its fields do not give a valid name.
    pub fn object(&self, subject: &Value) -> Result<Option<ObjectRef>, KeyError> {
        let kind = self.holder.kind();
        let namespace = match &self.namespace {
            Place::Fixed(namespace) => namespace.as_str(),
            Place::Subject => subject["metadata"]["namespace"].as_str().ok_or(KeyError::NoNamespace(self.holder))?,
        };
        let Some(name) = self.name.resolve(subject) else { return Ok(None) };
        if !is_dns_name(&name) {
            return Err(KeyError::Name { name, holder: self.holder });
        }
        Ok(Some(ObjectRef::new(kind, Some(namespace), &name)))
    }
}

impl Holder {
    /// Its kind.
    pub fn kind(self) -> Kind {
        Kind::new("v1", self.to_string())
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => f.write_str(host),
            Self::Below(suffix) => write!(f, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_is_bounded_by_its_dot_and_is_not_the_domain_itself() {
        let below = HostPattern::Below(".example.com".into());
        assert!(below.matches("a.example.com") && below.matches("a.b.example.com"));
        assert!(!below.matches("example.com") && !below.matches("evilexample.com") && !below.matches(".example.com"));
        assert!(!below.matches("a.example.com.evil.org"));
        assert!(!HostPattern::Exact("example.com".into()).matches("a.example.com"));
    }
}
