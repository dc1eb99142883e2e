//! What wit-bindgen generates. Used only by [`export!`](crate::export).
#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "reconciler-plugin",
    pub_export_macro: true,
    export_macro_name: "export_guest",
    default_bindings_module: "mizzen_sdk::bindings",
});
