//! How istiod is started: in plaintext, on loopback only. Everything that needs certificates, webhooks or
//! Istio's own build of Envoy is off.

use std::path::Path;

/// The ports that istiod listens on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// Readiness.
    pub(crate) http: u16,
    /// Configuration of proxies.
    pub(crate) grpc: u16,
    /// Metrics.
    pub(crate) monitoring: u16,
    /// Introspection.
    pub(crate) introspection: u16,
}

/// The configuration of the mesh. Default providers, merged metrics and automatic mutual TLS need filters
/// that an upstream Envoy does not have.
pub(crate) const MESH: &str = "{defaultProviders: {}, enablePrometheusMerge: false, enableAutoMtls: false}\n";

pub(crate) fn arguments(ports: Ports, kubeconfig: &Path, mesh: &Path) -> Vec<String> {
    let loopback = |port: u16| format!("127.0.0.1:{port}");
    let valued = [
        ("--kubeconfig", kubeconfig.display().to_string()),
        ("--meshConfig", mesh.display().to_string()),
        ("--httpAddr", loopback(ports.http)),
        ("--grpcAddr", loopback(ports.grpc)),
        ("--monitoringAddr", loopback(ports.monitoring)),
        ("--ctrlz_port", ports.introspection.to_string()),
        ("--secureGRPCAddr", String::new()),
        ("--httpsAddr", String::new()),
    ];
    let flags = valued.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
    std::iter::once("discovery".to_owned()).chain(flags).collect()
}

pub(crate) fn environment() -> Vec<(&'static str, String)> {
    let variables = [
        ("POD_NAME", "istiod"),
        ("POD_NAMESPACE", "istio-system"),
        ("ENABLE_CA_SERVER", "false"),
        ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
        ("PILOT_ENABLE_ALPN_FILTER", "false"),
        ("INJECTION_WEBHOOK_CONFIG_NAME", ""),
        ("VALIDATION_WEBHOOK_CONFIG_NAME", ""),
    ];
    variables.map(|(name, value)| (name, value.to_owned())).to_vec()
}
