//! The cluster trait on a real API server, which confirms the assumptions of its unit tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mizzen_cluster::{
    Apply, Change, Changes, Cluster, EventRecord, ReadError, Scope, Selection, Target, View, WriteError,
};
use mizzen_e2e::{TestGroup, namespace};
use mizzen_live::{Live, LiveOptions};
use mizzen_model::{Fields, Kind, Object, ObjectRef, Severity};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// One control plane for all tests that do not stop it; each works in a namespace of its own.
static SHARED: OnceCell<Option<ControlPlane>> = OnceCell::const_new();

const MANAGER: &str = "mizzen.dev/test";

/// Longer than any change here takes.
const TIMEOUT: Duration = Duration::from_secs(30);

async fn shared() -> Option<&'static ControlPlane> {
    let start = || ControlPlane::builder().mesh_crds().user("eve", &[]).start_for_test();
    SHARED.get_or_init(start).await.as_ref()
}

async fn connect(cluster: &ControlPlane) -> Live {
    connect_as(cluster.kubeconfig_path()).await
}

async fn connect_as(kubeconfig: std::path::PathBuf) -> Live {
    Live::connect(&LiveOptions { kubeconfig: Some(kubeconfig), context: None }).await.unwrap()
}

fn config_map() -> Kind {
    Kind::new("v1", "ConfigMap")
}

fn virtual_service() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

fn settings(namespace: &str, name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
           "metadata": {"name": name, "namespace": namespace, "labels": {"mizzen.dev/reconciler": "test"}}})
}

fn route(namespace: &str, host: &str) -> Value {
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
           "metadata": {"name": "cart", "namespace": namespace},
           "spec": {"hosts": [host], "http": [{"route": [{"destination": {"host": "cart"}}]}]}})
}

async fn apply(live: &Live, manager: &str, document: &Value) -> Result<Arc<Object>, WriteError> {
    live.apply(Apply { manager, document, target: Target::Object, force: false }).await
}

fn view(kind: Kind, scope: Scope, paths: &[&str]) -> View {
    View { kind, scope, fields: Fields::parse(paths).unwrap() }
}

fn names(objects: &[Arc<Object>]) -> Vec<&str> {
    objects.iter().map(|object| &*object.reference.name).collect()
}

/// Waits for the next change in a namespace, and returns it as `+name`, `~name` or `-name`.
async fn next_change(changes: &mut Changes, namespace: &str) -> String {
    let find = async {
        loop {
            if let Change::Object { before, after, .. } = changes.recv().await.unwrap() {
                let object = after.as_ref().or(before.as_ref()).unwrap();
                if object.reference.namespace.as_deref() == Some(namespace) {
                    let sign = if before.is_none() {
                        '+'
                    } else if after.is_none() {
                        '-'
                    } else {
                        '~'
                    };
                    return format!("{sign}{}", object.reference.name);
                }
            }
        }
    };
    tokio::time::timeout(TIMEOUT, find).await.expect("there is a change")
}

/// Waits until it changes whether the API server serves a kind.
async fn served(changes: &mut Changes, kind: &Kind) {
    let find = async { while !matches!(changes.recv().await.unwrap(), Change::Served(served) if served == *kind) {} };
    tokio::time::timeout(TIMEOUT, find).await.expect("discovery of the kind changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_holds_its_fields_and_reports_changes_of_them_only() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "reads").await;
    let live = connect(cluster).await;
    apply(&live, MANAGER, &settings("reads", "old", &json!({"a": "1", "b": "1"}))).await.unwrap();
    live.watch(view(config_map(), Scope::All, &["data.a"])).await.unwrap();
    let mut changes = live.subscribe();

    let all = live.list(Scope::All, &config_map(), &Selection::within("reads")).unwrap();
    assert_eq!(names(&all), ["old"]);
    assert_eq!(all[0].value()["data"], json!({"a": "1"}));

    // Another client writes: only the watch can report it.
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: reads}\ndata: {a: '1', b: '1'}\n";
    cluster.apply_yaml(other).await.unwrap();
    assert_eq!(next_change(&mut changes, "reads").await, "+new");
    cluster.apply_yaml(&other.replace("b: '1'", "b: '2'")).await.unwrap();
    cluster.apply_yaml(&other.replace("a: '1'", "a: '2'")).await.unwrap();
    assert_eq!(next_change(&mut changes, "reads").await, "~new");
    let new = ObjectRef::new(config_map(), Some("reads"), "new");
    let seen = live.get(Scope::All, &new).unwrap().unwrap();
    assert_eq!(seen.value()["data"], json!({"a": "2"}), "the change of b was not reported");
    live.delete(&new, &seen.uid, None).await.unwrap();
    assert_eq!(next_change(&mut changes, "reads").await, "-new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_view_replaces_a_narrower_one() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "wide").await;
    let live = connect(cluster).await;
    apply(&live, MANAGER, &settings("wide", "x", &json!({"a": "1", "b": "1"}))).await.unwrap();
    live.watch(view(config_map(), Scope::Owned, &["data.a"])).await.unwrap();
    let mut changes = live.subscribe();
    live.watch(view(config_map(), Scope::Owned, &["data.b"])).await.unwrap();
    let all = live.list(Scope::Owned, &config_map(), &Selection::within("wide")).unwrap();
    assert_eq!(all[0].value()["data"], json!({"a": "1", "b": "1"}));
    apply(&live, MANAGER, &settings("wide", "y", &json!({}))).await.unwrap();
    assert_eq!(next_change(&mut changes, "wide").await, "+y", "no change of x is reported");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_visible_to_the_next_read() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "writes").await;
    let live = connect(cluster).await;
    live.watch(view(config_map(), Scope::Owned, &["data"])).await.unwrap();
    for round in 0..50 {
        let written =
            apply(&live, MANAGER, &settings("writes", "x", &json!({"round": round.to_string()}))).await.unwrap();
        let read = live.get(Scope::Owned, &written.reference).unwrap().unwrap();
        assert_eq!(read.value()["data"]["round"], round.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_the_same_document_again_changes_and_reports_nothing() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "again").await;
    let live = connect(cluster).await;
    live.watch(view(virtual_service(), Scope::All, &["spec"])).await.unwrap();
    let mut changes = live.subscribe();
    let first = apply(&live, MANAGER, &route("again", "a.example")).await.unwrap();
    let second = apply(&live, MANAGER, &route("again", "a.example")).await.unwrap();
    assert_eq!(first.resource_version, second.resource_version);
    apply(&live, MANAGER, &route("again", "b.example")).await.unwrap();
    assert_eq!(next_change(&mut changes, "again").await, "+cart");
    assert_eq!(next_change(&mut changes, "again").await, "~cart");
    let read = live.get(Scope::All, &first.reference).unwrap().unwrap();
    assert_eq!(read.value()["spec"]["hosts"], json!(["b.example"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_names_both_managers_and_distinguishes_applies_from_edits() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "conflict").await;
    let live = connect(cluster).await;
    apply(&live, "first", &route("conflict", "a.example")).await.unwrap();
    let error = apply(&live, "second", &route("conflict", "b.example")).await.unwrap_err();
    let WriteError::Conflict { manager, fields, .. } = &error else { panic!("{error}") };
    assert_eq!(manager, "second");
    assert_eq!(
        fields.iter().map(|f| (&*f.field, &*f.manager, f.applied)).collect::<Vec<_>>(),
        [(".spec.hosts", "first", true)]
    );

    let resource = kube::api::ApiResource {
        group: "networking.istio.io".into(),
        version: "v1".into(),
        api_version: "networking.istio.io/v1".into(),
        kind: "VirtualService".into(),
        plural: "virtualservices".into(),
    };
    let routes: kube::Api<kube::api::DynamicObject> =
        kube::Api::namespaced_with(cluster.client().unwrap(), "conflict", &resource);
    let edit = kube::api::PatchParams { field_manager: Some("kubectl-edit".into()), ..Default::default() };
    let hosts = kube::api::Patch::Merge(json!({"spec": {"hosts": ["c.example"]}}));
    routes.patch("cart", &edit, &hosts).await.unwrap();
    let error = apply(&live, "first", &route("conflict", "a.example")).await.unwrap_err();
    let WriteError::Conflict { fields, .. } = &error else { panic!("{error}") };
    assert_eq!(fields.iter().map(|f| (&*f.manager, f.applied)).collect::<Vec<_>>(), [("kubectl-edit", false)]);

    let document = route("conflict", "a.example");
    live.apply(Apply { manager: "first", document: &document, target: Target::Object, force: true }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_api_server_is_classified_by_its_remedy() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "refusals").await;
    let live = connect(cluster).await;
    let mut unknown_field = settings("refusals", "x", &json!({}));
    unknown_field["spec"] = json!({"x": 1});
    let error = apply(&live, MANAGER, &unknown_field).await.unwrap_err();
    assert!(matches!(&error, WriteError::Invalid { message, .. } if message.contains("spec")), "{error}");

    let mut unknown_field = route("refusals", "a.example");
    unknown_field["spec"]["colour"] = "red".into();
    let error = apply(&live, MANAGER, &unknown_field).await.unwrap_err();
    assert!(matches!(&error, WriteError::Invalid { message, .. } if message.contains("colour")), "{error}");

    let mut wrong_type = route("refusals", "a.example");
    wrong_type["spec"]["hosts"] = "a.example".into();
    let error = apply(&live, MANAGER, &wrong_type).await.unwrap_err();
    assert!(matches!(error, WriteError::Invalid { .. }), "{error}");

    let error = apply(&live, MANAGER, &settings("nowhere", "x", &json!({}))).await.unwrap_err();
    assert!(matches!(&error, WriteError::NotFound { message, .. } if message.contains("nowhere")), "{error}");

    let error =
        apply(&live, MANAGER, &json!({"apiVersion": "no.such/v1", "kind": "Thing", "metadata": {"name": "x"}})).await;
    assert!(matches!(&error, Err(WriteError::NotFound { message, .. }) if message.contains("CRD")), "{error:?}");

    let mut never_created = settings("refusals", "x", &json!({}));
    never_created["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555".into();
    let error = apply(&live, MANAGER, &never_created).await.unwrap_err();
    assert!(matches!(error, WriteError::Stale { .. }), "{error}");

    // There is no controller that ends it, so it stays terminating.
    namespace(cluster, "terminating").await;
    let kind = Kind::new("v1", "Namespace");
    live.watch(view(kind.clone(), Scope::All, &[])).await.unwrap();
    let terminating = live.get(Scope::All, &ObjectRef::new(kind, None, "terminating")).unwrap().unwrap();
    live.delete(&terminating.reference, &terminating.uid, None).await.unwrap();
    let error = apply(&live, MANAGER, &settings("terminating", "x", &json!({}))).await.unwrap_err();
    assert!(matches!(error, WriteError::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_object_with_the_given_uid_is_deleted() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "deletions").await;
    let live = connect(cluster).await;
    let object = apply(&live, MANAGER, &settings("deletions", "x", &json!({}))).await.unwrap();
    let error = live.delete(&object.reference, "11111111-2222-3333-4444-555555555555", None).await.unwrap_err();
    assert!(matches!(error, WriteError::Stale { .. }), "{error}");
    live.delete(&object.reference, &object.uid, None).await.unwrap();
    live.delete(&object.reference, &object.uid, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn finalizers_are_added_and_removed_without_touching_foreign_ones() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "finalizers").await;
    let live = connect(cluster).await;
    live.watch(view(config_map(), Scope::All, &["metadata.finalizers"])).await.unwrap();
    let mut document = settings("finalizers", "x", &json!({}));
    document["metadata"]["finalizers"] = json!(["example.com/other"]);
    let object = apply(&live, "another-manager", &document).await.unwrap();
    let finalizers = || {
        let read = live.get(Scope::All, &object.reference).unwrap();
        read.map(|read| read.value()["metadata"]["finalizers"].clone())
    };

    live.add_finalizer(&object.reference, &object.uid, "mizzen.dev/a").await.unwrap();
    live.add_finalizer(&object.reference, &object.uid, "mizzen.dev/b").await.unwrap();
    live.add_finalizer(&object.reference, &object.uid, "mizzen.dev/b").await.unwrap();
    assert_eq!(finalizers(), Some(json!(["example.com/other", "mizzen.dev/a", "mizzen.dev/b"])));

    live.remove_finalizer(&object.reference, &object.uid, "example.com/other").await.unwrap();
    live.delete(&object.reference, &object.uid, None).await.unwrap();
    live.remove_finalizer(&object.reference, &object.uid, "mizzen.dev/b").await.unwrap();
    assert_eq!(finalizers(), Some(json!(["mizzen.dev/a"])));
    let mut changes = live.subscribe();
    live.remove_finalizer(&object.reference, &object.uid, "mizzen.dev/a").await.unwrap();
    while next_change(&mut changes, "finalizers").await != "-x" {}
    live.remove_finalizer(&object.reference, &object.uid, "mizzen.dev/a").await.unwrap();
    let error = live.add_finalizer(&object.reference, &object.uid, "mizzen.dev/a").await.unwrap_err();
    assert!(matches!(error, WriteError::Stale { .. } | WriteError::NotFound { .. }), "{error}");
}

const GADGETS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.live.mizzen.dev}
spec:
  group: live.mizzen.dev
  names: {kind: Gadget, listKind: GadgetList, plural: gadgets, singular: gadget}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
          status:
            type: object
            properties:
              conditions:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [type]
                items:
                  type: object
                  required: [type]
                  properties: {type: {type: string}, status: {type: string}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_served_as_long_as_its_crd_exists() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "gadgets").await;
    let live = connect(cluster).await;
    let gadget = Kind::new("live.mizzen.dev/v1", "Gadget");
    let mut changes = live.subscribe();
    assert_eq!(live.facts(&gadget).await, Err(ReadError::NotServed(gadget.clone())));
    let wanted = View { kind: gadget.clone(), scope: Scope::All, fields: Fields::Whole };
    assert_eq!(live.watch(wanted.clone()).await, Err(ReadError::NotServed(gadget.clone())));

    cluster.apply_yaml(GADGETS).await.unwrap();
    served(&mut changes, &gadget).await;
    let facts = live.facts(&gadget).await.unwrap();
    assert_eq!(
        (facts.plural.as_str(), facts.namespaced, facts.status_subresource, facts.conditions_by_type),
        ("gadgets", true, true, true)
    );
    cluster
        .apply_yaml(
            "apiVersion: live.mizzen.dev/v1\nkind: Gadget\nmetadata: {name: x, namespace: gadgets}\nspec: {size: 1}\n",
        )
        .await
        .unwrap();
    assert_eq!(next_change(&mut changes, "gadgets").await, "+x", "the view is filled without another call");

    let x = live.get(Scope::All, &ObjectRef::new(gadget.clone(), Some("gadgets"), "x")).unwrap().unwrap();
    for (manager, condition) in [("mizzen.dev/a", "A"), ("mizzen.dev/b", "B")] {
        let document = json!({"apiVersion": "live.mizzen.dev/v1", "kind": "Gadget",
            "metadata": {"name": "x", "namespace": "gadgets", "uid": &*x.uid},
            "status": {"conditions": [{"type": condition, "status": "True"}]}});
        let applied =
            live.apply(Apply { manager, document: &document, target: Target::Status, force: false }).await.unwrap();
        assert_eq!(applied.generation, x.generation, "a status does not touch the generation");
    }
    let read = live.get(Scope::All, &x.reference).unwrap().unwrap();
    let conditions = json!([{"type": "A", "status": "True"}, {"type": "B", "status": "True"}]);
    assert_eq!(read.value()["status"]["conditions"], conditions, "the conditions of two managers are both kept");

    let crd = Kind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    live.watch(view(crd.clone(), Scope::All, &[])).await.unwrap();
    let crd = live.get(Scope::All, &ObjectRef::new(crd, None, "gadgets.live.mizzen.dev")).unwrap().unwrap();
    live.delete(&crd.reference, &crd.uid, None).await.unwrap();
    let gone = async {
        while live.list(Scope::All, &gadget, &Selection::default()) != Err(ReadError::NotServed(gadget.clone())) {
            served(&mut changes, &gadget).await;
        }
    };
    tokio::time::timeout(TIMEOUT, gone).await.expect("the kind is not served");
    assert_eq!(live.facts(&gadget).await, Err(ReadError::NotServed(gadget.clone())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forbidden_read_is_reported_and_works_once_it_is_allowed() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "rights").await;
    let live = connect_as(cluster.user_kubeconfig("eve").unwrap()).await;
    let mut changes = live.subscribe();
    let service = Kind::new("v1", "Service");
    let error = live.watch(view(service.clone(), Scope::All, &["spec"])).await.unwrap_err();
    assert!(matches!(&error, ReadError::Forbidden { message, .. } if message.contains("eve")), "{error}");
    assert_eq!(live.list(Scope::All, &service, &Selection::default()), Err(error));
    let error = apply(&live, MANAGER, &settings("rights", "x", &json!({}))).await.unwrap_err();
    assert!(matches!(error, WriteError::Forbidden { .. }), "{error}");

    let role = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: eve-reads}
rules: [{apiGroups: [''], resources: [services], verbs: [list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: eve-reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: eve-reads}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: eve}]
";
    cluster.apply_yaml(role).await.unwrap();
    served(&mut changes, &service).await;
    let services = live.list(Scope::All, &service, &Selection::within("default")).unwrap();
    assert_eq!(names(&services), ["kubernetes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_published_and_its_repeat_is_counted() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = shared().await else { return };
    namespace(cluster, "events").await;
    let live = connect(cluster).await;
    let event = Kind::new("events.k8s.io/v1", "Event");
    live.watch(view(event.clone(), Scope::All, &["reason", "note", "reportingController", "series.count"]))
        .await
        .unwrap();
    let mut changes = live.subscribe();
    let record = EventRecord {
        reporter: "mizzen.dev/mtls".into(),
        regarding: ObjectRef::new(config_map(), Some("events"), "x"),
        regarding_uid: "u".into(),
        severity: Severity::Warning,
        reason: "Refused".into(),
        action: "Reconcile".into(),
        note: "n".repeat(5000),
    };
    live.publish(record.clone()).await.unwrap();
    live.publish(record).await.unwrap();
    assert!(next_change(&mut changes, "events").await.starts_with("+x."));
    assert!(next_change(&mut changes, "events").await.starts_with("~x."));
    let events = live.list(Scope::All, &event, &Selection::within("events")).unwrap();
    let value = events[0].value();
    assert_eq!(
        (events.len(), &value["reportingController"], &value["series"]["count"]),
        (1, &json!("mizzen.dev/mtls"), &json!(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn views_outlive_an_outage_of_the_api_server() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = ControlPlane::for_test().await else { return };
    namespace(&cluster, "outage").await;
    let live = connect(&cluster).await;
    live.watch(view(config_map(), Scope::All, &["data"])).await.unwrap();
    live.watch(view(virtual_service(), Scope::Owned, &["spec"])).await.unwrap();
    let mut changes = live.subscribe();
    apply(&live, MANAGER, &settings("outage", "before", &json!({"a": "1"}))).await.unwrap();
    assert_eq!(next_change(&mut changes, "outage").await, "+before");

    cluster.stop_apiserver();
    let error = apply(&live, MANAGER, &settings("outage", "during", &json!({}))).await.unwrap_err();
    assert!(matches!(error, WriteError::Unavailable { .. }), "{error}");
    assert!(live.ready().await.is_err());
    // Long enough for every backoff to have grown to its bound.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let read = live.list(Scope::All, &config_map(), &Selection::within("outage")).unwrap();
    assert_eq!(names(&read), ["before"], "reads still work");

    cluster.start_apiserver().await.unwrap();
    let back = Instant::now();
    cluster
        .apply_yaml("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after, namespace: outage}\ndata: {a: '1'}\n")
        .await
        .unwrap();
    assert_eq!(next_change(&mut changes, "outage").await, "+after", "no other change was reported");
    assert!(back.elapsed() < Duration::from_secs(3), "it took {:?}", back.elapsed());
    live.ready().await.unwrap();
    apply(&live, MANAGER, &route("outage", "a.example")).await.unwrap();
}
