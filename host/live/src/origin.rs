//! The cluster as an [`Overlay`](mizzen_cluster::Overlay) reads it: whole documents, by requests of their own. Nothing
//! is watched and nothing written.

use std::time::Duration;

use async_trait::async_trait;
use kube::api::ListParams;
use mizzen_cluster::{Cluster, KindFacts, Origin, RECONCILER_LABEL, ReadError, Scope};
use mizzen_model::{Kind, ObjectRef};
use serde::Deserialize;
use serde_json::Value;

use crate::Live;
use crate::discovery::Discovery;
use crate::discovery::conditions::{definition_path, has_no_crd};
use crate::document::PageMetadata;
use crate::errors::read_error;
use crate::lookup;

/// Objects per page: as many as `kubectl` requests.
const PAGE: u32 = 500;

/// Retries of a page that the API server can't serve at the moment: it initializes the storage of a new kind for some
/// seconds.
const RETRIES: usize = 10;

/// The delay before each retry.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// One page of a list, whole.
#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    items: Vec<Value>,
}

#[async_trait]
impl Origin for Live {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.discovery.facts(kind).await
    }

    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        Cluster::served_as(self, kind).await
    }

    async fn definition(&self, kind: &Kind, facts: &KindFacts) -> Result<Option<Value>, ReadError> {
        if has_no_crd(kind.group()) {
            return Ok(None);
        }
        let crd = Kind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
        match self.link.get(&definition_path(kind, &facts.plural)).await {
            Ok(definition) => Ok(Some(lookup::of_kind(definition, &crd))),
            // An aggregated API server defines it.
            Err(fault) if fault.code() == 404 => Ok(None),
            Err(fault) => Err(read_error(&crd, &fault)),
        }
    }

    async fn list(&self, kind: &Kind, scope: Scope, take: &mut (dyn FnMut(Value) + Send)) -> Result<(), ReadError> {
        let path = Discovery::path(kind, &self.discovery.facts(kind).await?, None);
        let label_selector = (scope == Scope::Owned).then(|| RECONCILER_LABEL.to_owned());
        let mut params = ListParams { limit: Some(PAGE), label_selector, ..ListParams::default() };
        loop {
            let page = page(self, kind, &path, &params).await?;
            page.items.into_iter().map(|item| lookup::of_kind(item, kind)).for_each(&mut *take);
            match page.metadata.next {
                next if next.is_empty() => return Ok(()),
                next => params.continue_token = Some(next),
            }
        }
    }

    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ReadError> {
        lookup::whole(&self.link, &self.discovery, object).await
    }
}

async fn page(live: &Live, kind: &Kind, path: &str, params: &ListParams) -> Result<Page, ReadError> {
    let mut tried = 0;
    loop {
        let request = kube::core::Request::new(path).list(params);
        match live.link.send(request).await.map_err(|fault| read_error(kind, &fault)) {
            Err(ReadError::Unavailable { .. }) if tried < RETRIES => tried += 1,
            done => return done,
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mizzen_cluster::{Apply, Overlay, Target, View, WriteError};
    use mizzen_model::Fields;
    use parking_lot::Mutex;
    use serde_json::json;

    use super::*;
    use crate::fake::{FakeRequest, Reply, link, refusal, things};

    fn kind() -> Kind {
        Kind::new("mizzen.dev/v1", "Thing")
    }

    fn thing(name: &str) -> Value {
        let fields = json!([{"manager": "gitops", "operation": "Apply", "fieldsV1": {"f:spec": {"f:x": {}}}}]);
        let metadata =
            json!({"name": name, "namespace": "a", "uid": name, "resourceVersion": "7", "managedFields": fields});
        json!({"metadata": metadata, "spec": {"x": 1}})
    }

    /// An API server with two pages of things, and what it was asked.
    fn live() -> (Live, Arc<Mutex<Vec<FakeRequest>>>) {
        let asked = Arc::<Mutex<Vec<FakeRequest>>>::default();
        let kept = Arc::clone(&asked);
        let page = |names: &[&str], next: &str| {
            let items: Vec<_> = names.iter().map(|name| thing(name)).collect();
            Reply::Json(200, json!({"metadata": {"resourceVersion": "9", "continue": next}, "items": items}))
        };
        let link = link(move |request| {
            let next = request.parameter("continue").map(str::to_owned);
            let path = request.path.clone();
            if path.contains("things") && !path.contains("definitions") {
                kept.lock().push(request);
            }
            match (&*path, next.as_deref()) {
                ("/apis/mizzen.dev/v1", _) => things(),
                ("/apis/mizzen.dev/v1/things", None) => page(&["x"], "more"),
                ("/apis/mizzen.dev/v1/things", Some("more")) => page(&["y"], ""),
                ("/apis/mizzen.dev/v1/namespaces/a/things/x", _) => Reply::Json(200, thing("x")),
                _ => refusal(404, "not found"),
            }
        });
        (Live::over(link), asked)
    }

    #[tokio::test]
    async fn an_overlay_reads_all_pages_and_sends_no_write() {
        let (live, asked) = live();
        let overlay = Overlay::new(Arc::new(live));
        overlay.watch(View { kind: kind(), scope: Scope::All, fields: Fields::Whole }).await.unwrap();
        let names = |overlay: &Overlay| {
            let all = overlay.list(Scope::All, &kind(), &mizzen_cluster::Selection::default()).unwrap();
            all.iter().map(|object| object.reference.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&overlay), ["x", "y"]);
        let document = json!({"apiVersion": "mizzen.dev/v1", "kind": "Thing",
            "metadata": {"name": "x", "namespace": "a"}, "spec": {"x": 2}});
        let apply = |force| Apply { manager: "m", document: &document, target: Target::Object, force };
        let conflict = overlay.apply(apply(false)).await.unwrap_err();
        assert!(
            matches!(&conflict, WriteError::Conflict { fields, .. } if fields[0].manager == "gitops"),
            "{conflict}"
        );
        overlay.apply(apply(true)).await.unwrap();
        assert!(asked.lock().iter().all(|request| request.method == "GET"));
    }

    #[tokio::test]
    async fn owned_objects_are_selected_by_the_api_server() {
        let (live, asked) = live();
        Origin::list(&live, &kind(), Scope::Owned, &mut |_| {}).await.unwrap();
        assert_eq!(asked.lock()[0].parameter("labelSelector"), Some("mizzen.dev%2Freconciler"));
    }
}
