//! The bindings that wasmtime generates from `wit/`. Only modules that convert between them and the model name them.

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
    with: { "mizzen:plugin/cluster.cursor": crate::cursor::Cursor },
});
