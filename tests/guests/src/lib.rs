//! Components that misbehave, each in its own way: what the sandbox and the engine are tested with.
//!
//! Each example is one component. All of them are asked about `ConfigMap`s, so that they need no CRD.
