use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::channel::mpsc::{UnboundedSender, unbounded};
use mizzen_cluster::{Change, Changes, Owner, Ownership, OwnershipKeys, Selection};
use mizzen_model::{Kind, ObjectRef};
use serde_json::{Value, json};

use super::*;
use crate::fake::{FakeRequest, Log, Reply, event, link, list_end, next_change, refusal, thing, things};
use crate::subscribers::Subscribers;

/// A reflector on an API server that replies to watches and lists like this, and to discovery with
/// `Thing`.
struct Fixture {
    mirrors: Arc<Mirrors>,
    mirror: Arc<Mirror>,
    changes: Changes,
    _task: tokio::task::JoinSet<()>,
}

fn kind() -> Kind {
    Kind::new("mizzen.dev/v1", "Thing")
}

fn reflect(reply: impl Fn(FakeRequest) -> Reply + Send + Sync + 'static) -> Fixture {
    let link = link(move |request| match request.path.as_str() {
        "/apis/mizzen.dev/v1" => things(),
        "/apis/mizzen.dev/v1/things" => reply(request),
        _ => refusal(404, "not found"),
    });
    let subscribers = Arc::new(Subscribers::default());
    let changes = subscribers.subscribe();
    let discovery = Arc::new(Discovery::new(link.clone(), subscribers.clone()));
    let mirrors = Arc::<Mirrors>::default();
    let mirror = mirrors.find_or_make(&kind(), Scope::Owned, &subscribers);
    let start = mirror.want(&Fields::Whole).unwrap();
    let mut task = tokio::task::JoinSet::new();
    task.spawn(Reflector::new(link, discovery, mirrors.clone(), mirror.clone(), start).run());
    Fixture { mirrors, mirror, changes, _task: task }
}

impl Fixture {
    fn names(&self) -> Vec<String> {
        let all = self.mirror.list(&Selection::default()).unwrap();
        all.iter().map(|object| object.reference.name.to_string()).collect()
    }

    async fn next(&mut self) -> String {
        next_change(&mut self.changes).await
    }
}

/// A watch with these lines, open as long as the sender lives.
fn lines(lines: impl IntoIterator<Item = Value>) -> (UnboundedSender<Value>, Reply) {
    let (sender, receiver) = unbounded();
    lines.into_iter().for_each(|line| sender.unbounded_send(line).unwrap());
    (sender, Reply::Lines(receiver))
}

/// Keeps watches open in a test.
type Open = Mutex<Vec<UnboundedSender<Value>>>;

fn keep(open: &Open, (sender, reply): (UnboundedSender<Value>, Reply)) -> Reply {
    open.lock().push(sender);
    reply
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_is_requested_as_of_now_and_followed_by_a_watch() {
    let (log, open) = (Log::default(), Open::default());
    let seen = log.clone();
    let mut view = reflect(move |request| {
        seen.lock().push(request);
        keep(&open, lines([event("ADDED", thing("x", 3, 1)), list_end(5), event("ADDED", thing("y", 6, 1))]))
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!((view.next().await, view.next().await), ("+x".into(), "+y".into()));
    assert_eq!(view.names(), ["x", "y"]);
    let request = log.lock()[0].clone();
    assert_eq!(
        (request.parameter("sendInitialEvents"), request.parameter("resourceVersion")),
        (Some("true"), Some(""))
    );
    assert_eq!(request.parameter("labelSelector"), Some("mizzen.dev%2Freconciler"));
}

#[tokio::test(start_paused = true)]
async fn readers_see_an_owned_object_no_later_than_its_owner_and_never_its_deletion() {
    let sender = Arc::new(Mutex::new(None));
    let sends = sender.clone();
    let mut view = reflect(move |_| {
        let (lines, reply) = lines([list_end(5)]);
        *sends.lock() = Some(lines);
        reply
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    let readers = view.mirrors.find_or_make(&kind(), Scope::All, &Arc::default());
    let Start { generation, fields: size } = readers.want(&Fields::parse(["spec.size"]).unwrap()).unwrap();
    readers.replace(generation, &size, 5, Staged::new());
    let send = |line| sender.lock().as_ref().unwrap().unbounded_send(line).unwrap();
    send(event("ADDED", thing("x", 6, 1)));
    assert_eq!(view.next().await, "+x");
    let read = || readers.list(&Selection::default()).unwrap();
    assert!(read()[0].json().contains("\"size\":1") && !read()[0].json().contains("colour"), "{:?}", read());
    // Only its label may have been removed.
    send(event("DELETED", thing("x", 7, 1)));
    assert_eq!(view.next().await, "-x");
    assert_eq!(read().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_without_streaming_lists_is_listed_in_pages() {
    let open = Open::default();
    let mut view = reflect(move |request| match (request.is_watch(), request.parameter("continue")) {
        (true, _) if request.parameter("sendInitialEvents").is_some() => refusal(422, "sendInitialEvents is forbidden"),
        (true, _) => {
            assert_eq!(request.parameter("resourceVersion"), Some("9"));
            keep(&open, lines([event("DELETED", thing("x", 10, 1))]))
        }
        (false, None) => {
            let metadata = json!({"resourceVersion": "9", "continue": "more"});
            Reply::Json(200, json!({"metadata": metadata, "items": [thing("x", 3, 1)]}))
        }
        (false, Some(_)) => {
            Reply::Json(200, json!({"metadata": {"resourceVersion": "9"}, "items": [thing("y", 4, 1)]}))
        }
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!((view.next().await, view.next().await, view.next().await), ("+x".into(), "+y".into(), "-x".into()));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_resumed_from_its_last_revision() {
    let (log, open) = (Log::default(), Open::default());
    let seen = log.clone();
    let mut view = reflect(move |request| {
        let mut log = seen.lock();
        log.push(request);
        match log.len() {
            // Ends at once, as the sender is dropped.
            1 => lines([list_end(5), event("ADDED", thing("x", 6, 1))]).1,
            2 => Reply::Broken,
            _ => keep(&open, lines([event("MODIFIED", thing("x", 8, 2))])),
        }
    });
    assert_eq!((view.next().await, view.next().await), ("+x".into(), "~x".into()));
    let log = log.lock();
    assert_eq!(
        log.iter().map(|request| request.parameter("resourceVersion")).collect::<Vec<_>>(),
        [Some(""), Some("6"), Some("6")]
    );
    assert_eq!(log[2].parameter("sendInitialEvents"), None);
}

#[tokio::test(start_paused = true)]
async fn an_expired_revision_leads_to_a_new_list_of_which_the_differences_are_reported() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |request| {
        let mut log = log.lock();
        log.push(request);
        match log.len() {
            1 => lines([event("ADDED", thing("x", 3, 1)), event("ADDED", thing("y", 4, 1)), list_end(5)]).1,
            2 => lines([event("ERROR", json!({"kind": "Status", "code": 410, "reason": "Expired"}))]).1,
            _ => {
                assert_eq!(log.last().unwrap().parameter("sendInitialEvents"), Some("true"));
                keep(&open, lines([event("ADDED", thing("y", 4, 1)), event("ADDED", thing("z", 8, 1)), list_end(9)]))
            }
        }
    });
    assert_eq!((view.next().await, view.next().await), ("+x".into(), "+y".into()));
    let mut changes = [view.next().await, view.next().await];
    changes.sort();
    assert_eq!(changes, ["+z", "-x"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_list_is_discarded() {
    let (log, open) = (Log::default(), Open::default());
    let view = reflect(move |request| {
        let mut log = log.lock();
        log.push(request);
        match log.len() {
            1 => lines([event("ADDED", thing("x", 3, 1))]).1,
            _ => keep(&open, lines([event("ADDED", thing("y", 4, 1)), list_end(5)])),
        }
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!(view.names(), ["y"]);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_view_can_be_read_once_it_is_allowed() {
    let (allowed, open) = (Arc::new(AtomicBool::new(false)), Open::default());
    let rights = allowed.clone();
    let mut view = reflect(move |_| {
        if rights.load(Ordering::SeqCst) {
            keep(&open, lines([list_end(5)]))
        } else {
            refusal(403, "things is forbidden: User \"eve\" cannot list resource")
        }
    });
    let refused = view.mirror.ready(&Fields::Whole).await;
    assert!(matches!(refused, Err(ReadError::Forbidden { message, .. }) if message.contains("eve")));
    allowed.store(true, Ordering::SeqCst);
    assert_eq!(view.next().await, "served");
    assert_eq!(view.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_unavailable_at_first_is_retried() {
    let (up, open) = (Arc::new(AtomicBool::new(false)), Open::default());
    let running = up.clone();
    let mut view = reflect(move |_| {
        if running.load(Ordering::SeqCst) {
            keep(&open, lines([event("ADDED", thing("x", 3, 1)), list_end(5)]))
        } else {
            Reply::Broken
        }
    });
    let silent = view.mirror.ready(&Fields::Whole).await;
    assert!(matches!(silent, Err(ReadError::Unavailable { message, .. }) if message.contains("connection refused")));
    up.store(true, Ordering::SeqCst);
    assert_eq!((view.next().await, view.next().await), ("+x".into(), "served".into()));
}

#[tokio::test(start_paused = true)]
async fn a_view_that_was_allowed_survives_refusals_of_a_starting_api_server() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |request| {
        let mut log = log.lock();
        log.push(request);
        match log.len() {
            1 => lines([event("ADDED", thing("x", 3, 1)), list_end(5)]).1,
            2..=4 => refusal(403, "things is forbidden: User \"me\" cannot watch resource: RBAC is not loaded"),
            _ => keep(&open, lines([event("ADDED", thing("y", 6, 1))])),
        }
    });
    assert_eq!((view.next().await, view.next().await), ("+x".into(), "+y".into()));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_any_longer_is_not_read() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |request| {
        let mut log = log.lock();
        log.push(request);
        match log.len() {
            1 => lines([list_end(5)]).1,
            2..=9 => refusal(404, "the server could not find the requested resource"),
            _ => keep(&open, lines([event("ADDED", thing("x", 20, 1)), list_end(21)])),
        }
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!(view.next().await, "served");
    assert_eq!(view.mirror.list(&Selection::default()), Err(ReadError::NotServed(kind())));
    assert_eq!((view.next().await, view.next().await), ("+x".into(), "served".into()));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_replaced() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |request| {
        let mut log = log.lock();
        log.push(request);
        match log.len() {
            1 => keep(&open, lines([list_end(5)])),
            _ => keep(&open, lines([event("ADDED", thing("x", 6, 1))])),
        }
    });
    let Some(Change::Object { after: Some(object), .. }) = view.changes.recv().await else { panic!("no object") };
    assert_eq!(&*object.reference.name, "x");
}

#[tokio::test(start_paused = true)]
async fn of_an_object_whose_mark_does_not_fit_only_the_identity_is_kept() {
    let keys = OwnershipKeys::rehearsal();
    let marked = |name: &str, owned: &str| {
        let reference = ObjectRef::new(kind(), Some("a"), owned);
        let mark = keys.mark(Owner { reconciler: "r", label: "l" }, &reference, Ownership::Created);
        let mut thing = thing(name, 3, 1);
        thing["metadata"]["labels"]["mizzen.dev/owner"] = json!("l");
        thing["metadata"]["annotations"] = json!({"mizzen.dev/applied": format!("{mark}.0123")});
        thing
    };
    let (open, sender) = (Open::default(), Arc::new(Mutex::new(None)));
    let sends = sender.clone();
    let events = [event("ADDED", marked("own", "own")), event("ADDED", marked("copy", "own")), list_end(5)];
    let mut view = reflect(move |_| {
        let (lines, reply) = lines(events.clone());
        *sends.lock() = Some(lines.clone());
        keep(&open, (lines, reply))
    });
    view.mirrors.recognize_by(keys.clone());
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!((view.next().await, view.next().await), ("+copy".into(), "+own".into()));
    let all = view.mirror.list(&Selection::default()).unwrap();
    assert!(!all[0].json().contains("colour") && all[1].json().contains("colour"), "{all:?}");
    assert_eq!((&*all[0].uid, all[0].labels.get("mizzen.dev/owner")), ("uid-copy", Some("l")));
    let mut forged = marked("late", "own");
    forged["metadata"]["resourceVersion"] = json!("6");
    sender.lock().as_ref().unwrap().unbounded_send(event("ADDED", forged)).unwrap();
    assert_eq!(view.next().await, "+late");
    let late = &view.mirror.list(&Selection::default()).unwrap()[1];
    assert!(!late.json().contains("colour"), "{late:?}");
}
