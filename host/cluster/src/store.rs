//! Objects of one kind, in order, with an index by label.
