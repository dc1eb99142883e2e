//! The Gateway of an application, with a server for each of its traits.
//!
//! Several traits need parts of this one object. It belongs to what they have in common, their
//! application, which reads all of them; if it belonged to one trait, it would be deleted with that
//! trait, including the others' servers.

use std::collections::BTreeSet;

use mizzen_oam_api::{APP, gateway, hosts, ingress_trait, names};
use mizzen_sdk::{AccessError, Description, Query, cluster, object};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Config;

const TRAITS: &str = "traits";

#[derive(Deserialize)]
struct Ingress {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

/// Ordered by age; the names decide within a second.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// As Kubernetes writes times: sorting the texts sorts the times.
    #[serde(default)]
    creation_timestamp: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    rules: Vec<Rule>,
    tls: Tls,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rule {
    hosts: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Tls {
    secret_name: String,
}

/// The Gateway, if any trait needs one, and what it can't serve.
pub(crate) struct Wanted {
    pub(crate) object: Option<Value>,
    pub(crate) problems: Vec<String>,
}

pub(crate) fn declare(description: Description) -> Description {
    let fields = ["spec.rules[*].hosts", "spec.tls.secretName", "metadata.creationTimestamp"];
    description
        .reads_fields(TRAITS, ingress_trait(), &fields, "the servers of the application's Gateway")
        .applies(gateway(), "accepts requests for the application's traits")
}

/// Builds the Gateway of an application's traits. A host of two traits belongs to the older one:
/// Istio serves a host in one server only. The other's routes for it work nonetheless.
pub(crate) fn wanted(config: &Config, namespace: &str, app: &str) -> Result<Wanted, AccessError> {
    let query = Query::of(ingress_trait()).namespace(namespace).label(APP, app).fields(TRAITS);
    let mut all: Vec<Ingress> = cluster::list(&query)?;
    all.sort_by(|a, b| a.metadata.cmp(&b.metadata));
    let (mut taken, mut servers, mut problems) = (BTreeSet::new(), Vec::new(), Vec::new());
    for Ingress { metadata: Metadata { name, .. }, spec } in &all {
        let mut own = Vec::new();
        for (at, rule) in spec.rules.iter().enumerate() {
            match hosts(app, namespace, config.domain.as_deref(), &rule.hosts) {
                Ok(hosts) => own.extend(hosts.into_iter().filter(|host| taken.insert(host.clone()))),
                Err(error) => problems.push(format!("IngressTrait {name}: `spec.rules[{at}].hosts`: {error}")),
            }
        }
        if !own.is_empty() {
            let credential = match spec.tls.secret_name.as_str() {
                "" => names::credential(namespace, name),
                own => own.to_owned(),
            };
            servers.push(json!({
                "name": names::server(name),
                "port": {"number": 443, "name": names::port(name), "protocol": "HTTPS"},
                "hosts": own,
                "tls": {"mode": "SIMPLE", "credentialName": credential},
            }));
        }
    }
    let spec = json!({"selector": config.gateway_selector, "servers": servers});
    let wanted = object(&gateway(), Some(namespace), &names::gateway(namespace, app), json!({"spec": spec}));
    Ok(Wanted { object: (!servers.is_empty()).then_some(wanted), problems })
}
