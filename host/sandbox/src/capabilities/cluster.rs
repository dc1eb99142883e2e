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
        let found = self.reads.get(&convert::object_ref(object), fields.as_deref()).await;
        Ok(found.map(|found| found.map(|object| object.json().to_owned())).map_err(convert::access_error))
    }

    async fn list(&mut self, query: cluster::Query) -> Result<Result<Resource<Cursor>, AccessError>> {
        self.count()?;
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
        match convert::query(query) {
            Ok(query) => Ok(self.reads.count(&query).await.map_err(convert::access_error)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn serves(&mut self, kind: Kind) -> Result<bool> {
        Self::count(self)?;
        Ok(self.reads.serves(&convert::kind(&kind)).await)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mizzen_config::Limits;
    use mizzen_model::{Fields, Object};
    use serde_json::json;

    use super::cluster::{Host as _, HostCursor as _};
    use super::*;
    use crate::limits::PAGE;
    use crate::no_reads::NoReads;

    fn guest() -> Guest {
        Guest::new(Arc::new(NoReads), Limits::default())
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

    #[tokio::test]
    async fn an_invalid_selector_is_reported_to_the_guest() {
        let kind = Kind { api_version: "v1".into(), name: "Pod".into() };
        let query = cluster::Query {
            kind,
            namespace: None,
            labels: "a in".into(),
            namespace_labels: String::new(),
            values: None,
            fields: None,
        };
        let mut guest = guest();
        assert!(matches!(cluster::Host::count(&mut guest, query.clone()).await, Ok(Err(AccessError::Invalid(_)))));
        assert!(matches!(guest.list(query).await, Ok(Err(AccessError::Invalid(_)))));
    }
}
