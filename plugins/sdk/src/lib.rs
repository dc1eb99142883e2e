//! Write a reconciler in Rust.
