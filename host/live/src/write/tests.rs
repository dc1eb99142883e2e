use parking_lot::Mutex;

use mizzen_cluster::ForeignField;

use super::*;
use crate::fake::{FakeRequest, Log, Reply, link, refusal, thing, things};
use crate::subscribers::Subscribers;

fn writer(reply: impl Fn(FakeRequest) -> Reply + Send + Sync + 'static) -> (Writer, Log) {
    let log = Log::default();
    let seen = log.clone();
    let link = link(move |request| {
        if request.path == "/apis/mizzen.dev/v1" {
            return things();
        }
        if request.path.contains("customresourcedefinitions") {
            return refusal(403, "no");
        }
        seen.lock().push(request.clone());
        reply(request)
    });
    let discovery = Arc::new(Discovery::new(link.clone(), Arc::new(Subscribers::default())));
    (Writer::new(link, discovery), log)
}

fn subject() -> ObjectRef {
    ObjectRef::new(Kind::new("mizzen.dev/v1", "Thing"), Some("a"), "x")
}

async fn apply(writer: &Writer, document: &Value, target: Target, force: bool) -> Result<Document, WriteError> {
    let apply = Apply { manager: "mizzen.dev/r", document, target, force };
    writer.apply(apply).await.map(|(_, document)| document)
}

#[tokio::test]
async fn an_apply_is_parsed_once_and_forces_only_on_request() {
    let (writer, log) = writer(|_| Reply::Json(200, thing("x", 5, 1)));
    let document = thing("x", 5, 1);
    apply(&writer, &document, Target::Object, false).await.unwrap();
    apply(&writer, &document, Target::Status, true).await.unwrap();
    let log = log.lock();
    assert_eq!((log[0].method.as_str(), log[0].path.as_str()), ("PATCH", "/apis/mizzen.dev/v1/namespaces/a/things/x"));
    assert_eq!(log[0].parameter("fieldValidation"), Some("Ignore"));
    assert_eq!((log[0].parameter("fieldManager"), log[0].parameter("force")), (Some("mizzen.dev%2Fr"), None));
    assert_eq!(log[0].body, document);
    assert!(log[1].path.ends_with("/things/x/status"));
    assert_eq!(log[1].parameter("force"), Some("true"));
}

#[tokio::test]
async fn a_conflict_is_returned_with_both_field_managers() {
    let (writer, _) = writer(|_| {
        let causes =
            json!([{"reason": "FieldManagerConflict", "field": ".spec.size", "message": "conflict with \"other\""}]);
        Reply::Json(409, json!({"kind": "Status", "code": 409, "reason": "Conflict", "details": {"causes": causes}}))
    });
    let error = apply(&writer, &thing("x", 5, 1), Target::Object, false).await.unwrap_err();
    let fields = vec![ForeignField { field: ".spec.size".into(), manager: "other".into(), applied: true }];
    assert_eq!(error, WriteError::Conflict { object: "Thing a/x".into(), manager: "mizzen.dev/r".into(), fields });
}

#[tokio::test]
async fn a_document_with_a_wrong_namespace_or_name_is_never_sent() {
    let (writer, log) = writer(|_| Reply::Broken);
    let mut document = thing("x", 5, 1);
    document["metadata"]["namespace"] = Value::Null;
    let error = apply(&writer, &document, Target::Object, false).await.unwrap_err();
    assert!(matches!(error, WriteError::Invalid { message, .. } if message.contains("namespace")));
    document["metadata"]["name"] = Value::Null;
    let error = apply(&writer, &document, Target::Object, false).await.unwrap_err();
    assert!(matches!(error, WriteError::Invalid { message, .. } if message.contains("metadata.name")));
    assert!(log.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_write_to_a_busy_api_server_is_sent_again_after_the_delay_it_names() {
    let (writer, log) = writer(|_| {
        Reply::Json(429, json!({"kind": "Status", "code": 429, "message": "busy", "details": {"retryAfterSeconds": 2}}))
    });
    let begun = tokio::time::Instant::now();
    let error = apply(&writer, &thing("x", 5, 1), Target::Object, false).await.unwrap_err();
    assert!(matches!(error, WriteError::Temporary { .. }));
    assert_eq!(log.lock().len(), 4);
    assert_eq!(begun.elapsed().as_secs(), 6);
}

#[tokio::test]
async fn a_deletion_is_of_one_uid_and_succeeds_if_the_object_is_gone() {
    let (writer, log) = writer(|_| refusal(404, "things \"x\" not found"));
    writer.delete(&subject(), "u1", None).await.unwrap();
    let log = log.lock();
    assert_eq!((log[0].method.as_str(), &log[0].body["preconditions"]["uid"]), ("DELETE", &json!("u1")));
    assert_eq!(log[0].body["propagationPolicy"], "Background");
}

#[tokio::test]
async fn a_deletion_of_another_object_with_the_same_name_is_stale() {
    let (writer, _) = writer(|_| refusal(409, "the UID in the precondition does not match"));
    assert!(matches!(writer.delete(&subject(), "u1", None).await, Err(WriteError::Stale { .. })));
}

#[tokio::test]
async fn a_finalizer_is_added_under_a_field_manager_of_its_own() {
    let (writer, log) = writer(|_| Reply::Json(200, thing("x", 5, 1)));
    writer.add_finalizer(&subject(), "uid-x", "mizzen.dev/r").await.unwrap();
    let log = log.lock();
    assert_eq!(log[0].parameter("fieldManager"), Some("mizzen.dev%2Fr.finalizer"));
    assert_eq!(log[0].body["metadata"]["uid"], "uid-x");
    assert_eq!(log[0].body["metadata"]["finalizers"], json!(["mizzen.dev/r"]));
}

#[tokio::test]
async fn a_finalizer_that_is_added_concurrently_is_not_removed() {
    let finalizers = Mutex::new((5, vec!["mizzen.dev/r"]));
    let (writer, log) = writer(move |request| {
        let mut current = finalizers.lock();
        let mut object = thing("x", current.0, 1);
        object["metadata"]["finalizers"] = json!(current.1);
        if request.method == "GET" {
            // Another client is faster, once.
            if current.0 == 5 {
                *current = (6, vec!["other", "mizzen.dev/r"]);
            }
            return Reply::Json(200, object);
        }
        if request.body["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return refusal(409, "the object has been modified");
        }
        Reply::Json(200, object)
    });
    assert!(writer.remove_finalizer(&subject(), "uid-x", "mizzen.dev/r").await.unwrap().is_some());
    let patches: Vec<_> =
        log.lock().iter().filter(|request| request.method == "PATCH").map(|request| request.body.clone()).collect();
    assert_eq!(patches[1], json!({"metadata": {"finalizers": ["other"], "resourceVersion": "6"}}));
}

#[tokio::test]
async fn removing_the_finalizer_of_an_object_that_is_gone_succeeds() {
    let (writer, log) = writer(|_| Reply::Json(200, thing("x", 5, 1)));
    assert!(writer.remove_finalizer(&subject(), "another-uid", "mizzen.dev/r").await.unwrap().is_none());
    assert!(log.lock().iter().all(|request| request.method == "GET"), "another object is left alone");
}
