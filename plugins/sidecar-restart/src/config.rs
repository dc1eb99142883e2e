//! The configuration.

use mizzen_istio_api::{ResourceClaims, Resources};
use schemars::JsonSchema;
use serde::Deserialize;

/// The configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The pace of restarts, by its name in the Reconciler's `spec.pace`.
    #[schemars(length(min = 1))]
    pub pace: String,
    /// The control plane's namespace.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The control plane's revision.
    #[schemars(length(min = 1))]
    pub revision: String,
    /// Revision tags: other names of that revision in labels of namespaces and pods.
    pub tags: Vec<String>,
    /// The full name of the proxies' image, e.g. `registry.example.com/istio/proxyv2:1.31.0`;
    /// default: the injector's.
    #[schemars(length(min = 1))]
    pub image: Option<String>,
    /// Whether the injector's ConfigMaps are read. They override the subject: a restart injects
    /// their settings.
    pub follow_injector: bool,
    /// The desired proxies, where neither the injector nor the subject says.
    pub defaults: Defaults,
    /// Whether pods without a sidecar that should have one are restarted, too.
    pub missing_sidecars: bool,
    /// Namespaces in which nothing is restarted.
    pub exclude_namespaces: Vec<String>,
}

/// The desired proxies by default. A field that is not set here either is not compared.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Defaults {
    /// Their resources. The subject's `spec.components.proxy.k8s.resources` overrides these one by
    /// one.
    pub resources: Resources,
    /// Whether they merge their own metrics with their workload's.
    pub prometheus_merge: Option<bool>,
    /// Whether Istio's CNI plugin sets up their traffic.
    pub cni: Option<bool>,
    /// Whether they resolve their workload's DNS queries.
    pub dns_proxying: Option<bool>,
    /// The trust domain of their identity.
    pub trust_domain: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pace: "workloads".into(),
            namespace: "istio-system".into(),
            revision: "default".into(),
            tags: Vec::new(),
            image: None,
            follow_injector: true,
            defaults: Defaults::default(),
            missing_sidecars: true,
            exclude_namespaces: Vec::new(),
        }
    }
}

impl Default for Defaults {
    /// The resources of Istio's default profile, and nothing else.
    fn default() -> Self {
        let claims =
            |cpu: &str, memory: &str| Some(ResourceClaims { cpu: Some(cpu.into()), memory: Some(memory.into()) });
        Self {
            resources: Resources { limits: claims("2000m", "1024Mi"), requests: claims("100m", "128Mi") },
            prometheus_merge: None,
            cni: None,
            dns_proxying: None,
            trust_domain: None,
        }
    }
}
