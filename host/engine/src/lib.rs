//! Who read what changed, whose turn it is, and what one reconcile does.
