//! What of the network a plugin may reach, validated.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use mizzen_model::{Kind, ObjectRef};
use serde_json::Value;

use crate::template::Template;
use crate::validate::is_name;

/// All of it. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The hosts, in the order of the document: the first that fits decides.
    pub hosts: Vec<HttpGrant>,
    /// The credentials, by name.
    pub credentials: BTreeMap<String, Credential>,
}

/// One host that may be sent requests, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGrant {
    /// Which host.
    pub host: HostPattern,
    /// On which port.
    pub port: u16,
    /// Whether it is asked without TLS.
    pub plain: bool,
    /// In upper case.
    pub methods: Vec<String>,
    /// Headers that the plugin may set beside the free ones, in lower case.
    pub headers: Vec<String>,
    /// Names of the credentials that it may be sent; each is there.
    pub credentials: Vec<String>,
    /// Networks that are not public and that it may be in.
    pub private: Vec<IpNet>,
    /// Through which proxy.
    pub proxy: Option<ProxyGrant>,
    /// Certificate authorities in PEM, beside the system's.
    pub pem: Option<String>,
    /// Where more of them stand.
    pub trust: Vec<KeyRef>,
    /// Its certificate is not verified where this resolves to `true`.
    pub skip_verify_if: Option<Template>,
}

/// A host, or all hosts below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This one, in lower case; an IPv6 address without brackets.
    Exact(String),
    /// Every host whose name ends in this, dot included.
    Below(String),
}

/// A proxy: its URL, or else the key that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyGrant {
    /// The URL; nothing for a subject where it does not resolve.
    pub url: Option<Template>,
    /// Where it stands.
    pub secret: Option<KeyRef>,
    /// Networks that are not public and that it may be in.
    pub private: Vec<IpNet>,
}

/// What the host authenticates requests with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it stands.
    pub secret: KeyRef,
    /// The header it is sent in, in lower case.
    pub header: String,
    /// What stands before it, with the space after; empty: nothing.
    pub prefix: String,
}

/// One key of a Secret or ConfigMap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRef {
    /// Which of the two.
    pub holder: Holder,
    /// Where it is.
    pub namespace: Place,
    /// Its name.
    pub name: Template,
    /// The key.
    pub key: String,
}

/// What has keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

/// A namespace: one that the configuration names, or the subject's own. The subject's author can't choose any other, and so not
/// have the host send around what others keep in theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This one.
    Fixed(String),
    /// That of the subject.
    Subject,
}

// === impl Network ===

impl Network {
    /// The grant for a host (in lower case, an IPv6 address without brackets) and port.
    pub fn find(&self, plain: bool, host: &str, port: u16) -> Option<&HttpGrant> {
        self.hosts.iter().find(|grant| grant.plain == plain && grant.port == port && grant.host.matches(host))
    }

    /// Every Secret and ConfigMap that the host may have to read for it.
    pub fn keys(&self) -> impl Iterator<Item = &KeyRef> {
        let proxies = self.hosts.iter().filter_map(|grant| grant.proxy.as_ref()?.secret.as_ref());
        let trusts = self.hosts.iter().flat_map(|grant| &grant.trust);
        self.credentials.values().map(|credential| &credential.secret).chain(proxies).chain(trusts)
    }
}

impl HostPattern {
    /// Whether it is this host.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(own) => own == host,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(&**suffix),
        }
    }
}

impl KeyRef {
    /// Which object it is a key of, for a subject. `Ok(None)`: the subject names none.
    ///
    /// # Errors
    /// When what the subject names can't be one.
    pub fn object(&self, subject: &Value) -> Result<Option<ObjectRef>, String> {
        let kind = self.holder.kind();
        let namespace = match &self.namespace {
            Place::Fixed(namespace) => namespace.as_str(),
            Place::Subject => subject["metadata"]["namespace"]
                .as_str()
                .ok_or_else(|| format!("the {} is in the subject's namespace, and the subject has none", kind.name))?,
        };
        let Some(name) = self.name.resolve(subject) else { return Ok(None) };
        if !is_name(&name) {
            return Err(format!("`{name}` is no name of a {}", kind.name));
        }
        Ok(Some(ObjectRef::new(kind, Some(namespace), &name)))
    }
}

impl Holder {
    /// Its kind.
    pub fn kind(self) -> Kind {
        Kind::new(
            "v1",
            match self {
                Self::Secret => "Secret",
                Self::ConfigMap => "ConfigMap",
            },
        )
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
