//! Components that are there to be measured.
//!
//! Each example is one component.
