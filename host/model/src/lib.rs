//! What every layer speaks of: kinds, objects, selectors, field sets, outcomes.
//!
//! Plain types, no I/O beyond reading YAML files, and no dependency on kube or wasmtime: this crate stands between the one
//! that knows the API server and the one that knows the sandbox, so that neither has to know the other.

pub mod canonical;
pub mod crd;
pub mod describe;
pub mod digest;
mod few;
pub mod fields;
pub mod http;
pub mod invoke;
pub mod kind;
mod lines;
mod listed;
pub mod object;
pub mod outcome;
pub mod read;
pub mod renderer;
pub mod selector;
mod text_map;
pub mod values;
pub mod yaml;

pub use describe::{Access, Description, FieldSet, Need};
pub use digest::Digest;
pub use few::Few;
pub use fields::{FieldPath, Fields};
pub use http::{HttpRequest, HttpResponse};
pub use invoke::{Call, CallError, Invoke};
pub use kind::{Kind, ObjectRef};
pub use lines::Lines;
pub use listed::Listed;
pub use object::{Labels, Object};
pub use outcome::{
    Condition, Deletion, Event, Failure, Outcome, Patch, Predecessor, Readiness, Request, Severity, Wanted,
};
pub use read::{AccessError, Query, Reads};
pub use renderer::{Render, RenderError, Rendered, Renderer};
pub use selector::Selector;
pub use text_map::TextMap;
pub use values::{TextTest, ValueSelector, Values};
