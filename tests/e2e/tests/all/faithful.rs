//! The cluster in memory behaves like a real API server: the same writes have the same results.

use std::fmt;
use std::sync::Arc;

use mizzen_cluster::memory::Memory;
use mizzen_cluster::{Apply, Cluster, Target, WriteError};
use mizzen_e2e::TestGroup;
use mizzen_live::{Live, LiveOptions};
use mizzen_model::{Kind, Object};
use mizzen_testcluster::ControlPlane;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// A definition with every way in which a schema sets the ownership of values.
const SHOPS: &str = "
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
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer, minimum: 0}
                trade: {type: string, default: food, enum: [food, books]}
                tags: {type: array, items: {type: string}, x-kubernetes-list-type: set}
                hours: {type: array, items: {type: object, properties: {from: {type: integer}, to: {type: integer,
                    default: 18}}}}
                doors:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name, side]
                  items:
                    type: object
                    required: [name]
                    properties: {name: {type: string}, side: {type: string, default: left}, color: {type: string},
                        width: {type: integer, default: 80}}
                place: {type: object, x-kubernetes-map-type: atomic, properties: {street: {type: string},
                    number: {type: integer}}}
                port: {x-kubernetes-int-or-string: true}
                note: {type: string, nullable: true}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                names: {type: object, additionalProperties: {type: string}}
                till: {type: object, properties: {cash: {type: boolean}, drawers: {type: integer, default: 3}}}
            status:
              type: object
              properties:
                open: {type: boolean}
                conditions:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [type]
                  items: {type: object, required: [type], properties: {type: {type: string}, status: {type: string}}}
";

/// One write.
#[derive(Clone, Debug)]
struct Write {
    manager: &'static str,
    target: Target,
    force: bool,
    document: Value,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { manager, target, force, document } = self;
        write!(f, "{manager} {target:?} force={force} {document}")
    }
}

/// The same cluster in memory and on a control plane.
struct Both {
    memory: Memory,
    live: Live,
    _cluster: ControlPlane,
}

async fn both() -> Option<Both> {
    let cluster = ControlPlane::builder().start_for_test().await?;
    cluster.apply_yaml(SHOPS).await.unwrap();
    let options = LiveOptions { kubeconfig: Some(cluster.kubeconfig_path()), context: None };
    let live = Live::connect(&options).await.unwrap();
    live.facts(&Kind::new("example.com/v1", "Shop")).await.unwrap();
    Some(Both { memory: Memory::from_yaml(SHOPS).unwrap(), live, _cluster: cluster })
}

impl Both {
    /// Makes a write to both, and fails unless the results are the same. `earlier` is for the message.
    async fn apply(&self, write: &Write, earlier: &[Write]) {
        let Write { manager, target, force, document } = write;
        let apply = Apply { manager, document, target: *target, force: *force };
        let (memory, live) = (self.memory.apply(apply).await, self.live.apply(apply).await);
        let (in_memory, on_server) = (summary(&memory), summary(&live));
        let earlier: Vec<_> = earlier.iter().map(ToString::to_string).collect();
        assert!(
            in_memory == on_server,
            "after\n{}\nto\n{write}\nMemory: {in_memory}\nLive:   {on_server}\n{:?}\n{:?}",
            earlier.join("\n"),
            memory.err(),
            live.err()
        );
    }

    async fn run(&self, writes: &[Write]) {
        for (done, write) in writes.iter().enumerate() {
            self.apply(write, &writes[..done]).await;
        }
    }
}

/// Summarises a result: the document without fields that differ between clusters, or the class of the
/// error with its fields.
fn summary(result: &Result<Arc<Object>, WriteError>) -> String {
    match result {
        Ok(object) => {
            let mut document = object.value();
            let metadata = document["metadata"].as_object_mut().unwrap();
            for differing in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
                metadata.remove(differing);
            }
            document.to_string()
        }
        Err(WriteError::Conflict { fields, .. }) => {
            let mut fields: Vec<_> =
                fields.iter().map(|f| format!("{} {} {}", f.field, f.manager, f.applied)).collect();
            fields.sort();
            format!("conflict: {}", fields.join(", "))
        }
        Err(WriteError::Stale { .. }) => "stale".into(),
        Err(WriteError::Invalid { .. }) => "invalid".into(),
        Err(WriteError::NotFound { .. }) => "not found".into(),
        Err(other) => panic!("the control plane fails: {other}"),
    }
}

fn shop(name: &str, spec: Value) -> Value {
    let mut document = json!({"apiVersion": "example.com/v1", "kind": "Shop",
                              "metadata": {"name": name, "namespace": "default"}});
    document["spec"] = spec;
    document
}

/// Writes, most of which the schema allows.
fn writes() -> impl Strategy<Value = Vec<Write>> {
    let write = (
        prop::sample::select(&["one", "two", "three"][..]),
        prop::bool::weighted(0.25),
        prop::bool::weighted(0.3),
        spec(),
        labels(),
        status(),
    );
    let write = write.prop_map(|(manager, of_status, force, spec, labels, status)| {
        let mut document = shop("x", spec);
        document["metadata"]["labels"] = labels;
        document["status"] = status;
        let document = full(document).unwrap_or_default();
        let target = if of_status { Target::Status } else { Target::Object };
        Write { manager, target, force, document }
    });
    prop::collection::vec(write, 1..10)
}

/// Removes empty maps and lists from a document: `None` when it is empty then. The API server's result for
/// applied empty ones depends on former field managers, and no reconciler has a reason to apply one.
fn full(document: Value) -> Option<Value> {
    match document {
        Value::Object(fields) => {
            let fields: Map<_, _> = fields.into_iter().filter_map(|(name, value)| Some((name, full(value)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.into_iter().filter_map(full).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        other => Some(other),
    }
}

/// An object with some of these fields, each with this probability.
fn some_of(fields: Vec<(&'static str, BoxedStrategy<Value>)>, likely: f64) -> BoxedStrategy<Value> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| prop::option::weighted(likely, value).prop_map(move |value| (name, value)))
        .collect();
    let kept = |fields: Vec<(&'static str, Option<Value>)>| {
        Value::Object(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    };
    fields.prop_map(kept).boxed()
}

fn one_of(values: &Value) -> BoxedStrategy<Value> {
    prop::sample::select(values.as_array().unwrap().clone()).boxed()
}

fn list_of(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::vec(value, 0..4).prop_map(Value::from).boxed()
}

fn spec() -> BoxedStrategy<Value> {
    let tags = Just(json!(["q", "r", "s"])).prop_map(|all| all.as_array().unwrap().clone()).prop_shuffle();
    let tags = (tags, 0..4_usize).prop_map(|(tags, count)| Value::from(tags[..count].to_vec()));
    let door = || {
        some_of(
            vec![
                ("color", one_of(&json!(["red", "blue"]))),
                ("side", one_of(&json!(["left", "right"]))),
                ("width", one_of(&json!([70, 80]))),
            ],
            0.4,
        )
    };
    let door = (one_of(&json!(["d1", "d2", "d3"])), door()).prop_map(|(name, mut door)| {
        door["name"] = name;
        door
    });
    let hours = some_of(vec![("from", one_of(&json!([8, 9]))), ("to", one_of(&json!([18, 20])))], 0.5);
    let place = some_of(vec![("street", one_of(&json!(["a", "b"]))), ("number", one_of(&json!([1, 2])))], 0.6);
    // Without a schema, the API server has odd results for values that change their type (conflicts of both
    // types) and for nested maps that lose their last field (`null`). The cluster in memory does not
    // reproduce them, so these are flat and keep their types.
    let free = (one_of(&json!([1, 2])), prop::option::of(one_of(&json!(["x", "y"]))));
    let free = free.prop_map(|(m, l)| l.map_or_else(|| json!({"m": m}), |l| json!({"m": m, "l": l})));
    let names = some_of(vec![("n", one_of(&json!(["x", "y"]))), ("m", one_of(&json!(["x", "y"])))], 0.5);
    let till = some_of(vec![("cash", one_of(&json!([true, false]))), ("drawers", one_of(&json!([3, 4])))], 0.4);
    some_of(
        vec![
            ("size", one_of(&json!([1, 1, 2, 2, 2, -1, "1"]))),
            ("trade", one_of(&json!(["food", "books", "books", "arms"]))),
            ("tags", tags.boxed()),
            ("hours", list_of(hours)),
            ("doors", list_of(door.boxed())),
            ("place", place),
            ("port", one_of(&json!([80, "http"]))),
            ("note", one_of(&json!(["x", "y", null]))),
            ("free", free.boxed()),
            ("names", names),
            ("till", till),
        ],
        0.35,
    )
}

fn labels() -> BoxedStrategy<Value> {
    some_of(vec![("app", one_of(&json!(["a", "b"]))), ("tier", one_of(&json!(["a", "b"])))], 0.3)
}

fn status() -> BoxedStrategy<Value> {
    let condition = (one_of(&json!(["A", "B"])), one_of(&json!(["True", "False"])));
    let condition = condition.prop_map(|(kind, status)| json!({"type": kind, "status": status}));
    some_of(vec![("open", one_of(&json!([true, false]))), ("conditions", list_of(condition.boxed()))], 0.6)
}

#[tokio::test(flavor = "multi_thread")]
async fn any_sequence_of_applies_has_the_same_results() {
    let _group = TestGroup::enter(module_path!());
    let Some(both) = both().await else { return };
    let cases = std::env::var("MIZZEN_FAITHFUL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(60);
    let mut runner = if cases == 60 { TestRunner::deterministic() } else { TestRunner::default() };
    for case in 0..cases {
        let mut sequence = writes().new_tree(&mut runner).unwrap().current();
        for write in &mut sequence {
            write.document["metadata"]["name"] = json!(format!("case-{case}"));
        }
        both.run(&sequence).await;
    }
}
