//! Publishes an `IngressTrait` (Verrazzano): a VirtualService for each rule, a `DestinationRule`
//! for a rule with a cookie, an `AuthorizationPolicy` for each path that is not open, and the
//! certificate of its hosts.
//!
//! The Gateway belongs to [`application`](../../application), and this reconciler waits for it.

mod attribute;
mod authorization;
mod config;
mod ingress;
mod parse;
mod reads;
mod routes;
mod together;
mod written;

use mizzen_oam_api::{APP, COMPONENT, Membership};
use mizzen_sdk::{Description, Failure, Outcome, Readiness, Reconciler, Request, cluster};
use serde_json::{Value, json};

use authorization::TooMany;
pub use config::Config;
use ingress::{Destination, Ingress, Owner};
use reads::Nowhere;

/// The reconciler.
#[derive(Debug)]
pub struct ApplicationIngress;

/// Verrazzano's condition: whether the trait's objects are applied.
const SYNCED: &str = "Synced";
/// The condition that reports whether its hosts are reachable.
const PUBLISHED: &str = "Published";

impl Reconciler for ApplicationIngress {
    /// Deserialized later, so that an error with the field's whole path is reported in a condition.
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Publishes the traits of applications";
        let description = Description::new(
            "application-ingress",
            env!("CARGO_PKG_VERSION"),
            summary,
            mizzen_oam_api::ingress_trait(),
        );
        mizzen_oam_api::declare(reads::declare(description))
            .applies(routes::virtual_service(), "the routes")
            .applies(routes::destination_rule(), "sends the requests of a user to the same endpoint, by a cookie")
            .applies(mizzen_oam_api::authorization_policy(), "who may use which path, at the ingress gateway")
            .applies(routes::certificate_kind(), "the certificate of the hosts, beside the ingress gateway")
    }

    fn reconcile(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let meta = &subject.metadata;
        let namespace = meta.namespace.as_deref().ok_or_else(|| Failure::invalid("a trait needs a namespace"))?;
        let Some(app) = meta.labels.get(APP).filter(|app| !app.is_empty()) else {
            return Ok(refused(&format!("`metadata.labels`: `{APP}` is missing, which names the trait's application")));
        };
        let owner = Owner { namespace, app };
        let ingress = match parse::parse(&subject.spec, owner, config.domain.as_deref()) {
            Ok(ingress) => ingress,
            Err(error) => return Ok(refused(&error.to_string())),
        };
        let component = meta.labels.get(COMPONENT).map(String::as_str);
        let destinations = match destinations(&ingress, owner, component)? {
            Ok(destinations) => destinations,
            Err(Nowhere::NotYet(why)) => return Ok(waiting(&why)),
            Err(Nowhere::Refused(why)) => return Ok(refused(&why)),
        };
        if let Err(error) = together::one_cookie_for_each_host(&ingress.rules, &destinations, owner) {
            return Ok(refused(&error.to_string()));
        }
        let objects = match objects(config, owner, &meta.name, &ingress, &destinations)? {
            Ok(objects) => objects,
            Err(error) => return Ok(refused(&error.to_string())),
        };
        publish(owner, &ingress, objects)
    }
}

mizzen_sdk::export!(ApplicationIngress);

/// An invalid trait: its existing objects stay.
fn refused(why: &str) -> Outcome {
    Outcome::failed(why).condition(SYNCED, Some(false), "ReconcileError", why)
}

/// A trait whose destination does not exist yet: its existing objects stay.
fn waiting(why: &str) -> Outcome {
    Outcome::progressing(why).condition(SYNCED, Some(false), "ServiceMissing", why)
}

/// The destination of each rule; an error names the rule without one.
fn destinations(
    ingress: &Ingress,
    owner: Owner<'_>,
    component: Option<&str>,
) -> Result<Result<Vec<Destination>, Nowhere>, Failure> {
    let mut all = Vec::new();
    for (at, rule) in ingress.rules.iter().enumerate() {
        let found = match (&rule.destination, component) {
            (Some(destination), _) => Ok(destination.clone()),
            (None, Some(component)) => reads::only_service(owner, component)?,
            (None, None) => Err(Nowhere::Refused(format!("the trait has no label `{COMPONENT}` to find a Service by"))),
        };
        match found {
            Ok(destination) => all.push(destination),
            Err(nowhere) => return Ok(Err(nowhere.at(&format!("spec.rules[{at}].destination.host")))),
        }
    }
    Ok(Ok(all))
}

fn objects(
    config: &Config,
    owner: Owner<'_>,
    name: &str,
    ingress: &Ingress,
    destinations: &[Destination],
) -> Result<Result<Vec<Value>, TooMany>, Failure> {
    let mut objects = Vec::new();
    if ingress.secret.is_none() {
        objects.push(routes::certificate(config, owner, name, &ingress.hosts()));
    }
    // The namespace is read only where a rule needs it: each read can cause another call.
    let needs_membership = ingress.rules.iter().any(|rule| rule.cookie.is_some());
    let membership = if needs_membership { mizzen_oam_api::membership(owner.namespace)? } else { Membership::Outside };
    let groups = together::groups(&ingress.rules);
    for (at, (rule, to)) in ingress.rules.iter().zip(destinations).enumerate() {
        // Authorization first: a path is protected before its route exists.
        match authorization::policies(config, owner, name, at, rule, &groups) {
            Ok(policies) => objects.extend(policies),
            Err(error) => return Ok(Err(error)),
        }
        objects.extend(rule.cookie.as_ref().map(|cookie| routes::affinity(owner, name, at, cookie, to, membership)));
        objects.push(routes::route(owner, name, at, rule, to));
    }
    Ok(Ok(objects))
}

/// The desired objects, and whether they are reachable.
fn publish(owner: Owner<'_>, ingress: &Ingress, mut objects: Vec<Value>) -> Result<Outcome, Failure> {
    if !cluster::serves(&routes::virtual_service()) {
        return Ok(Outcome::progressing("Istio's CRDs are not installed yet"));
    }
    let status = json!({"resources": objects.iter().map(reference).collect::<Vec<_>>()});
    if ingress.secret.is_none() && !cluster::serves(&routes::certificate_kind()) {
        let why =
            "cert-manager's CRDs are not installed yet: install it, or name a certificate in `spec.tls.secretName`";
        objects.retain(|object| object["kind"] != routes::certificate_kind().name.as_str());
        return Ok(Outcome::progressing(why)
            .desire_so_far(objects)
            .condition(SYNCED, Some(false), "CertManagerMissing", why)
            .status(status));
    }
    let let_in = reads::hosts_let_in(owner)?;
    let missing: Vec<_> = ingress
        .hosts()
        .into_iter()
        .filter(|host| !let_in.iter().flatten().any(|own| own.rsplit('/').next() == Some(host)))
        .collect();
    let (readiness, reason, message) = if let_in.is_none() {
        let why = format!("the Gateway does not exist yet: does ApplicationConfiguration {} exist?", owner.app);
        (Readiness::Progressing(why.clone()), "GatewayMissing", why)
    } else if missing.is_empty() {
        (Readiness::Ready, "Published", format!("published at {}", ingress.hosts().join(", ")))
    } else {
        let why = format!("the application's Gateway does not serve {} yet", missing.join(", "));
        (Readiness::Progressing(why.clone()), "GatewayBehind", why)
    };
    let published = readiness == Readiness::Ready;
    Ok(Outcome::new(readiness)
        .desire(objects)
        .status(status)
        .condition(SYNCED, Some(true), "ReconcileSuccess", "the trait is valid and its objects are desired")
        .condition(PUBLISHED, Some(published), reason, message))
}

/// The reference to an object in a trait's status.
fn reference(object: &Value) -> Value {
    json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"]})
}

#[cfg(test)]
mod tests;
