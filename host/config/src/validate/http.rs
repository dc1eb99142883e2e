//! Validates the grants of hosts and credentials as a [`Network`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use mizzen_model::http::{HeaderRule, header_rule};
use mizzen_model::{is_dns_label, is_dns_name};

use super::Checker;
use crate::document::http::{CredentialSpec, HttpGrantSpec, KeySpec, ProxySpec, TrustSpec};
use crate::http::{Credential, Holder, HostPattern, HttpGrant, KeyRef, Network, Place, ProxyGrant};
use crate::names::{is_host, is_key, is_token};
use crate::template::Template;

/// The methods that can be granted. `CONNECT` and `TRACE` do not request a resource.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Checker<'_> {
    pub(super) fn network(
        &mut self,
        hosts: Vec<HttpGrantSpec>,
        credentials: BTreeMap<String, CredentialSpec>,
    ) -> Network {
        let sent: Vec<_> = hosts.iter().flat_map(|host| host.credentials.clone()).collect();
        for name in credentials.keys().filter(|name| !sent.contains(name)) {
            let message = "is not used by any host: name it in `credentials` of an entry of `spec.grants.http`";
            self.wrong(&format!("spec.grants.credentials.{name}"), message);
        }
        let known: Vec<_> = credentials.keys().cloned().collect();
        let hosts = hosts.into_iter().enumerate();
        Network {
            hosts: hosts.map(|(at, host)| self.host_grant(&format!("spec.grants.http[{at}]"), host, &known)).collect(),
            credentials: credentials.into_iter().map(|(name, spec)| self.credential(name, spec)).collect(),
        }
    }

    fn host_grant(&mut self, at: &str, spec: HttpGrantSpec, known: &[String]) -> HttpGrant {
        for (number, name) in spec.credentials.iter().enumerate().filter(|(_, name)| !known.contains(name)) {
            let message = format!("no credential has this name: {}", crate::shape::unknown(name, known));
            self.wrong(&format!("{at}.credentials[{number}]"), message);
        }
        if spec.plain_http && !spec.credentials.is_empty() {
            let message = "a credential is not sent without TLS: remove it, or `plainHttp`";
            self.wrong(&format!("{at}.credentials"), message);
        }
        for (number, method) in spec.methods.iter().enumerate().filter(|(_, own)| !METHODS.contains(&&***own)) {
            let message = format!("`{method}` can't be granted; known: {}", METHODS.join(", "));
            self.wrong(&format!("{at}.methods[{number}]"), message);
        }
        for (number, header) in spec.headers.iter().enumerate() {
            if !is_token(header) {
                self.wrong(&format!("{at}.headers[{number}]"), format!("`{header}` is not a valid header name"));
            } else if header_rule(header) == HeaderRule::Host {
                let message = format!("only the host may set `{header}`; to authenticate, grant a credential");
                self.wrong(&format!("{at}.headers[{number}]"), message);
            }
        }
        let methods = if spec.methods.is_empty() { vec!["GET".into(), "HEAD".into()] } else { spec.methods };
        let pem = spec.trust.as_ref().and_then(|trust| trust.pem.clone());
        let trust = spec.trust.map(|trust| self.trust(&format!("{at}.trust"), trust)).unwrap_or_default();
        HttpGrant {
            host: self.host(&format!("{at}.host"), &spec.host),
            port: spec.port.unwrap_or(if spec.plain_http { 80 } else { 443 }),
            plain: spec.plain_http,
            methods,
            headers: spec.headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
            credentials: spec.credentials,
            private: self.networks(&format!("{at}.private"), &spec.private),
            proxy: spec.proxy.map(|proxy| self.proxy(&format!("{at}.proxy"), proxy)),
            pem,
            trust,
            skip_verify_if: spec.skip_verify_if.map(|text| self.template(&format!("{at}.skipVerifyIf"), &text)),
        }
    }

    fn host(&mut self, at: &str, text: &str) -> HostPattern {
        let host = text.to_ascii_lowercase();
        if host.parse::<IpAddr>().is_ok() {
            return HostPattern::Exact(host);
        }
        let (name, pattern) = match host.strip_prefix('*') {
            Some(suffix) => (suffix.strip_prefix('.').unwrap_or(""), HostPattern::Below(suffix.to_owned())),
            None => (&*host, HostPattern::Exact(host.clone())),
        };
        if !is_host(name) {
            let message = format!(
                "`{text}` is not a valid host; write e.g. `api.example.com` or `*.example.com`, without scheme, port \
                 and path"
            );
            self.wrong(at, message);
        } else if matches!(pattern, HostPattern::Below(_)) && !name.contains('.') {
            self.wrong(at, format!("`{text}` matches every host of `{name}`: name a domain of at least two parts"));
        }
        pattern
    }

    fn networks(&mut self, at: &str, texts: &[String]) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            if let Ok(network) = text.parse::<IpNet>() {
                networks.push(network);
            } else {
                let message = format!(
                    "`{text}` is not a valid network; write e.g. `10.20.0.0/16`, or `10.20.0.7/32` for one address"
                );
                self.wrong(&format!("{at}[{number}]"), message);
            }
        }
        networks
    }

    fn proxy(&mut self, at: &str, spec: ProxySpec) -> ProxyGrant {
        if spec.url.is_none() && spec.secret.is_none() {
            self.wrong(at, "is empty: give `url` or `secret`");
        }
        let url = spec.url.map(|text| self.template(&format!("{at}.url"), &text));
        if let Some(text) = url.as_ref().and_then(Template::fixed)
            && !text.starts_with("http://")
            && !text.starts_with("https://")
        {
            self.wrong(
                &format!("{at}.url"),
                format!("`{text}` is not a valid proxy; write e.g. `http://proxy.example.com:3128`"),
            );
        }
        ProxyGrant {
            url,
            secret: spec.secret.map(|spec| self.key(&format!("{at}.secret"), Holder::Secret, spec)),
            private: self.networks(&format!("{at}.private"), &spec.private),
        }
    }

    fn trust(&mut self, at: &str, spec: TrustSpec) -> Vec<KeyRef> {
        if spec.pem.is_none() && spec.config_map.is_none() && spec.secret.is_none() {
            self.wrong(at, "is empty: give `pem`, `configMap` or `secret`");
        }
        if spec.pem.as_ref().is_some_and(|pem| !pem.contains("-----BEGIN CERTIFICATE-----")) {
            self.wrong(&format!("{at}.pem"), "has no certificate: write one in PEM");
        }
        let map = spec.config_map.map(|spec| self.key(&format!("{at}.configMap"), Holder::ConfigMap, spec));
        let secret = spec.secret.map(|spec| self.key(&format!("{at}.secret"), Holder::Secret, spec));
        map.into_iter().chain(secret).collect()
    }

    fn credential(&mut self, name: String, spec: CredentialSpec) -> (String, Credential) {
        let at = format!("spec.grants.credentials.{name}");
        let header = spec.header.unwrap_or_else(|| "Authorization".into()).to_ascii_lowercase();
        let authorization = header == "authorization";
        if !is_token(&header) || (!authorization && header_rule(&header) != HeaderRule::Granted) {
            self.wrong(
                &format!("{at}.header"),
                format!("`{header}` is not a valid header for a credential; write e.g. `Authorization`"),
            );
        }
        let scheme = spec.scheme.unwrap_or_else(|| if authorization { "Bearer".into() } else { String::new() });
        if !scheme.is_empty() && !is_token(&scheme) {
            self.wrong(
                &format!("{at}.scheme"),
                format!("`{scheme}` is not a valid scheme; write e.g. `Bearer`, without a space"),
            );
        }
        let prefix = if scheme.is_empty() { scheme } else { format!("{scheme} ") };
        let secret = self.key(&format!("{at}.secret"), Holder::Secret, spec.secret);
        (name, Credential { secret, header, prefix })
    }

    fn key(&mut self, at: &str, holder: Holder, spec: KeySpec) -> KeyRef {
        let namespace = match &*spec.namespace {
            "{subject.namespace}" | "{subject.metadata.namespace}" => Place::Subject,
            fixed if is_dns_label(fixed) => Place::Fixed(spec.namespace),
            other => {
                let message = format!(
                    "`{other}` is not a valid namespace; write one, or `{{subject.namespace}}` for the subject's own"
                );
                self.wrong(&format!("{at}.namespace"), message);
                Place::Subject
            }
        };
        let name = self.template(&format!("{at}.name"), &spec.name);
        if name.fixed().is_some_and(|name| !is_dns_name(name)) {
            self.wrong(&format!("{at}.name"), format!("`{}` is not a valid name of a {holder}", spec.name));
        }
        if !is_key(&spec.key) {
            self.wrong(&format!("{at}.key"), format!("`{}` is not a valid key of a {holder}", spec.key));
        }
        KeyRef { holder, namespace, name, key: spec.key }
    }

    fn template(&mut self, at: &str, text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|error| {
            self.wrong(at, error.to_string());
            Template::none()
        })
    }
}
