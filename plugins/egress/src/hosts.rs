//! Reads endpoints from a DynaKube and from responses of the Dynatrace API. A URL that is not valid
//! is skipped and reported: it does not stop the others.

use std::collections::BTreeSet;

use mizzen_istio_egress::{Endpoint, Endpoints, Url, UrlError};

use crate::api::Api;
use crate::dynakube::Spec;

/// Endpoints, and what was skipped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    pub(crate) endpoints: Endpoints,
    pub(crate) skipped: Vec<String>,
    /// Hosts inside the cluster, which the mesh reaches without entries.
    pub(crate) inside: BTreeSet<String>,
}

/// How many characters of a URL a message quotes.
const SHOWN: usize = 100;

impl Hosts {
    /// The endpoints of Dynatrace's operator itself: the API, and the proxy.
    pub(crate) fn of_operator(spec: &Spec) -> Self {
        let mut hosts = Self::default();
        if let Ok(api) = Api::parse(&spec.api_url) {
            hosts.add([api.endpoint()]);
        }
        let Some(proxy) = &spec.proxy else { return hosts };
        match (proxy.value.as_deref().unwrap_or_default(), proxy.value_from.as_deref().unwrap_or_default()) {
            ("", "") => {}
            ("", secret) => hosts.skipped.push(format!(
                "the proxy is in Secret `{secret}`, which is not read here: list it in an \
                 ExternalHosts, or write `spec.proxy.value`"
            )),
            (url, _) => match Url::parse(url) {
                Ok(url) => hosts.add([url.proxy()]),
                Err(inside @ UrlError::Inside(_)) => {
                    hosts.inside.insert(inside.to_string());
                }
                Err(error) => hosts.skipped.push(format!("`spec.proxy.value`: {error}")),
            },
        }
        hosts
    }

    /// The endpoints that the API reports: URLs separated by `,` (for ActiveGates) or `;` (for
    /// OneAgents), for OneAgents also in groups of `{…}`.
    pub(crate) fn reported(endpoints: &str) -> Self {
        let mut hosts = Self::default();
        let mut read = Vec::new();
        let between = |at: char| matches!(at, ',' | ';' | '{' | '}') || at.is_whitespace();
        for text in endpoints.split(between).filter(|text| !text.is_empty()) {
            match Url::parse(text) {
                Ok(url) => read.push(url.endpoint()),
                Err(inside @ UrlError::Inside(_)) => {
                    hosts.inside.insert(inside.to_string());
                }
                Err(error) => hosts.skip(text, &error),
            }
        }
        // Of two protocols for one port, the first in this order wins, whatever their order in the
        // response.
        read.sort_by_key(Endpoint::protocol);
        hosts.add(read);
        hosts
    }

    fn add(&mut self, endpoints: impl IntoIterator<Item = Endpoint>) {
        for endpoint in endpoints {
            self.skipped.extend(self.endpoints.add(endpoint).err().map(|refusal| refusal.to_string()));
        }
    }

    fn skip(&mut self, text: &str, why: &UrlError) {
        // A URL with a user may have a password in any of its parts.
        if text.contains('@') {
            self.skipped.push(format!("skipped a URL with a user: {why}"));
            return;
        }
        let shown: String = text.chars().filter(|at| !at.is_control()).take(SHOWN).collect();
        self.skipped.push(format!("skipped `{shown}`: {why}"));
    }
}
