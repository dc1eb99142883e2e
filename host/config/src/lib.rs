//! Reconciler documents: parsed, checked, ordered.
