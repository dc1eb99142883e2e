//! `cluster`: reads, carried to whoever grants, records and answers them.

use std::sync::Arc;

use mizzen_model::Object;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime::error::Context as _;

use crate::bindings::mizzen::plugin::cluster;
use crate::bindings::mizzen::plugin::types::{AccessError, Kind, ObjectRef};
use crate::convert;
use crate::guest::{CURSORS, Guest};

/// Bytes of one page, unless a single object is larger. Keeps what a guest must hold at once small, whatever page it asks for.
const PAGE: usize = 1 << 20;

/// A list on its way to a guest.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Cursor(std::vec::IntoIter<Arc<Object>>);

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
                let cursor = self.table.push(Cursor(objects.into_iter()));
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
        let Cursor(objects) = self.table.get_mut(&cursor)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit as usize
            && let Some(object) = objects.as_slice().first()
        {
            bytes += object.json().len();
            if bytes > PAGE && !page.is_empty() {
                break;
            }
            page.extend(objects.next().map(|object| object.json().to_owned()));
        }
        Ok(page)
    }

    async fn drop(&mut self, cursor: Resource<Cursor>) -> Result<()> {
        self.table.delete(cursor)?;
        Ok(())
    }
}
