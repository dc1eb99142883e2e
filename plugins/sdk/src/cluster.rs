//! Reads of the cluster. The host records each: when an object that was read changes, the
//! reconciler is called again.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::access::AccessError;
use crate::backend;
use crate::identity::{Kind, ObjectRef};
use crate::query::Query;

/// Iterates over the objects of a list. From [`scan`].
#[derive(Debug)]
pub struct Scan<T> {
    cursor: backend::Cursor,
    page: std::vec::IntoIter<String>,
    kind: Kind,
    of: PhantomData<fn() -> T>,
}

/// Reads one object; `None` if it does not exist. `fields` names a declared field set.
///
/// # Errors
/// See [`AccessError`].
pub fn get<T: DeserializeOwned>(object: &ObjectRef, fields: Option<&str>) -> Result<Option<T>, AccessError> {
    backend::get(object, fields)?.map(|json| parse(&json, &object.kind)).transpose()
}

/// Reads all objects of a query, ordered by namespace and name, all from one point in time.
///
/// # Errors
/// See [`AccessError`].
pub fn list<T: DeserializeOwned>(query: &Query) -> Result<Vec<T>, AccessError> {
    scan(query)?.collect()
}

/// Reads like [`list`], but a page at a time, so that a long list need not fit into a component's
/// memory.
///
/// # Errors
/// See [`AccessError`]; each object that does not have the expected type is an error of its own.
pub fn scan<T: DeserializeOwned>(query: &Query) -> Result<Scan<T>, AccessError> {
    let cursor = backend::list(query)?;
    Ok(Scan { cursor, page: Vec::new().into_iter(), kind: query.kind.clone(), of: PhantomData })
}

/// Returns the number of objects that [`list`] would return.
///
/// # Errors
/// See [`AccessError`].
pub fn count(query: &Query) -> Result<u64, AccessError> {
    backend::count(query)
}

/// Returns whether the API server serves a kind.
pub fn serves(kind: &Kind) -> bool {
    backend::serves(kind)
}

fn parse<T: DeserializeOwned>(json: &str, kind: &Kind) -> Result<T, AccessError> {
    serde_json::from_str(json)
        .map_err(|error| AccessError::Invalid(format!("a {} does not have the expected type: {error}", kind.name)))
}

impl<T: DeserializeOwned> Iterator for Scan<T> {
    type Item = Result<T, AccessError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.as_slice().is_empty() {
            self.page = self.cursor.page().into_iter();
        }
        self.page.next().map(|json| parse(&json, &self.kind))
    }
}
