//! What an API server makes of a document, and which ones it refuses.

use std::path::Path;

use mizzen_model::{Kind, ObjectRef, yaml};
use serde_json::{Value, json};

use crate::memory::Memory;

/// A CRD whose fields treat null in every way.
const NULLS: &str = "
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
            spec:
              type: object
              required: [path]
              properties:
                path: {type: string}
                plain: {type: string}
                nullable: {type: string, nullable: true}
                either: {x-kubernetes-int-or-string: true, nullable: true}
                defaulted: {type: integer, default: 3}
                both: {type: integer, nullable: true, default: 4}
                list: {type: array, items: {type: string}}
                map: {type: object, additionalProperties: {type: string}}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                nested: {type: object, properties: {deep: {type: integer}}}
";

fn load(text: &str) -> Result<Memory, Vec<String>> {
    let documents = yaml::parse(Path::new("x.yaml"), text).unwrap();
    Memory::from_documents(&documents).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn shop(spec: &str) -> String {
    let shop = "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: x, namespace: a}\n";
    format!("{NULLS}---\n{shop}spec: {spec}\n")
}

fn errors(text: &str) -> Vec<String> {
    load(text).err().unwrap_or_default()
}

fn object(memory: &Memory, api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Value {
    memory.find(&ObjectRef::new(Kind::new(api_version, kind), namespace, name)).unwrap()
}

#[test]
fn a_null_of_a_field_that_is_not_nullable_is_as_if_it_were_not_there() {
    let memory = load(&shop(
        "{path: /x, plain: null, nullable: null, either: null, defaulted: null, both: null, list: null, \
         map: {a: null, b: c}, free: {a: null}, nested: {deep: null}, unknown: null}",
    ))
    .unwrap();
    let spec = &object(&memory, "example.com/v1", "Shop", Some("a"), "x")["spec"];
    let stored = json!({"path": "/x", "nullable": null, "either": null, "defaulted": 3, "both": null,
        "map": {"b": "c"}, "free": {"a": null}, "nested": {}});
    assert_eq!(*spec, stored);
}

#[test]
fn a_required_field_that_is_null_is_missing_and_a_null_in_a_list_is_invalid() {
    assert_eq!(errors(&shop("{path: null}")), ["x.yaml:35: Shop a/x: `spec.path` is required"]);
    let errors = errors(&shop("\n  path: /x\n  list:\n  - null"));
    assert!(errors.len() == 1 && errors[0].starts_with("x.yaml:38: Shop a/x: `spec.list[0]`"), "{errors:#?}");
}

#[test]
fn nulls_of_built_in_kinds_are_what_the_api_server_decodes_them_to() {
    let memory = load(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, labels: {a: null}, annotations: null, \
         creationTimestamp: null}\ndata: {a: null, b: c}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: \
         {name: d}\nspec:\n  strategy: {type: Recreate, rollingUpdate: null}\n  template: {metadata: \
         {creationTimestamp: null}, spec: {containers: [{name: a, resources: {limits: {cpu: null}}}]}}\n",
    )
    .unwrap();
    let map = object(&memory, "v1", "ConfigMap", Some("default"), "c");
    assert_eq!((&map["data"], &map["metadata"]["labels"]), (&json!({"a": "", "b": "c"}), &json!({"a": ""})));
    let spec = &object(&memory, "apps/v1", "Deployment", Some("default"), "d")["spec"];
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
    assert_eq!(spec["template"]["metadata"], json!({}));
    assert_eq!(spec["template"]["spec"]["containers"][0]["resources"], json!({"limits": {"cpu": "0"}}));
}

#[test]
fn a_null_in_a_list_of_a_built_in_kind_is_refused_with_its_line() {
    let errors = errors(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    args: [x, null]\n",
    );
    assert!(errors.len() == 1 && errors[0].starts_with("x.yaml:7: Pod p: `spec.containers[0].args[1]`"), "{errors:#?}");
}

#[test]
fn objects_that_are_too_large_are_refused_with_their_size() {
    let map = |size: usize| {
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, data: {{a: {}}}}}", "x".repeat(size))
    };
    assert_eq!(errors(&map(1 << 20)), [""; 0]);
    let large = errors(&map((1 << 20) + 1));
    assert!(large.len() == 1 && large[0].contains("`data` has 1048577 bytes, and at most 1048576"), "{large:#?}");
    let annotated = errors(&format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, annotations: {{a: {}}}}}}}",
        "x".repeat(256 << 10)
    ));
    assert!(annotated.len() == 1 && annotated[0].contains("`metadata.annotations` has 262145 bytes"), "{annotated:#?}");
    let whole = errors(&shop(&format!("{{path: {}}}", "x".repeat(1_600_000))));
    assert!(whole.len() == 1 && whole[0].contains("at most 1572864"), "{whole:#?}");
}

#[test]
fn values_and_keys_of_configmaps_and_secrets_are_checked() {
    let errors = errors(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  port: 8080\n  a b: x\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  on: true\n",
    );
    let starts =
        ["x.yaml:5: ConfigMap c: `data.port` is 8080", "x.yaml:6: ConfigMap c: `data.a b`", "x.yaml:11: Secret s: "];
    assert_eq!(errors.len(), 3, "{errors:#?}");
    for start in starts {
        assert!(errors.iter().any(|error| error.starts_with(start)), "{start} not in {errors:#?}");
    }
}

#[test]
fn an_object_has_at_most_one_controller() {
    let owner = |uid: &str| format!("{{apiVersion: v1, kind: Pod, name: p, uid: {uid}, controller: true}}");
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  ownerReferences:\n  - {}\n  - {}\n",
        owner("a"),
        owner("b")
    );
    let errors = errors(&text);
    assert!(
        errors.len() == 1 && errors[0].starts_with("x.yaml:7: ConfigMap c: `metadata.ownerReferences[1].controller`"),
        "{errors:#?}"
    );
}

#[test]
fn an_error_has_the_line_of_its_field() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  labels:\n    x: z\n    istio.io/rev: 1.30\n";
    let errors = errors(text);
    assert!(errors.len() == 1 && errors[0].starts_with("x.yaml:7: Namespace a: "), "{errors:#?}");
}
