//! Components for benches. Each example is one component.
