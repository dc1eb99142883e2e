//! Looks one object up, with its field managers, for the moments when no view can tell whether it exists.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::api::ListParams;
use kube::core::Request;
use mizzen_cluster::{Found, ReadError};
use mizzen_model::{Fields, Object, ObjectRef};
use serde::Deserialize;
use serde_json::Value;

use crate::discovery::Discovery;
use crate::errors::read_error;
use crate::link::Link;

/// The objects of a list. Unlike a [`Document`](crate::document::Document), these keep their `managedFields`.
#[derive(Deserialize)]
struct List {
    items: Vec<Value>,
}

/// The object as it is now; `None`: it does not exist.
///
/// This lists the kind by name: a host may list what it applies, and needs no rule for `get` beside that.
pub(crate) async fn lookup(link: &Link, discovery: &Discovery, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
    let facts = discovery.facts(&object.kind).await?;
    let request = Request::new(Discovery::path(&object.kind, &facts, object.namespace.as_deref()));
    let params = ListParams::default().fields(&format!("metadata.name={}", object.name));
    let list: List = link.send(request.list(&params)).await.map_err(|fault| read_error(&object.kind, &fault))?;
    let Some(mut document) = list.items.into_iter().next() else { return Ok(None) };
    let managers = managers(&document["metadata"]["managedFields"]);
    document["apiVersion"] = Value::from(&*object.kind.api_version);
    document["kind"] = Value::from(&*object.kind.name);
    let found = Object::new(document, &Fields::Whole).map_err(|error| ReadError::Unavailable {
        kind: object.kind.clone(),
        message: format!("the API server's response: {error}"),
    })?;
    Ok(Some(Found { object: Arc::new(found), managers }))
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
    use mizzen_model::Kind;
    use serde_json::json;

    use super::*;
    use crate::fake::{Reply, link, refusal, thing, things};
    use crate::subscribers::Subscribers;

    #[tokio::test]
    async fn an_object_is_found_by_its_name_with_its_managers() {
        let link = link(|asked| match (&*asked.path, asked.parameter("fieldSelector")) {
            ("/apis/mizzen.dev/v1", _) => things(),
            (path, _) if path.contains("customresourcedefinitions") => refusal(403, "no"),
            ("/apis/mizzen.dev/v1/namespaces/a/things", Some("metadata.name%3Dx")) => {
                let items = [thing("x", 5, 1)];
                Reply::Json(200, json!({"metadata": {}, "items": items}))
            }
            _ => Reply::Json(200, json!({"metadata": {}, "items": []})),
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
