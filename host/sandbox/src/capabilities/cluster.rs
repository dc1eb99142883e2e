//! `cluster`: reads, which [`mizzen_model::Reads`] grants, records and carries out.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime::error::Context as _;

use crate::bindings::mizzen::plugin::cluster;
use crate::bindings::mizzen::plugin::types::{AccessError, Kind, ObjectRef};
use crate::convert;
use crate::cursor::Cursor;
use crate::guest::Guest;
use crate::limits::CURSORS;

impl cluster::Host for Guest {
    async fn get(&mut self, object: ObjectRef, fields: Option<String>) -> Result<Result<Option<String>, AccessError>> {
        self.count()?;
        self.charge(object_bytes(&object) + fields.as_ref().map_or(0, String::len))?;
        let object = match convert::object_ref(&object) {
            Ok(object) => object,
            Err(error) => return Ok(Err(AccessError::Invalid(error.to_string()))),
        };
        let found = self.reads.get(&object, fields.as_deref()).await;
        Ok(found.map(|found| found.map(|object| object.json().to_owned())).map_err(convert::access_error))
    }

    async fn list(&mut self, query: cluster::Query) -> Result<Result<Resource<Cursor>, AccessError>> {
        self.count()?;
        self.charge(query_bytes(&query))?;
        let query = match convert::query(query) {
            Ok(query) => query,
            Err(error) => return Ok(Err(error)),
        };
        match self.reads.list(&query).await {
            Ok(objects) => {
                let cursor = self.cursors.push(Cursor::new(objects));
                Ok(Ok(cursor.with_context(|| format!("more than {CURSORS} lists are open at once"))?))
            }
            Err(error) => Ok(Err(convert::access_error(error))),
        }
    }

    async fn count(&mut self, query: cluster::Query) -> Result<Result<u64, AccessError>> {
        Self::count(self)?;
        self.charge(query_bytes(&query))?;
        match convert::query(query) {
            Ok(query) => Ok(self.reads.count(&query).await.map_err(convert::access_error)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn serves(&mut self, kind: Kind) -> Result<bool> {
        Self::count(self)?;
        let kind = convert::kind(&kind).with_context(|| "cluster.serves")?;
        self.reads.serves(&kind).await.with_context(|| "cluster.serves")
    }
}

impl cluster::HostCursor for Guest {
    async fn next(&mut self, cursor: Resource<Cursor>, limit: u32) -> Result<Vec<String>> {
        Self::count(self)?;
        Ok(self.cursors.get_mut(&cursor)?.next(limit))
    }

    async fn drop(&mut self, cursor: Resource<Cursor>) -> Result<()> {
        self.cursors.delete(cursor)?;
        Ok(())
    }
}

fn object_bytes(object: &ObjectRef) -> usize {
    kind_bytes(&object.kind) + object.namespace.as_ref().map_or(0, String::len) + object.name.len()
}

fn kind_bytes(kind: &Kind) -> usize {
    kind.api_version.len() + kind.name.len()
}

fn query_bytes(query: &cluster::Query) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let values = query.values.iter().flatten().map(|value| {
        use cluster::TextTest::{Equals, PrefixOf, StartsWith};
        let (Equals(text) | StartsWith(text) | PrefixOf(text)) = &value.test;
        value.path.len() + text.len()
    });
    let names = kind_bytes(&query.kind) + text(&query.namespace) + text(&query.fields);
    names + query.labels.len() + query.namespace_labels.len() + values.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mizzen_config::Limits;
    use mizzen_model::{Fields, Object};
    use serde_json::json;

    use super::cluster::{Host as _, HostCursor as _};
    use super::*;
    use crate::limits::{ARGUMENTS, PAGE};
    use crate::no_reads::NoReads;

    fn guest() -> Guest {
        Guest::new(Arc::new(NoReads), Limits::default(), mizzen_model::Digest::of(b""))
    }

    fn open(guest: &mut Guest, names: &[&str], padding: usize) -> u32 {
        let object = |name: &&str| {
            let document =
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "x": "x".repeat(padding)});
            Arc::new(Object::new(document, &Fields::Whole).unwrap())
        };
        let objects: Vec<_> = names.iter().map(object).collect();
        guest.cursors.push(Cursor::new(objects)).unwrap().rep()
    }

    async fn page(guest: &mut Guest, cursor: u32, limit: u32) -> usize {
        guest.next(Resource::new_borrow(cursor), limit).await.unwrap().len()
    }

    #[tokio::test]
    async fn a_page_is_as_long_as_requested_and_empty_at_the_end() {
        let mut guest = guest();
        let cursor = open(&mut guest, &["a", "b", "c"], 0);
        let mut pages = Vec::new();
        for limit in [2, 0, 2, 2] {
            pages.push(page(&mut guest, cursor, limit).await);
        }
        assert_eq!(pages, [2, 0, 1, 0]);
    }

    #[tokio::test]
    async fn a_page_of_large_objects_is_shorter_but_never_empty_before_the_end() {
        let mut guest = guest();
        let halves = open(&mut guest, &["a", "b", "c"], PAGE / 2 - 1_000);
        assert_eq!(page(&mut guest, halves, 100).await, 2);
        let larger = open(&mut guest, &["a", "b"], PAGE + 1);
        assert_eq!((page(&mut guest, larger, 100).await, page(&mut guest, larger, 100).await), (1, 1));
    }

    #[tokio::test]
    async fn the_number_of_open_lists_is_limited() {
        let mut guest = guest();
        for _ in 0..CURSORS {
            open(&mut guest, &[], 0);
        }
        assert!(guest.cursors.push(Cursor::new(Vec::new())).is_err());
    }

    fn kind(api_version: &str) -> Kind {
        Kind { api_version: api_version.into(), name: "Pod".into() }
    }

    fn query(kind: Kind, labels: &str) -> cluster::Query {
        let labels = labels.into();
        cluster::Query { kind, namespace: None, labels, namespace_labels: String::new(), values: None, fields: None }
    }

    #[tokio::test]
    async fn a_name_that_would_lead_to_another_path_is_reported_to_the_guest_and_not_read() {
        let mut guest = guest();
        let list = guest.list(query(kind("v1%2Fpods"), "")).await;
        assert!(matches!(list, Ok(Err(AccessError::Invalid(why))) if why.contains("`apiVersion`")));
        let object = ObjectRef { kind: kind("v1"), namespace: Some("../kube-system".into()), name: "a".into() };
        let get = guest.get(object, None).await;
        assert!(matches!(get, Ok(Err(AccessError::Invalid(why))) if why.contains("`metadata.namespace`")));
        let error = guest.serves(kind("apps/v1/x?watch=true")).await.unwrap_err();
        assert!(format!("{error:#}").contains("`apiVersion` is `apps/v1/x?watch=true`"), "{error:#}");
    }

    #[tokio::test]
    async fn a_call_ends_when_the_arguments_of_its_reads_are_too_large() {
        let mut guest = guest();
        let large = "!a,".repeat(ARGUMENTS / 6);
        assert!(matches!(guest.list(query(kind("v1"), &large)).await, Ok(Err(AccessError::Invalid(_)))));
        let error = guest.list(query(kind("v1"), &large)).await.unwrap_err();
        assert!(error.to_string().contains("more than 4 MiB"), "{error}");
    }

    #[tokio::test]
    async fn an_invalid_selector_is_reported_to_the_guest() {
        let query = query(kind("v1"), "a in");
        let mut guest = guest();
        assert!(matches!(cluster::Host::count(&mut guest, query.clone()).await, Ok(Err(AccessError::Invalid(_)))));
        assert!(matches!(guest.list(query).await, Ok(Err(AccessError::Invalid(_)))));
    }
}
