//! Reading endpoints, and the Istio objects for them.

mod entries;
mod reading;

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

fn scope(grouping: Grouping) -> Scope {
    Scope {
        namespace: "dynatrace".into(),
        prefix: Prefix::parse("prod").unwrap(),
        part: Some(Part::word("oneagent").unwrap()),
        labels: BTreeMap::from([("a".into(), "b".into())]),
        visibility: Visibility::Mesh,
        grouping,
    }
}

fn endpoint(target: &str, port: i64, protocol: Protocol) -> Endpoint {
    let target = Net::parse(target).map(Target::Net).or_else(|_| Target::name(target)).unwrap();
    Endpoint::new(target, Port::new(port).unwrap(), Some(protocol)).unwrap()
}

fn set(endpoints: &[(&str, i64, Protocol)]) -> Endpoints {
    let mut set = Endpoints::new();
    for (target, port, protocol) in endpoints {
        set.add(endpoint(target, *port, *protocol)).unwrap();
    }
    set
}

/// The spec of an object, by kind and name.
fn spec<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    &found.unwrap_or_else(|| unreachable!("no {kind} {name} in {objects:#?}"))["spec"]
}

/// The kinds and names of objects.
fn names(objects: &[Value]) -> Vec<String> {
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', "");
    objects.iter().map(name).collect()
}
