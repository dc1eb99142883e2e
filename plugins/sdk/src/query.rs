//! Queries for objects of one kind.

use crate::identity::Kind;

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
