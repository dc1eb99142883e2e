//! The public behaviour of a cluster in memory.

mod applying;
mod deleting;
mod judging;
mod loading;
mod watching;

use std::sync::Arc;

use mizzen_model::{Kind, Object, ObjectRef};
use serde_json::{Value, json};

use super::Memory;
use crate::{Apply, Cluster, Target, WriteError};

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - name: v1
      served: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          properties:
            status: {properties: {conditions: {x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [type]}}}
";

/// A CRD with a schema.
const TYPED: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, default: {}, properties: {size: {type: integer, default: 1}}}
";

/// A CRD with several versions.
const VERSIONS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {}}}
    - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {}}}
    - {name: v3, served: false, storage: false, schema: {openAPIV3Schema: {}}}
";

fn shop() -> ObjectRef {
    ObjectRef::new(Kind::new("example.com/v1", "Shop"), Some("a"), "x")
}

fn document(spec: Value) -> Value {
    let mut document =
        json!({"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "x", "namespace": "a"}});
    document["spec"] = spec;
    document
}

fn memory() -> Memory {
    Memory::from_yaml(CRD).unwrap()
}

async fn apply(memory: &Memory, manager: &str, document: &Value, force: bool) -> Result<Arc<Object>, WriteError> {
    memory.apply(Apply { manager, document, target: Target::Object, force }).await
}
