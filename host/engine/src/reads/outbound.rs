//! Outbound requests: routes a plugin's HTTP requests by its grants, with values from Secrets and ConfigMaps.
//!
//! The host watches each such object: its readers are requeued when it changes. Plugins never see the values.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mizzen_cluster::Cluster;
use mizzen_config::http::{Holder, HttpGrant, KeyRef, ProxyGrant};
use mizzen_config::{Mode, Reconciler};
use mizzen_model::http::{Fetch, HeaderRule, Hidden, Hop, Proxy, Route, Routes, Target, header_rule};
use mizzen_model::{AccessError, HttpRequest, HttpResponse, Object};
use serde_json::Value;

use super::access::declares_request;
use super::index::{Read, Watched};
use super::traffic::TrafficMeter;
use crate::context::Context;
use crate::names::CREDENTIAL_LABEL;
use crate::observe::Traffic;
use crate::plugin::Plugin;

/// Records a read.
type Record<'a> = &'a (dyn Fn(Read) + Sync);

/// Sends the requests of one call.
pub(super) struct Outbound {
    plugin: Plugin,
    /// The part of the subject that its author writes; grants refer to it.
    document: Value,
    cluster: Arc<dyn Cluster>,
    fetch: Arc<dyn Fetch>,
    meter: TrafficMeter,
    /// Whether requests that could change something are withheld: the call is a preflight.
    is_preflight: bool,
    /// Whether one was.
    withheld: AtomicBool,
}

/// The routes that are granted for one request.
struct GrantedRoutes<'a> {
    outbound: &'a Outbound,
    record: Record<'a>,
    method: String,
    headers: Vec<String>,
    credential: Option<String>,
}

/// A credential as it is sent.
struct Credential {
    header: String,
    value: Hidden,
}

// === impl Outbound ===

impl Outbound {
    pub(super) fn new(plugin: Plugin, authored: &str, context: &Context) -> Self {
        let has_hosts = !plugin.reconciler.grants.network.hosts.is_empty();
        // The text was made from a `Value`, so that it parses; if it did not, a subject that names nothing would be
        // safe.
        let document = if has_hosts { serde_json::from_str(authored).unwrap_or_default() } else { Value::Null };
        let (cluster, fetch) = (Arc::clone(&context.cluster), Arc::clone(&context.fetch));
        let (meter, is_preflight, withheld) = (TrafficMeter::default(), false, AtomicBool::new(false));
        Self { plugin, document, cluster, fetch, meter, is_preflight, withheld }
    }

    /// Withholds requests that could change something.
    pub(super) fn preflight(self) -> Self {
        Self { is_preflight: true, ..self }
    }

    /// Whether a request was withheld.
    pub(super) fn has_withheld(&self) -> bool {
        self.withheld.load(Ordering::Relaxed)
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.meter.traffic()
    }

    /// Sends a request that the plugin declares, by the routes that are granted.
    pub(super) async fn send(&self, request: HttpRequest, record: Record<'_>) -> Result<HttpResponse, AccessError> {
        declares_request(&self.plugin, &request)?;
        let routes = GrantedRoutes {
            outbound: self,
            record,
            method: request.method.clone(),
            headers: request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect(),
            credential: request.credential.clone(),
        };
        let response = self.fetch.fetch(request, &routes).await?;
        self.meter.received(response.body.len());
        Ok(response)
    }

    /// The text of a key; `Ok(None)`: the subject names no object.
    async fn text(&self, key: &KeyRef, record: Record<'_>) -> Result<Option<String>, AccessError> {
        let object = key.object(&self.document).map_err(|error| AccessError::Unavailable(error.to_string()))?;
        let Some(object) = object else { return Ok(None) };
        let watch = self.cluster.watch_object(&object);
        // Recorded before it is read, so that no change is missed, and even if it does not exist: it may be created.
        record(Read::Watched(Watched(Arc::clone(&watch))));
        let unavailable = |reason: &str| AccessError::Unavailable(format!("{object} {reason}"));
        let found = watch.read().await?.ok_or_else(|| unavailable("does not exist"))?;
        let name = self.plugin.name();
        if key.needs_consent() && found.labels.get(CREDENTIAL_LABEL) != Some(name) {
            let message = format!(
                "{object} is in a namespace that is not the subject's, and the subject names it: for that it needs \
                 the label `{CREDENTIAL_LABEL}: {name}`"
            );
            return Err(AccessError::Denied(message));
        }
        match text_at(key, &found) {
            Some(text) => Ok(Some(text)),
            None => Err(unavailable(&format!("has no text at key `{}`", key.key))),
        }
    }

    async fn proxy(&self, grant: &ProxyGrant, record: Record<'_>) -> Result<Option<Proxy>, AccessError> {
        let url = grant.url.as_ref().and_then(|url| url.resolve(&self.document));
        let url = match (url, &grant.secret) {
            (Some(url), _) => Some(url),
            (None, Some(key)) => self.text(key, record).await?,
            (None, None) => None,
        };
        Ok(url.map(|url| Proxy { url: Hidden::new(url), private: grant.private.clone() }))
    }

    async fn credential(&self, name: &str, grant: &HttpGrant, record: Record<'_>) -> Result<Credential, AccessError> {
        if !grant.credentials.iter().any(|own| own == name) {
            let host = &grant.host;
            let message =
                format!("credential `{name}` is not granted for {host}: name it in `credentials` of its grant");
            return Err(AccessError::Denied(message));
        }
        let granted = self.plugin.reconciler.grants.network.credentials.get(name);
        let granted = granted.ok_or_else(|| AccessError::Denied(format!("credential `{name}` is not granted")))?;
        let secret = self.text(&granted.secret, record).await?;
        let secret = secret
            .ok_or_else(|| AccessError::Unavailable(format!("the subject names no Secret for credential `{name}`")))?;
        Ok(Credential { header: granted.header.clone(), value: Hidden::new(format!("{}{secret}", granted.prefix)) })
    }
}

/// The trimmed text at a key of a Secret or ConfigMap, if there is any.
fn text_at(key: &KeyRef, object: &Object) -> Option<String> {
    let document = object.value();
    let plain = |field: &str| document[field][&key.key].as_str().map(str::to_owned);
    let text = match key.holder {
        Holder::ConfigMap => plain("data"),
        Holder::Secret => plain("data")
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            // Of a Secret in a file, as people write them.
            .or_else(|| plain("stringData")),
    };
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

// === impl GrantedRoutes ===

impl GrantedRoutes<'_> {
    fn reconciler(&self) -> &Reconciler {
        &self.outbound.plugin.reconciler
    }

    fn grant(&self, target: &Target) -> Result<&HttpGrant, AccessError> {
        let granted = self.reconciler().grants.network.find(target);
        granted.ok_or_else(|| {
            let name = &self.reconciler().name;
            AccessError::Denied(format!("{target} is not granted to `{name}`: add its host to `spec.grants.http`"))
        })
    }
}

#[async_trait]
impl Routes for GrantedRoutes<'_> {
    fn permit(&self, target: &Target, hop: Hop) -> Result<(), AccessError> {
        let limit = self.reconciler().limits.requests;
        if !self.outbound.meter.request(limit) {
            return Err(AccessError::Denied(format!("more than {limit} requests in one call, its limit `requests`")));
        }
        let grant = self.grant(target)?;
        if !grant.methods.contains(&self.method) {
            let (method, host) = (self.method.escape_debug(), &grant.host);
            return Err(AccessError::Denied(format!("`{method}` is not granted for {host}: add it to its `methods`")));
        }
        let changes = !matches!(&*self.method, "GET" | "HEAD");
        if changes && self.reconciler().mode == Mode::Plan {
            let message = format!("mode is Plan: a `{}` could change something, and is not sent", self.method);
            return Err(AccessError::Unavailable(message));
        }
        if changes && self.outbound.is_preflight {
            self.outbound.withheld.store(true, Ordering::Relaxed);
            let message = format!(
                "nothing is deleted yet: a `{}` could change something, and is sent once every reconciler agrees",
                self.method
            );
            return Err(AccessError::Unavailable(message));
        }
        // A redirect to another origin drops all headers that need a grant.
        let granted = |name: &String| header_rule(name) == HeaderRule::Free || grant.headers.contains(name);
        match self.headers.iter().find(|name| hop != Hop::Elsewhere && !granted(name)) {
            Some(name) => {
                let (name, host) = (name.escape_debug(), &grant.host);
                Err(AccessError::Denied(format!("header `{name}` is not granted for {host}: add it to its `headers`")))
            }
            None => Ok(()),
        }
    }

    async fn route(&self, target: &Target, hop: Hop) -> Result<Route, AccessError> {
        let (grant, outbound, record) = (self.grant(target)?, self.outbound, self.record);
        let mut authorities: Vec<Arc<str>> = grant.pem.iter().map(|pem| pem.as_str().into()).collect();
        for key in &grant.trust {
            authorities.extend(outbound.text(key, record).await?.map(Arc::from));
        }
        let proxy = match &grant.proxy {
            Some(proxy) => outbound.proxy(proxy, record).await?,
            None => None,
        };
        let credential = match &self.credential {
            Some(name) if hop != Hop::Elsewhere => Some(outbound.credential(name, grant, record).await?),
            _ => None,
        };
        let unverified = grant.skip_verify_if.as_ref().and_then(|text| text.resolve(&outbound.document));
        Ok(Route {
            credential: credential.map(|Credential { header, value }| (header, value)),
            proxy,
            authorities,
            unverified: unverified.as_deref() == Some("true"),
            private: grant.private.clone(),
        })
    }

    fn asker(&self) -> &str {
        &self.reconciler().name
    }
}
