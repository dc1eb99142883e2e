//! DynaKubes, and the Dynatrace API's last response, which is in their status.

use mizzen_istio_egress::Prefix;
use mizzen_sdk::{Failure, Kind, Metadata, Query, cluster};
use serde::Deserialize;

use crate::api::Api;

/// Name of the field set of DynaKubes.
pub(crate) const FIELDS: &str = "hosts";

/// Fields of DynaKubes. Without times, whose changes would cause calls for nothing.
pub(crate) const PATHS: [&str; 8] = [
    "metadata.creationTimestamp",
    "spec.enableIstio",
    "spec.apiUrl",
    "spec.proxy.value",
    "status.activeGate.connectionInfoStatus.endpoints",
    "status.activeGate.connectionInfoStatus.tenantUUID",
    "status.oneAgent.connectionInfoStatus.endpoints",
    "status.oneAgent.connectionInfoStatus.tenantUUID",
];

pub(crate) fn kind() -> Kind {
    Kind::new("dynatrace.com/v1beta6", "DynaKube")
}

/// The fields of a DynaKube's `spec` that decide about hosts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec {
    /// Whether entries for the mesh are wanted.
    pub enable_istio: bool,
    /// The Dynatrace API, e.g. `https://abc.live.dynatrace.com/api`.
    pub api_url: String,
    /// How many minutes a response of the API may be reused; 0: never. Default: 15.
    pub dynatrace_api_request_threshold: Option<u16>,
    /// The network zone that OneAgents are in.
    pub network_zone: Option<String>,
    /// The proxy for all traffic.
    pub proxy: Option<Proxy>,
}

/// A proxy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Proxy {
    /// Its URL.
    pub value: Option<String>,
    /// The Secret that has its URL.
    pub value_from: Option<String>,
}

/// The fields of a DynaKube's `status` that contain the API's last response.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Status {
    pub(crate) active_gate: Connection,
    pub(crate) one_agent: Connection,
}

/// Named as in the definition, which calls it `connectionInfoStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Connection {
    pub(crate) connection_info_status: Info,
}

/// A response of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    /// URLs, separated by `,` or `;`.
    pub(crate) endpoints: String,
    #[serde(rename = "tenantUUID")]
    pub(crate) tenant: String,
}

/// One DynaKube.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DynaKube {
    metadata: Identity,
    pub(crate) spec: Spec,
    pub(crate) status: Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    /// As Kubernetes writes times: sorting the texts sorts the times.
    creation_timestamp: Option<String>,
    namespace: Option<String>,
    name: String,
}

/// All DynaKubes that want entries, the oldest first.
#[derive(Debug)]
pub(crate) struct DynaKubes {
    all: Vec<DynaKube>,
    own: usize,
}

impl DynaKube {
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.namespace(), self.metadata.name)
    }

    pub(crate) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// The prefix of its entries' names.
    pub(crate) fn prefix(&self) -> Option<Prefix> {
        Prefix::parse(&self.metadata.name).ok()
    }

    /// Whether it has entries: an invalid one has none.
    fn counts(&self) -> bool {
        self.spec.enable_istio && self.prefix().is_some() && Api::parse(&self.spec.api_url).is_ok()
    }

    fn is(&self, subject: &Metadata) -> bool {
        (&self.metadata.namespace, &self.metadata.name) == (&subject.namespace, &subject.name)
    }

    fn age(&self) -> (bool, &Option<String>, &Option<String>, &str) {
        let Identity { creation_timestamp, namespace, name } = &self.metadata;
        (creation_timestamp.is_none(), creation_timestamp, namespace, name)
    }
}

impl DynaKubes {
    /// Reads all DynaKubes, including the subject, which counts as the youngest if it is not in the
    /// list yet.
    pub(crate) fn read(subject: &Metadata) -> Result<Self, Failure> {
        let mut all: Vec<DynaKube> = cluster::list(&Query::of(kind()).fields(FIELDS))?;
        all.retain(|kube| kube.is(subject) || kube.counts());
        all.sort_by(|a, b| a.age().cmp(&b.age()));
        let own = all.iter().position(|kube| kube.is(subject)).unwrap_or_else(|| {
            let (namespace, name) = (subject.namespace.clone(), subject.name.clone());
            let metadata = Identity { creation_timestamp: None, namespace, name };
            all.push(DynaKube { metadata, ..DynaKube::default() });
            all.len() - 1
        });
        Ok(Self { all, own })
    }

    pub(crate) fn own(&self) -> &DynaKube {
        &self.all[self.own]
    }

    /// All of them, and whether each is the subject.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&DynaKube, bool)> {
        self.all.iter().enumerate().map(|(at, kube)| (kube, at == self.own))
    }
}
