//! Who answers reads: the host, in a component; YAML, in a test.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::{count, get, list, serves};

#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::{count, get, list, serves};

#[cfg(target_arch = "wasm32")]
mod wasm {
    use crate::guest::bindings::mizzen::plugin::{cluster, types};
    use crate::{AccessError, Kind, ObjectRef, Query};

    /// Objects asked for at once: fewer crossings, and not all of a long list in memory.
    const PAGE: u32 = 500;

    pub(crate) fn get(object: &ObjectRef, fields: Option<&str>) -> Result<Option<String>, AccessError> {
        let ObjectRef { kind: k, namespace, name } = object;
        let object = types::ObjectRef { kind: kind(k), namespace: namespace.clone(), name: name.clone() };
        cluster::get(&object, fields).map_err(error)
    }

    pub(crate) fn list(
        query: &Query,
        mut each: impl FnMut(&str) -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        let cursor = cluster::list(&wit(query)).map_err(error)?;
        loop {
            let page = cursor.next(PAGE);
            if page.is_empty() {
                return Ok(());
            }
            for json in &page {
                each(json)?;
            }
        }
    }

    pub(crate) fn count(query: &Query) -> Result<u64, AccessError> {
        cluster::count(&wit(query)).map_err(error)
    }

    pub(crate) fn serves(k: &Kind) -> bool {
        cluster::serves(&kind(k))
    }

    fn wit(query: &Query) -> cluster::Query {
        cluster::Query {
            kind: kind(&query.kind),
            namespace: query.namespace.clone(),
            labels: query.labels.clone(),
            namespace_labels: query.namespace_labels.clone(),
            fields: query.fields.clone(),
        }
    }

    fn kind(kind: &Kind) -> types::Kind {
        types::Kind { api_version: kind.api_version.clone(), name: kind.name.clone() }
    }

    fn error(error: types::AccessError) -> AccessError {
        match error {
            types::AccessError::Denied(why) => AccessError::Denied(why),
            types::AccessError::NotServed(why) => AccessError::NotServed(why),
            types::AccessError::Unavailable(why) => AccessError::Unavailable(why),
            types::AccessError::Invalid(why) => AccessError::Invalid(why),
        }
    }
}
