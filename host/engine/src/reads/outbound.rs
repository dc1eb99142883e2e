//! By which way a plugin's requests go: what its grants say of the host, with what stands in Secrets and ConfigMaps.
//!
//! What is read there is followed: whoever sent a request with it is asked again when it changes. None of it is ever a plugin's to see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mizzen_config::http::{Holder, HttpGrant, KeyRef, ProxyGrant};
use mizzen_config::{Mode, Reconciler};
use mizzen_model::http::{HeaderRule, Hidden, Hop, Proxy, Route, Routes, Target, header_rule};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};
use serde_json::Value;

use crate::reads::index::{Held, Read};
use crate::reads::recorder::Recorder;

/// What one call has sent and received.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// The ways of one request.
struct Ways<'a> {
    recorder: &'a Recorder,
    method: String,
    headers: Vec<String>,
    credential: Option<String>,
}

// === impl Traffic ===

impl Traffic {
    /// Requests made, redirects included, and bytes of answers.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

// === impl Recorder ===

impl Recorder {
    /// Sends a request that the plugin declared, the ways that are granted.
    pub(crate) async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, AccessError> {
        let (name, description) = (self.plugin.name(), self.plugin.invoke.description());
        if description.http.is_empty() {
            return Err(AccessError::Denied(format!("`{name}` did not declare sending requests in `describe`")));
        }
        if let Some(credential) = &request.credential
            && !description.credentials.contains(credential)
        {
            return Err(AccessError::Denied(format!(
                "`{name}` did not declare credential `{credential}` in `describe`"
            )));
        }
        let ways = Ways {
            recorder: self,
            method: request.method.clone(),
            headers: request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect(),
            credential: request.credential.clone(),
        };
        let response = self.context.fetch.fetch(request, &ways).await?;
        self.traffic.bytes.fetch_add(response.body.len() as u64, Ordering::Relaxed);
        Ok(response)
    }

    /// The text of a key; `Ok(None)`: the subject names none.
    async fn text(&self, key: &KeyRef) -> Result<Option<String>, AccessError> {
        let unavailable = |why: String| AccessError::Unavailable(why);
        let object = key.object(&self.document).map_err(|error| unavailable(error.to_string()))?;
        let Some(object) = object else { return Ok(None) };
        let followed = self.context.cluster.watch_object(&object);
        // Before it is read, so that no change falls in between; and also when it is not there: it may come.
        self.record(Read::Followed(Held(Arc::clone(&followed))));
        let found = followed.read().await?.ok_or_else(|| unavailable(format!("{object} is not there")))?;
        let document = found.value();
        let text = match key.holder {
            Holder::ConfigMap => document["data"][&key.key].as_str().map(str::to_owned),
            Holder::Secret => document["data"][&key.key]
                .as_str()
                .and_then(|encoded| STANDARD.decode(encoded).ok())
                .and_then(|bytes| String::from_utf8(bytes).ok())
                // Of a Secret in a file, as people write them.
                .or_else(|| document["stringData"][&key.key].as_str().map(str::to_owned)),
        };
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        text.map(Some).ok_or_else(|| unavailable(format!("{object} has no text at key `{}`", key.key)))
    }

    async fn proxy(&self, grant: &ProxyGrant) -> Result<Option<Proxy>, AccessError> {
        let url = grant.url.as_ref().and_then(|url| url.resolve(&self.document));
        let url = match (url, &grant.secret) {
            (Some(url), _) => Some(url),
            (None, Some(key)) => self.text(key).await?,
            (None, None) => None,
        };
        Ok(url.map(|url| Proxy { url: Hidden::new(url), private: grant.private.clone() }))
    }

    async fn credential(&self, name: &str, grant: &HttpGrant) -> Result<(String, Hidden), AccessError> {
        if !grant.credentials.iter().any(|own| own == name) {
            let why =
                format!("{} is not to be sent credential `{name}`: name it in `credentials` of its grant", grant.host);
            return Err(AccessError::Denied(why));
        }
        let granted = self.plugin.reconciler.grants.network.credentials.get(name);
        let granted = granted.ok_or_else(|| AccessError::Denied(format!("credential `{name}` is not granted")))?;
        let secret = self.text(&granted.secret).await?;
        let secret = secret
            .ok_or_else(|| AccessError::Unavailable(format!("the subject names no Secret for credential `{name}`")))?;
        Ok((granted.header.clone(), Hidden::new(format!("{}{secret}", granted.prefix))))
    }
}

// === impl Ways ===

impl Ways<'_> {
    fn reconciler(&self) -> &Reconciler {
        &self.recorder.plugin.reconciler
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
impl Routes for Ways<'_> {
    fn permit(&self, target: &Target, hop: Hop) -> Result<(), AccessError> {
        let limit = self.reconciler().limits.requests;
        if self.recorder.traffic.requests.fetch_add(1, Ordering::Relaxed) >= limit {
            return Err(AccessError::Denied(format!("more than {limit} requests in one call, its limit `requests`")));
        }
        let grant = self.grant(target)?;
        if !grant.methods.contains(&self.method) {
            let (method, host) = (self.method.escape_debug(), &grant.host);
            return Err(AccessError::Denied(format!("`{method}` is not granted for {host}: add it to its `methods`")));
        }
        let changes = !matches!(&*self.method, "GET" | "HEAD");
        if changes && self.reconciler().mode == Mode::Plan {
            let why = format!("mode is Plan: a `{}` could change something, and is not sent", self.method);
            return Err(AccessError::Unavailable(why));
        }
        // What is not free is not sent on to elsewhere.
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
        let (grant, recorder) = (self.grant(target)?, self.recorder);
        let mut authorities: Vec<Arc<str>> = grant.pem.iter().map(|pem| pem.as_str().into()).collect();
        for key in &grant.trust {
            authorities.extend(recorder.text(key).await?.map(Arc::from));
        }
        let proxy = match &grant.proxy {
            Some(proxy) => recorder.proxy(proxy).await?,
            None => None,
        };
        let credential = match &self.credential {
            Some(name) if hop != Hop::Elsewhere => Some(recorder.credential(name, grant).await?),
            _ => None,
        };
        let unverified = grant.skip_verify_if.as_ref().and_then(|text| text.resolve(&recorder.document));
        Ok(Route {
            credential,
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

/// The fields of a subject that its author writes.
pub(crate) fn document(wish: &str) -> Value {
    // The text came out of a `Value`, so it parses; were it ever not so, "names nothing" is the safe answer.
    serde_json::from_str(wish).unwrap_or_default()
}
