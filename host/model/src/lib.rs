//! The types that every layer uses: kinds, objects, selectors, field sets, outcomes.
//!
//! Plain types, no I/O except reading YAML files, and no dependency on kube or wasmtime: this crate
//! stands between the crate that knows the API server and the one that knows the sandbox, so that
//! neither depends on the other.
//!
//! ```
//! use mizzen_model::{Fields, Object, Selector};
//! use serde_json::json;
//!
//! let pod = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"nodeName": "n1", "containers": [{"image": "cart:1"}]},
//!     "metadata": {"name": "cart", "namespace": "shop", "labels": {"app": "cart"}, "resourceVersion": "7"}});
//! let object = Object::new(pod, &Fields::parse(["spec.containers[*].image"])?)?;
//!
//! assert_eq!(object.reference.to_string(), "Pod shop/cart");
//! assert!(Selector::parse("app in (cart, basket)")?.matches(&object.labels));
//! assert_eq!(object.value()["spec"], json!({"containers": [{"image": "cart:1"}]}));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod access;
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
mod load_error;
mod names;
pub mod object;
pub mod outcome;
mod pointer;
pub mod read;
pub mod renderer;
pub mod selector;
mod text_map;
pub mod values;
pub mod yaml;

pub use access::AccessError;
pub use describe::{Access, Description, FieldSet, Need};
pub use digest::Digest;
pub use few::Few;
pub use fields::{FieldPath, Fields};
pub use http::{HttpRequest, HttpResponse};
pub use invoke::{Call, CallError, Invoke};
pub use kind::{Kind, ObjectRef};
pub use lines::Lines;
pub use load_error::LoadError;
pub use names::{
    NameError, is_dns_label, is_dns_name, is_label_value, is_qualified_name, parse_namespace, parse_pace_name,
    parse_renderer_name, parse_uid,
};
pub use object::{Labels, Object};
pub use outcome::{
    Condition, Deletion, Event, Failure, Outcome, Patch, Predecessor, Readiness, Request, Severity, Wanted,
};
pub use pointer::field_at;
pub use read::{Query, Reads};
pub use renderer::{Render, RenderError, Rendered, Renderer};
pub use selector::Selector;
pub use text_map::TextMap;
pub use values::{TextTest, ValueSelector, Values};
