//! What wasmtime generates from `wit/`. No other module names these types, except those that carry them in and out.

#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated code"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "reconciler-plugin",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "mizzen:plugin/cluster.cursor": crate::capabilities::cluster::Cursor },
});
