//! The routes of a trait, their load balancing, and its certificate.

use mizzen_oam_api::{Membership, names};
use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::config::Config;
use crate::ingress::{Cookie, Destination, Matches, Owner, Rule};

pub(crate) fn virtual_service() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

pub(crate) fn destination_rule() -> Kind {
    Kind::new("networking.istio.io/v1", "DestinationRule")
}

pub(crate) fn certificate_kind() -> Kind {
    Kind::new("cert-manager.io/v1", "Certificate")
}

/// The route of a rule, for all its paths.
pub(crate) fn route(owner: Owner<'_>, ingress: &str, at: usize, rule: &Rule, to: &Destination) -> Value {
    let matches: Vec<_> = rule
        .paths
        .iter()
        .map(|path| match &path.matches {
            Matches::Exact(path) => json!({"uri": {"exact": path}}),
            Matches::Prefix(path) => json!({"uri": {"prefix": path}}),
            Matches::Regex(path) => json!({"uri": {"regex": path}}),
        })
        .collect();
    let mut destination = json!({"host": to.host});
    if let Some(port) = to.port {
        destination["port"] = json!({"number": port});
    }
    let spec = json!({
        "gateways": [names::gateway(owner.namespace, owner.app)],
        "hosts": rule.hosts,
        "http": [{"match": matches, "route": [{"destination": destination}]}],
    });
    object(&virtual_service(), Some(owner.namespace), &names::route(ingress, at), json!({"spec": spec}))
}

/// Sends the requests of each user to the same endpoint, by a cookie.
pub(crate) fn affinity(
    owner: Owner<'_>,
    ingress: &str,
    at: usize,
    cookie: &Cookie,
    to: &Destination,
    membership: Membership,
) -> Value {
    let mut by = json!({"name": cookie.name, "ttl": format!("{}s", cookie.ttl)});
    if let Some(path) = &cookie.path {
        by["path"] = json!(path);
    }
    // A destination without a sidecar does not support mutual TLS.
    let mode = match membership {
        Membership::InMesh => "ISTIO_MUTUAL",
        Membership::Outside => "DISABLE",
    };
    let spec = json!({
        "host": to.host,
        "trafficPolicy": {
            "loadBalancer": {"consistentHash": {"httpCookie": by}},
            "tls": {"mode": mode},
        },
    });
    object(&destination_rule(), Some(owner.namespace), &names::load_balancing(ingress, at), json!({"spec": spec}))
}

/// The certificate for all hosts of a trait, in the namespace of the ingress gateway, which reads
/// Secrets only there.
pub(crate) fn certificate(config: &Config, owner: Owner<'_>, ingress: &str, hosts: &[&str]) -> Value {
    let spec = json!({
        "dnsNames": hosts,
        "secretName": names::credential(owner.namespace, ingress),
        "issuerRef": {"name": config.cluster_issuer, "kind": "ClusterIssuer"},
    });
    let name = names::certificate(owner.namespace, ingress);
    object(&certificate_kind(), Some(&config.gateway_namespace), &name, json!({"spec": spec}))
}
