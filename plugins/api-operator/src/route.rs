//! The route of an API: a VirtualService of its name.

use mizzen_sdk::{Description, Kind, object};
use serde_json::{Value, json};

use crate::api::Api;
use crate::cors::Policy;

/// The field set with only a route's identity.
pub(crate) const IDENTITY: &str = "identity";

pub(crate) fn declare(description: Description) -> Description {
    description.reads_fields(IDENTITY, kind(), &["metadata.uid"], "an API's status contains the uid of its route")
}

pub(crate) fn kind() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

/// The route of an API. If the implementation handles preflight requests, they have a rule before
/// the others: Envoy would respond to them itself wherever a policy for origins applies.
pub(crate) fn virtual_service(api: &Api, cors: Option<&Policy>) -> Value {
    let to = json!([{"destination": {"host": api.service(), "port": {"number": api.port()}}}]);
    let all = matches(api);
    let mut rules = Vec::new();
    if cors.is_some_and(|policy| !policy.responds_to_preflight) {
        let options = all.iter().map(|uri| json!({"uri": uri, "method": {"exact": "OPTIONS"}})).collect::<Vec<_>>();
        rules.push(json!({"match": options, "route": to}));
    }
    let mut rule = json!({"match": all.iter().map(|uri| json!({"uri": uri})).collect::<Vec<_>>(), "route": to});
    if let Some(policy) = cors {
        rule["corsPolicy"] = policy.rendered.clone();
    }
    rules.push(rule);
    let content = json!({"spec": {
        "hosts": [api.host().unwrap_or("*")],
        "gateways": [api.config.gateway],
        "http": rules,
    }});
    object(&kind(), Some(api.namespace), api.name(), content)
}

/// The path itself and paths below it. A prefix `/a` alone would match `/ab`, too, which belongs to
/// another API.
fn matches(api: &Api) -> Vec<Value> {
    let below = json!({"prefix": api.path().below()});
    if api.path().is_root() { vec![below] } else { vec![json!({"exact": api.path().as_str()}), below] }
}
