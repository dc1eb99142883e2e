//! Components that misbehave, each in its own way, for tests of the sandbox and the engine.
//!
//! Each example is one component. Their subjects are `ConfigMap`s, so that they need no CRD.
