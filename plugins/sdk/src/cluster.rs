//! Reads of the cluster. Each is recorded by the host: when what it answered changes, the reconciler is asked again.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::{Kind, ObjectRef, backend};

/// Why the host does not answer a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Not declared in the description, or not granted by the operator.
    Denied(String),
    /// The API server does not serve the kind.
    NotServed(String),
    /// Can't be answered now.
    Unavailable(String),
    /// The question makes no sense, or the answer does not have the type that was asked for.
    Invalid(String),
}

/// A question about many objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub(crate) kind: Kind,
    pub(crate) namespace: Option<String>,
    pub(crate) labels: String,
    pub(crate) namespace_labels: String,
    pub(crate) values: Option<Vec<(String, Text)>>,
    pub(crate) fields: Option<String>,
}

/// What is asked of a field's text. Of numbers, booleans and fields that are not there nothing is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// It is this.
    Equals(String),
    /// It begins with this: `/shop` finds `/shop/cart`.
    StartsWith(String),
    /// This begins with it: `/shop/cart` finds `/shop`.
    PrefixOf(String),
}

/// The objects of a list, one after the other. From [`scan`].
#[derive(Debug)]
pub struct Scan<T> {
    cursor: backend::Cursor,
    page: std::vec::IntoIter<String>,
    kind: Kind,
    of: PhantomData<fn() -> T>,
}

impl Query {
    /// All objects of a kind, in all namespaces.
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

    /// Only in one namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Only with this label. The host finds such objects by an index.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.selector(&format!("{key}={value}"))
    }

    /// Only what a label selector selects, in the syntax of `kubectl -l`.
    #[must_use]
    pub fn selector(mut self, selector: &str) -> Self {
        if !self.labels.is_empty() {
            self.labels.push(',');
        }
        self.labels.push_str(selector);
        self
    }

    /// Only in namespaces that a label selector selects.
    #[must_use]
    pub fn namespace_selector(mut self, selector: &str) -> Self {
        selector.clone_into(&mut self.namespace_labels);
        self
    }

    /// Only where any of these is true of a field's text, each with its path in the query's field set, which must hold it; without one,
    /// nothing is found. Said again, it adds more of which one is enough. The host finds such objects by an index, and asks again only
    /// when one of them changes, comes or goes.
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

    /// Only the fields of a declared field set.
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

/// One object; `None` when it does not exist. `fields` names a declared field set.
///
/// # Errors
/// See [`AccessError`].
pub fn get<T: DeserializeOwned>(object: &ObjectRef, fields: Option<&str>) -> Result<Option<T>, AccessError> {
    backend::get(object, fields)?.map(|json| parse(&json, &object.kind)).transpose()
}

/// All objects of a query, in namespace and name order, all from one point in time.
///
/// # Errors
/// See [`AccessError`].
pub fn list<T: DeserializeOwned>(query: &Query) -> Result<Vec<T>, AccessError> {
    scan(query)?.collect()
}

/// As [`list`], but a page at a time: what was looked at need not be kept, so that a long list fits into a component's memory.
///
/// # Errors
/// See [`AccessError`]; each object that does not have the type asked for is an error of its own.
pub fn scan<T: DeserializeOwned>(query: &Query) -> Result<Scan<T>, AccessError> {
    let cursor = backend::list(query)?;
    Ok(Scan { cursor, page: Vec::new().into_iter(), kind: query.kind.clone(), of: PhantomData })
}

/// How many objects [`list`] would give.
///
/// # Errors
/// See [`AccessError`].
pub fn count(query: &Query) -> Result<u64, AccessError> {
    backend::count(query)
}

/// Whether the API server serves a kind.
pub fn serves(kind: &Kind) -> bool {
    backend::serves(kind)
}

fn parse<T: DeserializeOwned>(json: &str, kind: &Kind) -> Result<T, AccessError> {
    serde_json::from_str(json)
        .map_err(|error| AccessError::Invalid(format!("a {} is not what was expected: {error}", kind.name)))
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
