//! What is read from below, and that nothing is written there.

use std::path::Path;

use mizzen_model::yaml;
use parking_lot::Mutex as Lock;
use serde_json::json;

use super::*;
use crate::write::Target;

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Shop, plural: shops}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {x-kubernetes-preserve-unknown-fields: true}}}
";

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: ns, uid: '1', resourceVersion: '70', labels: {app: a}}
spec: {nodeName: n1, hostname: h1}
";

const OWNED: &str = "
apiVersion: v1
kind: ConfigMap
metadata:
  name: m
  namespace: ns
  uid: '2'
  resourceVersion: '71'
  labels: {mizzen.dev/reconciler: r}
  managedFields:
    - manager: gitops
      operation: Apply
      apiVersion: v1
      fieldsType: FieldsV1
      fieldsV1: {'f:data': {'f:x': {}}}
data: {x: '1'}
";

/// A cluster of documents, which counts what it is asked for.
#[derive(Default)]
struct Documents {
    objects: Vec<Value>,
    definitions: Vec<Value>,
    forbidden: Option<Kind>,
    requests: Lock<Vec<String>>,
}

impl Documents {
    fn of(texts: &[&str]) -> Self {
        let objects = texts.iter().map(|text| document(text).value).collect();
        Self { objects, ..Self::default() }
    }

    fn asked(&self, what: impl Into<String>) {
        self.requests.lock().push(what.into());
    }

    fn definition_of(&self, kind: &Kind) -> Option<&Value> {
        self.definitions.iter().find(|definition| definition["spec"]["names"]["kind"] == *kind.name)
    }
}

#[async_trait]
impl Origin for Documents {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        if !kind.is_built_in() && self.definition_of(kind).is_none() {
            return Err(ReadError::NotServed(kind.clone()));
        }
        let plural = format!("{}s", kind.name.to_lowercase());
        Ok(KindFacts { plural, namespaced: true, status_subresource: false, conditions_by_type: true })
    }

    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        Ok(self.facts(kind).await.is_ok().then(|| kind.clone()))
    }

    async fn definition(&self, kind: &Kind, _facts: &KindFacts) -> Result<Option<Value>, ReadError> {
        Ok(self.definition_of(kind).cloned())
    }

    async fn list(&self, kind: &Kind, scope: Scope, take: &mut (dyn FnMut(Value) + Send)) -> Result<(), ReadError> {
        self.asked(format!("list {} {scope:?}", kind.name));
        if self.forbidden.as_ref() == Some(kind) {
            return Err(ReadError::Forbidden { kind: kind.clone(), message: "no".into() });
        }
        let owned = |object: &Value| object["metadata"]["labels"]["mizzen.dev/reconciler"].is_string();
        let objects = self.objects.iter().filter(|object| object["kind"] == *kind.name);
        objects.filter(|object| scope == Scope::All || owned(object)).cloned().for_each(take);
        Ok(())
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ReadError> {
        self.asked(format!("get {}", object.path()));
        Ok(self.objects.iter().find(|own| Object::reference_of(own).as_ref() == Ok(object)).cloned())
    }
}

fn document(text: &str) -> Document {
    yaml::parse(Path::new("a.yaml"), text).unwrap().remove(0)
}

fn over(origin: Documents) -> (Overlay, Arc<Documents>) {
    let origin = Arc::new(origin);
    (Overlay::new(Arc::clone(&origin) as _), origin)
}

fn pod() -> ObjectRef {
    ObjectRef::new(Kind::new("v1", "Pod"), Some("ns"), "a")
}

fn map() -> ObjectRef {
    ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("ns"), "m")
}

fn view(object: &ObjectRef, scope: Scope, paths: &[&str]) -> View {
    let fields = if paths.is_empty() { Fields::Whole } else { Fields::parse(paths).unwrap() };
    View { kind: object.kind.clone(), scope, fields }
}

async fn apply(overlay: &Overlay, document: &Value, force: bool) -> Result<Arc<Object>, WriteError> {
    overlay.apply(Apply { manager: "mizzen.dev/r", document, target: Target::Object, force }).await
}

fn data(value: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "ns"}, "data": value})
}

#[tokio::test]
async fn a_view_is_listed_once_and_projected_until_it_is_widened() {
    let (overlay, origin) = over(Documents::of(&[POD]));
    let spec = |overlay: &Overlay| overlay.get(Scope::All, &pod()).unwrap().unwrap().value()["spec"].clone();
    overlay.watch(view(&pod(), Scope::All, &["spec.nodeName"])).await.unwrap();
    assert_eq!(spec(&overlay), json!({"nodeName": "n1"}));
    overlay.watch(view(&pod(), Scope::All, &["spec.nodeName"])).await.unwrap();
    assert_eq!(origin.requests.lock().len(), 1);
    overlay.watch(view(&pod(), Scope::All, &["spec.hostname"])).await.unwrap();
    assert_eq!(spec(&overlay), json!({"nodeName": "n1", "hostname": "h1"}));
}

#[tokio::test]
async fn a_written_object_is_fetched_whole_and_keeps_its_revision_until_it_is_written() {
    let (overlay, origin) = over(Documents::of(&[POD]));
    overlay.watch(view(&pod(), Scope::All, &["spec.nodeName"])).await.unwrap();
    let read = overlay.get(Scope::All, &pod()).unwrap().unwrap().resource_version;
    assert_eq!(read, 70);
    let patch = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "a", "namespace": "ns", "resourceVersion": "70", "annotations": {"x": "y"}}});
    let after = apply(&overlay, &patch, false).await.unwrap();
    assert_eq!(after.value()["spec"], json!({"nodeName": "n1", "hostname": "h1"}));
    assert!(after.resource_version > 70);
    assert_eq!(origin.objects[0]["metadata"].get("annotations"), None);
    apply(&overlay, &patch, false).await.unwrap_err();
    let gets = origin.requests.lock().iter().filter(|request| request.starts_with("get")).count();
    assert_eq!(gets, 1, "it is fetched once");
}

#[tokio::test]
async fn a_field_that_another_manager_applies_is_a_conflict() {
    let (overlay, _) = over(Documents::of(&[OWNED]));
    let error = apply(&overlay, &data(&json!({"x": "2"})), false).await.unwrap_err();
    let WriteError::Conflict { fields, .. } = &error else { panic!("{error}") };
    assert_eq!((&*fields[0].manager, fields[0].applied), ("gitops", true));
    let found = overlay.lookup(&map()).await.unwrap().unwrap();
    assert_eq!((found.managers, &found.object.value()["data"]), (vec!["gitops".to_owned()], &json!({"x": "1"})));
    assert_eq!(apply(&overlay, &data(&json!({"x": "2"})), true).await.unwrap().value()["data"]["x"], "2");
}

#[tokio::test]
async fn what_was_deleted_here_is_gone_also_for_views_that_start_later() {
    let (overlay, origin) = over(Documents::of(&[OWNED]));
    overlay.delete(&map(), "2", None).await.unwrap();
    overlay.watch(view(&map(), Scope::Owned, &[])).await.unwrap();
    assert_eq!(overlay.get(Scope::Owned, &map()).unwrap(), None);
    assert_eq!(overlay.lookup(&map()).await.unwrap().map(|found| found.object), None);
    assert_eq!(origin.objects.len(), 1);
}

#[tokio::test]
async fn an_object_of_a_file_replaces_the_one_below_and_keeps_its_uid() {
    let (overlay, _) = over(Documents::of(&[OWNED]));
    overlay.watch(view(&map(), Scope::All, &[])).await.unwrap();
    overlay
        .put(&document("{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: ns}, data: {k: '1'}}"))
        .await
        .unwrap();
    let object = overlay.get(Scope::All, &map()).unwrap().unwrap();
    assert_eq!((&*object.uid, &object.value()["data"]), ("2", &json!({"k": "1"})));
    let errors = overlay.put(&document("{apiVersion: x.y/v1, kind: Z, metadata: {name: z}}")).await.unwrap_err();
    assert!(errors[0].to_string().starts_with("a.yaml:1: "), "{}", errors[0]);
}

#[tokio::test]
async fn custom_kinds_are_those_of_the_origin_and_of_what_is_written_here() {
    let shop = Kind::new("example.com/v1", "Shop");
    let definitions = vec![document(CRD).value];
    let (overlay, _) = over(Documents { definitions, ..Documents::default() });
    assert!(overlay.facts(&shop).await.unwrap().namespaced);
    let (overlay, _) = over(Documents::default());
    assert_eq!(overlay.facts(&shop).await, Err(ReadError::NotServed(shop.clone())));
    apply(&overlay, &document(CRD).value, false).await.unwrap();
    assert_eq!(overlay.facts(&shop).await.unwrap().plural, "shops");
    let object = json!({"apiVersion": "example.com/v1", "kind": "Shop", "metadata": {"name": "s", "namespace": "ns"}});
    apply(&overlay, &object, false).await.unwrap();
}

#[tokio::test]
async fn a_kind_that_can_not_be_listed_is_not_empty() {
    let forbidden = Some(pod().kind);
    let (overlay, _) = over(Documents { forbidden, ..Documents::of(&[POD]) });
    let error = overlay.watch(view(&pod(), Scope::All, &[])).await.unwrap_err();
    assert!(matches!(error, ReadError::Forbidden { .. }));
    assert_eq!(overlay.list(Scope::All, &pod().kind, &Selection::default()).unwrap_err(), error);
}
