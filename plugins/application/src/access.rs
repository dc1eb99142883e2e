//! Who may call an application: itself, the ingress gateway, and whoever scrapes its metrics.

use std::collections::BTreeSet;

use mizzen_oam_api::{APP, authorization_policy};
use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::config::{Account, Config};
use crate::pods::Pods;

/// What a pod runs as that says nothing: everybody's in the namespace, so no application's own.
pub(crate) const DEFAULT: &str = "default";

pub(crate) fn service_account() -> Kind {
    Kind::new("v1", "ServiceAccount")
}

/// The account that the application's pods are to run as.
pub(crate) fn account(namespace: &str, app: &str) -> Value {
    object(&service_account(), Some(namespace), app, json!({"metadata": {"labels": {APP: app}}}))
}

/// Lets in the application's own accounts (the one made for it, and those that its pods have instead), the ingress gateway and Prometheus.
pub(crate) fn policy(config: &Config, namespace: &str, app: &str, pods: &Pods) -> Value {
    let principal = |namespace: &str, name: &str| format!("{}/ns/{namespace}/sa/{name}", config.trust_domain);
    let of = |account: &Account| principal(&account.namespace, &account.name);
    let mut principals =
        BTreeSet::from([principal(namespace, app), of(&config.ingress_gateway), of(&config.prometheus)]);
    principals.extend(pods.accounts().filter(|own| *own != DEFAULT).map(|own| principal(namespace, own)));
    let spec = json!({
        "selector": {"matchLabels": {APP: app}},
        "action": "ALLOW",
        "rules": [{"from": [{"source": {"principals": principals}}]}],
    });
    object(&authorization_policy(), Some(namespace), app, json!({"spec": spec}))
}

/// What is wrong with how the pods run: they are let in nowhere, and can't be told from other pods of the namespace.
pub(crate) fn problem(app: &str, pods: &Pods) -> Option<String> {
    let anonymous = pods.running_as(DEFAULT);
    let first = anonymous.first()?;
    Some(format!(
        "{} pods run as ServiceAccount `default` and can't call their own application, among them {first}: set `serviceAccountName: {app}` in their template",
        anonymous.len()
    ))
}
