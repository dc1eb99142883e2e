//! Reads of the cluster. The host records each: when an object that was read changes, the
//! reconciler is called again.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::{Kind, ObjectRef, backend};

/// Why a read failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Not declared in the description, or not granted by the operator.
    Denied(String),
    /// The API server does not serve the kind.
    NotServed(String),
    /// Temporarily unavailable.
    Unavailable(String),
    /// The read is malformed, or an object does not have the expected type.
    Invalid(String),
}

/// A query for objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) kind: Kind,
    pub(crate) namespace: Option<String>,
    pub(crate) labels: String,
    pub(crate) namespace_labels: String,
    pub(crate) values: Option<Vec<(String, Text)>>,
    pub(crate) fields: Option<String>,
}

/// A condition on the text of a field. Numbers, booleans and missing fields never match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// The text equals this one.
    Equals(String),
    /// The text starts with this one: `/shop` finds `/shop/cart`.
    StartsWith(String),
    /// The text is a prefix of this one: `/shop/cart` finds `/shop`.
    PrefixOf(String),
}

/// Iterates over the objects of a list. From [`scan`].
#[derive(Debug)]
pub struct Scan<T> {
    cursor: backend::Cursor,
    page: std::vec::IntoIter<String>,
    kind: Kind,
    of: PhantomData<fn() -> T>,
}

impl Query {
    /// Selects all objects of a kind, in all namespaces.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            namespace: None,
            labels: String::new(),
            namespace_labels: String::new(),
            values: None,
            fields: None,
        }
    }

    /// Selects only objects in one namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Selects only objects with this label. The host finds them by an index.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.selector(&format!("{key}={value}"))
    }

    /// Selects only objects that match a label selector, in the syntax of `kubectl -l`.
    #[must_use]
    pub fn selector(mut self, selector: &str) -> Self {
        if !self.labels.is_empty() {
            self.labels.push(',');
        }
        self.labels.push_str(selector);
        self
    }

    /// Selects only objects in namespaces that match a label selector.
    #[must_use]
    pub fn namespace_selector(mut self, selector: &str) -> Self {
        selector.clone_into(&mut self.namespace_labels);
        self
    }

    /// Selects only objects for which at least one of these conditions holds, each with a path that
    /// the query's field set must contain; with no conditions, nothing is selected. Further calls
    /// add alternatives. The host finds the objects by an index, and calls the reconciler again
    /// only when an object that matches, or matched, changes.
    ///
    /// ```
    /// use mizzen_sdk::{Kind, Query, Text};
    ///
    /// // The routes that overlap with a path: those that begin with it, and those it begins with.
    /// let prefix = "spec.http[*].match[*].uri.prefix";
    /// Query::of(Kind::new("networking.istio.io/v1", "VirtualService"))
    ///     .fields("routes")
    ///     .where_any([(prefix, Text::starts_with("/shop")), (prefix, Text::prefix_of("/shop"))]);
    /// ```
    #[must_use]
    pub fn where_any<P: Into<String>>(mut self, tests: impl IntoIterator<Item = (P, Text)>) -> Self {
        let tests = tests.into_iter().map(|(path, test)| (path.into(), test));
        self.values.get_or_insert_default().extend(tests);
        self
    }

    /// Returns only the fields of a declared field set.
    #[must_use]
    pub fn fields(mut self, set: &str) -> Self {
        self.fields = Some(set.to_owned());
        self
    }
}

impl Text {
    /// See [`Text::Equals`].
    pub fn equals(text: impl Into<String>) -> Self {
        Self::Equals(text.into())
    }

    /// See [`Text::StartsWith`].
    pub fn starts_with(text: impl Into<String>) -> Self {
        Self::StartsWith(text.into())
    }

    /// See [`Text::PrefixOf`].
    pub fn prefix_of(text: impl Into<String>) -> Self {
        Self::PrefixOf(text.into())
    }
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

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Denied(why) | Self::NotServed(why) | Self::Unavailable(why) | Self::Invalid(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for AccessError {}
