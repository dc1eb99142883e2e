use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::channel::mpsc::{UnboundedSender, unbounded};
use mizzen_cluster::{Change, Changes, Selection};
use mizzen_model::Kind;
use serde_json::{Value, json};

use super::*;
use crate::fake::{Answer, Asked, Log, event, link, list_end, refusal, thing, things, told};
use crate::subscribers::Subscribers;

/// A reflector on an API server that answers watches and lists like this, and discovery with `Thing`.
struct Fixture {
    mirrors: Arc<Mirrors>,
    mirror: Arc<Mirror>,
    changes: Changes,
    _task: tokio::task::JoinSet<()>,
}

fn kind() -> Kind {
    Kind::new("mizzen.dev/v1", "Thing")
}

fn reflect(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> Fixture {
    let link = link(move |asked| match asked.path.as_str() {
        "/apis/mizzen.dev/v1" => things(),
        "/apis/mizzen.dev/v1/things" => answer(asked),
        _ => refusal(404, "not found"),
    });
    let subscribers = Arc::new(Subscribers::default());
    let changes = subscribers.subscribe();
    let discovery = Arc::new(Discovery::new(link.clone(), subscribers.clone()));
    let mirrors = Arc::<Mirrors>::default();
    let mirror = mirrors.find_or_make(&kind(), Scope::Owned, &subscribers);
    let begun = mirror.want(&Fields::Whole).unwrap();
    let mut task = tokio::task::JoinSet::new();
    task.spawn(Reflector::new(link, discovery, mirrors.clone(), mirror.clone(), begun).run());
    Fixture { mirrors, mirror, changes, _task: task }
}

impl Fixture {
    fn names(&self) -> Vec<String> {
        let all = self.mirror.list(&Selection::default()).unwrap();
        all.iter().map(|object| object.reference.name.to_string()).collect()
    }

    async fn told(&mut self) -> String {
        told(&mut self.changes).await
    }
}

/// A watch that says these lines, and goes on as long as the sender lives.
fn lines(lines: impl IntoIterator<Item = Value>) -> (UnboundedSender<Value>, Answer) {
    let (sender, receiver) = unbounded();
    lines.into_iter().for_each(|line| sender.unbounded_send(line).unwrap());
    (sender, Answer::Lines(receiver))
}

/// What keeps watches open in a test.
type Open = Mutex<Vec<UnboundedSender<Value>>>;

fn keep(open: &Open, (sender, answer): (UnboundedSender<Value>, Answer)) -> Answer {
    open.lock().unwrap().push(sender);
    answer
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_is_asked_for_as_of_now_and_followed() {
    let (log, open) = (Log::default(), Open::default());
    let seen = log.clone();
    let mut view = reflect(move |asked| {
        seen.lock().unwrap().push(asked);
        keep(&open, lines([event("ADDED", thing("x", 3, 1)), list_end(5), event("ADDED", thing("y", 6, 1))]))
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!((view.told().await, view.told().await), ("+x".into(), "+y".into()));
    assert_eq!(view.names(), ["x", "y"]);
    let asked = log.lock().unwrap()[0].clone();
    assert_eq!((asked.parameter("sendInitialEvents"), asked.parameter("resourceVersion")), (Some("true"), Some("")));
    assert_eq!(asked.parameter("labelSelector"), Some("mizzen.dev%2Freconciler"));
}

#[tokio::test(start_paused = true)]
async fn readers_see_no_later_than_its_owner_what_is_owned_and_are_not_told_that_it_is_gone() {
    let sender = Arc::new(Mutex::new(None));
    let sends = sender.clone();
    let mut view = reflect(move |_| {
        let (lines, answer) = lines([list_end(5)]);
        *sends.lock().unwrap() = Some(lines);
        answer
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    let readers = view.mirrors.find_or_make(&kind(), Scope::All, &Arc::default());
    let (generation, size) = readers.want(&Fields::parse(["spec.size"]).unwrap()).unwrap();
    readers.adopt(generation, &size, 5, Staged::new());
    let send = |line| sender.lock().unwrap().as_ref().unwrap().unbounded_send(line).unwrap();
    send(event("ADDED", thing("x", 6, 1)));
    assert_eq!(view.told().await, "+x");
    let read = || readers.list(&Selection::default()).unwrap();
    assert!(read()[0].json().contains("\"size\":1") && !read()[0].json().contains("colour"), "{:?}", read());
    // Its label may have gone, and not the object.
    send(event("DELETED", thing("x", 7, 1)));
    assert_eq!(view.told().await, "-x");
    assert_eq!(read().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_without_streaming_lists_is_listed_in_pages() {
    let open = Open::default();
    let mut view = reflect(move |asked| match (asked.is_watch(), asked.parameter("continue")) {
        (true, _) if asked.parameter("sendInitialEvents").is_some() => refusal(422, "sendInitialEvents is forbidden"),
        (true, _) => {
            assert_eq!(asked.parameter("resourceVersion"), Some("9"));
            keep(&open, lines([event("DELETED", thing("x", 10, 1))]))
        }
        (false, None) => {
            let metadata = json!({"resourceVersion": "9", "continue": "more"});
            Answer::Json(200, json!({"metadata": metadata, "items": [thing("x", 3, 1)]}))
        }
        (false, Some(_)) => {
            Answer::Json(200, json!({"metadata": {"resourceVersion": "9"}, "items": [thing("y", 4, 1)]}))
        }
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!((view.told().await, view.told().await, view.told().await), ("+x".into(), "+y".into(), "-x".into()));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_is_resumed_where_it_was() {
    let (log, open) = (Log::default(), Open::default());
    let seen = log.clone();
    let mut view = reflect(move |asked| {
        let mut log = seen.lock().unwrap();
        log.push(asked);
        match log.len() {
            // Ends at once, as nobody keeps the sender.
            1 => lines([list_end(5), event("ADDED", thing("x", 6, 1))]).1,
            2 => Answer::Broken,
            _ => keep(&open, lines([event("MODIFIED", thing("x", 8, 2))])),
        }
    });
    assert_eq!((view.told().await, view.told().await), ("+x".into(), "~x".into()));
    let log = log.lock().unwrap();
    assert_eq!(
        log.iter().map(|asked| asked.parameter("resourceVersion")).collect::<Vec<_>>(),
        [Some(""), Some("6"), Some("6")]
    );
    assert_eq!(log[2].parameter("sendInitialEvents"), None);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_expired_leads_to_a_new_list_and_its_differences() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |asked| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        match log.len() {
            1 => lines([event("ADDED", thing("x", 3, 1)), event("ADDED", thing("y", 4, 1)), list_end(5)]).1,
            2 => lines([event("ERROR", json!({"kind": "Status", "code": 410, "reason": "Expired"}))]).1,
            _ => {
                assert_eq!(log.last().unwrap().parameter("sendInitialEvents"), Some("true"));
                keep(&open, lines([event("ADDED", thing("y", 4, 1)), event("ADDED", thing("z", 8, 1)), list_end(9)]))
            }
        }
    });
    assert_eq!((view.told().await, view.told().await), ("+x".into(), "+y".into()));
    let mut told = [view.told().await, view.told().await];
    told.sort();
    assert_eq!(told, ["+z", "-x"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_is_not_believed() {
    let (log, open) = (Log::default(), Open::default());
    let view = reflect(move |asked| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        match log.len() {
            1 => lines([event("ADDED", thing("x", 3, 1))]).1,
            _ => keep(&open, lines([event("ADDED", thing("y", 4, 1)), list_end(5)])),
        }
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!(view.names(), ["y"]);
}

#[tokio::test(start_paused = true)]
async fn a_view_that_is_forbidden_comes_to_life_when_it_is_allowed() {
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
    assert_eq!(view.told().await, "served");
    assert_eq!(view.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_at_first_is_waited_for() {
    let (up, open) = (Arc::new(AtomicBool::new(false)), Open::default());
    let running = up.clone();
    let mut view = reflect(move |_| {
        if running.load(Ordering::SeqCst) {
            keep(&open, lines([event("ADDED", thing("x", 3, 1)), list_end(5)]))
        } else {
            Answer::Broken
        }
    });
    let silent = view.mirror.ready(&Fields::Whole).await;
    assert!(matches!(silent, Err(ReadError::Unavailable { message, .. }) if message.contains("connection refused")));
    up.store(true, Ordering::SeqCst);
    assert_eq!((view.told().await, view.told().await), ("+x".into(), "served".into()));
}

#[tokio::test(start_paused = true)]
async fn a_view_that_was_allowed_is_not_lost_to_an_api_server_that_is_starting() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |asked| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        match log.len() {
            1 => lines([event("ADDED", thing("x", 3, 1)), list_end(5)]).1,
            2..=4 => refusal(403, "things is forbidden: User \"me\" cannot watch resource: RBAC is not loaded"),
            _ => keep(&open, lines([event("ADDED", thing("y", 6, 1))])),
        }
    });
    assert_eq!((view.told().await, view.told().await), ("+x".into(), "+y".into()));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_no_longer_served_is_not_read() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |asked| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        match log.len() {
            1 => lines([list_end(5)]).1,
            2..=9 => refusal(404, "the server could not find the requested resource"),
            _ => keep(&open, lines([event("ADDED", thing("x", 20, 1)), list_end(21)])),
        }
    });
    view.mirror.ready(&Fields::Whole).await.unwrap();
    assert_eq!(view.told().await, "served");
    assert_eq!(view.mirror.list(&Selection::default()), Err(ReadError::NotServed(kind())));
    assert_eq!((view.told().await, view.told().await), ("+x".into(), "served".into()));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_lost_in_silence_is_given_up() {
    let (log, open) = (Log::default(), Open::default());
    let mut view = reflect(move |asked| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        match log.len() {
            1 => keep(&open, lines([list_end(5)])),
            _ => keep(&open, lines([event("ADDED", thing("x", 6, 1))])),
        }
    });
    let Some(Change::Object { after: Some(object), .. }) = view.changes.recv().await else { panic!("no object") };
    assert_eq!(&*object.reference.name, "x");
}
