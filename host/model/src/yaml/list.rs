//! Lists of objects, which count as their items: `kind: List`, and the typed lists of an API server.

use serde_json::{Map, Value};

/// One item of a list.
pub(super) struct Item {
    /// Its path in the document.
    pub(super) within: String,
    pub(super) value: Value,
}

/// The objects in a document: the items of a list, of lists in it as well, or the document itself.
pub(super) fn unfold(document: Value) -> Vec<Item> {
    let mut items = Vec::new();
    add(document, String::new(), &mut items);
    items
}

fn add(value: Value, within: String, items: &mut Vec<Item>) {
    match value {
        Value::Object(mut map) if is_list(&map) => {
            let (api_version, kind) = (map.remove("apiVersion"), item_kind(&map));
            let Some(Value::Array(list)) = map.remove("items") else { return };
            for (at, mut item) in list.into_iter().enumerate() {
                if let (Some(kind), Some(item)) = (&kind, item.as_object_mut()) {
                    identify(item, api_version.as_ref(), kind);
                }
                let within = if within.is_empty() { format!("items[{at}]") } else { format!("{within}.items[{at}]") };
                add(item, within, items);
            }
        }
        value => items.push(Item { within, value }),
    }
}

/// Whether a document is a list: its kind says so, and it has items and no name. An object may have
/// a field `items`, too, and kinds like `AllowList` are no lists.
fn is_list(document: &Map<String, Value>) -> bool {
    let is_kind = document.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    let is_items = document.get("items").is_some_and(|items| items.is_array() || items.is_null());
    is_kind && is_items && document.get("metadata").is_none_or(|metadata| !metadata["name"].is_string())
}

/// The kind of the items of a typed list; `None`: each item says its own.
fn item_kind(list: &Map<String, Value>) -> Option<String> {
    let kind = list.get("kind")?.as_str()?.strip_suffix("List")?;
    (!kind.is_empty()).then(|| kind.to_owned())
}

/// Gives an item of a typed list the kind of the list, unless it has one.
fn identify(item: &mut Map<String, Value>, api_version: Option<&Value>, kind: &str) {
    if item.get("kind").is_none_or(Value::is_null) {
        item.insert("kind".into(), kind.into());
        if let Some(api_version) = api_version.filter(|_| item.get("apiVersion").is_none_or(Value::is_null)) {
            item.insert("apiVersion".into(), api_version.clone());
        }
    }
}
