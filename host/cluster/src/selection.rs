//! Which objects of a kind a read selects.

use mizzen_model::{Object, Selector, Values};

/// A part of the objects of a kind. Each field narrows it; the default selects all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// `None`: all namespaces.
    pub namespace: Option<&'a str>,
    /// By labels.
    pub labels: Option<&'a Selector>,
    /// By texts in fields that the view keeps.
    pub values: Option<&'a Values>,
}

// === impl Selection ===

impl<'a> Selection<'a> {
    /// Selects by labels, in all namespaces.
    pub fn labelled(labels: &'a Selector) -> Self {
        Self { labels: Some(labels), ..Self::default() }
    }

    /// Selects all objects in one namespace.
    pub fn within(namespace: &'a str) -> Self {
        Self { namespace: Some(namespace), ..Self::default() }
    }

    /// Whether an object's namespace is selected.
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
