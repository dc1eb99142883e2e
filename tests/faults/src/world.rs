//! The plugins of a run, and the cluster that it begins with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_config::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
use mizzen_engine::NodeSpec;
use mizzen_model::{
    Access, Call, CallError, Description, Digest, Failure, FieldSet, Fields, Invoke, Kind, Need, ObjectRef, Outcome,
    Query, Readiness, Reads, Request, Selector, Wanted,
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// The namespace of the subjects.
pub const HERE: &str = "a";

/// Another namespace in which objects are applied.
pub const FAR: &str = "far";

const CRDS: &str = "
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

/// The last complete outcome of each reconciler and subject: the objects that it wants.
pub type Wants = Arc<Mutex<BTreeMap<(String, String), BTreeSet<ObjectRef>>>>;

/// A reconciler of a run.
struct Plugin {
    description: Description,
    version: u64,
    wants: Wants,
}

pub fn memory() -> Memory {
    Memory::from_yaml(CRDS).unwrap()
}

pub fn shop() -> Kind {
    Kind::new("example.com/v1", "Shop")
}

pub fn config_map() -> Kind {
    Kind::new("v1", "ConfigMap")
}

pub fn shop_ref(name: &str) -> ObjectRef {
    ObjectRef::new(shop(), Some(HERE), name)
}

pub fn map_ref(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::new(config_map(), Some(namespace), name)
}

pub fn a_shop(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": name, "namespace": HERE}, "spec": spec})
}

/// Two reconcilers. `shelf` applies a ConfigMap for each entry of `spec.maps` and `spec.far`; `till` follows it,
/// finalizes, and applies one with the number of the shop's ConfigMaps.
pub fn nodes(version: u64, wants: &Wants) -> Vec<NodeSpec> {
    let mut till = reconciler("till");
    till.after.push("shelf".into());
    till.grants.read.push(Grant::everywhere(config_map()));
    let mut tills = description("till");
    tills.finalizes = true;
    tills.needs.push(Need { kind: config_map(), access: Access::Read, why: String::new() });
    let fields = Fields::parse(["data"]).unwrap();
    tills.field_sets = BTreeMap::from([("data".to_owned(), FieldSet { kind: config_map(), fields })]);
    let node = |reconciler, description, version| NodeSpec {
        reconciler: Arc::new(reconciler),
        invoke: Ok(Arc::new(Plugin { description, version, wants: Arc::clone(wants) })),
    };
    vec![node(reconciler("shelf"), description("shelf"), version), node(till, tills, 1)]
}

fn description(name: &str) -> Description {
    Description {
        name: name.into(),
        version: "1".into(),
        summary: String::new(),
        subject: shop(),
        config_schema: json!({}),
        needs: vec![Need { kind: config_map(), access: Access::Apply, why: String::new() }],
        field_sets: BTreeMap::new(),
        credentials: Vec::new(),
        http: Vec::new(),
        renderers: Vec::new(),
        finalizes: false,
    }
}

fn reconciler(name: &str) -> Reconciler {
    let namespaces = vec![HERE.to_owned(), FAR.to_owned()];
    Reconciler {
        name: name.into(),
        origin: Origin::Cluster,
        generation: 1,
        component: Component::File("x".into()),
        subject: Subject::every(shop()),
        after: Vec::new(),
        after_any: Vec::new(),
        config: json!({}),
        grants: Grants { apply: vec![Grant { namespaces, ..Grant::everywhere(config_map()) }], ..Grants::default() },
        limits: Limits::default(),
        pace: BTreeMap::new(),
        mode: Mode::Enforce,
    }
}

fn a_map(namespace: &str, shop: &str, name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
           "metadata": {"name": format!("{shop}-{name}"), "namespace": namespace, "labels": {"shop": shop}}})
}

#[async_trait]
impl Invoke for Plugin {
    fn description(&self) -> &Description {
        &self.description
    }

    fn digest(&self) -> Digest {
        Digest::of(format!("{} {}", self.description.name, self.version))
    }

    async fn invoke(
        &self,
        call: Call,
        request: &Request,
        reads: Arc<dyn Reads>,
    ) -> Result<Result<Outcome, Failure>, CallError> {
        let subject: Value = serde_json::from_str(&request.subject).unwrap_or_default();
        let name = subject["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if subject["spec"]["invalid"] == true {
            return Ok(Err(Failure::Invalid("spec.invalid is set".into())));
        }
        let mut outcome = Outcome::new(Readiness::Ready);
        let documents = match &*self.description.name {
            "shelf" => self.shelf(&subject, &name),
            _ if call == Call::Finalize => Vec::new(),
            _ => match till(&*reads, &name).await {
                Some((documents, count)) => {
                    outcome.status = Some(json!({"maps": count}));
                    documents
                }
                None => return Ok(Err(Failure::Retry("the ConfigMaps can't be read".into()))),
            },
        };
        let wanted = documents.iter().filter_map(|own| mizzen_model::Object::reference_of(own).ok()).collect();
        self.wants.lock().insert((self.description.name.clone(), name), wanted);
        outcome.desired = Some(Wanted::All(documents));
        Ok(Ok(outcome))
    }
}

impl Plugin {
    fn shelf(&self, subject: &Value, shop: &str) -> Vec<Value> {
        let maps = |field: &str, namespace: &str| {
            let entries = subject["spec"][field].as_object().cloned().unwrap_or_else(Map::new);
            let document = |(name, value): (&String, &Value)| {
                a_map(namespace, shop, name, json!({"value": value, "version": self.version.to_string()}))
            };
            entries.iter().map(document).collect::<Vec<_>>()
        };
        [maps("maps", HERE), maps("far", FAR)].concat()
    }
}

async fn till(reads: &dyn Reads, shop: &str) -> Option<(Vec<Value>, usize)> {
    let query = Query {
        kind: config_map(),
        namespace: Some(HERE.into()),
        labels: Selector::equal("shop", shop),
        namespace_labels: Selector::everything(),
        values: None,
        fields: Some("data".into()),
    };
    let found = reads.list(&query).await.ok()?;
    let count = found.iter().filter(|own| own.value()["data"]["count"].is_null()).count();
    Some((vec![a_map(HERE, shop, "till", json!({"count": count.to_string()}))], count))
}
