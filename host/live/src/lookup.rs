//! Looks one object up, with its field managers, for the moments when no view can tell whether it exists.

use std::collections::BTreeSet;
use std::sync::Arc;

use mizzen_cluster::{Found, ReadError};
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use serde_json::Value;

use crate::discovery::Discovery;
use crate::errors::read_error;
use crate::link::Link;

/// The object as it is now; `None`: it does not exist.
///
/// This gets it by name, which takes the right `get` in the namespace of the object alone. Most look-ups precede a
/// creation, so the response is mostly a short 404; the whole object is only transferred if another party's is there.
pub(crate) async fn lookup(link: &Link, discovery: &Discovery, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
    let Some(document) = whole(link, discovery, object).await? else { return Ok(None) };
    let managers = managers(&document["metadata"]["managedFields"]);
    let found = Object::new(document, &Fields::Whole).map_err(|error| ReadError::Unavailable {
        kind: object.kind.clone(),
        message: format!("the API server's response: {error}"),
    })?;
    Ok(Some(Found { object: Arc::new(found), managers }))
}

/// The document of an object with `metadata.managedFields`, which a [`Document`](crate::document::Document) leaves out.
pub(crate) async fn whole(link: &Link, discovery: &Discovery, object: &ObjectRef) -> Result<Option<Value>, ReadError> {
    let facts = discovery.facts(&object.kind).await?;
    let path = Discovery::path(&object.kind, &facts, object.namespace.as_deref());
    match link.get(&format!("{path}/{}", object.name)).await {
        Ok(document) => Ok(Some(of_kind(document, &object.kind))),
        Err(fault) if fault.code() == 404 => Ok(None),
        Err(fault) => Err(read_error(&object.kind, &fault)),
    }
}

/// A document with the kind that was asked for, which items of a list do not name.
pub(crate) fn of_kind(mut document: Value, kind: &Kind) -> Value {
    document["apiVersion"] = Value::from(&*kind.api_version);
    document["kind"] = Value::from(&*kind.name);
    document
}

/// The managers of everything but the status.
fn managers(managed_fields: &Value) -> Vec<String> {
    let entries = managed_fields.as_array().into_iter().flatten();
    let apart_from_status = entries.filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty());
    let names: BTreeSet<_> = apart_from_status.filter_map(|entry| entry["manager"].as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{Reply, link, refusal, thing, things};
    use crate::subscribers::Subscribers;

    #[tokio::test]
    async fn an_object_is_found_by_its_name_with_its_managers() {
        let link = link(|asked| match &*asked.path {
            "/apis/mizzen.dev/v1" => things(),
            "/apis/mizzen.dev/v1/namespaces/a/things/x" => Reply::Json(200, thing("x", 5, 1)),
            path if path.contains("customresourcedefinitions") => refusal(403, "no"),
            _ => refusal(404, "not found"),
        });
        let discovery = Discovery::new(link.clone(), Arc::new(Subscribers::default()));
        let object = |name: &str| ObjectRef::new(Kind::new("mizzen.dev/v1", "Thing"), Some("a"), name);
        let found = lookup(&link, &discovery, &object("x")).await.unwrap().unwrap();
        assert_eq!((found.object.reference.clone(), found.managers), (object("x"), vec!["x".to_owned()]));
        assert!(lookup(&link, &discovery, &object("y")).await.unwrap().is_none());
    }

    #[test]
    fn managers_are_those_of_everything_but_the_status_each_once() {
        let entries = json!([
            {"manager": "kubectl", "operation": "Update"},
            {"manager": "argocd", "operation": "Apply"},
            {"manager": "kubectl", "operation": "Apply"},
            {"manager": "controller", "operation": "Update", "subresource": "status"},
        ]);
        assert_eq!(managers(&entries), ["argocd", "kubectl"]);
        assert_eq!(managers(&Value::Null), Vec::<String>::new());
    }
}
