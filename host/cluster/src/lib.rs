//! The cluster as the engine sees it: the [`Cluster`] trait, and [`memory::Memory`], a cluster
//! loaded from a folder of YAML.
//!
//! ```text
//!   engine ── watch(view) ──► Cluster ◄── Live (host/live): reflectors on a real API server
//!     ▲                         │    ◄── Memory: documents in memory, for plan, dev and tests
//!     └──── Change ─────────────┘
//! ```
//! Reads are synchronous: they come from a [`store::Store`], which a watch keeps up to date. Writes
//! are requests to the API server.
//!
//! ```
//! use mizzen_cluster::memory::Memory;
//! use mizzen_cluster::{Apply, Cluster, Target};
//! use mizzen_model::{Kind, ObjectRef};
//! use serde_json::json;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: shop}, data: {x: '1'}}";
//! let cluster = Memory::from_yaml(text).map_err(|errors| errors[0].to_string())?;
//! let map = ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("shop"), "a");
//!
//! let mut document = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}});
//! document["data"] = json!({"y": "2"});
//! let apply = Apply { manager: "mizzen.dev/example", document: &document, target: Target::Object, force: false };
//! cluster.apply(apply).await?;
//!
//! assert_eq!(cluster.find(&map).unwrap()["data"], json!({"x": "1", "y": "2"}));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod change;
mod cluster;
mod error;
pub mod memory;
mod overlay;
mod ownership;
mod selection;
pub mod store;
mod view;
mod write;

pub use change::{Change, Changes};
pub use cluster::{Cluster, ObjectWatch};
pub use error::{ForeignField, ReadError, WriteError};
pub use overlay::{Origin, Overlay};
pub use ownership::{APPLIED_ANNOTATION, Owner, Ownership, OwnershipKey, OwnershipKeys, OwnershipKeysError};
pub use selection::Selection;
pub use view::{Found, KindFacts, OWNER_LABEL, RECONCILER_LABEL, Scope, View};
pub use write::{Apply, EventRecord, Target};
