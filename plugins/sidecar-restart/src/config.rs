//! What the operator decides.

use mizzen_istio_api::{ResourceClaims, Resources};
use schemars::JsonSchema;
use serde::Deserialize;

/// What the operator decides.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The pace, by its name in the Reconciler's `spec.pace`, that restarts are subject to.
    #[schemars(length(min = 1))]
    pub pace: String,
    /// The control plane's namespace.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The control plane's revision.
    #[schemars(length(min = 1))]
    pub revision: String,
    /// Other names that namespaces and pods may call that revision by: revision tags.
    pub tags: Vec<String>,
    /// The proxies' image, whole, e.g. `registry.example.com/istio/proxyv2:1.31.0`; default: the one that the injector gives.
    #[schemars(length(min = 1))]
    pub image: Option<String>,
    /// Whether what the injector does is read from its own ConfigMaps. What they say goes before what the subject says: a restart
    /// can bring nothing else.
    pub follow_injector: bool,
    /// How proxies shall be where neither the injector nor the subject says it.
    pub defaults: Defaults,
    /// Whether pods without a sidecar that should have one are restarted, too.
    pub missing_sidecars: bool,
    /// Namespaces in which nothing is restarted.
    pub exclude_namespaces: Vec<String>,
}

/// How proxies shall be where nobody says it. What is not given here, either, is not looked at.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Defaults {
    /// What each may use. The subject's `spec.components.proxy.k8s.resources` replaces these one by one.
    pub resources: Resources,
    /// Whether they give their own metrics and their workload's together.
    pub prometheus_merge: Option<bool>,
    /// Whether Istio's CNI plugin sets up their traffic.
    pub cni: Option<bool>,
    /// Whether they answer their workload's DNS queries.
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
