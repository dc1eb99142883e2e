//! Which objects of a kind are meant.

use mizzen_model::{Object, Selector, Values};

/// Some of the objects of a kind; each field narrows it, and the default is all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// `None`: all namespaces.
    pub namespace: Option<&'a str>,
    /// Which labels they have.
    pub labels: Option<&'a Selector>,
    /// Which texts they have in fields that the view keeps.
    pub values: Option<&'a Values>,
}

// === impl Selection ===

impl<'a> Selection<'a> {
    /// Those with some labels, in all namespaces.
    pub fn labelled(labels: &'a Selector) -> Self {
        Self { labels: Some(labels), ..Self::default() }
    }

    /// Those in one namespace.
    pub fn within(namespace: &'a str) -> Self {
        Self { namespace: Some(namespace), ..Self::default() }
    }

    /// Whether an object is in the namespace, if one is given.
    pub(crate) fn is_in(&self, namespace: Option<&str>) -> bool {
        self.namespace.is_none_or(|own| namespace == Some(own))
    }

    pub(crate) fn has_labels(&self, object: &Object) -> bool {
        self.labels.is_none_or(|labels| labels.matches(&object.labels))
    }

    pub(crate) fn has_values(&self, object: &Object) -> bool {
        self.values.is_none_or(|values| values.matches(&object.value()))
    }
}
