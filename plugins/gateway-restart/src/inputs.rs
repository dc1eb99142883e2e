//! The settings that the gateway reads only when it starts.

use std::fmt;

use mizzen_istio_api::Spec;
use mizzen_workloads::digest;
use serde::Serialize;

/// The inputs' names, in the order of [`Inputs`].
const NAMES: [&str; 4] = ["numTrustedProxies", "forwardClientCertDetails", "trustDomain", "proxyStatsMatcher"];

/// The value for an input that is not set: it differs from every digest.
const UNSET: &str = "unset";

/// The digests of the four inputs, as in an annotation: `1a2b3c4d.unset.unset.5e6f7a8b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inputs([String; 4]);

impl Inputs {
    /// The inputs of a subject.
    pub(crate) fn of(spec: &Spec) -> Self {
        let config = spec.config.clone().unwrap_or_default();
        Self([
            of_input(config.num_trusted_proxies.as_ref()),
            of_input(config.forward_client_cert_details.as_ref()),
            of_input(config.trust_domain.as_ref()),
            of_input(config.proxy_stats_matcher.as_ref()),
        ])
    }

    /// The names of inputs that differ from an annotation; all of them if it is not valid.
    pub(crate) fn changed_since(&self, annotation: &str) -> Vec<&'static str> {
        let before: Vec<_> = annotation.split('.').collect();
        let same = |at: usize| before.len() == self.0.len() && before[at] == self.0[at];
        NAMES.into_iter().enumerate().filter(|(at, _)| !same(*at)).map(|(_, name)| name).collect()
    }
}

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

fn of_input(input: Option<&impl Serialize>) -> String {
    let text = input.and_then(|input| serde_json::to_string(input).ok());
    text.map_or_else(|| UNSET.to_owned(), |text| digest(&text)[..8].to_owned())
}
