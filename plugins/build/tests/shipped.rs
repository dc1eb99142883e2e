//! The grants in a plugin's own `reconciler.yaml` equal those in `deploy/mesh.yaml`: two copies,
//! for users of one plugin and for users of all.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in what its cases share")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What has to be the same in both. Configuration is an example in the one, and part of a whole in the other.
const SAME: [&str; 3] = ["grants", "limits", "subject"];

/// Plugins with a document of their own that the mesh omits, and why.
const LEFT_OUT: [&str; 1] = [
    // In place of what `api-operator` does itself in the mesh, with `openMetrics: ServiceMonitor`.
    "metrics-annotations",
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The specs of a file's reconcilers, by name.
fn reconcilers(file: &Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    let reconcilers = documents.into_iter().filter(|document| document["kind"] == "Reconciler");
    reconcilers.map(|mut own| (own["metadata"]["name"].as_str().unwrap().to_owned(), own["spec"].take())).collect()
}

/// The order of grants is irrelevant.
fn in_order(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => {
            for item in &mut *items {
                *item = in_order(item.take());
            }
            items.sort_by_key(ToString::to_string);
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                *field = in_order(field.take());
            }
        }
        _ => {}
    }
    value
}

#[test]
fn a_plugin_is_granted_the_same_by_its_own_document_as_in_the_mesh() {
    let mesh = reconcilers(&repository().join("deploy/mesh.yaml"));
    let folders = std::fs::read_dir(repository().join("plugins")).unwrap();
    let files = folders.map(|folder| folder.unwrap().path().join("reconciler.yaml")).filter(|file| file.is_file());
    let own: BTreeMap<_, _> = files.flat_map(|file| reconcilers(&file)).collect();
    assert!(own.len() > LEFT_OUT.len(), "{own:?}");
    for (name, own) in own.into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())) {
        let shipped = mesh.get(&name).unwrap_or_else(|| unreachable!("deploy/mesh.yaml has no reconciler `{name}`"));
        for field in SAME {
            assert_eq!(in_order(own[field].clone()), in_order(shipped[field].clone()), "{name}: spec.{field}");
        }
    }
}
